/*
 * json_index_block.h: how the quotes of one block are found, for json_index*.c only.
 *
 * A machine's way of looking at 64 bytes gives four masks; what follows from them is the same for
 * all and stands here, to be inlined into each loop.
 */
#ifndef FIT_FORMAT_JSON_INDEX_BLOCK_H
#define FIT_FORMAT_JSON_INDEX_BLOCK_H

#include "format/json_index.h"

/* Bit n of each mask tells of byte n of a block; bytes beyond the text count as blanks. */
struct json_masks {
    uint64_t quote;
    uint64_t backslash;
    uint64_t control; /* below 0x20 */
    uint64_t high;    /* not ASCII */
};

/* Of a block that is not ASCII alone, the same: the bytes from 0x80 up to below a limit. */
struct json_leads {
    uint64_t below_c0; /* these are no leads */
    uint64_t below_e0;
    uint64_t below_f0;
    uint64_t edge; /* leads that are wrong or do not allow all second bytes: C0, C1, E0, ED */
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

#ifdef JSON_X86
enum json_level json_level_x86(void); /* the best of this machine */
bool json_fill_sse2(struct json_index *index);
bool json_fill_avx512(struct json_index *index);
#endif

/*
 * The block has a backslash, a control character or a byte that is not ASCII, or begins behind a
 * backslash: check its escapes and that its strings have no control character. Returns which of its
 * quotes are not escaped.
 */
uint64_t json_check_block(struct json_index *index, struct json_place *place,
                          struct json_masks masks);

/* The block is not ASCII alone: check its characters. */
void json_check_leads(struct json_index *index, struct json_place *place, uint64_t high,
                      struct json_leads leads);

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

JSON_INLINE bool json_window_is_open(const struct json_index *index, const struct json_place *place)
{
    return place->next < index->len && place->out < index->quotes + JSON_WINDOW;
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

JSON_INLINE struct json_masks json_shift_masks(struct json_masks masks, unsigned shift)
{
    return (struct json_masks){masks.quote >> shift, masks.backslash >> shift,
                               masks.control >> shift, masks.high >> shift};
}

JSON_INLINE struct json_leads json_shift_leads(struct json_leads leads, unsigned shift)
{
    return (struct json_leads){leads.below_c0 >> shift, leads.below_e0 >> shift,
                               leads.below_f0 >> shift, leads.edge >> shift};
}

/* __builtin_popcountll calls a function where the machine is not known to have an instruction. */
JSON_INLINE unsigned json_count_bits(uint64_t bits)
{
#ifdef __POPCNT__
    return (unsigned)__builtin_popcountll(bits);
#else
    bits -= bits >> 1 & UINT64_C(0x5555555555555555);
    bits = (bits & UINT64_C(0x3333333333333333)) + (bits >> 2 & UINT64_C(0x3333333333333333));
    bits = (bits + (bits >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    return (unsigned)(bits * UINT64_C(0x0101010101010101) >> 56);
#endif
}

/* The quotes of the block have been listed, or are about to: go on to the next one. */
JSON_INLINE void json_next_block(struct json_place *place, unsigned count, unsigned shift)
{
    place->out += count;
    place->string ^= 0 - (uint64_t)(count & 1);
    place->next += JSON_BLOCK - shift;
}

/*
 * List the quotes. Most blocks have few: eight are written without asking, and what was written too
 * much is overwritten by the next block.
 */
JSON_INLINE void json_list_quotes(uint32_t *out, size_t next, uint64_t quote)
{
    for (;;) {
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
            out[i] = (uint32_t)next + (uint32_t)__builtin_ctzll(quote | UINT64_C(1) << 63);
            quote &= quote - 1;
        }
        if (JSON_LIKELY(!quote))
            break;
        out += 8;
    }
}

#endif
