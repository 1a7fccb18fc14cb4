/*
 * jq_lex.h: the tokens of native jq programs.
 *
 * Internal to format. Each function reads one token at the place and moves behind it, or returns
 * false. What jq 1.6 would read in another way than it looks (".e5", a string with escapes) is
 * refused.
 */
#ifndef FIT_FORMAT_JQ_LEX_H
#define FIT_FORMAT_JQ_LEX_H

#include "base/str.h"

#include <stdbool.h>

struct jq_lex {
    const char *at;
    const char *end;
};

/* The next character without reading it; NUL at the end. */
static inline char jq_lex_peek(const struct jq_lex *lex)
{
    return lex->at < lex->end ? *lex->at : '\0';
}

static inline bool jq_lex_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* May a name start with it? */
static inline bool jq_lex_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

void jq_lex_blanks(struct jq_lex *lex);
bool jq_lex_sign(struct jq_lex *lex, const char *sign);
bool jq_lex_word(struct jq_lex *lex, const char *word); /* and not a longer one */
bool jq_lex_name(struct jq_lex *lex, struct str *name); /* of a key behind a "." */
/* With its quotes: without escapes, and so valid JSON. */
bool jq_lex_string(struct jq_lex *lex, struct str *quoted);
bool jq_lex_index(struct jq_lex *lex, size_t *index);
/* As JSON writes it, without an exponent. */
bool jq_lex_number(struct jq_lex *lex, struct str *number);

#endif
