/* test_json_order.c: claims about format/json_order.h. */
#include "format/json_order.h"

#include "base/hash.h"
#include "base/rng.h"
#include "format/jq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PAIRS = 100000 };

static struct err err;

static int order_of(struct str a, struct str b)
{
    struct buf keys[2] = {{0}, {0}};
    assert_int_equal(json_order_key(a, &keys[0], &err), 0);
    assert_int_equal(json_order_key(b, &keys[1], &err), 0);
    int order = json_order_compare(buf_str(&keys[0]), buf_str(&keys[1]));
    buf_free(&keys[0]);
    buf_free(&keys[1]);
    return (order > 0) - (order < 0);
}

/* The text stands at the end of an allocation, so that a sanitizer sees a look behind it. */
static int order_of_texts(const char *a, const char *b)
{
    size_t lens[2] = {strlen(a), strlen(b)};
    char *left = malloc(lens[0]), *right = malloc(lens[1]);
    assert_true(left && right);
    memcpy(left, a, lens[0]);
    memcpy(right, b, lens[1]);
    int order = order_of((struct str){left, lens[0]}, (struct str){right, lens[1]});
    free(left);
    free(right);
    return order;
}

static void expect_rising(const char *const *values)
{
    for (const char *const *a = values; *a; a++) {
        assert_int_equal(order_of_texts(*a, *a), 0);
        for (const char *const *b = a + 1; *b; b++) {
            if (order_of_texts(*a, *b) != -1 || order_of_texts(*b, *a) != 1)
                fail_msg("%s should be less than %s", *a, *b);
        }
    }
}

static void expect_equal(const char *const *values)
{
    for (const char *const *a = values; *a; a++) {
        for (const char *const *b = values; *b; b++) {
            if (order_of_texts(*a, *b) != 0)
                fail_msg("%s should be equal to %s", *a, *b);
        }
    }
}

static void orders_the_types(void **state)
{
    (void)state;
    expect_rising((const char *const[]){"null", "false", "true", "-1", "0", "1e300", "\"\"",
                                        "\"1\"", "[]", "[null]", "{}", "{\"a\":null}", NULL});
}

static void orders_numbers_with_all_their_digits(void **state)
{
    (void)state;
    expect_rising((const char *const[]){
        "-1e999999999999999999999",
        "-1e401",
        "-1e400",
        "-9007199254740993",
        "-9007199254740992.5",
        "-9007199254740992",
        "-12",
        "-11",
        "-2",
        "-1.01",
        "-1",
        "-0.1",
        "-0.01",
        "-1e-400",
        "0",
        "1e-401",
        "1e-400",
        "0.1",
        "0.10000000000000000000000001",
        "0.2",
        "1",
        "1.5",
        "2",
        "10",
        "11",
        "9007199254740992",
        "9007199254740993",
        "123456789012345678901234567890",
        "123456789012345678901234567891",
        "1e400",
        "1e401",
        "1e999999999999999999999",
        NULL,
    });
}

static void equal_numbers_are_equal_however_they_are_written(void **state)
{
    (void)state;
    expect_equal((const char *const[]){"100", "100.0", "1e2", "1E+2", "10.0e1", "0.1e3",
                                       "1000000e-4", "100.000e0", "0.000001e8", NULL});
    expect_equal((const char *const[]){"0", "-0", "0.0", "-0.00e5", "0e999999999999999999", NULL});
    expect_equal((const char *const[]){"-1.5", "-15e-1", "-0.15E1", NULL});
}

static void orders_strings_by_codepoints_whatever_their_escapes(void **state)
{
    (void)state;
    expect_rising((const char *const[]){
        "\"\"", "\"\\u0000\"", "\"\\u0000\\u0000\"", "\"\\u0000a\"", "\"\\u0001\"", "\"\\n\"",
        "\"A\"", "\"A\\u0000\"", "\"Aa\"", "\"a\"", "\"\\u007f\"", "\"\\u0080\"", "\"\xC3\xA9\"",
        "\"\xE2\x82\xAC\"", "\"\\uffff\"", "\"\\ud83d\\ude00\"", "\"\xF0\x9F\x98\x81\"", NULL});
    expect_equal((const char *const[]){"\"a/\xE2\x82\xAC\"", "\"\\u0061\\/\\u20AC\"", NULL});
    expect_equal(
        (const char *const[]){"\"\xF0\x9F\x98\x80\\\"\"", "\"\\ud83d\\uDE00\\u0022\"", NULL});
}

static void orders_arrays_element_by_element(void **state)
{
    (void)state;
    expect_rising((const char *const[]){"[]", "[null]", "[null,null]", "[1]", "[1,1]", "[1,[]]",
                                        "[1.5]", "[\"a\"]", "[\"a\\u0000\"]", "[\"a\\u0000\",1]",
                                        "[\"aa\"]", "[[]]", "[[],1]", "[[1]]", "[{}]", NULL});
    expect_equal((const char *const[]){"[1,[2,{}]]", " [ 1.0 , [2e0,\t{ } ] ]", NULL});
}

static void orders_objects_by_their_keys_and_then_by_their_values(void **state)
{
    (void)state;
    expect_rising((const char *const[]){"{}", "{\"a\":2}", "{\"b\":0,\"a\":1}", "{\"a\":1,\"b\":1}",
                                        "{\"a\":2,\"b\":0}", "{\"a\":1,\"b\":2,\"c\":3}",
                                        "{\"a\":1,\"c\":0}", "{\"aa\":0}", "{\"b\":1}",
                                        "{\"b\":{\"a\":1}}", "{\"b\":{\"a\":1,\"b\":1}}", NULL});
    expect_equal((const char *const[]){"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}",
                                       "{ \"b\" : 9 , \"\\u0061\" : 1.0 , \"b\" : 2 }",
                                       "{\"a\":0,\"b\":2,\"a\":1}", NULL});
}

static void refuses_what_is_nested_too_deep(void **state)
{
    (void)state;
    struct buf deep = {0}, key = {0};
    for (int i = 0; i < JSON_ORDER_DEPTH; i++)
        buf_puts(&deep, i % 2 ? "[" : "{\"k\":");
    buf_addc(&deep, '1');
    for (int i = JSON_ORDER_DEPTH; i--;)
        buf_addc(&deep, i % 2 ? ']' : '}');
    assert_int_equal(json_order_key(buf_str(&deep), &key, &err), 0);
    struct buf deeper = {0};
    buf_addf(&deeper, "[%.*s]", (int)deep.len, deep.data);
    assert_int_equal(json_order_key(buf_str(&deeper), &key, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_string_equal(err.text, "nested deeper than 512");
    buf_free(&deep);
    buf_free(&deeper);
    buf_free(&key);
}

/* Hashes of them are kept by polls: other bytes would make everything that is known a change. */
static void gives_the_bytes_that_it_has_always_given(void **state)
{
    static const char value[] = "{\"b\":[null,true,false,-0.0,1.50e3,-12,1e400,\"\\u0061\\u0000\"],"
                                "\"a\":{\"x\":{},\"x\":[]},\"\\ud83d\\ude00\":9007199254740993}";
    struct buf key = {0};
    char text[HASH_TEXT];
    (void)state;
    assert_int_equal(json_order_key(str_of(value), &key, &err), 0);
    assert_string_equal(hash_format(hash_128(buf_str(&key)), text),
                        "ee8ecdd77565fc72faa6d644f4e78518");
    buf_free(&key);
}

/* ---- beside jq itself ---- */

static void add_blanks(struct rng *rng, struct buf *out)
{
    if (rng_below(rng, 8) == 0)
        buf_puts(out, rng_below(rng, 2) ? " " : "\t ");
}

static void add_random_string(struct rng *rng, struct buf *out)
{
    static const char *const pieces[] = {"a",
                                         "b",
                                         "A",
                                         "\\u0061",
                                         "\\u0000",
                                         "\\n",
                                         "\\\"",
                                         "\xC3\xA9",
                                         "\\u00e9",
                                         "\\uffff",
                                         "\\u20ac",
                                         "\\ud83d\\ude00",
                                         "\xF0\x9F\x98\x80",
                                         "\\\\"};
    buf_addc(out, '"');
    for (uint64_t left = rng_below(rng, 4); left; left--)
        buf_puts(out, pieces[rng_below(rng, sizeof pieces / sizeof *pieces)]);
    buf_addc(out, '"');
}

/* Of so few digits that a double holds it as it is. */
static void add_random_number(struct rng *rng, struct buf *out)
{
    static const char *const ends[] = {"",       ".0",   ".5",   "e1", "E-2",
                                       ".25e+2", ".125", "e-10", "e15"};
    buf_addf(out, "%s%u%s", rng_below(rng, 3) ? "" : "-", (unsigned)rng_below(rng, 30),
             ends[rng_below(rng, sizeof ends / sizeof *ends)]);
}

static void add_random_value(struct rng *rng, struct buf *out, unsigned depth)
{
    static const char *const words[] = {"null", "false", "true"};
    add_blanks(rng, out);
    switch (rng_below(rng, depth ? 6 : 3)) {
    case 0:
        buf_puts(out, words[rng_below(rng, 3)]);
        break;
    case 1:
        add_random_number(rng, out);
        break;
    case 2:
        add_random_string(rng, out);
        break;
    case 3:
        buf_addc(out, '[');
        for (uint64_t i = 0, count = rng_below(rng, 4); i < count; i++) {
            buf_puts(out, i ? "," : "");
            add_random_value(rng, out, depth - 1);
        }
        buf_addc(out, ']');
        break;
    default:
        buf_addc(out, '{');
        for (uint64_t i = 0, count = rng_below(rng, 5); i < count; i++) {
            buf_puts(out, i ? "," : "");
            add_random_string(rng, out);
            add_blanks(rng, out);
            buf_addc(out, ':');
            add_random_value(rng, out, depth - 1);
        }
        buf_addc(out, '}');
    }
    add_blanks(rng, out);
}

static int jq_order(struct jq_program *program, struct str a, struct str b)
{
    struct buf pair = {0}, answer = {0};
    buf_addf(&pair, "[%.*s,%.*s]", (int)a.len, a.data, (int)b.len, b.data);
    struct jq_input input = {.text = buf_str(&pair), .depth = 10};
    if (jq_first(program, &input, &answer, &err) != 1)
        fail_msg("%s: %s", buf_cstr(&pair), err.text);
    int order = (int)strtol(buf_cstr(&answer), NULL, 10);
    buf_free(&pair);
    buf_free(&answer);
    return order;
}

/* Containers are often equal up to somewhere when only few of their values are different. */
static void change_a_digit(struct rng *rng, struct buf *text)
{
    for (size_t i = rng_below(rng, text->len + 1); i < text->len; i++) {
        if (text->data[i] >= '1' && text->data[i] <= '9' && (!i || text->data[i - 1] != 'u')) {
            text->data[i] = (char)('1' + rng_below(rng, 9));
            return;
        }
    }
}

static void orders_random_values_as_jq_does(void **state)
{
    (void)state;
    struct jq_program *program =
        jq_compile("if .[0] < .[1] then -1 elif .[0] == .[1] then 0 else 1 end", NULL, &err);
    assert_true(program && !jq_is_native(program));
    struct rng rng;
    rng_seed(&rng, 4);
    unsigned equal = 0;
    for (int i = 0; i < PAIRS; i++) {
        struct buf a = {0}, b = {0};
        uint64_t depth = rng_below(&rng, 4);
        add_random_value(&rng, &a, (unsigned)depth);
        if (rng_below(&rng, 3)) {
            add_random_value(&rng, &b, (unsigned)depth);
        } else {
            buf_add_str(&b, buf_str(&a));
            change_a_digit(&rng, &b);
        }
        int order = jq_order(program, buf_str(&a), buf_str(&b));
        equal += !order;
        if (order_of(buf_str(&a), buf_str(&b)) != order)
            fail_msg("jq says %d of %s and %s", order, buf_cstr(&a), buf_cstr(&b));
        buf_free(&a);
        buf_free(&b);
    }
    assert_true(equal > PAIRS / 20 && equal < PAIRS / 2);
    jq_free(program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_the_types),
        cmocka_unit_test(orders_numbers_with_all_their_digits),
        cmocka_unit_test(equal_numbers_are_equal_however_they_are_written),
        cmocka_unit_test(orders_strings_by_codepoints_whatever_their_escapes),
        cmocka_unit_test(orders_arrays_element_by_element),
        cmocka_unit_test(orders_objects_by_their_keys_and_then_by_their_values),
        cmocka_unit_test(refuses_what_is_nested_too_deep),
        cmocka_unit_test(gives_the_bytes_that_it_has_always_given),
        cmocka_unit_test(orders_random_values_as_jq_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
