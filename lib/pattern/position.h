/*
 * position.h: how far numbered things are done: all up to a number, and some beyond it.
 *
 * Things have numbers from 1 on, without gaps, and end in any order. Those that end in order cost
 * nothing; what is done ahead of the first that is not is a bit each, from there to the last one.
 * Who ends them bounds how far that may be. Pure: knows no things and no time.
 */
#ifndef FIT_PATTERN_POSITION_H
#define FIT_PATTERN_POSITION_H

#include "base/buf.h"

#include <stdbool.h>

struct position {
    uint64_t at; /* all up to it are done; the next one is not */
    /* Private. */
    uint64_t base; /* the number of the first bit, a multiple of 64 */
    uint64_t *words;
    size_t count, room; /* words in use; of the memory */
};

/* Zeroed: nothing is done. */
void position_free(struct position *position);

/* It is done. False: it was already. */
bool position_end(struct position *position, uint64_t number);
bool position_is_done(const struct position *position, uint64_t number);

/* The first one above the number that is not done. */
uint64_t position_next(const struct position *position, uint64_t number);

/* How many of those above `from`, up to `to`, are not done. */
uint64_t position_left(const struct position *position, uint64_t from, uint64_t to);

/* All up to the number end, whether done or not. How many were not. */
uint64_t position_skip(struct position *position, uint64_t number);

/*
 * As bytes: `at` (8, big-endian), then words of 64 bits (8 each), the lowest bit first, of the
 * numbers from the multiple of 64 at or below at + 1: those done ahead. Read: false, they are none;
 * the position was zeroed before.
 */
void position_write(const struct position *position, struct buf *out);
bool position_read(struct position *position, struct str bytes);

#endif
