/* test_options.c: claims about options.h, options_help.h, options_dump.h and common_options.h. */
#include "engine/common_options.h"
#include "engine/options.h"
#include "engine/options_dump.h"
#include "engine/options_form.h"
#include "engine/options_help.h"

#include "base/buf.h"
#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WORDS_MAX = 16 };

static struct common_options common;
static struct buf seen; /* what the callbacks of the command received, in order */

static int set_own(void *into, int id, const char *arg, struct err *err)
{
    (void)into;
    if (arg && strcmp(arg, "bad") == 0)
        return err_set(err, ERR_USAGE, "not good");
    buf_addf(&seen, "[%c %s]", id, arg ? arg : "-");
    return 0;
}

static int take_operand(void *into, const char *word, struct err *err)
{
    (void)into;
    (void)err;
    buf_addf(&seen, "(%s)", word);
    return 0;
}

static const struct option_entry own_entries[] = {
    {"split", 's', 's', "JQ", "split each event into parts", "Its outputs are the parts."},
    {"undo", 0, 'u', "FUNCTION", "undo the stage before", NULL},
    {"on-part-failure", 0, 'p', "fail|skip|null", "what a failed part means [fail]", NULL},
    {"table", 't', 't', "FILE", "it's a \"file\" with \\ in its help [none]",
     ".dots and 'quotes'."},
    {"explain", 'e', 'e', NULL, "print the plan", NULL},
    {"secret", 0, 'x', NULL, NULL, NULL},
    {0},
};

static const struct option_group own = {"Splitting", own_entries, set_own};
static const struct option_use uses[] = {
    {&own, NULL},
    {&common_calling, &common},
    {&common_flow, &common},
    {&common_events, &common},
    {&common_reporting, &common},
    {0},
};
static const char *const usage[] = {"[options] [--] FUNCTION...", NULL};
static const struct command stopping = {
    .name = "fan-out",
    .summary = "run a function on many events",
    .purpose = "Composition",
    .usage = usage,
    .uses = uses,
    .operand_arg = "FUNCTION",
};
static const struct command mixing = {
    .name = "chain",
    .summary = "run functions one after another",
    .purpose = "Composition",
    .usage = usage,
    .uses = uses,
    .operands = OPTIONS_ANYWHERE,
    .operand_arg = "FUNCTION",
    .operand = take_operand,
};

static struct options_words words;
static const char *dump;
static struct err err;

/* Read a NULL-terminated list of words. */
static enum options_outcome read_words(const struct command *command, const char *const *list)
{
    static char *argv[WORDS_MAX];
    int argc = 0;
    argv[argc++] = (char *)(uintptr_t)command->name;
    while (list[argc - 1]) {
        argv[argc] = (char *)(uintptr_t)list[argc - 1];
        argc++;
    }
    argv[argc] = NULL;
    buf_clear(&seen);
    common_options_init(&common);
    memset(&err, 0, sizeof err);
    return options_read(command, argc, argv, &words, &dump, &err);
}

#define READ(command, ...) read_words(&(command), (const char *const[]){__VA_ARGS__, NULL})

static void expect_wrong(enum options_outcome outcome, const char *text)
{
    assert_string_equal(err.text, text);
    assert_int_equal(outcome, OPTIONS_WRONG);
    assert_int_equal(err.kind, ERR_USAGE);
}

static void takes_all_forms_of_values(void **state)
{
    (void)state;
    assert_int_equal(READ(stopping, "--jobs", "3", "-s.a", "--split=.b", "-e", "-s", ".c"), 0);
    assert_string_equal(buf_cstr(&seen), "[s .a][s .b][e -][s .c]");
    assert_int_equal(common.calling.jobs, 3);
    assert_int_equal(words.count, 0);
    assert_null(words.words[0]);
    assert_int_equal(READ(stopping, "-ej7"), 0);
    assert_int_equal(common.calling.jobs, 7);
    assert_string_equal(buf_cstr(&seen), "[e -]");
}

static void leaves_the_options_of_the_function_alone(void **state)
{
    (void)state;
    assert_int_equal(READ(stopping, "-j2", "sh", "-c", "exec cat", "--jobs", "9"), OPTIONS_READ);
    assert_int_equal(common.calling.jobs, 2);
    assert_int_equal(words.count, 5);
    assert_false(words.separated);
    assert_string_equal(words.words[0], "sh");
    assert_string_equal(words.words[4], "9");
    assert_null(words.words[5]);
    assert_string_equal(options_find_taken(&stopping, words.words, words.count), "--jobs");

    assert_int_equal(READ(stopping, "-j2", "--", "-odd", "--", "--jobs"), OPTIONS_READ);
    assert_true(words.separated);
    assert_int_equal(words.count, 3);
    assert_string_equal(words.words[0], "-odd");
    assert_string_equal(words.words[1], "--");
}

static void finds_only_own_long_options_among_a_functions_words(void **state)
{
    (void)state;
    assert_int_equal(READ(stopping, "--", "--jobs", "-j", "--job", "--jobs-of", "x"), OPTIONS_READ);
    assert_null(options_find_taken(&stopping, words.words, words.count));
    assert_int_equal(READ(stopping, "f", "--timeout=3"), OPTIONS_READ);
    assert_string_equal(options_find_taken(&stopping, words.words, words.count), "--timeout=3");
    assert_int_equal(READ(stopping, "f", "--help"), OPTIONS_READ);
    assert_string_equal(options_find_taken(&stopping, words.words, words.count), "--help");
}

static void gives_options_and_operands_in_their_order(void **state)
{
    (void)state;
    assert_int_equal(READ(mixing, "a", "--undo", "b", "-j2", "c", "-e", "", "-", "--", "-e", "--"),
                     0);
    assert_string_equal(buf_cstr(&seen), "(a)[u b](c)[e -]()(-)(-e)(--)");
    assert_int_equal(words.count, 0);
}

static void is_not_changed_by_the_environment(void **state)
{
    (void)state;
    setenv("POSIXLY_CORRECT", "1", 1);
    assert_int_equal(READ(mixing, "a", "-e", "b"), OPTIONS_READ);
    assert_string_equal(buf_cstr(&seen), "(a)[e -](b)");
    assert_string_equal(getenv("POSIXLY_CORRECT"), "1");
    unsetenv("POSIXLY_CORRECT");
}

static void keeps_values_that_popt_would_substitute(void **state)
{
    (void)state;
    assert_int_equal(READ(mixing, "--split=a!#:+b!#:+", "-s", "!#:+", "!#:+", "\x01#:+"), 0);
    assert_string_equal(buf_cstr(&seen), "[s a!#:+b!#:+][s !#:+](!#:+)(\x01#:+)");
    assert_int_equal(READ(stopping, "-e", "x", "!#:+"), OPTIONS_READ);
    assert_string_equal(words.words[1], "!#:+");
}

static int run_form(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

/* The form of a command line whose first word is the command's name; NULL: none. */
static const char *form_of(const char *const *line)
{
    static const struct option_verb forms[] = {{"explain", run_form}, {"table", run_form}, {0}};
    char *argv[WORDS_MAX];
    int argc = 0;
    for (; line[argc]; argc++)
        argv[argc] = (char *)(uintptr_t)line[argc];
    const struct option_verb *form = options_form(&stopping, forms, argc, argv);
    return form ? form->name : NULL;
}

#define FORM(...) form_of((const char *const[]){"apply", __VA_ARGS__, NULL})

static void tells_the_form_of_a_command_line_by_its_options(void **state)
{
    (void)state;
    assert_string_equal(FORM("--explain"), "explain");
    assert_string_equal(FORM("--table", "x"), "table");
    assert_string_equal(FORM("--table=x"), "table");
    assert_string_equal(
        FORM("-u", "--jobs", "2", "-j2", "-j", "3", "-uj", "4", "--split=x", "--explain"),
        "explain");
    assert_null(FORM("-u"));
    assert_null(FORM("--split", "--explain")); /* which is its value */
    assert_null(FORM("-s", "--explain"));
    assert_null(FORM("-us", "--explain"));
    assert_string_equal(FORM("-su", "--explain"), "explain"); /* the value of -s is u */
    assert_null(FORM("word", "--explain"));
    assert_null(FORM("--", "--explain"));
    assert_null(FORM("-", "--explain"));
    assert_null(FORM("--unknown", "word", "--explain"));
    assert_null(FORM("--split"));
}

static void names_an_option_of_another_form(void **state)
{
    static const struct option_use common_only[] = {{&common_flow, &common}, {0}};
    const struct command command = {.name = "apply",
                                    .usage = usage,
                                    .uses = common_only,
                                    .form = "--table",
                                    .elsewhere = uses,
                                    .operands = OPTIONS_STOP_AT_WORD};
    const char *const wrong[][2] = {{"--split=x", "--split: not with --table"},
                                    {"-s", "-s: not with --table"},
                                    {"-uj2", "-j: not with --table"},
                                    {"--splat", "--splat: unknown option"},
                                    {"-_", "-_: unknown option"}};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *argv[] = {(char *)(uintptr_t) "apply", (char *)(uintptr_t)wrong[i][0], NULL};
        assert_int_equal(options_read(&command, 2, argv, &words, &dump, &err), OPTIONS_WRONG);
        assert_string_equal(err.text, wrong[i][1]);
    }
}

static void names_an_unknown_option_and_the_nearest_known(void **state)
{
    (void)state;
    expect_wrong(READ(stopping, "--jbos=4"), "--jbos: unknown option (did you mean --jobs?)");
    expect_wrong(READ(stopping, "--xyzzy"), "--xyzzy: unknown option");
    expect_wrong(READ(stopping, "--timeou"), "--timeou: unknown option (did you mean --timeout?)");
    expect_wrong(READ(stopping, "--secre"), "--secre: unknown option");
    expect_wrong(READ(stopping, "-ez"), "-z: unknown option");
    expect_wrong(READ(stopping, "-jobs"), "--jobs: obs: not a number");
}

static void names_an_option_whose_value_is_missing_or_unwanted(void **state)
{
    (void)state;
    expect_wrong(READ(stopping, "--jobs"), "--jobs: a value must follow");
    expect_wrong(READ(stopping, "-j"), "-j: a value must follow");
    expect_wrong(READ(stopping, "--stats=yes"), "--stats: takes no value");
    expect_wrong(READ(stopping, "--split="), "--split: the value is empty");
    expect_wrong(READ(stopping, "--jobs", ""), "--jobs: the value is empty");
}

static void names_the_option_its_value_and_the_cause(void **state)
{
    (void)state;
    expect_wrong(READ(stopping, "--split", "bad"), "--split: bad: not good");
    expect_wrong(READ(stopping, "-j010"), "--jobs: 010: a leading zero");
    expect_wrong(READ(stopping, "-j0"), "--jobs: 0: must not be 0");
    expect_wrong(READ(stopping, "-j-5"), "--jobs: -5: not a number");
    expect_wrong(READ(stopping, "--retries", "1e3"), "--retries: 1e3: not a number");
    expect_wrong(READ(stopping, "--timeout=5x"), "--timeout: 5x: not a duration (ms, s, m, h, d)");
    expect_wrong(READ(stopping, "--max-event=99999999999999999999"),
                 "--max-event: 99999999999999999999: too large");
}

static void shortens_a_long_value_in_an_error(void **state)
{
    (void)state;
    char value[300];
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = 0;
    assert_int_equal(READ(stopping, "--jobs", value), OPTIONS_WRONG);
    assert_non_null(strstr(err.text, "xxx...: not a number"));
    assert_true(strlen(err.text) < 100);
}

static void refuses_an_operand_where_none_is_taken(void **state)
{
    (void)state;
    struct command none = mixing;
    none.operand = NULL;
    assert_int_equal(READ(none, "word"), OPTIONS_WRONG);
    assert_string_equal(err.text, "word: not an option, and operands are not taken");
}

static void stops_at_help_version_and_dump(void **state)
{
    (void)state;
    assert_int_equal(READ(stopping, "-h", "--xyzzy"), OPTIONS_HELP);
    assert_int_equal(READ(stopping, "--help"), OPTIONS_HELP);
    assert_int_equal(READ(stopping, "--version"), OPTIONS_VERSION);
    assert_int_equal(READ(stopping, "--dump-options=json"), OPTIONS_DUMP);
    assert_string_equal(dump, "json");
    expect_wrong(READ(stopping, "--dump-options=x"), "--dump-options: x: unknown format");
    expect_wrong(READ(stopping, "--xyzzy", "--help"), "--xyzzy: unknown option");
}

static void has_sensible_defaults(void **state)
{
    (void)state;
    common_options_init(&common);
    assert_int_equal(common.calling.jobs, common_options_cores());
    assert_true(common.calling.jobs >= 1);
    assert_int_equal(common.calling.timeout, 0);
    assert_int_equal(common.calling.grace, 2 * NUM_SECOND);
    assert_int_equal(common.max_event, 16 << 20);
    assert_false(common.seeded);
}

static void reads_the_common_options(void **state)
{
    (void)state;
    assert_int_equal(READ(stopping, "--timeout=1.5s", "--grace=0", "--retries=3",
                          "--backoff=10ms..1m", "--pipeline=auto", "--max-uses=9", "--max-age=1h",
                          "--max-result=1K", "--text", "--raw", "--literal", "--seed=0", "-u"),
                     0);
    assert_int_equal(common.calling.timeout, 1500 * (NUM_SECOND / 1000));
    assert_int_equal(common.calling.grace, 0);
    assert_int_equal(common.calling.retries, 3);
    assert_int_equal(common.calling.backoff_base, NUM_SECOND / 100);
    assert_int_equal(common.calling.backoff_cap, 60 * NUM_SECOND);
    assert_int_equal(common.calling.pipeline, 0);
    assert_int_equal(common.calling.max_uses, 9);
    assert_int_equal(common.calling.max_age, 3600 * NUM_SECOND);
    assert_int_equal(common.calling.max_result, 1024);
    assert_true(common.calling.text && common.calling.raw && common.calling.literal &&
                common.seeded && common.unordered);
    assert_int_equal(READ(stopping, "--pipeline=64", "--serial-by=.k", "--budget=55s", "--id=.id",
                          "--dead=d.ndjson", "--max-event=2M", "--stats", "--progress",
                          "--metrics=m.prom", "--trace=t.jsonl"),
                     0);
    assert_int_equal(common.calling.pipeline, 64);
    assert_string_equal(common.serial_by, ".k");
    assert_int_equal(common.budget, 55 * NUM_SECOND);
    assert_string_equal(common.id, ".id");
    assert_string_equal(common.dead, "d.ndjson");
    assert_int_equal(common.max_event, 2 << 20);
    assert_true(common.stats && common.progress);
    assert_string_equal(common.metrics, "m.prom");
    assert_string_equal(common.trace, "t.jsonl");
}

static void reads_a_percentage_of_the_cores(void **state)
{
    (void)state;
    assert_int_equal(READ(stopping, "-j200%"), OPTIONS_READ);
    assert_int_equal(common.calling.jobs, 2 * common_options_cores());
    assert_int_equal(READ(stopping, "-j1%"), OPTIONS_READ);
    assert_int_equal(common.calling.jobs, 1);
    assert_int_equal(READ(stopping, "-j0%"), OPTIONS_WRONG);
}

static void reads_when_to_halt(void **state)
{
    (void)state;
    assert_int_equal(READ(stopping, "--halt=now,fail=1"), OPTIONS_READ);
    assert_true(common.halt.now);
    assert_int_equal(common.halt.failures, 1);
    assert_int_equal(READ(stopping, "--halt", "soon,fail=10%"), OPTIONS_READ);
    assert_false(common.halt.now);
    assert_int_equal(common.halt.failures, 0);
    assert_float_equal(common.halt.fraction, 0.1, 1e-9);
    static const char *const wrong[] = {
        "now",         "later,fail=1",   "now,fail=",        "now,fail=0",
        "now,fail=0%", "soon,fail=101%", "now,fail=1,fail=2"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(READ(stopping, "--halt", wrong[i]), OPTIONS_WRONG);
}

static void reads_faults(void **state)
{
    (void)state;
    assert_int_equal(READ(stopping, "--fault=fail=10%,delay=200ms,crash=1%"), OPTIONS_READ);
    assert_float_equal(common.calling.fault.fail, 0.1, 1e-9);
    assert_float_equal(common.calling.fault.crash, 0.01, 1e-9);
    assert_int_equal(common.calling.fault.delay, NUM_SECOND / 5);
    static const char *const wrong[] = {"x", "fail=", "fail=10", "fail=10%,", ",", "delay=-1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(READ(stopping, "--fault", wrong[i]), OPTIONS_WRONG);
}

static void refuses_a_backoff_that_shrinks(void **state)
{
    (void)state;
    expect_wrong(READ(stopping, "--backoff=2s..1s"),
                 "--backoff: 2s..1s: the base is above the cap");
    expect_wrong(READ(stopping, "--backoff=2s"), "--backoff: 2s: not BASE..CAP");
    assert_int_equal(READ(stopping, "--backoff=..1s"), OPTIONS_WRONG);
    assert_int_equal(READ(stopping, "--backoff=1s.."), OPTIONS_WRONG);
}

static void shows_help_in_80_columns_without_hidden_options(void **state)
{
    (void)state;
    struct buf help = {0};
    options_help(&stopping, &help);
    const char *line = buf_cstr(&help);
    assert_ptr_equal(strstr(line, "usage: fan-out [options] [--] FUNCTION...\nRun a function"),
                     line);
    assert_non_null(strstr(line, "\n  -j, --jobs N|N%         calls at once"));
    assert_non_null(strstr(line, "\n      --on-part-failure fail|skip|null\n      "));
    assert_non_null(strstr(line, "\n  -h, --help "));
    assert_null(strstr(line, "secret"));
    assert_null(strstr(line, "dump-options"));
    for (const char *end; (end = strchr(line, '\n')); line = end + 1)
        assert_true(end - line < 80);
    buf_free(&help);
}

static void dumps_every_visible_option_in_every_form(void **state)
{
    (void)state;
    static const char *const formats[] = {"bash", "zsh", "fish", "json", "mdoc"};
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
        struct buf text = {0};
        assert_true(options_dump_knows(formats[f]));
        options_dump(&stopping, formats[f], &text);
        buf_cstr(&text);
        const struct option_group *group;
        for (size_t g = 0; (group = options_group(&stopping, g)); g++) {
            for (const struct option_entry *entry = group->entries; entry->name; entry++) {
                struct buf name = {0};
                for (const char *p = entry->name; *p; p++)
                    buf_addf(&name, "%s%c", *p == '-' && f == 4 ? "\\" : "", *p);
                assert_int_equal(!!strstr(text.data, buf_cstr(&name)), !!entry->help);
                buf_free(&name);
            }
        }
        buf_free(&text);
    }
    assert_false(options_dump_knows("xml"));
}

static void completes_by_the_kind_of_value(void **state)
{
    (void)state;
    struct buf text = {0};
    options_dump(&stopping, "fish", &text);
    buf_cstr(&text);
    assert_non_null(strstr(text.data, "-l dead -r -F"));
    assert_non_null(strstr(text.data, "-l on-part-failure -x -a 'fail skip null'"));
    assert_non_null(strstr(text.data, "-l pipeline -x -a 'auto'"));
    assert_non_null(strstr(text.data, "-l timeout -x -d"));
    assert_non_null(strstr(text.data, "-l explain -d"));
    buf_free(&text);
    options_dump(&stopping, "summary", &text);
    assert_string_equal(buf_cstr(&text), "Composition\trun a function on many events\n");
    buf_free(&text);
}

static void says_which_words_there_are(void **state)
{
    static const char *const names[] = {"block", "dead", "drop", NULL};
    (void)state;
    for (int i = 0; names[i]; i++)
        assert_int_equal(options_choice(names, names[i], &err), i);
    assert_int_equal(options_choice(names, "dea", &err), -1);
    assert_string_equal(err.text, "not block, dead or drop");
    assert_int_equal(options_choice(names + 1, "", &err), -1);
    assert_string_equal(err.text, "not dead or drop");
}

static int forget(void **state)
{
    (void)state;
    buf_free(&seen);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_all_forms_of_values),
        cmocka_unit_test(leaves_the_options_of_the_function_alone),
        cmocka_unit_test(finds_only_own_long_options_among_a_functions_words),
        cmocka_unit_test(gives_options_and_operands_in_their_order),
        cmocka_unit_test(is_not_changed_by_the_environment),
        cmocka_unit_test(keeps_values_that_popt_would_substitute),
        cmocka_unit_test(tells_the_form_of_a_command_line_by_its_options),
        cmocka_unit_test(names_an_option_of_another_form),
        cmocka_unit_test(names_an_unknown_option_and_the_nearest_known),
        cmocka_unit_test(names_an_option_whose_value_is_missing_or_unwanted),
        cmocka_unit_test(names_the_option_its_value_and_the_cause),
        cmocka_unit_test(shortens_a_long_value_in_an_error),
        cmocka_unit_test(refuses_an_operand_where_none_is_taken),
        cmocka_unit_test(stops_at_help_version_and_dump),
        cmocka_unit_test(has_sensible_defaults),
        cmocka_unit_test(reads_the_common_options),
        cmocka_unit_test(reads_a_percentage_of_the_cores),
        cmocka_unit_test(reads_when_to_halt),
        cmocka_unit_test(reads_faults),
        cmocka_unit_test(refuses_a_backoff_that_shrinks),
        cmocka_unit_test(shows_help_in_80_columns_without_hidden_options),
        cmocka_unit_test(dumps_every_visible_option_in_every_form),
        cmocka_unit_test(says_which_words_there_are),
        cmocka_unit_test(completes_by_the_kind_of_value),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
