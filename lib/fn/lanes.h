/*
 * lanes.h: calls that wait in order, in a lane for each key. Internal to lib/fn.
 *
 * A lane exists while it has calls, or calls that have left it and have not ended. It is due when
 * it should be looked at, starved while its first call waits for a slot of the function. gate.c
 * decides what happens to the calls; nothing here knows of policies.
 */
#ifndef FIT_FN_LANES_H
#define FIT_FN_LANES_H

#include "fn/kind.h"

enum { LANES_BUCKETS = 1024 }; /* for lanes with keys; more keys at once share them */

struct lanes;

struct lane {
    struct lanes *lanes;
    uint64_t key;
    struct fn_list calls;
    struct fn_call *fresh; /* the first whose time is not reserved; NULL: none */
    unsigned within;       /* calls that have left it and have not ended */
    bool due, starved;     /* on which list it is */
    struct lane *next, *prev;
    struct lane *next_of_bucket;
    struct loop_timer timer;
};

struct lane_list {
    struct lane *first, *last;
};

struct lanes {
    struct loop *loop;
    void (*fire)(struct loop_timer *timer); /* of a lane */
    bool keyed;
    struct lane **buckets;
    struct lane_list due, starved;
    unsigned limit;  /* calls of a lane beyond which it is full; 0: any number */
    unsigned full;   /* lanes that are */
    unsigned queued; /* calls in lanes */
};

void lanes_init(struct lanes *lanes, struct loop *loop, bool keyed, unsigned limit,
                void (*fire)(struct loop_timer *timer));
void lanes_free(struct lanes *lanes); /* no call is in them */

/* The lane of a key, made if need be; without keys there is only one. */
struct lane *lanes_find(struct lanes *lanes, uint64_t key);
void lanes_make_all_due(struct lanes *lanes);
/* The first lane that is due, which it is then no more; NULL: none. */
struct lane *lanes_next_due(struct lanes *lanes);
/* Some call that waits, taken off; NULL: none. */
struct fn_call *lanes_pull(struct lanes *lanes);

void lane_append(struct lane *lane, struct fn_call *call);
void lane_remove(struct lane *lane, struct fn_call *call);
void lane_make_due(struct lane *lane);
void lane_starve(struct lane *lane);
/* Forget it if it has nothing; only for who has just got it from lanes_next_due. */
void lane_forget_if_idle(struct lane *lane);

#endif
