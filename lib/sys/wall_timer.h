/*
 * wall_timer.h: a timer by the time of day, which follows the clock when it is set.
 *
 * The loop's own timers count what passes; this one fires when the clock on the wall shows a time,
 * also if the machine slept or the clock was set meanwhile, and says so when it was set: who
 * schedules looks again then.
 */
#ifndef FIT_SYS_WALL_TIMER_H
#define FIT_SYS_WALL_TIMER_H

#include "base/err.h"
#include "sys/loop.h"

struct wall_timer {
    /* Set by the owner. Called in the loop: it is time, or the clock was set (then the timer is
     * still set, if it was; who has no time to wait for is told too). May set or close it. */
    void (*fire)(struct wall_timer *timer, bool clock_set);
    /* Private. */
    struct loop *loop;
    struct loop_fd watch;
    int64_t at;
    bool unheard; /* the clock was set and the owner is not told yet */
};

/* A timerfd with TFD_TIMER_CANCEL_ON_SET; zeroed before but for fire. -1 with err. */
int wall_timer_open(struct wall_timer *timer, struct loop *loop, struct err *err);
void wall_timer_close(struct wall_timer *timer); /* no-op when it is not open */

/* At that clock_wall, once; moves it if it is set; at once, in the next turn, if it has passed. */
void wall_timer_set(struct wall_timer *timer, int64_t at);
void wall_timer_clear(struct wall_timer *timer);

#endif
