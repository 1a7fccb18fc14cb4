/*
 * serial.h: events of one key one at a time and in order, other keys meanwhile (--serial-by).
 *
 * A table of the keys that have a job in the window. It holds at most as many keys as jobs.
 */
#ifndef FIT_ENGINE_SERIAL_H
#define FIT_ENGINE_SERIAL_H

#include "base/hash.h"
#include "base/str.h"

#include <stdbool.h>

/* Embedded in each job; zeroed. */
struct serial_place {
    struct hash128 key;
    struct serial_place *behind; /* the next of the same key */
    bool entered;
};

struct serial;

struct serial *serial_new(unsigned places);
void serial_free(struct serial *serial);

/* Take a place for the key. True: nobody is before it, it may run now. */
bool serial_enter(struct serial *serial, struct serial_place *place, struct str key);
/* The first of its key has ended. Returns the next, which may run now, or NULL. */
struct serial_place *serial_leave(struct serial *serial, struct serial_place *place);

#endif
