/* lease_hold.c: get a name's lease, waiting for it if need be, and keep it. */
#include "state/lease_hold.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/rng.h"
#include "sys/watch.h"

#include <stdlib.h>

enum { REPEATS = 3 }; /* of an acquisition that ended as unknown; then it has failed */
/* Who holds the lease and cannot be waited for is looked at again after this: nanoseconds. */
#define LOOK_AGAIN INT64_C(1000000000)

struct lease_hold {
    struct store *store;
    struct loop *loop;
    const struct lease_hold_calls *calls;
    void *owner;
    struct buf name;
    int64_t ttl, until;
    int64_t valid; /* clock_now until which it is surely held */
    struct lease_op op;
    struct store_ear ear;
    struct watch_process holder;
    struct loop_task task;
    struct loop_timer timer; /* look again; renew */
    struct loop_timer limit;
    unsigned repeats;
    bool asking; /* the operation is the store's */
    bool again;  /* woken meanwhile */
    bool listens, holds, freed;
};

static void ask_later(struct lease_hold *hold)
{
    if (hold->asking)
        hold->again = true;
    else
        loop_defer(hold->loop, &hold->task);
}

static void stop_waiting(struct lease_hold *hold)
{
    store_deafen(hold->store, &hold->ear);
    watch_process_remove(&hold->holder);
    loop_timer_clear(hold->loop, &hold->timer);
    loop_timer_clear(hold->loop, &hold->limit);
    loop_undefer(hold->loop, &hold->task);
}

static void release_memory(struct lease_hold *hold)
{
    buf_free(&hold->name);
    free(hold);
}

static void submit(struct lease_hold *hold, enum lease_verb verb, void (*done)(struct store_op *op))
{
    hold->asking = true;
    hold->op.verb = verb;
    hold->op.op.done = done;
    hold->op.deadline = clock_wall() + hold->ttl;
    lease_submit(hold->store, &hold->op);
}

static void released(struct store_op *op)
{
    release_memory(op->owner);
}

/* ---- holding ---- */

static void renewed(struct store_op *op)
{
    struct lease_hold *hold = op->owner;
    hold->asking = false;
    if (hold->freed) {
        submit(hold, LEASE_RELEASE, released);
        return;
    }
    if (op->status == STORE_OK) {
        hold->valid = clock_now() + hold->ttl;
        loop_timer_set(hold->loop, &hold->timer, clock_now() + hold->ttl / 3);
        return;
    }
    if (op->status != STORE_LOST && clock_now() + hold->ttl / 6 < hold->valid) {
        loop_timer_set(hold->loop, &hold->timer, clock_now() + hold->ttl / 6);
        return;
    }
    hold->holds = false;
    hold->calls->lost(hold->owner);
}

static void got(struct lease_hold *hold)
{
    stop_waiting(hold);
    hold->holds = true;
    hold->valid = clock_now() + hold->ttl;
    loop_timer_set(hold->loop, &hold->timer, clock_now() + hold->ttl / 3);
    hold->calls->held(hold->owner, hold->op.token);
}

/* ---- waiting ---- */

static void heard(void *owner)
{
    ask_later(owner);
}

static void holder_ended(struct watch_process *process)
{
    ask_later(CONTAINER_OF(process, struct lease_hold, holder));
}

static void wait_for(struct lease_hold *hold, const struct lease_held *held)
{
    int64_t left = held->deadline - clock_wall();
    watch_process_remove(&hold->holder);
    if (held->holder) {
        int watched = watch_process_add(hold->loop, &hold->holder, cell_holder_pid(held->holder));
        if (cell_holder_gone(held->holder)) { /* the number may be another's by now */
            ask_later(hold);
            return;
        }
        if (watched == 0)
            return;
    }
    if (held->holder || left < 0)
        left = LOOK_AGAIN;
    loop_timer_set(hold->loop, &hold->timer, clock_now() + left);
}

static void taken(struct lease_hold *hold)
{
    struct err err;
    if (clock_now() >= hold->until) {
        stop_waiting(hold);
        hold->calls->busy(hold->owner, &hold->op.held);
        return;
    }
    if (hold->listens) {
        wait_for(hold, &hold->op.held);
        return;
    }
    if (store_listen(hold->store, &hold->ear, &err) < 0) {
        hold->calls->failed(hold->owner, &err);
        return;
    }
    hold->listens = true;
    if (hold->until != INT64_MAX)
        loop_timer_set(hold->loop, &hold->limit, hold->until);
    ask_later(hold);
}

static void answered(struct store_op *op)
{
    struct lease_hold *hold = op->owner;
    bool again = hold->again;
    hold->asking = hold->again = false;
    if (hold->freed && op->status == STORE_OK)
        submit(hold, LEASE_RELEASE, released);
    else if (hold->freed)
        release_memory(hold);
    else if (op->status == STORE_OK)
        got(hold);
    else if (op->status == STORE_UNKNOWN && hold->repeats++ < REPEATS)
        ask_later(hold);
    else if (op->status != STORE_CONFLICT)
        hold->calls->failed(hold->owner, op->err);
    else if (again && clock_now() < hold->until)
        ask_later(hold);
    else
        taken(hold);
}

static void ask(struct lease_hold *hold)
{
    if (hold->holds)
        submit(hold, LEASE_RENEW, renewed);
    else
        submit(hold, LEASE_ACQUIRE, answered);
}

static void run_task(struct loop_task *task)
{
    ask(CONTAINER_OF(task, struct lease_hold, task));
}

static void fire(struct loop_timer *timer)
{
    struct lease_hold *hold = CONTAINER_OF(timer, struct lease_hold, timer);
    if (!hold->asking)
        ask(hold);
}

static void limit_fire(struct loop_timer *timer)
{
    ask_later(CONTAINER_OF(timer, struct lease_hold, limit));
}

struct lease_hold *lease_hold_open(struct store *store, struct str name, int64_t ttl, int64_t until,
                                   const struct lease_hold_calls *calls, void *owner)
{
    struct lease_hold *hold = mem_zalloc(sizeof *hold);
    struct rng rng;
    rng_seed_random(&rng);
    hold->store = store;
    hold->loop = store_loop(store);
    hold->calls = calls;
    hold->owner = owner;
    hold->ttl = ttl;
    hold->until = until;
    buf_add_str(&hold->name, name);
    hold->op.op.owner = hold;
    hold->op.name = buf_str(&hold->name);
    hold->op.holder = cell_self();
    hold->op.nonce = rng_next(&rng) | 1;
    hold->ear = (struct store_ear){
        .kind = "lease", .name = buf_str(&hold->name), .heard = heard, .owner = hold};
    hold->holder.ended = holder_ended;
    hold->task.run = run_task;
    hold->timer.fire = fire;
    hold->limit.fire = limit_fire;
    loop_defer(hold->loop, &hold->task);
    return hold;
}

void lease_hold_free(struct lease_hold *hold)
{
    if (!hold)
        return;
    stop_waiting(hold);
    hold->freed = true;
    if (hold->asking)
        return;
    if (hold->holds)
        submit(hold, LEASE_RELEASE, released);
    else
        release_memory(hold);
}
