/*
 * json_scalar.h: where a number or a word ends, for json.c and json_cursor.c only.
 *
 * The inline functions are for values in a container: a bracket ends the text, which lets them look
 * ahead without asking. They return 0 where no such value is.
 */
#ifndef FIT_FORMAT_JSON_SCALAR_H
#define FIT_FORMAT_JSON_SCALAR_H

#include "format/json_index.h"

#ifdef JSON_X86
#include <emmintrin.h>
#endif

/* Where the number at pos ends, or 0: any number, also one that the text ends with. */
size_t json_any_number_end(struct str text, size_t pos);

enum { JSON_SPAN = 16 }; /* bytes in which the digits of a number are looked for at once */

/* Bit n is set when byte n of the span is a digit. */
JSON_INLINE unsigned json_digits_of(const char *span, enum json_level level)
{
#ifdef JSON_X86
    if (JSON_LIKELY(level != JSON_PLAIN)) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)span);
        __m128i values = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
        __m128i digits = _mm_cmpeq_epi8(_mm_min_epu8(values, _mm_set1_epi8(9)), values);
        return (unsigned)_mm_movemask_epi8(digits);
    }
#endif
    (void)level;
    unsigned digits = 0;
    for (unsigned i = 0; i < JSON_SPAN; i++)
        digits |= (unsigned)(span[i] >= '0' && span[i] <= '9') << i;
    return digits;
}

/*
 * The same for the common number, in a container: one look finds all its digits, so that how many
 * there are costs no branch. A number with an exponent or of more than 15 digits is looked at
 * again.
 */
JSON_INLINE size_t json_number_end(struct str text, size_t pos, enum json_level level)
{
    const char *t = text.data;
    if (JSON_UNLIKELY(text.len < JSON_SPAN))
        return json_any_number_end(text, pos);
    size_t start = pos + (t[pos] == '-');
    size_t from = start + JSON_SPAN <= text.len ? start : text.len - JSON_SPAN;
    unsigned others = ~(json_digits_of(t + from, level) >> (start - from));
    unsigned whole = (unsigned)__builtin_ctz(others);
    if (JSON_UNLIKELY(whole == 0 || (t[start] == '0' && whole > 1)))
        return 0;
    if (JSON_UNLIKELY(whole >= JSON_SPAN - 1))
        return json_any_number_end(text, pos);
    size_t end = start + whole;
    if (t[end] == '.') {
        unsigned fraction = (unsigned)__builtin_ctz(others >> (whole + 1));
        if (JSON_UNLIKELY(fraction == 0))
            return 0;
        end += 1 + fraction;
        if (JSON_UNLIKELY(end - start >= JSON_SPAN))
            return json_any_number_end(text, pos);
    }
    return JSON_LIKELY((t[end] | 0x20) != 'e') ? end : json_any_number_end(text, pos);
}

/* In a container: a word of four bytes is followed by one more. */
JSON_INLINE size_t json_word_end(struct str text, size_t pos)
{
    const char *p = text.data + pos;
    if (JSON_UNLIKELY(text.len - pos < 5))
        return 0;
    if (!memcmp(p, "null", 4) || !memcmp(p, "true", 4))
        return pos + 4;
    return !memcmp(p, "false", 5) ? pos + 5 : 0;
}

JSON_INLINE bool json_starts_number(char c)
{
    return (unsigned char)(c - '-') <= '9' - '-'; /* '.' and '/' too, which number_end refuses */
}

JSON_INLINE size_t json_scalar_end(struct str text, size_t pos, enum json_level level)
{
    return json_starts_number(text.data[pos]) ? json_number_end(text, pos, level)
                                              : json_word_end(text, pos);
}

#endif
