/*
 * http_request.h: what is sent for a call: header fields and a body. Internal to lib/fn.
 */
#ifndef FIT_FN_HTTP_REQUEST_H
#define FIT_FN_HTTP_REQUEST_H

#include "fn/environment.h"
#include "fn/http.h"
#include "fn/http_curl.h"

struct http_request { /* zeroed before the first use */
    struct buf text;  /* of the fields, each ended by a NUL */
    struct curl_slist *nodes;
    size_t count, capacity;
    const struct fn_http *given; /* what the user has said; NULL: nothing */
    struct buf own;              /* a body that is not the event as it is */
    struct str body;             /* borrowed: own, or the call's event */
};

/* For an attempt. What was there before is gone. Valid as long as the call's event is. -1 with
 * ERR_INPUT: the event cannot be sent so (--ce). */
int http_request_make(struct http_request *request, const struct fn_call *call,
                      const struct environment *environment, struct err *err);

/* Add a field, unless the user has given one of that name, which stands for it; its name and value
 * are such as can be sent. */
void http_request_add(struct http_request *request, const char *name, struct str value);

/* Send no field of that name, where libcurl would. */
void http_request_omit(struct http_request *request, const char *name);

/* Its fields for libcurl; valid until the next http_request_make. */
struct curl_slist *http_request_fields(struct http_request *request);

void http_request_free(struct http_request *request);

#endif
