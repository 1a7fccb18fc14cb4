/* test_rings.c: claims about the bells of a store. */
#include "state/rings.h"

#include "base/clock.h"
#include "sys/loop.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define CLAIM(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

enum { PATIENCE = 60 }; /* seconds: a test that waits longer has failed */

static char path[] = "/tmp/fit-rings.XXXXXX";
static struct loop *loop;
static struct home *home;
static struct rings rings;
static struct store_ear ear;
static unsigned times;
static int64_t now = NUM_SECOND, wall = NUM_SECOND;

static void heard(void *owner)
{
    (void)owner;
    times++;
    loop_stop(loop);
}

static int setup(void **state)
{
    struct err err;
    (void)state;
    clock_invent(&now, &wall);
    loop = loop_new(&err);
    assert_non_null(mkdtemp(path));
    home = home_open(path, &err);
    assert_non_null(home);
    rings = (struct rings){.home = home, .loop = loop};
    ear = (struct store_ear){.kind = "topic", .name = STR("news"), .heard = heard};
    times = 0;
    alarm(PATIENCE);
    return rings_listen(&rings, &ear, &err);
}

static int remove_entry(const char *name, const struct stat *stat, int kind, struct FTW *place)
{
    (void)stat;
    (void)kind;
    (void)place;
    return remove(name);
}

static int teardown(void **state)
{
    (void)state;
    alarm(0);
    rings_deafen(&rings, &ear);
    rings_free(&rings);
    home_free(home);
    loop_free(loop);
    clock_invent(NULL, NULL);
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    snprintf(path, sizeof path, "/tmp/fit-rings.XXXXXX");
    return 0;
}

static void turn(void)
{
    struct err err;
    assert_int_equal(loop_run(loop, &err), 0);
}

static void hears_what_was_rung(void **state)
{
    (void)state;
    rings_add(&rings, "topic", STR("news"));
    rings_ring(&rings);
    turn();
    assert_int_equal(times, 1);
}

static void is_called_now_and_then_when_nobody_has_rung(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 3; i++) {
        now += RINGS_AGAIN;
        turn();
        assert_int_equal(times, i);
    }
}

static void stop(struct loop_timer *timer)
{
    (void)timer;
    loop_stop(loop);
}

static void is_not_called_when_it_does_not_listen(void **state)
{
    struct loop_timer later = {.fire = stop};
    (void)state;
    rings_deafen(&rings, &ear);
    now += 2 * RINGS_AGAIN;
    loop_timer_set(loop, &later, now);
    turn();
    assert_int_equal(times, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(hears_what_was_rung),
        CLAIM(is_called_now_and_then_when_nobody_has_rung),
        CLAIM(is_not_called_when_it_does_not_listen),
    };
    return cmocka_run_group_tests_name("rings", tests, NULL, NULL);
}
