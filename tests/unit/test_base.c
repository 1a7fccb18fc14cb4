/* test_base.c: what the small modules of the base floor promise: rng, hash, clock, err, mem, msg.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/msg.h"
#include "base/rng.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- rng ---- */

/* The first numbers of the generators' reference implementations. */
static void gives_the_published_sequences(void **state)
{
    (void)state;
    static const uint64_t seeded[] = {0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F,
                                      0xF88BB8A8724C81EC};
    static const uint64_t numbers[] = {
        11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600};
    struct rng rng;
    rng_seed(&rng, 0);
    assert_memory_equal(rng.state, seeded, sizeof seeded);
    rng = (struct rng){{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_int_equal(rng_next(&rng), numbers[i]);
}

static void repeats_itself_with_the_same_seed_only(void **state)
{
    (void)state;
    struct rng a, b, c;
    rng_seed(&a, 42);
    rng_seed(&b, 42);
    rng_seed(&c, 43);
    for (int i = 0; i < 100; i++) {
        uint64_t number = rng_next(&a);
        assert_int_equal(number, rng_next(&b));
        assert_int_not_equal(number, rng_next(&c));
    }
    rng_seed_random(&a);
    rng_seed_random(&b);
    assert_int_not_equal(rng_next(&a), rng_next(&b));
}

static void stays_below_its_bound_and_reaches_all_of_it(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 1);
    assert_int_equal(rng_below(&rng, 0), 0);
    assert_int_equal(rng_below(&rng, 1), 0);
    unsigned counts[6] = {0};
    for (int i = 0; i < 60000; i++)
        counts[rng_below(&rng, 6)]++;
    for (int i = 0; i < 6; i++)
        assert_in_range(counts[i], 9500, 10500);
    for (int i = 0; i < 1000; i++)
        assert_true(rng_below(&rng, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
}

static void gives_unit_numbers_below_one(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 2);
    double sum = 0;
    for (int i = 0; i < 100000; i++) {
        double unit = rng_unit(&rng);
        assert_true(unit >= 0 && unit < 1);
        sum += unit;
    }
    assert_true(sum > 49000 && sum < 51000);
}

/* ---- hash ---- */

/* Stored ledgers depend on these values. */
static void never_changes_the_hash_of_bytes(void **state)
{
    (void)state;
    char text[HASH_TEXT];
    assert_int_equal(hash_64(STR("")), 0x2D06800538D394C2);
    assert_string_equal(hash_format(hash_128(STR("")), text), "99aa06d3014798d86001c324468d497f");
    assert_string_equal(hash_format((struct hash128){1, 0xABC}, text),
                        "00000000000000010000000000000abc");
    assert_string_equal(hash_format(hash_128(STR("{\"a\":1}")), text),
                        "3c8c141663acf5a1b6b7137162fa70fb");
}

static void tells_nearly_equal_bytes_apart(void **state)
{
    (void)state;
    assert_int_not_equal(hash_64(STR("a")), hash_64(STR("b")));
    assert_int_not_equal(hash_64(STR("a")), hash_64(STR("a\0")));
    assert_int_not_equal(hash_128(STR("a")).low, hash_128(STR("a\0")).low);
}

/* ---- clock ---- */

static void tells_an_invented_time(void **state)
{
    (void)state;
    int64_t now = 5, wall = 7;
    clock_invent(&now, &wall);
    assert_int_equal(clock_now(), 5);
    now = 6;
    assert_int_equal(clock_now(), 6);
    assert_int_equal(clock_wall(), 7);
    clock_invent(NULL, NULL);
    assert_int_not_equal(clock_wall(), 7);
}

static void never_goes_back(void **state)
{
    (void)state;
    int64_t last = clock_now();
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_now();
        assert_true(now >= last);
        last = now;
    }
    assert_true(clock_wall() > INT64_C(1600000000000000000));
}

static void reads_times_of_rfc_3339(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t milliseconds;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T01:00:00+01:00", 0},
        {"2000-02-29T00:00:00.123456789Z", INT64_C(951782400123)},
        {"2000-02-28t23:00:00.1-01:00", INT64_C(951782400100)},
        {"2261-12-31T23:59:59z", INT64_C(9214646399000)},
    };
    static const char *const bad[] = {
        "",
        "1969-12-31T23:30:00-00:30",
        "2026-11-23",
        "2026-11-23T17:35:00",
        "2026-11-23 17:35:00Z",
        "2026-11-23T17:35Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T17:60:00Z",
        "2026-13-23T17:35:00Z",
        "2026-00-23T17:35:00Z",
        "2026-11-00T17:35:00Z",
        "2026-02-29T17:35:00Z",
        "2262-01-01T00:00:00Z",
        "2026-11-23T17:35:00.Z",
        "2026-11-23T17:35:00+1:00",
        "2026-11-23T17:35:00+24:00",
        "2026-11-23T17:35:00Zx",
        " 2026-11-23T17:35:00Z",
        "+026-11-23T17:35:00Z",
    };
    int64_t wall;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_null(clock_parse(good[i].text, &wall));
        assert_int_equal(wall / 1000000, good[i].milliseconds);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_non_null(clock_parse(bad[i], &wall));
}

static void writes_times_as_rfc_3339(void **state)
{
    (void)state;
    char text[CLOCK_TEXT];
    assert_string_equal(clock_format(0, text), "1970-01-01T00:00:00.000Z");
    assert_string_equal(clock_format(INT64_C(951782400123999999), text),
                        "2000-02-29T00:00:00.123Z");
    assert_string_equal(clock_format(INT64_MAX, text), "2262-04-11T23:47:16.854Z");
}

/* ---- err ---- */

static void fills_errors_and_returns_minus_one(void **state)
{
    (void)state;
    struct err err = {.sys_errno = 9};
    assert_int_equal(err_set(&err, ERR_USAGE, "option %s: %d", "--jobs", 0), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_int_equal(err.sys_errno, 0);
    assert_string_equal(err.text, "option --jobs: 0");
    errno = ENOENT;
    assert_int_equal(err_sys(&err, "open %s", "x"), -1);
    assert_int_equal(err.kind, ERR_SYSTEM);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_int_equal(errno, ENOENT);
    assert_string_equal(err.text, "open x: No such file or directory");
}

static void cuts_long_errors_to_their_room(void **state)
{
    (void)state;
    struct err err;
    for (int width = 250; width < 260; width++) {
        errno = EIO;
        err_sys(&err, "%0*d", width, 1);
        assert_in_range(strlen(err.text), 250, sizeof err.text - 1);
        err_set(&err, ERR_INPUT, "%0*d", width, 1);
        assert_in_range(strlen(err.text), 250, sizeof err.text - 1);
    }
}

/* ---- mem ---- */

static void gives_memory_also_for_nothing(void **state)
{
    (void)state;
    void *none = mem_alloc(0);
    unsigned char *zeroed = mem_zalloc(3);
    int *array = mem_array(0, sizeof *array);
    assert_non_null(none);
    assert_non_null(array);
    assert_memory_equal(zeroed, "\0\0\0", 3);
    zeroed = mem_realloc(zeroed, 100);
    char *copy = mem_strndup("abcdef", 3), *whole = mem_strdup("abc"),
         *empty = mem_strndup(NULL, 0);
    assert_string_equal(copy, "abc");
    assert_string_equal(whole, "abc");
    assert_string_equal(empty, "");
    free(none);
    free(zeroed);
    free(array);
    free(copy);
    free(whole);
    free(empty);
}

/* Memory that is refused is what the test wants, also of AddressSanitizer. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static jmp_buf escape;
static size_t refused;

static void on_exhaustion(size_t size)
{
    refused = size;
    longjmp(escape, 1);
}

static void calls_the_handler_when_memory_runs_out(void **state)
{
    (void)state;
    mem_on_exhaustion(on_exhaustion);
    static volatile size_t too_much = SIZE_MAX / 2; /* volatile: compilers warn of constants */
    if (setjmp(escape) == 0) {
        free(mem_array(too_much, 4));
        fail_msg("gave more memory than there is");
    }
    assert_int_not_equal(refused, 0);
    mem_on_exhaustion(NULL);
}

/* ---- msg ---- */

/* What is written to stderr while say runs. */
static void catch_stderr(void (*say)(void), char text[static 200])
{
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    assert_true(file && saved >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
    say();
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    text[fread(text, 1, 199, file)] = '\0';
    fclose(file);
}

static void say_hostile(void)
{
    msg_error("%s", "a\x1B[31mb\nc\x7F\rd");
}

static void say_bad_utf8(void)
{
    msg_error("%s", "\xC3\xBC");
    msg_error("%s", "\xC3(");
}

static void say_by_level(void)
{
    static const enum msg_level levels[] = {MSG_QUIET, MSG_NORMAL, MSG_VERBOSE};
    for (size_t i = 0; i < 3; i++) {
        msg_set_level(levels[i]);
        msg_error("e%zu", i);
        msg_warn("w%zu", i);
        msg_verbose("v%zu", i);
    }
    msg_set_level(MSG_NORMAL);
}

static void says_one_line_with_its_name_and_no_control_bytes(void **state)
{
    (void)state;
    char text[200];
    msg_init("route");
    assert_string_equal(msg_name(), "route");
    catch_stderr(say_hostile, text);
    assert_string_equal(text, "route: a?[31mb?c??d\n");
    catch_stderr(say_bad_utf8, text);
    assert_string_equal(text, "route: \xC3\xBC\nroute: ?(\n");
}

static void says_more_when_asked_and_less_when_told(void **state)
{
    (void)state;
    char text[200];
    msg_init("x");
    catch_stderr(say_by_level, text);
    assert_string_equal(text, "x: e0\nx: e1\nx: w1\nx: e2\nx: w2\nx: v2\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_published_sequences),
        cmocka_unit_test(repeats_itself_with_the_same_seed_only),
        cmocka_unit_test(stays_below_its_bound_and_reaches_all_of_it),
        cmocka_unit_test(gives_unit_numbers_below_one),
        cmocka_unit_test(never_changes_the_hash_of_bytes),
        cmocka_unit_test(tells_nearly_equal_bytes_apart),
        cmocka_unit_test(tells_an_invented_time),
        cmocka_unit_test(never_goes_back),
        cmocka_unit_test(reads_times_of_rfc_3339),
        cmocka_unit_test(writes_times_as_rfc_3339),
        cmocka_unit_test(fills_errors_and_returns_minus_one),
        cmocka_unit_test(cuts_long_errors_to_their_room),
        cmocka_unit_test(gives_memory_also_for_nothing),
        cmocka_unit_test(calls_the_handler_when_memory_runs_out),
        cmocka_unit_test(says_one_line_with_its_name_and_no_control_bytes),
        cmocka_unit_test(says_more_when_asked_and_less_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
