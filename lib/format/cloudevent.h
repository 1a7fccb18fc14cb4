/*
 * cloudevent.h: CloudEvents 1.0 as structured JSON, written and recognised.
 */
#ifndef FIT_FORMAT_CLOUDEVENT_H
#define FIT_FORMAT_CLOUDEVENT_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct cloudevent {
    struct str id;      /* not empty; unique within its source */
    struct str source;  /* a URI reference, "fit:poll/quakes" */
    const char *type;   /* "fit.poll.change" */
    struct str subject; /* {NULL, 0}: none */
    int64_t time;       /* clock_wall; 0: none */
    struct str data;    /* a JSON value, as it is; {NULL, 0}: none */
    struct str members; /* extension attributes, as they are: ",\"warmer\":true"; {NULL, 0}: none */
};

/* Append it, one line without LF. Strings are plain text and are escaped here. */
void cloudevent_write(const struct cloudevent *event, struct buf *out);

/* Is a validated value one: an object of version 1 with id, source and type? */
bool cloudevent_is(struct str value);

#endif
