/*
 * fn_world.h: what a function is called in, for claims about functions: a loop, a context and
 * settings for each test, and a scratch folder. The loop turns until something holds.
 */
#ifndef FIT_TESTS_FN_WORLD_H
#define FIT_TESTS_FN_WORLD_H

#include "fn/function.h"

#include "base/num.h"

#include "../helpers/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/timerfd.h>
#include <time.h>

#include <cmocka.h>

#define DEADLINE    (60 * NUM_SECOND) /* far beyond what anything here takes */
#define MILLISECOND (NUM_SECOND / 1000)

static struct loop *loop;
static struct rng rng;
static struct fn_context context;
static struct fn_settings settings;
static struct err err;

static void world_say(void *owner, struct str lines)
{
    (void)owner;
    (void)lines;
}

/* For cmocka's set-up, which adds to the context and the settings what it wants. */
static int world_make(void **state)
{
    extern char **environ;
    if (scratch_make(state) < 0)
        return -1;
    loop = loop_new(&err);
    rng_seed(&rng, 1);
    context = (struct fn_context){.loop = loop,
                                  .rng = &rng,
                                  .command = "test",
                                  .path = "/usr/bin:/bin",
                                  .temp_dir = scratch,
                                  .environment = environ,
                                  .say = world_say};
    settings = fn_defaults;
    return loop ? 0 : -1;
}

/* Its functions and stores are gone before. */
static int world_remove(void **state)
{
    loop_free(loop);
    block_drop_kept();
    return scratch_remove(state);
}

static void (*world_each)(void); /* what is done before each look; NULL: nothing */
static bool (*world_holds)(void);
static unsigned world_looks;

static inline void world_look(struct loop_fd *watch, uint32_t events)
{
    (void)events;
    uint64_t count;
    assert_int_equal(read(watch->fd, &count, sizeof count), (ssize_t)sizeof count);
    if (world_each)
        world_each();
    if (world_holds())
        loop_stop(loop);
    else if (++world_looks > DEADLINE / MILLISECOND)
        fail_msg("nothing happened");
}

/* Turn the loop until that holds: it looks each millisecond of real time, whatever clock_now says.
 */
static inline void until(bool (*condition)(void))
{
    const struct itimerspec often = {{0, MILLISECOND}, {0, MILLISECOND}};
    struct loop_fd watch = {.ready = world_look};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    assert_int_equal(timerfd_settime(fd, 0, &often, NULL), 0);
    assert_int_equal(loop_fd_add(loop, &watch, fd, EPOLLIN), 0);
    world_holds = condition;
    world_looks = 0;
    assert_int_equal(loop_run(loop, &err), 0);
    loop_fd_remove(loop, &watch);
    close(fd);
}

#endif
