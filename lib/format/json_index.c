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

/* A bit for each of the eight bytes that is 0. */
JSON_INLINE uint64_t zero_bytes(uint64_t word)
{
    uint64_t low = EACH_BYTE * 0x7F;
    uint64_t flags = ~(((word & low) + low) | word | low) >> 7;
    return flags * UINT64_C(0x0102040810204080) >> 56;
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
        masks.high |= word & EACH_BYTE * 0x80;
    }
    return masks;
}

/* Bit n is the sum, modulo 2, of the bits 0 to n: set from an opening quote up to its closing one.
 */
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

/* What stands behind a backslash, in well-formed strings. */
static bool is_escape(const struct json_index *index, size_t at)
{
    if (at >= index->len)
        return false;
    const char *p = index->text + at;
    switch (*p) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return true;
    case 'u':
        return index->len - at > 4 && is_hex(p[1]) && is_hex(p[2]) && is_hex(p[3]) && is_hex(p[4]);
    default:
        return false;
    }
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
 * Check the characters that start from `from` on and before `stop`; the last may end behind it.
 * Returns where it ends, or SIZE_MAX when one is ill-formed. The ranges are those of Table 3-7 of
 * the Unicode Standard.
 */
static size_t check_utf8(const struct json_index *index, size_t from, size_t stop)
{
    const unsigned char *p = (const unsigned char *)index->text;
    while (from < stop) {
        unsigned char lead = p[from++];
        if (lead < 0x80)
            continue;
        size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
        unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        if (lead < 0xC2 || lead > 0xF4 || index->len - from < more || p[from] < low ||
            p[from] > high)
            return SIZE_MAX;
        for (size_t i = 1; i < more; i++) {
            if ((p[from + i] & 0xC0) != 0x80)
                return SIZE_MAX;
        }
        from += more;
    }
    return from;
}

static bool check_block_utf8(struct json_index *index, size_t from)
{
    size_t stop = index->len - from > JSON_BLOCK ? from + JSON_BLOCK : index->len;
    if (index->utf8_done > from)
        from = index->utf8_done;
    index->utf8_done = check_utf8(index, from, stop);
    return index->utf8_done != SIZE_MAX;
}

uint64_t json_check_block(struct json_index *index, struct json_place *place,
                          struct json_masks masks)
{
    if (masks.backslash | place->escaped)
        masks.quote &= ~find_escaped(index, place, masks.backslash);
    if (masks.control & (between(masks.quote) ^ place->string))
        place->good = false;
    if (masks.high && !check_block_utf8(index, place->next))
        place->good = false;
    return masks.quote;
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
        if (JSON_UNLIKELY(special))
            quote = json_check_block(index, &place,
                                     json_shift_masks(look_plain(block.data), block.shift));
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
    case JSON_AVX2:
        return json_fill_avx2(index);
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
