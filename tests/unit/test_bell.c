/* test_bell.c: claims about state/bell.h. */
#include "state/bell.h"

#include "base/clock.h"
#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE (20 * NUM_SECOND) /* far beyond what anything here takes */

static char folder[64];
static struct home *home;
static struct loop *loop;
static struct err err;
static unsigned heard;

static void hear(void *owner)
{
    ++*(unsigned *)owner;
    loop_stop(loop);
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_bell.XXXXXX");
    if (!mkdtemp(folder) || !(home = home_open(folder, &err)) || !(loop = loop_new(&err)))
        return -1;
    heard = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char path[128];
    loop_free(loop);
    unlinkat(home->run, "bell.queue-a", 0);
    unlinkat(home->run, "bell.queue-b", 0);
    home_free(home);
    snprintf(path, sizeof path, "%s/run", folder);
    rmdir(path);
    snprintf(path, sizeof path, "%s/format", folder);
    unlink(path);
    return rmdir(folder);
}

struct deadline {
    struct loop_timer timer;
    bool reached;
};

static void deadline_reached(struct loop_timer *timer)
{
    ((struct deadline *)(void *)((char *)timer - offsetof(struct deadline, timer)))->reached = true;
    loop_stop(loop);
}

/* Run the loop until something stops it. False: nothing did. */
static bool run_for(int64_t time)
{
    struct deadline deadline = {.timer.fire = deadline_reached};
    loop_timer_set(loop, &deadline.timer, clock_now() + time);
    assert_int_equal(loop_run(loop, &err), 0);
    loop_timer_clear(loop, &deadline.timer);
    return !deadline.reached;
}

/* What has been rung is heard, and then there is silence. */
static void expect_heard(void)
{
    unsigned before = heard;
    assert_true(run_for(DEADLINE));
    assert_true(heard > before);
    while (run_for(NUM_SECOND / 100))
        ;
}

static void expect_silence(void)
{
    assert_false(run_for(NUM_SECOND / 100));
}

/* What a listener hears for a start is no ring. */
static struct bell *listen_to(const char *name)
{
    struct bell *bell = bell_open(home, "queue", str_of(name));
    assert_int_equal(bell_listen(bell, loop, hear, &heard, &err), 0);
    while (run_for(NUM_SECOND / 100))
        ;
    return bell;
}

static void ring(struct bell *bell)
{
    if (bell_ring(bell, &err) < 0)
        fail_msg("%s", err.text);
}

static void ring_from_a_child(const char *name)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct bell *bell = bell_open(home, "queue", str_of(name));
        _exit(bell_ring(bell, &err) < 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* ---- claims ---- */

static void wakes_who_listens_in_any_process(void **state)
{
    (void)state;
    struct bell *bell = listen_to("a");
    ring_from_a_child("a");
    expect_heard();
    ring(bell);
    expect_heard();
    ring_from_a_child("a");
    ring_from_a_child("a");
    expect_heard();
    ring_from_a_child("b");
    expect_silence();
    bell_free(bell);
    bell_free(NULL);
}

static void can_be_rung_when_nobody_listens(void **state)
{
    (void)state;
    struct bell *bell = bell_open(home, "queue", STR("a"));
    for (int i = 0; i < 10; i++)
        ring(bell);
    assert_int_equal(faccessat(home->run, "bell.queue-a", F_OK, 0), -1); /* nor is one made */
    struct bell *listener = listen_to("a");
    ring(bell);
    expect_heard();
    bell_free(listener);
    bell_free(bell);
}

static void keeps_silence_for_who_has_stopped(void **state)
{
    (void)state;
    struct bell *bell = listen_to("a");
    bell_deafen(bell);
    bell_deafen(bell);
    ring_from_a_child("a");
    expect_silence();
    assert_int_equal(bell_listen(bell, loop, hear, &heard, &err), 0);
    assert_int_equal(bell_listen(bell, loop, hear, &heard, &err), 0);
    while (run_for(NUM_SECOND / 100))
        ;
    ring_from_a_child("a");
    expect_heard();
    bell_free(bell);
}

static void wakes_at_every_ring_however_many_there_were(void **state)
{
    (void)state;
    enum { RINGS = 70000 }; /* a FIFO is full before that */
    struct bell *bell = listen_to("a"), *other = bell_open(home, "queue", STR("a"));
    for (int i = 0; i < RINGS; i++)
        ring(other);
    expect_heard();
    for (int i = 0; i < 100; i++) {
        ring(other);
        expect_heard();
    }
    bell_free(other);
    bell_free(bell);
}

/* Look, sleep, look: as those do who wait for something. */
static int wait_for_each_round(const unsigned *announced, unsigned rounds, int ready)
{
    loop = loop_new(&err);
    struct bell *bell = bell_open(home, "queue", STR("a"));
    if (bell_listen(bell, loop, hear, &heard, &err) < 0)
        return 1;
    for (unsigned round = 0; round <= rounds; round++) {
        while (__atomic_load_n(announced, __ATOMIC_ACQUIRE) < round) {
            if (!run_for(DEADLINE))
                return 2;
        }
        if (write(ready, "r", 1) != 1)
            return 3;
    }
    return 0;
}

/* Nobody is rung for twice: who misses one ring sleeps to the deadline. */
static void loses_no_ring_of_many_to_many(void **state)
{
    (void)state;
    enum { LISTENERS = 10, ROUNDS = 200 };
    int ready[2], status;
    pid_t pids[LISTENERS];
    struct bell *bells[2] = {bell_open(home, "queue", STR("a")),
                             bell_open(home, "queue", STR("a"))};
    unsigned *announced =
        mmap(NULL, sizeof *announced, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_int_equal(pipe(ready), 0);
    for (int i = 0; i < LISTENERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(wait_for_each_round(announced, ROUNDS, ready[1]));
    }
    close(ready[1]);
    for (unsigned round = 0; round <= ROUNDS; round++) {
        char byte;
        if (round) {
            __atomic_store_n(announced, round, __ATOMIC_RELEASE);
            ring(bells[round % 2]);
        }
        for (int i = 0; i < LISTENERS; i++)
            assert_int_equal(read(ready[0], &byte, 1), 1);
    }
    for (int i = 0; i < LISTENERS; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    close(ready[0]);
    munmap(announced, sizeof *announced);
    bell_free(bells[0]);
    bell_free(bells[1]);
}

static void is_made_anew_when_somebody_removed_it(void **state)
{
    (void)state;
    struct bell *bell = listen_to("a"), *other = bell_open(home, "queue", STR("a"));
    ring(other);
    expect_heard();
    assert_int_equal(unlinkat(home->run, "bell.queue-a", 0), 0);
    expect_heard(); /* of the removal */
    ring_from_a_child("a");
    expect_heard();
    ring(other);
    expect_heard();
    bell_free(bell);
    bell_free(other);
}

static void is_heard_again_without_a_note_of_the_removal(void **state)
{
    (void)state;
    struct rlimit limit, low;
    struct bell *other = bell_open(home, "queue", STR("a"));
    ring(other);
    /* one descriptor for the FIFO, and none for the notes */
    int next = dup(0);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = (struct rlimit){(rlim_t)next + 1, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    struct bell *bell = listen_to("a");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ring(other);
    expect_heard();
    assert_int_equal(unlinkat(home->run, "bell.queue-a", 0), 0);
    ring(other); /* which has the old one open */
    expect_heard();
    ring_from_a_child("a");
    expect_heard();
    bell_free(bell);
    bell_free(other);
}

static void refuses_what_is_no_fifo_and_leaves_it(void **state)
{
    (void)state;
    char text[16] = "";
    int fd = openat(home->run, "bell.queue-a", O_RDWR | O_CREAT, 0600);
    assert_int_equal(write(fd, "precious", 8), 8);
    struct bell *bell = bell_open(home, "queue", STR("a"));
    assert_int_equal(bell_ring(bell, &err), -1);
    assert_int_equal(err.kind, ERR_STATE);
    assert_int_equal(bell_listen(bell, loop, hear, &heard, &err), -1);
    assert_int_equal(pread(fd, text, sizeof text, 0), 8);
    assert_string_equal(text, "precious");
    close(fd);
    unlinkat(home->run, "bell.queue-a", 0);
    assert_int_equal(symlinkat("/dev/null", home->run, "bell.queue-a"), 0);
    assert_int_equal(bell_ring(bell, &err), -1);
    assert_int_equal(err.sys_errno, ELOOP);
    bell_free(bell);
}

static struct bell *freed;

static void free_it(void *owner)
{
    (void)owner;
    bell_free(freed);
    freed = NULL;
    loop_stop(loop);
}

static void can_be_freed_by_who_hears_it(void **state)
{
    (void)state;
    freed = bell_open(home, "queue", STR("a"));
    assert_int_equal(bell_listen(freed, loop, free_it, NULL, &err), 0);
    ring(freed);
    assert_true(run_for(DEADLINE));
    assert_null(freed);
    expect_silence();
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(wakes_who_listens_in_any_process),
        CLAIM(can_be_rung_when_nobody_listens),
        CLAIM(keeps_silence_for_who_has_stopped),
        CLAIM(wakes_at_every_ring_however_many_there_were),
        CLAIM(loses_no_ring_of_many_to_many),
        CLAIM(is_made_anew_when_somebody_removed_it),
        CLAIM(is_heard_again_without_a_note_of_the_removal),
        CLAIM(refuses_what_is_no_fifo_and_leaves_it),
        CLAIM(can_be_freed_by_who_hears_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
