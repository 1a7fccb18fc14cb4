/*
 * pool_keep.c: workers that are kept ready: started before there is an event, and ended when there
 * has been none for long.
 *
 * What happens to workers only asks for a look (pool_tend), which is taken in the next turn: a
 * worker may leave in the midst of giving up its calls.
 */
#include "fn/pool.h"

#include "base/list.h"
#include "base/mem.h"

static struct loop *loop_of(const struct pool *pool)
{
    return pool->fn->context->loop;
}

static unsigned jobs_of(const struct pool *pool)
{
    return pool->fn->settings.jobs;
}

/* So many are to be there. */
static unsigned least(const struct pool *pool)
{
    unsigned min = pool->keeping ? pool->fn->settings.min_workers : 0;
    return min < jobs_of(pool) ? min : jobs_of(pool);
}

struct census {
    unsigned taking; /* workers that take events, or will when they are ready */
    unsigned waking; /* of these, those that are not yet, or have not answered the ping */
    unsigned old;    /* of these, those beyond max_age */
    unsigned fresh;  /* of these, those that are neither */
};

static bool is_waking(const struct pool_worker *worker)
{
    return worker->pinging || worker->unready;
}

static struct census look_at(const struct pool *pool)
{
    struct census census = {0};
    for (unsigned i = 0; i < jobs_of(pool); i++) {
        const struct pool_worker *worker = pool->slots[i];
        if (!worker || worker->state != POOL_READY)
            continue;
        census.taking++;
        census.waking += is_waking(worker);
        census.old += pool_is_old(worker);
        census.fresh += !is_waking(worker) && !pool_is_old(worker);
    }
    return census;
}

/* A worker that nobody waited for came to nothing, so no failed call tells of it. */
static void warn(struct pool *pool, const char *what, const char *why)
{
    const struct fn_context *context = pool->fn->context;
    if (!context->warn || pool->warned)
        return;
    pool->warned = true;
    struct buf text = {0};
    buf_addf(&text, "%s: a worker %s%s%s", pool->fn->name, what, why ? ": " : "", why ? why : "");
    context->warn(context->owner, buf_cstr(&text));
    buf_free(&text);
}

void pool_lost_unused(struct pool *pool)
{
    if (pool->keeping)
        warn(pool, "ended before its first event", NULL);
}

/* It will not be ready. What was started together has failed once. */
static void miss(struct pool *pool, const char *what, const char *why, struct str errors)
{
    const struct fn_context *context = pool->fn->context;
    warn(pool, what, why);
    if (!pool->told_prepared && context->unprepared)
        context->unprepared(context->owner, pool->fn, pool->failed_starts, why, errors);
}

/* ---- the ping ---- */

static void ping_ended(struct fn_call *call)
{
    struct pool_worker *worker = CONTAINER_OF(call, struct pool_worker, ping);
    struct pool *pool = worker->fn->state;
    struct failure *failure = call->failure;
    worker->pinging = false;
    worker->pinged = worker->state != POOL_ENDING; /* one that goes on has answered */
    slice_drop(&call->lines);
    if (!worker->pinged && !pool->closing && !worker->cancelled)
        miss(pool, "did not answer the ping", failure->message, buf_str(&failure->errors));
    failure_free(failure);
    pool_tend(pool);
}

static void ping(struct pool *pool, struct pool_worker *worker)
{
    const char *event = pool->fn->settings.ping;
    worker->ping = (struct fn_call){
        .event = {.data = event, .len = strlen(event)},
        .id = STR("ping"),
        .done = ping_ended,
        .fn = pool->fn,
        .aside = true,
        .own = true,
        .attempts = 1,
        .first_at = loop_now(loop_of(pool)),
        .started = loop_now(loop_of(pool)),
    };
    worker->pinging = true;
    pool->kind->send(worker, &worker->ping);
    if (pool->kind->flush)
        pool->kind->flush(worker);
}

/* ---- enough of them ---- */

/* False: it cannot be started now. */
static bool start(struct pool *pool, unsigned slot)
{
    struct err err;
    struct pool_worker *worker = pool_start(pool, slot, &err);
    if (!worker) {
        pool_failed_start(pool);
        miss(pool, "cannot be started", err.text, (struct str){0});
        return false;
    }
    worker->kept = true;
    if (pool->fn->settings.ping)
        ping(pool, worker);
    return true;
}

static void start_missing(struct pool *pool)
{
    struct census census = look_at(pool);
    unsigned fresh = census.taking - census.old;
    for (unsigned i = 0; fresh < least(pool) && i < jobs_of(pool) && !pool->paused; i++) {
        if (!pool->slots[i] && start(pool, i + 1))
            fresh++;
    }
}

/*
 * Let go of those that are too old, when enough others are ready, so that nobody has to wait for a
 * new one to start. If all slots are taken there cannot be another one before one has gone: then
 * one by one.
 */
static void retire_old(struct pool *pool)
{
    struct census census = look_at(pool);
    for (unsigned i = 0; census.old && i < jobs_of(pool); i++) {
        struct pool_worker *worker = pool->slots[i];
        if (!worker || worker->state != POOL_READY || !pool_is_old(worker))
            continue;
        bool enough = census.fresh >= least(pool);
        bool full = pool->running == jobs_of(pool) && census.taking == pool->running;
        if (!enough && (!full || census.waking))
            return;
        pool_finish(worker);
        census = look_at(pool);
    }
}

static void tell_prepared(struct pool *pool)
{
    const struct fn_context *context = pool->fn->context;
    struct census census = look_at(pool);
    if (pool->told_prepared || census.taking - census.waking < least(pool))
        return;
    pool->told_prepared = true;
    if (context->prepared)
        context->prepared(context->owner, pool->fn);
}

static void tend(struct loop_task *task)
{
    struct pool *pool = CONTAINER_OF(task, struct pool, tend);
    if (pool->closing || pool->fn->cancelled)
        return;
    start_missing(pool);
    retire_old(pool);
    tell_prepared(pool);
}

/* ---- idle and old ones ---- */

/* End those beyond the least number that were idle for long; the last slots are filled last. */
static void end_idle(struct pool *pool)
{
    int64_t idle = pool->fn->settings.idle;
    unsigned taking = look_at(pool).taking;
    for (unsigned i = jobs_of(pool); idle && i-- > 0 && taking > least(pool);) {
        struct pool_worker *worker = pool->slots[i];
        if (worker && worker->state == POOL_READY && !worker->flight.count &&
            loop_now(loop_of(pool)) - worker->last_heard >= idle) {
            pool_finish(worker);
            taking--;
        }
    }
}

/* When that worker may have to be ended, if nothing else happens; 0: never. */
static int64_t due(const struct pool *pool, const struct pool_worker *worker, bool beyond)
{
    int64_t now = loop_now(loop_of(pool));
    const struct fn_settings *settings = &pool->fn->settings;
    int64_t at = 0;
    if (settings->idle && beyond)
        at = (worker->flight.count ? now : worker->last_heard) + settings->idle;
    if (pool->keeping && settings->max_age && !pool_is_old(worker) &&
        (!at || worker->born + settings->max_age < at))
        at = worker->born + settings->max_age;
    return at;
}

static void watch(struct pool *pool)
{
    bool beyond = look_at(pool).taking > least(pool);
    int64_t next = 0;
    for (unsigned i = 0; i < jobs_of(pool); i++) {
        const struct pool_worker *worker = pool->slots[i];
        int64_t at = worker && worker->state == POOL_READY ? due(pool, worker, beyond) : 0;
        if (at && (!next || at < next))
            next = at;
    }
    if (next)
        loop_timer_set(loop_of(pool), &pool->look, next);
    else
        loop_timer_clear(loop_of(pool), &pool->look);
}

static void look(struct loop_timer *timer)
{
    struct pool *pool = CONTAINER_OF(timer, struct pool, look);
    end_idle(pool);
    pool_tend(pool);
}

/* ---- for pool.c, and the function ---- */

void pool_tend(struct pool *pool)
{
    if (pool->closing)
        return;
    if (pool->keeping)
        loop_defer(loop_of(pool), &pool->tend);
    if (pool->keeping || pool->fn->settings.idle)
        watch(pool);
}

void pool_prepare(struct fn *fn)
{
    struct pool *pool = fn->state;
    pool->keeping = true;
    pool_tend(pool);
}

struct fn_workers pool_workers(const struct fn *fn)
{
    const struct pool *pool = fn->state;
    struct fn_workers workers = {.started = pool->started, .crashed = pool->crashed};
    for (unsigned i = 0; i < fn->settings.jobs; i++) {
        const struct pool_worker *worker = pool->slots[i];
        if (!worker)
            continue;
        workers.running++;
        workers.ready += worker->state == POOL_READY && !is_waking(worker);
        workers.busy += worker->flight.count > worker->pinging;
    }
    for (const struct pool_worker *worker = pool->ending; worker; worker = worker->next)
        workers.running++;
    return workers;
}

void pool_keep_init(struct pool *pool)
{
    pool->tend.run = tend;
    pool->look.fire = look;
}

void pool_keep_end(struct pool *pool)
{
    loop_undefer(loop_of(pool), &pool->tend);
    loop_timer_clear(loop_of(pool), &pool->look);
}
