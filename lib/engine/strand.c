/* strand.c: what is under way of one event in a chain. */
#include "engine/strand.h"

#include "base/hash.h"
#include "base/list.h"
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

/* Larger ones lie in a temporary file (function.h). */
static size_t in_memory(struct slice lines)
{
    return lines.len > FN_SPILL ? 0 : lines.len;
}

/* Its lines are counted where they wait, and no longer. */
static void count_lines(struct strand_pool *pool, struct strand *strand)
{
    if (strand->state == STRAND_EVENTS) {
        pool->ahead += in_memory(strand->lines);
    } else {
        pool->held += in_memory(strand->lines);
        strand->list->held += in_memory(strand->lines);
        strand->list->open--;
    }
}

static void uncount_lines(struct strand_pool *pool, struct strand *strand)
{
    if (strand->state == STRAND_EVENTS) {
        pool->ahead -= in_memory(strand->lines);
    } else {
        pool->held -= in_memory(strand->lines);
        strand->list->held -= in_memory(strand->lines);
        strand->list->open++;
    }
}

struct strand *strand_begin(struct strand_pool *pool, struct strand_list *list, unsigned stage,
                            struct slice lines)
{
    struct strand *strand = new_strand(pool, list);
    strand->stage = stage;
    strand->lines = lines;
    count_lines(pool, strand);
    strand->prev = list->last;
    if (list->last)
        list->last->next = strand;
    else
        list->first = strand;
    list->last = strand;
    return strand;
}

void strand_place(struct strand *events, uint64_t path)
{
    events->path = path;
    events->placed = true;
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

bool strand_has_more(const struct strand *lines)
{
    return lines->at + line_length(lines) < lines->lines.len;
}

/* The ordinal of a sub-event among its siblings, on top of what its ancestors were. */
static uint64_t descend(uint64_t path, uint64_t ordinal)
{
    uint64_t steps[2] = {path, ordinal};
    return hash_64((struct str){(const char *)steps, sizeof steps});
}

uint64_t strand_next_round(uint64_t path)
{
    return descend(path, 0); /* sub-events count from 1 */
}

struct str strand_scope(unsigned stage, uint64_t path, char into[STRAND_SCOPE])
{
    int length = snprintf(into, STRAND_SCOPE, "%u/%016llx", stage + 1, (unsigned long long)path);
    return (struct str){into, (size_t)length};
}

int strand_read_scope(struct str scope, unsigned *stage, uint64_t *path)
{
    char text[STRAND_SCOPE], again[STRAND_SCOPE];
    char *slash, *end;
    if (scope.len >= sizeof text)
        return -1;
    memcpy(text, scope.data, scope.len);
    text[scope.len] = '\0';
    unsigned long number = strtoul(text, &slash, 10);
    if (*slash != '/' || !number || number > UINT32_MAX)
        return -1;
    *stage = (unsigned)number - 1;
    *path = strtoull(slash + 1, &end, 16);
    return str_eq(strand_scope(*stage, *path, again), scope) ? 0 : -1; /* nothing but our own */
}

static void set_path(struct strand *called, uint64_t path)
{
    called->path = path;
    called->call.scope = strand_scope(called->stage, path, called->scope);
}

struct strand *strand_start(struct strand_pool *pool, struct strand *lines)
{
    size_t length = line_length(lines);
    const char *line = lines->lines.data + lines->at;
    size_t bare = length && line[length - 1] == '\n' ? length - 1 : length;
    struct slice event = slice_of(lines->lines.block, line, bare);
    uint64_t path = lines->placed ? lines->path : descend(lines->path, ++lines->taken);
    lines->at += length;
    bool last = lines->at >= lines->lines.len;
    struct strand *called = last ? lines : insert_before(pool, lines);
    if (last) {
        uncount_lines(pool, lines);
        slice_drop(&lines->lines);
    }
    if (!last && lines->origin) {
        called->origin = lines->origin;
        called->origin->holders++;
    }
    called->state = STRAND_CALLED;
    called->stage = lines->stage;
    called->placed = false;
    called->call = (struct fn_call){.event = event};
    set_path(called, path);
    return called;
}

void strand_enter_next_round(struct strand *called)
{
    set_path(called, strand_next_round(called->path));
}

void strand_pass(struct strand_pool *pool, struct strand *events)
{
    uncount_lines(pool, events);
    events->state = STRAND_RESULTS;
    events->count = 1;
    count_lines(pool, events);
}

static void take_answer(struct strand_pool *pool, struct strand *called, enum strand_state state)
{
    slice_drop(&called->call.event);
    called->state = state;
    called->lines = called->call.lines;
    called->count = called->call.count;
    called->at = 0;
    called->taken = 0;
    count_lines(pool, called);
}

void strand_go_on(struct strand_pool *pool, struct strand *called, unsigned stage)
{
    take_answer(pool, called, STRAND_EVENTS);
    called->stage = stage;
}

void strand_keep_results(struct strand_pool *pool, struct strand *called)
{
    take_answer(pool, called, STRAND_RESULTS);
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
    if (strand->state != STRAND_CALLED)
        uncount_lines(pool, strand);
    list->open--;
    slice_drop(&strand->lines);
    if (strand->state == STRAND_CALLED)
        slice_drop(&strand->call.event);
    LIST_REMOVE(list, strand);
    list->count--;
    pool->used--;
    strand->next = pool->free;
    pool->free = strand;
}
