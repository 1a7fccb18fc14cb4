/*
 * shared_rate.h: a rate (pattern/gcra.h) shared by name between processes: its sum is held.
 *
 * Beside the bucket of the name itself there is one for each key (hash_64 of its bytes, never 0),
 * in a table of RATE_KEYS places. A bucket whose time has passed is as good as none, so its place
 * is taken by another key; when all places that a key may have are in debt, it shares the one with
 * the least: it is then limited too much rather than too little. If the table cannot be made (a
 * full disk), each process has its own.
 */
#ifndef FIT_STATE_SHARED_RATE_H
#define FIT_STATE_SHARED_RATE_H

#include "pattern/aimd.h"
#include "pattern/gcra.h"
#include "state/cell.h"
#include "state/home.h"

enum {
    RATE_KEYS = 65536, /* buckets of keys: 2 MiB or so, in a file made for the first key */
    RATE_WAYS = 8,     /* places that one key may have */
};

struct shared_rate;

/* home NULL: private. NULL with err. */
struct shared_rate *shared_rate_open(struct home *home, struct str name, bool *reset,
                                     struct err *err);
void shared_rate_free(struct shared_rate *shared); /* NULL is a no-op */

/* As gcra_take, gcra_look and gcra_reserve. key 0: the bucket of the name. */
struct gcra_answer shared_rate_take(struct shared_rate *shared, uint64_t key,
                                    const struct gcra_limit *limit, int64_t now, uint64_t tokens);
struct gcra_answer shared_rate_look(struct shared_rate *shared, uint64_t key,
                                    const struct gcra_limit *limit, int64_t now, uint64_t tokens);
bool shared_rate_reserve(struct shared_rate *shared, uint64_t key, const struct gcra_limit *limit,
                         int64_t now, uint64_t tokens, int64_t ahead, int64_t *at);

/* The adaptive rate of the name, tokens a second; told of outcomes. */
double shared_rate_level(struct shared_rate *shared, const struct aimd_bounds *bounds, int64_t now);
void shared_rate_success(struct shared_rate *shared, const struct aimd_bounds *bounds, int64_t now);
void shared_rate_failure(struct shared_rate *shared, const struct aimd_bounds *bounds, int64_t now,
                         int64_t retry_after); /* 0: none was said */

int shared_rate_list(struct home *home, void (*each)(void *owner, struct str name), void *owner,
                     struct err *err);

#endif
