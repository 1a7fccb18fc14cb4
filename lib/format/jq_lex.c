/* jq_lex.c: cuts native jq programs into tokens. */
#include "format/jq_lex.h"

enum { INDEX_DIGITS = 9 }; /* of an array index; a longer one is left to libjq */

static bool is_name_part(char c)
{
    return jq_lex_is_letter(c) || jq_lex_is_digit(c);
}

/* How many digits are read. */
static size_t digits(struct jq_lex *lex)
{
    const char *start = lex->at;

    while (jq_lex_is_digit(jq_lex_peek(lex)))
        lex->at++;
    return (size_t)(lex->at - start);
}

void jq_lex_blanks(struct jq_lex *lex)
{
    while (lex->at < lex->end && (*lex->at == ' ' || *lex->at == '\t' || *lex->at == '\n'))
        lex->at++;
}

bool jq_lex_sign(struct jq_lex *lex, const char *sign)
{
    struct str rest = {lex->at, (size_t)(lex->end - lex->at)};

    if (!str_starts(rest, str_of(sign)))
        return false;
    lex->at += strlen(sign);
    return true;
}

bool jq_lex_word(struct jq_lex *lex, const char *word)
{
    const char *start = lex->at;

    if (jq_lex_sign(lex, word) && !is_name_part(jq_lex_peek(lex)) && jq_lex_peek(lex) != ':')
        return true;
    lex->at = start;
    return false;
}

/* ".e5" is a (broken) number to the lexer of jq 1.6. */
static bool is_exponent(struct str name)
{
    size_t digit = 1;

    while (digit < name.len && jq_lex_is_digit(name.data[digit]))
        digit++;
    return (name.data[0] == 'e' || name.data[0] == 'E') && digit > 1 && digit == name.len;
}

bool jq_lex_name(struct jq_lex *lex, struct str *name)
{
    if (!jq_lex_is_letter(jq_lex_peek(lex)))
        return false;
    name->data = lex->at;
    while (is_name_part(jq_lex_peek(lex)))
        lex->at++;
    name->len = (size_t)(lex->at - name->data);
    return !is_exponent(*name);
}

bool jq_lex_string(struct jq_lex *lex, struct str *quoted)
{
    const char *start = lex->at;

    if (!jq_lex_sign(lex, "\""))
        return false;
    while (lex->at < lex->end && *lex->at != '"') {
        if ((unsigned char)*lex->at < 0x20 || *lex->at == '\\')
            return false;
        lex->at++;
    }
    if (!jq_lex_sign(lex, "\""))
        return false;
    *quoted = (struct str){start, (size_t)(lex->at - start)};
    return true;
}

bool jq_lex_index(struct jq_lex *lex, size_t *index)
{
    const char *start = lex->at;
    size_t count = digits(lex);

    if (count == 0 || count > INDEX_DIGITS || (*start == '0' && count > 1))
        return false;
    *index = 0;
    for (; start < lex->at; start++)
        *index = *index * 10 + (size_t)(*start - '0');
    return true;
}

bool jq_lex_number(struct jq_lex *lex, struct str *number)
{
    const char *start = lex->at;
    const char *whole;
    size_t count;

    jq_lex_sign(lex, "-");
    whole = lex->at;
    count = digits(lex);
    if (count == 0 || (*whole == '0' && count > 1))
        return false;
    if (jq_lex_sign(lex, ".") && digits(lex) == 0)
        return false;
    if (jq_lex_peek(lex) == 'e' || jq_lex_peek(lex) == 'E')
        return false;
    *number = (struct str){start, (size_t)(lex->at - start)};
    return true;
}
