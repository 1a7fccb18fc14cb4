/* test_json_patch.c: claims about JSON Patch: what turns one value into another, and doing it. */
#include "format/json_patch.h"

#include "../helpers/json_pairs.h"
#include "../helpers/json_patch_apply.h"
#include "base/clock.h"
#include "base/mem.h"
#include "format/json.h"
#include "format/json_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PAIRS = 300000 };

static struct err err;

/* Equal by json_order.h, which knows nothing of patches. */
static bool same(struct str a, struct str b)
{
    struct buf left = {0}, right = {0};
    struct err why;
    assert_int_equal(json_order_key(a, &left, &why), 0);
    assert_int_equal(json_order_key(b, &right, &why), 0);
    bool equal = str_eq(buf_str(&left), buf_str(&right));
    buf_free(&left);
    buf_free(&right);
    return equal;
}

static void is_valid(struct str text)
{
    struct json_scan scan;
    if (json_scan(text, NULL, NULL, &scan) < 0)
        fail_msg("%s at %zu of %.*s", scan.reason, scan.at, (int)text.len, text.data);
}

/* ---- applying ---- */

static void gives(const char *value, const char *patch, const char *expected)
{
    struct buf out = {0};
    if (json_patch_apply(str_of(value), str_of(patch), &out, &err) < 0)
        fail_msg("%s: %s", patch, err.text);
    is_valid(buf_str(&out));
    assert_string_equal(buf_cstr(&out), expected);
    buf_free(&out);
}

static void fails(const char *value, const char *patch, enum err_kind kind, const char *text)
{
    struct buf out = {0};
    if (json_patch_apply(str_of(value), str_of(patch), &out, &err) == 0)
        fail_msg("%s has made %s of %s", patch, buf_cstr(&out), value);
    assert_string_equal(err.text, text);
    assert_int_equal(err.kind, kind);
    buf_free(&out);
}

static void does_what_the_appendix_of_the_rfc_shows(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        /* A.1 */
        {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
         "{\"foo\":\"bar\",\"baz\":\"qux\"}"},
        /* A.2 */
        {"{\"foo\":[\"bar\",\"baz\"]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]",
         "{\"foo\":[\"bar\",\"qux\",\"baz\"]}"},
        /* A.3 */
        {"{\"baz\":\"qux\",\"foo\":\"bar\"}", "[{\"op\":\"remove\",\"path\":\"/baz\"}]",
         "{\"foo\":\"bar\"}"},
        /* A.4 */
        {"{\"foo\":[\"bar\",\"qux\",\"baz\"]}", "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]",
         "{\"foo\":[\"bar\",\"baz\"]}"},
        /* A.5 */
        {"{\"baz\":\"qux\",\"foo\":\"bar\"}",
         "[{\"op\":\"replace\",\"path\":\"/baz\",\"value\":\"boo\"}]",
         "{\"baz\":\"boo\",\"foo\":\"bar\"}"},
        /* A.6 */
        {"{\"foo\":{\"bar\":\"baz\",\"waldo\":\"fred\"},\"qux\":{\"corge\":\"grault\"}}",
         "[{\"op\":\"move\",\"from\":\"/foo/waldo\",\"path\":\"/qux/thud\"}]",
         "{\"foo\":{\"bar\":\"baz\"},\"qux\":{\"corge\":\"grault\",\"thud\":\"fred\"}}"},
        /* A.7 */
        {"{\"foo\":[\"all\",\"grass\",\"cows\",\"eat\"]}",
         "[{\"op\":\"move\",\"from\":\"/foo/1\",\"path\":\"/foo/3\"}]",
         "{\"foo\":[\"all\",\"cows\",\"eat\",\"grass\"]}"},
        /* A.8 */
        {"{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}",
         "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"qux\"},"
         "{\"op\":\"test\",\"path\":\"/foo/1\",\"value\":2}]",
         "{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}"},
        /* A.10 */
        {"{\"foo\":\"bar\"}",
         "[{\"op\":\"add\",\"path\":\"/child\",\"value\":{\"grandchild\":{}}}]",
         "{\"foo\":\"bar\",\"child\":{\"grandchild\":{}}}"},
        /* A.11 */
        {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\",\"xyz\":123}]",
         "{\"foo\":\"bar\",\"baz\":\"qux\"}"},
        /* A.14 */
        {"{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":10}]",
         "{\"/\":9,\"~1\":10}"},
        /* A.16 */
        {"{\"foo\":[\"bar\"]}",
         "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":[\"abc\",\"def\"]}]",
         "{\"foo\":[\"bar\",[\"abc\",\"def\"]]}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        gives(rows[i][0], rows[i][1], rows[i][2]);
    /* A.9, A.12, A.13, A.15 */
    fails("{\"baz\":\"qux\"}", "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"bar\"}]", ERR_STATE,
          "operation 1: \"/baz\": another value is there");
    fails("{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz/bat\",\"value\":\"qux\"}]",
          ERR_NOT_FOUND, "operation 1: \"/baz/bat\": there is no such place");
    fails("{\"foo\":\"bar\"}",
          "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\",\"op\":\"remove\"}]", ERR_USAGE,
          "operation 1: op stands twice");
    fails("{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":\"10\"}]",
          ERR_STATE, "operation 1: \"/~01\": another value is there");
}

/* RFC 6901, 5: pointers of this document, and what they lead to. */
static void finds_what_the_pointers_of_the_rfc_lead_to(void **state)
{
    static const char document[] =
        "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,"
        "\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8}";
    static const char *const rows[][2] = {
        {"", document},        {"/foo", "[\"bar\",\"baz\"]"},
        {"/foo/0", "\"bar\""}, {"/", "0"},
        {"/a~1b", "1"},        {"/c%d", "2"},
        {"/e^f", "3"},         {"/g|h", "4"},
        {"/i\\\\j", "5"},      {"/k\\\"l", "6"},
        {"/ ", "7"},           {"/m~0n", "8"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf patch = {0};
        buf_addf(&patch, "[{\"op\":\"test\",\"path\":\"%s\",\"value\":%s}]", rows[i][0],
                 rows[i][1]);
        gives(document, buf_cstr(&patch), document);
        buf_free(&patch);
    }
}

#define OP(op, path)          "{\"op\":\"" op "\",\"path\":\"" path "\"}"
#define WITH(op, path, value) "{\"op\":\"" op "\",\"path\":\"" path "\",\"value\":" value "}"
#define FROM(op, from, path)  "{\"op\":\"" op "\",\"from\":\"" from "\",\"path\":\"" path "\"}"

static void does_operations_one_after_another(void **state)
{
    (void)state;
    gives("1", "[]", "1");
    gives(" [1, 2] ", "[ ]", "[1, 2]");
    gives("[1,2,3]", "[" OP("remove", "/0") "," OP("remove", "/0") "," WITH("add", "/1", "4") "]",
          "[3,4]");
    gives("[]",
          "[" WITH("add", "/-", "1") "," WITH("add", "/0", "0") "," WITH("add", "/2", "2") "]",
          "[0,1,2]");
    gives("{}",
          "[" WITH("add", "/a", "[]") "," WITH("add", "/a/0", "{}") "," WITH("add", "/a/0/b",
                                                                             "1") "]",
          "{\"a\":[{\"b\":1}]}");
    gives("{\"a\":[1,2]}", "[" FROM("copy", "/a", "/a/1") "," FROM("copy", "/a", "/b") "]",
          "{\"a\":[1,[1,2],2],\"b\":[1,[1,2],2]}");
    gives("{\"a\":{\"b\":1}}", "[" FROM("move", "/a/b", "/a") "]", "{\"a\":1}");
    gives("{\"a\":1}", "[" FROM("copy", "", "/b") "," FROM("copy", "", "/a") "]",
          "{\"a\":{\"a\":1,\"b\":{\"a\":1}},\"b\":{\"a\":1}}");
    gives("{\"a\":1}", "[" FROM("move", "/a", "") "," FROM("move", "", "") "]", "1");
    gives("{\"a\":1}", "[" WITH("add", "", "[]") "," WITH("replace", "", "[0]") "]", "[0]");
    gives(
        "[0,1,2]",
        "[" FROM("move", "/2", "/0") "," FROM("move", "/0", "/0") "," FROM("move", "/1", "/-") "]",
        "[2,1,0]");
}

static void keeps_what_it_does_not_change_byte_for_byte(void **state)
{
    (void)state;
    gives("{\"n\":1.0e+5, \"x\" : [ 1,2 ] ,\"\\u0061b\":9007199254740993}",
          "[" WITH("add", "/z", "0") "," OP("remove", "/n") "]",
          "{\"x\":[ 1,2 ],\"\\u0061b\":9007199254740993,\"z\":0}");
    gives("{\"b\":1,\"\\u0061\":2}", "[" WITH("replace", "/a", " [ 1.50 ]") "]",
          "{\"b\":1,\"\\u0061\":[ 1.50 ]}");
    gives("{}", "[" WITH("add", "/\\u0000~1~0\\n\\u00e9", "1") "]", "{\"\\u0000/~\\n\xc3\xa9\":1}");
}

static void counts_the_last_of_members_that_stand_twice(void **state)
{
    (void)state;
    gives("{\"a\":1,\"b\":2,\"\\u0061\":3}", "[" WITH("test", "/a", "3") "]",
          "{\"b\":2,\"\\u0061\":3}");
    gives("{\"a\":1,\"b\":2,\"a\":3}", "[" OP("remove", "/a") "]", "{\"b\":2}");
    gives("{\"a\":1,\"b\":2,\"a\":3}", "[" WITH("replace", "/a", "4") "]", "{\"b\":2,\"a\":4}");
    gives("[{\"a\":1,\"a\":3}]", "[" WITH("test", "/0", "{\"a\":3}") "]", "[{\"a\":1,\"a\":3}]");
}

static void tests_values_and_not_how_they_are_written(void **state)
{
    (void)state;
    gives("[1.0,{\"a\":1,\"b\":[2]},\"\\u0061\"]",
          "[" WITH("test", "/0", "10e-1") "," WITH("test", "/1", "{\"b\":[2.0],\"a\":1}") "," WITH(
              "test", "/2", "\"a\"") "," WITH("add", "/1/c",
                                              "3") "," WITH("test", "/1",
                                                            "{\"c\":3,\"b\":[2],\"a\":1}") "]",
          "[1.0,{\"a\":1,\"b\":[2],\"c\":3},\"\\u0061\"]");
    fails("[9007199254740993]", "[" WITH("test", "/0", "9007199254740992") "]", ERR_STATE,
          "operation 1: \"/0\": another value is there");
}

/* None of the operations that need something to be there finds it. */
static void is_not_there(const char *path)
{
    static const char *const forms[][2] = {{"{\"op\":\"remove\",\"path\":\"", "\"}"},
                                           {"{\"op\":\"replace\",\"value\":1,\"path\":\"", "\"}"},
                                           {"{\"op\":\"test\",\"value\":1,\"path\":\"", "\"}"},
                                           {"{\"op\":\"copy\",\"path\":\"/c\",\"from\":\"", "\"}"},
                                           {"{\"op\":\"move\",\"path\":\"/c\",\"from\":\"", "\"}"}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct buf patch = {0}, text = {0};
        buf_addf(&patch, "[%s,%s%s%s]", WITH("test", "", "{\"a\":[1,2]}"), forms[i][0], path,
                 forms[i][1]);
        buf_addf(&text, "operation 2: \"%s\": there is no such place", path);
        fails("{\"a\":[1,2]}", buf_cstr(&patch), ERR_NOT_FOUND, buf_cstr(&text));
        buf_free(&patch);
        buf_free(&text);
    }
}

static void says_what_place_is_not_there(void **state)
{
    static const char *const paths[] = {"/b",  "/a/2",  "/a/-",          "/a/00",  "/a/+1",
                                        "/a/", "/a/-1", "/a/4294967296", "/a/1e0", "/a/0/x",
                                        "//a", "/a/x",  "/a/0/0"};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        is_not_there(paths[i]);
    fails("{\"a\":[1,2]}", "[" WITH("add", "/a/3", "1") "]", ERR_NOT_FOUND,
          "operation 1: \"/a/3\": there is no such place");
    fails("{\"a\":[1,2]}", "[" FROM("move", "/a", "/b/c") "]", ERR_NOT_FOUND,
          "operation 1: \"/b/c\": there is no such place");
    fails("1", "[" WITH("add", "/a", "1") "]", ERR_NOT_FOUND,
          "operation 1: \"/a\": there is no such place");
}

static void says_what_is_no_patch(void **state)
{
    static const char *const rows[][2] = {
        {"{}", "a patch is an array of operations"},
        {"[1]", "operation 1: it is no object"},
        {"[{}]", "operation 1: op is missing, or is no string"},
        {"[{\"op\":1,\"path\":\"\"}]", "operation 1: op is missing, or is no string"},
        {"[{\"op\":\"Add\",\"path\":\"\",\"value\":1}]",
         "operation 1: there is no operation \"Add\""},
        {"[{\"op\":\"add\",\"value\":1}]", "operation 1: path is missing, or is no string"},
        {"[{\"op\":\"remove\",\"path\":null}]", "operation 1: path is missing, or is no string"},
        {"[" OP("add", "/a") "]", "operation 1: it has no value"},
        {"[" OP("test", "/a") "]", "operation 1: it has no value"},
        {"[" OP("copy", "/a") "]", "operation 1: from is missing, or is no string"},
        {"[" OP("remove", "a") "]", "operation 1: \"a\" is no pointer: it has to begin with /"},
        {"[" OP("remove", "/a~") "]", "operation 1: \"/a~\" is no pointer: ~ has to be ~0 or ~1"},
        {"[" OP("remove", "/~2/a") "]",
         "operation 1: \"/~2/a\" is no pointer: ~ has to be ~0 or ~1"},
        {"[" OP("remove", "") "]", "operation 1: the whole value cannot be removed"},
        {"[" FROM("move", "/a", "/a/b") "]", "operation 1: \"/a\" cannot be moved into itself"},
        {"[" FROM("move", "", "/a") "]", "operation 1: \"\" cannot be moved into itself"},
        {"[{\"op\":\"remove\",\"path\":\"/a\",\"p\\u0061th\":\"/a\"}]",
         "operation 1: path stands twice"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        fails("{\"a\":{\"b\":1}}", rows[i][0], ERR_USAGE, rows[i][1]);
}

static void refuses_to_grow_beyond_its_limits(void **state)
{
    struct buf patch = {0}, path = {0};
    (void)state;
    buf_addc(&patch, '[');
    for (int i = 0; i < 60; i++) /* each doubles it */
        buf_addf(&patch, "%s{\"op\":\"copy\",\"from\":\"\",\"path\":\"/%d\"}", i ? "," : "", i);
    buf_addc(&patch, ']');
    struct buf out = {0};
    assert_int_equal(json_patch_apply(STR("{}"), buf_str(&patch), &out, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_non_null(strstr(err.text, "the copies are longer than 67108864 bytes"));
    buf_clear(&patch);
    buf_puts(&patch, "[{\"op\":\"add\",\"path\":\"\",\"value\":[]}");
    for (int i = 0; i < JSON_MAX_DEPTH / 2; i++)
        buf_puts(&path, "[");
    for (int i = 0; i < JSON_MAX_DEPTH / 2; i++)
        buf_puts(&path, "]");
    buf_addf(&patch, ",{\"op\":\"add\",\"path\":\"/0\",\"value\":%s}", buf_cstr(&path));
    buf_puts(&patch, ",{\"op\":\"add\",\"path\":\"/0");
    for (int i = 1; i < JSON_MAX_DEPTH / 2; i++)
        buf_puts(&patch, "/0");
    buf_addf(&patch, "/0\",\"value\":%s}]", buf_cstr(&path));
    assert_int_equal(json_patch_apply(STR("{}"), buf_str(&patch), &out, &err), -1);
    assert_string_equal(err.text, "operation 3: nested deeper than 10000");
    buf_free(&patch);
    buf_free(&path);
    buf_free(&out);
}

/* ---- making ---- */

static void makes(const char *from, const char *to, const char *expected)
{
    struct buf patch = {0};
    json_patch(str_of(from), str_of(to), &patch);
    assert_string_equal(buf_cstr(&patch), expected);
    buf_free(&patch);
}

static void makes_nothing_of_what_is_equal(void **state)
{
    (void)state;
    makes("1", "1.0", "[]");
    makes("{\"a\":1,\"b\":[2,{}]}", " { \"b\" : [ 2e0, { } ] , \"\\u0061\" : 1 } ", "[]");
    makes("{\"a\":0,\"b\":2,\"a\":1}", "{\"b\":9,\"a\":1,\"b\":2}", "[]");
    makes("-0", "0.0e7", "[]");
    makes("9007199254740993", "9007199254740992",
          "[{\"op\":\"replace\",\"path\":\"\",\"value\":9007199254740992}]");
}

static void names_only_the_members_that_differ(void **state)
{
    (void)state;
    makes("{\"a\":1,\"b\":{\"x\":1,\"y\":2},\"c\":3}",
          "{\"d\":4,\"b\":{\"y\":2.50,\"z\":[ 1 ]},\"a\":1}",
          "[" OP("remove", "/b/x") "," WITH("replace", "/b/y", "2.50") "," WITH(
              "add", "/b/z", "[ 1 ]") "," OP("remove", "/c") "," WITH("add", "/d", "4") "]");
    makes("{}", "{\"a\":1}", "[" WITH("add", "/a", "1") "]");
    makes("{\"a\":1}", "{}", "[" OP("remove", "/a") "]");
    makes("{\"a\":1}", "[]", "[" WITH("replace", "", "[]") "]");
    makes("{\"a/b~\\u0000\\\"\":1}", "{\"a/b~\\u0000\\\"\":2}",
          "[" WITH("replace", "/a~1b~0\\u0000\\\"", "2") "]");
    makes("{\"\":{\"\":1}}", "{\"\":{\"\":2}}", "[" WITH("replace", "//", "2") "]");
}

static void counts_places_as_they_are_then(void **state)
{
    (void)state;
    makes("[1,2,3]", "[0,1,3,4]",
          "[" WITH("add", "/0", "0") "," OP("remove", "/2") "," WITH("add", "/3", "4") "]");
    makes("[1,2,3]", "[]",
          "[" OP("remove", "/0") "," OP("remove", "/0") "," OP("remove", "/0") "]");
    makes("[]", "[1,2]", "[" WITH("add", "/0", "1") "," WITH("add", "/1", "2") "]");
    makes("[0,{\"a\":1,\"b\":2},9]", "[0,{\"a\":1,\"b\":3},9]",
          "[" WITH("replace", "/1/b", "3") "]");
    makes("[1,2,3,4,5,6]", "[2,3,4,5,6]", "[" OP("remove", "/0") "]");
    makes("[1,2,3,4,5,6]", "[1,2,4,3,5,6]", "[" OP("remove", "/2") "," WITH("add", "/3", "3") "]");
    makes("[{\"id\":1,\"n\":\"one\",\"z\":0}]", "[{\"id\":2,\"n\":\"two\",\"z\":0}]",
          "[" WITH("replace", "/0", "{\"id\":2,\"n\":\"two\",\"z\":0}") "]");
    makes("[[],[1],[2]]", "[[1],[2],[]]", "[" OP("remove", "/0") "," WITH("add", "/2", "[]") "]");
}

static void add_nested(struct buf *out, unsigned depth, const char *inner)
{
    for (unsigned i = 0; i < depth; i++)
        buf_puts(out, i % 2 ? "[" : "{\"k\":");
    buf_puts(out, inner);
    for (unsigned i = depth; i--;)
        buf_puts(out, i % 2 ? "]" : "}");
}

static void replaces_as_a_whole_what_is_nested_too_deep(void **state)
{
    (void)state;
    for (unsigned depth = JSON_PATCH_DEPTH - 1; depth < JSON_PATCH_DEPTH + 2; depth++) {
        struct buf a = {0}, b = {0}, patch = {0}, out = {0};
        add_nested(&a, depth, "[1,2]");
        add_nested(&b, depth, "[1, 3]");
        assert_false(json_equal(buf_str(&a), buf_str(&b)));
        json_patch(buf_str(&a), buf_str(&b), &patch);
        is_valid(buf_str(&patch));
        assert_int_equal(str_ends(buf_str(&patch), STR("/1\",\"value\":3}]")),
                         depth < JSON_PATCH_DEPTH);
        assert_int_equal(json_patch_apply(buf_str(&a), buf_str(&patch), &out, &err), 0);
        assert_true(json_equal(buf_str(&out), buf_str(&b)));
        buf_clear(&b);
        buf_clear(&patch);
        add_nested(&b, depth, "[ 1 ,2 ]");
        assert_true(json_equal(buf_str(&a), buf_str(&b)));
        json_patch(buf_str(&a), buf_str(&b), &patch);
        assert_string_equal(buf_cstr(&patch), "[]");
        buf_free(&a);
        buf_free(&b);
        buf_free(&patch);
        buf_free(&out);
    }
}

static void turns_random_values_into_each_other(void **state)
{
    struct buf a = {0}, b = {0}, patch = {0}, out = {0};
    struct rng rng;
    unsigned equal = 0;
    (void)state;
    rng_seed(&rng, 7);
    for (int i = 0; i < PAIRS; i++) {
        pair_make(&rng, &a, &b);
        buf_clear(&patch);
        buf_clear(&out);
        json_patch(buf_str(&a), buf_str(&b), &patch);
        is_valid(buf_str(&patch));
        bool nothing = str_eq(buf_str(&patch), STR("[]"));
        if (nothing != same(buf_str(&a), buf_str(&b)) ||
            nothing != json_equal(buf_str(&a), buf_str(&b)))
            fail_msg("%s of %s and %s", buf_cstr(&patch), buf_cstr(&a), buf_cstr(&b));
        if (json_patch_apply(buf_str(&a), buf_str(&patch), &out, &err) < 0)
            fail_msg("%s: %s: %s", buf_cstr(&a), buf_cstr(&patch), err.text);
        is_valid(buf_str(&out));
        if (!same(buf_str(&out), buf_str(&b)))
            fail_msg("%s has made %s of %s, and not %s", buf_cstr(&patch), buf_cstr(&out),
                     buf_cstr(&a), buf_cstr(&b));
        equal += nothing;
    }
    assert_true(equal > PAIRS / 20 && equal < PAIRS / 2);
    buf_free(&a);
    buf_free(&b);
    buf_free(&patch);
    buf_free(&out);
}

/* ---- what it costs ---- */

/* Objects as an API lists them; each `every`th one says another number. */
static void add_list(struct buf *out, unsigned count, unsigned every, unsigned number)
{
    buf_puts(out, "{\"type\":\"list\",\"features\":[");
    for (unsigned i = 0; i < count; i++)
        buf_addf(out,
                 "%s{\"id\":\"us%07u\",\"properties\":{\"mag\":%u.%u,\"place\":\"%u km N of here\","
                 "\"time\":16%08u,\"felt\":null},\"geometry\":{\"coordinates\":[%u.5,-%u.25,10]}}",
                 i ? "," : "", i, every && i % every == 0 ? number : 4, i % 10, i % 90, i, i % 180,
                 i % 90);
    buf_puts(out, "]}");
}

/* Make and apply a patch, whose length is returned; within so many seconds. */
static size_t costs(const struct buf *a, const struct buf *b, double seconds)
{
    struct buf patch = {0}, out = {0};
    int64_t began = clock_now();
    json_patch(buf_str(a), buf_str(b), &patch);
    double making = (double)(clock_now() - began) / 1e9;
    assert_int_equal(json_patch_apply(buf_str(a), buf_str(&patch), &out, &err), 0);
    double both = (double)(clock_now() - began) / 1e9;
    assert_true(json_equal(buf_str(&out), buf_str(b)));
    size_t len = patch.len;
    print_message("%zu and %zu bytes: a patch of %zu in %.0f ms, applied in %.0f ms\n", a->len,
                  b->len, len, making * 1e3, (both - making) * 1e3);
    assert_true(both < seconds);
    buf_free(&patch);
    buf_free(&out);
    return len;
}

/* Times are far above what they are, for slow machines and sanitizers: they tell what is linear
 * from what is not. */
static void costs_what_the_values_are_long(void **state)
{
    struct buf a = {0}, b = {0};
    (void)state;
    add_list(&a, 6000, 0, 0);
    add_list(&b, 6000, 1500, 5);
    assert_true(costs(&a, &b, 10) < 400);
    buf_clear(&b);
    add_list(&b, 6000, 1, 5);
    assert_true(costs(&a, &b, 20) < b.len); /* each of them, by its number alone */
    buf_clear(&b);
    add_list(&b, 5999, 0, 0);
    assert_true(costs(&b, &a, 10) < 300);
    buf_free(&a);
    buf_free(&b);
}

static void add_numbers(struct buf *out, unsigned count, unsigned from)
{
    buf_addc(out, '[');
    for (unsigned i = 0; i < count; i++)
        buf_addf(out, "%s%u", i ? "," : "", from + i);
    buf_addc(out, ']');
}

static void has_no_worst_case(void **state)
{
    struct buf a = {0}, b = {0};
    (void)state;
    add_numbers(&a, 100000, 0);
    add_numbers(&b, 100000, 500000);
    costs(&a, &b, 20); /* nothing in common */
    buf_clear(&b);
    add_numbers(&b, 50000, 50000);
    costs(&a, &b, 20);                     /* half of it removed in front, */
    costs(&b, &a, 20);                     /* or added */
    for (int side = 0; side < 2; side++) { /* tables for more pairs than there may be */
        struct buf *out = side ? &b : &a;
        buf_clear(out);
        for (unsigned i = 0; i < 1000; i++) {
            buf_addc(out, i ? ',' : '[');
            add_numbers(out, 1000, 7 + 3000 * (unsigned)side * (i % 7));
        }
        buf_addc(out, ']');
    }
    costs(&a, &b, 60);
    buf_free(&a);
    buf_free(&b);
}

/* A long pointer before each of many operations would make much of little. */
static void replaces_what_would_take_more_operations_than_it_is_long(void **state)
{
    struct buf a = {0}, b = {0};
    (void)state;
    for (int side = 0; side < 2; side++) {
        struct buf *out = side ? &b : &a;
        for (int i = 0; i < 400; i++)
            buf_addf(out, "{\"%0500d\":", i);
        add_numbers(out, 10000, side ? 20000 : 0);
        for (int i = 0; i < 400; i++)
            buf_addc(out, '}');
    }
    assert_true(costs(&a, &b, 20) < 2 * b.len);
    buf_free(&a);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(does_what_the_appendix_of_the_rfc_shows),
        cmocka_unit_test(finds_what_the_pointers_of_the_rfc_lead_to),
        cmocka_unit_test(does_operations_one_after_another),
        cmocka_unit_test(keeps_what_it_does_not_change_byte_for_byte),
        cmocka_unit_test(counts_the_last_of_members_that_stand_twice),
        cmocka_unit_test(tests_values_and_not_how_they_are_written),
        cmocka_unit_test(says_what_place_is_not_there),
        cmocka_unit_test(says_what_is_no_patch),
        cmocka_unit_test(refuses_to_grow_beyond_its_limits),
        cmocka_unit_test(makes_nothing_of_what_is_equal),
        cmocka_unit_test(names_only_the_members_that_differ),
        cmocka_unit_test(counts_places_as_they_are_then),
        cmocka_unit_test(replaces_as_a_whole_what_is_nested_too_deep),
        cmocka_unit_test(turns_random_values_into_each_other),
        cmocka_unit_test(costs_what_the_values_are_long),
        cmocka_unit_test(has_no_worst_case),
        cmocka_unit_test(replaces_what_would_take_more_operations_than_it_is_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
