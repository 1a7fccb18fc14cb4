/*
 * pool_hand_on.c: a call that waits for a worker to start goes to another that is ready first.
 *
 * It is the older call: those that have not been begun come after it.
 */
#include "fn/pool.h"

/* A ping is for the instance that was started for it: several want as many. */
static bool may_move(const struct pool_worker *worker)
{
    const struct fn_call *first = worker->flight.first;
    return first && !worker->pinging && !first->ping && !first->aside;
}

/* The worker that has not begun with what it was sent, of those the one whose call is the oldest;
 * NULL: there is none. */
static struct pool_worker *find_starting(struct pool *pool)
{
    struct pool_worker *found = NULL;
    pool->starting = false;
    for (unsigned i = 0; i < pool->fn->settings.jobs; i++) {
        struct pool_worker *worker = pool->slots[i];
        if (!worker || worker->state != POOL_READY || worker->reading || worker->answers)
            continue;
        pool->starting = true;
        if (may_move(worker) &&
            (!found || worker->flight.first->started < found->flight.first->started))
            found = worker;
    }
    return found;
}

/* It takes a call at once. */
static struct pool_worker *find_idle(const struct pool *pool)
{
    for (unsigned i = 0; i < pool->fn->settings.jobs; i++) {
        struct pool_worker *worker = pool->slots[i];
        if (worker && worker->state == POOL_READY && worker->warm && !worker->flight.count &&
            !pool_is_old(worker))
            return worker;
    }
    return NULL;
}

/* True: another one may be handed on. */
static bool hand_on(struct pool *pool)
{
    struct pool_worker *from = find_starting(pool);
    struct pool_worker *to = from ? find_idle(pool) : NULL;
    struct fn_list calls;
    if (!to)
        return false;
    if (!pool->kind->take_back(from, &calls)) {
        from->reading = true;
        return true;
    }
    from->uses -= calls.count;
    from->kept = true;
    while (calls.count) {
        struct fn_call *call = calls.first;
        fn_list_remove(&calls, call);
        pool_give(to ? to : from, call);
        to = find_idle(pool);
    }
    return true;
}

void pool_freed(struct fn *fn)
{
    struct pool *pool = fn->state;
    while (pool->starting && !pool->closing && hand_on(pool))
        ;
    attempt_pump(fn);
}
