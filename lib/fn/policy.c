/* policy.c: what stands around the calls of a fitting: opened, asked, told. */
#include "fn/policy.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "fn/policing.h"
#include "pattern/retry.h"
#include "state/bell.h"
#include "state/shared_breaker.h"
#include "state/shared_rate.h"
#include "state/shared_slots.h"

#include <stdlib.h>
#include <sysexits.h>

enum { EXECLINE_PERMANENT = 100 };

/* Of a rate that moves: so many tokens in a thousand seconds keep it exact to a thousandth. */
static const double ADAPTIVE_SECONDS = 1000;

struct policy {
    struct policy_settings settings;
    struct policy_listener listener;
    struct loop *loop;
    struct shared_breaker *breaker;
    struct bell *bell; /* rung when the breaker has changed; NULL: it has no name */
    uint64_t generation;
    struct shared_rate *rate;
    struct aimd_bounds bounds;
    struct shared_slots *slots;
    bool slots_wanted;
    struct retry_budget budget;
    struct policy_waiter *waiters;
    struct loop_task wake;
};

bool policy_is_wanted(const struct policy_settings *settings)
{
    return settings->breaker || settings->rate.count || settings->slots ||
           settings->retries_bounded;
}

bool policy_needs_home(const struct policy_settings *settings)
{
    return settings->breaker || settings->rate_name || settings->slots_name;
}

/* ---- who waits ---- */

static void wake_all(struct loop_task *task)
{
    struct policy *policy = CONTAINER_OF(task, struct policy, wake);
    struct policy_waiter *next;
    for (struct policy_waiter *waiter = policy->waiters; waiter; waiter = next) {
        next = waiter->next;
        waiter->wake(waiter);
    }
}

static void something_changed(void *owner)
{
    struct policy *policy = owner;
    loop_defer(policy->loop, &policy->wake);
}

void policy_join(struct policy *policy, struct policy_waiter *waiter)
{
    waiter->next = policy->waiters;
    policy->waiters = waiter;
}

void policy_leave(struct policy *policy, struct policy_waiter *waiter)
{
    struct policy_waiter **link = &policy->waiters;
    while (*link != waiter)
        link = &(*link)->next;
    *link = waiter->next;
    policy_want_no_slot(policy, waiter);
}

const struct policy_settings *policy_settings(const struct policy *policy)
{
    return &policy->settings;
}

/* ---- opening ---- */

static void warn_of_reset(struct policy *policy, bool reset, const char *kind, const char *name)
{
    struct buf text = {0};
    if (!reset || !policy->listener.warn)
        return;
    buf_addf(&text, "the state of the %s %s was damaged: it begins anew", kind, name);
    policy->listener.warn(policy->listener.owner, buf_cstr(&text));
    buf_free(&text);
}

static int open_breaker(struct policy *policy, struct home *home, struct err *err)
{
    const struct policy_settings *settings = &policy->settings;
    bool reset = false;
    if (home_check_name(settings->breaker, err) < 0)
        return -1;
    policy->breaker =
        shared_breaker_open(home, str_of(settings->breaker), &settings->judging, &reset, err);
    if (!policy->breaker)
        return -1;
    warn_of_reset(policy, reset, "breaker", settings->breaker);
    policy->bell = bell_open(home, POLICY_BREAKER_BELL, str_of(settings->breaker));
    return settings->hold ? bell_listen(policy->bell, policy->loop, something_changed, policy, err)
                          : 0;
}

static int open_rate(struct policy *policy, struct home *home, struct err *err)
{
    const struct policy_settings *settings = &policy->settings;
    const char *name = settings->rate_name;
    bool reset = false;
    if (name && home_check_name(name, err) < 0)
        return -1;
    double most = (double)settings->rate.count * 1e9 / (double)settings->rate.period;
    policy->bounds = (struct aimd_bounds){.min = settings->min_rate, .max = most};
    policy->rate = shared_rate_open(name ? home : NULL, str_of(name ? name : "own"), &reset, err);
    if (policy->rate)
        warn_of_reset(policy, reset, "rate", name);
    return policy->rate ? 0 : -1;
}

static int open_slots(struct policy *policy, struct home *home, struct err *err)
{
    const struct policy_settings *settings = &policy->settings;
    const char *name = settings->slots_name;
    bool reset = false;
    if (name && home_check_name(name, err) < 0)
        return -1;
    policy->slots =
        shared_slots_open(name ? home : NULL, str_of(name ? name : "own"), settings->slots,
                          policy->loop, something_changed, policy, &reset, err);
    if (policy->slots)
        warn_of_reset(policy, reset, "bulkhead", name);
    return policy->slots ? 0 : -1;
}

struct policy *policy_open(const struct policy_settings *settings, struct home *home,
                           struct loop *loop, const struct policy_listener *listener,
                           struct err *err)
{
    struct policy *policy = mem_zalloc(sizeof *policy);
    policy->settings = *settings;
    policy->loop = loop;
    policy->wake.run = wake_all;
    if (listener)
        policy->listener = *listener;
    if (settings->breaker && open_breaker(policy, home, err) < 0)
        goto fail;
    if (settings->rate.count && open_rate(policy, home, err) < 0)
        goto fail;
    if (settings->slots && !settings->slots_keyed && open_slots(policy, home, err) < 0)
        goto fail;
    return policy;

fail:
    policy_free(policy);
    return NULL;
}

void policy_free(struct policy *policy)
{
    if (!policy)
        return;
    loop_undefer(policy->loop, &policy->wake);
    bell_free(policy->bell);
    shared_breaker_free(policy->breaker);
    shared_rate_free(policy->rate);
    shared_slots_free(policy->slots);
    free(policy);
}

struct shared_breaker *policy_breaker(struct policy *policy)
{
    return policy->breaker;
}

/* ---- breaker ---- */

static void look_at(struct policy *policy, uint64_t generation)
{
    if (generation == policy->generation)
        return;
    policy->generation = generation;
    if (policy->listener.changed)
        policy->listener.changed(policy->listener.owner);
}

bool policy_is_closed(struct policy *policy, int64_t *chance)
{
    if (!policy->breaker)
        return true;
    int64_t now = loop_now(policy->loop);
    *chance = shared_breaker_next_chance(policy->breaker, now);
    if (*chance <= now)
        return true;
    if (policy->settings.hold)
        return false;
    struct breaker_ticket ticket; /* so that it counts as a refusal */
    if (!policy_admit(policy, &ticket))
        return false;
    policy_release(policy, &ticket);
    return true;
}

bool policy_admit(struct policy *policy, struct breaker_ticket *ticket)
{
    bool admitted = shared_breaker_admit(policy->breaker, loop_now(policy->loop), ticket);
    look_at(policy, ticket->generation);
    return admitted;
}

/* What says nothing about the function that was called is ignored. */
static enum breaker_outcome outcome_of(const struct failure *failure)
{
    if (!failure)
        return BREAKER_SUCCESS;
    switch (failure->reason) {
    case FAILURE_BAD_EVENT:
    case FAILURE_HALTED:
    case FAILURE_INTERRUPTED:
    case FAILURE_NOT_NEEDED:
        return BREAKER_IGNORED;
    case FAILURE_EXIT:
        return failure->exit == EX_DATAERR || failure->exit == EXECLINE_PERMANENT ? BREAKER_IGNORED
                                                                                  : BREAKER_FAILURE;
    case FAILURE_WRITE: /* for good: of a sink; else of a temporary file of ours */
        return failure->class == FAILURE_PERMANENT ? BREAKER_FAILURE : BREAKER_IGNORED;
    case FAILURE_SPAWN: /* for now: this machine is short of something */
        return failure->class == FAILURE_TEMPORARY ? BREAKER_IGNORED : BREAKER_FAILURE;
    case FAILURE_HTTP:
        return failure->class == FAILURE_PERMANENT ? BREAKER_IGNORED : BREAKER_FAILURE;
    default:
        return BREAKER_FAILURE;
    }
}

static void adapt_rate(struct policy *policy, enum breaker_outcome outcome,
                       const struct failure *failure)
{
    if (policy->settings.min_rate <= 0 || outcome == BREAKER_IGNORED)
        return;
    int64_t now = loop_now(policy->loop);
    if (failure)
        shared_rate_failure(policy->rate, &policy->bounds, now, failure->retry_after);
    else
        shared_rate_success(policy->rate, &policy->bounds, now);
}

void policy_record(struct policy *policy, const struct breaker_ticket *ticket,
                   const struct failure *failure, int64_t duration)
{
    enum breaker_outcome outcome = outcome_of(failure);
    adapt_rate(policy, outcome, failure);
    if (!policy->breaker)
        return;
    if (!shared_breaker_record(policy->breaker, ticket, outcome, duration, loop_now(policy->loop)))
        return;
    struct err err; /* who misses the ring looks again by itself (gate.c) */
    bell_ring(policy->bell, &err);
    something_changed(policy);
    if (policy->listener.changed)
        policy->listener.changed(policy->listener.owner);
}

void policy_release(struct policy *policy, const struct breaker_ticket *ticket)
{
    if (policy->breaker)
        shared_breaker_release(policy->breaker, ticket);
}

/* ---- throttle ---- */

static struct gcra_limit limit_now(struct policy *policy, int64_t now)
{
    struct gcra_limit limit = policy->settings.rate;
    if (policy->settings.min_rate <= 0)
        return limit;
    double level = shared_rate_level(policy->rate, &policy->bounds, now);
    double count = level * ADAPTIVE_SECONDS;
    limit.count = count > 1 ? (uint64_t)count : 1;
    limit.period = (int64_t)ADAPTIVE_SECONDS * NUM_SECOND;
    return limit;
}

uint64_t policy_cost(const struct policy *policy, size_t event_bytes)
{
    return policy->settings.rate_bytes ? event_bytes + 1 : 1;
}

bool policy_reserve(struct policy *policy, uint64_t key, uint64_t tokens, int64_t *at)
{
    int64_t now = loop_now(policy->loop);
    struct gcra_limit limit = limit_now(policy, now);
    if (shared_rate_reserve(policy->rate, key, &limit, now, tokens, POLICY_AHEAD, at))
        return true;
    *at -= POLICY_AHEAD;
    return false;
}

bool policy_take_rate(struct policy *policy, uint64_t key, uint64_t tokens)
{
    int64_t now = loop_now(policy->loop);
    struct gcra_limit limit = limit_now(policy, now);
    return !shared_rate_take(policy->rate, key, &limit, now, tokens).limited;
}

unsigned policy_calls_ahead(const struct policy *policy)
{
    const struct gcra_limit *rate = &policy->settings.rate;
    if (!rate->count)
        return 0;
    double calls = (double)rate->count * (double)POLICY_AHEAD / (double)rate->period;
    return calls < POLICY_AHEAD_CALLS ? (unsigned)calls : POLICY_AHEAD_CALLS;
}

/* ---- bulkhead ---- */

static void want_slots(struct policy *policy, bool on)
{
    struct err err;
    if (policy->slots_wanted == on)
        return;
    policy->slots_wanted = on;
    if (shared_slots_wait(policy->slots, on, &err) < 0 && policy->listener.warn)
        policy->listener.warn(policy->listener.owner, err.text);
}

int policy_take_slot(struct policy *policy, struct policy_waiter *waiter)
{
    int slot = shared_slots_take(policy->slots);
    if (slot < 0) {
        waiter->wants_slot = true;
        want_slots(policy, true);
        slot = shared_slots_take(policy->slots); /* given back before we listened */
    }
    return slot;
}

void policy_give_slot(struct policy *policy, int slot)
{
    shared_slots_give(policy->slots, slot);
    if (policy->slots_wanted)
        something_changed(policy);
}

void policy_want_no_slot(struct policy *policy, struct policy_waiter *waiter)
{
    if (!waiter->wants_slot)
        return;
    waiter->wants_slot = false;
    for (const struct policy_waiter *other = policy->waiters; other; other = other->next) {
        if (other->wants_slot)
            return;
    }
    want_slots(policy, false);
}

/* ---- retries ---- */

static struct retry_allowance allowance(const struct policy *policy)
{
    return (struct retry_allowance){.fraction = policy->settings.retry_fraction,
                                    .per_second = POLICY_RESERVE};
}

void policy_called(struct policy *policy)
{
    struct retry_allowance allowed = allowance(policy);
    if (policy->settings.retries_bounded)
        retry_budget_deposit(&policy->budget, &allowed, loop_now(policy->loop));
}

bool policy_may_retry(struct policy *policy)
{
    struct retry_allowance allowed = allowance(policy);
    return !policy->settings.retries_bounded ||
           retry_budget_take(&policy->budget, &allowed, loop_now(policy->loop));
}

/* ---- why not ---- */

struct failure *policy_breaker_failure(const struct policy *policy)
{
    return failure_new(FAILURE_BREAKER_OPEN, FAILURE_PERMANENT, "the breaker %s is open",
                       policy->settings.breaker);
}

struct failure *policy_rate_failure(const struct policy *policy)
{
    const char *name = policy->settings.rate_name;
    return failure_new(FAILURE_THROTTLED, FAILURE_TEMPORARY, "over the rate%s%s", name ? " " : "",
                       name ? name : "");
}

struct failure *policy_slots_failure(const struct policy *policy, bool waited)
{
    const struct policy_settings *settings = &policy->settings;
    const char *name = settings->slots_name;
    struct buf text = {0};
    char after[NUM_TEXT];
    buf_addf(&text, "%s%s: ", name ? "the bulkhead " : "the bulkhead", name ? name : "");
    if (waited)
        buf_addf(&text, "no slot was free within %s", num_format_duration(settings->wait, after));
    else
        buf_addf(&text, "all slots are taken, and %u calls wait", settings->waiting);
    struct failure *failure =
        failure_new(FAILURE_BULKHEAD_FULL, FAILURE_TEMPORARY, "%s", buf_cstr(&text));
    buf_free(&text);
    return failure;
}
