/* source_rounds.c: an event every so often, which says no more than that it is time. */
#include "engine/source_rounds.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"

#include <stdlib.h>

struct rounds {
    struct source source; /* first */
    struct loop *loop;
    struct loop_timer timer;
    int64_t every, due; /* due: of the next one, clock_now */
    uint64_t given;
    bool open; /* the last one has not ended */
    bool over; /* there will be none */
};

static struct rounds *of(struct source *source)
{
    return (struct rounds *)(void *)source;
}

static void is_due(struct loop_timer *timer)
{
    struct rounds *rounds = CONTAINER_OF(timer, struct rounds, timer);
    rounds->source.ready(rounds->source.owner);
}

static enum source_status next(struct source *source, struct source_event *event, struct err *err)
{
    struct rounds *rounds = of(source);
    int64_t now = clock_now();
    (void)err;
    if (rounds->over)
        return SOURCE_END;
    if (rounds->open)
        return SOURCE_LATER;
    if (rounds->due > now) {
        loop_timer_set(rounds->loop, &rounds->timer, rounds->due);
        return SOURCE_LATER;
    }
    *event = (struct source_event){
        .bytes = {.data = "null", .len = 4}, .number = ++rounds->given, .length = 4};
    rounds->open = true;
    rounds->over = !rounds->every;
    if (rounds->every)
        rounds->due += ((now - rounds->due) / rounds->every + 1) * rounds->every;
    return SOURCE_EVENT;
}

static void outcome(struct source *source, uint64_t token, enum source_outcome how)
{
    struct rounds *rounds = of(source);
    (void)token;
    (void)how;
    rounds->open = false;
    rounds->source.ready(rounds->source.owner);
}

static void stop(struct source *source)
{
    struct rounds *rounds = of(source);
    loop_timer_clear(rounds->loop, &rounds->timer);
    rounds->over = true;
}

static void free_source(struct source *source)
{
    stop(source);
    free(source);
}

struct source *source_rounds(struct loop *loop, int64_t every)
{
    struct rounds *rounds = mem_zalloc(sizeof *rounds);
    rounds->source = (struct source){.name = "rounds",
                                     .waits = every,
                                     .next = next,
                                     .outcome = outcome,
                                     .stop = stop,
                                     .free = free_source};
    rounds->loop = loop;
    rounds->timer.fire = is_due;
    rounds->every = every;
    rounds->due = clock_now();
    return &rounds->source;
}
