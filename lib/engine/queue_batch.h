/*
 * queue_batch.h: messages that were leased together, until each of them has ended.
 *
 * For source_queue.c, which knows when to lease and what became of an event. Here is what goes to
 * the store about it: acks, nacks and letters, and the extensions of leases that still have
 * messages. A batch is forgotten in a later turn than its last end, so that it can be walked over
 * while operations end.
 */
#ifndef FIT_ENGINE_QUEUE_BATCH_H
#define FIT_ENGINE_QUEUE_BATCH_H

#include "fn/failure.h"
#include "state/queue.h"

struct queue_held {       /* a message that is leased */
    struct queue_end end; /* first; its delay and uncounted are the owner's to set */
    struct queue_batch *batch;
    const struct queue_message *message;
    struct buf text; /* of the end: why it failed, or its letter */
    struct slice answer;
    uint64_t results; /* in it */
    bool has_letter;
    bool judged; /* the end has been chosen */
};

struct queue_batch {
    struct queue_batch *next, *prev;
    struct queue_batches *all;
    struct queue_lease lease; /* its answer */
    struct queue_extend extend;
    bool extending, asked_ahead;
    struct queue_held *held;
    unsigned handed, told, open; /* given to the engine; worked on; not yet ended */
    int64_t leased_at;           /* loop_now */
};

struct queue_batches {
    /* Set by the owner. */
    struct store *store;
    struct str queue;
    const char *name; /* for messages */
    int64_t visibility;
    void (*progress)(void *owner); /* operations have ended, or batches have gone */
    void (*fail)(void *owner, const struct err *err);
    void *owner;
    bool hasty; /* nobody will come later: ends are committed at once */
    /* To be read. */
    struct queue_batch *first, *last; /* with messages that have not ended */
    size_t ending;                    /* ends and extensions on their way */
    size_t left;                      /* messages whose end has not been asked for */
    /* Private. */
    struct queue_batch *current; /* whose messages are handed out */
    struct loop_timer extend;
    struct loop_task sweep;
    bool lost; /* a lease was, and it was said */
};

/* Forget all. Operations that are on their way are ended first. */
void queue_batches_free(struct queue_batches *all);

/* A batch whose lease has given messages; taken over. */
void queue_batches_take(struct queue_batches *all, struct queue_batch *batch);

/* The batch whose messages are next, or NULL. */
struct queue_batch *queue_batches_current(struct queue_batches *all);
struct queue_held *queue_batch_hand_out(struct queue_batch *batch);

/* What has not been handed out goes back, as if it had not been received. */
void queue_batches_give_back(struct queue_batches *all);

/* Results for who asks; takes over the reference. Beyond STORE_VALUE_MAX they fail the message. */
void queue_held_answer_take(struct queue_held *held, struct slice lines, size_t count);
void queue_held_refuse(struct queue_held *held, const struct failure *failure);

/* QUEUE_ACK, QUEUE_NACK or QUEUE_BURY, with text. */
void queue_held_end(struct queue_held *held, enum queue_verb verb);

/* A failed operation, named and told to the owner. */
void queue_batches_fail(struct queue_batches *all, const struct store_op *op, const char *what);

#endif
