/* source_merge.c: the lines of several inputs as one stream, as they come. */
#include "engine/source_merge.h"

#include "base/list.h"
#include "base/mem.h"
#include "engine/inputs.h"

#include <stdlib.h>

struct merge {
    struct source source; /* first */
    struct inputs inputs;
    struct input *turn, *last; /* those that may have lines; the first has its turn */
    unsigned lines;            /* taken in this turn */
    size_t bytes;
};

static struct merge *of(struct source *source)
{
    return (struct merge *)(void *)source;
}

static void append(struct merge *merge, struct input *input)
{
    input->next = NULL;
    input->listed = true;
    *(merge->last ? &merge->last->next : &merge->turn) = input;
    merge->last = input;
}

/* The first has had its turn. */
static struct input *end_turn(struct merge *merge)
{
    struct input *input = merge->turn;
    merge->turn = input->next;
    if (!merge->turn)
        merge->last = NULL;
    input->listed = false;
    merge->lines = 0;
    merge->bytes = 0;
    return input;
}

static void ready(struct inputs *inputs, struct input *input)
{
    struct merge *merge = CONTAINER_OF(inputs, struct merge, inputs);
    if (!input->listed)
        append(merge, input);
    merge->source.ready(merge->source.owner);
}

static enum source_status next(struct source *source, struct source_event *event, struct err *err)
{
    struct merge *merge = of(source);
    while (merge->turn) {
        enum source_status status = input_next(merge->turn, event);
        if (status == SOURCE_LATER || status == SOURCE_END) {
            end_turn(merge);
            continue;
        }
        merge->bytes += event->length;
        if (++merge->lines >= SOURCE_MERGE_LINES || merge->bytes >= SOURCE_MERGE_BYTES)
            append(merge, end_turn(merge));
        return status;
    }
    return merge->inputs.open ? SOURCE_LATER : inputs_end(&merge->inputs, err);
}

static void stop(struct source *source)
{
    inputs_stop(&of(source)->inputs);
}

static void free_source(struct source *source)
{
    inputs_free(&of(source)->inputs);
    free(of(source));
}

static void extent(struct source *source, uint64_t *read, uint64_t *all)
{
    inputs_extent(&of(source)->inputs, read, all);
}

struct source *source_merge(struct source *const *lines, size_t count)
{
    if (count == 1)
        return lines[0];
    struct merge *merge = mem_zalloc(sizeof *merge);
    merge->source = (struct source){
        .name = "input", .next = next, .stop = stop, .free = free_source, .extent = extent};
    merge->inputs.ready = ready;
    inputs_init(&merge->inputs, lines, count);
    for (size_t i = 0; i < count; i++)
        append(merge, &merge->inputs.all[i]);
    return &merge->source;
}

struct source *source_merge_open(struct loop *loop, const char *const *paths, size_t count,
                                 size_t max_event, struct err *err)
{
    struct source **lines = inputs_open(loop, paths, &count, max_event, err);
    struct source *source = lines ? source_merge(lines, count) : NULL;
    free(lines);
    return source;
}
