/* test_jq.c: claims about jq programs on events. */
#include "format/jq.h"
#include "format/jq_guard.h"
#include "format/jq_native.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct err err;

static struct jq_program *program_of(const char *text)
{
    struct jq_program *program = jq_compile(text, NULL, &err);

    if (!program)
        fail_msg("%s: %s", text, err.text);
    return program;
}

static struct jq_input input_of(const char *event)
{
    return (struct jq_input){.text = str_of(event)};
}

static int matches(const char *text, const char *event)
{
    struct jq_program *program = program_of(text);
    struct jq_input input = input_of(event);
    int result = jq_matches(program, &input, &err);

    jq_free(program);
    return result;
}

static int add_line(void *context, struct str json)
{
    struct buf *lines = context;

    assert_null(memchr(json.data, '\n', json.len));
    buf_add_str(lines, json);
    buf_addc(lines, '\n');
    return 0;
}

static void expect_outputs(const char *text, const char *event, const char *expected)
{
    struct jq_program *program = program_of(text);
    struct jq_input input = input_of(event);
    struct buf lines = {0};

    if (jq_each(program, &input, add_line, &lines, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    assert_string_equal(buf_cstr(&lines), expected);
    buf_free(&lines);
    jq_free(program);
}

static void expect_failure(const char *text, const char *event, enum err_kind kind)
{
    struct jq_program *program = program_of(text);
    struct jq_input input = input_of(event);
    struct buf lines = {0};

    assert_int_equal(jq_each(program, &input, add_line, &lines, &err), -1);
    assert_int_equal(err.kind, kind);
    buf_free(&lines);
    jq_free(program);
}

static bool is_native(const char *text)
{
    struct jq_program *program = program_of(text);
    bool native = jq_is_native(program);

    jq_free(program);
    return native;
}

/* ---- the native form ---- */

static void runs_simple_programs_natively(void **state)
{
    static const char *const simple[] = {
        ".",
        "",
        ".a.b",
        ".[\"a\"][0].\"b c\"",
        ".properties.mag >= 5",
        "5 <= .a and .b != \"x\" or (.c | not)",
        ".type == \"quake\" | not",
        "select(.a > 1) | .b",
        ".a | has(\"k\") and startswith(\"x\")",
        ".a | test(\"^abc\")",
        ".a // \"none\"",
        ".features[]",
        "true",
        ".a == -1.5",
        ".a < .b",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(simple) / sizeof(*simple); i++)
        if (!is_native(simple[i]))
            fail_msg("%s is not native", simple[i]);
}

static void leaves_everything_else_to_libjq(void **state)
{
    static const char *const others[] = {
        ".a, .b",    ".a?",           "..",     ".a[-1]",
        ".a == 1e3", ".a == \"\\n\"", ".a[1:]", ".a | length",
        ".[] | .a",  ".a # comment",  "01",     ".a == 12345678901234567",
        ".a + 1",    "test(\"a.c\")", "[.a]",   "test(\"a\"; \"i\")",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (is_native(others[i]))
            fail_msg("%s is native", others[i]);
    assert_true(is_native(".e5x"));
    assert_null(jq_native_parse(STR(".e5"))); /* a number to jq 1.6 */
}

static void declines_what_it_cannot_decide_exactly(void **state)
{
    struct jq_program *program = program_of(".a == 100");
    struct jq_input inputs[] = {input_of("{\"a\":100}"), input_of("{\"a\":1e2}"),
                                input_of("{\"a\":100.0000000000000000}"), input_of("[]")};

    (void)state;
    assert_int_equal(jq_matches(program, &inputs[0], &err), 1);
    assert_int_equal(jq_declined(program), 0);
    assert_int_equal(jq_matches(program, &inputs[1], &err), 1);
    assert_int_equal(jq_matches(program, &inputs[2], &err), 1);
    assert_int_equal(jq_matches(program, &inputs[3], &err), -1);
    assert_int_equal(jq_declined(program), 3);
    jq_free(program);
}

static void takes_the_values_of_a_shared_scan(void **state)
{
    struct json_paths *paths = json_paths_new();
    struct jq_program *type = jq_compile(".type == \"x\"", paths, &err);
    struct jq_program *size = jq_compile(".size > 5", paths, &err);
    struct str event = STR("{\"size\":6,\"type\":\"x\"}");
    struct json_value *values = calloc(json_paths_count(paths), sizeof(*values));
    struct json_scan scan;
    struct jq_input input;

    (void)state;
    assert_int_equal(json_scan(event, paths, values, &scan), 0);
    input = (struct jq_input){event, values, scan.depth};
    assert_int_equal(jq_matches(type, &input, &err), 1);
    assert_int_equal(jq_matches(size, &input, &err), 1);
    assert_int_equal(jq_declined(type) + jq_declined(size), 0);
    jq_free(type);
    jq_free(size);
    free(values);
    json_paths_free(paths);
}

static void scans_alone_when_the_shared_paths_are_full(void **state)
{
    struct json_paths *paths = json_paths_new();
    struct jq_program *programs[2 * JSON_MAX_NODES];
    char text[32];

    (void)state;
    for (int i = 0; i < 2 * JSON_MAX_NODES; i++) {
        snprintf(text, sizeof(text), ".a.k%d == %d", i, i);
        programs[i] = jq_compile(text, paths, &err);
        assert_true(jq_is_native(programs[i]));
    }
    struct json_value values[JSON_MAX_NODES];
    struct json_scan scan;
    struct str event = STR("{\"a\":{\"k0\":0,\"k511\":511,\"k510\":1}}");
    assert_int_equal(json_scan(event, paths, values, &scan), 0);
    struct jq_input input = {event, values, scan.depth};
    assert_int_equal(jq_matches(programs[0], &input, &err), 1);
    assert_int_equal(jq_matches(programs[511], &input, &err), 1);
    assert_int_equal(jq_matches(programs[510], &input, &err), 0);
    assert_int_equal(jq_declined(programs[0]) + jq_declined(programs[511]), 0);
    for (int i = 0; i < 2 * JSON_MAX_NODES; i++)
        jq_free(programs[i]);
    json_paths_free(paths);
}

static void gives_parts_of_the_event_byte_for_byte(void **state)
{
    (void)state;
    expect_outputs(".a", "{\"a\":{\"n\":123456789012345678901234567890, \"n\":1.0}}",
                   "{\"n\":123456789012345678901234567890, \"n\":1.0}\n");
    expect_outputs(".a[]", "{\"a\":[1.0 , \"\\u0061\",[ ]]}", "1.0\n\"\\u0061\"\n[ ]\n");
    expect_outputs(".[]", "{\"b\":1.0,\"a\":2,\"\\u0062\":3.0}", "3.0\n2\n");
    expect_outputs(".", "{\n \"a\": 1\n}", "{\"a\":1}\n");
    expect_outputs(".missing", "{}", "null\n");
}

/* ---- selecting ---- */

static void selects_by_the_first_output(void **state)
{
    (void)state;
    assert_int_equal(matches("false, true", "1"), 0);
    assert_int_equal(matches("true, error(\"x\")", "1"), 1);
    assert_int_equal(matches("empty", "1"), 0);
    assert_int_equal(matches("0", "1"), 1);
    assert_int_equal(matches(".a | has(\"k\")", "{}"), 0);
    assert_int_equal(matches(".[]", "[null,1]"), 0);
    assert_int_equal(matches("select(.a) | .b", "{\"a\":1,\"b\":false}"), 0);
    assert_int_equal(matches("halt", "1"), 0);
}

static void orders_values_as_jq_does(void **state)
{
    static const char *const ascending[] = {"null", "false", "true",   "-1",          "0.5", "2",
                                            "\"\"", "\"A\"", "\"ab\"", "\"\\u00e9\"", "[]",  "{}"};
    enum { COUNT = sizeof(ascending) / sizeof(*ascending) };
    struct jq_program *program = program_of(".a < .b");

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        for (int k = 0; k < COUNT; k++) {
            struct buf event = {0};
            struct jq_input input;

            buf_addf(&event, "{\"a\":%s,\"b\":%s}", ascending[i], ascending[k]);
            input.text = buf_str(&event);
            assert_int_equal(jq_matches(program, &input, &err), i < k);
            buf_free(&event);
        }
    }
    jq_free(program);
}

static void reports_the_error_of_an_event_with_the_program(void **state)
{
    (void)state;
    assert_int_equal(matches(".a.b", "{\"a\":1}"), -1);
    assert_int_equal(err.kind, ERR_INPUT);
    assert_non_null(strstr(err.text, "jq '.a.b': "));
    expect_failure("error({a:1})", "1", ERR_INPUT);
    expect_failure("has(\"a\")", "[]", ERR_INPUT);
    expect_failure("startswith(\"a\")", "1", ERR_INPUT);
}

static void finds_mistakes_when_compiling(void **state)
{
    static const char *const mistakes[] = {".a b",
                                           "foo",
                                           ".a ==",
                                           "(.a",
                                           "..a",
                                           ".a == 1 == 2",
                                           "import \"m\" as m; .",
                                           "\"x\" \"y\"",
                                           ".a |",
                                           "include \"m\"; ."};

    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
        if (jq_compile(mistakes[i], NULL, &err))
            fail_msg("%s was taken", mistakes[i]);
        assert_int_equal(err.kind, ERR_USAGE);
        assert_non_null(strstr(err.text, mistakes[i]));
        assert_null(strchr(err.text, '\n'));
    }
}

/* ---- what a program cannot do ---- */

static void hides_the_environment(void **state)
{
    (void)state;
    expect_outputs("env, $ENV, $ENV.PATH, env.HOME", "1", "{}\n{}\nnull\nnull\n");
}

static void ignores_definitions_in_the_home_folder(void **state)
{
    char folder[] = "/tmp/fit-jq-XXXXXX";
    char file[64];
    char *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
    FILE *out;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof(file), "%s/.jq", folder);
    out = fopen(file, "w");
    assert_non_null(out);
    fputs("def select(f): \"fooled\"; def length: 77;\n", out);
    assert_int_equal(fclose(out), 0);
    setenv("HOME", folder, 1);
    expect_outputs("length, select(false)", "[1]", "1\n");
    assert_string_equal(getenv("HOME"), folder);
    if (home)
        setenv("HOME", home, 1);
    free(home);
    unlink(file);
    rmdir(folder);
}

static void gives_input_and_debug_nothing_to_reach(void **state)
{
    (void)state;
    expect_outputs("[inputs]", "1", "[]\n");
    expect_failure("input", "1", ERR_INPUT);
    expect_outputs("debug, stderr", "1", "1\n1\n");
    expect_outputs("input_filename", "1", "null\n");
    expect_outputs("$__loc__.line", "1", "1\n");
    expect_failure("\"m\" | modulemeta", "1", ERR_INPUT);
    expect_failure("[1114112] | implode", "1", ERR_INPUT);
    expect_outputs("[65, 233] | implode", "1", "\"A\xc3\xa9\"\n");
}

static void survives_halt_and_halt_error(void **state)
{
    struct jq_program *program = program_of(
        "if . == 1 then halt elif . == 2 then \"x\" | halt_error elif . == 3 then {a: 1} "
        "| halt_error(1) else . end");
    struct jq_input inputs[] = {input_of("1"), input_of("2"), input_of("3"), input_of("4")};
    static const int expected[] = {0, -1, -1, 1};

    (void)state;
    for (int i = 0; i < 40; i++)
        assert_int_equal(jq_matches(program, &inputs[i % 4], &err), expected[i % 4]);
    jq_free(program);
}

/* ---- runaway programs ---- */

/* The event null fails with ERR_LIMIT; the next one, false, is answered. */
static void expect_stopped(const char *condition)
{
    struct buf text = {0};
    struct jq_program *program;
    struct jq_input runaway = input_of("null");
    struct jq_input harmless = input_of("false");
    struct buf lines = {0};

    buf_addf(&text, "def f: f; def g: 1 + g; if . == null then %s else . end", condition);
    program = program_of(buf_cstr(&text));
    for (int i = 0; i < 2; i++) {
        if (jq_each(program, &runaway, add_line, &lines, &err) != -1 || err.kind != ERR_LIMIT)
            fail_msg("%s: %s", condition, err.text);
        assert_int_equal(jq_matches(program, &harmless, &err), 0);
    }
    buf_free(&lines);
    buf_free(&text);
    jq_free(program);
}

static void stops_a_program_that_does_not_end(void **state)
{
    (void)state;
    jq_guard_set_limits(INT64_C(100000000), JQ_MEMORY);
    expect_stopped("last(range(infinite))");
    expect_stopped("f");
    expect_stopped("repeat(1) | empty");
    jq_guard_set_limits(JQ_TIME, JQ_MEMORY);
}

static void stops_a_program_that_eats_memory(void **state)
{
    (void)state;
    jq_guard_set_limits(JQ_TIME, 64 * 1024 * 1024);
    expect_stopped("g");
    expect_stopped("[range(infinite)]");
    jq_guard_set_limits(JQ_TIME, JQ_MEMORY);
}

static void stops_a_program_that_gives_endless_output(void **state)
{
    struct jq_program *program = program_of("range(infinite)");
    struct jq_input input = input_of("null");
    struct buf first = {0};

    (void)state;
    assert_int_equal(jq_first(program, &input, &first, &err), 1);
    assert_string_equal(buf_cstr(&first), "0");
    buf_clear(&first);
    assert_int_equal(jq_each(program, &input, add_line, &first, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    buf_free(&first);
    jq_free(program);
}

static int stop_at_once(void *context, struct str json)
{
    int *calls = context;

    (void)json;
    ++*calls;
    return 1;
}

static void ends_early_when_the_caller_has_enough(void **state)
{
    static const char *const texts[] = {"range(infinite)", ".[]"};
    struct jq_input input = input_of("[1,2,3]");

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct jq_program *program = program_of(texts[i]);
        int calls = 0;

        assert_int_equal(jq_each(program, &input, stop_at_once, &calls, &err), 0);
        assert_int_equal(calls, 1);
        jq_free(program);
    }
}

/* ---- fidelity ---- */

static bool loses_digits(const char *text, const char *event)
{
    struct jq_program *program = program_of(text);
    struct jq_input input = input_of(event);
    struct buf lines = {0};
    bool lost;

    assert_int_equal(jq_each(program, &input, add_line, &lines, &err), 0);
    lost = jq_lost_digits(program);
    buf_free(&lines);
    jq_free(program);
    return lost;
}

static void notices_that_a_transform_has_lost_digits(void **state)
{
    (void)state;
    assert_true(loses_digits("[.a + 0]", "{\"a\":9007199254740993}"));
    assert_true(loses_digits("{b: .a}", "{\"s\":\"\\\"1\",\"a\":0.1234567890123456789}"));
    assert_false(loses_digits("[.a]", "{\"a\":900719925474099}"));
    assert_false(loses_digits("[.a]", "{\"a\":0.30000000000000004}"));
    assert_false(loses_digits("[.a]", "{\"a\":1000000000000000000}"));
    assert_false(loses_digits("[.a]", "{\"a\":\"9007199254740993\"}"));
    assert_false(loses_digits("[.b]", "{\"a\":9007199254740993,\"b\":1}"));
    assert_false(loses_digits(".a", "{\"a\":9007199254740993}"));
}

static void fails_only_the_event_that_libjq_cannot_read(void **state)
{
    struct jq_program *program = program_of(".a + 1");
    struct jq_input bad = input_of("{\"a\":1,\"b\":\"\\ud800\"}");
    struct jq_input good = input_of("{\"a\":1}");

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(jq_matches(program, &bad, &err), -1);
        assert_null(strstr(err.text, "\"a\""));
        assert_int_equal(jq_matches(program, &good, &err), 1);
    }
    jq_free(program);
}

/* ---- a second value, as a variable ---- */

static int add_first(void *context, struct str json)
{
    buf_add_str(context, json);
    return 1;
}

/* 1: there is an output, the first one is in out; 0: none; -1 with err. */
static int first_given(struct jq_program *program, struct str input, struct str given,
                       struct buf *out)
{
    size_t before = out->len;

    if (jq_each_given(program, input, given, add_first, out, &err) != 0)
        return -1;
    return out->len > before;
}

static void expect_given(const char *text, const char *input, const char *given,
                         const char *expected)
{
    struct jq_program *program = jq_compile_given(text, "event", &err);
    struct buf out = {0};

    if (!program || first_given(program, str_of(input), str_of(given), &out) != 1)
        fail_msg("%s: %s", text, err.text);
    assert_string_equal(buf_cstr(&out), expected);
    buf_free(&out);
    jq_free(program);
}

static void gives_a_second_value_as_a_variable(void **state)
{
    (void)state;
    expect_given("[., $event]", "1", "{\"a\":2}", "[1,{\"a\":2}]");
    expect_given("{n: .n, id: $event.id}", "{\"n\":1}", "{\"id\":7}", "{\"n\":1,\"id\":7}");
    expect_given("$event[0], 5", "null", "[4]", "4");
    expect_given("{$event}", "null", "[4]", "{\"event\":[4]}");
    expect_given("$\nevent", "null", "4", "4");
    expect_given("3 as $event | $event", "null", "4", "3");
}

static void gives_each_output_of_a_program_with_a_variable(void **state)
{
    struct jq_program *program = jq_compile_given(".[], $event[]", "event", &err);
    struct buf lines = {0};

    (void)state;
    assert_int_equal(jq_each_given(program, STR("[1]"), STR("[2,3]"), add_line, &lines, &err), 0);
    assert_string_equal(buf_cstr(&lines), "1\n2\n3\n");
    buf_free(&lines);
    jq_free(program);
}

static void takes_what_any_program_may_be(void **state)
{
    (void)state;
    expect_given("", "1", "2", "1");
    expect_given("def f: . + $event; f | f", "1", "2", "5");
    expect_given("[., $event] # both (the rest | is said", "1", "2", "[1,2]");
    expect_given("# first\n[., $event]\n#", "1", "2", "[1,2]");
    expect_given("-$event, 1", "1", "2", "-2");
    expect_given("1 as $x | [$x, ., $event][1:]", "5", "6", "[5,6]");
    expect_given("label $f | $event, break $f", "5", "6", "6");
    expect_given("reduce .[] as $x ($event; . + $x)", "[1,2]", "10", "13");
    expect_given("try error catch ($event | . + 1)", "\"x\"", "2", "3");
    expect_given(".. | numbers", "{\"a\":[8]}", "2", "8");
}

static void hides_the_pair_from_the_program(void **state)
{
    static const char *const mistakes[] = {"1) | (2", "= 3",  "as $x | $x", "| .",
                                           ", 1",     "// 1", ")",          "$other",
                                           "]",       "(.",   "? // 1",     "# only a comment"};
    struct buf out = {0};

    (void)state;
    expect_given("[paths]", "[7]", "[8]", "[[0]]");
    expect_given(".[1]", "[1,5]", "[8]", "5");
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
        if (jq_compile_given(mistakes[i], "event", &err))
            fail_msg("%s was taken", mistakes[i]);
        assert_int_equal(err.kind, ERR_USAGE);
        assert_non_null(strstr(err.text, mistakes[i]));
        assert_null(strstr(err.text, ".[1]"));
    }
    assert_null(jq_compile_given("1,\n2 3", "event", &err));
    assert_non_null(strstr(err.text, "line 2"));

    struct jq_program *program = jq_compile_given(".a + $event", "event", &err);
    assert_int_equal(first_given(program, STR("{\"a\":1}"), STR("\"x\""), &out), -1);
    assert_string_equal(err.text,
                        "jq '.a + $event': number (1) and string (\"x\") cannot be added");
    jq_free(program);
    buf_free(&out);
}

static void runs_natively_what_does_not_ask_for_it(void **state)
{
    struct jq_program *program = jq_compile_given(".a.b", "event", &err);

    (void)state;
    assert_true(jq_is_native(program));
    jq_free(program);
    expect_given(".a.b", "{\"a\":{\"b\":12345678901234567890}}", "1", "12345678901234567890");
    expect_given(".a[1:]", "{\"a\":[1,2]}", "1", "[2]");
}

static void refuses_no_depth_that_a_program_alone_would_take(void **state)
{
    struct buf deep = {0};

    (void)state;
    for (int i = 0; i < 256; i++)
        buf_addc(&deep, '[');
    for (int i = 0; i < 256; i++)
        buf_addc(&deep, ']');
    expect_given("[., $event] | map(length)", buf_cstr(&deep), buf_cstr(&deep), "[1,1]");
    buf_free(&deep);
}

static void fails_only_the_pair_that_libjq_cannot_read(void **state)
{
    struct jq_program *program = jq_compile_given(". + $event", "event", &err);
    struct buf out = {0};

    (void)state;
    assert_int_equal(first_given(program, STR("1"), STR("\"\\ud800\""), &out), -1);
    assert_int_equal(first_given(program, STR("\"\\ud800\""), STR("1"), &out), -1);
    assert_int_equal(first_given(program, STR("9007199254740993"), STR("0"), &out), 1);
    assert_true(jq_lost_digits(program));
    jq_free(program);
    buf_free(&out);
    program = jq_compile_given(". + $event", "event", &err);
    assert_int_equal(first_given(program, STR("0"), STR("9007199254740993"), &out), 1);
    assert_true(jq_lost_digits(program));
    jq_free(program);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_simple_programs_natively),
        cmocka_unit_test(leaves_everything_else_to_libjq),
        cmocka_unit_test(declines_what_it_cannot_decide_exactly),
        cmocka_unit_test(takes_the_values_of_a_shared_scan),
        cmocka_unit_test(scans_alone_when_the_shared_paths_are_full),
        cmocka_unit_test(gives_parts_of_the_event_byte_for_byte),
        cmocka_unit_test(selects_by_the_first_output),
        cmocka_unit_test(orders_values_as_jq_does),
        cmocka_unit_test(reports_the_error_of_an_event_with_the_program),
        cmocka_unit_test(finds_mistakes_when_compiling),
        cmocka_unit_test(hides_the_environment),
        cmocka_unit_test(ignores_definitions_in_the_home_folder),
        cmocka_unit_test(gives_input_and_debug_nothing_to_reach),
        cmocka_unit_test(survives_halt_and_halt_error),
        cmocka_unit_test(stops_a_program_that_does_not_end),
        cmocka_unit_test(stops_a_program_that_eats_memory),
        cmocka_unit_test(stops_a_program_that_gives_endless_output),
        cmocka_unit_test(ends_early_when_the_caller_has_enough),
        cmocka_unit_test(notices_that_a_transform_has_lost_digits),
        cmocka_unit_test(fails_only_the_event_that_libjq_cannot_read),
        cmocka_unit_test(gives_a_second_value_as_a_variable),
        cmocka_unit_test(gives_each_output_of_a_program_with_a_variable),
        cmocka_unit_test(takes_what_any_program_may_be),
        cmocka_unit_test(hides_the_pair_from_the_program),
        cmocka_unit_test(runs_natively_what_does_not_ask_for_it),
        cmocka_unit_test(refuses_no_depth_that_a_program_alone_would_take),
        cmocka_unit_test(fails_only_the_pair_that_libjq_cannot_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
