/*
 * invocation.h: what one invocation of a function was like, for people and as JSON.
 */
#ifndef FIT_ENGINE_INVOCATION_H
#define FIT_ENGINE_INVOCATION_H

#include "fn/function.h"

/* Copied from an attempt, which is gone after its callback. Zeroed before first use. */
struct invocation {
    bool made; /* an attempt was made */
    struct buf id;
    unsigned attempts;
    int64_t duration;       /* of the last attempt, nanoseconds */
    int64_t init;           /* of a cold worker; 0: it was warm, or a process per event */
    bool measured;          /* what follows is known */
    int64_t processor_time; /* nanoseconds */
    long peak_kib;
    size_t bytes_in, bytes_out;
    char *reason; /* NULL: success */
    char *message;
    char *detail;
    int exit, signal;  /* exit is -1 where there is none */
    int status;        /* of HTTP, of a failure; 0: none */
    struct buf errors; /* the end of its stderr, if it failed */
};

void invocation_take(struct invocation *invocation, const struct fn_attempt *attempt);
void invocation_free(struct invocation *invocation);

void invocation_describe(const struct invocation *invocation,
                         struct buf *text); /* a few lines, each with its LF */
void invocation_json(const struct invocation *invocation,
                     struct buf *text); /* one object, without LF */

#endif
