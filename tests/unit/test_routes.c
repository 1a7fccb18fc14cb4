/* test_routes.c: how a table of pairs is read, and which names may lead into a folder. */
#include "engine/folder.h"
#include "engine/routes.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct err err;

static int collect(void *owner, struct str predicate, struct str function, struct err *refusal)
{
    struct buf *pairs = owner;
    if (str_eq(function, STR("refuse")))
        return err_set(refusal, ERR_USAGE, "refused");
    buf_addf(pairs, "%.*s|%.*s;", (int)predicate.len, predicate.data, (int)function.len,
             function.data);
    return 0;
}

static void splits(const char *text, size_t len, const char *pairs)
{
    struct buf got = {0};
    size_t line;
    assert_int_equal(routes_split((struct str){text, len}, &line, collect, &got, &err), 0);
    assert_string_equal(buf_cstr(&got), pairs);
    buf_free(&got);
}

static void refuses(const char *text, size_t len, size_t where, const char *cause)
{
    struct buf got = {0};
    size_t line;
    assert_int_equal(routes_split((struct str){text, len}, &line, collect, &got, &err), -1);
    assert_int_equal(line, where);
    assert_string_equal(err.text, cause);
    buf_free(&got);
}

#define SPLITS(text, pairs)        splits("" text, sizeof(text) - 1, pairs)
#define REFUSES(text, line, cause) refuses("" text, sizeof(text) - 1, line, cause)

static void reads_pairs_in_order(void **state)
{
    (void)state;
    SPLITS("", "");
    SPLITS(".a\tf", ".a|f;");
    SPLITS(".a\tf\n.b\tg x\n", ".a|f;.b|g x;");
    SPLITS(".a\tf\r\n.b\tg\r\n", ".a|f;.b|g;");
}

static void ignores_blanks_around_both_and_more_tabs_between(void **state)
{
    (void)state;
    SPLITS("  .a == 1 \t\t f  -x \t\n", ".a == 1|f  -x;");
    SPLITS(".a\tf\tx\n", ".a|f\tx;");
}

static void skips_comments_and_blank_lines(void **state)
{
    (void)state;
    SPLITS("# one\n\n \t \n\r\n  # .a\tf\n.b\t# g\n", ".b|# g;");
}

static void names_the_line_of_a_mistake(void **state)
{
    (void)state;
    REFUSES(".a f\n", 1, "no tab and function behind the predicate");
    REFUSES("\n#\n.a\t\n", 3, "no tab and function behind the predicate");
    REFUSES(".a\tf\n\tf", 2, "no predicate before the tab");
    REFUSES(".a\tf\0\n", 1, "a NUL byte");
    REFUSES(".a\tf\n.a\t\xff\n", 2, "not UTF-8");
    REFUSES(".a\tf\n.a\trefuse\n.b", 2, "refused");
}

static void takes_plain_names_only(void **state)
{
    (void)state;
    static const char *const plain[] = {"a", "A b", "{}",       "x.y", "a-b",
                                        "~", "*",   "\xc3\xa9", "a\n"};
    static const char *const others[] = {"",  ".",  "..", ".a",  "..a", "-",    "-a",
                                         "/", "/a", "a/", "a/b", "../", "a/..", "\0x"};
    char longest[FOLDER_NAME + 1];
    memset(longest, 'x', sizeof longest);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        assert_true(folder_is_plain(str_of(plain[i])));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(folder_is_plain(str_of(others[i])));
    assert_false(folder_is_plain(STR("a\0b")));
    assert_true(folder_is_plain((struct str){longest, FOLDER_NAME}));
    assert_false(folder_is_plain((struct str){longest, FOLDER_NAME + 1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_pairs_in_order),
        cmocka_unit_test(ignores_blanks_around_both_and_more_tabs_between),
        cmocka_unit_test(skips_comments_and_blank_lines),
        cmocka_unit_test(names_the_line_of_a_mistake),
        cmocka_unit_test(takes_plain_names_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
