/* json_fault.c: why a text is not JSON. */
#include "format/json_fault.h"

#include "format/json.h"

#include <stdint.h>

struct reader {
    const unsigned char *p;
    const unsigned char *end;
    const char *fault;
};

static const char ended[] = "unexpected end";

/* Always false, so that a caller can return it. Beyond the end, that it came early is the fault. */
static bool fail(struct reader *reader, const char *fault)
{
    reader->fault = reader->p == reader->end ? ended : fault;
    return false;
}

static int peek(const struct reader *reader)
{
    return reader->p < reader->end ? *reader->p : -1;
}

static bool take(struct reader *reader, int c)
{
    bool there = peek(reader) == c;
    reader->p += there;
    return there;
}

static void skip_blanks(struct reader *reader)
{
    while (take(reader, ' ') || take(reader, '\t') || take(reader, '\n') || take(reader, '\r'))
        ;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool read_digits(struct reader *reader)
{
    if (!is_digit(peek(reader)))
        return fail(reader, "expected a digit");
    while (is_digit(peek(reader)))
        reader->p++;
    return true;
}

static bool read_number(struct reader *reader)
{
    take(reader, '-');
    if (take(reader, '0')) {
        if (is_digit(peek(reader)))
            return fail(reader, "leading zero");
    } else if (!read_digits(reader)) {
        return false;
    }
    if (take(reader, '.') && !read_digits(reader))
        return false;
    if (take(reader, 'e') || take(reader, 'E')) {
        if (!take(reader, '-'))
            take(reader, '+');
        return read_digits(reader);
    }
    return true;
}

static bool read_word(struct reader *reader, const char *word)
{
    for (; *word; word++) {
        if (!take(reader, *word))
            return fail(reader, "expected a value");
    }
    return true;
}

static bool read_escape(struct reader *reader)
{
    int c = peek(reader);
    if (c < 0 || !strchr("\"\\/bfnrtu", c) || c == 0)
        return fail(reader, "invalid escape");
    reader->p++;
    for (int i = 0; c == 'u' && i < 4; i++) {
        int digit = peek(reader) | 0x20;
        if (!is_digit(peek(reader)) && (digit < 'a' || digit > 'f'))
            return fail(reader, "invalid escape");
        reader->p++;
    }
    return true;
}

/* The length of the character at p, which is not ASCII; 0 when it is ill-formed. */
static size_t character_length(const struct reader *reader)
{
    const unsigned char *p = reader->p;
    size_t len = *p >= 0xF0 ? 4 : *p >= 0xE0 ? 3 : 2;
    if ((size_t)(reader->end - p) < len || !str_is_utf8((struct str){(const char *)p, len}))
        return 0;
    return len;
}

static bool read_string(struct reader *reader)
{
    if (!take(reader, '"'))
        return fail(reader, "expected a string");
    while (!take(reader, '"')) {
        int c = peek(reader);
        if (c < 0x20)
            return fail(reader, "control character in a string");
        if (take(reader, '\\')) {
            if (!read_escape(reader))
                return false;
            continue;
        }
        size_t len = c < 0x80 ? 1 : character_length(reader);
        if (!len)
            return fail(reader, "invalid UTF-8");
        reader->p += len;
    }
    return true;
}

static bool read_scalar(struct reader *reader)
{
    switch (peek(reader)) {
    case '"':
        return read_string(reader);
    case 't':
        return read_word(reader, "true");
    case 'f':
        return read_word(reader, "false");
    case 'n':
        return read_word(reader, "null");
    default:
        return peek(reader) == '-' || is_digit(peek(reader)) ? read_number(reader)
                                                             : fail(reader, "expected a value");
    }
}

static bool read_key(struct reader *reader)
{
    skip_blanks(reader);
    if (!read_string(reader))
        return false;
    skip_blanks(reader);
    return take(reader, ':') || fail(reader, "expected ':'");
}

/* closers: for each open container the character that ends it. */
static bool read_value(struct reader *reader, char closers[JSON_MAX_DEPTH])
{
    unsigned depth = 0;
    for (;;) {
        skip_blanks(reader);
        int c = peek(reader);
        if (c == '{' || c == '[') {
            if (depth == JSON_MAX_DEPTH)
                return fail(reader, "nested too deeply");
            closers[depth++] = c == '{' ? '}' : ']';
            reader->p++;
            skip_blanks(reader);
            if (peek(reader) != closers[depth - 1]) {
                if (c == '{' && !read_key(reader))
                    return false;
                continue;
            }
        } else if (!read_scalar(reader)) {
            return false;
        }
        for (;;) { /* a value has ended, or an empty container is about to */
            skip_blanks(reader);
            if (!depth)
                return true;
            if (!take(reader, closers[depth - 1]))
                break;
            depth--;
        }
        bool object = closers[depth - 1] == '}';
        if (!take(reader, ','))
            return fail(reader, object ? "expected ',' or '}'" : "expected ',' or ']'");
        if (object && !read_key(reader))
            return false;
    }
}

const char *json_fault(struct str text, size_t *at)
{
    char closers[JSON_MAX_DEPTH];
    const unsigned char *start = (const unsigned char *)(text.len ? text.data : "");
    struct reader reader = {start, start + text.len, NULL};
    if (read_value(&reader, closers) && reader.p < reader.end)
        fail(&reader, "text after the value");
    *at = (size_t)(reader.p - start);
    return reader.fault;
}
