/* warm_ask.c: ask the supervisor of a warm pool something that is no call. */
#include "engine/warm_ask.h"

#include "base/list.h"
#include "fn/warm_link.h"

#include <errno.h>

struct asking {
    struct warm_link link;
    struct loop_timer late;
    struct buf *answer;
    const char *pool;
    struct err *err;
    int status;
};

static void end(struct asking *asking, int status)
{
    asking->status = status;
    loop_stop(asking->link.loop);
}

static void heard(void *owner, const struct warm_frame *frame)
{
    struct asking *asking = owner;
    if (frame->type != WARM_TEXT || frame->id != 1)
        return;
    buf_add_str(asking->answer, frame->parts[0]);
    end(asking, 0);
}

static void lost(void *owner, const char *why)
{
    struct asking *asking = owner;
    end(asking, err_set(asking->err, ERR_SYSTEM, "%s: %s", asking->pool, why));
}

static void late(struct loop_timer *timer)
{
    struct asking *asking = CONTAINER_OF(timer, struct asking, late);
    end(asking, err_set(asking->err, ERR_SYSTEM, "%s: its supervisor, process %ld, does not answer",
                        asking->pool, (long)asking->link.pid));
}

int warm_ask(struct loop *loop, const struct home *home, const char *pool, enum warm_type what,
             struct buf *answer, pid_t *pid, struct err *err)
{
    struct asking asking = {
        .link = {.loop = loop, .heard = heard, .lost = lost, .reader.limit = WARM_SLACK},
        .late.fire = late,
        .answer = answer,
        .pool = pool,
        .err = err,
    };
    asking.link.owner = &asking;
    if (warm_link_open(&asking.link, home, str_of(pool), err) < 0)
        return -1;
    if (pid)
        *pid = asking.link.pid;
    warm_link_send(&asking.link, &(struct warm_frame){.type = what, .id = 1});
    loop_timer_set(loop, &asking.late, loop_now(loop) + WARM_ASK_WAIT);
    if (loop_run(loop, err) < 0)
        asking.status = -1;
    loop_timer_clear(loop, &asking.late);
    warm_link_close(&asking.link);
    return asking.status;
}
