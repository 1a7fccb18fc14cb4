/* json_cursor.c: the scanner's second stage: going from token to token. */
#include "format/json_cursor.h"

#include "format/json_scalar.h"

bool json_cursor_init(struct json_cursor *cursor, struct str text, enum json_level level)
{
    cursor->text = text;
    cursor->pos = 0;
    cursor->quote = cursor->index.quotes;
    cursor->depth = cursor->deepest = 0;
    cursor->level = level;
    json_index_init(&cursor->index, text);
    return json_index_fill(&cursor->index, level);
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void json_pass_blanks(struct json_cursor *cursor)
{
    static const char spaces[8] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
    const char *t = cursor->text.data;
    size_t pos = cursor->pos;
    while (is_blank(t[pos])) {
        pos++;
        while (cursor->text.len - pos >= sizeof spaces && !memcmp(t + pos, spaces, sizeof spaces))
            pos += sizeof spaces;
    }
    cursor->pos = pos;
    struct json_index *index = &cursor->index;
    if (t[pos] == '"' && *cursor->quote == JSON_NO_QUOTE && index->next < index->len) {
        /* A fault in the next window leaves no quote, and that is a fault to the caller too. */
        if (!json_index_fill(index, cursor->level))
            index->quotes[0] = JSON_NO_QUOTE;
        cursor->quote = index->quotes;
    }
}

bool json_pass_lone_scalar(struct json_cursor *cursor)
{
    struct str text = cursor->text;
    if (text.data[0] == '"')
        return cursor->quote[0] == 0 && cursor->quote[1] == text.len - 1;
    if (json_starts_number(text.data[0]))
        return json_any_number_end(text, 0) == text.len;
    return str_eq(text, STR("null")) || str_eq(text, STR("true")) || str_eq(text, STR("false"));
}

bool json_pass_container(struct json_cursor *cursor)
{
    const struct str text = cursor->text;
    const char *const t = text.data;
    const uint32_t *quote = cursor->quote;
    size_t pos = cursor->pos;
    unsigned depth = cursor->depth;
    const unsigned outside = depth;
    bool array;

open:
    if (JSON_UNLIKELY(depth == JSON_MAX_DEPTH))
        return false;
    array = t[pos] == '[';
    cursor->array[depth++] = array;
    if (depth > cursor->deepest)
        cursor->deepest = depth;
    pos++;
    if (JSON_UNLIKELY(is_blank(t[pos])))
        JSON_MOVE(json_pass_blanks);
    if (JSON_UNLIKELY(t[pos] == (array ? ']' : '}')))
        goto close;
    if (array)
        goto value;

key:
    if (JSON_UNLIKELY(*quote != pos)) {
        JSON_MOVE(json_pass_blanks);
        if (*quote != pos)
            return false;
    }
    pos = (size_t)quote[1] + 1;
    quote += 2;
    if (JSON_UNLIKELY(t[pos] != ':')) {
        JSON_MOVE(json_pass_blanks);
        if (t[pos] != ':')
            return false;
    }
    pos++;

value:
    if (*quote == (uint32_t)pos) {
        pos = (size_t)quote[1] + 1;
        quote += 2;
    } else if (json_starts_number(t[pos])) {
        pos = json_number_end(text, pos, cursor->level);
        if (JSON_UNLIKELY(!pos))
            return false;
    } else if ((t[pos] | 0x20) == '{') {
        goto open;
    } else if (is_blank(t[pos]) || t[pos] == '"') {
        JSON_MOVE(json_pass_blanks);
        if (t[pos] == '"' && *quote != pos)
            return false;
        goto value;
    } else {
        pos = json_word_end(text, pos);
        if (JSON_UNLIKELY(!pos))
            return false;
    }

after:
    if (JSON_LIKELY(t[pos] == ',')) {
        pos++;
        if (array)
            goto value;
        goto key;
    }
    if (JSON_UNLIKELY(t[pos] != (array ? ']' : '}'))) {
        if (!is_blank(t[pos]))
            return false;
        JSON_MOVE(json_pass_blanks);
        goto after;
    }

close:
    pos++;
    if (--depth == outside) {
        cursor->pos = pos;
        cursor->quote = quote;
        return true;
    }
    if (JSON_UNLIKELY(pos == text.len))
        return false;
    array = cursor->array[depth - 1];
    goto after;
}
