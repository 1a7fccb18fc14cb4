/* test_schedule_read.c: what schedule_parse reads, and what it says of what it does not. */
#include "pattern/schedule.h"

#include "base/clock.h"
#include "base/num.h"
#include "base/tzif.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int64_t wall_of(const char *text)
{
    int64_t wall;
    assert_null(clock_parse(text, &wall));
    return wall;
}

static int64_t now(void)
{
    return wall_of("2026-11-26T06:00:00Z");
}

static struct schedule parsed(const char *text)
{
    struct schedule schedule;
    struct err err;
    if (schedule_parse(&schedule, text, &zone_utc, now(), &err))
        fail_msg("\"%s\": %s", text, err.text);
    return schedule;
}

/* ---- cron ---- */

/* Bits from .. to, of each step. */
static uint64_t bits(unsigned from, unsigned to, unsigned step)
{
    uint64_t set = 0;
    for (unsigned i = from; i <= to; i += step)
        set |= UINT64_C(1) << i;
    return set;
}

static void reads_what_cronie_reads(void **state)
{
    (void)state;
    const uint64_t minutes = bits(0, 59, 1), hours = bits(0, 23, 1), days = bits(1, 31, 1);
    const uint64_t months = bits(1, 12, 1), weekdays = bits(0, 6, 1);
    const struct {
        const char *text;
        uint64_t minutes, hours, days, months, weekdays;
        bool either_day, starred;
    } lines[] = {
        {"* * * * *", minutes, hours, days, months, weekdays, false, true},
        {"  5\t 4 *  * \t* ", 1 << 5, 1 << 4, days, months, weekdays, false, false},
        {"05 004 * * *", 1 << 5, 1 << 4, days, months, weekdays, false, false},
        {"*/15 * * * *", bits(0, 59, 15), hours, days, months, weekdays, false, true},
        {"*/90 0 * * *", 1, 1, days, months, weekdays, false, true},
        {"0 */5 * * *", 1, bits(0, 23, 5), days, months, weekdays, false, true},
        {"0 0-23 * * *", 1, hours, days, months, weekdays, false, false},
        {"0 0 */2 * *", 1, 1, bits(1, 31, 2), months, weekdays, false, false},
        {"10-20/5 1,3-5,7-9/2 * * *", bits(10, 20, 5), bits(3, 5, 1) | 1 << 1 | 1 << 7 | 1 << 9,
         days, months, weekdays, false, false},
        {"0 0 1,15 * 5", 1, 1, 1 << 1 | 1 << 15, months, 1 << 5, true, false},
        {"0 0 1-31 * 0-6", 1, 1, days, months, weekdays, true, false},
        {"0 0 * * 5", 1, 1, days, months, 1 << 5, false, false},
        {"0 0 */7 * 5", 1, 1, bits(1, 31, 7), months, 1 << 5, false, false},
        {"0 0 1 * */2", 1, 1, 1 << 1, months, bits(0, 6, 2), false, false},
        {"0 0 1 * *,5", 1, 1, 1 << 1, months, weekdays, false, false},
        {"0 0 1 * 5,*", 1, 1, 1 << 1, months, weekdays, true, false},
        {"0 0 * * 7", 1, 1, days, months, 1, false, false},
        {"0 0 * * 0", 1, 1, days, months, 1, false, false},
        {"0 0 * * 5-7", 1, 1, days, months, 1 << 5 | 1 << 6 | 1, false, false},
        {"0 0 * * */7", 1, 1, days, months, 1, false, false},
        {"0 0 * jan,Mar,dEC sun", 1, 1, days, 1 << 1 | 1 << 3 | 1 << 12, 1, false, false},
        {"0 0 * feb-APR MON-fri", 1, 1, days, bits(2, 4, 1), bits(1, 5, 1), false, false},
        {"0 0 * jan-dec/3 mon-7/2", 1, 1, days, bits(1, 12, 3), bits(1, 5, 2) | 1, false, false},
        {"0 0 29 2 *", 1, 1, 1 << 29, 1 << 2, weekdays, false, false},
        {"0 0 30 2 1", 1, 1, 1 << 30, 1 << 2, 1 << 1, true, false},
        {"0 0 31 1-6 *", 1, 1, UINT32_C(1) << 31, bits(1, 6, 1), weekdays, false, false},
        {"@hourly", 1, hours, days, months, weekdays, false, true},
        {"@daily", 1, 1, days, months, weekdays, false, false},
        {"@midnight", 1, 1, days, months, weekdays, false, false},
        {"@weekly", 1, 1, days, months, 1, false, false},
        {"@monthly", 1, 1, 1 << 1, months, weekdays, false, false},
        {" @yearly ", 1, 1, 1 << 1, 1 << 1, weekdays, false, false},
        {"@annually", 1, 1, 1 << 1, 1 << 1, weekdays, false, false},
    };
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct schedule schedule = parsed(lines[i].text);
        if (schedule.kind != SCHEDULE_CRON || schedule.minutes != lines[i].minutes ||
            schedule.hours != lines[i].hours || schedule.days != lines[i].days ||
            schedule.months != lines[i].months || schedule.weekdays != lines[i].weekdays ||
            schedule.either_day != lines[i].either_day || schedule.starred != lines[i].starred)
            fail_msg("\"%s\" was read otherwise", lines[i].text);
    }
}

/* ---- intervals and moments ---- */

static void reads_intervals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t milliseconds;
    } intervals[] = {
        {"30s", 30000},    {"30", 30000},     {"1ms", 1},
        {"5m", 300000},    {"1.5h", 5400000}, {"1h30m", 5400000},
        {"2d", 172800000}, {" 90s\n", 90000}, {"1d2h3m4s5ms", 93784005},
        {"0.5s", 500},     {"1h0m", 3600000}, {"36500d", INT64_C(36500) * 86400000},
    };
    for (size_t i = 0; i < COUNT(intervals); i++) {
        struct schedule schedule = parsed(intervals[i].text);
        assert_int_equal(schedule.kind, SCHEDULE_INTERVAL);
        assert_int_equal(schedule.interval, intervals[i].milliseconds * 1000000);
    }
}

static void reads_moments_in_local_time(void **state)
{
    (void)state;
    struct zone *berlin = tzif_read_line(STR("CET-1CEST,M3.5.0,M10.5.0/3"));
    static const struct {
        const char *now, *text, *at;
    } moments[] = {
        {"2026-11-26T06:00:00Z", "at 17:30", "2026-11-26T16:30:00Z"},
        {"2026-11-26T06:00:00Z", "at 17:30:15", "2026-11-26T16:30:15Z"},
        {"2026-11-26T06:00:00Z", "at 06:59", "2026-11-27T05:59:00Z"},
        {"2026-11-26T06:00:00Z", "at 07:00", "2026-11-26T06:00:00Z"},
        {"2026-11-26T23:30:00Z", "at 00:15", "2026-11-27T23:15:00Z"},
        {"2026-11-26T23:30:00Z", "at\t00:45", "2026-11-26T23:45:00Z"},
        {"2026-11-26T06:00:00Z", "at 2026-12-24T18:00", "2026-12-24T17:00:00Z"},
        {"2026-11-26T06:00:00Z", "at 2026-12-24 18:00", "2026-12-24T17:00:00Z"},
        {"2026-11-26T06:00:00Z", "at  2026-12-24t18:00:30.25", "2026-12-24T17:00:30.25Z"},
        {"2026-11-26T06:00:00Z", "at 2026-12-24T18:00:00Z", "2026-12-24T18:00:00Z"},
        {"2026-11-26T06:00:00Z", "at 2026-12-24T18:00-05:00", "2026-12-24T23:00:00Z"},
        {"2026-11-26T06:00:00Z", "at 2020-01-01T00:00", "2019-12-31T23:00:00Z"},
        /* in a gap: the first instant after it; repeated: the first of both */
        {"2026-03-28T12:00:00Z", "at 02:30", "2026-03-29T01:00:00Z"},
        {"2026-03-28T12:00:00Z", "at 2026-03-29T02:30", "2026-03-29T01:00:00Z"},
        {"2026-10-24T12:00:00Z", "at 2026-10-25T02:30", "2026-10-25T00:30:00Z"},
        /* the second half past two of that night is not meant: it is tomorrow's */
        {"2026-10-25T01:00:00Z", "at 02:30", "2026-10-26T01:30:00Z"},
    };
    for (size_t i = 0; i < COUNT(moments); i++) {
        struct schedule schedule;
        struct err err;
        char got[CLOCK_TEXT];
        if (schedule_parse(&schedule, moments[i].text, berlin, wall_of(moments[i].now), &err))
            fail_msg("\"%s\": %s", moments[i].text, err.text);
        assert_int_equal(schedule.kind, SCHEDULE_AT);
        if (schedule.at != wall_of(moments[i].at))
            fail_msg("\"%s\" is %s", moments[i].text, clock_format(schedule.at, got));
    }
    tzif_free(berlin);
}

static void a_moment_is_due_once(void **state)
{
    (void)state;
    struct schedule schedule = parsed("at 2026-12-24T18:00");
    int64_t when, at = wall_of("2026-12-24T18:00:00Z");
    assert_true(schedule_next(&schedule, &zone_utc, at - 1, &when));
    assert_int_equal(when, at);
    assert_false(schedule_next(&schedule, &zone_utc, at, &when));
    assert_true(schedule_prev(&schedule, &zone_utc, at, &when));
    assert_int_equal(when, at);
    assert_false(schedule_prev(&schedule, &zone_utc, at - 1, &when));
}

/* ---- what is refused ---- */

#define NO_TIME  "not a time like 17:30, 2026-12-24T18:00 or 2026-12-24T18:00:00+01:00"
#define TOO_LONG "longer than a hundred years"
#define NO_YEAR  "only years from 1970 to 2261 are known"
#define NO_ORDER "not a duration (ms, s, m, h, d; the larger before the smaller)"
#define NO_KIND                                                                             \
    "neither an interval (30s, 1h30m) nor five fields of cron, a name of cron (@daily) or " \
    "\"at TIME\""
#define NO_NAME "no such name (@hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually)"

static void says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } wrong[] = {
        {"", "empty"},
        {" \t\n", "empty"},
        {"* * * *", "4 fields where cron has 5: minute, hour, day, month, weekday"},
        {"* * * * * ls", "6 fields where cron has 5: minute, hour, day, month, weekday"},
        {"* * * *\n*", "4 fields where cron has 5: minute, hour, day, month, weekday"},
        {"60 * * * *", "minute \"60\": 60 is not from 0 to 59"},
        {"1-77 * * * *", "minute \"1-77\": 77 is not from 0 to 59"},
        {"99999999999999999999 * * * *",
         "minute \"99999999999999999999\": 99999999999999999999 is not from 0 to 59"},
        {"4294967296 * * * *", "minute \"4294967296\": 4294967296 is not from 0 to 59"},
        {"* 24 * * *", "hour \"24\": 24 is not from 0 to 23"},
        {"* * 0 * *", "day \"0\": 0 is not from 1 to 31"},
        {"* * 32 * *", "day \"32\": 32 is not from 1 to 31"},
        {"* * * 0 *", "month \"0\": 0 is not from 1 to 12"},
        {"* * * 13 *", "month \"13\": 13 is not from 1 to 12"},
        {"* * * * 8", "weekday \"8\": 8 is not from 0 to 7"},
        {"a * * * *", "minute \"a\": not a number"},
        {"* jan * * *", "hour \"jan\": not a number"},
        {"* * mon * *", "day \"mon\": not a number"},
        {"* * * foo *", "month \"foo\": not a month (1-12, jan-dec)"},
        {"* * * january *", "month \"january\": not a month (1-12, jan-dec)"},
        {"* * * mon *", "month \"mon\": not a month (1-12, jan-dec)"},
        {"* * * * jan", "weekday \"jan\": not a weekday (0-7, sun-sat)"},
        {"* * * * mo", "weekday \"mo\": not a weekday (0-7, sun-sat)"},
        {"* * * * mon1", "weekday \"mon1\": not a number, range or list"},
        {"*/0 * * * *", "minute \"*/0\": a step of 0"},
        {"*/ * * * *", "minute \"*/\": a step is a number"},
        {"*/-1 * * * *", "minute \"*/-1\": a step is a number"},
        {"5/10 * * * *", "minute \"5/10\": a step is of a range or of *"},
        {"0-30/5/2 * * * *", "minute \"0-30/5/2\": not a number, range or list"},
        {"5-1 * * * *", "minute \"5-1\": the range goes backwards"},
        {"* * * dec-jan *", "month \"dec-jan\": the range goes backwards"},
        {"* * * * fri-mon", "weekday \"fri-mon\": the range goes backwards"},
        {"* * * * sat-sun",
         "weekday \"sat-sun\": the range goes backwards (Sunday as its end is 7)"},
        {"1, * * * *", "minute \"1,\": a number is missing at the end"},
        {"1- * * * *", "minute \"1-\": a number is missing at the end"},
        {",1 * * * *", "minute \",1\": not a number, range or list"},
        {"1,,2 * * * *", "minute \"1,,2\": not a number, range or list"},
        {"-1 * * * *", "minute \"-1\": not a number, range or list"},
        {"+1 * * * *", "minute \"+1\": not a number, range or list"},
        {"1.5 * * * *", "minute \"1.5\": not a number, range or list"},
        {"** * * * *", "minute \"**\": not a number, range or list"},
        {"? * * * *", "minute \"?\": not a number, range or list"},
        {"* * L * *", "day \"L\": not a number"},
        {"6~15 * * * *", "minute \"6~15\": no random times here (~): see --jitter"},
        {"~ * * * *", "minute \"~\": no random times here (~): see --jitter"},
        {"1~ * * * *", "minute \"1~\": no random times here (~): see --jitter"},
        {"0,11111111112222222222333333333344444444445555555555 * * * *",
         "minute \"0,11111111112222222222333333333344444444\": "
         "1111111111222222222233333333334444444444 is not from 0 to 59"},
        {"0 0 30 2 *", "day \"30\": none of the months has it"},
        {"0 0 31 2,4,6,9,11 *", "day \"31\": none of the months has it"},
        {"0 0 30,31 feb */2", "day \"30,31\": none of the months has it"},
        {"@reboot", "@reboot is not a time: let the system start it"},
        {"@dayly", NO_NAME},
        {"@Daily", NO_NAME},
        {"@daily ls", NO_NAME},
        {"@", NO_NAME},
        {"0", "an interval is at least 1ms"},
        {"0.5ms", "an interval is at least 1ms"},
        {"30x", "not a duration (ms, s, m, h, d)"},
        {"1e3", "not a duration (ms, s, m, h, d)"},
        {"010s", "a leading zero"},
        {"1h1h", NO_ORDER},
        {"30m1h", NO_ORDER},
        {"5m3", NO_ORDER},
        {"200000d", TOO_LONG},
        {"36525d1ms", TOO_LONG},
        {"9999999999999999999999999999999999999s", "too large"},
        {"-5s", NO_KIND},
        {"daily", NO_KIND},
        {"attack", NO_KIND},
        {"at", NO_TIME},
        {"at noon", NO_TIME},
        {"at 7:30", NO_TIME},
        {"at 24:00", NO_TIME},
        {"at 17:30:60", NO_TIME},
        {"at 17:30 tomorrow", NO_TIME},
        {"at 1969-12-31T10:00", NO_YEAR},
        {"at 2262-01-01T00:00", NO_YEAR},
        {"at 9999-12-31T23:59:59Z", NO_YEAR},
        {"at 1970-01-01T00:00:00+14:00", NO_YEAR},
        {"at 197-01-01T00:00", NO_TIME},
        {"at 2026-12-24T18:00:00 +01:00", NO_TIME},
        {"at 17:30Z", "an offset from UTC needs a date before it"},
        {"at 2026-12-24", "a time of day is missing behind the date"},
        {"at 2026-02-29T10:00", "there is no such day"},
        {"at 2026-12-24T18:00:00.00000000000000000000000000000000000000000000000000", NO_TIME},
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct schedule schedule;
        struct err err = {0};
        if (schedule_parse(&schedule, wrong[i].text, &zone_utc, now(), &err) == 0)
            fail_msg("\"%s\" was read", wrong[i].text);
        assert_int_equal(err.kind, ERR_USAGE);
        if (strcmp(err.text, wrong[i].error) != 0)
            fail_msg("\"%s\": got <%s>, expected <%s>", wrong[i].text, err.text, wrong[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_cronie_reads),     cmocka_unit_test(reads_intervals),
        cmocka_unit_test(reads_moments_in_local_time), cmocka_unit_test(a_moment_is_due_once),
        cmocka_unit_test(says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
