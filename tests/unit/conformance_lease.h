/* conformance_lease.h: what any store must do with leases of names. */
#ifndef FIT_TESTS_CONFORMANCE_LEASE_H
#define FIT_TESTS_CONFORMANCE_LEASE_H

#include "state/lease.h"
#include "state/lease_hold.h"
#include "store_conformance.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEASE_SECONDS INT64_C(1000000000)

static enum store_status lease_do(struct world *world, struct lease_op *op)
{
    return WORLD_DO(world, lease_submit, op);
}

static void gives_a_name_to_one_at_a_time(void **state)
{
    struct world *world = *state;
    struct lease_op one = {.verb = LEASE_ACQUIRE, .name = STR("a"), .deadline = INT64_MAX};
    struct lease_op other = one;
    assert_int_equal(lease_do(world, &one), STORE_OK);
    assert_int_equal(lease_do(world, &other), STORE_CONFLICT);
    assert_int_equal(other.held.token, one.token);
    other.name = STR("b");
    assert_int_equal(lease_do(world, &other), STORE_OK);
    other.name = STR("a");
    one.verb = LEASE_RELEASE;
    assert_int_equal(lease_do(world, &one), STORE_OK);
    assert_int_equal(lease_do(world, &one), STORE_LOST);
    assert_int_equal(lease_do(world, &other), STORE_OK);
}

static void gives_tokens_that_only_grow(void **state)
{
    struct world *world = *state;
    uint64_t last = 0;
    for (int i = 0; i < 10; i++) {
        struct lease_op op = {.verb = LEASE_ACQUIRE, .deadline = INT64_MAX};
        op.name = i % 2 ? STR("a") : STR("b");
        assert_int_equal(lease_do(world, &op), STORE_OK);
        assert_true(op.token > last);
        last = op.token;
        op.verb = LEASE_RELEASE;
        assert_int_equal(lease_do(world, &op), STORE_OK);
    }
}

static void ends_a_lease_by_time_unless_it_is_renewed(void **state)
{
    struct world *world = *state;
    world_invent_time(world, 1000 * LEASE_SECONDS);
    struct lease_op one = {.verb = LEASE_ACQUIRE, .name = STR("a")};
    struct lease_op other = one;
    one.deadline = 1010 * LEASE_SECONDS;
    other.deadline = 1100 * LEASE_SECONDS;
    assert_int_equal(lease_do(world, &one), STORE_OK);
    world->wall = 1009 * LEASE_SECONDS;
    assert_int_equal(lease_do(world, &other), STORE_CONFLICT);
    assert_int_equal(other.held.deadline, 1010 * LEASE_SECONDS);
    one.verb = LEASE_RENEW;
    one.deadline = 1020 * LEASE_SECONDS;
    assert_int_equal(lease_do(world, &one), STORE_OK);
    world->wall = 1019 * LEASE_SECONDS;
    assert_int_equal(lease_do(world, &other), STORE_CONFLICT);
    world->wall = 1020 * LEASE_SECONDS;
    assert_int_equal(lease_do(world, &one), STORE_LOST);
    assert_int_equal(lease_do(world, &other), STORE_OK);
    assert_true(other.token > one.token);
    one.verb = LEASE_RELEASE;
    assert_int_equal(lease_do(world, &one), STORE_LOST);
    one.verb = LEASE_LOOK;
    assert_int_equal(lease_do(world, &one), STORE_OK);
    assert_int_equal(one.held.token, other.token);
}

static void looks_at_a_lease_without_taking_it(void **state)
{
    struct world *world = *state;
    struct lease_op look = {.verb = LEASE_LOOK, .name = STR("a")};
    assert_int_equal(lease_do(world, &look), STORE_ABSENT);
    struct lease_op op = {.verb = LEASE_ACQUIRE, .name = STR("a"), .deadline = INT64_MAX};
    assert_int_equal(lease_do(world, &op), STORE_OK);
    assert_int_equal(lease_do(world, &look), STORE_OK);
    assert_int_equal(look.held.token, op.token);
}

static void knows_its_own_acquisition_by_its_nonce(void **state)
{
    struct world *world = *state;
    struct lease_op op = {
        .verb = LEASE_ACQUIRE, .name = STR("a"), .deadline = INT64_MAX, .nonce = 5};
    assert_int_equal(lease_do(world, &op), STORE_OK);
    uint64_t token = op.token;
    assert_int_equal(lease_do(world, &op), STORE_OK);
    assert_int_equal(op.token, token);
    op.nonce = 6;
    assert_int_equal(lease_do(world, &op), STORE_CONFLICT);
}

/* ---- processes that hold ---- */

/* A process that only waits to be killed, and what names it. */
static pid_t sleeper(cell_holder *holder)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        cell_holder own = cell_self();
        if (write(ends[1], &own, sizeof own) != sizeof own)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ends[0], holder, sizeof *holder), sizeof *holder);
    close(ends[0]);
    close(ends[1]);
    return pid;
}

static void end_sleeper(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void ends_a_lease_with_its_holder(void **state)
{
    struct world *world = *state;
    cell_holder holder;
    if (!world->sees_death)
        skip();
    pid_t pid = sleeper(&holder);
    struct lease_op op = {.verb = LEASE_ACQUIRE, .name = STR("a"), .holder = holder};
    struct lease_op other = {
        .verb = LEASE_ACQUIRE, .name = STR("a"), .deadline = INT64_MAX, .holder = cell_self()};
    assert_int_equal(lease_do(world, &op), STORE_OK);
    assert_int_equal(lease_do(world, &other), STORE_CONFLICT);
    assert_true(other.held.holder == holder);
    end_sleeper(pid);
    assert_int_equal(lease_do(world, &other), STORE_OK);
}

/* ---- holds ---- */

struct holding {
    struct world *world;
    struct lease_hold *hold;
    uint64_t token;
    bool held, busy, lost, ended;
};

static void hold_held(void *owner, uint64_t token)
{
    struct holding *holding = owner;
    holding->held = true;
    holding->token = token;
    world_tell(holding->world, &holding->ended);
}

static void hold_busy(void *owner, const struct lease_held *by)
{
    struct holding *holding = owner;
    assert_true(by->token > 0);
    holding->busy = true;
    world_tell(holding->world, &holding->ended);
}

static void hold_lost(void *owner)
{
    struct holding *holding = owner;
    holding->lost = true;
    world_tell(holding->world, &holding->ended);
}

static void hold_failed(void *owner, const struct err *err)
{
    (void)owner;
    fail_msg("%s", err->text);
}

static const struct lease_hold_calls hold_calls = {hold_held, hold_busy, hold_lost, hold_failed};

static void hold_begin(struct holding *holding, struct world *world, int64_t ttl, int64_t until)
{
    *holding = (struct holding){.world = world};
    holding->hold = lease_hold_open(world->store, STR("a"), ttl, until, &hold_calls, holding);
}

static void hold_await(struct holding *holding)
{
    world_await(holding->world, &holding->ended);
    holding->ended = false;
}

static void says_busy_when_the_time_to_wait_is_over(void **state)
{
    struct world *world = *state;
    struct holding one, other;
    hold_begin(&one, world, 60 * LEASE_SECONDS, 0);
    hold_await(&one);
    assert_true(one.held);
    hold_begin(&other, world, 60 * LEASE_SECONDS, 0);
    hold_await(&other);
    assert_true(other.busy);
    lease_hold_free(other.hold);
    hold_begin(&other, world, 60 * LEASE_SECONDS, clock_now() + LEASE_SECONDS / 20);
    hold_await(&other);
    assert_true(other.busy);
    lease_hold_free(other.hold);
    lease_hold_free(one.hold);
}

static void hands_a_lease_to_who_waits_when_it_is_released(void **state)
{
    struct world *world = *state;
    struct holding one, other;
    hold_begin(&one, world, 60 * LEASE_SECONDS, 0);
    hold_await(&one);
    hold_begin(&other, world, 60 * LEASE_SECONDS, INT64_MAX);
    struct lease_op look = {.verb = LEASE_LOOK, .name = STR("a")};
    for (int i = 0; i < 5; i++) {
        world_turn(world);
        assert_int_equal(lease_do(world, &look), STORE_OK);
    }
    assert_false(other.held);
    lease_hold_free(one.hold);
    hold_await(&other);
    assert_true(other.held);
    assert_true(other.token > one.token);
    lease_hold_free(other.hold);
}

static void hands_a_lease_to_who_waits_when_its_holder_is_killed(void **state)
{
    struct world *world = *state;
    struct holding waiting;
    cell_holder holder;
    if (!world->sees_death)
        skip();
    pid_t pid = sleeper(&holder);
    struct lease_op op = {
        .verb = LEASE_ACQUIRE, .name = STR("a"), .holder = holder, .deadline = INT64_MAX};
    assert_int_equal(lease_do(world, &op), STORE_OK);
    hold_begin(&waiting, world, 60 * LEASE_SECONDS, INT64_MAX);
    struct lease_op look = {.verb = LEASE_LOOK, .name = STR("a")};
    for (int i = 0; i < 5; i++) {
        world_turn(world);
        assert_int_equal(lease_do(world, &look), STORE_OK);
    }
    assert_false(waiting.held);
    kill(pid, SIGKILL); /* who waits is told before its parent has reaped it */
    hold_await(&waiting);
    assert_true(waiting.held);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    lease_hold_free(waiting.hold);
}

static void waits_for_the_deadline_of_a_lease_without_a_holder(void **state)
{
    struct world *world = *state;
    struct holding waiting;
    struct lease_op op = {.verb = LEASE_ACQUIRE, .name = STR("a")};
    op.deadline = clock_wall() + LEASE_SECONDS / 5;
    assert_int_equal(lease_do(world, &op), STORE_OK);
    hold_begin(&waiting, world, 60 * LEASE_SECONDS, INT64_MAX);
    hold_await(&waiting);
    assert_true(waiting.held);
    assert_true(clock_wall() >= op.deadline);
    lease_hold_free(waiting.hold);
}

static void tells_a_holder_that_it_has_lost_the_lease(void **state)
{
    struct world *world = *state;
    struct holding holding;
    hold_begin(&holding, world, LEASE_SECONDS / 10, 0);
    hold_await(&holding);
    struct lease_op op = {.verb = LEASE_RELEASE, .name = STR("a"), .token = holding.token};
    assert_int_equal(lease_do(world, &op), STORE_OK);
    hold_await(&holding);
    assert_true(holding.lost);
    lease_hold_free(holding.hold);
}

static void renews_what_it_holds(void **state)
{
    struct world *world = *state;
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
    assert_int_equal(look.held.token, holding.token);
    lease_hold_free(holding.hold);
}

static const struct claim lease_claims[] = {
    CLAIM(gives_a_name_to_one_at_a_time),
    CLAIM(gives_tokens_that_only_grow),
    CLAIM(ends_a_lease_by_time_unless_it_is_renewed),
    CLAIM(looks_at_a_lease_without_taking_it),
    CLAIM(knows_its_own_acquisition_by_its_nonce),
    CLAIM(ends_a_lease_with_its_holder),
    CLAIM(says_busy_when_the_time_to_wait_is_over),
    CLAIM(hands_a_lease_to_who_waits_when_it_is_released),
    CLAIM(hands_a_lease_to_who_waits_when_its_holder_is_killed),
    CLAIM(waits_for_the_deadline_of_a_lease_without_a_holder),
    CLAIM(tells_a_holder_that_it_has_lost_the_lease),
    CLAIM(renews_what_it_holds),
    {0},
};

#endif
