/* gate.c: the calls of one function that wait for its policy. */
#include "fn/gate.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "fn/lanes.h"
#include "fn/policing.h"

#include <stdlib.h>

/* How often who is held by an open breaker looks when nothing is known that would change it: the
 * bell tells of what happens, but a prober that is killed rings none. */
#define GATE_HOLD_CHECK NUM_SECOND

/* What a call holds, from the first door to the end of the attempt. */
struct pass {
    struct lane *lane;
    int64_t at;    /* its time, once that is reserved */
    int64_t since; /* when it began to wait for a slot of the bulkhead */
    struct breaker_ticket ticket;
    int slot;    /* of the shared bulkhead; -1: none */
    bool within; /* has left the lane, which counts it */
    bool admitted;
    struct pass *next_free;
};

struct gate {
    struct policy_waiter waiter; /* first */
    struct fn *fn;
    struct policy *policy;
    const struct policy_settings *settings;
    struct lanes lanes;
    bool serving;
    struct loop_task serve;
    struct loop_timer patience; /* the longest wait of the first in fn->waiting, or its hold */
    int64_t held_until;         /* the breaker holds it; 0: not */
    struct pass *free;
};

static struct pass *pass_of(const struct fn_call *call)
{
    return call->pass;
}

static struct loop *loop_of(const struct gate *gate)
{
    return gate->fn->context->loop;
}

/* ---- passes ---- */

static struct pass *new_pass(struct gate *gate, struct lane *lane)
{
    struct pass *pass = gate->free;
    if (pass)
        gate->free = pass->next_free;
    else
        pass = mem_alloc(sizeof *pass);
    *pass = (struct pass){.lane = lane, .since = loop_now(loop_of(gate)), .slot = -1};
    return pass;
}

static void give_slot(struct gate *gate, struct pass *pass)
{
    if (pass->slot >= 0)
        policy_give_slot(gate->policy, pass->slot);
    pass->slot = -1;
}

/* ---- the first door ---- */

static struct gate *gate_of(const struct lane *lane)
{
    return CONTAINER_OF(lane->lanes, struct gate, lanes);
}

static void refuse(struct lane *lane, struct fn_call *call, struct failure *why)
{
    lane_remove(lane, call);
    attempt_refuse(call, why);
}

static bool function_is_free(const struct gate *gate)
{
    return !gate->fn->waiting.count && gate->fn->kind->has_slot(gate->fn);
}

/* Reserve the times of the first calls, as far as they come soon and the function could make them.
 * When to go on with that. */
static int64_t reserve_times(struct lane *lane)
{
    struct gate *gate = gate_of(lane);
    int64_t at;
    uint64_t key = gate->settings->rate_keyed ? lane->key : 0;
    while (lane->fresh && function_is_free(gate)) {
        struct fn_call *call = lane->fresh;
        uint64_t cost = policy_cost(gate->policy, call->event.len);
        if (!policy_reserve(gate->policy, key, cost, &at))
            return at;
        pass_of(call)->at = at;
        lane->fresh = call->next;
    }
    return INT64_MAX;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Is it the call's time? Else *again is when to look. */
static bool rate_lets_pass(struct lane *lane, struct fn_call *call, int64_t *again)
{
    int64_t next = reserve_times(lane);
    if (lane->fresh == call) {
        *again = next;
        if (!function_is_free(gate_of(lane)))
            lane_starve(lane);
        return false;
    }
    int64_t at = pass_of(call)->at;
    *again = earlier(at, next);
    return at <= loop_now(loop_of(gate_of(lane)));
}

static int64_t patience_of(const struct gate *gate, const struct fn_call *call)
{
    return gate->settings->wait ? pass_of(call)->since + gate->settings->wait : INT64_MAX;
}

/* Is a slot of its key free? */
static bool key_lets_pass(struct lane *lane, struct fn_call *call, int64_t *again)
{
    const struct gate *gate = gate_of(lane);
    *again = INT64_MAX;
    if (!gate->settings->slots_keyed || lane->within < gate->settings->slots)
        return true;
    *again = patience_of(gate, call);
    return false;
}

static void let_pass(struct lane *lane, struct fn_call *call)
{
    struct gate *gate = gate_of(lane);
    struct pass *pass = pass_of(call);
    lane_remove(lane, call);
    lane->within++;
    pass->within = true;
    if (gate->settings->rate.count && !gate->settings->slots_keyed)
        pass->since = loop_now(loop_of(gate));
    attempt_ready(gate->fn, call);
}

/* Deal with the first call. True: look at the lane again; else *again says when, if ever. */
static bool serve_first(struct lane *lane, int64_t *again)
{
    struct gate *gate = gate_of(lane);
    const struct policy_settings *settings = gate->settings;
    struct fn_call *call = lane->calls.first;
    if (!policy_is_closed(gate->policy, again)) {
        if (settings->hold) {
            *again = earlier(*again, loop_now(loop_of(gate)) + GATE_HOLD_CHECK);
            return false;
        }
        refuse(lane, call, policy_breaker_failure(gate->policy));
        return true;
    }
    if (!key_lets_pass(lane, call, again)) {
        if (*again > loop_now(loop_of(gate)))
            return false;
        refuse(lane, call, policy_slots_failure(gate->policy, true));
        return true;
    }
    if (settings->rate.count && settings->rate_refuses) {
        uint64_t key = settings->rate_keyed ? lane->key : 0;
        if (!policy_take_rate(gate->policy, key, policy_cost(gate->policy, call->event.len))) {
            refuse(lane, call, policy_rate_failure(gate->policy));
            return true;
        }
    } else if (settings->rate.count && !rate_lets_pass(lane, call, again)) {
        return false;
    }
    let_pass(lane, call);
    return true;
}

/* Who finds as many before it as may wait fails, if that is how it is to be. */
static void thin_out(struct gate *gate, struct lane *lane)
{
    const struct policy_settings *settings = gate->settings;
    struct fn_list *waiting = &gate->fn->waiting;
    if (!settings->slots_refuse)
        return;
    while (settings->slots_keyed && lane->calls.count > settings->waiting)
        refuse(lane, lane->calls.last, policy_slots_failure(gate->policy, false));
    while (!settings->slots_keyed && waiting->count > settings->waiting) {
        struct fn_call *call = waiting->last;
        fn_list_remove(waiting, call);
        attempt_refuse(call, policy_slots_failure(gate->policy, false));
    }
}

/* Serve the lanes that are due, a call of each in turn. What happens meanwhile may make others due:
 * a nested run leaves them to this one. Only here are lanes forgotten. */
static void serve(struct gate *gate)
{
    if (gate->serving)
        return;
    gate->serving = true;
    for (struct lane *lane; (lane = lanes_next_due(&gate->lanes));) {
        int64_t again = INT64_MAX;
        if (lane->calls.count && serve_first(lane, &again))
            lane_make_due(lane);
        else
            thin_out(gate, lane);
        if (again < INT64_MAX && !lane->due)
            loop_timer_set(loop_of(gate), &lane->timer, again);
        lane_forget_if_idle(lane);
    }
    gate->serving = false;
}

static void serve_task(struct loop_task *task)
{
    struct gate *gate = CONTAINER_OF(task, struct gate, serve);
    serve(gate);
    attempt_pump(gate->fn);
}

static void serve_later(struct loop_timer *timer)
{
    struct lane *lane = CONTAINER_OF(timer, struct lane, timer);
    struct gate *gate = gate_of(lane);
    lane_make_due(lane);
    serve_task(&gate->serve);
}

void gate_enter(struct gate *gate, struct fn_call *call)
{
    struct lane *lane = lanes_find(&gate->lanes, call->key);
    call->pass = new_pass(gate, lane);
    lane_append(lane, call);
    lane_make_due(lane);
    serve(gate);
}

void gate_feed(struct gate *gate)
{
    while (gate->lanes.starved.first)
        lane_make_due(gate->lanes.starved.first);
    serve(gate);
}

/* ---- the second door ---- */

enum gate_answer gate_ask(struct gate *gate, struct fn_call *call, struct failure **why)
{
    const struct policy_settings *settings = gate->settings;
    struct pass *pass = pass_of(call);
    gate->held_until = 0;
    if (settings->slots && !settings->slots_keyed && pass->slot < 0) {
        pass->slot = policy_take_slot(gate->policy, &gate->waiter);
        if (pass->slot < 0)
            return GATE_WAIT;
    }
    if (settings->breaker && !policy_admit(gate->policy, &pass->ticket)) {
        give_slot(gate, pass);
        if (!settings->hold) {
            *why = policy_breaker_failure(gate->policy);
            return GATE_REFUSED;
        }
        int64_t chance;
        int64_t now = loop_now(loop_of(gate));
        gate->held_until = now; /* somebody has just ended a probe: ask again at once */
        if (!policy_is_closed(gate->policy, &chance))
            gate->held_until = earlier(chance, now + GATE_HOLD_CHECK);
        return GATE_WAIT;
    }
    pass->admitted = settings->breaker != NULL;
    if (call->attempts == 0)
        policy_called(gate->policy);
    return GATE_PASS;
}

/* Fail what has waited for too long. Those before it in the queue have waited longer. */
static void out_of_patience(struct loop_timer *timer)
{
    struct gate *gate = CONTAINER_OF(timer, struct gate, patience);
    struct fn *fn = gate->fn;
    while (fn->waiting.first && patience_of(gate, fn->waiting.first) <= loop_now(loop_of(gate))) {
        struct fn_call *call = fn->waiting.first;
        fn_list_remove(&fn->waiting, call);
        attempt_refuse(call, policy_slots_failure(gate->policy, true));
    }
    attempt_pump(fn);
}

void gate_watch(struct gate *gate)
{
    const struct fn *fn = gate->fn;
    int64_t at = INT64_MAX;
    if (fn->waiting.first && gate->settings->slots)
        at = patience_of(gate, fn->waiting.first);
    if (fn->waiting.first && gate->held_until)
        at = earlier(at, gate->held_until);
    if (at < INT64_MAX)
        loop_timer_set(loop_of(gate), &gate->patience, at);
    else
        loop_timer_clear(loop_of(gate), &gate->patience);
    if (!fn->waiting.first)
        policy_want_no_slot(gate->policy, &gate->waiter);
}

/* ---- the end of an attempt ---- */

static void release(struct gate *gate, struct pass *pass)
{
    if (pass->admitted)
        policy_release(gate->policy, &pass->ticket);
    pass->admitted = false;
    give_slot(gate, pass);
}

void gate_leave(struct gate *gate, struct fn_call *call)
{
    struct pass *pass = pass_of(call);
    struct lane *lane = pass->lane;
    release(gate, pass);
    if (pass->within) {
        lane->within--;
        if (gate->lanes.keyed) {
            lane_make_due(lane);
            loop_defer(loop_of(gate), &gate->serve);
        }
    }
    call->pass = NULL;
    pass->next_free = gate->free;
    gate->free = pass;
}

void gate_end(struct gate *gate, struct fn_call *call, const struct failure *failure)
{
    struct pass *pass = pass_of(call);
    policy_record(gate->policy, &pass->ticket, failure, clock_now() - call->started);
    pass->admitted = false;
    gate_leave(gate, call);
}

void gate_return(struct gate *gate, struct fn_call *call)
{
    release(gate, pass_of(call));
}

/* Its time, if it had one, is not given back: those behind it have theirs. */
bool gate_withdraw(struct gate *gate, struct fn_call *call)
{
    struct pass *pass = pass_of(call);
    if (pass->within)
        return false;
    lane_remove(pass->lane, call);
    lane_make_due(pass->lane);
    loop_defer(loop_of(gate), &gate->serve);
    return true;
}

/* ---- the rest ---- */

bool gate_may_retry(struct gate *gate)
{
    return policy_may_retry(gate->policy);
}

/* With keys every event has to be looked at, so that only the engine's window bounds who waits. */
bool gate_has_room(const struct gate *gate)
{
    const struct fn *fn = gate->fn;
    if (gate->settings->slots_refuse)
        return true;
    if (gate->lanes.keyed)
        return !gate->lanes.full;
    unsigned buffer = fn->settings.buffer ? fn->settings.buffer : fn->settings.jobs;
    return gate->lanes.queued + fn->waiting.count < buffer + policy_calls_ahead(gate->policy);
}

struct fn_call *gate_pull(struct gate *gate)
{
    return lanes_pull(&gate->lanes);
}

static void wake(struct policy_waiter *waiter)
{
    struct gate *gate = (struct gate *)(void *)waiter;
    lanes_make_all_due(&gate->lanes);
    serve_task(&gate->serve);
}

struct gate *gate_new(struct fn *fn, struct policy *policy)
{
    struct gate *gate = mem_zalloc(sizeof *gate);
    gate->fn = fn;
    gate->policy = policy;
    gate->settings = policy_settings(policy);
    bool keyed = gate->settings->slots_keyed || gate->settings->rate_keyed;
    unsigned limit = gate->settings->slots_keyed ? gate->settings->waiting : 0;
    lanes_init(&gate->lanes, loop_of(gate), keyed, limit, serve_later);
    gate->serve.run = serve_task;
    gate->patience.fire = out_of_patience;
    gate->waiter.wake = wake;
    policy_join(policy, &gate->waiter);
    return gate;
}

void gate_free(struct gate *gate)
{
    if (!gate)
        return;
    loop_undefer(loop_of(gate), &gate->serve);
    loop_timer_clear(loop_of(gate), &gate->patience);
    lanes_free(&gate->lanes);
    while (gate->free) {
        struct pass *pass = gate->free;
        gate->free = pass->next_free;
        free(pass);
    }
    policy_leave(gate->policy, &gate->waiter);
    free(gate);
}
