/*
 * json_index.h: where the strings of a JSON text stand, for json.c and json_index.c only.
 *
 * The first of the scanner's two stages. It looks at 64 bytes at a time, hardly with a branch that
 * depends on them, and lists the positions of the quotes that open and close strings. What it has
 * passed is well-formed inside of strings: no control character, only valid escapes, UTF-8.
 * The second stage (json.c) checks everything between the strings. While it meets no fault, the
 * quotes come in pairs; after a fault they mean nothing, but the text is refused then anyway.
 *
 * Text of any length goes through in windows of a fixed number of quotes.
 */
#ifndef FIT_FORMAT_JSON_INDEX_H
#define FIT_FORMAT_JSON_INDEX_H

#include "format/json.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    JSON_BLOCK = 64,    /* bytes that are looked at together, a bit of a word each */
    JSON_WINDOW = 1024, /* quotes after which a window ends; a longer text takes several */
};
#define JSON_NO_QUOTE UINT32_MAX /* stands after the last quote of a window */

struct json_index {
    const char *text;
    size_t len;
    size_t next;         /* bytes that have been looked at */
    size_t escape_first; /* where the escapes of the text so far begin, SIZE_MAX: none */
    size_t escape_last;
    size_t utf8_done; /* where the last character that is not ASCII ends, maybe behind next */
    uint64_t string;  /* all ones while next is inside of a string */
    uint64_t escaped; /* 1 when the byte at next stands behind a backslash */
    bool odd;         /* pending holds an opening quote whose closing one is in the next window */
    uint32_t pending;
    uint32_t count;                                /* quotes of this window, an even number */
    uint32_t quotes[JSON_WINDOW + 2 * JSON_BLOCK]; /* a block that ends a window may be full */
};

#if defined(__x86_64__) && defined(__SSE2__) && defined(__GNUC__) && !defined(JSON_NO_SIMD)
#define JSON_X86 1
#endif

#define JSON_LIKELY(x)   __builtin_expect(!!(x), 1)
#define JSON_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define JSON_INLINE      static inline __attribute__((always_inline))

/* How the bytes are looked at; the results are the same. All but JSON_PLAIN need JSON_X86. */
enum json_level { JSON_PLAIN, JSON_SSE2, JSON_AVX512 };

enum json_level json_level_best(void); /* what this machine and this build can do */

/* json_scan with the level given, for tests. One above json_level_best must not be asked for. */
int json_scan_at_level(struct str text, const struct json_paths *paths, struct json_value *values,
                       struct json_scan *scan, enum json_level level);

JSON_INLINE void json_index_init(struct json_index *index, struct str text)
{
    index->text = text.data;
    index->len = text.len;
    index->next = index->utf8_done = 0;
    index->string = index->escaped = 0;
    index->escape_first = SIZE_MAX;
    index->escape_last = 0;
    index->odd = false;
}

/* List the next quotes, an even number of them. False: the text has a fault, or no quote is left.
 */
bool json_index_fill(struct json_index *index, enum json_level level);

/* Whether there may be an escape in the string of two quotes. */
static inline bool json_index_escapes(const struct json_index *index, const uint32_t *quote)
{
    return quote[1] > index->escape_first && quote[0] < index->escape_last;
}

#endif
