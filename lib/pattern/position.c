/* position.c: how far numbered things are done. */
#include "pattern/position.h"

#include "base/mem.h"

#include <stdlib.h>

enum { WORD = 64, WORD_BYTES = 8 };

void position_free(struct position *position)
{
    free(position->words);
    *position = (struct position){0};
}

static uint64_t aligned(uint64_t number)
{
    return number / WORD * WORD;
}

/* The word of a number that is not below base. */
static size_t word_of(const struct position *position, uint64_t number)
{
    return (size_t)((number - position->base) / WORD);
}

static uint64_t bit_of(uint64_t number)
{
    return UINT64_C(1) << (number % WORD);
}

static bool is_ahead(const struct position *position, uint64_t number)
{
    size_t word = word_of(position, number);
    return word < position->count && (position->words[word] & bit_of(number));
}

bool position_is_done(const struct position *position, uint64_t number)
{
    return number <= position->at || is_ahead(position, number);
}

uint64_t position_next(const struct position *position, uint64_t number)
{
    uint64_t next = (number > position->at ? number : position->at) + 1;
    while (is_ahead(position, next))
        next++;
    return next;
}

/* Words that only stand for what is done in order are dropped when room is wanted. */
static void make_room(struct position *position, uint64_t number)
{
    if (!position->count)
        position->base = aligned(position->at + 1);
    if (word_of(position, number) < position->room)
        return;
    size_t stale = word_of(position, position->at + 1);
    if (stale) {
        position->count -= stale;
        position->base += (uint64_t)stale * WORD;
        memmove(position->words, position->words + stale, position->count * sizeof(uint64_t));
    }
    size_t wanted = word_of(position, number) + 1;
    if (wanted <= position->room)
        return;
    position->room = wanted > 2 * position->room ? wanted : 2 * position->room;
    position->words = mem_realloc(position->words, position->room * sizeof(uint64_t));
}

static void set(struct position *position, uint64_t number)
{
    make_room(position, number);
    size_t word = word_of(position, number);
    while (position->count <= word)
        position->words[position->count++] = 0;
    position->words[word] |= bit_of(number);
}

static void move_to(struct position *position, uint64_t number)
{
    position->at = number;
    if (position->count && word_of(position, number + 1) < position->count)
        position->at = position_next(position, number) - 1;
    if (position->count && word_of(position, position->at + 1) >= position->count)
        position->count = 0;
}

bool position_end(struct position *position, uint64_t number)
{
    if (position_is_done(position, number))
        return false;
    if (number == position->at + 1)
        move_to(position, number);
    else
        set(position, number);
    return true;
}

/* Of the bits of that word those of numbers above `from`, up to `to`. */
static uint64_t between(const struct position *position, size_t word, uint64_t from, uint64_t to)
{
    uint64_t first = position->base + (uint64_t)word * WORD, last = first + WORD - 1;
    uint64_t bits = position->words[word];
    if (to < first || from >= last)
        return 0;
    if (from >= first)
        bits &= ~UINT64_C(0) << (from - first + 1);
    if (to < last)
        bits &= ~UINT64_C(0) >> (last - to);
    return bits;
}

uint64_t position_left(const struct position *position, uint64_t from, uint64_t to)
{
    if (from < position->at)
        from = position->at;
    if (to <= from)
        return 0;
    uint64_t left = to - from;
    for (size_t word = position->count ? word_of(position, from + 1) : 0;
         word < position->count && position->base + (uint64_t)word * WORD <= to; word++)
        left -= (uint64_t)__builtin_popcountll(between(position, word, from, to));
    return left;
}

uint64_t position_skip(struct position *position, uint64_t number)
{
    if (number <= position->at)
        return 0;
    uint64_t left = position_left(position, position->at, number);
    move_to(position, number);
    return left;
}

/* ---- as bytes ---- */

static void add_number(struct buf *out, uint64_t number)
{
    for (int shift = WORD - 8; shift >= 0; shift -= 8)
        buf_addc(out, (char)(number >> shift));
}

static uint64_t number_at(const char *at)
{
    uint64_t number = 0;
    for (int i = 0; i < WORD_BYTES; i++)
        number = number << 8 | (unsigned char)at[i];
    return number;
}

void position_write(const struct position *position, struct buf *out)
{
    add_number(out, position->at);
    if (!position->count)
        return;
    for (size_t word = word_of(position, position->at + 1); word < position->count; word++)
        add_number(out, between(position, word, position->at, UINT64_MAX));
}

bool position_read(struct position *position, struct str bytes)
{
    if (bytes.len < WORD_BYTES || bytes.len % WORD_BYTES)
        return false;
    position->at = number_at(bytes.data);
    position->base = aligned(position->at + 1);
    position->room = position->count = bytes.len / WORD_BYTES - 1;
    if (position->count)
        position->words = mem_array(position->count, sizeof(uint64_t));
    for (size_t word = 0; word < position->count; word++)
        position->words[word] = number_at(bytes.data + (word + 1) * WORD_BYTES);
    return true;
}
