/* jq_digits.c: finds numbers whose digits a double does not keep. */
#include "format/jq_digits.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>

enum { SURE_DIGITS = 15 }; /* a double keeps a number of this many digits */

struct number {
    double value;
    uint64_t digits; /* hash of the significant digits and the exponent */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Past a string, from its opening quote. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        at += *at == '\\';
    return at + 1;
}

/* The next number of JSON text with at least count digits; *rest moves behind it. */
static bool next_number(struct str *rest, unsigned count, struct str *number)
{
    const char *at = rest->data;
    const char *end = rest->data + rest->len;

    while (at < end) {
        const char *start = at;
        unsigned digits = 0;

        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        if (*at != '-' && !is_digit(*at)) {
            at++;
            continue;
        }
        for (; at < end && (is_digit(*at) || strchr("+-.eE", *at)); at++)
            digits += is_digit(*at);
        if (digits >= count) {
            *number = (struct str){start, (size_t)(at - start)};
            *rest = (struct str){at, (size_t)(end - at)};
            return true;
        }
    }
    return false;
}

/* The same for 100, 1e2 and 100.0: the digits without zeros at both ends, and the place of the
 * point. */
static uint64_t hash_digits(struct str number, struct buf *scratch)
{
    long exponent = 0;
    bool fraction = false;
    size_t i;

    buf_clear(scratch);
    for (i = number.data[0] == '-'; i < number.len; i++) {
        char c = number.data[i];

        if (c == '.')
            fraction = true;
        else if (!is_digit(c))
            break;
        else if (c != '0' || scratch->len)
            buf_addc(scratch, c);
        exponent -= fraction && c != '.';
    }
    if (i < number.len) {
        char text[32];
        size_t len = number.len - i - 1;

        len = len < sizeof(text) - 1 ? len : sizeof(text) - 1;
        memcpy(text, number.data + i + 1, len);
        text[len] = '\0';
        exponent += strtol(text, NULL, 10);
    }
    while (scratch->len && scratch->data[scratch->len - 1] == '0') {
        scratch->len--;
        exponent++;
    }
    buf_addf(scratch, "e%ld", exponent);
    return hash_64(buf_str(scratch));
}

static double value_of(struct str number, struct buf *scratch)
{
    buf_clear(scratch);
    buf_add_str(scratch, number);
    return strtod(buf_cstr(scratch), NULL);
}

/* Does some printing of the double give the digits back? */
static bool is_kept(double value, uint64_t digits, struct buf *scratch)
{
    for (int precision = SURE_DIGITS; precision <= 17; precision++) {
        char text[40];
        int len = snprintf(text, sizeof(text), "%.*g", precision, value);

        if (hash_digits((struct str){text, (size_t)len}, scratch) == digits)
            return true;
    }
    return false;
}

static int by_value(const void *left, const void *right)
{
    const struct number *a = left;
    const struct number *b = right;

    return (a->value > b->value) - (a->value < b->value);
}

void jq_digits_free(struct jq_digits *digits)
{
    buf_free(&digits->numbers);
    buf_free(&digits->scratch);
}

void jq_digits_clear(struct jq_digits *digits)
{
    buf_clear(&digits->numbers);
}

void jq_digits_note(struct jq_digits *digits, struct str event)
{
    struct str text;

    while (next_number(&event, SURE_DIGITS + 1, &text)) {
        struct number number = {.value = value_of(text, &digits->scratch)};

        number.digits = hash_digits(text, &digits->scratch);
        if (!is_kept(number.value, number.digits, &digits->scratch))
            buf_add(&digits->numbers, &number, sizeof(number));
    }
    if (digits->numbers.len)
        qsort(digits->numbers.data, digits->numbers.len / sizeof(struct number),
              sizeof(struct number), by_value);
}

bool jq_digits_lost(struct jq_digits *digits, struct str output)
{
    const struct number *numbers = (const void *)digits->numbers.data;
    size_t count = digits->numbers.len / sizeof(*numbers);
    struct str text;

    while (count && next_number(&output, 1, &text)) {
        struct number number = {.value = value_of(text, &digits->scratch)};
        const struct number *same = bsearch(&number, numbers, count, sizeof(*numbers), by_value);

        if (same && same->digits != hash_digits(text, &digits->scratch))
            return true;
    }
    return false;
}
