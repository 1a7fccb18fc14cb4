/*
 * errlines.h: the stderr of a function: passed through in whole lines, its end kept. Internal to
 * lib/fn.
 */
#ifndef FIT_FN_ERRLINES_H
#define FIT_FN_ERRLINES_H

#include "base/buf.h"
#include "fn/function.h"

enum {
    ERRLINES_LINE =
        64 * 1024, /* a longer line is passed on in pieces of this size, each ended by LF */
    ERRLINES_DRAIN = 1024 * 1024, /* bytes still read after the function has ended; a daemon may
                                     hold the pipe for ever */
};

struct errlines {
    struct fn_context *context;
    struct loop_fd watch;
    struct buf line; /* begun */
    struct buf tail; /* the last FN_STDERR_TAIL bytes, and up to as many before them */
    int fd;          /* -1: closed */
};

/* Take over the read end of the pipe (non-blocking). 0, or -1 with errno. */
int errlines_open(struct errlines *errlines, struct fn_context *context, int fd);
/* Read what is there now, so that the tail is complete. */
void errlines_catch_up(struct errlines *errlines);
/* Read what is there, pass on the last line whatever its end, and close. Keeps the tail. No-op when
 * closed. */
void errlines_close(struct errlines *errlines);
/* The last bytes, from the start of a UTF-8 character on; borrowed. */
struct str errlines_tail(const struct errlines *errlines);
void errlines_clear(struct errlines *errlines); /* forget the tail */
void errlines_free(struct errlines *errlines);

#endif
