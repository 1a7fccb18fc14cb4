/*
 * policing.h: the decisions of a policy, one by one. Internal to lib/fn.
 *
 * gate.c asks them for each call in the order of DESIGN.md 1.4 and keeps who waits. Nothing here
 * waits or knows of queues.
 */
#ifndef FIT_FN_POLICING_H
#define FIT_FN_POLICING_H

#include "fn/failure.h"
#include "fn/policy.h"

/* One who may wait for something of the policy: woken from the loop when that may be there. */
struct policy_waiter {
    void (*wake)(struct policy_waiter *waiter);
    bool wants_slot;
    struct policy_waiter *next;
};

void policy_join(struct policy *policy, struct policy_waiter *waiter);
void policy_leave(struct policy *policy, struct policy_waiter *waiter);

const struct policy_settings *policy_settings(const struct policy *policy);

/* ---- breaker ---- */

/* May calls be made now? False counts as a refusal unless calls are held; *chance is when it may be
 * worth asking again. */
bool policy_is_closed(struct policy *policy, int64_t *chance);
bool policy_admit(struct policy *policy, struct breaker_ticket *ticket);
/* Every ticket ends in one of these. failure NULL: success. */
void policy_record(struct policy *policy, const struct breaker_ticket *ticket,
                   const struct failure *failure, int64_t duration);
void policy_release(struct policy *policy, const struct breaker_ticket *ticket);

/* ---- throttle ---- */

uint64_t policy_cost(const struct policy *policy, size_t event_bytes);
/* Its time has come, or comes within POLICY_AHEAD: *at. Else false, and *at is when to ask again.
 */
bool policy_reserve(struct policy *policy, uint64_t key, uint64_t tokens, int64_t *at);
bool policy_take_rate(struct policy *policy, uint64_t key, uint64_t tokens); /* now or not at all */
unsigned policy_calls_ahead(const struct policy *policy); /* that come within POLICY_AHEAD */

/* ---- bulkhead ---- */

/* The slot, from 0, or -1: none is free, and the waiter will be woken. */
int policy_take_slot(struct policy *policy, struct policy_waiter *waiter);
void policy_give_slot(struct policy *policy, int slot);
void policy_want_no_slot(struct policy *policy, struct policy_waiter *waiter);

/* ---- retries ---- */

void policy_called(struct policy *policy);    /* a call has begun: it earns part of a retry */
bool policy_may_retry(struct policy *policy); /* takes one; false: the budget is spent */

/* ---- why not ---- */

struct failure *policy_breaker_failure(const struct policy *policy);
struct failure *policy_rate_failure(const struct policy *policy);
struct failure *policy_slots_failure(const struct policy *policy, bool waited);

#endif
