/*
 * json_pointer.h: JSON Pointer (RFC 6901): where a value stands in another. For
 * json_patch_apply.h.
 */
#ifndef FIT_TESTS_JSON_POINTER_H
#define FIT_TESTS_JSON_POINTER_H

#include "base/mem.h"
#include "format/json.h"

#include <stdlib.h>

struct json_pointer {
    struct str string;  /* as it stands, with its quotes */
    struct str *tokens; /* decoded, in text */
    size_t count;       /* 0: the whole value */
    struct buf text;
};

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

/* Take apart a pointer that stands in a validated JSON string (with its quotes). The pointer is
 * zeroed before, and freed in any case. -1 with ERR_USAGE. */
static int json_pointer_read(struct json_pointer *pointer, struct str string, struct err *err)
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

static void json_pointer_free(struct json_pointer *pointer)
{
    buf_free(&pointer->text);
    free(pointer->tokens);
}

/* Does a lead to where b leads, or to what that is in? */
static bool json_pointer_leads_to(const struct json_pointer *a, const struct json_pointer *b)
{
    if (a->count > b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!str_eq(a->tokens[i], b->tokens[i]))
            return false;
    }
    return true;
}

/* The place in an array that a token names: digits without leading zeros. False: it names none. */
static bool json_pointer_index(struct str token, size_t *index)
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

#endif
