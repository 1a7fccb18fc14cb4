/*
 * asked.h: calls that wait for answers, by what they ask. Internal to lib/fn: for request.c.
 *
 * Several calls may ask the same.
 */
#ifndef FIT_FN_ASKED_H
#define FIT_FN_ASKED_H

#include "base/hash.h"
#include "fn/function.h"

struct asked { /* embedded in what waits */
    struct hash128 key;
    struct asked *next;
};

struct asked_table { /* zeroed */
    struct asked **buckets;
    size_t count;
};

/* What a call asks of the queue: the same event, and the same of it, in whichever run. */
struct hash128 asked_key(const struct fn_call *call, const char *queue);

void asked_add(struct asked_table *table, struct asked *asked); /* with its key */
void asked_remove(struct asked_table *table, struct asked *asked);
struct asked *asked_find(const struct asked_table *table, struct hash128 key); /* one, or NULL */
struct asked *asked_any(const struct asked_table *table); /* NULL: there is none */
void asked_free(struct asked_table *table);

#endif
