/* test_zone.c: claims about time zones: base/zone.h, base/tzif.h, sys/zone_named.h. */
#include "sys/zone_named.h"

#include "base/buf.h"
#include "base/rng.h"
#include "base/tzif.h"
#include "pattern/schedule.h"
#include "sys/slurp.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { DAY = 86400 };

/* ---- dates ---- */

static void dates_are_those_of_the_c_library(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 1);
    for (int i = 0; i < 200000; i++) {
        int64_t at = (int64_t)rng_below(&rng, UINT64_C(400000000000)) - INT64_C(200000000000);
        time_t time = (time_t)at;
        struct tm tm;
        gmtime_r(&time, &tm);
        struct zone_civil civil = zone_civil_of(at);
        assert_int_equal(civil.year, tm.tm_year + 1900);
        assert_int_equal(civil.month, tm.tm_mon + 1);
        assert_int_equal(civil.day, tm.tm_mday);
        assert_int_equal(civil.hour, tm.tm_hour);
        assert_int_equal(civil.minute, tm.tm_min);
        assert_int_equal(civil.second, tm.tm_sec);
        assert_int_equal(civil.weekday, tm.tm_wday);
        assert_int_equal(zone_seconds_of(&civil), at);
    }
}

/* ---- all zones of the system ---- */

static const char root[] = "/usr/share/zoneinfo";
static size_t zones_seen;

static void set_library_zone(const char *name)
{
    assert_int_equal(setenv("TZ", name, 1), 0);
    tzset();
}

static int32_t library_offset(int64_t at)
{
    time_t time = (time_t)at;
    struct tm tm;
    assert_non_null(localtime_r(&time, &tm));
    return (int32_t)tm.tm_gmtoff;
}

static void claim_offset(const char *name, const struct zone *zone, int64_t at)
{
    int32_t got = zone->offset(zone, at), expected = library_offset(at);
    if (got != expected)
        fail_msg("%s at %jd: got %d, expected %d", name, (intmax_t)at, got, expected);
}

/* At random times, and on both sides of every change up to `end`. */
static void claim_zone(const char *name, const struct zone *zone, int64_t end)
{
    struct rng rng;
    rng_seed(&rng, 7);
    for (int i = 0; i < 200; i++)
        claim_offset(name, zone, (int64_t)rng_below(&rng, SCHEDULE_END));
    int64_t last = -1;
    for (int64_t at = 0; at < end;) {
        int64_t change = zone_change(zone, at, at + 400 * DAY);
        claim_offset(name, zone, change - 1);
        claim_offset(name, zone, change);
        if (change <= at + 400 * DAY) {
            /* what pattern/schedule.h relies on */
            if (last >= 0 && change - last < DAY)
                fail_msg("%s: changes at %jd and %jd", name, (intmax_t)last, (intmax_t)change);
            last = change;
        }
        at = change;
    }
}

static int visit(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)walk;
    const char *name = path + sizeof root;
    static const char *const others[] = {"right/", "posix/", "localtime", "posixrules"};
    for (size_t i = 0; i < COUNT(others); i++) {
        if (strncmp(name, others[i], strlen(others[i])) == 0)
            return 0;
    }
    struct buf bytes = {0};
    struct err err;
    if (type != FTW_F || slurp_file(path, 1 << 20, &bytes, &err))
        return 0;
    bool is_zone = str_starts(buf_str(&bytes), STR("TZif"));
    struct zone *zone = zone_named(name, &err);
    if ((zone != NULL) != is_zone)
        fail_msg("%s: %s", name, zone ? "opened" : err.text);
    if (zone) {
        set_library_zone(name);
        /* all changes of a century; of some zones to the end */
        claim_zone(name, zone, zones_seen % 20 ? 36525 * (int64_t)DAY : SCHEDULE_END);
        zones_seen++;
    }
    zone_named_free(zone);
    buf_free(&bytes);
    return 0;
}

static void zones_of_the_system_are_those_of_the_c_library(void **state)
{
    (void)state;
    zones_seen = 0;
    nftw(root, visit, 16, FTW_PHYS);
    if (zones_seen < 300)
        fail_msg("%zu zones below %s (is tzdata there?)", zones_seen, root);
}

/* ---- names ---- */

static void refuses_what_is_no_zone(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        "Europe/Berli",
        "europe/berlin",
        "Europe",
        "../zoneinfo/UTC",
        "Europe/../UTC",
        "./UTC",
        "/etc/localtime",
        "/usr/share/zoneinfo/UTC",
        "UTC/",
        "Europe//Berlin",
        "zone.tab",
        "tzdata.zi",
        "right/Europe/Berlin",
        "Europe/Berlin\n",
        "CET-1CEST,",
        "UTC ",
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        struct err err;
        if (zone_named(names[i], &err))
            fail_msg("\"%s\" was opened", names[i]);
        assert_int_equal(err.kind, ERR_USAGE);
        assert_non_null(strstr(err.text, ": no such time zone"));
    }
}

static void reads_the_variable_as_the_c_library_does(void **state)
{
    (void)state;
    static const char *const values[] = {
        "",
        ":",
        "Europe/Berlin",
        ":Europe/Berlin",
        "/usr/share/zoneinfo/Asia/Tokyo",
        ":/usr/share/zoneinfo/Asia/Tokyo",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "EST5EDT",
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
        "NZST-12NZDT,M9.5.0,M4.1.0/3",
        "IST-1GMT0,M10.5.0,M3.5.0/1",
        "AAA3BBB,J60/0,J300/0",
        "AAA3BBB,59/0,300/0",
        "AAA-3",
        "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
        "IST-2IDT,M3.4.4/26,M10.5.0",
    };
    for (size_t i = 0; i < COUNT(values); i++) {
        struct err err;
        struct zone *zone = zone_of_variable(values[i], &err);
        if (!zone)
            fail_msg("%s: %s", values[i], err.text);
        set_library_zone(values[i]);
        claim_zone(values[i], zone, SCHEDULE_END);
        zone_named_free(zone);
    }
    struct err err;
    assert_null(zone_of_variable("Nowhere/Land", &err));
    assert_null(zone_of_variable("/etc/passwd", &err));
    assert_null(zone_of_variable("/dev/zero", &err));
    struct zone *machine = zone_of_variable(NULL, &err);
    assert_non_null(machine);
    assert_int_equal(unsetenv("TZ"), 0);
    tzset();
    claim_zone("the machine's", machine, SCHEDULE_END);
    zone_named_free(machine);
}

static void summer_all_the_year_is_one_offset(void **state)
{
    (void)state;
    struct zone *zone = tzif_read_line(STR("XXX3EDT4,0/0,J365/23")); /* RFC 8536, 3.3.1 */
    assert_non_null(zone);
    for (int64_t at = 0; at < SCHEDULE_END; at += DAY / 4 - 1)
        assert_int_equal(zone->offset(zone, at), -4 * 3600);
    tzif_free(zone);
}

/* A day and hours beyond it are the same as the day that they reach, also over the end of a year
 * (where the C library looks at one year only). */
static void hours_beyond_a_day_count_on(void **state)
{
    (void)state;
    static const char *const lines[][2] = {
        {"AAA3BBB,J180/-50,J365/40", "AAA3BBB,J177/22,J1/16"},
        {"AAA3BBB,J1/-20,J180/50", "AAA3BBB,J365/4,J182/2"},
        {"AAA-13BBB,J360/167,J61/-24", "AAA-13BBB,J1/23,J60/0"},
        {"AAA13BBB,J2/-167,J364/160", "AAA13BBB,J360/1,J5/16"},
    };
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct zone *far = tzif_read_line(str_of(lines[i][0]));
        struct zone *near = tzif_read_line(str_of(lines[i][1]));
        for (int64_t at = 366 * DAY; at < SCHEDULE_END; at += 3600 * 5) {
            if (far->offset(far, at) != near->offset(near, at))
                fail_msg("%s at %jd", lines[i][0], (intmax_t)at);
        }
        tzif_free(far);
        tzif_free(near);
    }
}

static void refuses_damaged_lines(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "CE-1",
        "CET",
        "CET-1CEST,",
        "CET-1CEST,M3.5.0",
        "1CET",
        "CET-25",
        "CET-1CE",
        "CET-1CEST,M13.5.0,0",
        "CET-1CEST,M3.6.0,0",
        "<CET",
        "CET-1:60",
        "CET-1CEST,M3.5.7,0",
        "CET-1CEST,J0,J1",
        "<CE>1",
        "CET-1CEST,366,0",
        "CET-1CEST,M3.5.0/168,0",
        "CET-1CEST,0,1 ",
        "CET1 ",
        "CET-1CEST,M3.5.0,M10.5.0/3,",
    };
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct zone *zone = tzif_read_line(str_of(lines[i]));
        if (zone)
            fail_msg("\"%s\" was read", lines[i]);
    }
}

/* Every prefix of a file, and every byte of it changed, is refused or gives some offset. */
static void takes_no_harm_from_damaged_files(void **state)
{
    (void)state;
    struct buf bytes = {0};
    struct err err;
    assert_int_equal(slurp_file("/usr/share/zoneinfo/Europe/Berlin", 1 << 20, &bytes, &err), 0);
    struct zone *zone;
    for (size_t len = 0; len < bytes.len; len++) {
        char *copy = malloc(len + 1); /* so that a sanitizer sees the end */
        memcpy(copy, bytes.data, len);
        zone = tzif_read((struct str){copy, len});
        assert_null(zone);
        free(copy);
    }
    struct rng rng;
    rng_seed(&rng, 3);
    for (size_t i = 0; i < bytes.len; i++) {
        char was = bytes.data[i];
        bytes.data[i] = (char)rng_below(&rng, 256);
        zone = tzif_read(buf_str(&bytes));
        for (int64_t at = 0; zone && at < SCHEDULE_END; at += 1000 * DAY) {
            int32_t offset = zone->offset(zone, at);
            assert_in_range(offset + ZONE_FURTHEST, 0, 2 * ZONE_FURTHEST);
        }
        tzif_free(zone);
        bytes.data[i] = was;
    }
    buf_free(&bytes);
}

/* ---- local times ---- */

static void a_local_time_is_its_first_instant_or_the_end_of_the_gap(void **state)
{
    (void)state;
    struct zone *zone = tzif_read_line(STR("CET-1CEST,M3.5.0,M10.5.0/3"));
    static const struct {
        struct zone_civil local, utc;
    } moments[] = {
        {{2026, 1, 1, 0, 0, 0, 0}, {2025, 12, 31, 23, 0, 0, 0}},
        {{2026, 3, 29, 1, 59, 59, 0}, {2026, 3, 29, 0, 59, 59, 0}},
        {{2026, 3, 29, 2, 0, 0, 0}, {2026, 3, 29, 1, 0, 0, 0}},
        {{2026, 3, 29, 2, 30, 0, 0}, {2026, 3, 29, 1, 0, 0, 0}},
        {{2026, 3, 29, 3, 0, 0, 0}, {2026, 3, 29, 1, 0, 0, 0}},
        {{2026, 3, 29, 3, 0, 1, 0}, {2026, 3, 29, 1, 0, 1, 0}},
        {{2026, 10, 25, 2, 0, 0, 0}, {2026, 10, 25, 0, 0, 0, 0}},
        {{2026, 10, 25, 2, 59, 59, 0}, {2026, 10, 25, 0, 59, 59, 0}},
        {{2026, 10, 25, 3, 0, 0, 0}, {2026, 10, 25, 2, 0, 0, 0}},
    };
    for (size_t i = 0; i < COUNT(moments); i++)
        assert_int_equal(zone_instant(zone, zone_seconds_of(&moments[i].local)),
                         zone_seconds_of(&moments[i].utc));
    tzif_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_those_of_the_c_library),
        cmocka_unit_test(zones_of_the_system_are_those_of_the_c_library),
        cmocka_unit_test(refuses_what_is_no_zone),
        cmocka_unit_test(reads_the_variable_as_the_c_library_does),
        cmocka_unit_test(summer_all_the_year_is_one_offset),
        cmocka_unit_test(hours_beyond_a_day_count_on),
        cmocka_unit_test(refuses_damaged_lines),
        cmocka_unit_test(takes_no_harm_from_damaged_files),
        cmocka_unit_test(a_local_time_is_its_first_instant_or_the_end_of_the_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
