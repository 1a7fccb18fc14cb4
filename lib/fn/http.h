/*
 * http.h: how functions behind a URL are called: what a command may say of it.
 *
 * https://... and http://... are functions: the event is the body of a POST, the body of a 2xx
 * answer the result. http.c makes the calls with libcurl's multi interface in our loop; it alone
 * sees curl.h, and loads the library with the first function that needs it.
 */
#ifndef FIT_FN_HTTP_H
#define FIT_FN_HTTP_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* --ce: how a CloudEvent travels (CloudEvents 1.0, HTTP protocol binding). */
enum fn_ce {
    FN_CE_NONE,       /* as it is: application/json */
    FN_CE_BINARY,     /* its attributes in ce- headers, its data in the body */
    FN_CE_STRUCTURED, /* as a whole: application/cloudevents+json */
};

/* What a server said of a value, so that it need not send it again (RFC 9110, section 13). */
struct fn_validators {
    char *etag;     /* owned; NULL: none */
    char *modified; /* Last-Modified, as it came; the same */
    bool unchanged; /* of the last answer: 304, and so it has no result */
};

struct fn_http {    /* borrowed as long as the function is open */
    char **headers; /* "Name: value" each, checked; they may hold secrets and are never shown */
    size_t count;
    enum fn_ce ce;
    const char *cacert; /* a file of certificates that are trusted, instead of the system's; NULL */
    bool get;           /* a GET without a body: somebody looks (poll --check) */
    /* With get: sent if they are set, and set to what an answer says, before done is called. NULL:
     * none. One call at a time. */
    struct fn_validators *validators;
};

/* Can it be sent: "Name: value", the name a token, no control characters in the value, none of
 * those that say where a message ends? -1 with err, which does not repeat the value. */
int fn_http_check_header(const char *header, struct err *err);

/* Is it one whose value nobody should see (Authorization and the like)? */
bool fn_http_is_secret(const char *header);

#endif
