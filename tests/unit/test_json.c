/* test_json.c: what the JSON scanner promises. */
#include "../helpers/json_check.h"

#include "base/rng.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const char suite[] = "tests/data/jsontestsuite";

static bool accepts(struct str text)
{
    return check_valid(text);
}

static void holds(struct str text)
{
    const char *wrong = json_check(text);
    if (wrong)
        fail_msg("%s: %.*s", wrong, (int)(text.len < 300 ? text.len : 300), text.data);
}

/* ---- the suite ---- */

static void read_file(const char *name, struct buf *out)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", suite, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    buf_clear(out);
    for (size_t got = 1; got; out->len += got) {
        buf_reserve(out, BUFSIZ);
        got = fread(out->data + out->len, 1, out->cap - out->len, file);
    }
    assert_int_equal(ferror(file), 0);
    fclose(file);
}

/* Call with each case of the suite whose name starts so; returns how many there were. */
static int each_case(const char *prefix, void (*check)(const char *name, struct str text))
{
    DIR *dir = opendir(suite);
    assert_non_null(dir);
    struct buf text = {0};
    int count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!str_starts(str_of(entry->d_name), str_of(prefix)) ||
            !str_ends(str_of(entry->d_name), STR(".json")))
            continue;
        read_file(entry->d_name, &text);
        check(entry->d_name, buf_str(&text));
        count++;
    }
    closedir(dir);
    buf_free(&text);
    return count;
}

static void is_accepted(const char *name, struct str text)
{
    if (!accepts(text))
        fail_msg("%s is refused", name);
}

static void is_refused(const char *name, struct str text)
{
    if (accepts(text))
        fail_msg("%s is accepted", name);
}

static void accepts_every_case_that_must_be(void **state)
{
    (void)state;
    assert_int_equal(each_case("y_", is_accepted), 95);
}

static void refuses_every_case_that_must_be(void **state)
{
    (void)state;
    assert_int_equal(each_case("n_", is_refused), 188);
}

static void follows_the_policy(const char *name, struct str text)
{
    bool number = strstr(name, "i_number") != NULL;
    bool surrogate = strstr(name, "surrogate") && !strstr(name, "UTF8_surrogate");
    bool passes = number || strstr(name, "500_nested") ||
                  (surrogate && !strstr(name, "UTF-16") && !strstr(name, "utf16")) ||
                  strstr(name, "1st_valid_surrogate") || strstr(name, "1st_surrogate");
    if (accepts(text) != passes)
        fail_msg("%s is %s", name, passes ? "refused" : "accepted");
}

static void passes_big_numbers_and_lone_surrogates_but_no_other_encoding(void **state)
{
    (void)state;
    assert_int_equal(each_case("i_", follows_the_policy), 35);
}

static void holds_for_a_case(const char *name, struct str text)
{
    (void)name;
    holds(text);
}

static void judges_the_suite_alike_with_and_without_vector_instructions(void **state)
{
    (void)state;
    assert_int_equal(each_case("", holds_for_a_case), 318);
}

/* ---- faults ---- */

static void faults_at(const char *text, size_t at, const char *reason)
{
    struct json_scan scan;
    assert_int_equal(json_scan(str_of(text), NULL, NULL, &scan), -1);
    if (scan.at != at || strcmp(scan.reason, reason))
        fail_msg("%s: %s at %zu, not %s at %zu", text, scan.reason, scan.at, reason, at);
    holds(str_of(text));
}

static void says_what_is_wrong_and_where(void **state)
{
    (void)state;
    faults_at("", 0, "unexpected end");
    faults_at("  ", 2, "unexpected end");
    faults_at("{\"a\":", 5, "unexpected end");
    faults_at("[1,2", 4, "unexpected end");
    faults_at("\"abc", 4, "unexpected end");
    faults_at("\"abc\\", 5, "unexpected end");
    faults_at("tru", 3, "unexpected end");
    faults_at("-", 1, "unexpected end");
    faults_at("[01]", 2, "leading zero");
    faults_at("[-01]", 3, "leading zero");
    faults_at("[1.]", 3, "expected a digit");
    faults_at("[1e+]", 4, "expected a digit");
    faults_at("[-a]", 2, "expected a digit");
    faults_at("[.5]", 1, "expected a value");
    faults_at("[+1]", 1, "expected a value");
    faults_at("[nan]", 2, "expected a value");
    faults_at("[NaN]", 1, "expected a value");
    faults_at("[Infinity]", 1, "expected a value");
    faults_at("[tru]", 4, "expected a value");
    faults_at("[1,]", 3, "expected a value");
    faults_at("[,1]", 1, "expected a value");
    faults_at("{\"a\":1,}", 7, "expected a string");
    faults_at("{a:1}", 1, "expected a string");
    faults_at("{\"a\" 1}", 5, "expected ':'");
    faults_at("{\"a\":1 \"b\":2}", 7, "expected ',' or '}'");
    faults_at("[1 2]", 3, "expected ',' or ']'");
    faults_at("[1}", 2, "expected ',' or ']'");
    faults_at("{\"a\":1]", 6, "expected ',' or '}'");
    faults_at("{} {}", 3, "text after the value");
    faults_at("1 2", 2, "text after the value");
    faults_at("[]]", 2, "text after the value");
    faults_at("\"a\\x\"", 3, "invalid escape");
    faults_at("\"a\\u12G4\"", 6, "invalid escape");
    faults_at("\"a\tb\"", 2, "control character in a string");
    faults_at("{\"k\nk\":1}", 3, "control character in a string");
    faults_at("[\"\xC3\"]", 2, "invalid UTF-8");
    faults_at("\xEF\xBB\xBF{}", 0, "expected a value");
}

static void refuses_each_kind_of_ill_formed_utf8(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "\x80",         "\xBF",         "\xC0\x80",         "\xC1\xBF",         "\xC3",
        "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE2\x82",         "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
        "\xF5\x80",     "\xFF",         "\xF0\x9F\x98",     "\xE2\x28\xA1",     "\xF8\x88\x80\x80",
        "\xC3\xC3\xA9", "\xE2\x82\xC0", "\xF0\x9F\x98\x41",
    };
    static const char *const right[] = {"\xC2\x80",         "\xDF\xBF",         "\xE0\xA0\x80",
                                        "\xED\x9F\xBF",     "\xEE\x80\x80",     "\xEF\xBF\xBF",
                                        "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "\x7F"};
    struct buf text = {0};
    /* At each place of a block, so that the character is cut at its end in all ways. */
    for (int before = 0; before < 130; before++) {
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong + sizeof right / sizeof *right; i++) {
            bool good = i >= sizeof wrong / sizeof *wrong;
            const char *bytes = good ? right[i - sizeof wrong / sizeof *wrong] : wrong[i];
            buf_clear(&text);
            buf_addf(&text, "[\"%*s%s\"]", before, "", bytes);
            assert_int_equal(accepts(buf_str(&text)), good);
            if (before % 64 > 57)
                holds(buf_str(&text));
        }
    }
    buf_free(&text);
}

static void refuses_a_raw_control_character_anywhere_in_a_string(void **state)
{
    (void)state;
    struct buf text = {0};
    for (int before = 0; before < 70; before++) {
        for (int c = 0; c < 0x21; c++) {
            buf_clear(&text);
            buf_addf(&text, "{\"k\":\"%*s", before, "");
            buf_addc(&text, (char)c);
            buf_puts(&text, "\"}");
            assert_int_equal(accepts(buf_str(&text)), c == 0x20);
        }
    }
    buf_free(&text);
}

static void reads_backslashes_in_pairs_across_blocks(void **state)
{
    (void)state;
    struct buf text = {0};
    for (int before = 0; before < 70; before++) {
        for (int count = 0; count < 8; count++) {
            buf_clear(&text);
            buf_addf(&text, "[\"%*s%.*s\"]", before, "", count, "\\\\\\\\\\\\\\\\");
            assert_int_equal(accepts(buf_str(&text)), count % 2 == 0);
            holds(buf_str(&text));
        }
    }
    buf_free(&text);
}

static void nest(struct buf *text, size_t depth)
{
    buf_clear(text);
    for (size_t i = 0; i < depth; i++)
        buf_puts(text, i % 2 ? "{\"a\":" : "[");
    buf_puts(text, "1");
    for (size_t i = depth; i-- > 0;)
        buf_puts(text, i % 2 ? "}" : "]");
}

static void nests_up_to_the_limit_and_no_deeper(void **state)
{
    (void)state;
    struct buf text = {0};
    struct json_scan scan;
    nest(&text, JSON_MAX_DEPTH);
    assert_int_equal(json_scan(buf_str(&text), NULL, NULL, &scan), 0);
    assert_int_equal(scan.depth, JSON_MAX_DEPTH);
    nest(&text, JSON_MAX_DEPTH + 1);
    assert_int_equal(json_scan(buf_str(&text), NULL, NULL, &scan), -1);
    assert_string_equal(scan.reason, "nested too deeply");
    assert_int_equal(scan.at, JSON_MAX_DEPTH / 2 * 6);
    buf_free(&text);
}

static void counts_the_deepest_nesting(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned depth;
    } cases[] = {{"1", 0},   {"\"[[\"", 0}, {"[]", 1}, {"[[]]", 2}, {"{\"a\":[1,[]],\"b\":{}}", 3},
                 {" {} ", 1}};
    struct json_paths *paths = json_paths_new();
    json_paths_key(paths, json_paths_key(paths, 0, STR("a")), STR("b"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json_scan scan;
        struct json_value values[3];
        assert_int_equal(json_scan(str_of(cases[i].text), NULL, NULL, &scan), 0);
        assert_int_equal(scan.depth, cases[i].depth);
        assert_int_equal(json_scan(str_of(cases[i].text), paths, values, &scan), 0);
        assert_int_equal(scan.depth, cases[i].depth);
    }
    json_paths_free(paths);
}

/* ---- paths ---- */

/* The type of the value that a path as users write it has in a text; *value gets it. */
static enum json_type look_up(const char *text, const char *path, struct str *value)
{
    struct json_paths *paths = json_paths_new();
    struct json_value values[JSON_MAX_NODES];
    struct json_scan scan;
    struct err err;
    size_t used;
    int node;
    assert_int_equal(json_paths_parse(paths, str_of(path), &node, &used, &err), 0);
    assert_int_equal(used, strlen(path));
    assert_int_equal(json_scan(str_of(text), paths, values, &scan), 0);
    json_paths_free(paths);
    *value = values[node].text;
    return values[node].type;
}

static void finds(const char *text, const char *path, const char *expected)
{
    struct str value;
    enum json_type type = look_up(text, path, &value);
    if (!value.data || !str_eq(value, str_of(expected)) || type != json_type_of(value))
        fail_msg("%s of %s is %.*s (type %d), not %s", path, text, (int)value.len,
                 value.data ? value.data : "", type, expected);
}

static void finds_none(const char *text, const char *path, enum json_type expected)
{
    struct str value;
    enum json_type type = look_up(text, path, &value);
    if (type != expected || value.data || value.len)
        fail_msg("%s of %s has type %d, not %d", path, text, type, expected);
}

static void finds_values_of_every_type_as_their_own_bytes(void **state)
{
    (void)state;
    const char *text =
        " { \"s\" : \"x\\ny\" , \"n\":-12.50e+3,\"t\":true,\"f\":false,\"z\":null,"
        "\"a\":[ 1 , {\"b\":[ ]} ],\"o\":{ \"p\" : {} }, \"big\":123456789012345678901234567890 } ";
    finds(text, ".s", "\"x\\ny\"");
    finds(text, ".n", "-12.50e+3");
    finds(text, ".t", "true");
    finds(text, ".f", "false");
    finds(text, ".z", "null");
    finds(text, ".a", "[ 1 , {\"b\":[ ]} ]");
    finds(text, ".a[0]", "1");
    finds(text, ".a[1].b", "[ ]");
    finds(text, ".o", "{ \"p\" : {} }");
    finds(text, ".o.p", "{}");
    finds(text, ".big", "123456789012345678901234567890");
    finds("[[1,2],[3,[4]]]", ".[1][1][0]", "4");
    finds(" 17 ", ".", "17");
    finds(" [1]\n", ".", "[1]");
}

static void tells_absent_from_mistyped(void **state)
{
    (void)state;
    const char *text = "{\"a\":{\"b\":1},\"l\":[1],\"n\":null,\"s\":\"x\"}";
    finds_none(text, ".x", JSON_ABSENT);
    finds_none(text, ".x.y[3].z", JSON_ABSENT);
    finds_none(text, ".n.x", JSON_ABSENT);
    finds_none(text, ".n[0]", JSON_ABSENT);
    finds_none(text, ".l[1]", JSON_ABSENT);
    finds_none(text, ".l[1].x", JSON_ABSENT);
    finds_none(text, ".l.x", JSON_MISTYPED);
    finds_none(text, ".a[0]", JSON_MISTYPED);
    finds_none(text, ".s.x", JSON_MISTYPED);
    finds_none(text, ".s[0].x", JSON_MISTYPED);
    finds_none(text, ".a.b.c", JSON_MISTYPED);
    finds_none("3", ".a", JSON_MISTYPED);
    finds_none("null", ".a", JSON_ABSENT);
    finds_none("[]", ".[0]", JSON_ABSENT);
}

static void takes_the_last_of_equal_keys(void **state)
{
    (void)state;
    finds("{\"a\":1,\"a\":2}", ".a", "2");
    finds("{\"a\":{\"b\":1},\"a\":{\"b\":2}}", ".a.b", "2");
    finds_none("{\"a\":{\"b\":1},\"a\":{}}", ".a.b", JSON_ABSENT);
    finds_none("{\"a\":{\"b\":{\"c\":1}},\"a\":{\"b\":null}}", ".a.b.c", JSON_ABSENT);
    finds_none("{\"a\":{\"b\":1},\"a\":7}", ".a.b", JSON_MISTYPED);
    finds_none("{\"a\":[1],\"a\":{}}", ".a[0]", JSON_MISTYPED);
    finds("{\"a\":[1,2],\"a\":[3]}", ".a[0]", "3");
    finds_none("{\"a\":[1,2],\"a\":[3]}", ".a[1]", JSON_ABSENT);
}

static void compares_keys_after_decoding_them(void **state)
{
    (void)state;
    finds("{\"\\u0061\\u0062\":1}", ".ab", "1");
    finds("{\"ab\":2,\"a\\u0062\":1}", ".ab", "1");
    finds("{\"\\ud83d\\ude00\":1}", ".\"\xF0\x9F\x98\x80\"", "1");
    finds("{\"\xF0\x9F\x98\x80\":1}", ".\"\\ud83d\\ude00\"", "1");
    finds("{\"a\\/b\":1}", ".\"a/b\"", "1");
    finds("{\"x\":\"\\n\",\"a\":{\"b\":\"\\\\\"}}", ".a.b", "\"\\\\\"");
    finds_none("{\"a\\u0000\":1}", ".a", JSON_ABSENT);
    finds("{\"\":{\"\":1}}", ".\"\".\"\"", "1");
}

static void tells_keys_of_like_beginning_apart(void **state)
{
    (void)state;
    finds("{\"abcdefgh\":1,\"abcdefghi\":2,\"abcdefg\":3,\"abcdefghj\":4}", ".abcdefghi", "2");
    finds("{\"abcdefgh\":1,\"abcdefghi\":2,\"abcdefg\":3}", ".abcdefgh", "1");
    finds("{\"abcdefghijklmnopq\":1,\"abcdefghijklmnopr\":2}", ".abcdefghijklmnopr", "2");
    finds("{\"a\":1}", ".a", "1");
    finds_none("{\"abcdefghij\":1}", ".abcdefghik", JSON_ABSENT);
}

static void shares_prefixes_between_paths(void **state)
{
    (void)state;
    struct json_paths *paths = json_paths_new();
    int a = json_paths_key(paths, 0, STR("a"));
    assert_int_equal(json_paths_key(paths, 0, STR("a")), a);
    int b = json_paths_key(paths, a, STR("b")), first = json_paths_index(paths, a, 0);
    assert_int_equal(json_paths_index(paths, a, 0), first);
    assert_true(a < b && b < first);
    assert_int_equal(json_paths_count(paths), 4);
    while (json_paths_count(paths) < JSON_MAX_NODES)
        assert_true(json_paths_index(paths, a, json_paths_count(paths)) > 0);
    assert_int_equal(json_paths_key(paths, 0, STR("more")), -1);
    assert_int_equal(json_paths_index(paths, 0, 1), -1);
    assert_int_equal(json_paths_key(paths, 0, STR("a")), a);
    json_paths_free(paths);
}

static void reads_as_much_as(const char *text, const char *path)
{
    struct json_paths *paths = json_paths_new();
    struct err err;
    int node;
    size_t used;
    assert_int_equal(json_paths_parse(paths, str_of(text), &node, &used, &err), 0);
    if (used != strlen(path))
        fail_msg("of %s %zu bytes are read, not %s", text, used, path);
    json_paths_free(paths);
}

static void reads_a_path_up_to_what_is_none(void **state)
{
    (void)state;
    reads_as_much_as(".", ".");
    reads_as_much_as(". == 1", ".");
    reads_as_much_as(".a.b == 1", ".a.b");
    reads_as_much_as(".a[]", ".a");
    reads_as_much_as(".a[1:2]", ".a");
    reads_as_much_as(".a[-1]", ".a");
    reads_as_much_as(".a[01]", ".a");
    reads_as_much_as(".a[1.5]", ".a");
    reads_as_much_as(".a[\"b\"]", ".a[\"b\"]");
    reads_as_much_as(".[\"b\"][0]", ".[\"b\"][0]");
    reads_as_much_as(".a[\"\\(b)\"]", ".a");
    reads_as_much_as(".a.\"b c\".d", ".a.\"b c\".d");
    reads_as_much_as(".a.", ".a");
    reads_as_much_as(".a..b", ".a");
    reads_as_much_as(".a[0", ".a");
    reads_as_much_as(".a-b", ".a");
    reads_as_much_as(".a[9999999999999999]", ".a");
    reads_as_much_as("._x9}", "._x9");
}

static void refuses_what_starts_no_path(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "a", "[0]", "\"a\"", ".\"a", ".\"\\q\"", " .a"};
    struct json_paths *paths = json_paths_new();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct err err;
        int node;
        size_t used;
        assert_int_equal(json_paths_parse(paths, str_of(wrong[i]), &node, &used, &err), -1);
        assert_int_equal(err.kind, ERR_USAGE);
    }
    json_paths_free(paths);
}

/* ---- values ---- */

static void decodes_every_escape(void **state)
{
    (void)state;
    struct buf out = {0};
    assert_int_equal(
        json_decode(STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud83d\\uDE00 x\""), &out), 0);
    assert_true(
        str_eq(buf_str(&out), STR("\"\\/\b\f\n\r\t\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80 x")));
    buf_clear(&out);
    assert_int_equal(json_decode(STR("\"a\\u0000b\""), &out), 0);
    assert_true(str_eq(buf_str(&out), STR("a\0b")));
    buf_free(&out);
}

static void counts_lone_surrogates_and_replaces_them(void **state)
{
    (void)state;
    struct buf out = {0};
    assert_int_equal(json_decode(STR("\"\\ud800\""), &out), 1);
    assert_int_equal(json_decode(STR("\"\\udc00\\ud800\""), &out), 2);
    assert_int_equal(json_decode(STR("\"\\ud800\\ud83d\\ude00\""), &out), 1);
    assert_int_equal(json_decode(STR("\"\\ud800x\""), &out), 1);
    assert_true(str_eq(buf_str(&out), STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
                                          "\xF0\x9F\x98\x80\xEF\xBF\xBDx")));
    buf_free(&out);
}

static void walks_the_parts_in_order(void **state)
{
    (void)state;
    struct json_iter iter;
    json_iter_init(&iter, STR("[ 1 , \"],[\\\"\" ,{\"a\":[2]}, []\n]"));
    static const char *const elements[] = {"1", "\"],[\\\"\"", "{\"a\":[2]}", "[]"};
    for (int i = 0; i < 4; i++) {
        assert_true(json_iter_next(&iter));
        assert_null(iter.key.data);
        assert_true(str_eq(iter.value, str_of(elements[i])));
    }
    assert_false(json_iter_next(&iter));
    assert_false(json_iter_next(&iter));

    json_iter_init(&iter, STR("{\"a\" : true , \"a\":{ } ,\"}\":-1.5e3}"));
    static const char *const members[] = {"\"a\"", "true", "\"a\"", "{ }", "\"}\"", "-1.5e3"};
    for (int i = 0; i < 6; i += 2) {
        assert_true(json_iter_next(&iter));
        assert_true(str_eq(iter.key, str_of(members[i])));
        assert_true(str_eq(iter.value, str_of(members[i + 1])));
    }
    assert_false(json_iter_next(&iter));

    json_iter_init(&iter, STR("[ ]"));
    assert_false(json_iter_next(&iter));
    json_iter_init(&iter, STR("{}"));
    assert_false(json_iter_next(&iter));
}

static void takes_only_blanks_between_tokens_away(void **state)
{
    (void)state;
    struct buf out = {0};
    json_compact(STR(" {\n\t\"a b\" : [ 1.0 , \" \\\" x\" ] ,\r\n \"c\":null }\n"), &out);
    assert_true(str_eq(buf_str(&out), STR("{\"a b\":[1.0,\" \\\" x\"],\"c\":null}")));
    buf_free(&out);
}

/* ---- random texts ---- */

static void add_random_blanks(struct rng *rng, struct buf *out)
{
    if (rng_below(rng, 6))
        return;
    for (uint64_t count = rng_below(rng, 40); count; count--)
        buf_addc(out, " \t\n\r"[rng_below(rng, 4)]);
}

static void add_random_string(struct rng *rng, struct buf *out)
{
    static const char *const pieces[] = {
        "a",       "b", "abcdefgh", "i",   "\\n",          "\\\"",
        "\\\\",    " ", "\xC3\xA9", "{",   "\\u0061",      "\\ud83d\\ude00",
        "\\ud800", ",", "]",        "c d", "\xE6\x9D\xB1", "\xF0\x9F\x98\x80"};
    buf_addc(out, '"');
    uint64_t count = rng_below(rng, 8) ? rng_below(rng, 3) : rng_below(rng, 60);
    while (count--)
        buf_puts(out, pieces[rng_below(rng, sizeof pieces / sizeof *pieces)]);
    buf_addc(out, '"');
}

static void add_random_scalar(struct rng *rng, struct buf *out)
{
    static const char *const scalars[] = {
        "0",    "-0",    "1.5",  "123456789012345",  "1234567890123456",   "1e9",         "-2.5E-7",
        "true", "false", "null", "12345678901234.5", "0.1234567890123456", "-118.6671667"};
    if (rng_below(rng, 2))
        add_random_string(rng, out);
    else
        buf_puts(out, scalars[rng_below(rng, sizeof scalars / sizeof *scalars)]);
}

static void add_random_value(struct rng *rng, struct buf *out, int depth)
{
    add_random_blanks(rng, out);
    bool object = rng_below(rng, 2);
    if (depth == 0 || rng_below(rng, 3) == 0) {
        add_random_scalar(rng, out);
    } else {
        buf_addc(out, object ? '{' : '[');
        add_random_blanks(rng, out);
        uint64_t count = rng_below(rng, 20) ? rng_below(rng, 5) : rng_below(rng, 400);
        for (uint64_t i = 0; i < count; i++) {
            if (i)
                buf_addc(out, ',');
            add_random_blanks(rng, out);
            if (object) {
                add_random_string(rng, out);
                add_random_blanks(rng, out);
                buf_addc(out, ':');
            }
            add_random_value(rng, out, count > 5 ? 0 : depth - 1);
        }
        buf_addc(out, object ? '}' : ']');
    }
    add_random_blanks(rng, out);
}

static void mutate(struct rng *rng, struct buf *text)
{
    static const char bytes[] = "\"\\{}[]:,0-.e \n\x01\x80\xC3\xED\xF4truefals";
    if (!text->len)
        return;
    size_t at = rng_below(rng, text->len);
    switch (rng_below(rng, 4)) {
    case 0:
        text->data[at] = bytes[rng_below(rng, sizeof bytes)];
        break;
    case 1:
        text->len = at;
        break;
    case 2:
        memmove(text->data + at, text->data + at + 1, text->len - at - 1);
        text->len--;
        break;
    default:
        buf_reserve(text, 1);
        memmove(text->data + at + 1, text->data + at, text->len - at);
        text->data[at] = bytes[rng_below(rng, sizeof bytes)];
        text->len++;
    }
}

/* From memory of just its size, so that the address sanitizer sees each byte read beyond. */
static void holds_in_a_copy(const struct buf *text)
{
    char *copy = mem_strndup(text->len ? text->data : "", text->len);
    char *tight = mem_alloc(text->len);
    memcpy(tight, copy, text->len);
    free(copy);
    holds((struct str){tight, text->len});
    free(tight);
}

static void agrees_with_slow_readers_on_random_texts(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 7);
    struct buf text = {0};
    for (int round = 0; round < 4000; round++) {
        buf_clear(&text);
        add_random_value(&rng, &text, 4);
        assert_true(accepts(buf_str(&text)));
        holds_in_a_copy(&text);
        for (int change = 0; change < 3; change++) {
            mutate(&rng, &text);
            holds_in_a_copy(&text);
        }
    }
    buf_free(&text);
}

static void passes_texts_of_many_windows(void **state)
{
    (void)state;
    struct buf text = {0};
    buf_addc(&text, '[');
    for (int i = 0; i < 3000; i++)
        buf_addf(&text, "{\"a\":{\"b\":[\"%d\",\"\\\"%d\"]},\"\":[]},", i, i);
    buf_puts(&text, "{\"a\":[0,1,{\"a\":\"end\"}]}]");
    holds(buf_str(&text));
    assert_true(accepts(buf_str(&text)));
    /* A fault in the last window is found too. */
    text.data[text.len - 6] = '\n';
    assert_false(accepts(buf_str(&text)));
    holds(buf_str(&text));
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_every_case_that_must_be),
        cmocka_unit_test(refuses_every_case_that_must_be),
        cmocka_unit_test(passes_big_numbers_and_lone_surrogates_but_no_other_encoding),
        cmocka_unit_test(judges_the_suite_alike_with_and_without_vector_instructions),
        cmocka_unit_test(says_what_is_wrong_and_where),
        cmocka_unit_test(refuses_each_kind_of_ill_formed_utf8),
        cmocka_unit_test(refuses_a_raw_control_character_anywhere_in_a_string),
        cmocka_unit_test(reads_backslashes_in_pairs_across_blocks),
        cmocka_unit_test(nests_up_to_the_limit_and_no_deeper),
        cmocka_unit_test(counts_the_deepest_nesting),
        cmocka_unit_test(finds_values_of_every_type_as_their_own_bytes),
        cmocka_unit_test(tells_absent_from_mistyped),
        cmocka_unit_test(takes_the_last_of_equal_keys),
        cmocka_unit_test(compares_keys_after_decoding_them),
        cmocka_unit_test(tells_keys_of_like_beginning_apart),
        cmocka_unit_test(shares_prefixes_between_paths),
        cmocka_unit_test(reads_a_path_up_to_what_is_none),
        cmocka_unit_test(refuses_what_starts_no_path),
        cmocka_unit_test(decodes_every_escape),
        cmocka_unit_test(counts_lone_surrogates_and_replaces_them),
        cmocka_unit_test(walks_the_parts_in_order),
        cmocka_unit_test(takes_only_blanks_between_tokens_away),
        cmocka_unit_test(agrees_with_slow_readers_on_random_texts),
        cmocka_unit_test(passes_texts_of_many_windows),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
