/* jq_native.c: reads programs of the simple language into expressions. */
#include "format/jq_native.h"

#include "base/mem.h"
#include "format/jq_lex.h"

#include <stdlib.h>

struct parser {
    struct jq_native *native;
    struct jq_lex lex;
    int nesting;
};

/* All parse functions return the index of an expression, or NONE when the text is not in the
 * language. */
enum { NONE = -1 };

static int parse_pipe(struct parser *p, int step, bool top);

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

static struct str unquote(struct str quoted)
{
    return (struct str){quoted.data + 1, quoted.len - 2};
}

/* "[\"k\"]" or "[0]"; *step moves on. */
static bool parse_bracket(struct parser *p, int *step)
{
    struct jq_step next = {.parent = *step};
    struct str quoted;

    p->lex.at++;
    if (jq_lex_string(&p->lex, &quoted))
        next.key = unquote(quoted);
    else if (!jq_lex_index(&p->lex, &next.index))
        return false;
    *step = add_step(p, next);
    return *step != NONE && jq_lex_sign(&p->lex, "]");
}

/* The key behind a ".": a name or a string. */
static bool parse_key(struct parser *p, int *step)
{
    struct jq_step next = {.parent = *step};
    struct str quoted;

    if (jq_lex_string(&p->lex, &quoted))
        next.key = unquote(quoted);
    else if (!jq_lex_name(&p->lex, &next.key))
        return false;
    *step = add_step(p, next);
    return *step != NONE;
}

/* ".", ".a.b", ".\"k\"", ".[\"k\"][0]": relative to step. A "[]" behind it is left alone. */
static int parse_path(struct parser *p, int step)
{
    struct jq_lex *lex = &p->lex;
    bool bare; /* only the first "." so far */

    lex->at++;
    bare = !jq_lex_is_letter(jq_lex_peek(lex)) && jq_lex_peek(lex) != '"';
    if (!bare && !parse_key(p, &step))
        return NONE;
    for (;;) {
        if (jq_lex_peek(lex) == '[' && !(lex->at + 1 < lex->end && lex->at[1] == ']')) {
            if (!parse_bracket(p, &step))
                return NONE;
        } else if (!bare && jq_lex_sign(lex, ".")) { /* ".." is another thing */
            if (!parse_key(p, &step))
                return NONE;
        } else {
            return add_expr(p, (struct jq_expr){.op = JQ_PATH, .step = step});
        }
        bare = false;
    }
}

static int parse_number(struct parser *p)
{
    struct jq_expr expr = {.op = JQ_CONST, .value.type = JSON_NUMBER};

    if (!jq_lex_number(&p->lex, &expr.value.text) ||
        !jq_native_number(expr.value.text, &expr.number))
        return NONE;
    return add_expr(p, expr);
}

/* The '("text")' of a function. */
static bool parse_argument(struct parser *p, struct str *quoted)
{
    jq_lex_blanks(&p->lex);
    if (!jq_lex_sign(&p->lex, "("))
        return false;
    jq_lex_blanks(&p->lex);
    if (!jq_lex_string(&p->lex, quoted))
        return false;
    jq_lex_blanks(&p->lex);
    return jq_lex_sign(&p->lex, ")");
}

/* has("k") and the functions of a string, applied to the value of step. */
static int parse_function(struct parser *p, int step)
{
    struct jq_expr expr = {.step = step};
    struct str quoted;

    if (jq_lex_word(&p->lex, "has"))
        expr.op = JQ_HAS;
    else if (jq_lex_word(&p->lex, "startswith"))
        expr.op = JQ_STARTS;
    else if (jq_lex_word(&p->lex, "endswith"))
        expr.op = JQ_ENDS;
    else if (jq_lex_word(&p->lex, "test"))
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

    jq_lex_blanks(&p->lex);
    if (jq_lex_peek(&p->lex) == '(') {
        if (++p->nesting > JQ_NATIVE_NESTING)
            return NONE;
        p->lex.at++;
        expr = parse_pipe(p, step, false);
        p->nesting--;
        return expr != NONE && jq_lex_sign(&p->lex, ")") ? expr : NONE;
    }
    if (jq_lex_peek(&p->lex) == '.')
        return parse_path(p, step);
    if (jq_lex_peek(&p->lex) == '"')
        return jq_lex_string(&p->lex, &quoted) ? add_const(p, JSON_STRING, quoted) : NONE;
    if (jq_lex_peek(&p->lex) == '-' || jq_lex_is_digit(jq_lex_peek(&p->lex)))
        return parse_number(p);
    if (jq_lex_word(&p->lex, "null"))
        return add_const(p, JSON_NULL, STR("null"));
    if (jq_lex_word(&p->lex, "false"))
        return add_const(p, JSON_FALSE, STR("false"));
    if (jq_lex_word(&p->lex, "true"))
        return add_const(p, JSON_TRUE, STR("true"));
    if (jq_lex_word(&p->lex, "not")) {
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
    jq_lex_blanks(&p->lex);
    for (size_t i = 0; i < sizeof(relations) / sizeof(*relations); i++) {
        if (jq_lex_sign(&p->lex, relations[i].token)) {
            int expr = add_comparison(p, relations[i].rel, left, parse_term(p, step));

            jq_lex_blanks(&p->lex);
            return expr; /* not associative: another comparison behind it stays unread */
        }
    }
    return left;
}

static int parse_and(struct parser *p, int step)
{
    int left = parse_compare(p, step);

    while (left != NONE && jq_lex_word(&p->lex, "and"))
        left = add_pair(p, JQ_AND, left, parse_compare(p, step));
    return left;
}

static int parse_or(struct parser *p, int step)
{
    int left = parse_and(p, step);

    while (left != NONE && jq_lex_word(&p->lex, "or"))
        left = add_pair(p, JQ_OR, left, parse_and(p, step));
    return left;
}

/* Associates to the right; p->nesting also bounds this recursion. */
static int parse_alternative(struct parser *p, int step)
{
    int left = parse_or(p, step);
    int right;

    if (left == NONE || !jq_lex_sign(&p->lex, "//"))
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

    jq_lex_blanks(&p->lex);
    if (!jq_lex_sign(&p->lex, "("))
        return NONE;
    condition = parse_pipe(p, step, false);
    if (condition == NONE || !jq_lex_sign(&p->lex, ")"))
        return NONE;
    return add_expr(p, (struct jq_expr){.op = JQ_SELECT, .left = condition, .step = step});
}

static int parse_stage(struct parser *p, int step, bool top)
{
    int expr;

    jq_lex_blanks(&p->lex);
    if (top && jq_lex_word(&p->lex, "select"))
        return parse_select(p, step);
    expr = parse_alternative(p, step);
    if (top && expr != NONE && p->native->exprs[expr].op == JQ_PATH && jq_lex_sign(&p->lex, "[]"))
        p->native->exprs[expr].op = JQ_EACH;
    return expr;
}

/* A stage behind one whose value is not a part of the event: "not" and "." are all that is
 * understood. */
static int parse_result_stage(struct parser *p, int value)
{
    jq_lex_blanks(&p->lex);
    if (jq_lex_word(&p->lex, "not"))
        return add_expr(p, (struct jq_expr){.op = JQ_NOT, .left = value});
    return jq_lex_sign(&p->lex, ".") ? value : NONE;
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
        jq_lex_blanks(&p->lex);
        if (!jq_lex_sign(&p->lex, "|"))
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
    p = (struct parser){native, {native->text, native->text + text.len}, 0};
    native->root = parse_pipe(&p, 0, true);
    if (native->root == NONE || p.lex.at != p.lex.end) {
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
