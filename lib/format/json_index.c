/* json_index.c: where the strings of a JSON text stand. */
#include "format/json_index.h"

#if defined(__x86_64__) && defined(__SSE2__) && !defined(JSON_NO_SIMD)
#define HAVE_SSE2 1
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

/* Bit n of each mask tells of byte n of a block. */
struct masks {
    uint64_t quote;
    uint64_t backslash;
    uint64_t control; /* below 0x20 */
    uint64_t high;    /* not ASCII; only whether it is 0 counts */
};

/* Eight bytes, the first one lowest. */
INLINE uint64_t load_word(const char *p)
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
INLINE uint64_t zero_bytes(uint64_t word)
{
    uint64_t low = EACH_BYTE * 0x7F;
    uint64_t flags = ~(((word & low) + low) | word | low) >> 7;
    return flags * UINT64_C(0x0102040810204080) >> 56;
}

INLINE struct masks look_plain(const char *block)
{
    struct masks masks = {0};
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
INLINE uint64_t between_plain(uint64_t quotes)
{
    for (unsigned shift = 1; shift < 64; shift *= 2)
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

/* Which bytes stand behind a backslash. Clears *good when one of them must not. */
static uint64_t find_escaped(struct json_index *index, uint64_t backslash, bool *good)
{
    uint64_t escaped = index->escaped;
    index->escaped = 0;
    backslash &= ~escaped;
    if (backslash)
        index->backslashes = true;
    while (backslash) {
        unsigned at = (unsigned)__builtin_ctzll(backslash);
        *good &= is_escape(index, index->next + at + 1);
        if (at == 63) {
            index->escaped = 1;
            break;
        }
        uint64_t next = UINT64_C(2) << at;
        escaped |= next;
        backslash &= ~(next | next >> 1);
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

static bool check_block_utf8(struct json_index *index, size_t stop)
{
    size_t from = index->utf8_done > index->next ? index->utf8_done : index->next;
    index->utf8_done = check_utf8(index, from, stop);
    return index->utf8_done != SIZE_MAX;
}

/* The block at index->next, which may be cut short by the end: bits beyond it are then 0. */
struct block {
    const char *data;
    unsigned shift; /* bytes at its start that an earlier block has had */
    char copy[JSON_BLOCK];
};

INLINE void next_block(const struct json_index *index, struct block *block)
{
    size_t left = index->len - index->next;
    block->data = index->text + index->next;
    block->shift = 0;
    if (left >= JSON_BLOCK)
        return;
    if (index->len >= JSON_BLOCK) {
        block->shift = (unsigned)(JSON_BLOCK - left);
        block->data -= block->shift;
        return;
    }
    memset(block->copy, ' ', sizeof block->copy);
    memcpy(block->copy, block->data, left);
    block->data = block->copy;
}

INLINE bool window_is_open(const struct json_index *index)
{
    return index->next < index->len && index->count < JSON_WINDOW;
}

/* First half of a block's work: the quotes that are not escaped. */
INLINE uint64_t real_quotes(struct json_index *index, struct masks *masks, unsigned shift,
                            bool *good)
{
    masks->quote >>= shift;
    masks->control >>= shift;
    uint64_t backslash = masks->backslash >> shift;
    if (__builtin_expect((backslash | index->escaped) != 0, 0))
        masks->quote &= ~find_escaped(index, backslash, good);
    return masks->quote;
}

/* Second half, from which bytes stand between quotes: check them and list the quotes. */
INLINE void list_quotes(struct json_index *index, const struct masks *masks, uint64_t between,
                        unsigned shift, bool *good)
{
    uint64_t string = between ^ index->string;
    index->string = (uint64_t)((int64_t)string >> 63);
    *good &= !(string & masks->control);
    size_t stop = index->next + JSON_BLOCK - shift;
    if (stop > index->len)
        stop = index->len;
    if (__builtin_expect(masks->high != 0, 0))
        *good &= check_block_utf8(index, stop);
    uint64_t quote = masks->quote;
    uint32_t *out = index->quotes + index->count;
    index->count += (uint32_t)__builtin_popcountll(quote);
    /* Most blocks have few: eight are written without asking, those too many are overwritten. */
    for (;;) {
        for (int i = 0; i < 8; i++) {
            out[i] = (uint32_t)index->next + (uint32_t)__builtin_ctzll(quote | UINT64_C(1) << 63);
            quote &= quote - 1;
        }
        if (!quote)
            break;
        out += 8;
    }
    index->next = stop;
}

static bool fill_plain(struct json_index *index)
{
    bool good = true;
    while (window_is_open(index) && good) {
        struct block block;
        next_block(index, &block);
        struct masks masks = look_plain(block.data);
        uint64_t between = between_plain(real_quotes(index, &masks, block.shift, &good));
        list_quotes(index, &masks, between, block.shift, &good);
    }
    return good;
}

#ifdef HAVE_SSE2

INLINE struct masks look_sse2(const char *block)
{
    struct masks masks = {0};
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1F);
    for (unsigned at = 0; at < JSON_BLOCK; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(block + at));
        masks.quote |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, quote)) << at;
        masks.backslash |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, backslash))
                           << at;
        __m128i small = _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes);
        masks.control |= (uint64_t)(unsigned)_mm_movemask_epi8(small) << at;
        masks.high |= (unsigned)_mm_movemask_epi8(bytes);
    }
    return masks;
}

static bool fill_sse2(struct json_index *index)
{
    bool good = true;
    while (window_is_open(index) && good) {
        struct block block;
        next_block(index, &block);
        struct masks masks = look_sse2(block.data);
        uint64_t between = between_plain(real_quotes(index, &masks, block.shift, &good));
        list_quotes(index, &masks, between, block.shift, &good);
    }
    return good;
}

#define TARGET_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt,pclmul")))

static inline TARGET_AVX2 struct masks look_avx2(const char *block)
{
    struct masks masks = {0};
    const __m256i quote = _mm256_set1_epi8('"'), backslash = _mm256_set1_epi8('\\');
    const __m256i control = _mm256_set1_epi8(0x1F);
    for (unsigned at = 0; at < JSON_BLOCK; at += 32) {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(block + at));
        masks.quote |= (uint64_t)(unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, quote))
                       << at;
        masks.backslash |=
            (uint64_t)(unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, backslash)) << at;
        __m256i small = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, control), bytes);
        masks.control |= (uint64_t)(unsigned)_mm256_movemask_epi8(small) << at;
        masks.high |= (unsigned)_mm256_movemask_epi8(bytes);
    }
    return masks;
}

static TARGET_AVX2 bool fill_avx2(struct json_index *index)
{
    bool good = true;
    while (window_is_open(index) && good) {
        struct block block;
        next_block(index, &block);
        struct masks masks = look_avx2(block.data);
        /* A product without carries by all ones is the same sum as in between_plain. */
        __m128i quotes = _mm_set_epi64x(0, (int64_t)real_quotes(index, &masks, block.shift, &good));
        __m128i between = _mm_clmulepi64_si128(quotes, _mm_set1_epi8((char)0xFF), 0);
        list_quotes(index, &masks, (uint64_t)_mm_cvtsi128_si64(between), block.shift, &good);
    }
    return good;
}

#endif

enum json_level json_level_best(void)
{
#ifdef HAVE_SSE2
    static enum json_level best; /* JSON_PLAIN: not asked yet */
    if (best == JSON_PLAIN)
        best = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
                       __builtin_cpu_supports("pclmul")
                   ? JSON_AVX2
                   : JSON_SSE2;
    return best;
#else
    return JSON_PLAIN;
#endif
}

void json_index_init(struct json_index *index, struct str text)
{
    index->text = text.data;
    index->len = text.len;
    index->next = index->utf8_done = 0;
    index->string = index->escaped = 0;
    index->backslashes = index->odd = false;
    index->count = 0;
    index->quotes[0] = JSON_NO_QUOTE;
}

bool json_index_fill(struct json_index *index, enum json_level level)
{
    bool good;
    index->count = 0;
    if (index->odd)
        index->quotes[index->count++] = index->pending;
    switch (level) {
#ifdef HAVE_SSE2
    case JSON_AVX2:
        good = fill_avx2(index);
        break;
    case JSON_SSE2:
        good = fill_sse2(index);
        break;
#endif
    default:
        good = fill_plain(index);
    }
    index->odd = index->count % 2;
    if (index->odd)
        index->pending = index->quotes[--index->count];
    index->quotes[index->count] = JSON_NO_QUOTE;
    return good && !(index->odd && index->next == index->len);
}
