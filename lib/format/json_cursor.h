/*
 * json_cursor.h: the scanner's second stage: going from token to token, for json.c and
 * json_cursor.c only.
 *
 * The quotes of all strings are known (json_index.h), so a string is passed by taking two of them,
 * and the position after it does not wait for its bytes to be looked at. The hot loops hold pos and
 * quote in variables of their own and give them back before they call something out of line.
 *
 * Inside of a container no byte is read beyond the text, though few places ask where it ends: its
 * last byte is a bracket (json.c makes sure), which no string, number, word or run of blanks
 * passes. Only behind a closing bracket can the end be.
 */
#ifndef FIT_FORMAT_JSON_CURSOR_H
#define FIT_FORMAT_JSON_CURSOR_H

#include "format/json_index.h"

struct json_cursor {
    struct str text;
    size_t pos;
    const uint32_t *quote; /* the first one at pos or behind it, or JSON_NO_QUOTE */
    unsigned depth;        /* open containers */
    unsigned deepest;
    enum json_level level;
    struct json_index index;
};

/* Go to the next byte at pos or behind it that is not a blank; quote is there when it is one. */
void json_pass_blanks(struct json_cursor *cursor);

/* Whether the text is a scalar and nothing else. */
bool json_pass_lone_scalar(struct json_cursor *cursor);

/* Start at the text's first byte; it is neither empty nor starts or ends with a blank. */
JSON_INLINE bool json_cursor_init(struct json_cursor *cursor, struct str text,
                                  enum json_level level)
{
    cursor->text = text;
    cursor->pos = 0;
    cursor->quote = cursor->index.quotes;
    cursor->depth = cursor->deepest = 0;
    cursor->level = level;
    json_index_init(&cursor->index, text);
    return json_index_fill(&cursor->index, level);
}

static inline bool json_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Call a function of the cursor from a loop that has pos and quote in variables of its own. */
#define JSON_MOVE(function)    \
    do {                       \
        cursor->pos = pos;     \
        cursor->quote = quote; \
        function(cursor);      \
        pos = cursor->pos;     \
        quote = cursor->quote; \
    } while (0)

#endif
