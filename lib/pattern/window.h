/*
 * window.h: hand items out in the order of their sequence numbers, however they arrive.
 *
 * A ring of places for at most capacity consecutive sequence numbers, those from window_first on. A
 * number is taken when work begins (window_take), its item put when the work ends, in any order,
 * and items leave from the front without gaps. The owner admits work only while the window has
 * room: a stalled head stalls what is handed out, not memory. Pure: owns no item, knows no time.
 * Items are never NULL.
 */
#ifndef FIT_PATTERN_WINDOW_H
#define FIT_PATTERN_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WINDOW_FIRST = 16
}; /* places of a new ring; it doubles up to the capacity, and never shrinks */

struct window;

struct window *window_new(size_t capacity); /* at least 1; sequence numbers begin with 0 */
void window_free(struct window *window);    /* what is left in it stays its owner's */

uint64_t window_first(const struct window *window); /* the number whose item leaves next */
size_t window_open(const struct window *window);    /* numbers taken whose items have not left */
static inline bool window_is_empty(const struct window *window)
{
    return window_open(window) == 0;
}

/* Take the next number: true and *seq, or false when capacity numbers are open. */
bool window_take(struct window *window, uint64_t *seq);

/* Put the item of a number that was taken and has none yet; false (nothing happens) for any other.
 */
bool window_put(struct window *window, uint64_t seq, void *item);

/* The item of the first open number, which leaves the window; NULL when it has not been put yet. */
void *window_pop_ready(struct window *window);

#endif
