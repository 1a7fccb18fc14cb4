/*
 * http_url.h: the URL of a function: checked once, filled in for each event.
 *
 * What an event fills in is percent-encoded and stays within its segment of the path or its part of
 * the query: it can change neither the server nor the structure of the path. Internal to lib/fn.
 */
#ifndef FIT_FN_HTTP_URL_H
#define FIT_FN_HTTP_URL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

struct http_url;

/* text begins with its scheme; literal: it holds no placeholders. NULL with ERR_USAGE, which says
 * nothing of a password. */
struct http_url *http_url_new(const char *text, bool literal, struct err *err);
void http_url_free(struct http_url *url); /* NULL is a no-op */

/* For one event. Valid until the next call; NULL with ERR_INPUT. */
const char *http_url_for(struct http_url *url, struct str event, struct err *err);

/* May what was sent to one be sent on to the other: same scheme, host and port, or https of the
 * same host? */
bool http_url_may_follow(const char *from, const char *to);

/* Append it without what may be secret: without user, password and query. */
void http_url_show(struct buf *out, const char *url);

#endif
