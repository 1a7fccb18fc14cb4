/* fuzz_json_patch.c: two values, a LF between them: what turns one into the other does; and any
 * patch makes a value of a value, or is refused. */
#include "../helpers/json_patch_apply.h"
#include "base/mem.h"
#include "format/json.h"
#include "format/json_order.h"
#include "format/json_patch.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void claim(bool holds)
{
    if (!holds)
        abort();
}

static bool is_valid(struct str text)
{
    struct json_scan scan;
    return json_scan(text, NULL, NULL, &scan) == 0;
}

/* By json_order.h, unless it is too deep for that. */
static bool same(struct str a, struct str b)
{
    struct buf left = {0}, right = {0};
    struct err err;
    bool equal;
    if (json_order_key(a, &left, &err) < 0 || json_order_key(b, &right, &err) < 0)
        equal = json_equal(a, b);
    else
        equal = str_eq(buf_str(&left), buf_str(&right));
    buf_free(&left);
    buf_free(&right);
    return equal;
}

static void check_made(struct str from, struct str to)
{
    struct buf patch = {0}, out = {0};
    struct err err;
    json_patch(from, to, &patch);
    claim(is_valid(buf_str(&patch)));
    claim(str_eq(buf_str(&patch), STR("[]")) == same(from, to));
    claim(json_equal(from, to) == same(from, to));
    claim(json_patch_apply(from, buf_str(&patch), &out, &err) == 0);
    claim(is_valid(buf_str(&out)) && same(buf_str(&out), to));
    buf_free(&patch);
    buf_free(&out);
}

static void check_any(struct str value, struct str patch)
{
    struct buf out = {0};
    struct err err;
    if (json_patch_apply(value, patch, &out, &err) == 0)
        claim(is_valid(buf_str(&out)));
    else
        claim(err.kind != ERR_NONE && err.text[0]);
    buf_free(&out);
}

/* A copy that ends where its memory does. */
static struct str own(struct str text)
{
    char *copy = mem_alloc(text.len);
    memcpy(copy, text.data, text.len);
    return (struct str){copy, text.len};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *lf = size ? memchr(text, '\n', size) : NULL;
    if (!lf)
        return 0;
    struct str a = {text, (size_t)(lf - text)};
    struct str b = {lf + 1, size - a.len - 1};
    if (!is_valid(a) || !is_valid(b))
        return 0;
    a = own(a);
    b = own(b);
    check_made(a, b);
    check_made(b, a);
    check_any(a, b);
    check_any(b, a);
    free((void *)(uintptr_t)a.data);
    free((void *)(uintptr_t)b.data);
    return 0;
}
