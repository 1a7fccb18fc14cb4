/* fuzz_json_order.c: two values, a LF between them: their bytes depend on what they are and not on
 * how they are written, order them as they order them in a container, and order numbers. */
#include "base/mem.h"
#include "format/json.h"
#include "format/json_order.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void claim(bool holds)
{
    if (!holds)
        abort();
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

/* The key of a value that ends where its memory does. False: it is none, or is too deep. */
static bool key_of(struct str text, struct buf *key)
{
    struct json_scan scan;
    struct err err;
    text = str_trim(text);
    if (json_scan(text, NULL, NULL, &scan) < 0)
        return false;
    char *copy = mem_alloc(text.len);
    memcpy(copy, text.data, text.len);
    int status = json_order_key((struct str){copy, text.len}, key, &err);
    free(copy);
    claim((status < 0) == (scan.depth > JSON_ORDER_DEPTH));
    return status == 0;
}

static struct buf wrapped(const char *before, struct str text, const char *after)
{
    struct buf whole = {0}, key = {0};
    buf_puts(&whole, before);
    buf_add_str(&whole, text);
    buf_puts(&whole, after);
    key_of(buf_str(&whole), &key);
    buf_free(&whole);
    return key;
}

static void check_wrapped(struct str a, struct str b, int order, const char *before,
                          const char *after)
{
    struct buf left = wrapped(before, a, after), right = wrapped(before, b, after);
    if (left.len && right.len)
        claim(sign(json_order_compare(buf_str(&left), buf_str(&right))) == order);
    buf_free(&left);
    buf_free(&right);
}

static void check_compact(struct str text, struct str key)
{
    struct buf compact = {0}, same = {0};
    json_compact(str_trim(text), &compact);
    claim(key_of(buf_str(&compact), &same) && str_eq(key, buf_str(&same)));
    buf_free(&compact);
    buf_free(&same);
}

static double number_of(struct str text)
{
    char *copy = mem_strndup(text.data, text.len);
    double value = strtod(copy, NULL);
    free(copy);
    return value;
}

static void check_numbers(struct str a, struct str b, int order)
{
    a = str_trim(a);
    b = str_trim(b);
    if (json_type_of(a) != JSON_NUMBER || json_type_of(b) != JSON_NUMBER)
        return;
    double left = number_of(a), right = number_of(b);
    claim(left == right || order == (left < right ? -1 : 1));
}

static void check_pair(struct str a, struct str b, struct buf *left, struct buf *right)
{
    int order = sign(json_order_compare(buf_str(left), buf_str(right)));
    claim(order == -sign(json_order_compare(buf_str(right), buf_str(left))));
    claim((order == 0) == str_eq(buf_str(left), buf_str(right)));
    check_wrapped(a, b, order, "[", "]");
    check_wrapped(a, b, order, "[0,", ",1]");
    check_wrapped(a, b, order, "{\"b\":0,\"a\":", "}");
    check_wrapped(a, b, order, "{\"a\":", ",\"b\":[]}");
    check_wrapped(a, b, 0, "{\"a\":", ",\"a\":1}");
    check_numbers(a, b, order);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *lf = size ? memchr(text, '\n', size) : NULL;
    struct str a = {text, lf ? (size_t)(lf - text) : size};
    struct str b = lf ? (struct str){lf + 1, size - a.len - 1} : a;
    struct buf left = {0}, right = {0};
    if (key_of(a, &left) && key_of(b, &right)) {
        check_compact(a, buf_str(&left));
        check_pair(a, b, &left, &right);
    }
    buf_free(&left);
    buf_free(&right);
    return 0;
}
