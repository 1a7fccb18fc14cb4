/* wall_timer.c: a timer by the time of day, which follows the clock when it is set. */
#include "sys/wall_timer.h"

#include "base/list.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { SECOND = 1000000000 };

/*
 * A time that is never reached: with nothing armed there is nothing to cancel, and the setting of
 * the clock would go unheard.
 */
#define NEVER INT64_MAX

static void arm_at(struct wall_timer *timer, int64_t at)
{
    if (at < 1)
        at = 1; /* 0 would disarm it */
    struct itimerspec when = {.it_value = {at / SECOND, at % SECOND}};
    /* It may say that the clock was set since the last look; it is armed all the same. */
    if (timerfd_settime(timer->watch.fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when,
                        NULL) &&
        errno == ECANCELED)
        timer->unheard = true;
}

/* What was unheard is told in the next turn, so it is armed for the past then. */
static void arm(struct wall_timer *timer)
{
    arm_at(timer, timer->at);
    if (timer->unheard)
        arm_at(timer, 0);
}

static void ready(struct loop_fd *watch, uint32_t events)
{
    (void)events;
    struct wall_timer *timer = CONTAINER_OF(watch, struct wall_timer, watch);
    uint64_t count;
    bool fired = read(watch->fd, &count, sizeof count) == (ssize_t)sizeof count;
    bool clock_set = timer->unheard || (!fired && errno == ECANCELED);
    if (!fired && !clock_set)
        return; /* it was moved since */
    timer->unheard = false;
    if (!clock_set)
        timer->at = NEVER;
    arm(timer);
    timer->fire(timer, clock_set);
}

int wall_timer_open(struct wall_timer *timer, struct loop *loop, struct err *err)
{
    int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0)
        return err_sys(err, "timerfd");
    timer->loop = loop;
    timer->watch.ready = ready;
    timer->unheard = false;
    if (loop_fd_add(loop, &timer->watch, fd, EPOLLIN)) {
        err_sys(err, "timerfd");
        close(fd);
        return -1;
    }
    wall_timer_clear(timer);
    return 0;
}

void wall_timer_close(struct wall_timer *timer)
{
    if (!timer->watch.active)
        return;
    loop_fd_remove(timer->loop, &timer->watch);
    close(timer->watch.fd);
}

void wall_timer_set(struct wall_timer *timer, int64_t at)
{
    timer->at = at;
    arm(timer);
}

void wall_timer_clear(struct wall_timer *timer)
{
    wall_timer_set(timer, NEVER);
}
