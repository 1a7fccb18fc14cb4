/*
 * attempt.c: a call through its attempts.
 *
 * The policies stand around an attempt in the order of DESIGN.md 1.4: retry( breaker( throttle(
 * timeout( bulkhead( call ))))). Retry is here; the timeout is kept by the kind, which knows when
 * an attempt begins; the others stand in the gate (gate.h), through which every attempt goes, also
 * a repeated one.
 */
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "fn/gate.h"
#include "fn/kind.h"
#include "fn/stand_in.h"
#include "pattern/retry.h"

#include <signal.h>

enum call_state { CALL_OVER, CALL_WAITING, CALL_RUNNING, CALL_BACKING_OFF, CALL_DELAYED };

static struct fn_call *call_of(struct loop_timer *timer)
{
    return CONTAINER_OF(timer, struct fn_call, timer);
}

static void give(struct fn_call *call)
{
    call->state = CALL_OVER;
    call->done(call);
}

/* Give the answer. The call is the caller's from here on. */
static void finish(struct fn_call *call, struct failure *failure)
{
    if (failure) {
        int64_t now = clock_wall();
        failure->attempts = call->attempts;
        failure->last_at = now;
        failure->first_at = call->attempts ? now - (clock_now() - call->first_at) : now;
        if (!failure->function)
            failure->function = mem_strdup(call->fn->name);
    }
    call->failure = failure;
    give(call);
}

static struct failure *ended(enum failure_reason reason)
{
    return failure_new(reason, FAILURE_PERMANENT, "ended before it was done: %s",
                       failure_name(reason));
}

/* It ends without an attempt, or without the end of one. */
static void leave(struct fn_call *call, enum failure_reason reason)
{
    struct fn *fn = call->fn;
    if (fn->gate && call->pass)
        gate_leave(fn->gate, call);
    finish(call, ended(reason));
}

static void begin(struct fn_call *call)
{
    struct fn *fn = call->fn;
    const struct fn_fault *fault = &fn->settings.fault;
    call->state = CALL_RUNNING;
    call->started = loop_now(fn->context->loop);
    if (++call->attempts == 1)
        call->first_at = call->started;
    if (fault->fail > 0 && rng_unit(fn->context->rng) < fault->fail) {
        attempt_end(call,
                    failure_new(FAILURE_FAULT, FAILURE_ORDINARY, "a fault on purpose (--fault)"),
                    &(struct attempt_report){0});
        return;
    }
    bool crash = fault->crash > 0 && rng_unit(fn->context->rng) < fault->crash;
    if (crash && fn->kind->crash)
        fn->kind->crash(fn, call);
    else
        fn->kind->begin(fn, call);
}

/* Where it waits for a slot. */
static struct fn_list *queue_of(struct fn *fn, const struct fn_call *call)
{
    return call->aside ? &fn->aside : &fn->waiting;
}

void attempt_ready(struct fn *fn, struct fn_call *call)
{
    call->state = CALL_WAITING;
    fn_list_append(queue_of(fn, call), call);
    attempt_pump(fn);
}

/* It wants an attempt. */
static void arrive(struct fn *fn, struct fn_call *call)
{
    call->state = CALL_WAITING;
    if (fn->gate && !call->aside)
        gate_enter(fn->gate, call);
    else if (!queue_of(fn, call)->count && fn->kind->has_slot(fn))
        begin(call);
    else
        attempt_ready(fn, call);
}

static void wake(struct loop_timer *timer)
{
    struct fn_call *call = call_of(timer);
    struct fn *fn = call->fn;
    fn_list_remove(&fn->sleeping, call);
    arrive(fn, call);
    if (fn->gate) /* which may have refused others too: there is room */
        attempt_pump(fn);
}

static void sleep_until(struct fn_call *call, enum call_state state, int64_t at)
{
    call->state = state;
    fn_list_append(&call->fn->sleeping, call);
    call->timer.fire = wake;
    loop_timer_set(call->fn->context->loop, &call->timer, at);
}

void attempt_admit(struct fn *fn, struct fn_call *call)
{
    if (fn->cancelled) {
        finish(call, ended(fn->cancel_reason));
        return;
    }
    if (fn->settings.fault.delay) {
        sleep_until(call, CALL_DELAYED, loop_now(fn->context->loop) + fn->settings.fault.delay);
        return;
    }
    arrive(fn, call);
}

/* Begin the first that waits, or end it. False: it has to wait on. */
static bool begin_first(struct fn *fn)
{
    struct fn_call *call = fn->waiting.first;
    struct failure *why = NULL;
    enum gate_answer answer = fn->gate ? gate_ask(fn->gate, call, &why) : GATE_PASS;
    if (answer == GATE_WAIT)
        return false;
    fn_list_remove(&fn->waiting, call);
    if (answer == GATE_PASS)
        begin(call);
    else
        attempt_refuse(call, why);
    return true;
}

static void begin_asides(struct fn *fn)
{
    while (fn->aside.count && fn->kind->has_slot(fn)) {
        struct fn_call *call = fn->aside.first;
        fn_list_remove(&fn->aside, call);
        begin(call);
    }
}

void attempt_pump(struct fn *fn)
{
    begin_asides(fn);
    while (fn->waiting.count && fn->kind->has_slot(fn) && begin_first(fn))
        ;
    if (fn->gate) {
        if (!fn->waiting.count && fn->kind->has_slot(fn))
            gate_feed(fn->gate);
        gate_watch(fn->gate);
    }
    if (fn->context->room && fn_has_room(fn))
        fn->context->room(fn->context->owner);
}

static void report_attempt(struct fn_call *call, const struct failure *failure,
                           const struct attempt_report *report)
{
    struct fn_context *context = call->fn->context;
    int64_t duration = clock_now() - call->started;
    struct fn_attempt attempt = {
        .call = call,
        .number = call->attempts,
        .slot = report->slot,
        .started = clock_wall() - duration,
        .duration = duration,
        .init = report->init,
        .bytes_in = report->bytes_in,
        .bytes_out = report->bytes_out,
        .pid = report->pid,
        .failure = failure,
        .usage = report->usage,
    };
    context->attempted(context->owner, &attempt);
}

/* The delay before the next attempt, or -1 when there will be none. What the function itself asks
 * for is waited at least. */
static int64_t next_delay(struct fn_call *call, const struct failure *failure)
{
    const struct fn *fn = call->fn;
    if (fn->cancelled || call->unwanted || failure->class == FAILURE_PERMANENT ||
        call->attempts + call->refused > fn->settings.retries)
        return -1;
    if (fn->gate && !gate_may_retry(fn->gate))
        return -1;
    struct retry_policy policy = {.base = fn->settings.backoff_base,
                                  .cap = fn->settings.backoff_cap};
    int64_t delay =
        retry_delay(&policy, call->attempts + call->refused, rng_unit(fn->context->rng));
    return delay > failure->retry_after ? delay : failure->retry_after;
}

static void retry_or_finish(struct fn_call *call, struct failure *failure)
{
    int64_t delay = next_delay(call, failure);
    if (delay < 0) {
        finish(call, failure);
        return;
    }
    failure_free(failure);
    slice_drop(&call->lines);
    call->count = 0;
    sleep_until(call, CALL_BACKING_OFF, loop_now(call->fn->context->loop) + delay);
}

void attempt_refuse(struct fn_call *call, struct failure *failure)
{
    gate_leave(call->fn->gate, call);
    call->refused++;
    retry_or_finish(call, failure);
}

void attempt_end(struct fn_call *call, struct failure *failure, const struct attempt_report *report)
{
    struct fn *fn = call->fn;
    if (report->init)
        call->init = report->init;
    if (call->aside) {
        finish(call, failure);
        return;
    }
    fn->context->attempts++;
    fn->context->failed_attempts += failure != NULL;
    if (fn->gate)
        gate_end(fn->gate, call, failure);
    if (fn->context->attempted)
        report_attempt(call, failure, report);
    if (!failure) {
        call->failure = NULL;
        give(call);
        return;
    }
    retry_or_finish(call, failure);
}

void attempt_return(struct fn_call *call)
{
    struct fn *fn = call->fn;
    if (call->own) {
        finish(call, ended(FAILURE_NOT_NEEDED));
        return;
    }
    if (fn->cancelled || call->unwanted) {
        leave(call, fn->cancelled ? fn->cancel_reason : FAILURE_NOT_NEEDED);
        return;
    }
    if (call->pass)
        gate_return(fn->gate, call);
    call->attempts--;
    call->state = CALL_WAITING;
    fn_list_prepend(queue_of(fn, call), call);
}

/* End all on a list. */
static void leave_all(struct fn *fn, struct fn_list *list)
{
    while (list->first) {
        struct fn_call *call = list->first;
        loop_timer_clear(fn->context->loop, &call->timer);
        fn_list_remove(list, call);
        leave(call, fn->cancel_reason);
    }
}

void attempt_cancel_idle(struct fn *fn)
{
    leave_all(fn, &fn->aside);
    leave_all(fn, &fn->waiting);
    for (struct fn_call *call; fn->gate && (call = gate_pull(fn->gate));)
        leave(call, fn->cancel_reason);
    leave_all(fn, &fn->sleeping);
}

bool fn_end(struct fn_call *call, enum failure_reason reason)
{
    struct fn *fn = call->fn;
    switch ((enum call_state)call->state) {
    case CALL_OVER:
        return false;
    case CALL_WAITING:
        if (!call->pass || !gate_withdraw(fn->gate, call))
            fn_list_remove(queue_of(fn, call), call);
        break;
    case CALL_BACKING_OFF:
    case CALL_DELAYED:
        loop_timer_clear(fn->context->loop, &call->timer);
        fn_list_remove(&fn->sleeping, call);
        break;
    case CALL_RUNNING:
        if (!fn->kind->forsake)
            return false;
        fn->kind->forsake(fn, call, stand_in_for(call), reason);
        break;
    }
    leave(call, reason);
    attempt_pump(fn);
    return true;
}
