/* json_index_x86.c: the quotes of a JSON text by the vector instructions of x86-64. */
#include "format/json_index_block.h"

#ifdef JSON_X86

#include <immintrin.h>

/* glibc (2.33) knows it from its own start. The compiler's way asks the processor again before main
 * begins, which takes a virtual machine 20 us. */
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#define SUPPORTS(glibc_name, compiler_name) CPU_FEATURE_ACTIVE(glibc_name)
#else
#define SUPPORTS(glibc_name, compiler_name) __builtin_cpu_supports(compiler_name)
#endif

#define TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512vbmi2,bmi,bmi2,popcnt")))

enum json_level json_level_x86(void)
{
    bool avx512 = SUPPORTS(AVX512F, "avx512f") && SUPPORTS(AVX512BW, "avx512bw") &&
                  SUPPORTS(AVX512_VBMI2, "avx512vbmi2") && SUPPORTS(BMI1, "bmi") &&
                  SUPPORTS(BMI2, "bmi2") && SUPPORTS(POPCNT, "popcnt");
    return avx512 ? JSON_AVX512 : JSON_SSE2;
}

/*
 * Each loop finds the quotes of a block, and whether anything in it is special: what that is, is
 * found out only then. As a signed number, a byte that is not ASCII is below all that are.
 */

JSON_INLINE uint64_t mask_sse2(__m128i flags, unsigned at)
{
    return (uint64_t)(uint32_t)_mm_movemask_epi8(flags) << at;
}

static struct json_masks look_sse2(const char *block)
{
    struct json_masks masks = {0};
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1F);
    for (unsigned at = 0; at < JSON_BLOCK; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(block + at));
        __m128i small = _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes);
        masks.quote |= mask_sse2(_mm_cmpeq_epi8(bytes, quote), at);
        masks.backslash |= mask_sse2(_mm_cmpeq_epi8(bytes, backslash), at);
        masks.control |= mask_sse2(small, at);
        masks.high |= mask_sse2(bytes, at);
    }
    return masks;
}

JSON_INLINE __m128i below_sse2(__m128i bytes, int limit)
{
    return _mm_cmplt_epi8(bytes, _mm_set1_epi8((char)limit));
}

static struct json_leads leads_sse2(const char *block)
{
    struct json_leads leads = {0};
    for (unsigned at = 0; at < JSON_BLOCK; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(block + at));
        __m128i tail = below_sse2(bytes, 0xC0), overlong = below_sse2(bytes, 0xC2);
        __m128i e0 = _mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)0xE0));
        __m128i ed = _mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)0xED));
        __m128i edge = _mm_or_si128(_mm_xor_si128(tail, overlong), _mm_or_si128(e0, ed));
        leads.below_c0 |= mask_sse2(tail, at);
        leads.below_e0 |= mask_sse2(below_sse2(bytes, 0xE0), at);
        leads.below_f0 |= mask_sse2(below_sse2(bytes, 0xF0), at);
        leads.edge |= mask_sse2(edge, at);
    }
    return leads;
}

bool json_fill_sse2(struct json_index *index)
{
    const __m128i quotes = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1F);
    struct json_place place = json_place_of(index);
    while (json_window_is_open(index, &place)) {
        struct json_block block;
        json_block_load(index->text, index->len, place.next, &block);
        uint64_t quote = 0;
        __m128i special = _mm_setzero_si128();
#pragma GCC unroll 4
        for (unsigned at = 0; at < JSON_BLOCK; at += 16) {
            __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(block.data + at));
            __m128i small = _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes);
            __m128i escape = _mm_cmpeq_epi8(bytes, backslash);
            quote |= mask_sse2(_mm_cmpeq_epi8(bytes, quotes), at);
            special = _mm_or_si128(_mm_or_si128(special, bytes), _mm_or_si128(small, escape));
        }
        quote >>= block.shift;
        if (JSON_UNLIKELY(_mm_movemask_epi8(special) || place.escaped)) {
            struct json_place copy = place; /* in memory, while place is in registers */
            struct json_masks masks = json_shift_masks(look_sse2(block.data), block.shift);
            quote = json_check_block(index, &copy, masks);
            if (masks.high)
                json_check_leads(index, &copy, masks.high,
                                 json_shift_leads(leads_sse2(block.data), block.shift));
            place = copy;
        }
        json_list_quotes(place.out, place.next, quote);
        json_next_block(&place, json_count_bits(quote), block.shift);
    }
    return json_place_end(index, &place);
}

static inline TARGET_AVX512 uint64_t below_avx512(__m512i bytes, int limit)
{
    return _mm512_cmplt_epi8_mask(bytes, _mm512_set1_epi8((char)limit));
}

static TARGET_AVX512 struct json_leads leads_avx512(__m512i bytes)
{
    uint64_t tail = below_avx512(bytes, 0xC0);
    uint64_t e0 = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8((char)0xE0));
    uint64_t ed = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8((char)0xED));
    return (struct json_leads){tail, below_avx512(bytes, 0xE0), below_avx512(bytes, 0xF0),
                               (below_avx512(bytes, 0xC2) ^ tail) | e0 | ed};
}

/* Sixteen positions within a block, as positions in the text. */
static inline TARGET_AVX512 void store_quotes(uint32_t *out, __m512i base, __m128i positions)
{
    _mm512_storeu_si512(out, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(positions)));
}

/*
 * Loads under a mask touch no byte beyond the text, and compressing the numbers 0 to 63 by the mask
 * of quotes is their list: no branch but for blocks of more than sixteen quotes.
 */
TARGET_AVX512 bool json_fill_avx512(struct json_index *index)
{
    static const unsigned char numbers[JSON_BLOCK] __attribute__((aligned(64))) = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    const __m512i all = _mm512_load_si512(numbers);
    const __m512i quotes = _mm512_set1_epi8('"'), backslash = _mm512_set1_epi8('\\');
    const __m512i blank = _mm512_set1_epi8(0x20);
    struct json_place place = json_place_of(index);
    while (json_window_is_open(index, &place)) {
        size_t left = index->len - place.next;
        uint64_t there = left < JSON_BLOCK ? (UINT64_C(1) << left) - 1 : UINT64_MAX;
        __m512i bytes = _mm512_mask_loadu_epi8(blank, there, index->text + place.next);
        uint64_t quote = _mm512_cmpeq_epi8_mask(bytes, quotes);
        uint64_t escape = _mm512_cmpeq_epi8_mask(bytes, backslash);
        uint64_t small = below_avx512(bytes, ' ');
        if (JSON_UNLIKELY(small | escape | place.escaped)) {
            struct json_place copy = place;
            struct json_masks masks = {quote, escape, _mm512_cmplt_epu8_mask(bytes, blank),
                                       _mm512_movepi8_mask(bytes)};
            quote = json_check_block(index, &copy, masks);
            if (masks.high)
                json_check_leads(index, &copy, masks.high, leads_avx512(bytes));
            place = copy;
        }
        __m512i list = _mm512_maskz_compress_epi8(quote, all);
        __m512i base = _mm512_set1_epi32((int)(uint32_t)place.next);
        unsigned count = (unsigned)__builtin_popcountll(quote);
        store_quotes(place.out, base, _mm512_castsi512_si128(list));
        if (JSON_UNLIKELY(count > 16)) {
            store_quotes(place.out + 16, base, _mm512_extracti32x4_epi32(list, 1));
            store_quotes(place.out + 32, base, _mm512_extracti32x4_epi32(list, 2));
            store_quotes(place.out + 48, base, _mm512_extracti32x4_epi32(list, 3));
        }
        json_next_block(&place, count, 0);
    }
    return json_place_end(index, &place);
}

#endif
