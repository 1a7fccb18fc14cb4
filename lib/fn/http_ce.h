/*
 * http_ce.h: an event as a CloudEvent in a request (--ce): the HTTP protocol binding, CloudEvents
 * 1.0. Internal to lib/fn.
 */
#ifndef FIT_FN_HTTP_CE_H
#define FIT_FN_HTTP_CE_H

#include "base/err.h"
#include "fn/http_request.h"

/*
 * Add the fields and the body of the call's event. What is no CloudEvent is wrapped in one, whose
 * id is the event's identity and whose source is the command. -1 with ERR_INPUT: its attributes
 * cannot be sent.
 */
int http_ce_make(struct http_request *request, const struct fn_call *call, struct err *err);

#endif
