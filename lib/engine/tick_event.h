/*
 * tick_event.h: the event that says that a time of a schedule has come.
 *
 * A CloudEvent. Source and id, which make its identity, are the name and the scheduled time alone:
 * so the same time has the same identity in every run, whenever it begins.
 */
#ifndef FIT_ENGINE_TICK_EVENT_H
#define FIT_ENGINE_TICK_EVENT_H

#include "base/block.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct tick_event {
    const char *source; /* tick_event_source */
    int64_t scheduled;
    int64_t started;
    int64_t success; /* the last scheduled time whose run was done; 0: none */
    uint64_t missed, skipped;
    uint64_t run; /* a random number */
    bool test;    /* made up: it has the identity of none of the schedule's */
    bool data;    /* its data alone */
};

/* "fit:every/NAME", percent-encoded where a URI needs it (RFC 3986); the caller frees it. */
char *tick_event_source(const char *name);

struct slice tick_event_line(const struct tick_event *event); /* with its LF; the caller's */

/* Its identity, as identity.h finds it in a CloudEvent. */
void tick_event_identity(const char *source, int64_t scheduled, struct buf *id);

#endif
