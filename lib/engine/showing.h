/*
 * showing.h: commands that only look at shared state, one line of JSON for each name.
 *
 * Nothing is made: without a state directory there is nothing to show.
 */
#ifndef FIT_ENGINE_SHOWING_H
#define FIT_ENGINE_SHOWING_H

#include "base/buf.h"
#include "base/err.h"
#include "state/home.h"

struct showing {
    const char *what;  /* "breaker", for messages */
    const char *state; /* --state, or NULL */
    const char *name;  /* show only this one; NULL: all */
    int (*list)(struct home *home, void (*each)(void *owner, struct str name), void *owner,
                struct err *err);
    /* Append the line of one, without its LF. -1 with err. */
    int (*describe)(struct home *home, const char *name, struct buf *line, struct err *err);
};

/* Print the lines, sorted by name. The exit status: 0, or 1 after saying why, also when the name
 * does not exist. */
int showing_run(const struct showing *showing);

/* "name":NAME as the begin of an object. */
void showing_begin(struct buf *line, const char *name);

#endif
