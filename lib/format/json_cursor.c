/* json_cursor.c: the scanner's second stage: going from token to token. */
#include "format/json_cursor.h"

#include "format/json_scalar.h"

void json_pass_blanks(struct json_cursor *cursor)
{
    static const char spaces[8] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
    const char *t = cursor->text.data;
    size_t pos = cursor->pos;
    while (json_is_blank(t[pos])) {
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
