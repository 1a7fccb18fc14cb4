/* serial.c: events of one key one at a time and in order, other keys meanwhile. */
#include "engine/serial.h"

#include "base/mem.h"

#include <stdlib.h>

/* Open addressing with linear probing; deletion moves later entries back, so there are no
 * tombstones. */
struct entry {
    struct serial_place *first, *last; /* first is running; NULL: the entry is free */
};

struct serial {
    struct entry *entries;
    size_t mask;
};

struct serial *serial_new(unsigned places)
{
    struct serial *serial = mem_zalloc(sizeof *serial);
    size_t size = 16;
    while (size < 2 * (size_t)places)
        size *= 2;
    serial->entries = mem_array(size, sizeof *serial->entries);
    serial->mask = size - 1;
    return serial;
}

void serial_free(struct serial *serial)
{
    if (!serial)
        return;
    free(serial->entries);
    free(serial);
}

static struct entry *find(struct serial *serial, struct hash128 key)
{
    size_t at = key.low & serial->mask;
    for (;; at = (at + 1) & serial->mask) {
        struct entry *entry = &serial->entries[at];
        if (!entry->first ||
            (entry->first->key.low == key.low && entry->first->key.high == key.high))
            return entry;
    }
}

bool serial_enter(struct serial *serial, struct serial_place *place, struct str key)
{
    place->key = hash_128(key);
    place->entered = true;
    place->behind = NULL;
    struct entry *entry = find(serial, place->key);
    if (!entry->first) {
        entry->first = entry->last = place;
        return true;
    }
    entry->last->behind = place;
    entry->last = place;
    return false;
}

static void close_gap(struct serial *serial, size_t gap)
{
    for (size_t at = (gap + 1) & serial->mask; serial->entries[at].first;
         at = (at + 1) & serial->mask) {
        size_t home = serial->entries[at].first->key.low & serial->mask;
        if (((at - home) & serial->mask) >= ((at - gap) & serial->mask)) {
            serial->entries[gap] = serial->entries[at];
            gap = at;
        }
    }
    serial->entries[gap] = (struct entry){0};
}

struct serial_place *serial_leave(struct serial *serial, struct serial_place *place)
{
    struct entry *entry = find(serial, place->key);
    place->entered = false;
    entry->first = place->behind;
    if (entry->first)
        return entry->first;
    close_gap(serial, (size_t)(entry - serial->entries));
    return NULL;
}
