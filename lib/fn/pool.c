/*
 * pool.c: what kinds of functions with long-lived workers have in common.
 *
 * Events go to an idle worker first, to one that is known to be warm before others; workers that
 * answer quickly are sent several at once, filled one after the other so that each write is large.
 */
#include "fn/pool.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "pattern/retry.h"

#include <signal.h>
#include <stdlib.h>

static const struct retry_policy restart_policy = {.base = NUM_SECOND / 10, .cap = NUM_SECOND * 10};

static struct loop *loop_of(const struct pool *pool)
{
    return pool->fn->context->loop;
}

static void send_gathered(struct loop_task *task)
{
    struct pool *pool = CONTAINER_OF(task, struct pool, flush);
    for (unsigned i = 0; i < pool->fn->settings.jobs; i++) {
        struct pool_worker *worker = pool->slots[i];
        if (worker && worker->dirty) {
            worker->dirty = false;
            pool->kind->flush(worker);
        }
    }
}

/* ---- starting ---- */

static void restart(struct loop_timer *timer)
{
    struct pool *pool = CONTAINER_OF(timer, struct pool, restart);
    pool->paused = false;
    attempt_pump(pool->fn);
    pool_tend(pool);
}

/* Those that fail within a pause were started before it, with the first one: they say no more. */
void pool_failed_start(struct pool *pool)
{
    if (pool->paused)
        return;
    pool->failed_starts++;
    unsigned attempt =
        pool->failed_starts < POOL_CRASH_LIMIT ? pool->failed_starts : POOL_CRASH_LIMIT;
    pool->paused = true;
    loop_timer_set(loop_of(pool), &pool->restart,
                   loop_now(loop_of(pool)) +
                       retry_delay(&restart_policy, attempt, rng_unit(pool->fn->context->rng)));
}

struct pool_worker *pool_start(struct pool *pool, unsigned slot, struct err *err)
{
    int64_t now = clock_now();
    struct pool_worker *worker = pool->kind->start(pool->fn, slot, err);
    if (!worker)
        return NULL;
    worker->depth = pool->fn->settings.pipeline ? pool->fn->settings.pipeline : 1;
    worker->born = worker->last_heard = now;
    pool->slots[slot - 1] = worker;
    pool->running++;
    pool->started++;
    pool->starting = true;
    pool_tend(pool);
    return worker;
}

/* ---- which worker gets an event ---- */

static bool has_room(const struct pool_worker *worker)
{
    return worker->state == POOL_READY && worker->flight.count < worker->depth &&
           (worker->flight_bytes < POOL_BYTES || !worker->flight.count);
}

/* The worker for the next event, or NULL with *empty set to a slot that may get one, or to 0. */
static struct pool_worker *pick(const struct pool *pool, unsigned *empty)
{
    *empty = 0;
    if (pool->current && pool->current->flight.count && pool->current->depth > 1 &&
        pool->current->warm && has_room(pool->current))
        return pool->current;
    struct pool_worker *cold = NULL, *best = NULL;
    for (unsigned i = 0; i < pool->fn->settings.jobs; i++) {
        struct pool_worker *worker = pool->slots[i];
        if (!worker) {
            if (!*empty && !pool->paused)
                *empty = i + 1;
        } else if (has_room(worker) && !worker->flight.count) {
            if (worker->warm)
                return worker;
            if (!cold)
                cold = worker;
        } else if (has_room(worker) && (!best || worker->flight.count < best->flight.count)) {
            best = worker;
        }
    }
    return cold ? cold : *empty ? NULL : best;
}

bool pool_has_slot(const struct fn *fn)
{
    unsigned empty;
    return pick(fn->state, &empty) || empty;
}

void pool_finish(struct pool_worker *worker)
{
    struct pool *pool = worker->fn->state;
    worker->finished = true;
    pool->kind->finish(worker);
    pool_tend(pool);
}

static void cancel(struct pool_worker *worker, enum failure_reason reason, bool now)
{
    const struct pool *pool = worker->fn->state;
    worker->cancelled = true;
    pool->kind->cancel(worker, reason, now);
}

bool pool_is_old(const struct pool_worker *worker)
{
    int64_t max_age = worker->fn->settings.max_age;
    return max_age && loop_now(worker->fn->context->loop) - worker->born >= max_age;
}

/* A new worker is due when this one has served its time. While workers are kept ready, an old one
 * goes when another is there (pool_keep.c). */
static bool is_worn(const struct pool *pool, const struct pool_worker *worker)
{
    uint64_t max_uses = pool->fn->settings.max_uses;
    return (max_uses && worker->uses >= max_uses) || (!pool->keeping && pool_is_old(worker));
}

static void fail_start(struct fn_call *call, const struct err *err)
{
    enum failure_class class = err->kind == ERR_SYSTEM ? FAILURE_TEMPORARY : FAILURE_PERMANENT;
    attempt_end(call, failure_new(FAILURE_SPAWN, class, "%s", err->text),
                &(struct attempt_report){0});
}

/* NULL: the call has failed. */
static struct pool_worker *worker_for(struct pool *pool, struct fn_call *call)
{
    unsigned empty;
    struct pool_worker *worker = pick(pool, &empty);
    if (worker && !worker->flight.count &&
        is_worn(pool, worker)) { /* its age: its uses were looked at when it was sent to */
        empty = worker->slot;
        pool_finish(worker);
        worker = NULL;
    }
    struct err err;
    if (!worker && !(worker = pool_start(pool, empty, &err)))
        fail_start(call, &err);
    return worker;
}

static void send(struct pool_worker *worker, struct fn_call *call)
{
    struct pool *pool = worker->fn->state;
    pool->current = worker;
    if (!worker->dirty && pool->kind->flush) {
        worker->dirty = true;
        loop_defer(loop_of(pool), &pool->flush);
    }
    worker->uses++;
    pool->kind->send(worker, call);
}

void pool_give(struct pool_worker *worker, struct fn_call *call)
{
    struct pool *pool = worker->fn->state;
    send(worker, call);
    if (worker->state != POOL_READY || !is_worn(pool, worker))
        return;
    if (pool->kind->flush)
        pool->kind->flush(worker);
    pool_finish(worker);
}

void pool_begin(struct fn *fn, struct fn_call *call)
{
    struct pool_worker *worker = worker_for(fn->state, call);
    if (worker)
        pool_give(worker, call);
}

void pool_crash(struct fn *fn, struct fn_call *call)
{
    struct pool *pool = fn->state;
    struct pool_worker *worker = worker_for(pool, call);
    if (!worker)
        return;
    send(worker, call);
    pool_process_signal_group(worker, SIGKILL);
}

void pool_forsake(struct fn *fn, struct fn_call *call, struct fn_call *instead,
                  enum failure_reason reason)
{
    (void)fn;
    (void)reason;
    struct pool_worker *worker = call->run;
    fn_list_replace(&worker->flight, call, instead);
}

/* ---- the end of a worker ---- */

/* It was of no use, and its successor may be of none: it has answered nothing, or nothing but the
 * ping before it went soon after. */
static bool came_to_nothing(const struct pool_worker *worker)
{
    if (worker->answers > worker->pinged)
        return false;
    return !worker->pinged ||
           loop_now(worker->fn->context->loop) - worker->born < restart_policy.cap;
}

void pool_leaves(struct pool_worker *worker)
{
    struct pool *pool = worker->fn->state;
    pool->slots[worker->slot - 1] = NULL;
    pool->running--;
    if (pool->current == worker)
        pool->current = NULL;
    worker->next = pool->ending;
    pool->ending = worker;
    if (pool->closing || worker->cancelled)
        return;
    bool crashed = !worker->finished || worker->flight.count;
    pool->crashed += crashed;
    if (crashed && came_to_nothing(worker)) {
        pool_failed_start(pool);
        if (!worker->flight.count)
            pool_lost_unused(pool);
    } else if (worker->answers) {
        pool->failed_starts = 0;
        pool->warned = false;
    }
    pool_tend(pool);
}

int64_t pool_init_time(const struct pool_worker *worker)
{
    return worker->kept ? 0 : clock_now() - worker->born;
}

void pool_gone(struct pool_worker *worker)
{
    struct pool *pool = worker->fn->state;
    struct pool_worker **link = &pool->ending;
    while (*link != worker)
        link = &(*link)->next;
    *link = worker->next;
    pool->kind->free(worker);
    if (pool->closing && !pool->running && !pool->ending)
        fn_closed(pool->fn);
}

void pool_cancel(struct fn *fn, enum failure_reason reason, bool now)
{
    struct pool *pool = fn->state;
    for (unsigned i = 0; now && i < fn->settings.jobs; i++) {
        if (pool->slots[i])
            pool_process_stop(pool->slots[i]);
    }
    for (struct pool_worker *worker = pool->ending; now && worker; worker = worker->next)
        pool_process_stop(worker);
    for (unsigned i = 0; i < fn->settings.jobs; i++) {
        if (pool->slots[i])
            cancel(pool->slots[i], reason, now);
    }
    for (struct pool_worker *worker = pool->ending; worker; worker = worker->next)
        cancel(worker, reason, now);
}

/* ---- the pool ---- */

void pool_init(struct pool *pool, struct fn *fn, const struct pool_kind *kind)
{
    pool->kind = kind;
    pool->fn = fn;
    pool->slots = mem_array(fn->settings.jobs, sizeof *pool->slots);
    pool->flush.run = send_gathered;
    pool->restart.fire = restart;
    pool_keep_init(pool);
}

void pool_close(struct fn *fn)
{
    struct pool *pool = fn->state;
    pool->closing = true;
    loop_timer_clear(loop_of(pool), &pool->restart);
    loop_undefer(loop_of(pool), &pool->flush);
    pool_keep_end(pool);
    for (unsigned i = 0; i < fn->settings.jobs; i++) {
        struct pool_worker *worker = pool->slots[i];
        if (worker && worker->flight.count) /* nobody waits for its answers (fn_end) */
            cancel(worker, FAILURE_NOT_NEEDED, false);
        else if (worker)
            pool_finish(worker);
    }
    if (!pool->ending)
        fn_closed(fn);
}

void pool_free(struct pool *pool)
{
    free(pool->slots);
}
