/* jq_native.c: reads programs of the simple language into expressions. */
#include "format/jq_native.h"

#include "base/mem.h"

#include <stdlib.h>

struct parser {
    struct jq_native *native;
    const char *at;
    const char *end;
    int nesting;
};

/* All parse functions return the index of an expression, or NONE when the text is not in the
 * language. */
enum { NONE = -1 };

static int parse_pipe(struct parser *p, int step, bool top);

/* ---- characters and words ---- */

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char peek(const struct parser *p)
{
    return p->at < p->end ? *p->at : '\0';
}

static void skip_blanks(struct parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n'))
        p->at++;
}

static bool accept(struct parser *p, const char *token)
{
    struct str rest = {p->at, (size_t)(p->end - p->at)};

    if (!str_starts(rest, str_of(token)))
        return false;
    p->at += strlen(token);
    return true;
}

static bool accept_word(struct parser *p, const char *word)
{
    const char *start = p->at;

    if (!accept(p, word))
        return false;
    if (is_name_start(peek(p)) || is_digit(peek(p)) || peek(p) == ':') {
        p->at = start;
        return false;
    }
    return true;
}

/* A string literal without escapes: then its bytes are both its value and valid JSON. */
static bool parse_string(struct parser *p, struct str *quoted)
{
    const char *start = p->at;

    if (!accept(p, "\""))
        return false;
    while (p->at < p->end && *p->at != '"') {
        if ((unsigned char)*p->at < 0x20 || *p->at == '\\')
            return false;
        p->at++;
    }
    if (!accept(p, "\""))
        return false;
    *quoted = (struct str){start, (size_t)(p->at - start)};
    return true;
}

static struct str unquote(struct str quoted)
{
    return (struct str){quoted.data + 1, quoted.len - 2};
}

/* ---- expressions and steps ---- */

static int add_expr(struct parser *p, struct jq_expr expr)
{
    struct jq_native *native = p->native;

    if (native->expr_count == JQ_NATIVE_EXPRS)
        return NONE;
    native->exprs[native->expr_count] = expr;
    return native->expr_count++;
}

static int add_step(struct parser *p, struct jq_step step)
{
    struct jq_native *native = p->native;

    if (native->step_count == JQ_NATIVE_EXPRS)
        return NONE;
    native->steps[native->step_count] = step;
    return native->step_count++;
}

static int add_pair(struct parser *p, enum jq_op op, int left, int right)
{
    if (left == NONE || right == NONE)
        return NONE;
    return add_expr(p, (struct jq_expr){.op = op, .left = left, .right = right});
}

static int add_const(struct parser *p, enum json_type type, struct str text)
{
    return add_expr(p, (struct jq_expr){.op = JQ_CONST, .value = {type, text}});
}

/* ---- terms ---- */

/* "[\"k\"]" or "[0]" after a path; *step moves on. A "[]" is left alone. */
static bool parse_bracket(struct parser *p, int *step)
{
    struct jq_step next = {.parent = *step};
    struct str quoted;

    p->at++;
    if (peek(p) == '"') {
        if (!parse_string(p, &quoted))
            return false;
        next.key = unquote(quoted);
    } else {
        const char *start = p->at;

        while (is_digit(peek(p)) && p->at - start < 9)
            next.index = next.index * 10 + (size_t)(*p->at++ - '0');
        if (p->at == start || (*start == '0' && p->at - start > 1))
            return false;
    }
    *step = add_step(p, next);
    return *step != NONE && accept(p, "]");
}

/* ".e5" is a (broken) number to the lexer of jq 1.6. */
static bool is_exponent(struct str name)
{
    size_t digits = 1;

    while (digits < name.len && is_digit(name.data[digits]))
        digits++;
    return (name.data[0] == 'e' || name.data[0] == 'E') && digits > 1 && digits == name.len;
}

/* The key behind a ".": a name or a string. */
static bool parse_key(struct parser *p, int *step)
{
    struct jq_step next = {.parent = *step};
    struct str quoted;

    if (peek(p) == '"') {
        if (!parse_string(p, &quoted))
            return false;
        next.key = unquote(quoted);
    } else {
        next.key.data = p->at;
        if (!is_name_start(peek(p)))
            return false;
        while (is_name_start(peek(p)) || is_digit(peek(p)))
            p->at++;
        next.key.len = (size_t)(p->at - next.key.data);
        if (is_exponent(next.key))
            return false;
    }
    *step = add_step(p, next);
    return *step != NONE;
}

/* ".", ".a.b", ".\"k\"", ".[\"k\"][0]": relative to step. */
static int parse_path(struct parser *p, int step)
{
    p->at++;
    if (is_name_start(peek(p)) || peek(p) == '"') {
        if (!parse_key(p, &step))
            return NONE;
    } else if (peek(p) == '.') { /* ".." is another thing */
        return NONE;
    }
    for (;;) {
        if (peek(p) == '[' && !(p->at + 1 < p->end && p->at[1] == ']')) {
            if (!parse_bracket(p, &step))
                return NONE;
        } else if (accept(p, ".")) {
            if (!parse_key(p, &step))
                return NONE;
        } else {
            return add_expr(p, (struct jq_expr){.op = JQ_PATH, .step = step});
        }
    }
}

/* A JSON number without exponent and of few enough digits to be exact as a double. */
static int parse_number(struct parser *p)
{
    const char *start = p->at;
    struct jq_expr expr = {.op = JQ_CONST};
    const char *digits;
    struct str text;

    accept(p, "-");
    digits = p->at;
    while (is_digit(peek(p)))
        p->at++;
    if (p->at == digits || (*digits == '0' && p->at - digits > 1))
        return NONE;
    if (peek(p) == '.') {
        p->at++;
        if (!is_digit(peek(p)))
            return NONE;
        while (is_digit(peek(p)))
            p->at++;
    }
    if (is_name_start(peek(p)) && (*p->at == 'e' || *p->at == 'E'))
        return NONE;
    text = (struct str){start, (size_t)(p->at - start)};
    if (!jq_native_number(text, &expr.number))
        return NONE;
    expr.value = (struct json_value){JSON_NUMBER, text};
    return add_expr(p, expr);
}

/* The '("text")' of a function. */
static bool parse_argument(struct parser *p, struct str *quoted)
{
    skip_blanks(p);
    if (!accept(p, "("))
        return false;
    skip_blanks(p);
    if (!parse_string(p, quoted))
        return false;
    skip_blanks(p);
    return accept(p, ")");
}

/* has("k") and the functions of a string, applied to the value of step. */
static int parse_function(struct parser *p, int step)
{
    struct jq_expr expr = {.step = step};
    struct str quoted;

    if (accept_word(p, "has"))
        expr.op = JQ_HAS;
    else if (accept_word(p, "startswith"))
        expr.op = JQ_STARTS;
    else if (accept_word(p, "endswith"))
        expr.op = JQ_ENDS;
    else if (accept_word(p, "test"))
        expr.op = JQ_CONTAINS;
    else
        return NONE;
    if (!parse_argument(p, &quoted))
        return NONE;
    expr.text = unquote(quoted);

    if (expr.op == JQ_HAS) {
        expr.step = add_step(p, (struct jq_step){.parent = step, .key = expr.text});
        return expr.step == NONE ? NONE : add_expr(p, expr);
    }
    if (expr.op == JQ_CONTAINS) {
        if (expr.text.len &&
            *expr.text.data == '^') { /* jq's "^" is the start of the string, not of a line */
            expr.op = JQ_STARTS;
            expr.text = (struct str){expr.text.data + 1, expr.text.len - 1};
        }
        for (size_t i = 0; i < expr.text.len; i++)
            if (strchr("\\^$.|?*+()[]{}", expr.text.data[i]))
                return NONE;
        if (expr.text.len == 0)
            return NONE;
    }
    return add_expr(p, expr);
}

static int parse_term(struct parser *p, int step)
{
    struct str quoted;
    int expr;

    skip_blanks(p);
    if (peek(p) == '(') {
        if (++p->nesting > JQ_NATIVE_NESTING)
            return NONE;
        p->at++;
        expr = parse_pipe(p, step, false);
        p->nesting--;
        return expr != NONE && accept(p, ")") ? expr : NONE;
    }
    if (peek(p) == '.')
        return parse_path(p, step);
    if (peek(p) == '"')
        return parse_string(p, &quoted) ? add_const(p, JSON_STRING, quoted) : NONE;
    if (peek(p) == '-' || is_digit(peek(p)))
        return parse_number(p);
    if (accept_word(p, "null"))
        return add_const(p, JSON_NULL, STR("null"));
    if (accept_word(p, "false"))
        return add_const(p, JSON_FALSE, STR("false"));
    if (accept_word(p, "true"))
        return add_const(p, JSON_TRUE, STR("true"));
    if (accept_word(p, "not")) {
        expr = add_expr(p, (struct jq_expr){.op = JQ_PATH, .step = step});
        return expr == NONE ? NONE : add_expr(p, (struct jq_expr){.op = JQ_NOT, .left = expr});
    }
    return parse_function(p, step);
}

/* ---- operators, by rising precedence of jq's grammar: | // or and comparison ---- */

static int add_comparison(struct parser *p, enum jq_rel rel, int left, int right)
{
    const struct jq_expr *exprs = p->native->exprs;
    int expr;

    if (left == NONE || right == NONE)
        return NONE;
    if (exprs[left].op == JQ_CONST && exprs[right].op == JQ_PATH) {
        int path = right;

        right = left;
        left = path;
        if (rel & JQ_NE && rel != JQ_NE)
            rel ^= JQ_NE; /* < and > change places */
    }
    expr = add_pair(p, JQ_COMPARE, left, right);
    if (expr == NONE)
        return NONE;
    p->native->exprs[expr].rel = rel;
    if (exprs[left].op == JQ_PATH && exprs[right].op == JQ_CONST) {
        p->native->exprs[expr].op = JQ_CHECK;
        p->native->exprs[expr].step = exprs[left].step;
    }
    return expr;
}

static int parse_compare(struct parser *p, int step)
{
    static const struct {
        const char *token;
        enum jq_rel rel;
    } relations[] = {{"==", JQ_EQ}, {"!=", JQ_NE}, {"<=", JQ_LE},
                     {">=", JQ_GE}, {"<", JQ_LT},  {">", JQ_GT}};
    int left = parse_term(p, step);

    if (left == NONE)
        return NONE;
    skip_blanks(p);
    for (size_t i = 0; i < sizeof(relations) / sizeof(*relations); i++) {
        if (accept(p, relations[i].token)) {
            int expr = add_comparison(p, relations[i].rel, left, parse_term(p, step));

            skip_blanks(p);
            return expr; /* not associative: another comparison behind it stays unread */
        }
    }
    return left;
}

static int parse_and(struct parser *p, int step)
{
    int left = parse_compare(p, step);

    while (left != NONE && accept_word(p, "and"))
        left = add_pair(p, JQ_AND, left, parse_compare(p, step));
    return left;
}

static int parse_or(struct parser *p, int step)
{
    int left = parse_and(p, step);

    while (left != NONE && accept_word(p, "or"))
        left = add_pair(p, JQ_OR, left, parse_and(p, step));
    return left;
}

/* Associates to the right; p->nesting also bounds this recursion. */
static int parse_alternative(struct parser *p, int step)
{
    int left = parse_or(p, step);
    int right;

    if (left == NONE || !accept(p, "//"))
        return left;
    if (++p->nesting > JQ_NATIVE_NESTING)
        return NONE;
    right = parse_alternative(p, step);
    p->nesting--;
    return add_pair(p, JQ_ALT, left, right);
}

static int parse_select(struct parser *p, int step)
{
    int condition;

    skip_blanks(p);
    if (!accept(p, "("))
        return NONE;
    condition = parse_pipe(p, step, false);
    if (condition == NONE || !accept(p, ")"))
        return NONE;
    return add_expr(p, (struct jq_expr){.op = JQ_SELECT, .left = condition, .step = step});
}

static int parse_stage(struct parser *p, int step, bool top)
{
    int expr;

    skip_blanks(p);
    if (top && accept_word(p, "select"))
        return parse_select(p, step);
    expr = parse_alternative(p, step);
    if (top && expr != NONE && p->native->exprs[expr].op == JQ_PATH && accept(p, "[]"))
        p->native->exprs[expr].op = JQ_EACH;
    return expr;
}

/* A stage behind one whose value is not a part of the event: "not" and "." are all that is
 * understood. */
static int parse_result_stage(struct parser *p, int value)
{
    skip_blanks(p);
    if (accept_word(p, "not"))
        return add_expr(p, (struct jq_expr){.op = JQ_NOT, .left = value});
    return accept(p, ".") ? value : NONE;
}

/*
 * STAGE | STAGE ... where "." of a stage is the value of the one before. Behind a path that is only
 * a longer path; but the path itself is evaluated too (JQ_PIPE), because its error is the
 * program's.
 */
static int parse_pipe(struct parser *p, int step, bool top)
{
    int before = NONE; /* the stages before the current one that are evaluated for their errors */
    int expr = parse_stage(p, step, top);

    for (;;) {
        const struct jq_expr *stage;

        if (expr == NONE)
            return NONE;
        skip_blanks(p);
        if (!accept(p, "|"))
            return before == NONE ? expr : add_pair(p, JQ_PIPE, before, expr);

        stage = &p->native->exprs[expr];
        if (stage->op == JQ_EACH) {
            return NONE;
        } else if (stage->op == JQ_PATH || stage->op == JQ_SELECT) {
            step = stage->step;
            before = before == NONE ? expr : add_pair(p, JQ_PIPE, before, expr);
            if (before == NONE)
                return NONE;
            expr = parse_stage(p, step, top);
        } else {
            expr = parse_result_stage(p, expr);
        }
    }
}

/* ---- the module ---- */

struct jq_native *jq_native_parse(struct str text)
{
    struct jq_native *native;
    struct parser p;

    if (!str_is_utf8(text)) /* libjq would replace what is not */
        return NULL;
    native = mem_zalloc(sizeof(*native));
    native->text = mem_strndup(text.data, text.len);
    native->step_count = 1;
    p = (struct parser){native, native->text, native->text + text.len, 0};
    native->root = parse_pipe(&p, 0, true);
    if (native->root == NONE || p.at != p.end) {
        jq_native_free(native);
        return NULL;
    }
    return native;
}

void jq_native_free(struct jq_native *native)
{
    if (!native)
        return;
    buf_free(&native->decoded[0]);
    buf_free(&native->decoded[1]);
    free(native->text);
    free(native);
}

int jq_native_bind(struct jq_native *native, struct json_paths *paths)
{
    for (int i = 1; i < native->step_count; i++) {
        struct jq_step *step = &native->steps[i];
        int parent = native->steps[step->parent].node;

        step->node = step->key.data ? json_paths_key(paths, parent, step->key)
                                    : json_paths_index(paths, parent, step->index);
        if (step->node < 0)
            return -1;
    }
    return 0;
}
