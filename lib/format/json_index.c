/* json_index.c: where the strings of a JSON text stand: what every machine can do. */
#include "format/json_index.h"

#include "format/json_index_block.h"

/* Eight bytes, the first one lowest. */
JSON_INLINE uint64_t load_word(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

#define EACH_BYTE UINT64_C(0x0101010101010101)

/* The highest bits of the eight bytes, of which the others are 0. */
JSON_INLINE uint64_t high_bits(uint64_t word)
{
    return (word >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

/* A bit for each of the eight bytes that is 0. */
JSON_INLINE uint64_t zero_bytes(uint64_t word)
{
    uint64_t low = EACH_BYTE * 0x7F;
    return high_bits(~(((word & low) + low) | word | low));
}

/* Not 0 when one of the eight bytes is 0. */
JSON_INLINE uint64_t any_zero_byte(uint64_t word)
{
    return (word - EACH_BYTE) & ~word & EACH_BYTE * 0x80;
}

static struct json_masks look_plain(const char *block)
{
    struct json_masks masks = {0};
    for (unsigned at = 0; at < JSON_BLOCK; at += 8) {
        uint64_t word = load_word(block + at);
        masks.quote |= zero_bytes(word ^ EACH_BYTE * '"') << at;
        masks.backslash |= zero_bytes(word ^ EACH_BYTE * '\\') << at;
        masks.control |= zero_bytes(word & EACH_BYTE * 0xE0) << at;
        masks.high |= high_bits(word & EACH_BYTE * 0x80) << at;
    }
    return masks;
}

/* Bit n is the sum, modulo 2, of bits 0 to n: set from an opening quote up to its closing one. */
static uint64_t between(uint64_t quotes)
{
    for (unsigned shift = 1; shift < JSON_BLOCK; shift *= 2)
        quotes ^= quotes << shift;
    return quotes;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Whether what stands at a place behind a backslash makes an escape. */
static bool is_escape(const struct json_index *index, size_t at)
{
    static const bool shorts[128] = {['"'] = true, ['\\'] = true, ['/'] = true, ['b'] = true,
                                     ['f'] = true, ['n'] = true,  ['r'] = true, ['t'] = true};
    if (at >= index->len)
        return false;
    const char *p = index->text + at;
    if (JSON_LIKELY(*p != 'u'))
        return *p >= 0 && shorts[(unsigned char)*p];
    return index->len - at > 4 && is_hex(p[1]) && is_hex(p[2]) && is_hex(p[3]) && is_hex(p[4]);
}

/* Which bytes stand behind a backslash: see that they may, and where escapes are. */
static uint64_t find_escaped(struct json_index *index, struct json_place *place, uint64_t backslash)
{
    uint64_t escaped = place->escaped; /* the byte at next may be */
    place->escaped = 0;
    backslash &= ~escaped;
    while (backslash) {
        unsigned at = (unsigned)__builtin_ctzll(backslash);
        size_t position = place->next + at;
        if (position < index->escape_first)
            index->escape_first = position;
        index->escape_last = position;
        place->good &= is_escape(index, position + 1);
        place->escaped = at == JSON_BLOCK - 1;
        uint64_t bit = UINT64_C(1) << at;
        escaped |= bit << 1;
        backslash &= ~(bit | bit << 1);
    }
    return escaped;
}

/*
 * The length of the character at from, which is not ASCII; 0 when it is ill-formed. The ranges are
 * those of Table 3-7 of the Unicode Standard.
 */
static size_t character_length(const struct json_index *index, size_t from)
{
    const unsigned char *p = (const unsigned char *)index->text + from;
    size_t left = index->len - from;
    if (*p < 0xE0)
        return *p >= 0xC2 && left >= 2 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
    if (*p < 0xF0) {
        if (left < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80)
            return 0;
        return (*p == 0xE0 && p[1] < 0xA0) || (*p == 0xED && p[1] > 0x9F) ? 0 : 3;
    }
    if (*p > 0xF4 || left < 4 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80 ||
        (p[3] & 0xC0) != 0x80)
        return 0;
    return (*p == 0xF0 && p[1] < 0x90) || (*p == 0xF4 && p[1] > 0x8F) ? 0 : 4;
}

/* Which bytes of the block at next end a character that begins in an earlier one. */
static uint64_t first_tails(const struct json_index *index, size_t next)
{
    return index->utf8_done > next ? (UINT64_C(1) << (index->utf8_done - next)) - 1 : 0;
}

/* Check the characters whose leads are given; the last of them may end behind the block at next. */
static void check_each(struct json_index *index, struct json_place *place, uint64_t leads)
{
    for (; leads; leads &= leads - 1) {
        size_t from = place->next + (unsigned)__builtin_ctzll(leads);
        size_t len = character_length(index, from);
        place->good &= len != 0;
        index->utf8_done = from + len;
    }
}

/*
 * Leads tell which bytes must be tails. Few need a look of their own: those that the masks do not
 * tell apart, and those whose tails may be in the next block.
 */
void json_check_leads(struct json_index *index, struct json_place *place, uint64_t high,
                      struct json_leads leads)
{
    uint64_t four = high & ~leads.below_f0;
    uint64_t three = leads.below_f0 & ~leads.below_e0;
    uint64_t lead = high & ~leads.below_c0;
    uint64_t tails = lead << 1 | (three | four) << 2 | four << 3;
    place->good &= (tails | first_tails(index, place->next)) == leads.below_c0;
    check_each(index, place, leads.edge | four | (lead & UINT64_C(7) << 61));
}

uint64_t json_check_block(struct json_index *index, struct json_place *place,
                          struct json_masks masks)
{
    if (masks.backslash | place->escaped)
        masks.quote &= ~find_escaped(index, place, masks.backslash);
    if (masks.control & (between(masks.quote) ^ place->string))
        place->good = false;
    return masks.quote;
}

/* All characters of the block one by one. */
static void check_plain(struct json_index *index, struct json_place *place, uint64_t high)
{
    high &= ~first_tails(index, place->next);
    while (high && place->good) {
        unsigned at = (unsigned)__builtin_ctzll(high);
        check_each(index, place, UINT64_C(1) << at);
        high &= index->utf8_done - place->next < JSON_BLOCK
                    ? UINT64_MAX << (index->utf8_done - place->next)
                    : 0;
    }
}

/* As in json_index_x86.c. */
static bool fill_plain(struct json_index *index)
{
    struct json_place place = json_place_of(index);
    while (json_window_is_open(index, &place)) {
        struct json_block block;
        json_block_load(index->text, index->len, place.next, &block);
        uint64_t quote = 0, special = place.escaped;
        for (unsigned at = 0; at < JSON_BLOCK; at += 8) {
            uint64_t word = load_word(block.data + at);
            quote |= zero_bytes(word ^ EACH_BYTE * '"') << at;
            special |= any_zero_byte(word ^ EACH_BYTE * '\\');
            special |= any_zero_byte(word & EACH_BYTE * 0xE0) | (word & EACH_BYTE * 0x80);
        }
        quote >>= block.shift;
        if (JSON_UNLIKELY(special)) {
            struct json_masks masks = json_shift_masks(look_plain(block.data), block.shift);
            quote = json_check_block(index, &place, masks);
            check_plain(index, &place, masks.high);
        }
        json_list_quotes(place.out, place.next, quote);
        json_next_block(&place, json_count_bits(quote), block.shift);
    }
    return json_place_end(index, &place);
}

enum json_level json_level_best(void)
{
#ifdef JSON_X86
    static int best = -1;
    if (best < 0)
        best = (int)json_level_x86();
    return (enum json_level)best;
#else
    return JSON_PLAIN;
#endif
}

static bool fill_at_level(struct json_index *index, enum json_level level)
{
    switch (level) {
#ifdef JSON_X86
    case JSON_AVX512:
        return json_fill_avx512(index);
    case JSON_SSE2:
        return json_fill_sse2(index);
#endif
    default:
        return fill_plain(index);
    }
}

bool json_index_fill(struct json_index *index, enum json_level level)
{
    index->count = 0;
    if (index->odd)
        index->quotes[index->count++] = index->pending;
    bool good = fill_at_level(index, level);
    index->odd = index->count % 2;
    if (index->odd)
        index->pending = index->quotes[--index->count];
    index->quotes[index->count] = JSON_NO_QUOTE;
    return good && !(index->odd && index->next == index->len);
}
