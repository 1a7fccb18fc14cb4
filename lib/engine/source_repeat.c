/* source_repeat.c: one event, so many times. */
#include "base/mem.h"
#include "engine/source.h"

#include <stdlib.h>

struct repeat {
    struct source source; /* first */
    struct slice event;
    uint64_t given, times;
};

static struct repeat *of(struct source *source)
{
    return (struct repeat *)(void *)source;
}

static enum source_status next(struct source *source, struct source_event *event, struct err *err)
{
    struct repeat *repeat = of(source);
    (void)err;
    if (repeat->given == repeat->times)
        return SOURCE_END;
    *event = (struct source_event){
        .bytes = slice_hold(repeat->event), .number = ++repeat->given, .length = repeat->event.len};
    return SOURCE_EVENT;
}

static void stop(struct source *source)
{
    of(source)->times = of(source)->given;
}

static void free_source(struct source *source)
{
    slice_drop(&of(source)->event);
    free(source);
}

struct source *source_repeat(struct slice event, uint64_t times)
{
    struct repeat *repeat = mem_zalloc(sizeof *repeat);
    repeat->source =
        (struct source){.name = "event", .next = next, .stop = stop, .free = free_source};
    repeat->event = event;
    repeat->times = times;
    return &repeat->source;
}
