/* json_walk.c: inside of validated values: types, strings, members and elements, blanks. */
#include "format/json.h"

#include "format/json_index.h"

#ifdef JSON_X86
#include <emmintrin.h>
#endif

enum json_type json_type_of(struct str text)
{
    if (!text.len)
        return JSON_ABSENT;
    switch (text.data[0]) {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    case 'n':
        return JSON_NULL;
    default:
        return JSON_NUMBER;
    }
}

static void add_utf8(struct buf *out, uint32_t c)
{
    char bytes[4];
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len; i-- > 1; c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3F));
    bytes[0] = (char)(leads[len] | c);
    buf_add(out, bytes, len);
}

static uint32_t hex_unit(const char *p)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        unit = unit << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return unit;
}

/* Decode the \u escape at p, with its other half where it is a surrogate. Returns where it ends. */
static const char *decode_unicode(const char *p, const char *end, struct buf *out, size_t *lone)
{
    enum { REPLACEMENT = 0xFFFD };
    uint32_t unit = hex_unit(p + 2);
    p += 6;
    if (unit < 0xD800 || unit > 0xDFFF) {
        add_utf8(out, unit);
        return p;
    }
    if (unit < 0xDC00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
        uint32_t low = hex_unit(p + 2);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            add_utf8(out, 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
            return p + 6;
        }
    }
    ++*lone;
    add_utf8(out, REPLACEMENT);
    return p;
}

static char short_escape(char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c;
    }
}

size_t json_decode(struct str string, struct buf *out)
{
    const char *p = string.data + 1, *end = string.data + string.len - 1;
    size_t lone = 0;
    buf_reserve(out, string.len);
    while (p < end) {
        const char *escape = memchr(p, '\\', (size_t)(end - p));
        const char *stop = escape ? escape : end;
        buf_add(out, p, (size_t)(stop - p));
        p = stop;
        if (!escape)
            break;
        if (p[1] == 'u') {
            p = decode_unicode(p, end, out, &lone);
        } else {
            buf_addc(out, short_escape(p[1]));
            p += 2;
        }
    }
    return lone;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* What is looked for: a byte that ends a run of those that do not matter. */
enum stop {
    STOP_IN_STRING, /* a quote, a backslash */
    STOP_IN_VALUE,  /* a quote, a bracket */
    STOP_AT_BLANK,  /* a quote, a blank */
};

JSON_INLINE bool stops(char c, enum stop stop)
{
    switch (stop) {
    case STOP_IN_STRING:
        return c == '"' || c == '\\';
    case STOP_IN_VALUE:
        return c == '"' || (c | 0x20) == '{' || (c | 0x20) == '}';
    default:
        return c == '"' || is_blank(c);
    }
}

#ifdef JSON_X86
JSON_INLINE __m128i is_byte(__m128i bytes, char c)
{
    return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c));
}

JSON_INLINE unsigned stops_of(const char *p, enum stop stop)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    __m128i others;
    if (stop == STOP_IN_STRING)
        others = is_byte(bytes, '\\');
    else if (stop == STOP_IN_VALUE)
        others = _mm_or_si128(is_byte(folded, '{'), is_byte(folded, '}'));
    else /* of what is not in a string, only blanks are so low */
        others = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(' ')), bytes);
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(is_byte(bytes, '"'), others));
}
#endif

/* The first byte at p or behind it that stops, or end. */
JSON_INLINE const char *find(const char *p, const char *end, enum stop stop)
{
#ifdef JSON_X86
    for (; end - p >= 16; p += 16) {
        unsigned found = stops_of(p, stop);
        if (found)
            return p + __builtin_ctz(found);
    }
#endif
    while (p < end && !stops(*p, stop))
        p++;
    return p;
}

/* Behind the string whose opening quote is at p. */
JSON_INLINE const char *string_end(const char *p, const char *end)
{
    p = find(p + 1, end, STOP_IN_STRING);
    while (p < end && *p == '\\')
        p = find(p + 2, end, STOP_IN_STRING);
    return p + 1;
}

/* Behind the container at p: the text is known to be valid, so any closing bracket will do. */
static const char *container_end(const char *p, const char *end)
{
    for (size_t depth = 0; p < end; p = find(p, end, STOP_IN_VALUE)) {
        if (*p == '"') {
            p = string_end(p, end);
            continue;
        }
        depth += (*p | 0x20) == '{' ? 1 : (size_t)-1;
        p++;
        if (!depth)
            break;
    }
    return p;
}

static const char *value_end(const char *p, const char *end)
{
    if (*p == '"')
        return string_end(p, end);
    if ((*p | 0x20) == '{')
        return container_end(p, end);
    while (p < end && *p != ',' && (*p | 0x20) != '}' && !is_blank(*p))
        p++;
    return p;
}

void json_iter_init(struct json_iter *iter, struct str container)
{
    *iter = (struct json_iter){0};
    if (container.len >= 2)
        iter->rest = (struct str){container.data + 1, container.len - 1};
    if (container.len && container.data[0] == '{')
        iter->key = (struct str){container.data, 1};
}

/* A key that is not NULL marks an object, from the start on. */
bool json_iter_next(struct json_iter *iter)
{
    bool object = iter->key.data != NULL;
    const char *p = iter->rest.data, *end = p + iter->rest.len;
    while (p < end && (is_blank(*p) || *p == ','))
        p++;
    if (p == end || *p == '}' || *p == ']')
        return false;
    if (object) {
        const char *key = p;
        p = string_end(p, end);
        iter->key = (struct str){key, (size_t)(p - key)};
        while (is_blank(*p) || *p == ':')
            p++;
    }
    const char *value = p;
    p = value_end(p, end);
    iter->value = (struct str){value, (size_t)(p - value)};
    iter->rest = (struct str){p, (size_t)(end - p)};
    return true;
}

void json_compact(struct str text, struct buf *out)
{
    const char *p = text.data, *end = p + text.len;
    buf_reserve(out, text.len);
    while (p < end) {
        const char *start = p;
        p = find(p, end, STOP_AT_BLANK);
        while (p < end && *p == '"')
            p = find(string_end(p, end), end, STOP_AT_BLANK);
        buf_add(out, start, (size_t)(p - start));
        while (p < end && is_blank(*p))
            p++;
    }
}
