/*
 * attempt.c: a call through its attempts.
 *
 * The policies stand around an attempt in the order of DESIGN.md 1.4: retry( breaker( throttle(
 * timeout( bulkhead( call ))))). Retry is here; the timeout is kept by the kind, which knows when
 * an attempt begins; breaker and throttle are asked in attempt_admit, before a slot is taken, and
 * told in attempt_end; the bulkhead's slot is taken in begin, beside the function's own.
 */
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "fn/kind.h"
#include "pattern/retry.h"

#include <signal.h>

enum call_state { CALL_WAITING, CALL_RUNNING, CALL_BACKING_OFF, CALL_DELAYED };

static struct fn_call *call_of(struct loop_timer *timer)
{
    return CONTAINER_OF(timer, struct fn_call, timer);
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
    call->done(call);
}

static struct failure *cancelled(const struct fn *fn)
{
    return failure_new(fn->cancel_reason, FAILURE_PERMANENT, "ended before it was done: %s",
                       failure_name(fn->cancel_reason));
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

static void queue(struct fn *fn, struct fn_call *call)
{
    call->state = CALL_WAITING;
    fn_list_append(&fn->waiting, call);
    attempt_pump(fn);
}

static void wake(struct loop_timer *timer)
{
    struct fn_call *call = call_of(timer);
    fn_list_remove(&call->fn->sleeping, call);
    queue(call->fn, call);
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
        finish(call, cancelled(fn));
        return;
    }
    if (fn->settings.fault.delay) {
        sleep_until(call, CALL_DELAYED, loop_now(fn->context->loop) + fn->settings.fault.delay);
        return;
    }
    if (!fn->waiting.count && fn->kind->has_slot(fn)) {
        begin(call);
        return;
    }
    queue(fn, call);
}

void attempt_pump(struct fn *fn)
{
    while (fn->waiting.count && fn->kind->has_slot(fn)) {
        struct fn_call *call = fn->waiting.first;
        fn_list_remove(&fn->waiting, call);
        begin(call);
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

/* The delay before the next attempt, or -1 when there will be none. */
static int64_t next_delay(struct fn_call *call, const struct failure *failure)
{
    const struct fn *fn = call->fn;
    if (fn->cancelled || failure->class == FAILURE_PERMANENT ||
        call->attempts > fn->settings.retries)
        return -1;
    struct retry_policy policy = {.base = fn->settings.backoff_base,
                                  .cap = fn->settings.backoff_cap};
    return retry_delay(&policy, call->attempts, rng_unit(fn->context->rng));
}

void attempt_end(struct fn_call *call, struct failure *failure, const struct attempt_report *report)
{
    struct fn *fn = call->fn;
    fn->context->attempts++;
    fn->context->failed_attempts += failure != NULL;
    if (fn->context->attempted)
        report_attempt(call, failure, report);
    if (!failure) {
        call->failure = NULL;
        call->done(call);
        return;
    }
    int64_t delay = next_delay(call, failure);
    if (delay < 0) {
        finish(call, failure);
        return;
    }
    failure_free(failure);
    slice_drop(&call->lines);
    call->count = 0;
    sleep_until(call, CALL_BACKING_OFF, loop_now(fn->context->loop) + delay);
}

void attempt_return(struct fn_call *call)
{
    struct fn *fn = call->fn;
    if (fn->cancelled) {
        finish(call, cancelled(fn));
        return;
    }
    call->attempts--;
    call->state = CALL_WAITING;
    fn_list_prepend(&fn->waiting, call);
}

void attempt_cancel_idle(struct fn *fn)
{
    while (fn->waiting.first) {
        struct fn_call *call = fn->waiting.first;
        fn_list_remove(&fn->waiting, call);
        finish(call, cancelled(fn));
    }
    while (fn->sleeping.first) {
        struct fn_call *call = fn->sleeping.first;
        loop_timer_clear(fn->context->loop, &call->timer);
        fn_list_remove(&fn->sleeping, call);
        finish(call, cancelled(fn));
    }
}
