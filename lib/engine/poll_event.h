/*
 * poll_event.h: the events that a poll makes of changes.
 *
 * CloudEvents: fit.poll.change of a whole value, fit.poll.created, .updated and .deleted of items
 * with keys. Their data has what there is of key, old and new, and the patch from old to new
 * (RFC 6902). Values keep their bytes.
 */
#ifndef FIT_ENGINE_POLL_EVENT_H
#define FIT_ENGINE_POLL_EVENT_H

#include "base/buf.h"
#include "base/str.h"
#include "pattern/change.h"

struct poll_event {
    struct str source; /* of the CloudEvent: a URI reference */
    struct str id;
    int64_t time; /* clock_wall of the look */
    bool whole;   /* of a whole value */
    bool keyed;   /* an item whose key is not itself */
    enum change_kind kind;
    struct str key;    /* JSON */
    struct str before; /* {NULL, 0}: there was none */
    struct str after;  /* {NULL, 0}: there is none */
};

/* Append it, one line without LF. */
void poll_event_write(const struct poll_event *event, struct buf *out);

/* Append "fit:poll/" and the name, with what a URI must not hold percent-encoded (RFC 3986). */
void poll_event_source(struct str name, struct buf *out);

#endif
