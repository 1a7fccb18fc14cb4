/*
 * source_sorted.c: the lines of several sorted inputs as one sorted stream.
 *
 * The lines at hand are a heap by their keys, which memcmp compares. An input whose line was handed
 * out keeps its place there until its next line, which is mostly not far from it, takes it.
 */
#include "engine/source_sorted.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/msg.h"
#include "engine/inputs.h"
#include "format/json_order.h"

#include <stdlib.h>

/* Of an input: its line at hand. */
struct head {
    struct source_event event;
    struct buf key;
    struct buf before; /* the key of its line before */
    bool unsorted;     /* which was said */
};

struct sorted {
    struct source source; /* first */
    struct inputs inputs;
    struct sort_key *key;
    struct head *heads;          /* of each input */
    uint32_t *heap;              /* places of inputs */
    size_t count;                /* on the heap */
    size_t wanting;              /* inputs that are open and have no line on the heap */
    bool top_is_out;             /* the line on top was handed out, and is still there */
    struct input *coming, *last; /* inputs among the wanting that may have a line */
};

static struct sorted *of(struct source *source)
{
    return (struct sorted *)(void *)source;
}

/* ---- the heap ---- */

static bool is_before(const struct sorted *sorted, uint32_t a, uint32_t b)
{
    int order = json_order_compare(buf_str(&sorted->heads[a].key), buf_str(&sorted->heads[b].key));
    return order ? order < 0 : a < b;
}

/* Put an input where it belongs on the way from the free place to the top. */
static void rise(struct sorted *sorted, size_t place, uint32_t input)
{
    while (place && is_before(sorted, input, sorted->heap[(place - 1) / 2])) {
        sorted->heap[place] = sorted->heap[(place - 1) / 2];
        place = (place - 1) / 2;
    }
    sorted->heap[place] = input;
}

/* Put an input where it belongs below the top, which is free. */
static void sink(struct sorted *sorted, uint32_t input)
{
    size_t place = 0;
    for (size_t child; (child = 2 * place + 1) < sorted->count; place = child) {
        if (child + 1 < sorted->count &&
            is_before(sorted, sorted->heap[child + 1], sorted->heap[child]))
            child++;
        if (!is_before(sorted, sorted->heap[child], input))
            break;
        sorted->heap[place] = sorted->heap[child];
    }
    sorted->heap[place] = input;
}

static void put_on_heap(struct sorted *sorted, uint32_t input)
{
    if (sorted->top_is_out)
        sink(sorted, input);
    else
        rise(sorted, sorted->count++, input);
    sorted->top_is_out = false;
}

/* The input whose line was on top has ended. */
static void drop_top(struct sorted *sorted)
{
    uint32_t last = sorted->heap[--sorted->count];
    if (sorted->count)
        sink(sorted, last);
    sorted->top_is_out = false;
}

/* ---- lines ---- */

static void check_order(struct sorted *sorted, struct head *head)
{
    if (head->unsorted || json_order_compare(buf_str(&head->key), buf_str(&head->before)) >= 0)
        return;
    head->unsorted = true;
    msg_warn("%s:%llu: not sorted by %s", head->event.origin,
             (unsigned long long)head->event.number, sort_key_text(sorted->key));
}

/* False: it has no place in the order, and the key of the line before stays. */
static bool has_key(struct sorted *sorted, struct head *head)
{
    struct err err; /* the plan says why */
    struct buf spare = head->before;
    if (sort_key_of(sorted->key, slice_str(head->event.bytes), &spare, &err) <= 0) {
        head->before = spare;
        head->event.token = SOURCE_SORTED_PLACELESS;
        return false;
    }
    head->before = head->key;
    head->key = spare;
    check_order(sorted, head);
    return true;
}

/* ---- inputs ---- */

static void append(struct sorted *sorted, struct input *input)
{
    input->next = NULL;
    input->listed = true;
    *(sorted->last ? &sorted->last->next : &sorted->coming) = input;
    sorted->last = input;
}

static void take_off(struct sorted *sorted)
{
    sorted->coming->listed = false;
    sorted->coming = sorted->coming->next;
    if (!sorted->coming)
        sorted->last = NULL;
}

static void ready(struct inputs *inputs, struct input *input)
{
    struct sorted *sorted = CONTAINER_OF(inputs, struct sorted, inputs);
    if (!input->listed)
        append(sorted, input);
    sorted->source.ready(sorted->source.owner);
}

/* One step towards a line of each input. True: *event is one that has no place in the order. */
static bool fetch(struct sorted *sorted, struct source_event *event, enum source_status *status)
{
    struct input *input = sorted->coming;
    uint32_t place = (uint32_t)(input - sorted->inputs.all);
    struct head *head = &sorted->heads[place];
    *status = input_next(input, &head->event);
    if (*status == SOURCE_TOO_LARGE || (*status == SOURCE_EVENT && !has_key(sorted, head))) {
        *event = head->event;
        return true;
    }
    take_off(sorted);
    if (*status == SOURCE_LATER)
        return false;
    sorted->wanting--;
    if (*status == SOURCE_EVENT)
        put_on_heap(sorted, place);
    else if (sorted->top_is_out)
        drop_top(sorted);
    return false;
}

static enum source_status end(const struct sorted *sorted, struct err *err)
{
    size_t unsorted = 0;
    enum source_status status = inputs_end(&sorted->inputs, err);
    for (size_t i = 0; i < sorted->inputs.count; i++)
        unsorted += sorted->heads[i].unsorted;
    if (status == SOURCE_FAILED || !unsorted)
        return status;
    err_set(err, ERR_INPUT, "%zu of %zu inputs are not sorted", unsorted, sorted->inputs.count);
    return SOURCE_FAILED;
}

static enum source_status next(struct source *source, struct source_event *event, struct err *err)
{
    struct sorted *sorted = of(source);
    enum source_status status;
    while (sorted->coming) {
        if (fetch(sorted, event, &status))
            return status;
    }
    if (sorted->wanting)
        return SOURCE_LATER;
    if (!sorted->count)
        return end(sorted, err);
    uint32_t top = sorted->heap[0];
    *event = sorted->heads[top].event;
    sorted->heads[top].event.bytes = (struct slice){0};
    sorted->top_is_out = true;
    sorted->wanting = 1;
    append(sorted, &sorted->inputs.all[top]);
    return SOURCE_EVENT;
}

static void stop(struct source *source)
{
    inputs_stop(&of(source)->inputs);
}

static void free_source(struct source *source)
{
    struct sorted *sorted = of(source);
    for (size_t i = sorted->top_is_out; i < sorted->count; i++)
        slice_drop(&sorted->heads[sorted->heap[i]].event.bytes);
    for (size_t i = 0; i < sorted->inputs.count; i++) {
        buf_free(&sorted->heads[i].key);
        buf_free(&sorted->heads[i].before);
    }
    inputs_free(&sorted->inputs);
    free(sorted->heads);
    free(sorted->heap);
    free(sorted);
}

static void extent(struct source *source, uint64_t *read, uint64_t *all)
{
    inputs_extent(&of(source)->inputs, read, all);
}

struct source *source_sorted(struct source *const *lines, size_t count, struct sort_key *key)
{
    struct sorted *sorted = mem_zalloc(sizeof *sorted);
    sorted->source = (struct source){
        .name = "input", .next = next, .stop = stop, .free = free_source, .extent = extent};
    sorted->key = key;
    sorted->heads = mem_array(count, sizeof *sorted->heads);
    sorted->heap = mem_array(count, sizeof *sorted->heap);
    sorted->wanting = count;
    sorted->inputs.ready = ready;
    inputs_init(&sorted->inputs, lines, count);
    for (size_t i = 0; i < count; i++)
        append(sorted, &sorted->inputs.all[i]);
    return &sorted->source;
}

struct source *source_sorted_open(struct loop *loop, const char *const *paths, size_t count,
                                  size_t max_event, struct sort_key *key, struct err *err)
{
    struct source **lines = inputs_open(loop, paths, &count, max_event, err);
    struct source *source = lines ? source_sorted(lines, count, key) : NULL;
    free(lines);
    return source;
}
