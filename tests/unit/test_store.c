/* test_store.c: claims about stores, on every engine. */
#include "state/home.h"
#include "state/store.h"

#include "conformance_cursor.h"
#include "conformance_faults.h"
#include "conformance_kv.h"
#include "conformance_ledger.h"
#include "conformance_lease.h"

#include <ftw.h>
#include <stdio.h>

struct engine {
    const char *name;
    void (*open)(struct world *world);
    bool can_fail; /* fault_claims hold too */
};

static void open_embedded(struct world *world)
{
    char path[] = "/tmp/fit-store.XXXXXX";
    struct store_settings settings = {.unsynced = true};
    struct err err;
    assert_non_null(mkdtemp(path));
    world->path = mem_strdup(path);
    world->home = home_open(path, &err);
    assert_non_null(world->home);
    world->store = store_open(world->home, world->loop, &settings, &err);
    world->sees_death = true;
}

static void open_memory(struct world *world)
{
    world->store = store_open_memory(world->loop, &world->faults);
    world->sees_death = true;
}

static void open_later(struct world *world)
{
    world->faults = (struct store_faults){.later = true, .ignores_death = true};
    world->store = store_open_memory(world->loop, &world->faults);
}

static const struct engine engines[] = {
    {"embedded", open_embedded, false},
    {"memory", open_memory, true},
    {"memory, later", open_later, true},
};
enum { ENGINES = sizeof engines / sizeof *engines };

static int setup(void **state)
{
    const struct engine *engine = *state;
    struct err err;
    struct world *world = mem_zalloc(sizeof *world);
    world->loop = loop_new(&err);
    assert_non_null(world->loop);
    engine->open(world);
    assert_non_null(world->store);
    *state = world;
    return 0;
}

static int remove_entry(const char *path, const struct stat *stat, int kind, struct FTW *place)
{
    (void)stat;
    (void)kind;
    (void)place;
    return remove(path);
}

static int teardown(void **state)
{
    struct world *world = *state;
    world->faults.judge = NULL;
    store_free(world->store);
    home_free(world->home);
    loop_free(world->loop);
    clock_invent(NULL, NULL);
    if (world->path)
        nftw(world->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(world->path);
    free(world);
    return 0;
}

static const struct claim *const lists[] = {kv_claims, lease_claims, ledger_claims, cursor_claims,
                                            fault_claims};

static size_t add_claims(struct CMUnitTest *tests, size_t count, const struct engine *engine,
                         const struct claim *claims)
{
    for (; claims->name; claims++) {
        struct buf name = {0};
        buf_addf(&name, "%s: %s", engine->name, claims->name);
        tests[count++] = (struct CMUnitTest){buf_take(&name), claims->test, setup, teardown,
                                             (void *)(uintptr_t)engine};
    }
    return count;
}

int main(void)
{
    enum { MOST = 1024 };
    struct CMUnitTest *tests = mem_array(MOST, sizeof *tests);
    size_t count = 0;
    for (size_t i = 0; i < ENGINES; i++) {
        for (size_t list = 0; list < sizeof lists / sizeof *lists; list++) {
            if (lists[list] != fault_claims || engines[i].can_fail)
                count = add_claims(tests, count, &engines[i], lists[list]);
        }
    }
    int failed = _cmocka_run_group_tests("stores", tests, count, NULL, NULL);
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)tests[i].name);
    free(tests);
    return failed;
}
