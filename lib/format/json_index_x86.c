/* json_index_x86.c: the quotes of a JSON text by the vector instructions of x86-64. */
#include "format/json_index_block.h"

#ifdef JSON_X86

#include <immintrin.h>

#define TARGET_AVX2   __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define TARGET_AVX512 __attribute__((target("avx2,bmi,bmi2,popcnt,avx512f,avx512bw,avx512vbmi2")))

enum json_level json_level_x86(void)
{
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512vbmi2");
    return avx512 ? JSON_AVX512 : avx2 ? JSON_AVX2 : JSON_SSE2;
}

/*
 * Each loop finds the quotes of a block, and whether anything in it is special; what is, is found
 * out only then.
 */

static struct json_masks look_sse2(const char *block)
{
    struct json_masks masks = {0};
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1F);
    for (unsigned at = 0; at < JSON_BLOCK; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(block + at));
        __m128i small = _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes);
        uint32_t quotes = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, quote));
        uint32_t backslashes = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, backslash));
        masks.quote |= (uint64_t)quotes << at;
        masks.backslash |= (uint64_t)backslashes << at;
        masks.control |= (uint64_t)(uint32_t)_mm_movemask_epi8(small) << at;
        masks.high |= (uint32_t)_mm_movemask_epi8(bytes);
    }
    return masks;
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
            uint32_t mask = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, quotes));
            quote |= (uint64_t)mask << at;
            special = _mm_or_si128(_mm_or_si128(special, bytes), _mm_or_si128(small, escape));
        }
        quote >>= block.shift;
        if (JSON_UNLIKELY(_mm_movemask_epi8(special) || place.escaped)) {
            struct json_place copy = place; /* in memory, while place is in registers */
            quote = json_check_block(index, &copy,
                                     json_shift_masks(look_sse2(block.data), block.shift));
            place = copy;
        }
        json_list_quotes(place.out, place.next, quote);
        json_next_block(&place, json_count_bits(quote), block.shift);
    }
    return json_place_end(index, &place);
}

static TARGET_AVX2 struct json_masks look_avx2(const char *block)
{
    struct json_masks masks = {0};
    const __m256i quote = _mm256_set1_epi8('"'), backslash = _mm256_set1_epi8('\\');
    const __m256i control = _mm256_set1_epi8(0x1F);
    for (unsigned at = 0; at < JSON_BLOCK; at += 32) {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(block + at));
        __m256i small = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, control), bytes);
        uint32_t quotes = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, quote));
        uint32_t backslashes = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, backslash));
        masks.quote |= (uint64_t)quotes << at;
        masks.backslash |= (uint64_t)backslashes << at;
        masks.control |= (uint64_t)(uint32_t)_mm256_movemask_epi8(small) << at;
        masks.high |= (uint32_t)_mm256_movemask_epi8(bytes);
    }
    return masks;
}

TARGET_AVX2 bool json_fill_avx2(struct json_index *index)
{
    const __m256i quotes = _mm256_set1_epi8('"'), backslash = _mm256_set1_epi8('\\');
    const __m256i control = _mm256_set1_epi8(0x1F);
    struct json_place place = json_place_of(index);
    while (json_window_is_open(index, &place)) {
        struct json_block block;
        json_block_load(index->text, index->len, place.next, &block);
        uint64_t quote = 0;
        __m256i special = _mm256_setzero_si256();
#pragma GCC unroll 2
        for (unsigned at = 0; at < JSON_BLOCK; at += 32) {
            __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(block.data + at));
            __m256i small = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, control), bytes);
            __m256i escape = _mm256_cmpeq_epi8(bytes, backslash);
            uint32_t mask = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, quotes));
            quote |= (uint64_t)mask << at;
            special =
                _mm256_or_si256(_mm256_or_si256(special, bytes), _mm256_or_si256(small, escape));
        }
        quote >>= block.shift;
        if (JSON_UNLIKELY(_mm256_movemask_epi8(special) || place.escaped)) {
            struct json_place copy = place;
            quote = json_check_block(index, &copy,
                                     json_shift_masks(look_avx2(block.data), block.shift));
            place = copy;
        }
        json_list_quotes(place.out, place.next, quote);
        json_next_block(&place, (unsigned)__builtin_popcountll(quote), block.shift);
    }
    return json_place_end(index, &place);
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
        /* As a signed number, a byte that is not ASCII is below a blank too. */
        uint64_t small = _mm512_cmplt_epi8_mask(bytes, blank);
        if (JSON_UNLIKELY(small | escape | place.escaped)) {
            struct json_place copy = place;
            struct json_masks masks = {quote, escape, _mm512_cmplt_epu8_mask(bytes, blank),
                                       _mm512_movepi8_mask(bytes)};
            quote = json_check_block(index, &copy, masks);
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
