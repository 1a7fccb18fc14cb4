/*
 * queue.h: durable queues: events wait here until a worker has done them, at least once.
 *
 * A push is on disk when it is done. A lease takes messages, highest priority first and the oldest
 * of them first, and hides them from others; each then ends with an ack (it is gone), a nack (it
 * comes back, at once or later) or in the dead letters. What becomes of a lease whose holder does
 * none of these: its messages come back, to their old place, when its process is gone, when its
 * visibility is over (time of the same boot), or when the machine was started anew. An ended lease
 * changes nothing any more: what is done with its token is STORE_LOST.
 *
 * Of a group only the oldest message may be leased, and those behind it wait until it has ended; a
 * failing or delayed one holds up its group and nothing else. A key for deduplication makes a
 * second push of the same key within the window a success that adds nothing. An expired message is
 * noticed when its turn comes, and goes to the dead letters, as does one that has been received too
 * often by workers who never said what became of it.
 *
 * A push may ask for an answer: it is a request then, and reply.h tells of it. The answer is stored
 * in the commit that ends the message: what the ack brings, or the failure of a message that ends
 * in any other way (buried, expired, received too often, dropped, purged). No letter of it is kept:
 * what becomes of it is for who asked. A request that nobody waits for any more is dropped when its
 * turn comes.
 *
 * The bell "queue" of the name is rung when there may be something to lease, or nothing left to
 * wait for; the bell "room" of the name when a push that was refused as full may be tried again.
 *
 * Costs do not depend on how many messages or queues there are.
 */
#ifndef FIT_STATE_QUEUE_H
#define FIT_STATE_QUEUE_H

#include "base/block.h"
#include "state/cell.h"
#include "state/reply.h"
#include "state/store.h"

enum {
    QUEUE_PRIORITIES = 10,      /* 0 to 9 */
    QUEUE_PRIORITY = 4,         /* of those who give none, as in JMS */
    QUEUE_LEASE_MAX = 4096,     /* messages of one lease; who asks for more gets so many */
    QUEUE_SWEEP = 1024,         /* due, expired or poisoned messages that one lease moves; then it
                                   says `more` */
    QUEUE_CLEAN_STEP = 10000,   /* records that one QUEUE_CLEAN removes; then it says `more` */
    QUEUE_FAILURE = 512,        /* bytes kept of what a nack says; the rest is cut off */
    QUEUE_RECEIVES_MAX = 60000, /* receives are counted so far, and max_receives is at most this */
};
/* A push whose id is repeated within this time is known to be the same: nanoseconds. */
#define QUEUE_ID_WINDOW (INT64_C(600) * 1000000000)

enum queue_verb {
    QUEUE_PUSH,
    QUEUE_LEASE,
    QUEUE_ACK,
    QUEUE_NACK,
    QUEUE_BURY,
    QUEUE_EXTEND,
    QUEUE_SHOW,
    QUEUE_PEEK,
    QUEUE_LIST,
    QUEUE_PURGE,
    QUEUE_DROP,
    QUEUE_CLEAN,
};

struct queue_op { /* first in those below */
    struct store_op op;
    enum queue_verb verb;
    struct str queue; /* its name (home_check_name); borrowed until done */
};

/* ---- pushing ---- */

/* STORE_OK, or STORE_FULL. A queue is made by its first push. */
struct queue_push {
    struct queue_op own;
    struct str event;     /* one JSON value; borrowed until done, as all here */
    struct str group;     /* {NULL, 0}: none */
    struct str dedup;     /* {NULL, 0}: none */
    struct str id;        /* the pusher's own, of this push, to repeat it; {NULL, 0}: none */
    int64_t dedup_window; /* nanoseconds */
    int64_t delay;        /* nanoseconds until it may be leased; 0: now */
    int64_t expire;       /* nanoseconds until it is of no use; 0: never */
    unsigned priority;    /* 0 to 9, the highest first */
    uint64_t max_length;  /* messages that wait, those in flight not counted; 0: any number */
    bool drop_oldest;     /* full: the oldest one that waits makes room */
    bool waits;           /* full: ring the bell "room" when it is not */
    /* Of one that asks for an answer, which has no dedup and no id. */
    struct str reply;       /* the reply set that it is to go to; {NULL, 0}: it does not ask */
    struct hash128 request; /* what it asks (reply.h) */
    cell_holder asker;      /* who will forget it; 0: no process */
    bool again;             /* a failure that is there already is not the answer: ask anew */
    /* The answer. */
    uint64_t seq;               /* the message's number in the queue */
    bool is_duplicate;          /* of the message with that number; nothing was added */
    bool dropped;               /* the oldest was */
    bool is_answered;           /* the answer was there already: */
    struct reply_answer answer; /* the caller's to drop (its lines) */
    uint64_t last;              /* number of the last answer that the reply set had then */
};

/* ---- leasing ---- */

struct queue_message {
    uint64_t seq;
    uint32_t slot;      /* with the lease's token its receipt */
    unsigned receives;  /* this one included */
    int64_t pushed_at;  /* clock_wall */
    struct slice event; /* a LF follows its bytes */
    bool asks;          /* for an answer: */
    struct hash128 request;
};

/* STORE_OK also when nothing was there: then got is 0. STORE_ABSENT: there is no such queue. */
struct queue_lease {
    struct queue_op own;
    unsigned count;        /* at most so many messages */
    size_t bytes;          /* and no further one when they are so long together */
    int64_t visibility;    /* nanoseconds */
    cell_holder holder;    /* 0: no process: it ends by time only */
    unsigned max_receives; /* a message that has been received so often is dead; 0: never */
    bool look;             /* see whether holders are gone */
    /* The answer; queue_lease_clear frees it. */
    uint64_t token;
    struct queue_message *messages;
    unsigned got;
    bool more;             /* there was more to do than one lease does: ask again */
    uint64_t ready;        /* what could still be leased */
    uint64_t in_flight;    /* by anyone, these included */
    int64_t next_due;      /* clock_wall when a delayed one may be leased; 0: there is none */
    int64_t next_deadline; /* clock_now when a lease of anyone may end; 0: there is none */
    cell_holder *holders;  /* with look: who holds leases, without this one's */
    size_t holder_count;
};

/* ---- ending ---- */

/* Of one message of a lease: STORE_OK, or STORE_LOST. */
struct queue_end {
    struct queue_op own; /* QUEUE_ACK, QUEUE_NACK, QUEUE_BURY */
    uint64_t token;
    uint32_t slot;
    int64_t delay;      /* NACK: nanoseconds until it may be leased again */
    bool uncounted;     /* NACK: it was not begun: this receive does not count */
    struct str failure; /* NACK: for the letter, should it be received too often */
    struct str letter;  /* BURY: the dead letter, a line without LF; or, of one that asks, its
                           failure (reply_answer) */
    struct str answer;  /* ACK of one that asks: its results, each with its LF */
    uint64_t results;   /* how many */
};

/* Of a whole lease: it ends so long from now. STORE_OK, or STORE_LOST. */
struct queue_extend {
    struct queue_op own;
    uint64_t token;
    int64_t visibility;
};

/* ---- looking ---- */

struct queue_facts {
    uint64_t ready, in_flight, delayed;
    uint64_t blocked;               /* behind another one of their group */
    uint64_t dead;                  /* letters that are kept */
    uint64_t pushed, done, dropped; /* since it was made; what was answered is done */
    uint64_t answers;               /* that are kept in the reply set of the queue's name */
    double in_rate, out_rate;       /* a second, over about the last minute */
    int64_t oldest;                 /* clock_wall when the oldest message was pushed; 0: none */
};

/* Reads. SHOW: STORE_ABSENT without such a queue. LIST calls each for every queue. */
struct queue_show {
    struct queue_op own; /* QUEUE_SHOW, QUEUE_LIST */
    struct queue_facts facts;
    void (*each)(void *owner, struct str name, const struct queue_facts *facts);
    void *owner;
};

/* Read: what would be leased next, in order, without delayed ones that have become due. */
struct queue_peek {
    struct queue_op own;
    uint64_t count;
    void (*each)(void *owner, const struct queue_message *message, struct str event);
    void *owner;
};

/* ---- removing ---- */

/*
 * PURGE: all messages go, leased ones too. DROP: the queue itself with them, and its name.
 * STORE_ABSENT without such a queue. Both take effect at once; the room is made free by QUEUE_CLEAN
 * (queue is not read), to be asked until it does not say `more`.
 */
struct queue_remove {
    struct queue_op own;
    uint64_t removed; /* messages */
    bool more;
};

/* Zeroed but for the queue and what is asked; each sets up op and submits. done and owner of
 * own.op are the caller's to set. */
void queue_push(struct store *store, struct queue_push *push);
void queue_lease(struct store *store, struct queue_lease *lease);
void queue_end(struct store *store, struct queue_end *end, enum queue_verb verb);
void queue_extend(struct store *store, struct queue_extend *extend);
void queue_show(struct store *store, struct queue_show *show);
void queue_list(struct store *store, struct queue_show *list);
void queue_peek(struct store *store, struct queue_peek *peek);
void queue_remove(struct store *store, struct queue_remove *remove, enum queue_verb verb);

void queue_lease_clear(struct queue_lease *lease); /* drop the answer */

#endif
