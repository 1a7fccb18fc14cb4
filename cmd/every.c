/* every: periodic invoker. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/num.h"
#include "engine/every_look.h"
#include "engine/every_run.h"
#include "fn/words.h"
#include "state/home.h"
#include "sys/zone_named.h"

#include <stdlib.h>

static const struct command command = {
    .name = "every",
    .summary = "periodic invoker",
    .purpose = "Time",
    .usage =
        (const char *const[]){"SCHEDULE [options] [--] [FUNCTION...]",
                              "SCHEDULE --once [options] [--] FUNCTION...",
                              "SCHEDULE --next N [--tz ZONE] [--name NAME]",
                              "SCHEDULE --print crontab|systemd [options] [--] FUNCTION...", NULL},
    .notes = (const char *const[]){"SCHEDULE is one word: 30s, '0 5 * * mon', @daily, 'at 17:30'.",
                                   NULL},
    .uses = every_uses,
    .operands = OPTIONS_STOP_AT_WORD,
    .operand_arg = "FUNCTION",
};

static struct ticks_setup setup;
static struct zone *zone;

/* ---- the schedule and the name ---- */

static void read_schedule(void)
{
    struct err err;
    zone = every_options.zone ? zone_named(every_options.zone, &err)
                              : zone_of_variable(getenv("TZ"), &err);
    if (!zone)
        options_fail(&command, "%s%s", every_options.zone ? "--tz: " : "TZ: ", err.text);
    setup = (struct ticks_setup){.text = buf_cstr(&every_options.schedule),
                                 .zone_name = every_options.zone,
                                 .zone = zone,
                                 .policy = every_options.policy,
                                 .once = every_options.once};
    if (schedule_parse(&setup.schedule, setup.text, zone, clock_wall(), &err) < 0)
        options_fail(&command, "%s: %s", setup.text, err.text);
    if (setup.schedule.interval % (NUM_SECOND / 1000))
        options_fail(&command, "%s: finer than 1ms", setup.text);
}

/* The one that is given, or the schedule and the function's words, as far as that is a name. */
static char *choose_name(const struct options_words *function)
{
    enum { LONGEST = 200 };
    struct buf name = {0};
    char text[HASH_TEXT];
    struct err err;
    buf_puts(&name, every_options.name ? every_options.name : setup.text);
    if (every_options.name)
        return buf_take(&name);
    char *words = words_join(function->words, function->count);
    buf_addf(&name, "%s%s", function->count ? " " : "", words);
    free(words);
    if (name.len <= LONGEST && home_check_name(buf_cstr(&name), &err) == 0)
        return buf_take(&name);
    hash_format(hash_128(buf_str(&name)), text);
    buf_clear(&name);
    buf_addf(&name, "%s %s", setup.text, text);
    return buf_take(&name);
}

/* ---- running ---- */

static int64_t read_test_at(void)
{
    struct schedule moment;
    struct buf text = {0};
    struct err err;
    buf_addf(&text, "at %s", every_options.test_at);
    if (schedule_parse(&moment, buf_cstr(&text), zone, clock_wall(), &err) < 0)
        options_fail(&command, "--test-at: %s: %s", every_options.test_at, err.text);
    buf_free(&text);
    return moment.at;
}

static int run(const struct options_words *function)
{
    int status;
    if (every_options.print)
        return every_look_print(&command, &setup, function);
    char *name = choose_name(function);
    if (every_options.next)
        status = every_look_next(&setup, name);
    else if (every_options.test_at)
        status = every_run_test(name, function, read_test_at());
    else
        status = every_run(&setup, name, function);
    free(name);
    return status;
}

int main(int argc, char **argv)
{
    struct options_words function = every_options_parse(&command, argc, argv);
    read_schedule();
    int status = run(&function);
    zone_named_free(zone);
    return status;
}
