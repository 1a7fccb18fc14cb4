/*
 * http_validators.h: what a server says of a value, so that it need not send it again (RFC 9110,
 * 8.8 and 13.1). Internal to lib/fn.
 */
#ifndef FIT_FN_HTTP_VALIDATORS_H
#define FIT_FN_HTTP_VALIDATORS_H

#include "fn/http_answer.h"
#include "fn/http_request.h"

/* Keep what a 2xx answer says, or that it was 304. A value that cannot be sent back as it came, or
 * is no text, is as good as none. Both: NULL is a no-op. */
void http_validators_note(struct fn_validators *validators, const struct http_answer *answer);

/* Add the fields that ask for what differs from them. */
void http_validators_add(const struct fn_validators *validators, struct http_request *request);

#endif
