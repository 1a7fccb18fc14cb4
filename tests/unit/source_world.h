/*
 * source_world.h: what sources read from, for claims about them: a store in memory that answers at
 * once or later and fails when told to, an invented time, and what was said and reported.
 */
#ifndef FIT_TESTS_SOURCE_WORLD_H
#define FIT_TESTS_SOURCE_WORLD_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/msg.h"
#include "state/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)

static struct loop *loop;
static struct store *store;
static struct store_faults faults;
static struct err err;
static struct loop_idle idle;
static struct buf said, failed;
static unsigned readies;
static enum store_status wrong; /* how what judge picks out ends; STORE_OK: as it should */
static int64_t now, wall;

static void hear(void *owner, struct str lines)
{
    (void)owner;
    buf_add_str(&said, lines);
}

static void stop_loop(struct loop_idle *own)
{
    (void)own;
    loop_stop(loop);
}

/* For cmocka's set-up: with a *state the store answers later. judge as in struct store_faults. */
static void world_make(void **state, const char *command,
                       enum store_status (*judge)(void *, const struct store_op *, bool *))
{
    faults = (struct store_faults){.later = *state != NULL, .judge = judge};
    wrong = STORE_OK;
    readies = 0;
    now = 1000 * SECOND;
    wall = 1700000000 * SECOND;
    clock_invent(&now, &wall);
    loop = loop_new(&err);
    store = store_open_memory(loop, &faults);
    idle.run = stop_loop;
    loop_idle_add(loop, &idle);
    msg_init(command);
    msg_divert(hear, NULL);
}

static int world_remove(void **state)
{
    (void)state;
    msg_divert(NULL, NULL);
    store_free(store);
    loop_free(loop);
    clock_invent(NULL, NULL);
    buf_free(&said);
    buf_free(&failed);
    block_drop_kept();
    return 0;
}

/* All that can happen now. */
static inline void turn(void)
{
    for (int i = 0; i < 3; i++) {
        store_flush(store);
        assert_int_equal(loop_run(loop, &err), 0);
    }
}

static inline void is_ready(void *owner)
{
    (void)owner;
    readies++;
}

static void has_failed(void *owner, const struct err *why)
{
    (void)owner;
    buf_addf(&failed, "%s\n", why->text);
}

/* A claim on both stores. */
#define BOTH(claim)                                                            \
    {#claim, claim, setup, teardown, NULL},                                    \
    {                                                                          \
#claim " (later)", claim, setup, teardown, (void *)(uintptr_t) "later" \
    }

#endif
