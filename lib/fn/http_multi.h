/*
 * http_multi.h: transfers of libcurl in our loop.
 *
 * Libcurl says which sockets it waits for and until when; the loop waits for it. Transfers end in
 * the loop, never within a call of libcurl's and never before http_multi_start has returned. So
 * who is told of an end may start, drop and free what it likes. Internal to lib/fn.
 */
#ifndef FIT_FN_HTTP_MULTI_H
#define FIT_FN_HTTP_MULTI_H

#include "fn/http_curl.h"
#include "sys/loop.h"

#include <stdbool.h>

struct http_multi;

struct http_transfer { /* embedded in its owner */
    CURL *easy;
    void (*ended)(struct http_transfer *transfer, CURLcode result);
    bool active;
    bool lost; /* its socket cannot be watched */
    struct http_transfer *next, *prev;
};

/* Keeps up to so many idle connections. NULL with err. */
struct http_multi *http_multi_new(const struct http_curl *curl, struct loop *loop,
                                  unsigned connections, struct err *err);
/* After the last transfer has ended or was dropped. NULL is a no-op. */
void http_multi_free(struct http_multi *multi);

/* -1 with err: it will not be told of. */
int http_multi_start(struct http_multi *multi, struct http_transfer *transfer, struct err *err);

/* Give it up, and its connection unless it has ended; no-op when it is not active. */
void http_multi_drop(struct http_multi *multi, struct http_transfer *transfer);

#endif
