/*
 * source.h: where events come from, and who is told how they ended.
 *
 * A source hands out events one by one and learns each outcome once results and dead letters are
 * written. Lines of a descriptor are one source; a queue's leases, a topic's position, a poll's
 * cursor and a clock's ticks are others.
 */
#ifndef FIT_ENGINE_SOURCE_H
#define FIT_ENGINE_SOURCE_H

#include "base/block.h"
#include "base/err.h"
#include "sys/loop.h"

#include <stdbool.h>
#include <stdint.h>

enum source_status {
    SOURCE_EVENT,     /* *event is filled */
    SOURCE_TOO_LARGE, /* an event over the limit was skipped: bytes are its head, length the whole
                       */
    SOURCE_LATER,     /* nothing now: ready will be called */
    SOURCE_END,       /* no more */
    SOURCE_FAILED,    /* reading failed, err says why; nothing more will come */
};

enum source_outcome {
    SOURCE_DONE,     /* results are written */
    SOURCE_DEAD,     /* its dead letter is written */
    SOURCE_DROPPED,  /* dropped as asked */
    SOURCE_RELEASED, /* not finished (interrupted, or the reader of the results went away): hand it
                        out again if possible */
};

struct source_event {
    struct slice bytes; /* a reference for the taker; not yet validated */
    uint64_t number;    /* line number, or another ordinal for messages */
    uint64_t length;    /* of the whole event */
    uint64_t token;     /* handed back with the outcome */
};

struct source {
    const char *name; /* "stdin", for messages */
    bool releases; /* outcomes SOURCE_RELEASED can be handed out again; else the engine makes them
                      dead or dropped */
    /* Set by the engine before the first next: call it when something may have come after
     * SOURCE_LATER. */
    void (*ready)(void *owner);
    void *owner;

    enum source_status (*next)(struct source *source, struct source_event *event, struct err *err);
    void (*outcome)(struct source *source, uint64_t token,
                    enum source_outcome outcome); /* NULL: does not matter */
    void (*stop)(struct source *source);          /* no more next: stop reading */
    void (*free)(struct source *source);
    /* Optional, for progress: bytes read and in all (0: unknown). */
    void (*extent)(struct source *source, uint64_t *read, uint64_t *all);
};

/*
 * Lines of a descriptor (not closed at the end), decompressed if they are zstd. name is kept. Never
 * switches the descriptor to non-blocking for others, and reads no more than it needs to.
 */
struct source *source_lines(struct loop *loop, int fd, const char *name, size_t max_event,
                            struct err *err);

/* All that a source of lines (taken over) gives, as one event, which may be pretty-printed. More
 * than limit bytes are too large. */
struct source *source_document(struct source *lines, size_t limit);

/* The same event, given as bytes (the reference is taken), so many times. */
struct source *source_repeat(struct slice event, uint64_t times);

#endif
