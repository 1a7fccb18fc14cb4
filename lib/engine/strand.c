/* strand.c: what is under way of one event in a chain. */
#include "engine/strand.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

static struct strand *new_strand(struct strand_pool *pool, struct strand_list *list)
{
    struct strand *strand = pool->free;
    if (strand)
        pool->free = strand->next;
    else
        strand = mem_alloc(sizeof *strand);
    *strand = (struct strand){.list = list};
    pool->used++;
    list->count++;
    list->open++;
    return strand;
}

void strand_pool_free(struct strand_pool *pool)
{
    while (pool->free) {
        struct strand *strand = pool->free;
        pool->free = strand->next;
        free(strand);
    }
}

/* Larger ones lie in a temporary file (function.h), or are the input's own. */
static size_t in_memory(struct slice lines)
{
    return lines.len > FN_SPILL ? 0 : lines.len;
}

struct strand *strand_begin(struct strand_pool *pool, struct strand_list *list, unsigned stage,
                            struct slice lines)
{
    struct strand *strand = new_strand(pool, list);
    strand->stage = stage;
    strand->lines = lines;
    pool->ahead += in_memory(lines);
    strand->prev = list->last;
    if (list->last)
        list->last->next = strand;
    else
        list->first = strand;
    list->last = strand;
    return strand;
}

static struct strand *insert_before(struct strand_pool *pool, struct strand *place)
{
    struct strand *strand = new_strand(pool, place->list);
    strand->next = place;
    strand->prev = place->prev;
    if (place->prev)
        place->prev->next = strand;
    else
        place->list->first = strand;
    place->prev = strand;
    return strand;
}

/* Bytes to the end of the line that begins at `at`, with its LF if it has one. */
static size_t line_length(const struct strand *strand)
{
    const char *from = strand->lines.data + strand->at;
    size_t rest = strand->lines.len - strand->at;
    const char *lf = memchr(from, '\n', rest);
    return lf ? (size_t)(lf - from) + 1 : rest;
}

bool strand_has_more(const struct strand *events)
{
    return events->at + line_length(events) < events->lines.len;
}

/* The ordinal of a sub-event among its siblings, on top of what its ancestors were. */
static uint64_t descend(uint64_t path, uint64_t ordinal)
{
    uint64_t steps[2] = {path, ordinal};
    return hash_64((struct str){(const char *)steps, sizeof steps});
}

struct strand *strand_start(struct strand_pool *pool, struct strand *events)
{
    size_t length = line_length(events);
    const char *line = events->lines.data + events->at;
    size_t bare = length && line[length - 1] == '\n' ? length - 1 : length;
    struct slice event = slice_of(events->lines.block, line, bare);
    uint64_t path = descend(events->path, ++events->taken);
    events->at += length;
    bool last = events->at >= events->lines.len;
    struct strand *called = last ? events : insert_before(pool, events);
    if (last) {
        pool->ahead -= in_memory(events->lines);
        slice_drop(&events->lines);
    }
    called->state = STRAND_CALLED;
    called->stage = events->stage;
    called->path = path;
    called->call = (struct fn_call){.event = event};
    int scope = snprintf(called->scope, sizeof called->scope, "%u/%016llx", called->stage + 1,
                         (unsigned long long)path);
    called->call.scope = (struct str){called->scope, (size_t)scope};
    return called;
}

void strand_go_on(struct strand_pool *pool, struct strand *called, unsigned stage)
{
    slice_drop(&called->call.event);
    called->state = STRAND_EVENTS;
    called->stage = stage;
    called->lines = called->call.lines;
    called->at = 0;
    called->taken = 0;
    pool->ahead += in_memory(called->lines);
}

void strand_keep_results(struct strand_pool *pool, struct strand *called)
{
    slice_drop(&called->call.event);
    called->state = STRAND_RESULTS;
    called->lines = called->call.lines;
    called->count = called->call.count;
    called->at = 0;
    called->list->open--;
    called->list->held += in_memory(called->lines);
    pool->held += in_memory(called->lines);
}

struct str strand_next_results(struct strand *results, size_t most, size_t *count)
{
    const char *from = results->lines.data + results->at;
    size_t rest = results->lines.len - results->at;
    size_t piece = rest;
    if (rest > most) {
        const char *lf = memrchr(from, '\n', most);
        piece = lf ? (size_t)(lf - from) + 1 : line_length(results);
    }
    results->at += piece;
    *count = results->at == results->lines.len ? results->count : 0;
    return (struct str){rest ? from : NULL, piece};
}

void strand_end(struct strand_pool *pool, struct strand *strand)
{
    struct strand_list *list = strand->list;
    if (strand->state == STRAND_RESULTS) {
        list->held -= in_memory(strand->lines);
        pool->held -= in_memory(strand->lines);
    } else {
        list->open--;
    }
    if (strand->state == STRAND_EVENTS)
        pool->ahead -= in_memory(strand->lines);
    slice_drop(&strand->lines);
    if (strand->state == STRAND_CALLED)
        slice_drop(&strand->call.event);
    if (strand->prev)
        strand->prev->next = strand->next;
    else
        list->first = strand->next;
    if (strand->next)
        strand->next->prev = strand->prev;
    else
        list->last = strand->prev;
    list->count--;
    pool->used--;
    strand->next = pool->free;
    pool->free = strand;
}
