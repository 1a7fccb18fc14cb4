/* loop.c: the event loop: descriptors, timers, children, signals and deferred work. */
#include "sys/loop.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "sys/loop_heap.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Ready descriptors taken from the kernel at once; more of them are taken in the next turn. */
enum { LOOP_BATCH = 64 };

/*
 * The longest sleep. A sleep does not count the time that the machine is suspended, but clock_now
 * does: a timer that became due meanwhile is at most this late.
 */
#define LOOP_LONGEST_SLEEP (60 * INT64_C(1000000000))

struct loop_handler {
    int signo;
    void (*handle)(void *context, int signo);
    void *context;
};

struct loop_tasks {
    struct loop_task *first;
    struct loop_task **end;
};

struct loop {
    int epoll;
    bool stopped;
    bool coarse; /* the kernel has no epoll_pwait2: sleeps are rounded up to milliseconds */
    int64_t now;
    struct loop_heap timers;
    struct loop_tasks queued;  /* for the next turn */
    struct loop_tasks running; /* what is left of this turn's */
    struct loop_idle *idle;
    struct loop_idle *idle_next; /* the hook that runs after the current one */

    /* What the kernel reported. An entry whose watch was removed meanwhile is NULL. */
    struct epoll_event ready[LOOP_BATCH];
    int ready_count;
    int ready_next;

    struct loop_fd signal_watch;
    struct loop_handler handlers[LOOP_SIGNALS];
    int handler_count;
    sigset_t handled;
    sigset_t newly_blocked; /* what loop_free unblocks */
    struct sigaction old_pipe;
    struct sigaction old_child;
};

static void tasks_init(struct loop_tasks *tasks)
{
    tasks->first = NULL;
    tasks->end = &tasks->first;
}

struct loop *loop_new(struct err *err)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) {
        err_sys(err, "epoll_create1");
        return NULL;
    }
    struct loop *loop = mem_zalloc(sizeof *loop);
    loop->epoll = epoll;
    loop->now = clock_now();
    tasks_init(&loop->queued);
    tasks_init(&loop->running);
    sigemptyset(&loop->handled);
    sigemptyset(&loop->newly_blocked);
    struct sigaction ignored = {.sa_handler = SIG_IGN}, plain = {.sa_handler = SIG_DFL};
    sigaction(SIGPIPE, &ignored, &loop->old_pipe);
    sigaction(SIGCHLD, &plain, &loop->old_child);
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    if (loop->signal_watch.active)
        close(loop->signal_watch.fd);
    close(loop->epoll);
    sigaction(SIGPIPE, &loop->old_pipe, NULL);
    sigaction(SIGCHLD, &loop->old_child, NULL);
    sigprocmask(SIG_UNBLOCK, &loop->newly_blocked, NULL);
    loop_heap_free(&loop->timers);
    free(loop);
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

int64_t loop_now(const struct loop *loop)
{
    return loop->now;
}

/* ---- descriptors ---- */

static int control(struct loop *loop, int operation, struct loop_fd *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    return epoll_ctl(loop->epoll, operation, watch->fd, &event);
}

int loop_fd_add(struct loop *loop, struct loop_fd *watch, int fd, uint32_t events)
{
    watch->fd = fd;
    if (control(loop, EPOLL_CTL_ADD, watch, events))
        return -1;
    watch->active = true;
    watch->events = events;
    if (!events)
        control(loop, EPOLL_CTL_DEL, watch, 0);
    return 0;
}

int loop_fd_change(struct loop *loop, struct loop_fd *watch, uint32_t events)
{
    if (events == watch->events)
        return 0;
    /* A watch without events is taken out, because the kernel reports EPOLLHUP and EPOLLERR
     * unasked. */
    int operation = !watch->events ? EPOLL_CTL_ADD : !events ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    if (control(loop, operation, watch, events))
        return -1;
    watch->events = events;
    return 0;
}

void loop_fd_remove(struct loop *loop, struct loop_fd *watch)
{
    if (!watch->active)
        return;
    if (watch->events)
        control(loop, EPOLL_CTL_DEL, watch, 0);
    watch->active = false;
    watch->events = 0;
    for (int i = loop->ready_next; i < loop->ready_count; i++) {
        if (loop->ready[i].data.ptr == watch)
            loop->ready[i].data.ptr = NULL;
    }
}

/* ---- timers ---- */

void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at)
{
    loop_heap_set(&loop->timers, timer, at);
}

void loop_timer_clear(struct loop *loop, struct loop_timer *timer)
{
    loop_heap_clear(&loop->timers, timer);
}

/* At most as many as there were: timers that set themselves to the past must not starve the rest.
 */
static void fire_timers(struct loop *loop)
{
    for (uint32_t left = loop->timers.count; left && loop->timers.count && !loop->stopped; left--) {
        struct loop_timer *timer = loop->timers.entries[0].timer;
        if (timer->at > loop->now)
            return;
        loop_heap_clear(&loop->timers, timer);
        timer->fire(timer);
    }
}

/* ---- signals ---- */

static void signal_ready(struct loop_fd *watch, uint32_t events)
{
    (void)events;
    struct loop *loop = CONTAINER_OF(watch, struct loop, signal_watch);
    struct signalfd_siginfo arrived[LOOP_SIGNALS];
    ssize_t got = read(watch->fd, arrived, sizeof arrived);
    for (ssize_t i = 0; i < got / (ssize_t)sizeof arrived[0]; i++) {
        for (int h = 0; h < loop->handler_count; h++) {
            struct loop_handler *handler = &loop->handlers[h];
            if (handler->signo == (int)arrived[i].ssi_signo)
                handler->handle(handler->context, handler->signo);
        }
    }
}

int loop_signal(struct loop *loop, int signo, void (*handle)(void *context, int signo),
                void *context)
{
    int place = 0;
    while (place < loop->handler_count && loop->handlers[place].signo != signo)
        place++;
    if (place == LOOP_SIGNALS) {
        errno = ENOSPC;
        return -1;
    }
    sigset_t handled = loop->handled, one, before;
    sigemptyset(&one);
    if (sigaddset(&handled, signo) || sigaddset(&one, signo))
        return -1;
    int old = loop->signal_watch.active ? loop->signal_watch.fd : -1;
    int fd = signalfd(old, &handled, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return -1;
    loop->signal_watch.ready = signal_ready;
    if (old < 0 && loop_fd_add(loop, &loop->signal_watch, fd, EPOLLIN)) {
        int cause = errno;
        close(fd);
        errno = cause;
        return -1;
    }
    sigprocmask(SIG_BLOCK, &one, &before);
    if (!sigismember(&before, signo))
        sigaddset(&loop->newly_blocked, signo);
    loop->handled = handled;
    loop->handlers[place] = (struct loop_handler){signo, handle, context};
    if (place == loop->handler_count)
        loop->handler_count++;
    return 0;
}

/* ---- deferred work and idleness ---- */

void loop_defer(struct loop *loop, struct loop_task *task)
{
    if (task->queued)
        return;
    task->queued = true;
    task->next = NULL;
    *loop->queued.end = task;
    loop->queued.end = &task->next;
}

static bool tasks_remove(struct loop_tasks *tasks, struct loop_task *task)
{
    for (struct loop_task **link = &tasks->first; *link; link = &(*link)->next) {
        if (*link != task)
            continue;
        *link = task->next;
        if (tasks->end == &task->next)
            tasks->end = link;
        return true;
    }
    return false;
}

void loop_undefer(struct loop *loop, struct loop_task *task)
{
    if (!task->queued)
        return;
    task->queued = false;
    if (!tasks_remove(&loop->running, task))
        tasks_remove(&loop->queued, task);
}

/* What a task queues runs in the next turn. What loop_stop leaves over goes before it. */
static void run_tasks(struct loop *loop)
{
    if (!loop->queued.first)
        return;
    loop->running = loop->queued;
    tasks_init(&loop->queued);
    while (loop->running.first && !loop->stopped) {
        struct loop_task *task = loop->running.first;
        loop->running.first = task->next;
        task->queued = false;
        task->run(task);
    }
    if (loop->running.first) {
        *loop->running.end = loop->queued.first;
        if (!loop->queued.first)
            loop->queued.end = loop->running.end;
        loop->queued.first = loop->running.first;
    }
    tasks_init(&loop->running);
}

void loop_idle_add(struct loop *loop, struct loop_idle *idle)
{
    struct loop_idle **link = &loop->idle;
    while (*link && *link != idle)
        link = &(*link)->next;
    if (*link == idle)
        return;
    idle->next = NULL;
    *link = idle;
}

void loop_idle_remove(struct loop *loop, struct loop_idle *idle)
{
    for (struct loop_idle **link = &loop->idle; *link; link = &(*link)->next) {
        if (*link != idle)
            continue;
        *link = idle->next;
        if (loop->idle_next == idle)
            loop->idle_next = idle->next;
        return;
    }
}

static void run_idle(struct loop *loop)
{
    for (struct loop_idle *idle = loop->idle; idle; idle = loop->idle_next) {
        loop->idle_next = idle->next;
        idle->run(idle);
    }
    loop->idle_next = NULL;
}

/* ---- turning ---- */

/* Wait for descriptors at most for nanoseconds; negative: for any time. */
static int take_ready(struct loop *loop, int64_t nanoseconds)
{
    if (nanoseconds > 0 && !loop->coarse) {
        struct timespec time = {nanoseconds / 1000000000, nanoseconds % 1000000000};
        int count = (int)syscall(SYS_epoll_pwait2, loop->epoll, loop->ready, LOOP_BATCH, &time,
                                 NULL, (size_t)0);
        if (count >= 0 || (errno != ENOSYS && errno != EPERM))
            return count;
        loop->coarse = true;
    }
    int timeout = nanoseconds < 0 ? -1 : (int)((nanoseconds + 999999) / 1000000);
    return epoll_wait(loop->epoll, loop->ready, LOOP_BATCH, timeout);
}

/* How long the loop may sleep: 0 when there is work; negative: until something happens. */
static int64_t sleep_time(const struct loop *loop)
{
    if (loop->queued.first)
        return 0;
    if (!loop->timers.count)
        return -1;
    int64_t time = loop->timers.entries[0].at - clock_now();
    if (time < 0)
        return 0;
    return time < LOOP_LONGEST_SLEEP ? time : LOOP_LONGEST_SLEEP;
}

static void deliver(struct loop *loop)
{
    while (loop->ready_next < loop->ready_count && !loop->stopped) {
        struct epoll_event *event = &loop->ready[loop->ready_next++];
        struct loop_fd *watch = event->data.ptr;
        if (!watch || !watch->events)
            continue;
        uint32_t events = event->events & (watch->events | EPOLLERR | EPOLLHUP);
        if (events)
            watch->ready(watch, events);
    }
    loop->ready_count = loop->ready_next = 0;
}

/*
 * A turn that did something is followed by one that only looks. When that finds nothing, the idle
 * hooks run, and only then the loop sleeps. Without hooks it sleeps at once.
 */
int loop_run(struct loop *loop, struct err *err)
{
    bool hooks_ran = false;
    loop->stopped = false;
    while (!loop->stopped) {
        bool may_sleep = hooks_ran || !loop->idle;
        int64_t time = may_sleep ? sleep_time(loop) : 0;
        int count = take_ready(loop, time);
        if (count < 0 && errno != EINTR)
            return err_sys(err, "epoll_wait");
        loop->now = clock_now();
        loop->ready_next = 0;
        loop->ready_count = count < 0 ? 0 : count;
        bool timers_due = loop->timers.count && loop->timers.entries[0].at <= loop->now;
        if (!count && !timers_due && !loop->queued.first && !may_sleep) {
            run_idle(loop);
            hooks_ran = true;
            continue;
        }
        hooks_ran = false;
        deliver(loop);
        if (timers_due)
            fire_timers(loop);
        if (!loop->stopped)
            run_tasks(loop);
    }
    return 0;
}
