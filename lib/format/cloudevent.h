/*
 * cloudevent.h: CloudEvents 1.0 as structured JSON, for commands that originate events.
 */
#ifndef FIT_FORMAT_CLOUDEVENT_H
#define FIT_FORMAT_CLOUDEVENT_H

#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

struct cloudevent {
    struct str id;      /* not empty; unique within its source */
    struct str source;  /* a URI reference, "fit:poll/quakes" */
    const char *type;   /* "fit.poll.change" */
    struct str subject; /* {NULL, 0}: none */
    int64_t time;       /* clock_wall */
    struct str data;    /* a JSON value, as it is; {NULL, 0}: none */
};

/* Append it, one line without LF. Strings are plain text and are escaped here. */
void cloudevent_write(const struct cloudevent *event, struct buf *out);

#endif
