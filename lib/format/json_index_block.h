/*
 * json_index_block.h: how the quotes of one block are found, for json_index*.c only.
 *
 * A machine's way of looking at 64 bytes gives four masks; what follows from them is the same for
 * all and stands here, to be inlined into each loop.
 */
#ifndef FIT_FORMAT_JSON_INDEX_BLOCK_H
#define FIT_FORMAT_JSON_INDEX_BLOCK_H

#include "format/json_index.h"

/* Bit n of each mask tells of byte n of a block. */
struct json_masks {
    uint64_t quote;
    uint64_t backslash;
    uint64_t control; /* below 0x20 */
    uint64_t high;    /* not ASCII; only whether it is 0 counts */
};

/*
 * A fill's place in the text. The loops keep it in registers: within struct json_index it would be
 * stored and loaded for each block, because the quotes that are written may alias it.
 */
struct json_place {
    size_t next;
    uint32_t *out;
    uint64_t string;
    uint64_t escaped;
    bool good;
};

/* Out of line, because most blocks need neither. Both clear *good at a fault. */
uint64_t json_find_escaped(struct json_index *index, uint64_t backslash, struct json_place *place);
bool json_check_utf8(struct json_index *index, size_t from);

#ifdef JSON_X86
enum json_level json_level_x86(void); /* the best of this machine */
bool json_fill_sse2(struct json_index *index);
bool json_fill_avx2(struct json_index *index);
bool json_fill_avx512(struct json_index *index);
#endif

JSON_INLINE struct json_place json_place_of(struct json_index *index)
{
    return (struct json_place){index->next, index->quotes + index->count, index->string,
                               index->escaped, true};
}

JSON_INLINE bool json_place_end(struct json_index *index, const struct json_place *place)
{
    index->next = place->next < index->len ? place->next : index->len;
    index->count = (uint32_t)(place->out - index->quotes);
    index->string = place->string;
    index->escaped = place->escaped;
    return place->good;
}

/*
 * The block at place->next for machines that cannot load a part of one: a block that the end of the
 * text cuts short is loaded from further ahead, and a text shorter than that from a copy. Bytes of
 * no text are never touched.
 */
struct json_block {
    const char *data;
    unsigned shift; /* bytes at its start that an earlier block has had */
    char copy[JSON_BLOCK];
};

JSON_INLINE void json_block_load(const char *text, size_t len, size_t next,
                                 struct json_block *block)
{
    size_t left = len - next;
    block->data = text + next;
    block->shift = 0;
    if (left >= JSON_BLOCK)
        return;
    if (len >= JSON_BLOCK) {
        block->shift = (unsigned)(JSON_BLOCK - left);
        block->data -= block->shift;
        return;
    }
    memset(block->copy, ' ', sizeof block->copy);
    memcpy(block->copy, block->data, left);
    block->data = block->copy;
}

/* Step 1 of a block: only quotes that are not escaped remain. */
JSON_INLINE void json_drop_escaped(struct json_index *index, struct json_place *place,
                                   struct json_masks *masks)
{
    if (__builtin_expect((masks->backslash | place->escaped) == 0, 1))
        return;
    struct json_place copy = *place; /* whose address may be known, unlike that of *place */
    masks->quote &= ~json_find_escaped(index, masks->backslash, &copy);
    place->escaped = copy.escaped;
    place->good = copy.good;
}

/*
 * Step 2, with which bytes stand between this block's quotes (bit n is the sum, modulo 2, of the
 * quotes 0 to n): check what stands inside of strings.
 */
JSON_INLINE void json_check_strings(struct json_index *index, struct json_place *place,
                                    const struct json_masks *masks, uint64_t between)
{
    uint64_t string = between ^ place->string;
    place->string = (uint64_t)((int64_t)string >> 63);
    place->good &= !(string & masks->control);
    if (__builtin_expect(masks->high != 0, 0))
        place->good &= json_check_utf8(index, place->next);
}

/*
 * Step 3: list the quotes. Most blocks have few: eight are written without asking, and what was
 * written too much is overwritten by the next block.
 */
JSON_INLINE void json_list_quotes(struct json_place *place, uint64_t quote)
{
    uint32_t *out = place->out;
    place->out += __builtin_popcountll(quote);
    for (;;) {
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
            out[i] = (uint32_t)place->next + (uint32_t)__builtin_ctzll(quote | UINT64_C(1) << 63);
            quote &= quote - 1;
        }
        if (!quote)
            break;
        out += 8;
    }
}

JSON_INLINE bool json_window_is_open(const struct json_index *index, const struct json_place *place)
{
    return place->next < index->len && place->out < index->quotes + JSON_WINDOW;
}

#endif
