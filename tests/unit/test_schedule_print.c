/* test_schedule_print.c: the entries for other schedulers, and the lines of --next. */
#include "engine/schedule_print.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/tzif.h"
#include "engine/schedule_calendar.h"
#include "engine/schedule_show.h"
#include "sys/slurp.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct option_entry entries[] = {
    {"tz", 0, 1, "ZONE", "", NULL},
    {"print", 0, 2, "crontab|systemd", "", NULL},
    {"once", 0, 3, NULL, "", NULL},
    {"jitter", 0, 4, "DUR", "", NULL},
    {"dead", 0, 5, "FILE", "", NULL},
    {"jobs", 'j', 6, "N", "", NULL},
    {"unordered", 'u', 7, NULL, "", NULL},
    {"state", 0, 8, "DIR", "", NULL},
    {0},
};
static const struct option_group group = {"All", entries, NULL};
static const struct option_use uses[] = {{&group, NULL}, {0}};
static const struct command command = {.name = "every", .uses = uses};

static int64_t wall_of(const char *text)
{
    int64_t wall;
    assert_null(clock_parse(text, &wall));
    return wall;
}

static const struct zone *berlin(void)
{
    static struct zone *zone;
    if (!zone)
        zone = tzif_read_line(STR("CET-1CEST,M3.5.0,M10.5.0/3"));
    return zone;
}

static struct schedule parsed(const char *text)
{
    struct schedule schedule;
    struct err err;
    if (schedule_parse(&schedule, text, berlin(), wall_of("2026-11-26T06:00:00Z"), &err))
        fail_msg("%s: %s", text, err.text);
    return schedule;
}

static size_t length_of(char *const *words)
{
    size_t count = 0;
    while (words && words[count])
        count++;
    return count;
}

/* words are of the options, and of the function. */
static struct schedule_print entry(const struct schedule *schedule, const char *text,
                                   char *const *options, char *const *function)
{
    return (struct schedule_print){.command = &command,
                                   .program = "/usr/libexec/fittings/every",
                                   .text = text,
                                   .schedule = schedule,
                                   .zone = berlin(),
                                   .options = options,
                                   .option_count = length_of(options),
                                   .function = function,
                                   .function_count = length_of(function),
                                   .folder = "/home/ada",
                                   .now = wall_of("2026-11-26T06:00:00Z"),
                                   .missed = true};
}

static void claim_text(struct buf *text, const char *expected)
{
    assert_string_equal(buf_cstr(text), expected);
    buf_free(text);
}

#define WORDS(...) as_words((const char *const[]){__VA_ARGS__, NULL})

/* Literals as words of a command line, which nobody writes to. */
static char *const *as_words(const char *const *words)
{
    return (char *const *)(uintptr_t)words;
}

static void prints_a_line_of_a_crontab(void **state)
{
    (void)state;
    struct schedule schedule = parsed("30 5 * * mon-fri");
    struct schedule_print print =
        entry(&schedule, " 30  5 * * mon-fri", WORDS("--print", "crontab", "--dead", "--print"),
              WORDS("./report", "100%"));
    struct buf text = {0};
    struct err err;
    assert_int_equal(schedule_print_crontab(&print, &text, &err), 0);
    claim_text(&text, "# for the table of crontab -e\n"
                      "30 5 * * mon-fri cd /home/ada && /usr/libexec/fittings/every "
                      "' 30  5 * * mon-fri' --once --dead --print -- ./report '100\\%'\n");
    print.zone_name = "Europe/Berlin";
    print.state = "/var/lib/fit";
    print.path = "/opt/my tools:/bin";
    print.options = WORDS("-uj2", "-j", "--tz=UTC", "--print=crontab", "--tz", "UTC", "--once");
    print.option_count = 7;
    assert_int_equal(schedule_print_crontab(&print, &text, &err), 0);
    claim_text(&text,
               "# for the table of crontab -e\n"
               "# CRON_TZ is known to cronie; a cron that does not know it (Debian's) takes the "
               "machine's zone\n"
               "CRON_TZ=Europe/Berlin\n"
               "30 5 * * mon-fri cd /home/ada && PATH='/opt/my tools:/bin' "
               "/usr/libexec/fittings/every ' 30  5 * * mon-fri' --once --tz Europe/Berlin "
               "--state /var/lib/fit -uj2 -j --tz=UTC -- ./report '100\\%'\n"
               "CRON_TZ=\"\"\n");
}

/* cronie makes up for what is skipped in its own zone, but not in that of CRON_TZ. */
static void a_crontab_of_another_zone_has_a_line_for_what_clocks_skip(void **state)
{
    (void)state;
    struct schedule schedule = parsed("15 2 * * *");
    struct schedule_print print = entry(&schedule, "15 2 * * *", NULL, WORDS("f"));
    struct buf text = {0};
    struct err err;
    assert_int_equal(schedule_print_crontab(&print, &text, &err), 0);
    claim_text(&text, "# for the table of crontab -e\n15 2 * * * cd /home/ada && "
                      "/usr/libexec/fittings/every '15 2 * * *' --once -- f\n");
    print.zone_name = "Z";
    assert_int_equal(schedule_print_crontab(&print, &text, &err), 0);
    const char *lines = strstr(buf_cstr(&text), "CRON_TZ=Z");
    assert_string_equal(lines ? lines : "",
                        "CRON_TZ=Z\n15 2 * * * cd /home/ada && /usr/libexec/fittings/every "
                        "'15 2 * * *' --once --tz Z -- f\n"
                        "# when clocks have skipped times, they are due at once\n"
                        "0 3 * 3 * cd /home/ada && /usr/libexec/fittings/every "
                        "'15 2 * * *' --once --tz Z -- f\n"
                        "CRON_TZ=\"\"\n");
    buf_free(&text);
}

static void prints_a_service_and_a_timer(void **state)
{
    (void)state;
    struct schedule schedule = parsed("30 5 1 * mon-fri");
    struct schedule_print print =
        entry(&schedule, "30 5 1 * mon-fri", WORDS("--jitter", "1m30s", "--print=systemd"),
              WORDS("./report", "5$ 100%", "a\"b\\c\n", ""));
    print.zone_name = "Europe/Berlin";
    print.program = "/opt/$5/every"; /* systemd takes that word as it is */
    print.path = "/opt/my tools:/bin";
    struct buf text = {0};
    struct err err;
    assert_int_equal(schedule_print_systemd(&print, &text, &err), 0);
    claim_text(&text,
               "# ~/.config/systemd/user/every-report.service\n"
               "[Unit]\n"
               "Description=every 30 5 1 * mon-fri: ./report '5$ 100%%' 'a\"b c ' ''\n"
               "\n"
               "[Service]\n"
               "Type=oneshot\n"
               "WorkingDirectory=/home/ada\n"
               "Environment=\"PATH=/opt/my tools:/bin\"\n"
               "ExecStart=\"/opt/$5/every\" \"30 5 1 * mon-fri\" --once --tz "
               "Europe/Berlin --jitter 1m30s -- ./report \"5$$ 100%%\" \"a\\\"b\\\\c\\x0a\" \"\"\n"
               "SuccessExitStatus=75\n"
               "\n"
               "# ~/.config/systemd/user/every-report.timer\n"
               "# then: systemctl --user daemon-reload && systemctl --user enable --now "
               "every-report.timer\n"
               "[Unit]\n"
               "Description=every 30 5 1 * mon-fri: ./report '5$ 100%%' 'a\"b c ' ''\n"
               "\n"
               "[Timer]\n"
               "Persistent=true\n"
               "OnCalendar=*-*-01 05:30:00 Europe/Berlin\n"
               "OnCalendar=Mon,Tue,Wed,Thu,Fri *-*-* 05:30:00 Europe/Berlin\n"
               "AccuracySec=1s\n"
               "\n"
               "[Install]\n"
               "WantedBy=timers.target\n");
}

static void intervals_and_moments_are_said_where_they_can_be(void **state)
{
    (void)state;
    static const struct {
        const char *text, *crontab, *timer; /* NULL: cannot be said */
    } cases[] = {
        {"1m", "* * * * * ", "Persistent=true\nOnCalendar=*-*-* *:*:00\n"},
        {"30m", "*/30 * * * * ", "OnCalendar=*-*-* *:00,30:00\n"},
        {"900", "*/15 * * * * ", "OnCalendar=*-*-* *:00/15:00\n"},
        {"1h", "0 * * * * ", "OnCalendar=*-*-* *:00:00\n"},
        {"6h", "0 */6 * * * ", "OnCalendar=*-*-* 00/6:00:00\n"},
        {"1d", "0 0 * * * ", "OnCalendar=*-*-* 00:00:00\n"},
        {"90s", NULL, "OnActiveSec=0s\nOnUnitActiveSec=90s\nAccuracySec=1s\n"},
        {"7m", NULL, "OnUnitActiveSec=420s\n"},
        {"5h", NULL, "OnUnitActiveSec=18000s\n"},
        {"90m", NULL, "OnUnitActiveSec=5400s\n"},
        {"2d", NULL, "OnUnitActiveSec=172800s\n"},
        {"1.5s", NULL, "OnUnitActiveSec=1.500000s\nAccuracySec=1ms\n"},
        {"at 17:30", NULL, "OnCalendar=2026-11-26 16:30:00 UTC\n"},
        {"at 2026-12-24T17:30:00.25Z", NULL, "OnCalendar=2026-12-24 17:30:00.250000 UTC\n"},
        {"@weekly", "@weekly ", "OnCalendar=Sun *-*-* 00:00:00\n"},
        {"5 4 * jan SUN", "5 4 * jan SUN ", "OnCalendar=Sun *-01-* 04:05:00\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct schedule schedule = parsed(cases[i].text);
        struct schedule_print print = entry(&schedule, cases[i].text, NULL, WORDS("f"));
        struct buf text = {0};
        struct err err;
        int status = schedule_print_crontab(&print, &text, &err);
        assert_int_equal(status, cases[i].crontab ? 0 : -1);
        if (cases[i].crontab) {
            struct buf line = {0};
            buf_addf(&line, "\n%scd /home/ada && ", cases[i].crontab);
            if (!strstr(buf_cstr(&text), buf_cstr(&line)))
                fail_msg("%s gave %s", cases[i].text, buf_cstr(&text));
            buf_free(&line);
        } else {
            assert_int_equal(err.kind, ERR_USAGE);
            assert_true(text.len == 0 && strncmp(err.text, "cron knows", 10) == 0);
        }
        buf_clear(&text);
        assert_int_equal(schedule_print_systemd(&print, &text, &err), 0);
        if (!strstr(buf_cstr(&text), cases[i].timer))
            fail_msg("%s gave %s", cases[i].text, buf_cstr(&text));
        buf_free(&text);
    }
}

/* A moment is said with its day, since a time of day would be tomorrow's when it is read. */
static void a_moment_is_said_with_its_day(void **state)
{
    (void)state;
    struct schedule schedule = parsed("at 17:30");
    struct schedule_print print = entry(&schedule, "at 17:30", NULL, WORDS("f"));
    struct buf text = {0};
    struct err err;
    assert_int_equal(schedule_print_systemd(&print, &text, &err), 0);
    assert_non_null(strstr(buf_cstr(&text), "every \"at 2026-11-26T17:30:00+01:00\" --once -- f"));
    buf_free(&text);
}

static void components_are_short_and_complete(void **state)
{
    (void)state;
    static const struct {
        const char *line, *event;
    } cases[] = {
        {"* * * * *", "*-*-* *:*:00"},
        {"*/5 * * * *", "*-*-* *:00/5:00"},
        {"7-59/13 */2 * * *", "*-*-* 00/2:07..59/13:00"},
        {"*/7 */5 * * *", "*-*-* 00..23/5:00..59/7:00"},
        {"2-59/20 * * * *", "*-*-* *:02/20:00"},
        {"0-30 1,2 * * *", "*-*-* 01,02:00..30:00"},
        {"0,30 0-3,7 * * 7", "Sun *-*-* 00..03,07:00,30:00"},
        {"0 0 */10 3,4,5,9 *", "*-03..05,09-01..31/10 00:00:00"},
        {"0 0 * * 1-5", "Mon,Tue,Wed,Thu,Fri *-*-* 00:00:00"},
        {"1-9/4 0 29 2 *", "*-02-29 00:01,05,09:00"},
        {"59 23 31 12 *", "*-12-31 23:59:00"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct schedule schedule = parsed(cases[i].line);
        struct buf lines = {0}, expected = {0};
        struct err err;
        assert_int_equal(schedule_calendar_systemd(&lines, &schedule, &zone_utc, NULL, 0, &err), 0);
        buf_addf(&expected, "OnCalendar=%s\n", cases[i].event);
        claim_text(&lines, buf_cstr(&expected));
        buf_free(&expected);
    }
}

static void times_that_clocks_skip_have_an_event_of_their_own(void **state)
{
    (void)state;
    static const char header[] = "# when clocks have skipped times, they are due at once\n";
    static const struct {
        const char *zone, *line, *event, *further;
    } cases[] = {
        {"CET-1CEST,M3.5.0,M10.5.0/3", "30 2 * * *", "*-*-* 02:30:00", "*-03-* 03:00:00"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "0 2 * * sun", "Sun *-*-* 02:00:00", "*-03-* 03:00:00"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "0 3 * * *", "*-*-* 03:00:00", NULL},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "30 1 * * *", "*-*-* 01:30:00", NULL},
        {"LHST-10:30LHDT-11,M10.1.0,M4.1.0", "29 2 * * *", "*-*-* 02:29:00", "*-10-* 02:30:00"},
        {"AAA3BBB,M10.3.0/0,M2.3.0/0", "0 0 * * *", "*-*-* 00:00:00", "*-10-* 01:00:00"},
        {"AAA3BBB,M10.3.0/23:30,M2.3.0", "15 0 * * *", "*-*-* 00:15:00", "*-10-* 00:30:00"},
        {"UTC0", "30 2 * * *", "*-*-* 02:30:00", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct zone *zone = tzif_read_line(str_of(cases[i].zone));
        struct schedule schedule = parsed(cases[i].line);
        struct buf lines = {0}, expected = {0};
        struct err err;
        int64_t now = wall_of("2026-11-26T06:00:00Z");
        assert_int_equal(schedule_calendar_systemd(&lines, &schedule, zone, "Z", now, &err), 0);
        buf_addf(&expected, "OnCalendar=%s Z\n", cases[i].event);
        if (cases[i].further)
            buf_addf(&expected, "%sOnCalendar=%s Z\n", header, cases[i].further);
        claim_text(&lines, buf_cstr(&expected));
        buf_free(&expected);
        tzif_free(zone);
    }
    struct schedule starred = parsed("*/30 * * * *");
    struct buf lines = {0};
    struct err err;
    assert_int_equal(schedule_calendar_systemd(&lines, &starred, berlin(), NULL, 0, &err), 0);
    claim_text(&lines, "OnCalendar=*-*-* *:00,30:00\n# what clocks repeat, systemd does not\n");
}

/* ---- words ---- */

/* What cron hands to its shell, as crontab(5) has it: a backslash keeps the next byte, and is taken
 * away before "%"; a bare "%" would end the command. */
static void as_cron(const char *line, struct buf *shell)
{
    for (const char *c = line; *c && *c != '\n'; c++) {
        assert_int_not_equal(*c, '%');
        if (*c == '\\' && c[1]) {
            if (c[1] != '%')
                buf_addc(shell, *c);
            c++;
        }
        buf_addc(shell, *c);
    }
}

/* The words that the shell makes of what follows "every ", each with an end of line behind it. */
static void run_shell(const char *text, struct buf *words)
{
    static const char every[] = "/usr/libexec/fittings/every ";
    char sh[] = "/bin/sh", flag[] = "-c";
    struct buf script = {0};
    struct err err;
    int ends[2], status;
    const char *from = strstr(text, every);
    assert_non_null(from);
    buf_addf(&script, "printf '%%s\\n' %s", from + strlen(every));
    char *const arguments[] = {sh, flag, buf_cstr(&script), NULL};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t shell = vfork();
    if (shell == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execv(sh, arguments);
        _exit(127);
    }
    close(ends[1]);
    assert_int_equal(slurp_fd(ends[0], "sh", 1 << 20, words, &err), 0);
    close(ends[0]);
    assert_int_equal(waitpid(shell, &status, 0), shell);
    assert_int_equal(status, 0);
    buf_free(&script);
}

static void words_come_through_cron_and_its_shell(void **state)
{
    (void)state;
    static const char bytes[] = "\\%'\"$`! ~*?[]{}()<>|&;#=ab\t\x01\xc3\xa9";
    struct rng rng;
    rng_seed(&rng, 11);
    struct schedule schedule = parsed("@daily");
    for (int round = 0; round < 200; round++) {
        char word[4][12];
        struct buf expected = {0}, got = {0}, text = {0}, shell = {0};
        struct err err;
        buf_puts(&expected, "@daily\n--once\n--\n");
        for (int i = 0; i < 4; i++) {
            size_t len = rng_below(&rng, 8);
            for (size_t j = 0; j < len; j++)
                word[i][j] = bytes[rng_below(&rng, sizeof bytes - 1)];
            word[i][len] = '\0';
            buf_addf(&expected, "%s\n", word[i]);
        }
        struct schedule_print print =
            entry(&schedule, "@daily", NULL, WORDS(word[0], word[1], word[2], word[3]));
        assert_int_equal(schedule_print_crontab(&print, &text, &err), 0);
        as_cron(strchr(buf_cstr(&text), '\n') + 1, &shell);
        run_shell(buf_cstr(&shell), &got);
        assert_string_equal(buf_cstr(&got), buf_cstr(&expected));
        buf_free(&expected);
        buf_free(&got);
        buf_free(&text);
        buf_free(&shell);
    }
}

static void refuses_what_an_entry_cannot_hold(void **state)
{
    (void)state;
    char *long_word = mem_zalloc(2000);
    memset(long_word, 'x', 1999);
    struct schedule schedule = parsed("@daily");
    struct buf text = {0};
    struct err err;
    struct schedule_print print = entry(&schedule, "@daily", NULL, WORDS("a\nb"));
    assert_int_equal(schedule_print_crontab(&print, &text, &err), -1);
    assert_string_equal(err.text, "a crontab cannot hold an end of line: 'a\nb'");
    assert_int_equal(schedule_print_systemd(&print, &text, &err), 0);
    buf_clear(&text);
    print = entry(&schedule, "@daily", NULL, WORDS(long_word));
    assert_int_equal(schedule_print_crontab(&print, &text, &err), -1);
    assert_non_null(strstr(err.text, "cron reads 998 of a line"));
    print = entry(&schedule, "@daily", NULL, WORDS("a\xff"));
    assert_int_equal(schedule_print_crontab(&print, &text, &err), 0);
    buf_clear(&text);
    assert_int_equal(schedule_print_systemd(&print, &text, &err), -1);
    struct schedule late = parsed("at 2200-01-01T12:00");
    print = entry(&late, "at 2200-01-01T12:00", NULL, WORDS("f"));
    assert_int_equal(schedule_print_systemd(&print, &text, &err), -1);
    assert_string_equal(err.text, "systemd knows no years after 2199");
    print = entry(&schedule, "@daily", NULL, NULL);
    print.folder = "/tmp/a\nb";
    assert_int_equal(schedule_print_crontab(&print, &text, &err), -1);
    assert_int_equal(schedule_print_systemd(&print, &text, &err), -1);
    assert_int_equal(text.len, 0);
    buf_free(&text);
    free(long_word);
}

/* ---- times ---- */

static void shows_times_with_their_offset(void **state)
{
    (void)state;
    static const struct {
        const char *at, *shown;
    } cases[] = {
        {"2026-11-27T04:00:00Z", "2026-11-27T05:00:00+01:00"},
        {"2026-10-25T00:30:00Z", "2026-10-25T02:30:00+02:00"},
        {"2026-10-25T01:30:00Z", "2026-10-25T02:30:00+01:00"},
        {"2026-12-31T23:30:00.25Z", "2027-01-01T00:30:00.25+01:00"},
    };
    struct buf text = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        schedule_show_time(&text, berlin(), wall_of(cases[i].at));
        claim_text(&text, cases[i].shown);
    }
    schedule_show_time(&text, &zone_utc, 1);
    claim_text(&text, "1970-01-01T00:00:00.000000001+00:00");
    struct zone *west = tzif_read_line(STR("NST3:30NDT,M3.2.0,M11.1.0"));
    schedule_show_time(&text, west, 0);
    claim_text(&text, "1969-12-31T20:30:00-03:30");
    tzif_free(west);
    struct zone *odd = tzif_read_line(STR("MMT0:44:30")); /* Monrovia, until 1972 */
    schedule_show_time(&text, odd, 0);
    claim_text(&text, "1970-01-01T00:00:00+00:00");
    tzif_free(odd);
}

static int free_zone(void **state)
{
    (void)state;
    tzif_free((struct zone *)(uintptr_t)berlin());
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_a_line_of_a_crontab),
        cmocka_unit_test(a_crontab_of_another_zone_has_a_line_for_what_clocks_skip),
        cmocka_unit_test(prints_a_service_and_a_timer),
        cmocka_unit_test(intervals_and_moments_are_said_where_they_can_be),
        cmocka_unit_test(a_moment_is_said_with_its_day),
        cmocka_unit_test(times_that_clocks_skip_have_an_event_of_their_own),
        cmocka_unit_test(components_are_short_and_complete),
        cmocka_unit_test(words_come_through_cron_and_its_shell),
        cmocka_unit_test(refuses_what_an_entry_cannot_hold),
        cmocka_unit_test(shows_times_with_their_offset),
    };
    return cmocka_run_group_tests(tests, NULL, free_zone);
}
