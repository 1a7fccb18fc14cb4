/* every_look.c: what `every` says of a schedule without running anything. */
#include "engine/every_look.h"

#include "base/clock.h"
#include "base/num.h"
#include "base/msg.h"
#include "engine/asking.h"
#include "engine/schedule_print.h"
#include "engine/schedule_show.h"
#include "engine/state_dir.h"
#include "engine/ticks_kept.h"
#include "sys/zone_named.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- its next times ---- */

/* What is kept under the name; zeroed if nothing is. False: *status is what to exit with. */
static bool read_kept(const char *name, struct ticks_record *record, int *status)
{
    struct engine *engine = NULL;
    if (!every_options.name && !every_common.state)
        return true;
    if (!asking_has_state(&every_common, status))
        return *status == EXIT_OK;
    struct cursor_hold hold = {.kind = TICKS_RECORD_KIND, .name = str_of(name)};
    hold.store = asking_open(&every_common, &engine, status);
    bool read = hold.store && ticks_kept_read(&hold, record, status);
    engine_free(engine);
    return read;
}

/* The schedule as a process that goes on would have it, and behind which time. False: a process
 * would begin it anew. */
static bool go_on(const struct ticks_setup *setup, const struct ticks_record *record, int64_t now,
                  struct schedule *schedule, int64_t *after)
{
    struct ticks ticks;
    struct tick tick;
    int64_t when;
    bool resumes = ticks_setup_begin(setup, record, now, &ticks);
    ticks_next(&ticks, now, &tick, &when); /* the clock may have been set back */
    *schedule = ticks.schedule;
    *after = ticks.through > now ? ticks.through : now;
    ticks_free(&ticks);
    return resumes;
}

int every_look_next(const struct ticks_setup *setup, const char *name)
{
    struct ticks_record record = {0};
    struct schedule schedule;
    int64_t now = clock_wall(), after;
    int status = EXIT_OK;
    if (!read_kept(name, &record, &status))
        return status;
    if (!go_on(setup, &record, now, &schedule, &after)) {
        schedule = setup->schedule;
        int64_t finest = schedule.interval % NUM_SECOND ? NUM_SECOND / 1000 : NUM_SECOND;
        schedule.anchor = now - now % finest + finest;
        after = now;
    }
    ticks_record_free(&record);
    return schedule_show_next(&schedule, setup->zone, after, every_options.next);
}

/* ---- entries for others ---- */

/* The words between the schedule and the function. */
static void find_options(struct schedule_print *print, const struct options_words *function)
{
    char *const *line = options_line();
    size_t count = 0;
    while (line[count])
        count++;
    print->options = line + every_options.schedule_words;
    print->option_count = count - every_options.schedule_words - function->count;
    print->option_count -= function->separated;
}

/* --tz, or what TZ says: a name, which an entry can hold. NULL: the machine's. */
static const char *name_zone(const struct command *command)
{
    const char *variable = getenv("TZ");
    struct err err;
    if (every_options.zone || !variable)
        return every_options.zone;
    variable += *variable == ':';
    if (!*variable)
        return "UTC";
    if (strcmp(variable, "/etc/localtime") == 0) /* says what is so without it, but quicker */
        return NULL;
    struct zone *zone = zone_named(variable, &err);
    if (!zone)
        options_fail(command, "--print: TZ is not the name of a time zone: say it with --tz");
    zone_named_free(zone);
    return variable;
}

/* Where the state is, if what the entry is started by would not find it there by itself. */
static char *find_state(void)
{
    const char *folder = getenv("XDG_STATE_HOME");
    struct err err;
    if (!state_dir_is_named(every_common.state) && (!folder || !*folder))
        return NULL;
    return state_dir_path(every_common.state, &err);
}

static int find_program(char program[PATH_MAX], char folder[PATH_MAX], struct err *err)
{
    ssize_t len = readlink("/proc/self/exe", program, PATH_MAX - 1);
    if (len < 0)
        return err_sys(err, "/proc/self/exe");
    program[len] = '\0';
    return getcwd(folder, PATH_MAX) ? 0 : err_sys(err, "working directory");
}

static int put(const struct buf *text)
{
    if (fwrite(text->data, 1, text->len, stdout) == text->len && fflush(stdout) == 0)
        return EXIT_OK;
    msg_error("write to standard output: %s", strerror(errno));
    return EXIT_FITTING;
}

int every_look_print(const struct command *command, const struct ticks_setup *setup,
                     const struct options_words *function)
{
    static char program[PATH_MAX], folder[PATH_MAX];
    struct err err;
    if (find_program(program, folder, &err) < 0)
        return engine_refuse(&err);
    char *state = find_state();
    struct schedule_print print = {
        .command = command,
        .program = program,
        .text = setup->text,
        .schedule = &setup->schedule,
        .zone = setup->zone,
        .zone_name = name_zone(command),
        .function = function->words,
        .function_count = function->count,
        .name = every_options.name,
        .folder = folder,
        .path = getenv("PATH"),
        .state = state,
        .missed = setup->policy.missed != TICKS_NONE,
        .now = clock_wall(),
    };
    find_options(&print, function);
    struct buf text = {0};
    bool crontab = strcmp(every_options.print, "crontab") == 0;
    if ((crontab ? schedule_print_crontab(&print, &text, &err)
                 : schedule_print_systemd(&print, &text, &err)) < 0)
        options_fail(command, "--print %s: %s: %s", every_options.print, setup->text, err.text);
    int status = put(&text);
    buf_free(&text);
    free(state);
    return status;
}
