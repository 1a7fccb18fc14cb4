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
#include "base/buf.h"
#include "base/err.h"
#include "fn/failure.h"
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
    const char *origin; /* the input it is a line of; valid till the outcome; NULL: name */
    uint64_t length;    /* of the whole event */
    uint64_t token;     /* handed back with the outcome */
    uint64_t part;      /* it is such a part of one, from 1, that is redriven; else 0 */
    uint64_t parts;     /* of how many */
    const char *failed; /* redriven: the function that failed; valid till the outcome; or NULL */
    bool asks;          /* its results and its failure are for the source (answer, refuse) */
    bool made; /* the source has made it of others, or it is none of them for another reason: it is
                  counted apart, as one of source.makes */
};

struct source {
    const char *name;  /* "stdin", for messages */
    const char *makes; /* what it hands out beside events, "groups"; NULL: nothing */
    /* It can hand out SOURCE_RELEASED events again. Of others an event that was interrupted, or
     * whose results could not be written, is dead or dropped. */
    bool releases;
    /* After stop, next is still called: it has to give back what it has made of events that count
     * as done. */
    bool drains;
    /* What it hands out comes with time, or when others do something: it has no other end. Then the
     * fitting ends when nobody reads its results any more, also before there is one. */
    bool waits;
    /* Set by the engine before the first next. Call ready when something may have come after
     * SOURCE_LATER, and when busy has become false; fail when the outcomes of events can no longer
     * be kept, or no events be had: the engine says so and ends. */
    void (*ready)(void *owner);
    void (*fail)(void *owner, const struct err *err);
    void *owner;

    enum source_status (*next)(struct source *source, struct source_event *event, struct err *err);
    void (*outcome)(struct source *source, uint64_t token,
                    enum source_outcome outcome); /* NULL: does not matter */
    void (*stop)(struct source *source);          /* no more next: stop reading */
    void (*free)(struct source *source);
    /* Optional, for progress: bytes up to the last event handed out, and in all (0: unknown). */
    void (*extent)(struct source *source, uint64_t *read, uint64_t *all);

    /* Optional. After stop, or the end, outcomes are still being kept: the engine waits. */
    bool (*busy)(struct source *source);
    /* Optional. The event has failed so: will it be handed out again? Then it gets no letter, and
     * its outcome will be SOURCE_RELEASED. */
    bool (*keeps)(struct source *source, uint64_t token, const struct failure *failure);
    /* Optional. Append members to its letter (",\"queue\":..."). */
    void (*describe)(struct source *source, uint64_t token, struct buf *members);
    /* Optional. Take its letter (a line without LF), to be kept together with its outcome. False:
     * the letter goes where letters go. Not asked with --dead. */
    bool (*bury)(struct source *source, uint64_t token, struct str letter);
    /* Of events that ask, whose results are not printed, and which have no letters. Take count of
     * its results (the reference too), and why it has failed; both before its outcome, and of no
     * account when that is SOURCE_RELEASED. */
    void (*answer)(struct source *source, uint64_t token, struct slice lines, size_t count);
    void (*refuse)(struct source *source, uint64_t token, const struct failure *failure);
    /* Optional. Take events from there (taken over) and not from its own input: dead letters are
     * redriven. Without it they take the place of the source. */
    void (*feed)(struct source *source, struct source *letters);
    /* Optional. Set the identity of an event that has none of its own, instead of a hash. */
    void (*identify)(struct source *source, uint64_t token, struct buf *id);
};

/*
 * Lines of a descriptor (not closed at the end), decompressed if they are zstd. name is kept. Never
 * switches the descriptor to non-blocking for others, and reads no more than it needs to.
 */
struct source *source_lines(struct loop *loop, int fd, const char *name, size_t max_event,
                            struct err *err);

/*
 * The same of a descriptor that was opened non-blocking for this source, which closes it. A FIFO
 * has not ended before a writer has come.
 */
struct source *source_lines_take(struct loop *loop, int fd, const char *name, size_t max_event,
                                 struct err *err);

/* All that a source of lines (taken over) gives, as one event, which may be pretty-printed. More
 * than limit bytes are too large. */
struct source *source_document(struct source *lines, size_t limit);

/* The same event, given as bytes (the reference is taken), so many times. */
struct source *source_repeat(struct slice event, uint64_t times);

#endif
