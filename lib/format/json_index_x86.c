/* json_index_x86.c: the quotes of a JSON text by the vector instructions of x86-64. */
#include "format/json_index_block.h"

#ifdef JSON_X86

#include <immintrin.h>

#define TARGET_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt,pclmul")))
#define TARGET_AVX512 \
    __attribute__((target("avx2,bmi,bmi2,popcnt,pclmul,avx512f,avx512bw,avx512vbmi2")))

enum json_level json_level_x86(void)
{
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt") &&
                __builtin_cpu_supports("pclmul");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512vbmi2");
    return avx512 ? JSON_AVX512 : avx2 ? JSON_AVX2 : JSON_SSE2;
}

JSON_INLINE struct json_masks look_sse2(const char *block, unsigned shift)
{
    struct json_masks masks = {0};
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1F);
#pragma GCC unroll 4
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
    masks.quote >>= shift;
    masks.backslash >>= shift;
    masks.control >>= shift;
    return masks;
}

/* Without a multiplication: doubling steps. */
JSON_INLINE uint64_t between_sse2(uint64_t quotes)
{
#pragma GCC unroll 6
    for (unsigned shift = 1; shift < JSON_BLOCK; shift *= 2)
        quotes ^= quotes << shift;
    return quotes;
}

bool json_fill_sse2(struct json_index *index)
{
    struct json_place place = json_place_of(index);
    while (json_window_is_open(index, &place)) {
        struct json_block block;
        json_block_load(index->text, index->len, place.next, &block);
        struct json_masks masks = look_sse2(block.data, block.shift);
        json_drop_escaped(index, &place, &masks);
        json_check_strings(index, &place, &masks, between_sse2(masks.quote));
        json_list_quotes(&place, masks.quote);
        place.next += JSON_BLOCK - block.shift;
    }
    return json_place_end(index, &place);
}

static inline TARGET_AVX2 struct json_masks look_avx2(const char *block, unsigned shift)
{
    struct json_masks masks = {0};
    const __m256i quote = _mm256_set1_epi8('"'), backslash = _mm256_set1_epi8('\\');
    const __m256i control = _mm256_set1_epi8(0x1F);
#pragma GCC unroll 2
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
    masks.quote >>= shift;
    masks.backslash >>= shift;
    masks.control >>= shift;
    return masks;
}

/* A product without carries by all ones sums each bit and those below it. */
static inline TARGET_AVX2 uint64_t between_avx2(uint64_t quotes)
{
    __m128i product =
        _mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)quotes), _mm_set1_epi8((char)0xFF), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

TARGET_AVX2 bool json_fill_avx2(struct json_index *index)
{
    struct json_place place = json_place_of(index);
    while (json_window_is_open(index, &place)) {
        struct json_block block;
        json_block_load(index->text, index->len, place.next, &block);
        struct json_masks masks = look_avx2(block.data, block.shift);
        json_drop_escaped(index, &place, &masks);
        json_check_strings(index, &place, &masks, between_avx2(masks.quote));
        json_list_quotes(&place, masks.quote);
        place.next += JSON_BLOCK - block.shift;
    }
    return json_place_end(index, &place);
}

/* Sixteen positions within a block, as positions in the text. */
static inline TARGET_AVX512 void store_quotes(uint32_t *out, __m512i base, __m128i positions)
{
    _mm512_storeu_si512(out, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(positions)));
}

/* Loads under a mask touch no byte beyond the text, and compressing the numbers 0 to 63 by the mask
 * of quotes is their list: no branch but for blocks of more than sixteen quotes. */
TARGET_AVX512 bool json_fill_avx512(struct json_index *index)
{
    static const unsigned char numbers[JSON_BLOCK] __attribute__((aligned(64))) = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    const __m512i all = _mm512_load_si512(numbers);
    const __m512i quote = _mm512_set1_epi8('"'), backslash = _mm512_set1_epi8('\\');
    const __m512i blank = _mm512_set1_epi8(0x20);
    struct json_place place = json_place_of(index);
    while (json_window_is_open(index, &place)) {
        size_t left = index->len - place.next;
        uint64_t there = left < JSON_BLOCK ? (UINT64_C(1) << left) - 1 : UINT64_MAX;
        __m512i bytes = _mm512_maskz_loadu_epi8(there, index->text + place.next);
        struct json_masks masks = {
            _mm512_cmpeq_epi8_mask(bytes, quote), _mm512_cmpeq_epi8_mask(bytes, backslash),
            _mm512_mask_cmplt_epu8_mask(there, bytes, blank), _mm512_movepi8_mask(bytes)};
        json_drop_escaped(index, &place, &masks);
        json_check_strings(index, &place, &masks, between_avx2(masks.quote));
        __m512i list = _mm512_maskz_compress_epi8(masks.quote, all);
        __m512i base = _mm512_set1_epi32((int)(uint32_t)place.next);
        int count = __builtin_popcountll(masks.quote);
        store_quotes(place.out, base, _mm512_castsi512_si128(list));
        if (__builtin_expect(count > 16, 0)) {
            store_quotes(place.out + 16, base, _mm512_extracti32x4_epi32(list, 1));
            store_quotes(place.out + 32, base, _mm512_extracti32x4_epi32(list, 2));
            store_quotes(place.out + 48, base, _mm512_extracti32x4_epi32(list, 3));
        }
        place.out += count;
        place.next += JSON_BLOCK;
    }
    return json_place_end(index, &place);
}

#endif
