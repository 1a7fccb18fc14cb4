/*
 * policy.h: what stands around the calls of a fitting: breaker, rate, bulkhead, retry budget.
 *
 * One struct policy serves all functions that are opened with it (the stages of a chain, say): they
 * share its window of results, its rate and its slots, and by name other processes do too
 * (lib/state). It decides; who has to wait, and for how long, is kept by each function's gate
 * (gate.h). Functions without a policy pay nothing for it.
 */
#ifndef FIT_FN_POLICY_H
#define FIT_FN_POLICY_H

#include "base/err.h"
#include "pattern/aimd.h"
#include "pattern/breaker.h"
#include "pattern/gcra.h"
#include "state/home.h"
#include "sys/loop.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Calls are given their time of a rate so long before it comes, nanoseconds: waking up late then
 * loses no time of the rate, and no call begins before its time. Calls of one process may so come
 * closer together than the rate says, by what it allows in this time.
 */
#define POLICY_AHEAD   INT64_C(5000000)
#define POLICY_RESERVE 10.0 /* retries a second, over ten seconds, that every budget allows */
enum { POLICY_AHEAD_CALLS = 1024 }; /* calls that may wait for that; a faster rate is not reached */

struct policy_settings { /* zeroed: none of them */
    /* breaker */
    const char *breaker;           /* its name; NULL: none */
    struct breaker_choice judging; /* what is written to its settings */
    bool hold;                     /* calls wait while it is open; else they fail */
    /* throttle */
    struct gcra_limit rate; /* count 0: none */
    const char *rate_name;  /* NULL: of this process */
    double min_rate;        /* tokens a second that an adaptive rate may fall to; 0: it is fixed */
    bool rate_bytes;        /* a call costs the bytes of its line, not one */
    bool rate_keyed;        /* each key has its own */
    bool rate_refuses;      /* what comes too early fails; else it waits */
    /* bulkhead */
    unsigned slots;         /* calls at once; 0: no bulkhead */
    const char *slots_name; /* NULL: of this process */
    bool slots_keyed;       /* each key has so many, in this process */
    bool slots_refuse;      /* what would wait behind too many others fails */
    unsigned waiting; /* how many may wait then; without slots_refuse of one key, 0: any number */
    int64_t wait;     /* the longest wait, nanoseconds; 0: any */
    /* retries */
    bool retries_bounded;
    double retry_fraction; /* retries for each call */
};

struct policy;

/* For what it can tell to people; owner is handed back. May be NULL. */
struct policy_listener {
    void (*warn)(void *owner, const char *text);
    void (*changed)(void *owner); /* the breaker is in another state than when last looked at */
    void *owner;
};

bool policy_is_wanted(const struct policy_settings *settings);
bool policy_needs_home(const struct policy_settings *settings); /* something of it has a name */

/* settings and listener are copied, names kept. home may be NULL if it is not needed. NULL with
 * err. Outlives the functions. */
struct policy *policy_open(const struct policy_settings *settings, struct home *home,
                           struct loop *loop, const struct policy_listener *listener,
                           struct err *err);
void policy_free(struct policy *policy); /* NULL is a no-op */

/* The breaker, to be looked at; NULL: none. */
struct shared_breaker *policy_breaker(struct policy *policy);

/* The bell that is rung when a breaker of that name has changed: for who waits while it is open. */
#define POLICY_BREAKER_BELL "breaker-bell"

#endif
