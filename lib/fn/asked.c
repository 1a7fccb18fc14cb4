/* asked.c: calls that wait for answers, by what they ask. */
#include "fn/asked.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdlib.h>

enum { BUCKETS = 4096 };

struct hash128 asked_key(const struct fn_call *call, const char *queue)
{
    struct buf name = {0};
    struct hash128 event = hash_128(slice_str(call->event));
    buf_add(&name, queue, strlen(queue) + 1);
    buf_add_str(&name, call->id);
    buf_addc(&name, '\0');
    buf_add_str(&name, call->scope);
    buf_addc(&name, '\0');
    buf_add(&name, &event, sizeof event);
    struct hash128 key = hash_128(buf_str(&name));
    buf_free(&name);
    return key;
}

static struct asked **bucket_of(const struct asked_table *table, struct hash128 key)
{
    return &table->buckets[key.low % BUCKETS];
}

void asked_add(struct asked_table *table, struct asked *asked)
{
    if (!table->buckets)
        table->buckets = mem_array(BUCKETS, sizeof *table->buckets);
    struct asked **bucket = bucket_of(table, asked->key);
    asked->next = *bucket;
    *bucket = asked;
    table->count++;
}

void asked_remove(struct asked_table *table, struct asked *asked)
{
    struct asked **link = bucket_of(table, asked->key);
    while (*link != asked)
        link = &(*link)->next;
    *link = asked->next;
    table->count--;
}

struct asked *asked_find(const struct asked_table *table, struct hash128 key)
{
    if (!table->count)
        return NULL;
    struct asked *asked = *bucket_of(table, key);
    while (asked && (asked->key.low != key.low || asked->key.high != key.high))
        asked = asked->next;
    return asked;
}

struct asked *asked_any(const struct asked_table *table)
{
    for (size_t i = 0; table->count && i < BUCKETS; i++) {
        if (table->buckets[i])
            return table->buckets[i];
    }
    return NULL;
}

void asked_free(struct asked_table *table)
{
    free(table->buckets);
}
