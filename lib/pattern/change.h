/*
 * change.h: what has changed between two looks, and when to look again: the rules of a poll.
 *
 * A look gives one value, or a list of items with keys. Here they are hashes: what they are hashes
 * of is for others (json_order.h). Pure: no time but the one that is handed in.
 */
#ifndef FIT_PATTERN_CHANGE_H
#define FIT_PATTERN_CHANGE_H

#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct change_item {
    struct hash128 key;   /* what it is; of a list that has one twice the last one counts */
    struct hash128 value; /* how it is */
};

enum change_kind { CHANGE_CREATED, CHANGE_UPDATED, CHANGE_DELETED };

struct change {
    enum change_kind kind;
    size_t before; /* place in the old list (UPDATED, DELETED) */
    size_t after;  /* place in the new one (CREATED, UPDATED) */
};

/*
 * The differences of two lists by key: created and updated ones in the order of the new list, then
 * deleted ones in that of the old. changes has room for old_count + new_count; returns how many.
 * O(n): a hash table for the call, which it frees.
 */
size_t change_diff(const struct change_item *old, size_t old_count, const struct change_item *new,
                   size_t new_count, struct change *changes);

/* ---- when to look again (poll --every, --idle-backoff) ---- */

struct change_pace {
    int64_t every; /* nanoseconds between looks */
    double factor; /* each look without a change makes it so much longer; 1: never */
    int64_t most;  /* up to this */
};

/* The time until the next look, after so many looks in a row without a change. */
int64_t change_wait(const struct change_pace *pace, uint64_t unchanged);

#endif
