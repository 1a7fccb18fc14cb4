/* words.c: a function string as words, split as a shell would, without expansion. */
#include "fn/words.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>

static const char *unclosed(char quote)
{
    return quote == '\'' ? "a single quote is not closed" : "a double quote is not closed";
}

/* What is an operator elsewhere is an ordinary part of a URL ("?a=1&b=2"). */
static bool is_url(const struct buf *word)
{
    return str_starts(buf_str(word), STR("http://")) || str_starts(buf_str(word), STR("https://"));
}

/* One word from *cursor on, its quotes removed. Returns NULL, or the reason with *cursor at the
 * place. */
static const char *read_word(const char **cursor, struct buf *word)
{
    const char *p = *cursor;
    char quote = 0;
    const char *opened = p;
    for (; *p; p++) {
        if (quote == '\'') {
            if (*p == '\'')
                quote = 0;
            else
                buf_addc(word, *p);
        } else if (*p == '\\') {
            *cursor = p;
            if (!p[1])
                return "a backslash at the end";
            p++;
            if (quote == '"' && !strchr("$`\"\\\n", *p))
                buf_addc(word, '\\');
            if (*p != '\n')
                buf_addc(word, *p);
        } else if (quote == '"') {
            if (*p == '"')
                quote = 0;
            else
                buf_addc(word, *p);
        } else if (*p == '\'' || *p == '"') {
            quote = *p;
            opened = p;
        } else if (strchr(" \t\r\n", *p)) {
            break;
        } else if (strchr("|&;<>()", *p) && !(is_url(word) && strchr("&;()", *p))) {
            *cursor = p;
            return "an operator outside quotes (no shell is involved: write sh -c '...')";
        } else {
            buf_addc(word, *p);
        }
    }
    *cursor = quote ? opened : p;
    return quote ? unclosed(quote) : NULL;
}

char **words_split(const char *text, size_t *count, struct err *err)
{
    char **words = NULL;
    size_t used = 0;
    const char *cursor = text;
    for (;;) {
        cursor += strspn(cursor, " \t\r\n");
        words = mem_realloc(words, (used + 1) * sizeof *words);
        words[used] = NULL;
        if (!*cursor)
            break;
        struct buf word = {0};
        const char *reason = read_word(&cursor, &word);
        if (reason) {
            err_set(err, ERR_USAGE, "'%s': %s, at character %zu: %.20s", text, reason,
                    (size_t)(cursor - text) + 1, cursor);
            buf_free(&word);
            words_free(words);
            return NULL;
        }
        words[used++] = buf_take(&word);
    }
    if (!used) {
        err_set(err, ERR_USAGE, "an empty function");
        words_free(words);
        return NULL;
    }
    *count = used;
    return words;
}

char **words_dup(char *const *words, size_t count)
{
    char **copy = mem_array(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = mem_strdup(words[i]);
    return copy;
}

void words_free(char **words)
{
    for (char **word = words; word && *word; word++)
        free(*word);
    free(words);
}

char *words_join(char *const *words, size_t count)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%{}[]^~";
    struct buf text = {0};
    for (size_t i = 0; i < count; i++) {
        const char *word = words[i];
        if (i)
            buf_addc(&text, ' ');
        if (*word && word[strspn(word, plain)] == '\0') {
            buf_puts(&text, word);
            continue;
        }
        buf_addc(&text, '\'');
        for (; *word; word++) {
            if (*word == '\'')
                buf_puts(&text, "'\\''");
            else
                buf_addc(&text, *word);
        }
        buf_addc(&text, '\'');
    }
    return buf_take(&text);
}
