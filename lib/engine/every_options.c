/* every_options.c: the options of `every`, and its schedule, which stands before them. */
#include "engine/every_options.h"

#include "base/num.h"
#include "engine/common_http.h"
#include "engine/common_policies.h"
#include "state/home.h"

#include <string.h>

struct common_options every_common;
struct every_options every_options;

enum timing_id {
    ID_TZ = 1,
    ID_MISSED,
    ID_START_DEADLINE,
    ID_OVERLAP,
    ID_JITTER,
    ID_COUNT,
    ID_DATA,
};
enum keeping_id { ID_NAME = 1, ID_ONCE };
enum looking_id { ID_NEXT = 1, ID_PRINT, ID_TEST_AT };

static const struct option_entry timing_entries[] = {
    {"tz", 0, ID_TZ, "ZONE", "the time zone of the schedule [TZ, or the machine's]", NULL},
    {"missed", 0, ID_MISSED, "none|one|all", "times that nobody was there for [one]",
     "With one the last of them begins, and its event says how many were left out; with none it "
     "begins only if it is no later than a minute, or --start-deadline; with all each begins in "
     "its turn."},
    {"start-deadline", 0, ID_START_DEADLINE, "DUR", "a time is missed when it begins later [never]",
     NULL},
    {"overlap", 0, ID_OVERLAP, "forbid|allow|replace|queue",
     "when the last run is still under way [forbid]",
     "With forbid the time is skipped; with allow it is so when --jobs runs are under way; with "
     "replace the last run is ended; with queue the time waits for it, and up to 1000 do."},
    {"jitter", 0, ID_JITTER, "DUR", "begin up to so much later, each time another [0]",
     "A run still begins before the next time. The delay is the same for the same name and time."},
    {"count", 0, ID_COUNT, "N", "end after N runs [never]", NULL},
    {"data", 0, ID_DATA, NULL, "events are the bare data of the CloudEvent", NULL},
    {0},
};

static const struct option_entry keeping_entries[] = {
    {"name", 0, ID_NAME, "NAME", "keep in the state what has run, under this name",
     "So times are not run again, and those that were missed are made up for, also after a kill. "
     "With --state or --once the default is the schedule and the function's words."},
    {"once", 0, ID_ONCE, NULL, "run what is due now, and end: for cron", NULL},
    {0},
};

static const struct option_entry looking_entries[] = {
    {"next", 0, ID_NEXT, "N", "print the next N times of the schedule, and end", NULL},
    {"print", 0, ID_PRINT, "crontab|systemd", "print what starts this there, and end",
     "It calls the same command line with --once, in this folder and with this PATH. A schedule "
     "that cannot be said there is refused."},
    {"test-at", 0, ID_TEST_AT, "TIME", "run once, as if it were TIME; nothing is kept",
     "TIME is local (2026-12-24T18:00, 18:00), or has an offset (2026-12-24T17:00:00Z)."},
    {0},
};

static int choose(const char *arg, const char *const *words, size_t count, int *chosen,
                  const char *all, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(arg, words[i]) == 0) {
            *chosen = (int)i;
            return 0;
        }
    }
    return err_set(err, ERR_USAGE, "not %s", all);
}

static int set_missed(const char *arg, struct err *err)
{
    static const char *const words[] = {
        [TICKS_ONE] = "one", [TICKS_NONE] = "none", [TICKS_ALL] = "all"};
    int chosen = TICKS_ONE;
    int status = choose(arg, words, 3, &chosen, "none, one or all", err);
    every_options.policy.missed = (enum ticks_missed)chosen;
    return status;
}

static int set_overlap(const char *arg, struct err *err)
{
    static const char *const words[] = {[TICKS_FORBID] = "forbid",
                                        [TICKS_ALLOW] = "allow",
                                        [TICKS_REPLACE] = "replace",
                                        [TICKS_QUEUE] = "queue"};
    int chosen = TICKS_FORBID;
    int status = choose(arg, words, 4, &chosen, "forbid, allow, replace or queue", err);
    every_options.policy.overlap = (enum ticks_overlap)chosen;
    return status;
}

static int set_deadline(const char *arg, struct err *err)
{
    const char *reason = num_duration(arg, &every_options.policy.deadline);
    return options_check(reason                          ? reason
                         : every_options.policy.deadline ? NULL
                                                         : "must not be 0",
                         err);
}

static int set_timing(void *into, int id, const char *arg, struct err *err)
{
    struct every_options *options = into;
    switch ((enum timing_id)id) {
    case ID_TZ:
        options->zone = arg;
        return 0;
    case ID_MISSED:
        return set_missed(arg, err);
    case ID_START_DEADLINE:
        return set_deadline(arg, err);
    case ID_OVERLAP:
        return set_overlap(arg, err);
    case ID_JITTER:
        return options_check(num_duration(arg, &options->policy.jitter), err);
    case ID_COUNT:
        return options_check(num_uint(arg, 1, UINT64_MAX, &options->count), err);
    case ID_DATA:
        options->data = true;
        return 0;
    }
    return 0;
}

static int set_keeping(void *into, int id, const char *arg, struct err *err)
{
    struct every_options *options = into;
    if (id == ID_ONCE) {
        options->once = true;
        return 0;
    }
    options->name = arg;
    return home_check_name(arg, err);
}

static int set_looking(void *into, int id, const char *arg, struct err *err)
{
    static const char *const prints[] = {"crontab", "systemd", NULL};
    struct every_options *options = into;
    switch ((enum looking_id)id) {
    case ID_NEXT:
        return options_check(num_uint(arg, 1, UINT64_MAX, &options->next), err);
    case ID_PRINT:
        options->print = arg;
        return options_choice(prints, arg, err) < 0 ? -1 : 0;
    case ID_TEST_AT:
        options->test_at = arg;
        return 0;
    }
    return 0;
}

static const struct option_group timing = {"Times", timing_entries, set_timing};
static const struct option_group keeping = {"What has run", keeping_entries, set_keeping};
static const struct option_group looking = {"Looking and trying", looking_entries, set_looking};

const struct option_use every_uses[] = {
    {&timing, &every_options},          {&keeping, &every_options},
    {&looking, &every_options},         {&common_calling, &every_common},
    {&common_policies, &every_common},  {&common_http, &every_common},
    {&common_flow, &every_common},      {&common_events, &every_common},
    {&common_reporting, &every_common}, {0}};

/* ---- the command line ---- */

/* How many words the schedule has; 0: there is none. */
static int read_schedule(int argc, char **argv)
{
    struct buf *text = &every_options.schedule;
    if (argc < 2 || argv[1][0] == '-')
        return 0;
    buf_puts(text, argv[1]);
    if (strcmp(argv[1], "at") != 0 || argc < 3)
        return 1;
    buf_addf(text, " %s", argv[2]);
    return 2;
}

/* Could it be a field of a cron line? */
static bool is_field(const char *word)
{
    return *word && !word[strspn(word, "0123456789*/,-")];
}

static void check(const struct command *command, const struct options_words *function)
{
    const struct every_options *own = &every_options;
    if (is_field(buf_cstr(&every_options.schedule)) && function->count && !function->separated &&
        is_field(function->words[0]))
        options_fail(command, "%s %s: the schedule is one word: quote it ('0 5 * * mon')",
                     own->schedule.data, function->words[0]);
    if ((own->next != 0) + (own->print != NULL) + (own->test_at != NULL) > 1)
        options_fail(command, "only one of --next, --print and --test-at");
    if (own->once && (own->next || own->test_at))
        options_fail(command, "%s and --once do not go together",
                     own->next ? "--next" : "--test-at");
    if (every_common.chose_jobs && own->policy.overlap != TICKS_ALLOW)
        options_fail(command, "--jobs needs --overlap allow: else runs do not overlap");
}

struct options_words every_options_parse(const struct command *command, int argc, char **argv)
{
    int skipped = read_schedule(argc, argv); /* what stands in the place of the command's name */
    every_options.schedule_words = (size_t)skipped;
    common_options_init(&every_common);
    every_common.unordered = true; /* a run that hangs is not to hold up what others print */
    struct options_words function = options_parse(command, argc - skipped, argv + skipped);
    options_line_begins(argv + 1);
    if (!skipped)
        options_fail(command, "no schedule (30s, '0 5 * * mon', @daily, at 17:30)");
    check(command, &function);
    if (every_options.policy.overlap != TICKS_ALLOW)
        every_common.calling.jobs = 1;
    every_options.policy.at_once = every_common.calling.jobs;
    return function;
}
