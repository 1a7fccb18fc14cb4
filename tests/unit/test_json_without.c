/* test_json_without.c: claims about format/json_without.h. */
#include "format/json_without.h"

#include "base/rng.h"
#include "format/jq.h"
#include "format/json_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PROGRAMS = 40, VALUES = 1000 };

static void expect(const char *paths, const char *value, const char *left)
{
    struct buf out = {0};
    struct json_without *without = json_without_new(str_of(paths));
    if (!without)
        fail_msg("%s should be paths", paths);
    json_without(without, str_of(value), &out);
    assert_string_equal(buf_cstr(&out), left);
    json_without_free(without);
    buf_free(&out);
}

static void deletes_what_paths_name(void **state)
{
    (void)state;
    expect(".a", "{\"a\":1,\"b\":2}", "{\"b\":2}");
    expect(".a.b", "{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"c\":2}}");
    expect(".a, .b", "{\"a\":1,\"b\":2,\"c\":3}", "{\"c\":3}");
    expect(".[].t", "[{\"t\":1,\"u\":2},{\"t\":3}]", "[{\"u\":2},{}]");
    expect(".a[].b", "{\"a\":{\"x\":{\"b\":1},\"y\":{\"c\":1}}}",
           "{\"a\":{\"x\":{},\"y\":{\"c\":1}}}");
    expect(".a[1]", "{\"a\":[1,2,3]}", "{\"a\":[1,3]}");
    expect(".[]", "[1,2]", "[]");
    expect(".\"x y\"", "{\"x y\":1,\"z\":2}", "{\"z\":2}");
    expect(".a[\"k\"]", "{\"a\":{\"k\":1}}", "{\"a\":{}}");
    expect(".[\"a\"]", "{\"a\":1}", "{}");
    expect(" .a? ,\n.b?.c ", "{\"a\":1,\"b\":{\"c\":1}}", "{\"b\":{}}");
}

static void knows_a_key_by_what_it_says(void **state)
{
    (void)state;
    expect(".a", "{\"\\u0061\":1,\"b\":2}", "{\"b\":2}");
    expect(".\"\\u0061\"", "{\"a\":1}", "{}");
    expect(".\"\"", "{\"\":1}", "{}");
    expect(".a", "{\"a\":1,\"a\":2}", "{}");
}

static void leaves_what_is_not_there_and_all_digits(void **state)
{
    (void)state;
    expect(".a.b", "{\"a\": 12345678901234567890.10 , \"c\" :[ ] }",
           "{\"a\":12345678901234567890.10,\"c\":[ ]}");
    expect(".a", "[1]", "[1]");
    expect(".[3]", "[1]", "[1]");
    expect(".a[]", "1e400", "1e400");
}

static void leaves_other_programs_to_jq(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",       ".",          "..",          ".a|.b",        ".a[-1]",
        ".a[1:]", ".a,",        ".a[0],.a[1]", ".a b",         ".a[",
        ".a[\"",  ".\"\\(1)\"", "a",           "recurse(.a?)", ".a[99999999999]",
        ".[01]",  NULL};
    for (const char *const *other = others; *other; other++) {
        if (json_without_new(str_of(*other)))
            fail_msg("%s should be left to jq", *other);
    }
}

/* ---- against jq ---- */

static struct rng rng;

static void add_value(struct buf *out, unsigned depth)
{
    static const char *const scalars[] = {"null", "true", "1", "\"s\"", "-2.5"};
    static const char *const keys[] = {"\"a\":", "\"b\":", "\"\\u0063\":"};
    unsigned kind = (unsigned)(rng_next(&rng) % (depth ? 3 : 1));
    unsigned count = (unsigned)(rng_next(&rng) % 4);
    if (kind == 0) {
        buf_puts(out, scalars[rng_next(&rng) % 5]);
        return;
    }
    buf_addc(out, kind == 1 ? '[' : '{');
    for (unsigned i = 0; i < count && (kind == 1 || i < 3); i++) {
        buf_puts(out, i ? "," : "");
        buf_puts(out, kind == 1 ? "" : keys[i]);
        add_value(out, depth - 1);
    }
    buf_addc(out, kind == 1 ? ']' : '}');
}

static void add_paths(struct buf *out)
{
    static const char *const steps[] = {".a?", ".b?", "[\"c\"]?", "[]?", "[0]?"};
    unsigned paths = 1 + (unsigned)(rng_next(&rng) % 3);
    for (unsigned path = 0; path < paths; path++) {
        unsigned count = 1 + (unsigned)(rng_next(&rng) % 3);
        buf_puts(out, path ? "," : "");
        for (unsigned i = 0; i < count; i++) {
            const char *step = steps[rng_next(&rng) % (paths > 1 ? 4 : 5)];
            buf_puts(out, i == 0 && *step == '[' ? "." : "");
            buf_puts(out, step);
        }
    }
}

static void add_order(struct str value, struct buf *key)
{
    struct err err;
    assert_int_equal(json_order_key(value, key, &err), 0);
}

static void compare(const struct json_without *without, struct jq_program *jq, struct str value)
{
    struct err err;
    struct buf left = {0}, wanted = {0}, keys[2] = {{0}, {0}};
    json_without(without, value, &left);
    if (jq_first(jq, &(struct jq_input){.text = value}, &wanted, &err) > 0) {
        add_order(buf_str(&left), &keys[0]);
        add_order(buf_str(&wanted), &keys[1]);
        if (!str_eq(buf_str(&keys[0]), buf_str(&keys[1])))
            fail_msg("%s of %.*s: %s, not %s", jq_text(jq), (int)value.len, value.data,
                     buf_cstr(&wanted), buf_cstr(&left));
    }
    buf_free(&left);
    buf_free(&wanted);
    buf_free(&keys[0]);
    buf_free(&keys[1]);
}

static void compare_values(const char *paths)
{
    struct err err;
    struct buf program = {0}, value = {0};
    buf_addf(&program, "del(%s)", paths);
    struct json_without *without = json_without_new(str_of(paths));
    struct jq_program *jq = jq_compile(buf_cstr(&program), NULL, &err);
    assert_non_null(without);
    assert_non_null(jq);
    for (unsigned i = 0; i < VALUES; i++) {
        buf_clear(&value);
        add_value(&value, 4);
        compare(without, jq, buf_str(&value));
    }
    json_without_free(without);
    jq_free(jq);
    buf_free(&program);
    buf_free(&value);
}

static void leaves_what_jq_leaves(void **state)
{
    (void)state;
    rng_seed(&rng, 7);
    for (unsigned i = 0; i < PROGRAMS; i++) {
        struct buf paths = {0};
        add_paths(&paths);
        compare_values(buf_cstr(&paths));
        buf_free(&paths);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deletes_what_paths_name),
        cmocka_unit_test(knows_a_key_by_what_it_says),
        cmocka_unit_test(leaves_what_is_not_there_and_all_digits),
        cmocka_unit_test(leaves_other_programs_to_jq),
        cmocka_unit_test(leaves_what_jq_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
