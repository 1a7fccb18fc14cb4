/* test_num.c: what numbers, durations, sizes and rates are, and what they are not. */
#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MS           (NUM_SECOND / 1000)

/* Refused by every reader of this header. */
static const char *const never[] = {
    "",
    " ",
    "-5",
    "+5",
    "010",
    "00",
    "1e3",
    "1E3",
    "0x10",
    "5 ",
    " 5",
    "5\n",
    ",5",
    "1,5",
    "abc",
    "-",
    "+",
    ".",
    ".5",
    "5.",
    "1..5",
    "inf",
    "nan",
    "1_000",
    "--5",
    "0b1",
    "1.2.3",
    "\t",
    "s",
    "/",
    "%",
    "K",
    "1e",
    "18446744073709551616",
    "99999999999999999999999999999999",
    "\xEF\xBC\x95" /* a full-width five */,
};

static void refuses_what_is_never_a_number(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(never); i++) {
        uint64_t number = 77;
        int64_t period = 77;
        size_t size = 77;
        double fraction = 77;
        char with_unit[80];
        bool holds = num_uint(never[i], 0, UINT64_MAX, &number) &&
                     num_duration(never[i], &period) && num_size(never[i], &size) &&
                     num_rate(never[i], &number, &period) && num_percent(never[i], &fraction) &&
                     num_count_or_percent(never[i], 8, &number);
        snprintf(with_unit, sizeof with_unit, "%s/s", never[i]);
        holds = holds && num_rate(with_unit, &number, &period);
        snprintf(with_unit, sizeof with_unit, "%s%%", never[i]);
        holds = holds && num_percent(with_unit, &fraction) &&
                num_count_or_percent(with_unit, 8, &number);
        if (!holds)
            fail_msg("accepted \"%s\"", never[i]);
        if (number != 77 || period != 77 || size != 77 || fraction < 77)
            fail_msg("stored something for \"%s\"", never[i]);
    }
}

static void reads_whole_numbers_within_their_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t min, max, number;
        const char *reason;
    } cases[] = {
        {"0", 0, 9, 0, NULL},
        {"5", 0, 9, 5, NULL},
        {"18446744073709551615", 0, UINT64_MAX, UINT64_MAX, NULL},
        {"0", 1, 9, 0, "must not be 0"},
        {"1", 2, 9, 0, "too small"},
        {"10", 0, 9, 0, "too large"},
        {"18446744073709551616", 0, UINT64_MAX, 0, "too large"},
        {"184467440737095516150", 0, UINT64_MAX, 0, "too large"},
        {"", 0, 9, 0, "empty"},
        {"010", 0, 99, 0, "a leading zero"},
        {"-5", 0, 9, 0, "not a number"},
        {"1e3", 0, 9999, 0, "not a number"},
        {"1.0", 0, 9, 0, "not a number"},
        {"5s", 0, 9, 0, "not a number"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t number = 0;
        const char *reason = num_uint(cases[i].text, cases[i].min, cases[i].max, &number);
        if ((reason == NULL) != (cases[i].reason == NULL) ||
            (reason && strcmp(reason, cases[i].reason) != 0))
            fail_msg("\"%s\": %s", cases[i].text, reason ? reason : "accepted");
        assert_int_equal(number, cases[i].number);
    }
}

static void reads_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t nanoseconds; /* -1: refused */
    } cases[] = {
        {"0", 0},
        {"0s", 0},
        {"0.0h", 0},
        {"1", NUM_SECOND},
        {"10s", 10 * NUM_SECOND},
        {"1.5", 1500 * MS},
        {"1.5h", 5400 * NUM_SECOND},
        {"0.5s", 500 * MS},
        {"250ms", 250 * MS},
        {"0.25ms", 250000},
        {"0.000001ms", 1},
        {"2m", 120 * NUM_SECOND},
        {"3h", 10800 * NUM_SECOND},
        {"7d", 7 * 86400 * NUM_SECOND},
        {"1.500000", 1500 * MS},
        {"1.5000000000", 1500 * MS},
        {"36525d", INT64_C(36525) * 86400 * NUM_SECOND},
        {"36525.000001d", -1}, /* a time and that would be over 2^63 nanoseconds before long */
        {"3155760000s", INT64_C(3155760000) * NUM_SECOND},
        {"3155760001s", -1},
        {"18446744073709551615", -1},
        {"18446744073709.551615", -1},
        {"1.0000001", -1}, /* finer than is kept */
        {"1us", -1},
        {"1ns", -1},
        {"1S", -1},
        {"1 s", -1},
        {"1ss", -1},
        {"1h30m", -1},
        {"1.5.5s", -1},
        {"1.s", -1},
        {"01s", -1},
        {"00.5s", -1},
        {"-1s", -1},
        {"1e3s", -1},
        {"ms", -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t nanoseconds = -1;
        const char *reason = num_duration(cases[i].text, &nanoseconds);
        if (nanoseconds != cases[i].nanoseconds || (reason == NULL) != (nanoseconds >= 0))
            fail_msg("\"%s\": %lld, %s", cases[i].text, (long long)nanoseconds,
                     reason ? reason : "accepted");
    }
}

static void reads_sizes(void **state)
{
    (void)state;
    static const size_t refused = 77;
    static const struct {
        const char *text;
        size_t bytes;
    } cases[] = {
        {"0", 0},
        {"1", 1},
        {"16M", (size_t)16 << 20},
        {"1K", 1024},
        {"2G", (size_t)2 << 30},
        {"0K", 0},
        {"18446744073709551615", SIZE_MAX},
        {"17179869183G", (size_t)17179869183 << 30},
        {"17179869184G", 77},
        {"18014398509481984K", 77},
        {"1k", 77},
        {"1KB", 77},
        {"1KiB", 77},
        {"1T", 77},
        {"1.5M", 77},
        {"1 K", 77},
        {"01K", 77},
        {"-1K", 77},
        {"1e3K", 77},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t bytes = refused;
        const char *reason = num_size(cases[i].text, &bytes);
        if (bytes != cases[i].bytes || (reason != NULL) != (cases[i].bytes == refused))
            fail_msg("\"%s\": %zu, %s", cases[i].text, bytes, reason ? reason : "accepted");
    }
}

static void reads_rates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t count; /* 0: refused */
        int64_t period;
    } cases[] = {
        {"10/s", 10, NUM_SECOND},
        {"600/m", 600, 60 * NUM_SECOND},
        {"1/h", 1, 3600 * NUM_SECOND},
        {"1/d", 1, 86400 * NUM_SECOND},
        {"5/100ms", 5, 100 * MS},
        {"5/ms", 5, MS},
        {"5/10s", 5, 10 * NUM_SECOND},
        {"5/1.5h", 5, 5400 * NUM_SECOND},
        {"18446744073709551615/s", UINT64_MAX, NUM_SECOND},
        {"18446744073709551616/s", 0, 0},
        {"0/s", 0, 0},
        {"10", 0, 0},
        {"10/", 0, 0},
        {"10/0s", 0, 0},
        {"10/0", 0, 0},
        {"10//s", 0, 0},
        {"10/s/s", 0, 0},
        {"10/us", 0, 0},
        {"10/ s", 0, 0},
        {"10 /s", 0, 0},
        {"1.5/s", 0, 0},
        {"10/-1s", 0, 0},
        {"10/01s", 0, 0},
        {"010/s", 0, 0},
        {"-10/s", 0, 0},
        {"1e3/s", 0, 0},
        {"/s", 0, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t count = 0;
        int64_t period = 0;
        const char *reason = num_rate(cases[i].text, &count, &period);
        if (count != cases[i].count || period != cases[i].period ||
            (reason != NULL) != (count == 0))
            fail_msg("\"%s\": %llu each %lld, %s", cases[i].text, (unsigned long long)count,
                     (long long)period, reason ? reason : "accepted");
    }
}

static void reads_rates_of_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes; /* 0: refused */
        int64_t period;
    } cases[] = {
        {"64K/s", 65536, NUM_SECOND},
        {"1M/m", 1 << 20, 60 * NUM_SECOND},
        {"10/100ms", 10, NUM_SECOND / 10},
        {"0K/s", 0, 0},
        {"64K", 0, 0},
        {"/s", 0, 0},
        {"1T/s", 0, 0},
        {"010/s", 0, 0},
        {"1K/0s", 0, 0},
        {"99999999999999999999999999999999999999999/s", 0, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t bytes = 0;
        int64_t period = 0;
        const char *reason = num_byte_rate(cases[i].text, &bytes, &period);
        if (bytes != cases[i].bytes || (bytes && period != cases[i].period) ||
            (reason != NULL) != (bytes == 0))
            fail_msg("\"%s\": %llu each %lld, %s", cases[i].text, (unsigned long long)bytes,
                     (long long)period, reason ? reason : "accepted");
    }
}

static void reads_decimal_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double number; /* negative: refused */
    } cases[] = {{"0", 0},          {"1.5", 1.5}, {"2", 2},   {"0.000001", 1e-6},
                 {"0.0000001", -1}, {"1.", -1},   {".5", -1}, {"1e3", -1},
                 {"-1", -1},        {"01.5", -1}, {"", -1},   {"1.5x", -1}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        double number = -1;
        const char *reason = num_decimal(cases[i].text, &number);
        double off = number - cases[i].number;
        if (off > 1e-12 || off < -1e-12 || (reason != NULL) != (number < 0))
            fail_msg("\"%s\": %g, %s", cases[i].text, number, reason ? reason : "accepted");
    }
}

static void reads_percentages(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double fraction; /* negative: refused */
    } cases[] = {
        {"0%", 0},         {"10%", 0.1},      {"2.5%", 0.025}, {"100%", 1},  {"100.0%", 1},
        {"0.0001%", 1e-6}, {"100.0001%", -1}, {"101%", -1},    {"10", -1},   {"10%%", -1},
        {"10 %", -1},      {"0.00001%", -1},  {"-1%", -1},     {"010%", -1}, {"%", -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        double fraction = -1;
        const char *reason = num_percent(cases[i].text, &fraction);
        double off = fraction - cases[i].fraction;
        if (off > 1e-12 || off < -1e-12 || (reason != NULL) != (fraction < 0))
            fail_msg("\"%s\": %g, %s", cases[i].text, fraction, reason ? reason : "accepted");
    }
}

static void reads_counts_and_percentages_of_a_whole(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t whole, number; /* number 0: refused */
    } cases[] = {
        {"1", 8, 1},    {"8", 2, 8},       {"50%", 8, 4},        {"100%", 8, 8}, {"200%", 8, 16},
        {"1%", 8, 1},   {"51%", 2, 2},     {"0", 8, 0},          {"0%", 8, 0},   {"2.5%", 8, 0},
        {"-1", 8, 0},   {"01", 8, 0},      {"01%", 8, 0},        {"50%%", 8, 0}, {"%", 8, 0},
        {"1e3%", 8, 0}, {"100001%", 8, 0}, {"4294967296", 8, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t number = 0;
        const char *reason = num_count_or_percent(cases[i].text, cases[i].whole, &number);
        if (number != cases[i].number || (reason != NULL) != (number == 0))
            fail_msg("\"%s\" of %llu: %llu, %s", cases[i].text, (unsigned long long)cases[i].whole,
                     (unsigned long long)number, reason ? reason : "accepted");
    }
}

static void shows_durations_and_sizes_to_people(void **state)
{
    (void)state;
    char text[NUM_TEXT];
    assert_string_equal(num_format_duration(0, text), "0ns");
    assert_string_equal(num_format_duration(999, text), "999ns");
    assert_string_equal(num_format_duration(20000, text), "20.0us");
    assert_string_equal(num_format_duration(1500 * MS, text), "1.50s");
    assert_string_equal(num_format_duration(250 * MS, text), "250ms");
    assert_string_equal(num_format_duration(90 * 60 * NUM_SECOND, text), "1.50h");
    assert_string_equal(num_format_duration(48 * 3600 * NUM_SECOND, text), "2.00d");
    assert_string_equal(num_format_size(0, text), "0B");
    assert_string_equal(num_format_size(1023, text), "1023B");
    assert_string_equal(num_format_size(1536, text), "1.5K");
    assert_string_equal(num_format_size(UINT64_C(16) << 20, text), "16M");
    assert_string_equal(num_format_size(UINT64_C(5) << 40, text), "5.0T");
    assert_in_range(strlen(num_format_size(UINT64_MAX, text)), 1, NUM_TEXT - 1);
    assert_in_range(strlen(num_format_duration(INT64_MAX, text)), 1, NUM_TEXT - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_never_a_number),
        cmocka_unit_test(reads_whole_numbers_within_their_bounds),
        cmocka_unit_test(reads_durations),
        cmocka_unit_test(reads_sizes),
        cmocka_unit_test(reads_rates),
        cmocka_unit_test(reads_rates_of_bytes),
        cmocka_unit_test(reads_decimal_numbers),
        cmocka_unit_test(reads_percentages),
        cmocka_unit_test(reads_counts_and_percentages_of_a_whole),
        cmocka_unit_test(shows_durations_and_sizes_to_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
