/*
 * json_order.c: JSON values as bytes that memcmp puts in jq's order.
 *
 * Each value begins with the byte of its type and shows its end, so those of an array can stand one
 * behind the other. What ends a text or a container is lower than anything that could go on; behind
 * the end of a string stand the end of a container or a type, which are lower than FF, or nothing:
 *
 *     string   its UTF-8, NUL as 00 FF, then 00
 *     number   its sign; unless it is zero the exponent of 0.DIGITS, then DIGITS without zeros at
 *              both ends, then 00; of a negative one all bytes behind the sign are inverted
 *     array    its elements, then 00
 *     object   its keys in order, then 00, then their values in this order
 */
#include "format/json_order.h"

#include "base/mem.h"
#include "format/json.h"

#include <stdint.h>
#include <stdlib.h>

enum {
    ORDER_END = 0, /* of a text, an array, the keys of an object; lower than any type */
    ORDER_NULL,
    ORDER_FALSE,
    ORDER_TRUE,
    ORDER_NUMBER,
    ORDER_STRING,
    ORDER_ARRAY,
    ORDER_OBJECT,

    ORDER_NUL = 0xFF, /* behind the 00 of a NUL: higher than what follows the end of a string */
};

enum order_sign { ORDER_NEGATIVE = 1, ORDER_ZERO, ORDER_POSITIVE };

struct walk {
    const char *at, *end;
    struct buf *out;
    unsigned depth;
    struct buf text; /* of a string with escapes; of an object put in order */
};

static int add_value(struct walk *walk, struct err *err);

static void pass_blanks(struct walk *walk)
{
    while (*walk->at == ' ' || *walk->at == '\t' || *walk->at == '\r' || *walk->at == '\n')
        walk->at++;
}

/* ---- strings ---- */

/* Past the closing quote. *escapes: there are some. */
static struct str pass_string(struct walk *walk, bool *escapes)
{
    const char *start = walk->at++;
    for (*escapes = false; *walk->at != '"'; walk->at++) {
        if (*walk->at == '\\') {
            *escapes = true;
            walk->at++;
        }
    }
    walk->at++;
    return (struct str){start, (size_t)(walk->at - start)};
}

static void add_string(struct walk *walk)
{
    bool escapes;
    struct str string = pass_string(walk, &escapes);
    buf_addc(walk->out, ORDER_STRING);
    if (!escapes) {
        buf_add(walk->out, string.data + 1, string.len - 2);
        buf_addc(walk->out, ORDER_END);
        return;
    }
    buf_clear(&walk->text);
    json_decode(string, &walk->text);
    for (size_t i = 0; i < walk->text.len; i++) {
        buf_addc(walk->out, walk->text.data[i]);
        if (!walk->text.data[i])
            buf_addc(walk->out, (char)ORDER_NUL);
    }
    buf_addc(walk->out, ORDER_END);
}

/* ---- numbers ---- */

/* A number is 0.DIGITS times ten to its exponent. */
struct decimal {
    bool negative;
    const char *digits; /* the first that is not 0; a point may stand among them */
    const char *end;    /* behind the last that is not 0 */
    int64_t exponent;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What follows a digit: only behind a number can the text end. */
static char peek(const struct walk *walk)
{
    return walk->at < walk->end ? *walk->at : '\0';
}

static int64_t pass_exponent(struct walk *walk)
{
    int64_t exponent = 0;
    bool negative = *++walk->at == '-';
    walk->at += !is_digit(*walk->at);
    for (; is_digit(peek(walk)); walk->at++) {
        exponent = exponent * 10 + (*walk->at - '0');
        if (exponent > JSON_ORDER_EXPONENT)
            exponent = JSON_ORDER_EXPONENT;
    }
    return negative ? -exponent : exponent;
}

static void add_digit(struct decimal *number, const char *digit, bool fraction)
{
    if (*digit != '0') {
        number->end = digit + 1;
        if (!number->digits)
            number->digits = digit;
    }
    if (number->digits)
        number->exponent += !fraction;
    else
        number->exponent -= fraction;
}

/* False: it is zero. */
static bool pass_number(struct walk *walk, struct decimal *number)
{
    *number = (struct decimal){.negative = *walk->at == '-'};
    walk->at += number->negative;
    bool fraction = false;
    for (; is_digit(peek(walk)) || peek(walk) == '.'; walk->at++) {
        if (*walk->at == '.')
            fraction = true;
        else
            add_digit(number, walk->at, fraction);
    }
    if ((peek(walk) | 0x20) == 'e')
        number->exponent += pass_exponent(walk);
    return number->digits;
}

static void add_number(struct walk *walk)
{
    struct decimal number;
    buf_addc(walk->out, ORDER_NUMBER);
    if (!pass_number(walk, &number)) {
        buf_addc(walk->out, ORDER_ZERO);
        return;
    }
    char invert = number.negative ? (char)0xFF : 0;
    uint64_t exponent = (uint64_t)number.exponent ^ UINT64_C(1) << 63;
    buf_addc(walk->out, number.negative ? ORDER_NEGATIVE : ORDER_POSITIVE);
    for (int shift = 56; shift >= 0; shift -= 8)
        buf_addc(walk->out, (char)(exponent >> shift) ^ invert);
    for (const char *at = number.digits; at < number.end; at++) {
        if (*at != '.')
            buf_addc(walk->out, *at ^ invert);
    }
    buf_addc(walk->out, ORDER_END ^ invert);
}

/* ---- containers ---- */

static int enter(struct walk *walk, struct err *err)
{
    walk->at++;
    if (walk->depth++ < JSON_ORDER_DEPTH)
        return 0;
    return err_set(err, ERR_LIMIT, "nested deeper than %d", JSON_ORDER_DEPTH);
}

/* True behind the bracket of a container. */
static bool leaves(struct walk *walk, char bracket)
{
    pass_blanks(walk);
    walk->at += *walk->at == ',';
    if (*walk->at != bracket)
        return false;
    walk->at++;
    walk->depth--;
    return true;
}

static int add_array(struct walk *walk, struct err *err)
{
    if (enter(walk, err) < 0)
        return -1;
    buf_addc(walk->out, ORDER_ARRAY);
    while (!leaves(walk, ']')) {
        if (add_value(walk, err) < 0)
            return -1;
    }
    buf_addc(walk->out, ORDER_END);
    return 0;
}

/* Where the bytes of a member stand, which are its key and its value. */
struct member {
    const struct buf *bytes;
    size_t key, value, end;
};

static struct str key_of(const struct member *member)
{
    return (struct str){member->bytes->data + member->key, member->value - member->key};
}

/* Of the same key the last one comes first. */
static int by_key(const void *left, const void *right)
{
    const struct member *a = left, *b = right;
    int order = json_order_compare(key_of(a), key_of(b));
    return order ? order : (a->key < b->key) - (a->key > b->key);
}

/* The members stand at the end of out, as they came. */
static void put_in_order(struct walk *walk, struct member *members, size_t count)
{
    struct buf *out = walk->out;
    size_t start = members[0].key, kept = 1;
    qsort(members, count, sizeof *members, by_key);
    for (size_t i = 1; i < count; i++) {
        if (!str_eq(key_of(&members[i]), key_of(&members[kept - 1])))
            members[kept++] = members[i];
    }
    buf_clear(&walk->text);
    for (size_t i = 0; i < kept; i++)
        buf_add_str(&walk->text, key_of(&members[i]));
    buf_addc(&walk->text, ORDER_END);
    for (size_t i = 0; i < kept; i++)
        buf_add(&walk->text, out->data + members[i].value, members[i].end - members[i].value);
    out->len = start;
    buf_add_str(out, buf_str(&walk->text));
}

static int add_member(struct walk *walk, struct member *member, struct err *err)
{
    pass_blanks(walk);
    member->bytes = walk->out;
    member->key = walk->out->len;
    add_string(walk);
    member->value = walk->out->len;
    pass_blanks(walk);
    walk->at++; /* the colon */
    int status = add_value(walk, err);
    member->end = walk->out->len;
    return status;
}

static int add_object(struct walk *walk, struct err *err)
{
    struct member *members = NULL;
    size_t count = 0, room = 0;
    int status = enter(walk, err);
    buf_addc(walk->out, ORDER_OBJECT);
    while (status == 0 && !leaves(walk, '}')) {
        if (count == room) {
            room = room ? room * 2 : 8;
            members = mem_realloc(members, room * sizeof *members);
        }
        status = add_member(walk, &members[count++], err);
    }
    if (status == 0 && count)
        put_in_order(walk, members, count);
    else
        buf_addc(walk->out, ORDER_END);
    free(members);
    return status;
}

static void add_word(struct walk *walk, char type, size_t len)
{
    walk->at += len;
    buf_addc(walk->out, type);
}

static int add_value(struct walk *walk, struct err *err)
{
    pass_blanks(walk);
    switch (*walk->at) {
    case '{':
        return add_object(walk, err);
    case '[':
        return add_array(walk, err);
    case '"':
        add_string(walk);
        return 0;
    case 'n':
        add_word(walk, ORDER_NULL, 4);
        return 0;
    case 'f':
        add_word(walk, ORDER_FALSE, 5);
        return 0;
    case 't':
        add_word(walk, ORDER_TRUE, 4);
        return 0;
    default:
        add_number(walk);
        return 0;
    }
}

int json_order_key(struct str value, struct buf *key, struct err *err)
{
    struct walk walk = {.at = value.data, .end = value.data + value.len, .out = key};
    int status = add_value(&walk, err);
    buf_free(&walk.text);
    return status;
}
