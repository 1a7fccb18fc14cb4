/* test_str.c: what borrowed bytes can be asked. */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void compares_bytes_not_text(void **state)
{
    (void)state;
    assert_true(str_eq(STR("a\0b"), STR("a\0b")));
    assert_false(str_eq(STR("a\0b"), STR("a\0c")));
    assert_false(str_eq(STR("a"), STR("ab")));
    assert_true(str_eq(STR(""), (struct str){NULL, 0}));
    assert_int_equal(str_of(NULL).len, 0);
    assert_int_equal(str_of("abc").len, 3);
}

static void finds_beginnings_and_ends(void **state)
{
    (void)state;
    struct str none = {NULL, 0};
    assert_true(str_starts(STR("abc"), STR("ab")) && str_ends(STR("abc"), STR("bc")));
    assert_true(str_starts(STR("abc"), STR("abc")) && str_ends(STR("abc"), STR("abc")));
    assert_false(str_starts(STR("abc"), STR("abcd")) || str_ends(STR("abc"), STR("zabc")));
    assert_false(str_starts(STR("abc"), STR("b")) || str_ends(STR("abc"), STR("b")));
    assert_true(str_starts(none, none) && str_ends(none, none));
    assert_true(str_starts(STR("a"), none) && str_ends(STR("a"), none));
    assert_false(str_starts(none, STR("a")) || str_ends(none, STR("a")));
}

static void trims_only_blanks_of_json(void **state)
{
    (void)state;
    assert_true(str_eq(str_trim(STR(" \t\r\n a b \n")), STR("a b")));
    assert_true(str_eq(str_trim(STR("a")), STR("a")));
    assert_true(str_eq(str_trim(STR("\v a")), STR("\v a")));
    assert_int_equal(str_trim(STR(" \n\t ")).len, 0);
    assert_int_equal(str_trim((struct str){NULL, 0}).len, 0);
}

static void knows_well_formed_utf8(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        bool good;
    } cases[] = {
        {STR(""), true},
        {STR("plain\0text\x7F"), true},
        {STR("\xC2\x80 \xDF\xBF"), true},
        {STR("\xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xEF\xBF\xBF"), true},
        {STR("\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF"), true},
        {STR("\x80"), false},
        {STR("\xBF"), false},
        {STR("\xC0\x80"), false},
        {STR("\xC1\xBF"), false},
        {STR("\xC2"), false},
        {STR("\xC2 "), false},
        {STR("\xC2\xC2"), false},
        {STR("\xE0\x9F\xBF"), false}, /* overlong */
        {STR("\xED\xA0\x80"), false}, /* a surrogate */
        {STR("\xED\xBF\xBF"), false},
        {STR("\xE1\x80"), false},
        {STR("\xE1\x80 "), false},
        {STR("\xF0\x8F\xBF\xBF"), false}, /* overlong */
        {STR("\xF4\x90\x80\x80"), false}, /* over 10FFFF */
        {STR("\xF1\x80\x80"), false},
        {STR("\xF1\x80\x80 "), false},
        {STR("\xF5\x80\x80\x80"), false},
        {STR("\xFE"), false},
        {STR("\xFF"), false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (str_is_utf8(cases[i].text) != cases[i].good)
            fail_msg("case %zu", i);
    }
}

/* Every sequence of up to three bytes, and every beginning of four, against the definition by code
 * points. */
static void agrees_with_decoding_on_all_short_sequences(void **state)
{
    (void)state;
    for (uint32_t bytes = 0; bytes < 1u << 24; bytes += bytes < 0xC00000 ? 0x10001 : 1) {
        char text[4] = {(char)(bytes >> 16), (char)(bytes >> 8), (char)bytes, (char)0x80};
        uint32_t a = bytes >> 16, b = bytes >> 8 & 255, c = bytes & 255;
        bool b_follows = b >> 6 == 2, c_follows = c >> 6 == 2;
        uint32_t three = (a & 15) << 12 | (b & 63) << 6 | (c & 63);
        bool is_three = a >> 4 == 14 && b_follows && c_follows && three >= 0x800 &&
                        (three < 0xD800 || three > 0xDFFF);
        bool is_two = a >= 0xC2 && a >> 5 == 6 && b_follows && c < 0x80;
        bool is_one =
            a < 0x80 && ((b < 0x80 && c < 0x80) || (b >= 0xC2 && b >> 5 == 6 && c_follows));
        if (str_is_utf8((struct str){text, 3}) != (is_one || is_two || is_three))
            fail_msg("%06x", (unsigned)bytes);
        uint32_t four = (a & 7) << 18 | (b & 63) << 12 | (c & 63) << 6;
        if (a >= 0xF0)
            assert_int_equal(str_is_utf8((struct str){text, 4}), a < 0xF8 && b_follows &&
                                                                     c_follows && four >= 0x10000 &&
                                                                     four <= 0x10FFFF);
    }
}

static void measures_how_far_words_are_apart(void **state)
{
    (void)state;
    assert_int_equal(str_distance("", ""), 0);
    assert_int_equal(str_distance("route", "route"), 0);
    assert_int_equal(str_distance("", "abc"), 3);
    assert_int_equal(str_distance("abc", ""), 3);
    assert_int_equal(str_distance("route", "rout"), 1);
    assert_int_equal(str_distance("route", "roote"), 1);
    assert_int_equal(str_distance("route", "rotue"), 1);
    assert_int_equal(str_distance("fan-out", "fanout"), 1);
    assert_int_equal(str_distance("kitten", "sitting"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_bytes_not_text),
        cmocka_unit_test(finds_beginnings_and_ends),
        cmocka_unit_test(trims_only_blanks_of_json),
        cmocka_unit_test(knows_well_formed_utf8),
        cmocka_unit_test(agrees_with_decoding_on_all_short_sequences),
        cmocka_unit_test(measures_how_far_words_are_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
