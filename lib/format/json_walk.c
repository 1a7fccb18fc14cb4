/* json_walk.c: inside of validated values: types, strings, members and elements, blanks. */
#include "format/json.h"

#include <stdint.h>

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

/* Behind the string whose opening quote is at p. */
static const char *string_end(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        p += *p == '\\';
    return p + 1;
}

/* Behind the value at p: the text is known to be valid, so only strings and brackets count. */
static const char *value_end(const char *p, const char *end)
{
    size_t depth = 0;
    while (p < end) {
        switch (*p) {
        case '"':
            p = string_end(p, end);
            if (!depth)
                return p;
            continue;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            if (!depth)
                return p;
            if (!--depth)
                return p + 1;
            break;
        case ',':
        case ' ':
        case '\t':
        case '\n':
        case '\r':
            if (!depth)
                return p;
            break;
        default:
            break;
        }
        p++;
    }
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
        while (p < end && !is_blank(*p))
            p = *p == '"' ? string_end(p, end) : p + 1;
        buf_add(out, start, (size_t)(p - start));
        while (p < end && is_blank(*p))
            p++;
    }
}
