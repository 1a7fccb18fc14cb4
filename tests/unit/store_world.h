/*
 * store_world.h: a store for claims about what is kept in it, embedded or in memory, its time
 * invented.
 */
#ifndef FIT_TESTS_STORE_WORLD_H
#define FIT_TESTS_STORE_WORLD_H

#include "base/clock.h"
#include "base/mem.h"
#include "state/store.h"

#include "../helpers/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)

static struct err err;
static struct loop *loop;
static struct store *store;
static int64_t now, wall;
static bool in_memory;
static uint64_t map; /* bytes that the embedded one begins with; 0: plenty */

static inline void open_store(void)
{
    struct store_settings settings = {.unsynced = true, .map = map};
    loop = loop_new(&err);
    store =
        in_memory ? store_open_memory(loop, NULL) : store_open(scratch_home, loop, &settings, &err);
    if (!store)
        fail_msg("%s", err.text);
}

static inline void close_store(void)
{
    store_free(store);
    loop_free(loop);
}

static inline int setup(void **state)
{
    if (scratch_make(state) < 0)
        return -1;
    now = 1000 * SECOND;
    wall = 1700000000 * SECOND;
    clock_invent(&now, &wall);
    open_store();
    return 0;
}

static inline int setup_memory(void **state)
{
    in_memory = true;
    return setup(state);
}

static inline int teardown(void **state)
{
    close_store();
    clock_invent(NULL, NULL);
    in_memory = false;
    map = 0;
    return scratch_remove(state);
}

static inline void advance(int64_t time)
{
    now += time;
    wall += time;
}

#endif
