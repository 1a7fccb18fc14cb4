/* jq_eval.c: evaluates native jq programs on the values of a scan. */
#include "format/jq_native.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>

/* ---- operands ---- */

/*
 * The number as the double that libjq has: a mantissa below 2^53 and a power of ten up to 10^22 are
 * both exact, so their quotient is rounded once, as strtod rounds.
 */
bool jq_native_number(struct str text, double *number)
{
    static const double power[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const char *at = text.data;
    const char *end = text.data + text.len;
    bool negative = at < end && *at == '-';
    unsigned digits = 0;
    unsigned decimals = 0;
    bool fraction = false;
    uint64_t mantissa = 0;

    _Static_assert(JQ_NATIVE_DIGITS < sizeof(power) / sizeof(*power), "a power for each decimal");
    for (at += negative; at < end; at++) {
        unsigned digit = (unsigned)(*at - '0');

        if (digit <= 9) {
            if (++digits > JQ_NATIVE_DIGITS)
                return false;
            mantissa = mantissa * 10 + digit;
            decimals += fraction;
        } else if (*at == '.') {
            fraction = true;
        } else { /* an exponent */
            return false;
        }
    }
    *number = (double)mantissa / power[decimals];
    if (negative)
        *number = -*number;
    return true;
}

/* The content of a JSON string, decoded into scratch if it has escapes. False: a lone surrogate. */
static bool exact_string(struct str quoted, struct buf *scratch, struct str *content)
{
    *content = (struct str){quoted.data + 1, quoted.len - 2};
    if (!memchr(content->data, '\\', content->len))
        return true;
    buf_clear(scratch);
    if (json_decode(quoted, scratch) != 0)
        return false;
    *content = buf_str(scratch);
    return true;
}

static int sign(double a, double b)
{
    return (a > b) - (a < b);
}

/* jq's order of two values, as a sign in *order: by type, numbers as doubles, strings by bytes. */
static bool compare(struct jq_native *native, const struct json_value *a,
                    const struct json_value *b, int *order)
{
    enum json_type a_type = a->type == JSON_ABSENT ? JSON_NULL : a->type;
    enum json_type b_type = b->type == JSON_ABSENT ? JSON_NULL : b->type;

    if (a_type != b_type) {
        *order = a_type < b_type ? -1 : 1;
        return true;
    }
    switch (a_type) {
    case JSON_NUMBER: {
        double x, y;

        if (!jq_native_number(a->text, &x) || !jq_native_number(b->text, &y))
            return false;
        *order = sign(x, y);
        return true;
    }
    case JSON_STRING: {
        struct str x, y;
        size_t shorter;

        if (!exact_string(a->text, &native->decoded[0], &x) ||
            !exact_string(b->text, &native->decoded[1], &y))
            return false;
        shorter = x.len < y.len ? x.len : y.len;
        *order = shorter ? memcmp(x.data, y.data, shorter) : 0;
        if (*order == 0)
            *order = (x.len > y.len) - (x.len < y.len);
        return true;
    }
    case JSON_ARRAY:
    case JSON_OBJECT:
        return false;
    default:
        *order = 0;
        return true;
    }
}

/* ---- expressions ---- */

static enum jq_result truth(struct json_value *value, bool holds)
{
    value->type = holds ? JSON_TRUE : JSON_FALSE;
    value->text = holds ? STR("true") : STR("false");
    return JQ_VALUE;
}

static const struct json_value *at_step(const struct jq_native *native, int step,
                                        const struct json_value *values)
{
    return &values[native->steps[step].node];
}

static enum jq_result path(const struct json_value *found, struct json_value *value)
{
    if (found->type == JSON_MISTYPED)
        return JQ_DECLINED;
    if (found->type == JSON_ABSENT)
        *value = (struct json_value){JSON_NULL, STR("null")};
    else
        *value = *found;
    return JQ_VALUE;
}

static bool contains(struct str text, struct str part)
{
    return memmem(text.data, text.len, part.data, part.len) != NULL;
}

static enum jq_result match(struct jq_native *native, const struct jq_expr *expr,
                            const struct json_value *found, struct json_value *value)
{
    struct str content;

    if (found->type != JSON_STRING || !exact_string(found->text, &native->decoded[0], &content))
        return JQ_DECLINED;
    if (expr->op == JQ_STARTS)
        return truth(value, str_starts(content, expr->text));
    if (expr->op == JQ_ENDS)
        return truth(value, str_ends(content, expr->text));
    return truth(value, contains(content, expr->text));
}

/* Is the order of two operands, as a sign, one for which the relation holds? */
static bool holds(enum jq_rel rel, int order)
{
    return rel & (order < 0 ? JQ_LT : order > 0 ? JQ_GT : JQ_EQ);
}

/*
 * A string of the event against a literal, which has no escapes: equal bytes are equal strings, and
 * a string that is shorter before decoding is not longer after it.
 */
static bool equals_literal(struct str quoted, struct str literal, bool *certain)
{
    *certain = true;
    if (str_eq(quoted, literal))
        return true;
    *certain = quoted.len < literal.len || !memchr(quoted.data, '\\', quoted.len);
    return false;
}

static enum jq_result check(struct jq_native *native, const struct jq_expr *expr,
                            const struct json_value *found, struct json_value *value)
{
    const struct jq_expr *literal = &native->exprs[expr->right];
    enum json_type type = found->type == JSON_ABSENT ? JSON_NULL : found->type;
    double number;
    int order;

    if (type == JSON_MISTYPED)
        return JQ_DECLINED;
    if (type != literal->value.type)
        return truth(value, holds(expr->rel, type < literal->value.type ? -1 : 1));
    if (type == JSON_NUMBER)
        return jq_native_number(found->text, &number)
                   ? truth(value, holds(expr->rel, sign(number, literal->number)))
                   : JQ_DECLINED;
    if (type == JSON_STRING && (expr->rel == JQ_EQ || expr->rel == JQ_NE)) {
        bool certain;
        bool equal = equals_literal(found->text, literal->value.text, &certain);

        if (certain)
            return truth(value, equal == (expr->rel == JQ_EQ));
    }
    if (!compare(native, found, &literal->value, &order))
        return JQ_DECLINED;
    return truth(value, holds(expr->rel, order));
}

static enum jq_result eval(struct jq_native *native, int index, const struct json_value *values,
                           struct json_value *value);

static enum jq_result relation(struct jq_native *native, const struct jq_expr *expr,
                               const struct json_value *values, struct json_value *value)
{
    struct json_value left, right;
    int order;

    if (eval(native, expr->left, values, &left) != JQ_VALUE ||
        eval(native, expr->right, values, &right) != JQ_VALUE ||
        !compare(native, &left, &right, &order))
        return JQ_DECLINED;
    return truth(value, holds(expr->rel, order));
}

static enum jq_result eval(struct jq_native *native, int index, const struct json_value *values,
                           struct json_value *value)
{
    const struct jq_expr *expr = &native->exprs[index];
    const struct json_value *found;
    enum jq_result result;

    switch (expr->op) {
    case JQ_PATH:
        return path(at_step(native, expr->step, values), value);
    case JQ_CONST:
        *value = expr->value;
        return JQ_VALUE;
    case JQ_COMPARE:
        return relation(native, expr, values, value);
    case JQ_CHECK:
        return check(native, expr, at_step(native, expr->step, values), value);
    case JQ_AND:
    case JQ_OR:
        result = eval(native, expr->left, values, value);
        if (result != JQ_VALUE)
            return result;
        if (jq_truth(value->type) == (expr->op == JQ_OR))
            return truth(value, expr->op == JQ_OR);
        result = eval(native, expr->right, values, value);
        return result == JQ_VALUE ? truth(value, jq_truth(value->type)) : result;
    case JQ_NOT:
        result = eval(native, expr->left, values, value);
        return result == JQ_VALUE ? truth(value, !jq_truth(value->type)) : result;
    case JQ_ALT:
        result = eval(native, expr->left, values, value);
        if (result != JQ_VALUE || jq_truth(value->type))
            return result;
        return eval(native, expr->right, values, value);
    case JQ_HAS:
        found = at_step(native, native->steps[expr->step].parent, values);
        if (found->type == JSON_ABSENT || found->type == JSON_NULL)
            return truth(value, false);
        if (found->type != JSON_OBJECT)
            return JQ_DECLINED;
        return truth(value, at_step(native, expr->step, values)->type != JSON_ABSENT);
    case JQ_STARTS:
    case JQ_ENDS:
    case JQ_CONTAINS:
        return match(native, expr, at_step(native, expr->step, values), value);
    case JQ_SELECT:
        result = eval(native, expr->left, values, value);
        if (result != JQ_VALUE)
            return result;
        if (!jq_truth(value->type))
            return JQ_NOTHING;
        return path(at_step(native, expr->step, values), value);
    case JQ_PIPE:
        result = eval(native, expr->left, values, value);
        return result == JQ_VALUE ? eval(native, expr->right, values, value) : result;
    case JQ_EACH:
        found = at_step(native, expr->step, values);
        if (found->type != JSON_ARRAY && found->type != JSON_OBJECT)
            return JQ_DECLINED;
        *value = *found;
        return JQ_ELEMENTS;
    }
    return JQ_DECLINED;
}

enum jq_result jq_native_eval(struct jq_native *native, const struct json_value *values,
                              struct json_value *value)
{
    return eval(native, native->root, values, value);
}

/* ---- elements ---- */

struct member {
    struct hash128 key; /* of the decoded bytes */
    size_t place;
    struct str value;
};

static int by_key(const void *left, const void *right)
{
    const struct member *a = left;
    const struct member *b = right;
    int order = (a->key.high > b->key.high) - (a->key.high < b->key.high);

    if (order == 0)
        order = (a->key.low > b->key.low) - (a->key.low < b->key.low);
    return order ? order : (a->place > b->place) - (a->place < b->place);
}

static int by_place(const void *left, const void *right)
{
    const struct member *a = left;
    const struct member *b = right;

    return (a->place > b->place) - (a->place < b->place);
}

/* Give the first of each run of equal keys the value of the last; returns how many are left. */
static size_t drop_repeated(struct member *members, size_t count)
{
    size_t kept = 0;

    qsort(members, count, sizeof(*members), by_key);
    for (size_t i = 0; i < count; i++) {
        struct member *last = kept ? &members[kept - 1] : NULL;

        if (last && last->key.high == members[i].key.high && last->key.low == members[i].key.low)
            last->value = members[i].value;
        else
            members[kept++] = members[i];
    }
    qsort(members, kept, sizeof(*members), by_place);
    return kept;
}

static int object_elements(struct str container, int (*emit)(void *context, struct str json),
                           void *context)
{
    struct buf decoded = {0};
    struct buf list = {0};
    struct json_iter iter;
    struct member *members;
    size_t count = 0;
    int stop = 0;

    json_iter_init(&iter, container);
    while (json_iter_next(&iter)) {
        struct member member = {.place = count++, .value = iter.value};

        buf_clear(&decoded);
        json_decode(iter.key, &decoded);
        member.key = hash_128(buf_str(&decoded));
        buf_add(&list, &member, sizeof(member));
    }
    buf_free(&decoded);
    if (count == 0)
        return 0;

    members = (struct member *)(void *)list.data;
    count = drop_repeated(members, count);
    for (size_t i = 0; i < count && stop == 0; i++)
        stop = emit(context, members[i].value);
    buf_free(&list);
    return stop;
}

int jq_native_elements(struct str container, int (*emit)(void *context, struct str json),
                       void *context)
{
    struct json_iter iter;
    int stop = 0;

    if (json_type_of(container) == JSON_OBJECT)
        return object_elements(container, emit, context);
    json_iter_init(&iter, container);
    while (stop == 0 && json_iter_next(&iter))
        stop = emit(context, iter.value);
    return stop;
}
