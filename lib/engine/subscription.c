/* subscription.c: the right to read a topic for a subscriber. */
#include "engine/subscription.h"

#include "base/list.h"
#include "engine/asking.h"
#include "state/holder_watch.h"

struct waiting {
    struct store *store;
    struct loop *loop;
    struct store_ear ear;
    struct holder_watch holder;
    struct loop_timer patience;
    bool woken, over;
    bool sleeping; /* the loop turns for this, and for no operation */
};

static void wake(void *owner)
{
    struct waiting *waiting = owner;
    waiting->woken = true;
    if (waiting->sleeping)
        loop_stop(waiting->loop);
}

static void time_is_over(struct loop_timer *timer)
{
    struct waiting *waiting = CONTAINER_OF(timer, struct waiting, patience);
    waiting->over = true;
    wake(waiting);
}

/* 1, 0, or -1: said. */
static int ask(struct subscription *own)
{
    struct asking asking;
    struct topic_open open = {.own.topic = own->topic,
                              .subscriber = own->subscriber,
                              .holder = cell_self(),
                              .from = own->from};
    asking_expect(&asking, own->store, &open.own.op);
    topic_open(own->store, &open);
    if (asking_wait(&asking) < 0)
        return -1;
    own->token = open.token;
    own->position = open.position;
    own->missed = open.before;
    own->is_new = open.is_new;
    own->by = open.by;
    return open.own.op.status == STORE_OK;
}

static int sleep_until_woken(struct waiting *waiting, cell_holder by, struct err *err)
{
    size_t count = by ? 1 : 0;
    int status = 0;
    waiting->woken |= !holder_watch_set(&waiting->holder, &by, count);
    waiting->sleeping = true;
    while (!waiting->woken && status == 0)
        status = loop_run(waiting->loop, err);
    waiting->sleeping = waiting->woken = false;
    return status;
}

static int ask_until_over(struct waiting *waiting, struct subscription *own, struct err *err)
{
    int had;
    while ((had = ask(own)) == 0 && !waiting->over) {
        if (sleep_until_woken(waiting, own->by, err) < 0)
            return -1;
    }
    return had;
}

int subscription_open(struct subscription *own, struct err *err)
{
    *err = (struct err){0};
    if (!own->wait)
        return ask(own);
    struct waiting waiting = {
        .store = own->store, .loop = store_loop(own->store), .patience.fire = time_is_over};
    waiting.ear =
        (struct store_ear){.kind = "topic", .name = own->topic, .heard = wake, .owner = &waiting};
    if (store_listen(own->store, &waiting.ear, err) < 0)
        return -1;
    holder_watch_init(&waiting.holder, waiting.loop, wake, &waiting);
    loop_timer_set(waiting.loop, &waiting.patience, loop_now(waiting.loop) + own->wait);
    int had = ask_until_over(&waiting, own, err);
    loop_timer_clear(waiting.loop, &waiting.patience);
    holder_watch_free(&waiting.holder);
    store_deafen(own->store, &waiting.ear);
    return had;
}
