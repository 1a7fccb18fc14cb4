/* loop_heap.c: the timers of a loop, the earliest on top. */
#include "sys/loop_heap.h"

#include "base/mem.h"

#include <stdlib.h>

enum { HEAP_FIRST = 64 }; /* entries of the first allocation; doubled from there */

static bool is_before(const struct loop_heap_entry *a, const struct loop_heap_entry *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void put(struct loop_heap *heap, uint32_t place, struct loop_heap_entry entry)
{
    heap->entries[place] = entry;
    entry.timer->place = place + 1;
}

/* Put entry where it belongs on the way from the free place to the top. */
static void rise(struct loop_heap *heap, uint32_t place, struct loop_heap_entry entry)
{
    while (place) {
        uint32_t parent = (place - 1) / 2;
        if (!is_before(&entry, &heap->entries[parent]))
            break;
        put(heap, place, heap->entries[parent]);
        place = parent;
    }
    put(heap, place, entry);
}

/* Put entry where it belongs below the free place. */
static void sink(struct loop_heap *heap, uint32_t place, struct loop_heap_entry entry)
{
    for (;;) {
        uint32_t child = 2 * place + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && is_before(&heap->entries[child + 1], &heap->entries[child]))
            child++;
        if (!is_before(&heap->entries[child], &entry))
            break;
        put(heap, place, heap->entries[child]);
        place = child;
    }
    put(heap, place, entry);
}

static void settle(struct loop_heap *heap, uint32_t place, struct loop_heap_entry entry)
{
    if (place && is_before(&entry, &heap->entries[(place - 1) / 2]))
        rise(heap, place, entry);
    else
        sink(heap, place, entry);
}

void loop_heap_set(struct loop_heap *heap, struct loop_timer *timer, int64_t at)
{
    struct loop_heap_entry entry = {at, heap->next_order++, timer};
    timer->at = at;
    if (timer->place) {
        settle(heap, timer->place - 1, entry);
        return;
    }
    if (heap->count == heap->cap) {
        heap->cap = heap->cap ? heap->cap * 2 : HEAP_FIRST;
        heap->entries = mem_realloc(heap->entries, heap->cap * sizeof *heap->entries);
    }
    rise(heap, heap->count++, entry);
}

void loop_heap_clear(struct loop_heap *heap, struct loop_timer *timer)
{
    if (!timer->place)
        return;
    uint32_t place = timer->place - 1;
    timer->place = 0;
    struct loop_heap_entry last = heap->entries[--heap->count];
    if (place < heap->count)
        settle(heap, place, last);
}

void loop_heap_free(struct loop_heap *heap)
{
    for (uint32_t i = 0; i < heap->count; i++)
        heap->entries[i].timer->place = 0;
    free(heap->entries);
    *heap = (struct loop_heap){0};
}
