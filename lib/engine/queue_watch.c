/* queue_watch.c: wait until there may be something in a queue. */
#include "engine/queue_watch.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "state/holder_watch.h"

#include <stdlib.h>

struct queue_watch {
    struct store *store;
    struct loop *loop;
    struct store_ear ear;
    struct loop_timer timer;
    struct holder_watch holders;
    void (*woken)(void *owner);
    void *owner;
};

static void heard(void *owner)
{
    struct queue_watch *watch = owner;
    watch->woken(watch->owner);
}

static void time_is_over(struct loop_timer *timer)
{
    heard(CONTAINER_OF(timer, struct queue_watch, timer));
}

struct queue_watch *queue_watch_new(struct store *store, struct str name,
                                    void (*woken)(void *owner), void *owner, struct err *err)
{
    struct queue_watch *watch = mem_zalloc(sizeof *watch);
    *watch = (struct queue_watch){
        .store = store,
        .loop = store_loop(store),
        .ear = {.kind = "queue", .name = name, .heard = heard, .owner = watch},
        .timer.fire = time_is_over,
        .woken = woken,
        .owner = owner,
    };
    holder_watch_init(&watch->holders, watch->loop, heard, watch);
    if (store_listen(store, &watch->ear, err) == 0)
        return watch;
    queue_watch_free(watch);
    return NULL;
}

void queue_watch_free(struct queue_watch *watch)
{
    if (!watch)
        return;
    holder_watch_free(&watch->holders);
    loop_timer_clear(watch->loop, &watch->timer);
    store_deafen(watch->store, &watch->ear);
    free(watch);
}

void queue_watch_until(struct queue_watch *watch, struct queue_lease *asked)
{
    int64_t now = clock_now(), at = asked->next_deadline;
    if (asked->next_due) {
        int64_t due = now + asked->next_due - clock_wall();
        at = !at || due < at ? due : at;
    }
    asked->holder_count = holder_watch_sort(asked->holders, asked->holder_count);
    if (!holder_watch_set(&watch->holders, asked->holders, asked->holder_count))
        at = now;
    if (at)
        loop_timer_set(watch->loop, &watch->timer, at);
    else
        loop_timer_clear(watch->loop, &watch->timer);
}
