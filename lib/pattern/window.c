/* window.c: hand items out in the order of their sequence numbers, however they arrive. */
#include "pattern/window.h"

#include "base/mem.h"

#include <stdlib.h>

struct window {
    void **items;  /* the item of seq at seq & (places - 1), NULL while there is none */
    size_t places; /* a power of two: rings of it are indexed by a mask */
    size_t capacity;
    uint64_t first; /* open numbers are those from first to next - 1 */
    uint64_t next;
};

struct window *window_new(size_t capacity)
{
    struct window *window = mem_zalloc(sizeof *window);
    window->capacity = capacity ? capacity : 1;
    window->places = 1;
    while (window->places < WINDOW_FIRST && window->places < window->capacity)
        window->places *= 2;
    window->items = mem_array(window->places, sizeof *window->items);
    return window;
}

void window_free(struct window *window)
{
    if (!window)
        return;
    free(window->items);
    free(window);
}

uint64_t window_first(const struct window *window)
{
    return window->first;
}

size_t window_open(const struct window *window)
{
    return (size_t)(window->next - window->first);
}

static void **place_of(const struct window *window, uint64_t seq)
{
    return &window->items[seq & (window->places - 1)];
}

/* Every item gets a new place, for the mask is wider. */
static void grow(struct window *window)
{
    struct window wider = *window;
    wider.places *= 2;
    wider.items = mem_array(wider.places, sizeof *wider.items);
    for (uint64_t seq = window->first; seq != window->next; seq++)
        *place_of(&wider, seq) = *place_of(window, seq);
    free(window->items);
    *window = wider;
}

bool window_take(struct window *window, uint64_t *seq)
{
    size_t open = window_open(window);
    if (open == window->capacity)
        return false;
    if (open == window->places)
        grow(window);
    *seq = window->next++;
    return true;
}

bool window_put(struct window *window, uint64_t seq, void *item)
{
    bool is_open = seq - window->first < window_open(window);
    if (!item || !is_open || *place_of(window, seq))
        return false;
    *place_of(window, seq) = item;
    return true;
}

void *window_pop_ready(struct window *window)
{
    if (window_is_empty(window))
        return NULL;
    void **place = place_of(window, window->first);
    void *item = *place;
    if (item) {
        *place = NULL;
        window->first++;
    }
    return item;
}
