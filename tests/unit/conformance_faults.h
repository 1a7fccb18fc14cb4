/* conformance_faults.h: what holds while the connection to a store comes and goes: for stores that
 * can be told to lose it. */
#ifndef FIT_TESTS_CONFORMANCE_FAULTS_H
#define FIT_TESTS_CONFORMANCE_FAULTS_H

#include "conformance_kv.h"
#include "conformance_lease.h"

/* How the next operations of one kind and verb end. */
struct fault {
    enum store_kind kind;
    int verb;
    enum store_status status;
    bool applied;
    unsigned times;
};

static struct fault fault;

static int fault_verb(const struct store_op *op)
{
    return op->kind == STORE_KV ? (int)((const struct kv_op *)(const void *)op)->verb
                                : (int)((const struct lease_op *)(const void *)op)->verb;
}

static enum store_status fault_judge(void *owner, const struct store_op *op, bool *applied)
{
    (void)owner;
    if (!fault.times || op->kind != fault.kind || fault_verb(op) != fault.verb)
        return STORE_OK;
    fault.times--;
    *applied = fault.applied;
    return fault.status;
}

static struct world *fault_begin(void **state, struct fault next)
{
    struct world *world = *state;
    fault = next;
    world->faults.judge = fault_judge;
    return world;
}

static void says_that_nothing_has_changed(void **state)
{
    struct world *world =
        fault_begin(state, (struct fault){STORE_KV, KV_PUT, STORE_NOT_APPLIED, false, 1});
    struct kv_op op = {.verb = KV_PUT, .key = STR("a"), .value = STR("1")};
    assert_int_equal(kv_do(world, &op), STORE_NOT_APPLIED);
    kv_assert(world, STR("a"), NULL);
    assert_int_equal(kv_do(world, &op), STORE_OK);
    kv_op_free(&op);
}

static void settles_an_unknown_write_by_repeating_it(void **state)
{
    for (int applied = 0; applied < 2; applied++) {
        struct world *world =
            fault_begin(state, (struct fault){STORE_KV, KV_CAS, STORE_UNKNOWN, applied, 1});
        uint64_t before = kv_put(world, STR("a"), "1");
        struct kv_op op = {.verb = KV_CAS,
                           .key = STR("a"),
                           .value = STR("2"),
                           .expected = before,
                           .nonce = (uint64_t)applied + 1};
        assert_int_equal(kv_do(world, &op), STORE_UNKNOWN);
        kv_assert(world, STR("a"), applied ? "2" : "1");
        assert_int_equal(kv_do(world, &op), STORE_OK);
        assert_int_equal(kv_assert(world, STR("a"), "2"), op.version);
        assert_true(op.version > before);
        kv_op_free(&op);
    }
}

static void updates_once_whatever_the_connection_does(void **state)
{
    for (int applied = 0; applied < 2; applied++) {
        for (unsigned times = 1; times <= KV_UPDATE_REPEATS; times++) {
            struct world *world =
                fault_begin(state, (struct fault){STORE_KV, KV_CAS, STORE_UNKNOWN, applied, times});
            int left = 1;
            bool done = false;
            struct counting one = {.world = world, .left = &left, .done = &done};
            one.update = (struct kv_update){
                .key = STR("n"), .change = one_more, .done = counted, .owner = &one};
            kv_put(world, STR("n"), "41");
            kv_update_start(world->store, &one.update, times * 2 + (unsigned)applied);
            world_await(world, &done);
            kv_assert(world, STR("n"), "42");
            kv_update_free(&one.update);
        }
    }
}

static void unknown_update_done(struct kv_update *update)
{
    struct counting *counting = update->owner;
    assert_int_equal(update->status, STORE_UNKNOWN);
    assert_non_null(update->err);
    world_tell(counting->world, counting->done);
}

static void says_unknown_when_the_connection_does_not_come_back(void **state)
{
    struct world *world = fault_begin(
        state, (struct fault){STORE_KV, KV_CAS, STORE_UNKNOWN, false, KV_UPDATE_REPEATS + 1});
    bool done = false;
    struct counting one = {.world = world, .done = &done};
    one.update = (struct kv_update){
        .key = STR("n"), .change = one_more, .done = unknown_update_done, .owner = &one};
    kv_update_start(world->store, &one.update, 7);
    world_await(world, &done);
    kv_update_free(&one.update);
}

static void gets_a_lease_once_whatever_the_connection_does(void **state)
{
    for (int applied = 0; applied < 2; applied++) {
        struct world *world = fault_begin(
            state, (struct fault){STORE_LEASE, LEASE_ACQUIRE, STORE_UNKNOWN, applied, 2});
        struct holding holding;
        hold_begin(&holding, world, 60 * LEASE_SECONDS, 0);
        hold_await(&holding);
        assert_true(holding.held);
        struct lease_op look = {.verb = LEASE_LOOK, .name = STR("a")};
        assert_int_equal(lease_do(world, &look), STORE_OK);
        assert_int_equal(look.held.token, holding.token);
        lease_hold_free(holding.hold);
        store_flush(world->store);
    }
}

static void keeps_a_lease_over_a_renewal_that_failed(void **state)
{
    struct world *world =
        fault_begin(state, (struct fault){STORE_LEASE, LEASE_RENEW, STORE_NOT_APPLIED, false, 1});
    struct holding holding;
    int64_t first = 0;
    hold_begin(&holding, world, LEASE_SECONDS * 2, 0);
    hold_await(&holding);
    struct lease_op look = {.verb = LEASE_LOOK, .name = STR("a")};
    do {
        world_turn(world);
        assert_int_equal(lease_do(world, &look), STORE_OK);
        first = first ? first : look.held.deadline;
    } while (look.held.deadline == first);
    assert_int_equal(fault.times, 0);
    assert_false(holding.lost);
    lease_hold_free(holding.hold);
}

static void goes_on_watching_after_a_resync(void **state)
{
    struct world *world =
        fault_begin(state, (struct fault){STORE_KV, KV_CHANGES, STORE_LOST, false, 0});
    struct watching watching;
    kv_put(world, STR("a"), "1");
    watch_begin(&watching, world, STR(""), 0);
    watch_await(&watching, 1, "a=1 ");
    watching.done = false;
    fault.times = 1;
    kv_put(world, STR("a"), "2");
    world_await(world, &watching.done);
    assert_int_equal(watching.resyncs, 1);
    kv_assert(world, STR("a"), "2");
    kv_put(world, STR("a"), "3");
    watching.done = false;
    while (!str_ends(buf_str(&watching.seen), STR("a=3 "))) {
        watching.wanted = watching.count + 1;
        watching.done = false;
        world_await(world, &watching.done);
    }
    watch_end(&watching);
}

static const struct claim fault_claims[] = {
    CLAIM(says_that_nothing_has_changed),
    CLAIM(settles_an_unknown_write_by_repeating_it),
    CLAIM(updates_once_whatever_the_connection_does),
    CLAIM(says_unknown_when_the_connection_does_not_come_back),
    CLAIM(gets_a_lease_once_whatever_the_connection_does),
    CLAIM(keeps_a_lease_over_a_renewal_that_failed),
    CLAIM(goes_on_watching_after_a_resync),
    {0},
};

#endif
