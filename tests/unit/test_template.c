/* test_template.c: what placeholders become, and what they never do. */
#include "format/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct template *compile(const char *word)
{
    struct err err;
    char *words[] = {(char *)(uintptr_t)word};
    struct template *template = template_new(words, 1, &err);
    if (!template)
        fail_msg("%s: %s", word, err.text);
    return template;
}

static void fills_placeholders_with_parts_of_the_event(void **state)
{
    (void)state;
    static const struct {
        const char *word, *event, *expanded;
    } cases[] = {
        {"{}", "{\"a\":1}", "{\"a\":1}"},
        {"{}", " [1, 2] ", " [1, 2] "},
        {"{}", "\"text\"", "\"text\""},
        {"{.}", "\"text\"", "text"},
        {"{.}", "{\"a\": 1}", "{\"a\": 1}"},
        {"{.a}", "{\"a\":\"text\"}", "text"},
        {"{.a}", "{\"a\":\"\"}", ""},
        {"{.a}", "{\"a\":12345678901234567890.10}", "12345678901234567890.10"},
        {"{.a}", "{\"a\":null}", "null"},
        {"{.a}", "{\"a\":true}", "true"},
        {"{.a}", "{\"a\":{ \"b\" : [1] }}", "{ \"b\" : [1] }"},
        {"{.a.b.c}", "{\"a\":{\"b\":{\"c\":7}}}", "7"},
        {"{.a[1].b}", "{\"a\":[0,{\"b\":\"x\"}]}", "x"},
        {"{.[0]}", "[\"first\"]", "first"},
        {"{.\"x y\"}", "{\"x y\":1}", "1"},
        {"{.a[\"}\"]}", "{\"a\":{\"}\":2}}", "2"},
        {"{.a}", "{\"a\":1,\"a\":2}", "2"},
        {"--id={.id}", "{\"id\":5}", "--id=5"},
        {"{.a}{.b}-{.a}", "{\"a\":1,\"b\":2}", "12-1"},
        {"<{}{}>", "1", "<11>"},
        {"{{.a}}", "{\"a\":1}", "{1}"},
        {"{\"n\":{.a}}", "{\"a\":1}", "{\"n\":1}"},
        {"x{.a}", "{\"a\":\"\\u00e9\\n\\t\\\"\\\\\\/\\ud83d\\ude00\"}",
         "x\xC3\xA9\n\t\"\\/\xF0\x9F\x98\x80"},
        {"{.a}", "{\"a\":\"$(rm -rf /); `x` 'y' \\\"z\\\" *\"}", "$(rm -rf /); `x` 'y' \"z\" *"},
        {"{.a}", "{\"a\":\"-rf\"}", "-rf"},
        {"{.a}", "{\"a\":\"{.b} {}\",\"b\":1}", "{.b} {}"}, /* values are not templates */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct template *template = compile(cases[i].word);
        struct err err;
        assert_false(template_is_literal(template));
        for (int again = 0; again < 2; again++) {
            char *const *words = template_expand(template, str_of(cases[i].event), &err);
            if (!words)
                fail_msg("case %zu: %s", i, err.text);
            assert_string_equal(words[0], cases[i].expanded);
            assert_null(words[1]);
        }
        template_free(template);
    }
}

static void leaves_other_braces_alone(void **state)
{
    (void)state;
    static const char *const words[] = {
        "",          "plain",       "{print}",       "{ print $1 }", "{",       "}",   "}{",
        "{a}",       "{ .a}",       "BEGIN{x=1}",    "${HOME}",      "a{1,2}b", "{\n", "{a.b}",
        "{\"a\":1}", "[{\"a\":2}]", "s/a\\{2\\}/b/",
    };
    for (size_t i = 0; i < COUNT(words); i++) {
        struct template *template = compile(words[i]);
        struct err err;
        assert_true(template_is_literal(template));
        char *const *expanded = template_expand(template, STR("{\"a\":1}"), &err);
        assert_string_equal(expanded[0], words[i]);
        assert_null(expanded[1]);
        template_free(template);
    }
}

static void refuses_broken_placeholders(void **state)
{
    (void)state;
    static const char *const words[] = {
        "{.a",    "{.",    "{.a[}", "{.a[",   "{.a[1}",       "{.a.}",   "{..}",
        "{.a b}", "{.a }", "{.1}",  "{.\"a}", "x{.a|length}", "{.a}{.b",
    };
    for (size_t i = 0; i < COUNT(words); i++) {
        struct err err = {0};
        char *list[] = {(char *)(uintptr_t) "good", (char *)(uintptr_t)words[i]};
        if (template_new(list, 2, &err))
            fail_msg("accepted %s", words[i]);
        assert_int_equal(err.kind, ERR_USAGE);
        assert_non_null(strstr(err.text, words[i]));
    }
}

static void fails_the_event_where_a_field_is_missing(void **state)
{
    (void)state;
    static const struct {
        const char *word, *event;
    } cases[] = {
        {"{.a}", "{}"},
        {"{.a}", "{\"b\":1}"},
        {"{.a.b}", "{\"a\":1}"},
        {"{.a.b}", "{\"a\":null}"},
        {"{.a}", "[1]"},
        {"{.a}", "\"a\""},
        {"{.[1]}", "[1]"},
        {"{.[0]}", "{\"0\":1}"},
        {"{.a[0]}", "{\"a\":\"text\"}"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct template *template = compile(cases[i].word);
        struct err err = {0};
        assert_null(template_expand(template, str_of(cases[i].event), &err));
        assert_int_equal(err.kind, ERR_INPUT);
        assert_non_null(strstr(err.text, cases[i].word));
        template_free(template);
    }
}

static void fails_the_event_whose_value_cannot_be_an_argument(void **state)
{
    (void)state;
    static const char *const events[] = {
        "{\"a\":\"x\\u0000y\"}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00x\"}",
        "{\"a\":}",
    };
    struct template *template = compile("{.a}");
    for (size_t i = 0; i < COUNT(events); i++) {
        struct err err = {0};
        assert_null(template_expand(template, str_of(events[i]), &err));
        assert_int_equal(err.kind, ERR_INPUT);
    }
    struct err err;
    char *const *words = template_expand(template, STR("{\"a\":\"still usable\"}"), &err);
    assert_string_equal(words[0], "still usable");
    template_free(template);
}

static void keeps_words_apart_and_in_order(void **state)
{
    (void)state;
    char *list[] = {(char *)(uintptr_t) "./resize",    (char *)(uintptr_t) "-w",
                    (char *)(uintptr_t) "{.w}",        (char *)(uintptr_t) "",
                    (char *)(uintptr_t) "{.name}.png", (char *)(uintptr_t) "{}"};
    struct err err;
    struct template *template = template_new(list, COUNT(list), &err);
    static const char event[] = "{\"w\":100,\"name\":\"a b  c\"}";
    char *const *words = template_expand(template, str_of(event), &err);
    static const char *const expected[] = {"./resize", "-w", "100", "", "a b  c.png", event};
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_string_equal(words[i], expected[i]);
    assert_null(words[COUNT(expected)]);
    template_free(template);
}

static void takes_no_words_too(void **state)
{
    (void)state;
    struct err err;
    struct template *template = template_new(NULL, 0, &err);
    assert_true(template_is_literal(template));
    assert_null(template_expand(template, STR("1"), &err)[0]);
    template_free(template);
    template_free(NULL);
}

static void limits_a_word_to_what_can_be_executed(void **state)
{
    (void)state;
    struct buf event = {0};
    buf_addc(&event, '"');
    for (size_t i = 0; i < TEMPLATE_WORD; i++)
        buf_addc(&event, 'x');
    buf_addc(&event, '"');
    struct template *exact = compile("{.}"), *more = compile("y{.}");
    struct err err = {0};
    char *const *words = template_expand(exact, buf_str(&event), &err);
    assert_int_equal(strlen(words[0]), TEMPLATE_WORD);
    assert_null(template_expand(more, buf_str(&event), &err));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_string_equal(template_expand(more, STR("1"), &err)[0], "y1");
    template_free(exact);
    template_free(more);
    buf_free(&event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_placeholders_with_parts_of_the_event),
        cmocka_unit_test(leaves_other_braces_alone),
        cmocka_unit_test(refuses_broken_placeholders),
        cmocka_unit_test(fails_the_event_where_a_field_is_missing),
        cmocka_unit_test(fails_the_event_whose_value_cannot_be_an_argument),
        cmocka_unit_test(keeps_words_apart_and_in_order),
        cmocka_unit_test(takes_no_words_too),
        cmocka_unit_test(limits_a_word_to_what_can_be_executed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
