/*
 * warm_slots.h: the requests that a client of a warm pool has under way. Internal to lib/fn: for
 * warm.c.
 *
 * A request has a slot until it is answered, and a number that finds the slot again. As many as
 * there are jobs count as made at once. While answers come quickly, and all workers of the pool may
 * be used at once anyway, more are sent ahead: they wait in the pool, as those of a line worker
 * wait in its pipe. The oldest of them counts as soon as there is room; only then does its time
 * begin, and whoever loses them before gives them back as if they had not been sent.
 */
#ifndef FIT_FN_WARM_SLOTS_H
#define FIT_FN_WARM_SLOTS_H

#include "fn/kind.h"
#include "fn/warm_wire.h"

enum {
    WARM_SLOT_BITS = 16, /* of a request's number: the rest tells the calls of a slot apart */
    WARM_AHEAD_BYTES = 256 * 1024, /* of events that are sent ahead; then no further one is */
};
/* How much time what is sent ahead takes to be answered, nanoseconds: a run that is interrupted has
 * to wait for it. */
#define WARM_LEAD INT64_C(100000000)

struct warm_slot {
    struct warm_slots *all;
    struct fn_call *call; /* NULL: free */
    uint64_t id;          /* of its request */
    size_t bytes;         /* of its event */
    bool ahead;           /* it does not count yet */
    struct loop_timer late;
    struct warm_slot *next, *prev; /* free, or ahead */
};

struct warm_slots {
    /* Set by the owner. */
    struct fn *fn;
    uint64_t most;    /* calls at once that the pool does not refuse, if it has no other clients */
    uint64_t workers; /* that it has at most; 0: not known */
    /* To be read. */
    struct warm_slot *slots;
    unsigned made; /* of them; those behind it were never used */
    unsigned busy;
    /* Private. */
    void (*late)(struct loop_timer *timer);
    struct warm_slot *free;
    struct {
        struct warm_slot *first, *last;
    } ahead;
    unsigned ahead_count;
    size_t ahead_bytes;
    uint64_t asked;
    int64_t each;       /* nanoseconds from answer to answer, of late; 0: there was none */
    int64_t last_heard; /* loop_now of the last answer, or when the first was sent */
};

/* late: the time of a request is over. It is the owner's timer to set, and cleared here. */
void warm_slots_init(struct warm_slots *all, struct fn *fn, void (*late)(struct loop_timer *timer));
void warm_slots_free(struct warm_slots *all);

bool warm_slots_has_room(const struct warm_slots *all);
struct warm_slot *warm_slots_take(struct warm_slots *all, struct fn_call *call);
struct fn_call *warm_slots_give_back(struct warm_slot *slot);

/* The slot of a request; NULL: nobody asks it any more. */
struct warm_slot *warm_slots_find(struct warm_slots *all, uint64_t id);

/* The oldest that was sent ahead counts from now on. NULL: there is none, or no room. */
struct warm_slot *warm_slots_advance(struct warm_slots *all);

/* So many answers have come. */
void warm_slots_heard(struct warm_slots *all, unsigned answers);

#endif
