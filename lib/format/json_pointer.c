/* json_pointer.c: where a value stands in another. */
#include "format/json_pointer.h"

#include "base/mem.h"
#include "format/json.h"

#include <stdint.h>
#include <stdlib.h>

enum { INDEX_DIGITS = 10 }; /* of the last place that an array can have: JSON_MAX_TEXT */

/* In place: "~1" is "/", "~0" is "~". -1: something else follows. */
static int decode_token(struct str *token, char *data)
{
    size_t len = 0;
    for (size_t i = 0; i < token->len; i++) {
        char c = data[i];
        if (c == '~') {
            if (++i == token->len || (data[i] != '0' && data[i] != '1'))
                return -1;
            c = data[i] == '0' ? '~' : '/';
        }
        data[len++] = c;
    }
    *token = (struct str){data, len};
    return 0;
}

static void add_token(struct json_pointer *pointer, size_t *room, struct str token)
{
    if (pointer->count == *room) {
        *room = *room ? 2 * *room : 8;
        pointer->tokens = mem_realloc(pointer->tokens, *room * sizeof *pointer->tokens);
    }
    pointer->tokens[pointer->count++] = token;
}

int json_pointer_read(struct json_pointer *pointer, struct str string, struct err *err)
{
    size_t room = 0;
    pointer->string = string;
    json_decode(string, &pointer->text);
    char *next = buf_cstr(&pointer->text), *end = next + pointer->text.len;
    if (next < end && *next != '/')
        return err_set(err, ERR_USAGE, "%.*s is no pointer: it has to begin with /",
                       (int)string.len, string.data);
    while (next < end) {
        char *start = next + 1, *stop = memchr(start, '/', (size_t)(end - start));
        struct str token = {start, (size_t)((stop ? stop : end) - start)};
        if (decode_token(&token, start) < 0)
            return err_set(err, ERR_USAGE, "%.*s is no pointer: ~ has to be ~0 or ~1",
                           (int)string.len, string.data);
        add_token(pointer, &room, token);
        next = stop ? stop : end;
    }
    return 0;
}

void json_pointer_free(struct json_pointer *pointer)
{
    buf_free(&pointer->text);
    free(pointer->tokens);
}

bool json_pointer_leads_to(const struct json_pointer *a, const struct json_pointer *b)
{
    if (a->count > b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!str_eq(a->tokens[i], b->tokens[i]))
            return false;
    }
    return true;
}

bool json_pointer_index(struct str token, size_t *index)
{
    uint64_t number = 0;
    if (!token.len || token.len > INDEX_DIGITS || (token.data[0] == '0' && token.len > 1))
        return false;
    for (size_t i = 0; i < token.len; i++) {
        if (token.data[i] < '0' || token.data[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(token.data[i] - '0');
    }
    *index = (size_t)number;
    return number <= JSON_MAX_TEXT;
}

void json_pointer_add_name(struct buf *out, struct str name)
{
    struct buf token = {0}, string = {0};
    buf_addc(out, '/');
    if (!name.len)
        return;
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '~' || name.data[i] == '/')
            buf_puts(&token, name.data[i] == '~' ? "~0" : "~1");
        else
            buf_addc(&token, name.data[i]);
    }
    buf_add_json(&string, buf_str(&token));
    buf_add(out, string.data + 1, string.len - 2);
    buf_free(&token);
    buf_free(&string);
}
