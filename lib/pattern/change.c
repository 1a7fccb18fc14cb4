/* change.c: what has changed between two looks, and when to look again. */
#include "pattern/change.h"

#include "base/mem.h"
#include "base/power.h"

#include <stdlib.h>

/* ---- the differences of two lists ---- */

#define NONE SIZE_MAX

/* A key, and the last places where the lists have it. */
struct slot {
    struct hash128 key;
    size_t before, after;
};

struct slots {
    struct slot *items;
    size_t mask;
};

static bool is_free(const struct slot *slot)
{
    return slot->before == NONE && slot->after == NONE;
}

static bool same(struct hash128 a, struct hash128 b)
{
    return a.high == b.high && a.low == b.low;
}

static void make_slots(struct slots *slots, size_t count)
{
    size_t size = 16;
    while (size < 2 * count)
        size *= 2;
    slots->items = mem_array(size, sizeof *slots->items);
    slots->mask = size - 1;
    for (size_t i = 0; i < size; i++)
        slots->items[i].before = slots->items[i].after = NONE;
}

/* Where the key is, or would be. Numbers may stand in for hashes: both halves are mixed. */
static struct slot *slot_of(const struct slots *slots, struct hash128 key)
{
    uint64_t mixed = (key.low ^ (key.high << 32 | key.high >> 32)) * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = (size_t)(mixed ^ mixed >> 32) & slots->mask;
    while (!is_free(&slots->items[at]) && !same(slots->items[at].key, key))
        at = (at + 1) & slots->mask;
    slots->items[at].key = key;
    return &slots->items[at];
}

size_t change_diff(const struct change_item *old, size_t old_count, const struct change_item *new,
                   size_t new_count, struct change *changes)
{
    struct slots slots;
    size_t count = 0;
    make_slots(&slots, old_count + new_count);
    for (size_t i = 0; i < old_count; i++)
        slot_of(&slots, old[i].key)->before = i;
    for (size_t i = 0; i < new_count; i++)
        slot_of(&slots, new[i].key)->after = i;
    for (size_t i = 0; i < new_count; i++) {
        const struct slot *slot = slot_of(&slots, new[i].key);
        if (slot->after != i)
            continue;
        if (slot->before == NONE)
            changes[count++] = (struct change){.kind = CHANGE_CREATED, .after = i};
        else if (!same(old[slot->before].value, new[i].value))
            changes[count++] = (struct change){CHANGE_UPDATED, slot->before, i};
    }
    for (size_t i = 0; i < old_count; i++) {
        const struct slot *slot = slot_of(&slots, old[i].key);
        if (slot->before == i && slot->after == NONE)
            changes[count++] = (struct change){.kind = CHANGE_DELETED, .before = i};
    }
    free(slots.items);
    return count;
}

/* ---- when to look again ---- */

int64_t change_wait(const struct change_pace *pace, uint64_t unchanged)
{
    if (!unchanged || !(pace->factor > 1) || pace->most <= pace->every)
        return pace->every;
    double wait = (double)pace->every * power_of(pace->factor, unchanged);
    return wait < (double)pace->most ? (int64_t)wait : pace->most;
}
