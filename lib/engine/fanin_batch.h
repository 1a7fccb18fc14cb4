/*
 * fanin_batch.h: groups that were taken together, until each of them has ended.
 *
 * For source_fanin.c, which knows when to take and what became of an event. Here is what goes to
 * the store about them, and what is known of lines that were written by those who held them before
 * (written.h). One batch at a time is worked on: its groups are handed out, and told of, in the
 * order of their closing; the ends of the last one may still be on their way then.
 */
#ifndef FIT_ENGINE_FANIN_BATCH_H
#define FIT_ENGINE_FANIN_BATCH_H

#include "base/buf.h"
#include "engine/written.h"
#include "engine/written_past.h"
#include "state/fanin.h"

struct fanin_held {       /* a group that was taken */
    struct fanin_end end; /* first; given_back and remember are the owner's to set */
    struct fanin_batch *batch;
    const struct fanin_group *group;
    size_t written;    /* bytes of its lines that this process writes */
    struct buf letter; /* kept with its end, if there is one */
    struct buf note;
};

struct fanin_batch {
    struct fanin_batches *all;
    struct fanin_take take; /* its answer */
    struct fanin_held *held;
    struct written_past *past;   /* NULL: nobody held them before */
    unsigned handed, told, open; /* handed out; told of; not yet ended */
    bool interrupted;            /* those that were open closed because of that */
    struct buf note;
};

struct fanin_batches {
    /* Set by the owner. */
    struct store *store;
    struct str name;
    const char *label; /* for messages */
    uint64_t most;     /* as in fanin_end */
    bool hasty;        /* nobody will come later: ends are committed at once */
    struct written *written;
    void (*progress)(void *owner); /* what was on its way has ended */
    void (*fail)(void *owner, const struct err *err);
    void *owner;
    /* To be read. */
    struct fanin_batch *current; /* with groups that were not told of; or NULL */
    size_t ending;               /* ends on their way */
    /* Private. */
    struct fanin_batch *over; /* of which nothing is left */
    struct loop_task sweep;
    bool lost; /* a group was, and it was said */
};

/* Forget all. Operations that are on their way are ended first. written is freed. */
void fanin_batches_free(struct fanin_batches *all);

/* One whose take is to be asked for, with the note of this process; and freed without it. */
struct fanin_batch *fanin_batch_new(struct fanin_batches *all);
void fanin_batch_free(struct fanin_batch *batch);

/* Its take has given groups: it becomes the current one. */
void fanin_batch_begin(struct fanin_batch *batch);

/* Of the current one: is there a group that was not handed out? */
bool fanin_batches_has(const struct fanin_batches *all);
struct fanin_held *fanin_batches_hand_out(struct fanin_batches *all);
/* Those that were not handed out go back. */
void fanin_batches_give_back(struct fanin_batches *all);

/* What became of it is in held->end: tell the store. In the order in which they were handed out. */
void fanin_held_end(struct fanin_held *held);

/* What of its lines is still to be written; sets held->written. */
struct str fanin_held_rest(struct fanin_held *held, struct str lines);

/* A failed operation, named and told to the owner. */
void fanin_batches_fail(struct fanin_batches *all, const struct store_op *op, const char *what);

#endif
