/* test_loop.c: claims about sys/loop.h. */
#include "sys/loop.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY_TIMERS = 2000 };

static struct loop *the_loop;
static struct loop_timer deadline;
static char story[256]; /* what the callbacks of a test did, in order */

static void tell(const char *what)
{
    size_t used = strlen(story);
    snprintf(story + used, sizeof story - used, "%s%s", used ? " " : "", what);
}

static void too_late(struct loop_timer *timer)
{
    (void)timer;
    tell("TOO LATE");
    loop_stop(the_loop);
}

static int setup(void **state)
{
    (void)state;
    struct err err;
    the_loop = loop_new(&err);
    story[0] = '\0';
    deadline = (struct loop_timer){.fire = too_late};
    loop_timer_set(the_loop, &deadline, clock_now() + 20 * NUM_SECOND);
    return the_loop ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    loop_free(the_loop);
    return 0;
}

static void run(void)
{
    struct err err;
    assert_int_equal(loop_run(the_loop, &err), 0);
}

/* ---- descriptors ---- */

struct pipe_watch {
    struct loop_fd watch;
    struct pipe_watch *other;
    int ends[2];
    int calls;
};

static void open_pipe(struct pipe_watch *p)
{
    memset(p, 0, sizeof *p);
    assert_int_equal(pipe2(p->ends, O_CLOEXEC | O_NONBLOCK), 0);
}

static void close_pipe(struct pipe_watch *p)
{
    loop_fd_remove(the_loop, &p->watch);
    close(p->ends[0]);
    close(p->ends[1]);
}

static void count_and_stop(struct loop_fd *watch, uint32_t events)
{
    struct pipe_watch *p = (struct pipe_watch *)watch;
    assert_true(events & EPOLLIN);
    p->calls++;
    loop_stop(the_loop);
}

static void delivers_what_is_readable(void **state)
{
    (void)state;
    struct pipe_watch p;
    open_pipe(&p);
    p.watch.ready = count_and_stop;
    assert_int_equal(loop_fd_add(the_loop, &p.watch, p.ends[0], EPOLLIN), 0);
    assert_int_equal(write(p.ends[1], "x", 1), 1);
    run();
    run();
    assert_int_equal(p.calls, 2); /* level-triggered */
    close_pipe(&p);
}

static void remove_the_other(struct loop_fd *watch, uint32_t events)
{
    (void)events;
    struct pipe_watch *p = (struct pipe_watch *)watch;
    p->calls++;
    loop_fd_remove(the_loop, &p->other->watch);
    close(p->other->ends[0]);
    close(p->other->ends[1]);
    free(p->other);
    loop_fd_remove(the_loop, watch);
    loop_stop(the_loop);
}

static void never_delivers_to_a_watch_that_was_removed_in_the_same_batch(void **state)
{
    (void)state;
    struct pipe_watch *both[2];
    for (int i = 0; i < 2; i++) {
        both[i] = mem_zalloc(sizeof *both[i]);
        open_pipe(both[i]);
        both[i]->watch.ready = remove_the_other;
        assert_int_equal(loop_fd_add(the_loop, &both[i]->watch, both[i]->ends[0], EPOLLIN), 0);
        assert_int_equal(write(both[i]->ends[1], "x", 1), 1);
    }
    both[0]->other = both[1];
    both[1]->other = both[0];
    int first = both[0]->ends[0];
    run(); /* the address sanitizer sees a call of the freed one */
    struct pipe_watch *left = fcntl(first, F_GETFD) < 0 ? both[1] : both[0];
    assert_int_equal(left->calls, 1);
    close(left->ends[0]);
    close(left->ends[1]);
    free(left);
}

/* ---- watches that come and go in the callbacks of others ---- */

enum { CROWD = 150, CROWD_CALLS = 20000 }; /* a crowd of several batches */

static struct crowd_member {
    struct loop_fd watch;
    int ends[2];
    bool wanted;
} * crowd[CROWD];
static struct rng crowd_rng;
static int crowd_calls;

static void enter(int i);

static void leave(int i)
{
    loop_fd_remove(the_loop, &crowd[i]->watch);
    close(crowd[i]->ends[0]);
    close(crowd[i]->ends[1]);
    free(crowd[i]);
    crowd[i] = NULL;
}

static void change_the_crowd(struct loop_fd *watch, uint32_t events)
{
    struct crowd_member *member = (struct crowd_member *)watch;
    assert_true(events & EPOLLIN);
    assert_true(member->wanted);
    for (int changes = 0; changes < 3; changes++) {
        int i = (int)rng_below(&crowd_rng, CROWD);
        if (!crowd[i]) {
            enter(i);
        } else if (rng_below(&crowd_rng, 2)) {
            leave(i);
        } else {
            crowd[i]->wanted = !crowd[i]->wanted;
            loop_fd_change(the_loop, &crowd[i]->watch, crowd[i]->wanted ? EPOLLIN : 0);
        }
    }
    enter(crowd_calls % CROWD); /* so that it never runs empty */
    if (++crowd_calls == CROWD_CALLS)
        loop_stop(the_loop);
}

static void enter(int i)
{
    if (crowd[i])
        leave(i);
    crowd[i] = mem_zalloc(sizeof *crowd[i]);
    crowd[i]->watch.ready = change_the_crowd;
    crowd[i]->wanted = true;
    assert_int_equal(pipe2(crowd[i]->ends, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(write(crowd[i]->ends[1], "x", 1), 1);
    assert_int_equal(loop_fd_add(the_loop, &crowd[i]->watch, crowd[i]->ends[0], EPOLLIN), 0);
}

static void survives_any_coming_and_going_in_callbacks(void **state)
{
    (void)state;
    rng_seed(&crowd_rng, 3);
    crowd_calls = 0;
    for (int i = 0; i < CROWD; i++)
        enter(i);
    run();
    assert_int_equal(crowd_calls, CROWD_CALLS);
    for (int i = 0; i < CROWD; i++) {
        if (crowd[i])
            leave(i);
    }
}

static void a_paused_watch_is_silent_even_when_the_writer_hangs_up(void **state)
{
    (void)state;
    struct pipe_watch p, q;
    open_pipe(&p);
    open_pipe(&q);
    p.watch.ready = q.watch.ready = count_and_stop;
    assert_int_equal(loop_fd_add(the_loop, &p.watch, p.ends[0], EPOLLIN), 0);
    assert_int_equal(loop_fd_add(the_loop, &q.watch, q.ends[0], EPOLLIN), 0);
    assert_int_equal(loop_fd_change(the_loop, &p.watch, 0), 0);
    assert_true(p.watch.active);
    assert_int_equal(write(p.ends[1], "x", 1), 1);
    close(p.ends[1]);
    assert_int_equal(write(q.ends[1], "x", 1), 1);
    run();
    assert_int_equal(p.calls, 0);
    assert_int_equal(q.calls, 1);
    assert_int_equal(loop_fd_change(the_loop, &p.watch, EPOLLIN), 0);
    assert_int_equal(loop_fd_change(the_loop, &q.watch, 0), 0);
    run();
    assert_int_equal(p.calls, 1);
    p.ends[1] = dup(p.ends[0]);
    close_pipe(&p);
    close_pipe(&q);
}

static void refuses_a_regular_file(void **state)
{
    (void)state;
    struct loop_fd watch = {0};
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_int_equal(loop_fd_add(the_loop, &watch, fd, EPOLLIN), -1);
    assert_int_equal(errno, EPERM);
    assert_false(watch.active);
    close(fd);
}

/* ---- timers ---- */

struct numbered_timer {
    struct loop_timer timer;
    int64_t due;
    bool fired;
};

static int64_t invented;
static int64_t last_due;
static int fired_count;

static void check_order(struct loop_timer *timer)
{
    struct numbered_timer *t = (struct numbered_timer *)timer;
    assert_true(t->due >= last_due);
    assert_true(loop_now(the_loop) >= t->due);
    assert_false(t->fired);
    t->fired = true;
    last_due = t->due;
    fired_count++;
}

/* Queues itself again, so that the loop never sleeps in an invented time. */
static void advance(struct loop_task *task)
{
    invented += 1000;
    if (invented > INT64_C(1000) * MANY_TIMERS)
        loop_stop(the_loop);
    else
        loop_defer(the_loop, task);
}

static void fires_timers_in_the_order_of_their_times(void **state)
{
    (void)state;
    struct rng rng;
    struct numbered_timer *timers = mem_array(MANY_TIMERS, sizeof *timers);
    struct loop_task clock = {.run = advance};
    int kept = 0;
    rng_seed(&rng, 7);
    invented = last_due = fired_count = 0;
    clock_invent(&invented, NULL);
    loop_timer_set(the_loop, &deadline, INT64_MAX);
    for (int change = 0; change < 20 * MANY_TIMERS; change++) {
        struct numbered_timer *t = &timers[rng_below(&rng, MANY_TIMERS)];
        t->timer.fire = check_order;
        if (rng_below(&rng, 3) == 0) {
            loop_timer_clear(the_loop, &t->timer);
            continue;
        }
        t->due = (int64_t)rng_below(&rng, MANY_TIMERS * 1000);
        loop_timer_set(the_loop, &t->timer, t->due);
    }
    for (int i = 0; i < MANY_TIMERS; i++)
        kept += timers[i].timer.place != 0;
    loop_defer(the_loop, &clock);
    run();
    assert_int_equal(fired_count, kept);
    for (int i = 0; i < MANY_TIMERS; i++)
        assert_int_equal(timers[i].timer.place, 0);
    clock_invent(NULL, NULL);
    free(timers);
}

static void tell_a(struct loop_timer *timer)
{
    (void)timer;
    tell("a");
}

static void tell_b(struct loop_timer *timer)
{
    (void)timer;
    tell("b");
}

static void tell_c_and_stop(struct loop_timer *timer)
{
    (void)timer;
    tell("c");
    loop_stop(the_loop);
}

static void fires_timers_of_one_time_in_the_order_they_were_set(void **state)
{
    (void)state;
    struct loop_timer a = {.fire = tell_a}, b = {.fire = tell_b}, c = {.fire = tell_c_and_stop};
    int64_t at = clock_now() + NUM_SECOND / 500;
    loop_timer_set(the_loop, &c, at);
    loop_timer_set(the_loop, &a, at);
    loop_timer_set(the_loop, &b, at);
    loop_timer_set(the_loop, &c, at); /* moved behind the others */
    run();
    assert_string_equal(story, "a b c");
    assert_true(loop_now(the_loop) >= at);
}

static int resets;

static void set_again(struct loop_timer *timer)
{
    resets++;
    loop_timer_set(the_loop, timer, loop_now(the_loop) - 1);
}

static void a_timer_in_the_past_does_not_starve_descriptors(void **state)
{
    (void)state;
    struct loop_timer again = {.fire = set_again};
    struct pipe_watch p;
    open_pipe(&p);
    p.watch.ready = count_and_stop;
    loop_fd_add(the_loop, &p.watch, p.ends[0], EPOLLIN);
    loop_timer_set(the_loop, &again, clock_now() - 1);
    resets = 0;
    assert_int_equal(write(p.ends[1], "x", 1), 1);
    run();
    assert_true(resets <= 1);
    loop_timer_clear(the_loop, &again);
    close_pipe(&p);
}

/* ---- children ---- */

static int child_status;

static void child_exited(struct loop_child *child, int status, const struct rusage *usage)
{
    assert_int_equal(child->pid, 0);
    assert_true(usage->ru_maxrss > 0);
    child_status = status;
    tell("exited");
    loop_stop(the_loop);
}

static pid_t fork_child(int status, int gate)
{
    pid_t pid = fork();
    if (pid == 0) {
        char c;
        ssize_t got = read(gate, &c, 1);
        _exit(got == 1 ? status : 99);
    }
    return pid;
}

static void reports_how_a_child_ended(void **state)
{
    (void)state;
    struct loop_child child = {.exited = child_exited};
    int gate[2];
    assert_int_equal(pipe(gate), 0);
    pid_t pid = fork_child(7, gate[0]);
    assert_int_equal(loop_child_add(the_loop, &child, pid), 0);
    assert_int_equal(write(gate[1], "x", 1), 1);
    run();
    assert_string_equal(story, "exited");
    assert_true(WIFEXITED(child_status) && WEXITSTATUS(child_status) == 7);
    assert_int_equal(waitpid(pid, NULL, 0), -1); /* it was reaped */

    pid = fork_child(7, gate[0]);
    assert_int_equal(loop_child_add(the_loop, &child, pid), 0);
    kill(pid, SIGKILL);
    run();
    assert_true(WIFSIGNALED(child_status) && WTERMSIG(child_status) == SIGKILL);
    close(gate[0]);
    close(gate[1]);
}

static void a_removed_child_is_the_callers_to_reap(void **state)
{
    (void)state;
    struct loop_child child = {.exited = child_exited};
    struct loop_timer stop = {.fire = tell_c_and_stop};
    int gate[2], status;
    assert_int_equal(pipe(gate), 0);
    pid_t pid = fork_child(3, gate[0]);
    assert_int_equal(loop_child_add(the_loop, &child, pid), 0);
    loop_child_remove(the_loop, &child);
    assert_int_equal(write(gate[1], "x", 1), 1);
    loop_timer_set(the_loop, &stop, clock_now());
    run();
    assert_string_equal(story, "c");
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 3);
    close(gate[0]);
    close(gate[1]);
}

static void sees_a_child_although_SIGCHLD_was_inherited_ignored(void **state)
{
    (void)state;
    struct err err;
    struct loop *outer = the_loop;
    struct loop_child child = {.exited = child_exited};
    int gate[2];
    void (*old)(int) = signal(SIGCHLD, SIG_IGN);
    the_loop = loop_new(&err);
    assert_int_equal(pipe(gate), 0);
    pid_t pid = fork_child(5, gate[0]);
    assert_int_equal(loop_child_add(the_loop, &child, pid), 0);
    assert_int_equal(write(gate[1], "x", 1), 1);
    run();
    assert_int_equal(WEXITSTATUS(child_status), 5);
    loop_free(the_loop);
    assert_true(signal(SIGCHLD, old) == SIG_IGN); /* restored */
    the_loop = outer;
    close(gate[0]);
    close(gate[1]);
}

/* ---- signals ---- */

static void heard(void *context, int signo)
{
    tell(signo == SIGTERM ? "term" : "hup");
    if (++*(int *)context == 2)
        loop_stop(the_loop);
}

static void hands_signals_to_the_loop_and_restores_the_mask(void **state)
{
    (void)state;
    sigset_t before, after;
    struct err err;
    struct loop *outer = the_loop;
    int count = 0;
    sigprocmask(SIG_SETMASK, NULL, &before);
    the_loop = loop_new(&err);
    assert_int_equal(loop_signal(the_loop, SIGTERM, heard, &count), 0);
    assert_int_equal(loop_signal(the_loop, SIGHUP, heard, &count), 0);
    raise(SIGTERM);
    raise(SIGHUP);
    run();
    assert_true(!strcmp(story, "term hup") || !strcmp(story, "hup term"));
    loop_free(the_loop);
    sigprocmask(SIG_SETMASK, NULL, &after);
    assert_false(sigismember(&after, SIGTERM));
    assert_memory_equal(&before, &after, sizeof(unsigned long));
    the_loop = outer;
}

static void refuses_more_signals_than_its_limit(void **state)
{
    (void)state;
    int count = 0;
    for (int i = 0; i < LOOP_SIGNALS; i++)
        assert_int_equal(loop_signal(the_loop, SIGRTMIN + i, heard, &count), 0);
    assert_int_equal(loop_signal(the_loop, SIGRTMIN, heard, &count), 0);
    assert_int_equal(loop_signal(the_loop, SIGTERM, heard, &count), -1);
    assert_int_equal(errno, ENOSPC);
}

static int alarms;

static void alarm_rang(int signo)
{
    (void)signo;
    alarms++;
}

static void goes_on_when_a_foreign_handler_interrupts_its_sleep(void **state)
{
    (void)state;
    struct loop_timer stop = {.fire = tell_c_and_stop};
    struct sigaction action = {.sa_handler = alarm_rang}, old;
    sigaction(SIGALRM, &action, &old);
    alarms = 0;
    ualarm(1000, 1000);
    int64_t at = clock_now() + NUM_SECOND / 50;
    loop_timer_set(the_loop, &stop, at);
    run();
    ualarm(0, 0);
    sigaction(SIGALRM, &old, NULL);
    assert_string_equal(story, "c");
    assert_true(alarms > 0);
    assert_true(clock_now() >= at);
}

/* ---- deferred work and idleness ---- */

struct step {
    struct loop_task task;
    struct step *then;
    const char *name;
};

static void take_step(struct loop_task *task)
{
    struct step *step = (struct step *)task;
    tell(step->name);
    if (step->then)
        loop_defer(the_loop, &step->then->task);
}

static void stop_when_idle(struct loop_idle *idle)
{
    (void)idle;
    tell("idle");
    loop_stop(the_loop);
}

static void runs_deferred_work_once_and_then_the_idle_hooks(void **state)
{
    (void)state;
    struct step later = {{.run = take_step}, NULL, "later"};
    struct step first = {{.run = take_step}, &later, "first"};
    struct step second = {{.run = take_step}, NULL, "second"};
    struct loop_idle idle = {.run = stop_when_idle};
    loop_idle_add(the_loop, &idle);
    loop_idle_add(the_loop, &idle); /* twice is once */
    loop_defer(the_loop, &first.task);
    loop_defer(the_loop, &second.task);
    loop_defer(the_loop, &first.task);
    run();
    assert_string_equal(story, "first second later idle");
}

static struct step *victim;

static void undefer_the_victim(struct loop_task *task)
{
    (void)task;
    tell("undefer");
    loop_undefer(the_loop, &victim->task);
}

static void undeferred_work_does_not_run(void **state)
{
    (void)state;
    struct loop_task undefer = {.run = undefer_the_victim};
    struct step a = {{.run = take_step}, NULL, "a"}, b = {{.run = take_step}, NULL, "b"};
    struct step same_turn = {{.run = take_step}, NULL, "same"};
    struct loop_idle idle = {.run = stop_when_idle};
    loop_idle_add(the_loop, &idle);
    victim = &same_turn;
    loop_defer(the_loop, &a.task);
    loop_undefer(the_loop, &a.task);
    loop_defer(the_loop, &undefer);
    loop_defer(the_loop, &same_turn.task);
    loop_defer(the_loop, &b.task);
    loop_defer(the_loop, &a.task);
    loop_undefer(the_loop, &a.task);
    run();
    assert_string_equal(story, "undefer b idle");
}

static void stop_now(struct loop_task *task)
{
    (void)task;
    tell("stop");
    loop_stop(the_loop);
}

static void what_a_stop_left_over_runs_first_next_time(void **state)
{
    (void)state;
    struct loop_task stop = {.run = stop_now}, stop_again = {.run = stop_now};
    struct step a = {{.run = take_step}, NULL, "a"}, b = {{.run = take_step}, NULL, "b"};
    loop_defer(the_loop, &stop);
    loop_defer(the_loop, &a.task);
    run();
    loop_defer(the_loop, &b.task);
    loop_defer(the_loop, &stop_again);
    run();
    assert_string_equal(story, "stop a b stop");
}

static int turns;

static void count_turns(struct loop_task *task)
{
    if (++turns < 1000)
        loop_defer(the_loop, task);
}

static void looks_at_descriptors_between_turns_of_endless_work(void **state)
{
    (void)state;
    struct loop_task busy = {.run = count_turns};
    struct pipe_watch p;
    open_pipe(&p);
    p.watch.ready = count_and_stop;
    loop_fd_add(the_loop, &p.watch, p.ends[0], EPOLLIN);
    assert_int_equal(write(p.ends[1], "x", 1), 1);
    turns = 0;
    loop_defer(the_loop, &busy);
    run();
    assert_true(turns <= 1);
    loop_undefer(the_loop, &busy);
    close_pipe(&p);
}

static void ignores_SIGPIPE_while_it_lives(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_int_equal(write(ends[1], "x", 1), -1);
    assert_int_equal(errno, EPIPE);
    close(ends[1]);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(delivers_what_is_readable),
        CLAIM(never_delivers_to_a_watch_that_was_removed_in_the_same_batch),
        CLAIM(survives_any_coming_and_going_in_callbacks),
        CLAIM(a_paused_watch_is_silent_even_when_the_writer_hangs_up),
        CLAIM(refuses_a_regular_file),
        CLAIM(fires_timers_in_the_order_of_their_times),
        CLAIM(fires_timers_of_one_time_in_the_order_they_were_set),
        CLAIM(a_timer_in_the_past_does_not_starve_descriptors),
        CLAIM(reports_how_a_child_ended),
        CLAIM(a_removed_child_is_the_callers_to_reap),
        CLAIM(sees_a_child_although_SIGCHLD_was_inherited_ignored),
        CLAIM(hands_signals_to_the_loop_and_restores_the_mask),
        CLAIM(refuses_more_signals_than_its_limit),
        CLAIM(goes_on_when_a_foreign_handler_interrupts_its_sleep),
        CLAIM(runs_deferred_work_once_and_then_the_idle_hooks),
        CLAIM(undeferred_work_does_not_run),
        CLAIM(what_a_stop_left_over_runs_first_next_time),
        CLAIM(looks_at_descriptors_between_turns_of_endless_work),
        CLAIM(ignores_SIGPIPE_while_it_lives),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
