/*
 * loop_heap.h: the timers of a loop, the earliest on top.
 *
 * A binary heap whose entries carry the time themselves, so that moving one does not touch the
 * timers it passes. Each timer knows its place, so that setting and clearing cost a logarithm and
 * no search. Timers of the same time fire in the order in which they were set. Private to
 * sys/loop.c.
 */
#ifndef FIT_SYS_LOOP_HEAP_H
#define FIT_SYS_LOOP_HEAP_H

#include "sys/loop.h"

struct loop_heap_entry {
    int64_t at;
    uint64_t order; /* the number of the setting: decides between equal times */
    struct loop_timer *timer;
};

struct loop_heap {
    struct loop_heap_entry *entries;
    uint32_t count;
    uint32_t cap;
    uint64_t next_order;
};

void loop_heap_set(struct loop_heap *heap, struct loop_timer *timer, int64_t at);
void loop_heap_clear(struct loop_heap *heap, struct loop_timer *timer);
void loop_heap_free(struct loop_heap *heap); /* the timers in it become unset */

#endif
