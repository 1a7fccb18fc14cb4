/* test_shared.c: claims about breakers, rates and slots that processes share. */
#include "state/cell_file.h"
#include "state/shared_breaker.h"
#include "state/shared_rate.h"
#include "state/shared_slots.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE (30 * NUM_SECOND) /* far beyond what anything here takes */

/* What the processes of a test share beside the state. */
struct scene {
    int64_t now; /* an invented clock */
    unsigned held, most, taken, admitted, denied;
    unsigned turn;
};

static char folder[64];
static struct home *home;
static struct loop *loop;
static struct scene *scene;
static struct err err;

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_shared.XXXXXX");
    scene = mmap(NULL, sizeof *scene, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (scene == MAP_FAILED || !mkdtemp(folder))
        return -1;
    scene->now = 1000 * NUM_SECOND;
    home = home_open(folder, &err);
    return home ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    char path[128];
    struct dirent *entry;
    clock_invent(NULL, NULL);
    int fd = openat(home->run, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fdopendir(fd);
    while (dir && (entry = readdir(dir)))
        unlinkat(home->run, entry->d_name, 0);
    closedir(dir);
    home_free(home);
    munmap(scene, sizeof *scene);
    snprintf(path, sizeof path, "%s/run", folder);
    rmdir(path);
    snprintf(path, sizeof path, "%s/format", folder);
    unlink(path);
    return rmdir(folder);
}

/* ---- processes ---- */

/* Start a process that runs body and exits with what it returns. */
static pid_t start(int (*body)(int number), int number)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    loop = NULL; /* that of the parent */
    _exit(body(number));
}

static void start_all(pid_t *pids, int count, int (*body)(int number))
{
    for (int i = 0; i < count; i++)
        pids[i] = start(body, i);
}

static void expect_exit(pid_t pid, int status)
{
    int ended;
    assert_int_equal(waitpid(pid, &ended, 0), pid);
    assert_int_equal(ended, status);
}

static void expect_all_well(const pid_t *pids, int count)
{
    for (int i = 0; i < count; i++)
        expect_exit(pids[i], 0);
}

static void kill_and_reap(pid_t pid)
{
    kill(pid, SIGKILL);
    expect_exit(pid, SIGKILL);
}

static unsigned bump(unsigned *counter)
{
    return __atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
}

static unsigned value(const unsigned *counter)
{
    return __atomic_load_n(counter, __ATOMIC_SEQ_CST);
}

/* Until the counter is there; false at the deadline. */
static bool reaches(const unsigned *counter, unsigned count)
{
    int64_t until = clock_now() + DEADLINE;
    while (value(counter) < count) {
        if (clock_now() > until)
            return false;
        sched_yield();
    }
    return true;
}

static void hang(void)
{
    for (;;)
        pause();
}

/* ---- slots ---- */

static void look_again(void *owner)
{
    (void)owner;
    loop_stop(loop);
}

static void give_up(struct loop_timer *timer)
{
    *timer = (struct loop_timer){0};
    loop_stop(loop);
}

static struct shared_slots *open_slots(const char *name, unsigned limit)
{
    if (!loop)
        loop = loop_new(&err);
    struct shared_slots *slots =
        shared_slots_open(home, str_of(name), limit, loop, look_again, NULL, NULL, &err);
    if (!slots)
        fail_msg("%s", err.text);
    return slots;
}

static void close_slots(struct shared_slots *slots)
{
    shared_slots_free(slots);
    loop_free(loop);
    loop = NULL;
}

/* Take a slot, sleeping in the loop; -1 when the deadline woke it. */
static int wait_for_slot(struct shared_slots *slots)
{
    struct loop_timer timer = {.fire = give_up};
    int slot = shared_slots_take(slots);
    if (slot >= 0)
        return slot;
    if (shared_slots_wait(slots, true, &err) < 0)
        return -1;
    loop_timer_set(loop, &timer, clock_now() + DEADLINE);
    while ((slot = shared_slots_take(slots)) < 0 && timer.fire)
        loop_run(loop, &err);
    loop_timer_clear(loop, &timer);
    shared_slots_wait(slots, false, &err);
    return slot;
}

static void numbers_slots_from_0_and_has_no_more_than_there_are(void **state)
{
    (void)state;
    struct shared_slots *slots = open_slots("a", 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(shared_slots_take(slots), i);
    assert_int_equal(shared_slots_take(slots), -1);
    shared_slots_give(slots, 1);
    assert_int_equal(shared_slots_take(slots), 1);
    assert_int_equal(shared_slots_take(slots), -1);
    struct shared_slots_use use = shared_slots_look(slots);
    assert_int_equal(use.limit, 3);
    assert_int_equal(use.held, 3);
    assert_int_equal(use.waiting, 0);
    struct shared_slots *others = open_slots("b", 1);
    assert_int_equal(shared_slots_take(others), 0);
    shared_slots_free(others);
    struct shared_slots *later = open_slots("a", 3);
    assert_int_equal(shared_slots_take(later), -1);
    shared_slots_free(slots);
    assert_int_equal(shared_slots_take(later), 0);
    close_slots(later);
}

static void refuses_numbers_of_slots_that_cannot_be(void **state)
{
    (void)state;
    assert_null(shared_slots_open(home, STR("a"), 0, NULL, NULL, NULL, NULL, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    assert_null(shared_slots_open(home, STR("a"), SLOTS_MAX + 1, NULL, NULL, NULL, NULL, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    struct shared_slots *slots = open_slots("a", SLOTS_MAX);
    for (int i = 0; i < SLOTS_MAX; i++)
        assert_int_equal(shared_slots_take(slots), i);
    assert_int_equal(shared_slots_take(slots), -1);
    close_slots(slots);
}

static void holds_who_says_fewer_to_fewer(void **state)
{
    (void)state;
    struct shared_slots *five = open_slots("a", 5), *two = open_slots("a", 2);
    assert_int_equal(shared_slots_take(five), 0);
    assert_int_equal(shared_slots_take(five), 1);
    assert_int_equal(shared_slots_take(two), -1);
    assert_int_equal(shared_slots_take(five), 2);
    shared_slots_give(five, 0);
    assert_int_equal(shared_slots_take(two), -1);
    shared_slots_give(five, 1);
    assert_int_equal(shared_slots_take(two), 0);
    shared_slots_free(two);
    close_slots(five);
}

enum { SLOTS = 5, TAKERS = 40, TURNS = 20 };

static int contend(int number)
{
    (void)number;
    struct shared_slots *slots = open_slots("a", SLOTS);
    for (int i = 0; i < TURNS; i++) {
        int slot = wait_for_slot(slots);
        if (slot < 0 || slot >= SLOTS)
            return 1;
        unsigned held = bump(&scene->held);
        bump(&scene->taken);
        for (int n = 0; n < 3; n++)
            sched_yield();
        __atomic_sub_fetch(&scene->held, 1, __ATOMIC_SEQ_CST);
        shared_slots_give(slots, slot);
        if (held > SLOTS)
            return 2;
    }
    close_slots(slots);
    return 0;
}

static void never_lets_forty_processes_hold_more_than_five(void **state)
{
    (void)state;
    pid_t pids[TAKERS];
    start_all(pids, TAKERS, contend);
    expect_all_well(pids, TAKERS);
    assert_int_equal(value(&scene->taken), TAKERS * TURNS);
    struct shared_slots *slots = open_slots("a", SLOTS);
    struct shared_slots_use use = shared_slots_look(slots);
    assert_int_equal(use.held, 0);
    assert_int_equal(use.waiting, 0);
    close_slots(slots);
}

static int take_and_hang(int number)
{
    struct shared_slots *slots = open_slots("a", (unsigned)number);
    for (int i = 0; i < number; i++) {
        if (shared_slots_take(slots) < 0)
            return 1;
    }
    bump(&scene->taken);
    hang();
    return 0;
}

static void has_the_slots_of_a_killed_process_at_once(void **state)
{
    (void)state;
    pid_t pid = start(take_and_hang, 2);
    assert_true(reaches(&scene->taken, 1));
    struct shared_slots *slots = open_slots("a", 2);
    assert_int_equal(shared_slots_take(slots), -1);
    kill_and_reap(pid);
    assert_int_equal(shared_slots_take(slots), 0);
    assert_int_equal(shared_slots_take(slots), 1);
    assert_int_equal(shared_slots_take(slots), -1);
    close_slots(slots);
}

/* A parent that does not wait for its child leaves a zombie: it holds nothing. */
static void has_the_slots_of_a_zombie(void **state)
{
    (void)state;
    siginfo_t info;
    pid_t pid = start(take_and_hang, 1);
    assert_true(reaches(&scene->taken, 1));
    struct shared_slots *slots = open_slots("a", 1);
    kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(shared_slots_take(slots), 0);
    close_slots(slots);
    expect_exit(pid, SIGKILL);
}

static int wait_and_take(int number)
{
    struct shared_slots *slots = open_slots("a", (unsigned)number);
    if (shared_slots_take(slots) >= 0 || shared_slots_wait(slots, true, &err) < 0)
        return 1;
    struct loop_timer timer = {.fire = give_up};
    loop_timer_set(loop, &timer, clock_now() + DEADLINE);
    int slot = shared_slots_take(slots);
    bump(&scene->turn); /* from here on it sleeps */
    while (slot < 0 && timer.fire) {
        loop_run(loop, &err);
        slot = shared_slots_take(slots);
    }
    bump(&scene->admitted);
    return slot < 0;
}

static void wakes_a_sleeping_waiter_when_a_holder_is_killed(void **state)
{
    (void)state;
    pid_t holder = start(take_and_hang, 1);
    assert_true(reaches(&scene->taken, 1));
    pid_t waiters[3];
    for (int i = 0; i < 3; i++)
        waiters[i] = start(wait_and_take, 1);
    assert_true(reaches(&scene->turn, 3));
    struct shared_slots *slots = open_slots("a", 1);
    assert_int_equal(shared_slots_look(slots).waiting, 3);
    kill_and_reap(holder);
    expect_all_well(waiters, 3); /* each exits, and with it its slot is free */
    assert_int_equal(shared_slots_take(slots), 0);
    assert_int_equal(shared_slots_look(slots).waiting, 0);
    close_slots(slots);
}

static void wakes_a_sleeping_waiter_when_a_slot_is_given(void **state)
{
    (void)state;
    struct shared_slots *slots = open_slots("a", 1);
    assert_int_equal(shared_slots_take(slots), 0);
    pid_t waiter = start(wait_and_take, 1);
    assert_true(reaches(&scene->turn, 1));
    shared_slots_give(slots, 0);
    expect_exit(waiter, 0);
    close_slots(slots);
}

static void forgets_waiters_that_were_killed(void **state)
{
    (void)state;
    struct shared_slots *slots = open_slots("a", 1);
    assert_int_equal(shared_slots_take(slots), 0);
    pid_t waiter = start(wait_and_take, 1);
    assert_true(reaches(&scene->turn, 1));
    assert_int_equal(shared_slots_look(slots).waiting, 1);
    kill_and_reap(waiter);
    assert_int_equal(shared_slots_look(slots).waiting, 0);
    close_slots(slots);
}

static int contend_until_killed(int number)
{
    (void)number;
    struct shared_slots *slots = open_slots("a", SLOTS);
    for (;;) {
        int slot = wait_for_slot(slots);
        if (slot < 0)
            return 1;
        bump(&scene->taken);
        shared_slots_give(slots, slot);
    }
}

static void goes_on_when_holders_and_waiters_are_killed_at_any_moment(void **state)
{
    (void)state;
    enum { PROCESSES = 12, KILLS = 150 };
    pid_t pids[PROCESSES];
    start_all(pids, PROCESSES, contend_until_killed);
    for (int i = 0; i < KILLS; i++) {
        pid_t *victim = &pids[i % PROCESSES];
        assert_true(reaches(&scene->taken, value(&scene->taken) + 5));
        kill_and_reap(*victim);
        *victim = start(contend_until_killed, 0);
    }
    for (int i = 0; i < PROCESSES; i++)
        kill_and_reap(pids[i]);
    struct shared_slots *slots = open_slots("a", SLOTS);
    struct shared_slots_use use = shared_slots_look(slots);
    assert_int_equal(use.held, 0);
    assert_int_equal(use.waiting, 0);
    for (int i = 0; i < SLOTS; i++)
        assert_int_equal(shared_slots_take(slots), i);
    close_slots(slots);
}

static void remove_slots(const char *name)
{
    struct stat status;
    char file[HOME_FILE];
    struct cell_kind kind = {.name = "slots", .layout = 1};
    assert_int_equal(fstatat(home->run, home_file("slots", str_of(name), file), &status, 0), 0);
    kind.size = (size_t)status.st_size - offsetof(struct cell_map, payload);
    assert_int_equal(cell_remove(home, &kind, str_of(name), &err), 0);
}

static void keeps_what_is_held_when_the_cell_is_removed(void **state)
{
    (void)state;
    struct shared_slots *one = open_slots("a", 2), *two = open_slots("a", 2);
    assert_int_equal(shared_slots_take(one), 0);
    assert_int_equal(shared_slots_take(two), 1);
    remove_slots("a");
    assert_int_equal(shared_slots_look(two).held, 1);
    assert_int_equal(shared_slots_look(one).held, 2);
    assert_int_equal(shared_slots_take(two), -1);
    shared_slots_give(one, 0);
    shared_slots_give(two, 1);
    assert_int_equal(shared_slots_look(one).held, 0);
    shared_slots_free(two);
    close_slots(one);
}

static void wakes_a_waiter_of_a_cell_that_was_removed(void **state)
{
    (void)state;
    struct shared_slots *slots = open_slots("a", 1);
    assert_int_equal(shared_slots_take(slots), 0);
    pid_t waiter = start(wait_and_take, 1);
    assert_true(reaches(&scene->turn, 1));
    remove_slots("a");
    shared_slots_give(slots, 0);
    expect_exit(waiter, 0);
    close_slots(slots);
}

static void wakes_a_waiter_of_the_same_process(void **state)
{
    (void)state;
    for (int private = 0; private < 2; private ++) {
        loop = loop_new(&err);
        struct shared_slots *slots = shared_slots_open(private ? NULL : home, STR("a"), 1, loop,
                                                       look_again, NULL, NULL, &err);
        struct loop_timer timer = {.fire = give_up};
        assert_int_equal(shared_slots_take(slots), 0);
        assert_int_equal(shared_slots_wait(slots, true, &err), 0);
        assert_int_equal(shared_slots_take(slots), -1);
        shared_slots_give(slots, 0);
        loop_timer_set(loop, &timer, clock_now() + DEADLINE);
        int slot;
        while ((slot = shared_slots_take(slots)) < 0 && timer.fire)
            loop_run(loop, &err);
        assert_int_equal(slot, 0);
        loop_timer_clear(loop, &timer);
        close_slots(slots);
    }
}

struct thread {
    pthread_t id;
    int failed;
};

static void *slots_in_a_thread(void *argument)
{
    struct thread *thread = argument;
    struct err failure;
    struct shared_slots *slots =
        shared_slots_open(home, STR("a"), 2, NULL, NULL, NULL, NULL, &failure);
    for (int i = 0; slots && i < 2000; i++) {
        int slot = shared_slots_take(slots);
        if (slot < 0)
            continue;
        if (bump(&scene->held) > 2)
            thread->failed = 1;
        bump(&scene->taken);
        __atomic_sub_fetch(&scene->held, 1, __ATOMIC_SEQ_CST);
        shared_slots_give(slots, slot);
    }
    shared_slots_free(slots);
    thread->failed |= !slots;
    return NULL;
}

static void never_lets_threads_hold_more_slots(void **state)
{
    (void)state;
    struct thread threads[4] = {0};
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i].id, NULL, slots_in_a_thread, &threads[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i].id, NULL);
        assert_int_equal(threads[i].failed, 0);
    }
    assert_true(value(&scene->taken) > 0);
}

/* ---- breakers ---- */

enum { PROBES = 10, PROBERS = 20 };

static struct shared_breaker *open_breaker(const char *name)
{
    const struct breaker_choice choice = {
        .settings = {.probes = PROBES, .open_for = 10 * NUM_SECOND},
        .chosen = 1U << BREAKER_PROBES | 1U << BREAKER_OPEN_FOR};
    clock_invent(&scene->now, NULL);
    struct shared_breaker *breaker = shared_breaker_open(home, str_of(name), &choice, NULL, &err);
    if (!breaker)
        fail_msg("%s", err.text);
    return breaker;
}

static struct breaker *look(struct shared_breaker *shared)
{
    static struct breaker copy;
    shared_breaker_read(shared, &copy, NULL);
    return &copy;
}

/* Fail until it trips; the number of calls that took. */
static int trip(struct shared_breaker *shared)
{
    struct breaker_ticket ticket;
    for (int calls = 1; calls <= 100; calls++) {
        if (!shared_breaker_admit(shared, scene->now, &ticket))
            return -1;
        if (shared_breaker_record(shared, &ticket, BREAKER_FAILURE, 0, scene->now))
            return calls;
    }
    return -1;
}

static int fail_once(int number)
{
    (void)number;
    struct breaker_ticket ticket;
    struct shared_breaker *shared = open_breaker("a");
    if (!shared_breaker_admit(shared, scene->now, &ticket))
        return 2;
    return shared_breaker_record(shared, &ticket, BREAKER_FAILURE, 0, scene->now);
}

static void trips_by_the_results_of_several_processes(void **state)
{
    (void)state;
    struct breaker_ticket ticket;
    struct shared_breaker *shared = open_breaker("a");
    for (int i = 1; i <= 9; i++)
        expect_exit(start(fail_once, i), 0);
    assert_true(shared_breaker_admit(shared, scene->now, &ticket));
    expect_exit(start(fail_once, 10), 1 << 8);
    assert_int_equal(look(shared)->state, BREAKER_OPEN);
    assert_false(shared_breaker_admit(shared, scene->now, &ticket));
    assert_int_equal(shared_breaker_next_chance(shared, scene->now), scene->now + 10 * NUM_SECOND);
    shared_breaker_free(shared);
}

static void stays_as_it_was_when_it_is_opened_again(void **state)
{
    (void)state;
    struct breaker_ticket ticket;
    struct shared_breaker *shared = open_breaker("a");
    assert_int_equal(trip(shared), 10);
    shared_breaker_free(shared);
    shared = open_breaker("a");
    assert_int_equal(look(shared)->state, BREAKER_OPEN);
    assert_false(shared_breaker_admit(shared, scene->now, &ticket));
    struct shared_breaker *other = open_breaker("b");
    assert_true(shared_breaker_admit(other, scene->now, &ticket));
    shared_breaker_free(other);
    shared_breaker_free(shared);
}

static int ask_for_a_probe(int number)
{
    (void)number;
    struct breaker_ticket ticket;
    struct shared_breaker *shared = open_breaker("a");
    bump(&scene->turn);
    if (!reaches(&scene->turn, PROBERS))
        return 1;
    if (!shared_breaker_admit(shared, scene->now, &ticket)) {
        bump(&scene->denied);
        return 0;
    }
    bump(&scene->admitted);
    while (value(&scene->admitted) + value(&scene->denied) < PROBERS)
        sched_yield();
    shared_breaker_record(shared, &ticket, BREAKER_SUCCESS, 0, scene->now);
    return 0;
}

static void admits_exactly_its_probes_to_twenty_processes(void **state)
{
    (void)state;
    pid_t pids[PROBERS];
    struct shared_breaker *shared = open_breaker("a");
    assert_int_equal(trip(shared), 10);
    scene->now += 10 * NUM_SECOND;
    clock_invent(NULL, NULL);
    start_all(pids, PROBERS, ask_for_a_probe);
    expect_all_well(pids, PROBERS);
    assert_int_equal(value(&scene->admitted), PROBES);
    assert_int_equal(value(&scene->denied), PROBERS - PROBES);
    assert_int_equal(look(shared)->state, BREAKER_CLOSED);
    assert_int_equal(look(shared)->denied, PROBERS - PROBES);
    shared_breaker_free(shared);
}

static int take_a_probe_and_hang(int number)
{
    (void)number;
    struct breaker_ticket ticket;
    struct shared_breaker *shared = open_breaker("a");
    if (!shared_breaker_admit(shared, scene->now, &ticket))
        return 1;
    bump(&scene->admitted);
    hang();
    return 0;
}

static void has_the_probe_of_a_killed_process_again(void **state)
{
    (void)state;
    pid_t pids[PROBES];
    struct breaker_ticket ticket;
    struct shared_breaker *shared = open_breaker("a");
    assert_int_equal(trip(shared), 10);
    scene->now += 10 * NUM_SECOND;
    clock_invent(NULL, NULL);
    start_all(pids, PROBES, take_a_probe_and_hang);
    assert_true(reaches(&scene->admitted, PROBES));
    assert_false(shared_breaker_admit(shared, scene->now, &ticket));
    assert_int_equal(shared_breaker_next_chance(shared, scene->now), INT64_MAX);
    kill_and_reap(pids[3]);
    kill_and_reap(pids[7]);
    scene->now += NUM_SECOND;
    assert_int_equal(shared_breaker_next_chance(shared, scene->now), scene->now);
    assert_true(shared_breaker_admit(shared, scene->now, &ticket));
    shared_breaker_release(shared, &ticket);
    for (int i = 0; i < 2; i++)
        assert_true(shared_breaker_admit(shared, scene->now, &ticket));
    assert_false(shared_breaker_admit(shared, scene->now, &ticket));
    for (int i = 0; i < PROBES; i++) {
        if (i != 3 && i != 7)
            kill_and_reap(pids[i]);
    }
    shared_breaker_free(shared);
}

static void counts_no_late_result_of_an_older_generation(void **state)
{
    (void)state;
    struct breaker_ticket late[30], ticket;
    struct shared_breaker *shared = open_breaker("a");
    for (int i = 0; i < 30; i++)
        assert_true(shared_breaker_admit(shared, scene->now, &late[i]));
    assert_int_equal(trip(shared), 10);
    assert_false(shared_breaker_record(shared, &late[0], BREAKER_FAILURE, 0, scene->now));
    scene->now += 10 * NUM_SECOND;
    for (int i = 0; i < PROBES; i++) {
        assert_true(shared_breaker_admit(shared, scene->now, &ticket));
        assert_false(shared_breaker_record(shared, &late[i], BREAKER_FAILURE, 0, scene->now));
        bool last = i == PROBES - 1;
        assert_int_equal(shared_breaker_record(shared, &ticket, BREAKER_SUCCESS, 0, scene->now),
                         last);
    }
    for (int i = 0; i < 30; i++)
        assert_false(shared_breaker_record(shared, &late[i], BREAKER_FAILURE, 0, scene->now));
    assert_int_equal(look(shared)->state, BREAKER_CLOSED);
    assert_int_equal(look(shared)->window.counts.calls, 0);
    shared_breaker_free(shared);
}

static void obeys_the_hand_in_all_processes(void **state)
{
    (void)state;
    struct breaker_ticket ticket;
    struct shared_breaker *one = open_breaker("a"), *two = open_breaker("a");
    shared_breaker_set(one, BREAKER_FORCED_OPEN, scene->now);
    scene->now += 1000 * NUM_SECOND;
    assert_false(shared_breaker_admit(two, scene->now, &ticket));
    assert_int_equal(shared_breaker_next_chance(two, scene->now), INT64_MAX);
    shared_breaker_set(one, BREAKER_DISABLED, scene->now);
    assert_true(shared_breaker_admit(two, scene->now, &ticket));
    for (int i = 0; i < 100; i++)
        assert_false(shared_breaker_record(two, &ticket, BREAKER_FAILURE, 0, scene->now));
    shared_breaker_set(two, BREAKER_CLOSED, scene->now);
    assert_int_equal(trip(one), 10);
    assert_false(shared_breaker_admit(two, scene->now, &ticket));
    shared_breaker_free(one);
    shared_breaker_free(two);
}

static int record_until_killed(int number)
{
    struct shared_breaker *shared = open_breaker("a");
    while (bump(&scene->taken)) {
        struct breaker_ticket ticket;
        if (shared_breaker_admit(shared, scene->now, &ticket))
            shared_breaker_record(shared, &ticket, number % 3 ? BREAKER_FAILURE : BREAKER_SUCCESS,
                                  0, scene->now);
        else
            __atomic_add_fetch(&scene->now, NUM_SECOND, __ATOMIC_SEQ_CST);
    }
    return 0;
}

static void stays_sound_when_processes_are_killed_at_any_moment(void **state)
{
    (void)state;
    enum { PROCESSES = 4, KILLS = 100 };
    pid_t pids[PROCESSES];
    start_all(pids, PROCESSES, record_until_killed);
    for (int i = 0; i < KILLS; i++) {
        assert_true(reaches(&scene->taken, value(&scene->taken) + 50));
        kill_and_reap(pids[i % PROCESSES]);
        pids[i % PROCESSES] = start(record_until_killed, i);
    }
    for (int i = 0; i < PROCESSES; i++)
        kill_and_reap(pids[i]);
    struct shared_breaker *shared = open_breaker("a");
    struct breaker_ticket ticket;
    /* whatever it was: in time it closes, and then trips as a fresh one does */
    for (int i = 0; i < 100 && look(shared)->state != BREAKER_CLOSED; i++) {
        scene->now += NUM_SECOND;
        if (shared_breaker_admit(shared, scene->now, &ticket))
            shared_breaker_record(shared, &ticket, BREAKER_SUCCESS, 0, scene->now);
    }
    assert_int_equal(look(shared)->state, BREAKER_CLOSED);
    shared_breaker_set(shared, BREAKER_CLOSED, scene->now);
    assert_int_equal(trip(shared), 10);
    shared_breaker_free(shared);
}

static void *breaker_in_a_thread(void *argument)
{
    struct shared_breaker *shared = argument;
    for (int i = 0; i < 3000; i++) {
        struct breaker_ticket ticket;
        if (shared_breaker_admit(shared, 1000 * NUM_SECOND + i, &ticket))
            shared_breaker_record(shared, &ticket, BREAKER_SUCCESS, 0, 1000 * NUM_SECOND + i);
        if (i % 1000 == 999)
            shared_breaker_set(shared, BREAKER_CLOSED, 1000 * NUM_SECOND + i);
    }
    return NULL;
}

/* One mapping for all, in which ThreadSanitizer sees what is read without the lock. */
static void is_shared_by_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct shared_breaker *shared = open_breaker("a");
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, breaker_in_a_thread, shared), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(look(shared)->transitions, 12);
    shared_breaker_free(shared);
}

/* ---- rates ---- */

static const struct gcra_limit thousand = {1000, NUM_SECOND, 50};

static struct shared_rate *open_rate(const char *name)
{
    struct shared_rate *rate = shared_rate_open(home, str_of(name), NULL, &err);
    if (!rate)
        fail_msg("%s", err.text);
    return rate;
}

/*
 * All share a clock, and each look at it moves it on a little. It runs much faster than the real
 * one, so to be kept from running between a look and the taking would be as a clock set back: the
 * two are done in turn.
 */
static int take_for_ten_seconds(int number)
{
    uint64_t key = number < 0 ? 7 : 0;
    struct shared_rate *rate = open_rate("a");
    for (int64_t now = 0; now < 1010 * NUM_SECOND;) {
        while (__atomic_exchange_n(&scene->turn, 1, __ATOMIC_SEQ_CST))
            sched_yield();
        now = scene->now += 20000;
        scene->taken += !shared_rate_take(rate, key, &thousand, now, 1).limited;
        __atomic_store_n(&scene->turn, 0, __ATOMIC_SEQ_CST);
    }
    shared_rate_free(rate);
    return 0;
}

static int take_of_a_key(int number)
{
    return take_for_ten_seconds(-1 - number);
}

static void holds_the_sum_of_four_processes_to_the_rate(void **state)
{
    (void)state;
    int (*const ways[])(int number) = {take_for_ten_seconds, take_of_a_key};
    for (int i = 0; i < 2; i++) {
        pid_t pids[4];
        scene->now = 1000 * NUM_SECOND;
        scene->taken = 0;
        start_all(pids, 4, ways[i]);
        expect_all_well(pids, 4);
        assert_in_range(value(&scene->taken), 9950, 10050);
    }
}

static int take_for_a_second(int number)
{
    (void)number;
    struct shared_rate *rate = open_rate("a");
    int64_t until = scene->now;
    for (;;) {
        int64_t now = clock_now();
        if (now >= until)
            break;
        if (!shared_rate_take(rate, 0, &thousand, now, 1).limited)
            bump(&scene->taken);
    }
    return 0;
}

static void never_passes_the_rate_by_the_real_clock(void **state)
{
    (void)state;
    pid_t pids[4];
    int64_t begin = clock_now();
    scene->now = begin + NUM_SECOND;
    start_all(pids, 4, take_for_a_second);
    expect_all_well(pids, 4);
    assert_in_range(value(&scene->taken), 1, 1000 + 50 + 1);
}

static void grants_reservations_of_several_processes_one_after_the_other(void **state)
{
    (void)state;
    const struct gcra_limit slow = {10, NUM_SECOND, 1};
    struct shared_rate *one = open_rate("a"), *two = open_rate("a");
    for (int i = 0; i < 10; i++) {
        int64_t at;
        assert_true(
            shared_rate_reserve(i % 2 ? one : two, 0, &slow, scene->now, 1, 10 * NUM_SECOND, &at));
        assert_int_equal(at, scene->now + i * NUM_SECOND / 10);
    }
    struct gcra_answer answer = shared_rate_look(one, 0, &slow, scene->now, 1);
    assert_true(answer.limited);
    assert_int_equal(answer.retry_after, NUM_SECOND);
    assert_false(shared_rate_look(one, 0, &slow, scene->now + NUM_SECOND, 1).limited);
    shared_rate_free(one);
    shared_rate_free(two);
}

static void gives_each_key_its_own_bucket(void **state)
{
    (void)state;
    const struct gcra_limit one_a_minute = {1, 60 * NUM_SECOND, 1};
    struct shared_rate *rate = open_rate("a");
    for (uint64_t key = 0; key < 20000; key++)
        assert_false(shared_rate_look(rate, key, &one_a_minute, scene->now, 1).limited);
    for (uint64_t key = 0; key < 20000; key++)
        assert_false(shared_rate_take(rate, key, &one_a_minute, scene->now, 1).limited);
    struct shared_rate *other = open_rate("a");
    for (uint64_t key = 0; key < 20000; key++)
        assert_true(shared_rate_take(other, key, &one_a_minute, scene->now, 1).limited);
    shared_rate_free(other);
    shared_rate_free(rate);
}

static void reuses_the_places_of_keys_that_owe_nothing(void **state)
{
    (void)state;
    const struct gcra_limit ten = {10, NUM_SECOND, 1};
    struct shared_rate *rate = open_rate("a");
    for (uint64_t key = 1; key <= 3 * RATE_KEYS; key++) {
        assert_false(shared_rate_take(rate, key, &ten, scene->now, 1).limited);
        if (key % 1000 == 0)
            scene->now += NUM_SECOND;
    }
    shared_rate_free(rate);
}

static void limits_too_much_rather_than_too_little_when_all_places_owe(void **state)
{
    (void)state;
    const struct gcra_limit one_a_minute = {1, 60 * NUM_SECOND, 1};
    struct shared_rate *rate = open_rate("a");
    unsigned granted = 0;
    for (uint64_t key = 1; key <= 2 * RATE_KEYS; key++)
        granted += !shared_rate_take(rate, key, &one_a_minute, scene->now, 1).limited;
    assert_int_equal(granted, RATE_KEYS);
    for (uint64_t key = 1; key <= RATE_KEYS; key++)
        assert_true(shared_rate_take(rate, key, &one_a_minute, scene->now, 1).limited);
    shared_rate_free(rate);
}

static void makes_the_table_of_keys_only_for_a_key(void **state)
{
    (void)state;
    struct stat status;
    struct shared_rate *rate = open_rate("a");
    shared_rate_take(rate, 0, &thousand, scene->now, 1);
    assert_int_equal(fstatat(home->run, "ratekeys-a", &status, 0), -1);
    shared_rate_take(rate, 1, &thousand, scene->now, 1);
    assert_int_equal(fstatat(home->run, "ratekeys-a", &status, 0), 0);
    shared_rate_free(rate);
}

static void shares_the_level_that_was_found(void **state)
{
    (void)state;
    const struct aimd_bounds bounds = {1, 100};
    struct shared_rate *one = open_rate("a"), *two = open_rate("a");
    assert_true(shared_rate_level(two, &bounds, scene->now) == 100);
    shared_rate_failure(one, &bounds, scene->now, 0);
    assert_true(shared_rate_level(two, &bounds, scene->now) == 50);
    shared_rate_failure(one, &bounds, scene->now, 5 * NUM_SECOND);
    assert_true(shared_rate_level(two, &bounds, scene->now) == 1);
    scene->now += 6 * NUM_SECOND;
    shared_rate_success(two, &bounds, scene->now);
    assert_true(shared_rate_level(one, &bounds, scene->now) > 1);
    shared_rate_free(one);
    shared_rate_free(two);
}

/* ---- all ---- */

/* But exit, before which AddressSanitizer looks at its signal stack. */
static int forbid_system_calls(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sigaltstack, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
                   prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)
               ? -1
               : 0;
}

static int pass_all_three(int number)
{
    (void)number;
    struct breaker_ticket ticket;
    struct shared_breaker *breaker = open_breaker("a");
    struct shared_rate *rate = open_rate("a");
    struct shared_slots *slots = open_slots("a", SLOTS);
    shared_rate_take(rate, 1, &thousand, scene->now, 1);
    cell_self();
    if (forbid_system_calls() < 0)
        return 77;
    for (int i = 0; i < 10000; i++) {
        int slot = shared_slots_take(slots);
        if (slot < 0 || !shared_breaker_admit(breaker, scene->now, &ticket))
            return 1;
        shared_rate_take(rate, 0, &thousand, scene->now, 1);
        shared_rate_take(rate, 1, &thousand, scene->now, 1);
        shared_breaker_record(breaker, &ticket, BREAKER_SUCCESS, 0, scene->now);
        shared_slots_give(slots, slot);
    }
    return 0;
}

static void makes_no_system_call_for_an_admission(void **state)
{
    (void)state;
    int status;
    pid_t pid = start(pass_all_three, 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status == 77 << 8)
        skip(); /* no filters here */
    assert_int_equal(status, 0);
}

struct listed {
    char text[64];
};

static void note_name(void *owner, struct str name)
{
    struct listed *listed = owner;
    size_t used = strlen(listed->text);
    snprintf(listed->text + used, sizeof listed->text - used, "%.*s,", (int)name.len, name.data);
}

static void judges_by_the_settings_of_the_name(void **state)
{
    (void)state;
    static struct breaker copy;
    struct breaker_settings settings;
    struct breaker_ticket ticket;
    struct breaker_choice choice = {.settings = {.window_calls = 20, .consecutive = 2},
                                    .chosen = 1U << BREAKER_WINDOW | 1U << BREAKER_CONSECUTIVE};
    struct shared_breaker *plain = shared_breaker_open(home, STR("s"), NULL, NULL, &err);
    assert_true(shared_breaker_admit(plain, scene->now, &ticket));
    shared_breaker_record(plain, &ticket, BREAKER_FAILURE, 0, scene->now);
    shared_breaker_free(shared_breaker_open(home, STR("s"), &choice, NULL, &err));
    choice = (struct breaker_choice){.settings = {.probes = 3}, .chosen = 1U << BREAKER_PROBES};
    shared_breaker_free(shared_breaker_open(home, STR("s"), &choice, NULL, &err));
    shared_breaker_read(plain, &copy, &settings);
    assert_int_equal(settings.window_calls, 20);
    assert_int_equal(settings.consecutive, 2);
    assert_int_equal(settings.probes, 3);
    assert_int_equal(settings.min_calls, breaker_defaults.min_calls);
    assert_int_equal(copy.state, BREAKER_CLOSED);
    assert_int_equal(copy.generation, 1);
    assert_true(shared_breaker_admit(plain, scene->now, &ticket));
    assert_true(shared_breaker_record(plain, &ticket, BREAKER_FAILURE, 0, scene->now));
    shared_breaker_free(plain);
}

static void lists_each_by_its_kind(void **state)
{
    (void)state;
    struct listed breakers = {""}, rates = {""}, slots = {""};
    struct shared_rate *rate = open_rate("keys-x");
    shared_rate_take(rate, 1, &thousand, scene->now, 1);
    shared_rate_free(rate);
    shared_rate_free(open_rate("x"));
    shared_breaker_free(open_breaker("geocoder"));
    close_slots(open_slots("db", 2));
    assert_int_equal(shared_breaker_list(home, note_name, &breakers, &err), 0);
    assert_int_equal(shared_rate_list(home, note_name, &rates, &err), 0);
    assert_int_equal(shared_slots_list(home, note_name, &slots, &err), 0);
    assert_string_equal(breakers.text, "geocoder,");
    assert_string_equal(rates.text, "keys-x,x,");
    assert_string_equal(slots.text, "db,");
}

static void tells_of_a_damaged_file_and_begins_anew(void **state)
{
    (void)state;
    bool reset = false;
    struct breaker_ticket ticket;
    struct shared_breaker *shared = open_breaker("a");
    assert_int_equal(trip(shared), 10);
    shared_breaker_free(shared);
    int fd = openat(home->run, "breaker-a", O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "no", 2), 2);
    close(fd);
    shared = shared_breaker_open(home, STR("a"), NULL, &reset, &err);
    assert_non_null(shared);
    assert_true(reset);
    assert_true(shared_breaker_admit(shared, scene->now, &ticket));
    shared_breaker_free(shared);
}

static void works_alone_without_a_directory(void **state)
{
    (void)state;
    struct breaker_ticket ticket;
    struct shared_breaker *breaker = shared_breaker_open(NULL, STR("a"), NULL, NULL, &err);
    struct shared_rate *rate = shared_rate_open(NULL, STR("a"), NULL, &err);
    assert_true(shared_breaker_admit(breaker, scene->now, &ticket));
    assert_int_equal(trip(breaker), 10);
    for (uint64_t key = 0; key < 2; key++) {
        for (int i = 0; i < 50; i++)
            assert_false(shared_rate_take(rate, key, &thousand, scene->now, 1).limited);
        assert_true(shared_rate_take(rate, key, &thousand, scene->now, 1).limited);
    }
    shared_breaker_free(breaker);
    shared_rate_free(rate);
    shared_breaker_free(NULL);
    shared_rate_free(NULL);
    shared_slots_free(NULL);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(numbers_slots_from_0_and_has_no_more_than_there_are),
        CLAIM(refuses_numbers_of_slots_that_cannot_be),
        CLAIM(holds_who_says_fewer_to_fewer),
        CLAIM(never_lets_forty_processes_hold_more_than_five),
        CLAIM(has_the_slots_of_a_killed_process_at_once),
        CLAIM(has_the_slots_of_a_zombie),
        CLAIM(wakes_a_sleeping_waiter_when_a_holder_is_killed),
        CLAIM(wakes_a_sleeping_waiter_when_a_slot_is_given),
        CLAIM(forgets_waiters_that_were_killed),
        CLAIM(goes_on_when_holders_and_waiters_are_killed_at_any_moment),
        CLAIM(keeps_what_is_held_when_the_cell_is_removed),
        CLAIM(wakes_a_waiter_of_a_cell_that_was_removed),
        CLAIM(wakes_a_waiter_of_the_same_process),
        CLAIM(never_lets_threads_hold_more_slots),
        CLAIM(trips_by_the_results_of_several_processes),
        CLAIM(stays_as_it_was_when_it_is_opened_again),
        CLAIM(admits_exactly_its_probes_to_twenty_processes),
        CLAIM(has_the_probe_of_a_killed_process_again),
        CLAIM(counts_no_late_result_of_an_older_generation),
        CLAIM(obeys_the_hand_in_all_processes),
        CLAIM(stays_sound_when_processes_are_killed_at_any_moment),
        CLAIM(is_shared_by_threads),
        CLAIM(holds_the_sum_of_four_processes_to_the_rate),
        CLAIM(never_passes_the_rate_by_the_real_clock),
        CLAIM(grants_reservations_of_several_processes_one_after_the_other),
        CLAIM(gives_each_key_its_own_bucket),
        CLAIM(reuses_the_places_of_keys_that_owe_nothing),
        CLAIM(limits_too_much_rather_than_too_little_when_all_places_owe),
        CLAIM(makes_the_table_of_keys_only_for_a_key),
        CLAIM(shares_the_level_that_was_found),
        CLAIM(makes_no_system_call_for_an_admission),
        CLAIM(lists_each_by_its_kind),
        CLAIM(judges_by_the_settings_of_the_name),
        CLAIM(tells_of_a_damaged_file_and_begins_anew),
        CLAIM(works_alone_without_a_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
