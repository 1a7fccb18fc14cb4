/*
 * store_conformance.h: what any store must do: claims that run on every engine.
 *
 * A claim is a cmocka test whose *state is a struct world: an open, empty store and its loop.
 * Claims of one kind of operation are in conformance_KIND.h, each with a list; test_store.c runs
 * all lists on all engines. Nothing here knows an engine but through what it says of itself in the
 * world.
 */
#ifndef FIT_TESTS_STORE_CONFORMANCE_H
#define FIT_TESTS_STORE_CONFORMANCE_H

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "state/store.h"
#include "sys/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct world {
    struct loop *loop;
    struct store *store;
    struct home *home;
    char *path;
    struct store_faults faults;
    bool sees_death; /* a lease ends with its holder */
    int64_t wall;    /* the time of day, once world_invent_time was called */
    bool *awaited;
};

struct claim {
    const char *name;
    CMUnitTestFunction test;
};
#define CLAIM(function)     \
    {                       \
#function, function \
    }

#define WORLD_PATIENCE (60 * INT64_C(1000000000)) /* a test that waits longer has failed */

static void world_late(struct loop_timer *timer)
{
    (void)timer;
    fail_msg("waited in vain");
}

/* Turn the loop until *done. */
static inline void world_await(struct world *world, bool *done)
{
    struct loop_timer late = {.fire = world_late};
    struct err err;
    world->awaited = done;
    loop_timer_set(world->loop, &late, clock_now() + WORLD_PATIENCE);
    while (!*done)
        assert_int_equal(loop_run(world->loop, &err), 0);
    loop_timer_clear(world->loop, &late);
    world->awaited = NULL;
}

struct world_pause {
    struct loop_timer timer;
    struct world *world;
    bool over;
};

/* It has happened: who awaits it goes on. */
static inline void world_tell(struct world *world, bool *done)
{
    *done = true;
    if (world->awaited == done)
        loop_stop(world->loop);
}

static void world_pause_over(struct loop_timer *timer)
{
    struct world_pause *pause = CONTAINER_OF(timer, struct world_pause, timer);
    world_tell(pause->world, &pause->over);
}

/* Let the loop turn a little, for who looks again and again. */
static inline void world_turn(struct world *world)
{
    struct world_pause pause = {.timer.fire = world_pause_over, .world = world};
    loop_timer_set(world->loop, &pause.timer, clock_now() + 1000000);
    world_await(world, &pause.over);
}

/* From now on the time of day stands still, and moves only as told. */
static inline void world_invent_time(struct world *world, int64_t wall)
{
    world->wall = wall;
    clock_invent(NULL, &world->wall);
}

/* ---- an operation of any kind, awaited ---- */

struct world_wait {
    struct world *world;
    bool done;
    struct err err;
};

static void world_answered(struct store_op *op)
{
    struct world_wait *wait = op->owner;
    if (op->err)
        wait->err = *op->err;
    world_tell(wait->world, &wait->done);
}

/* submit must hand op to the store; returns how it ended. */
#define WORLD_DO(world, submit, own)                  \
    __extension__({                                   \
        struct world_wait wait_ = {.world = (world)}; \
        (own)->op.done = world_answered;              \
        (own)->op.owner = &wait_;                     \
        submit((world)->store, (own));                \
        world_await((world), &wait_.done);            \
        (own)->op.status;                             \
    })

#endif
