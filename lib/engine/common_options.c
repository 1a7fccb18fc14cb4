/* common_options.c: the options that mean the same in every command. */
#include "engine/common_options.h"

#include "base/buf.h"
#include "base/msg.h"
#include "base/num.h"
#include "base/str.h"
#include "engine/common_policies.h"
#include "state/home.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

enum id {
    ID_JOBS = 1,
    ID_TIMEOUT,
    ID_GRACE,
    ID_RETRIES,
    ID_BACKOFF,
    ID_PIPELINE,
    ID_MAX_USES,
    ID_MAX_AGE,
    ID_MAX_RESULT,
    ID_TEXT,
    ID_RAW,
    ID_LITERAL,
    ID_FAULT,
    ID_SEED,
    ID_UNORDERED,
    ID_SERIAL_BY,
    ID_BUDGET,
    ID_HALT,
    ID_ID,
    ID_DEAD,
    ID_MAX_EVENT,
    ID_LEDGER,
    ID_NEW,
    ID_STATE,
    ID_STATS,
    ID_PROGRESS,
    ID_METRICS,
    ID_TRACE,
    ID_VERBOSE,
    ID_QUIET,
};

static const struct option_entry calling_entries[] = {
    {"jobs", 'j', ID_JOBS, "N|N%", "calls at once, or percent of the cores [cores]", NULL},
    {"timeout", 0, ID_TIMEOUT, "DUR", "end a call after this long; 0: never [0]",
     "The process group of the function gets SIGTERM and, after the grace time, SIGKILL. "
     "Durations take ms, s, m, h or d; a bare number is seconds."},
    {"grace", 0, ID_GRACE, "DUR", "from SIGTERM to SIGKILL [2s]", NULL},
    {"retries", 0, ID_RETRIES, "N", "further attempts after a failed one [0]",
     "Permanent failures (exit 65, 100, 126, 127) are never tried again."},
    {"backoff", 0, ID_BACKOFF, "BASE..CAP", "delay before a retry [100ms..30s]",
     "The delay is a random part of BASE, doubled with each attempt up to CAP (full jitter)."},
    {"pipeline", 0, ID_PIPELINE, "N|auto", "events in flight to one line worker [auto]", NULL},
    {"max-uses", 0, ID_MAX_USES, "N", "replace a line worker after N events [unlimited]", NULL},
    {"max-age", 0, ID_MAX_AGE, "DUR", "replace a line worker after this long [unlimited]", NULL},
    {"max-result", 0, ID_MAX_RESULT, "SIZE", "a larger result fails the call [16M]",
     "Sizes take K, M or G (powers of 1024)."},
    {"text", 0, ID_TEXT, NULL, "output lines are text: emit JSON strings", NULL},
    {"raw", 0, ID_RAW, NULL, "feed a string event without its quotes", NULL},
    {"literal", 0, ID_LITERAL, NULL, "no {placeholders} in the function's words", NULL},
    {"fault", 0, ID_FAULT, "SPEC", "fail on purpose: fail=10%,delay=200ms,crash=1%", NULL},
    {"seed", 0, ID_SEED, "N", "repeat the random choices of an earlier run", NULL},
    {0},
};

static const struct option_entry flow_entries[] = {
    {"unordered", 'u', ID_UNORDERED, NULL, "results as they finish, not in input order", NULL},
    {"serial-by", 0, ID_SERIAL_BY, "JQ", "events with the same value one at a time, in order",
     "Events with different values run in parallel."},
    {"budget", 0, ID_BUDGET, "DUR", "stop reading after this long, exit 75 [none]", NULL},
    {"halt", 0, ID_HALT, "WHEN", "end early: now|soon,fail=N|N%",
     "With now the calls in flight are ended, with soon they may finish. "
     "A percentage counts once ten events have ended."},
    {0},
};

#define ID_ENTRY                                                                           \
    {                                                                                      \
        "id", 0, ID_ID, "JQ", "what identifies an event [CloudEvent id, or content]", NULL \
    }
#define MAX_EVENT_ENTRY                                                                   \
    {                                                                                     \
        "max-event", 0, ID_MAX_EVENT, "SIZE", "a longer line is a dead event [16M]", NULL \
    }

#define STATE_ENTRY                                                                               \
    {                                                                                             \
        "state", 0, ID_STATE, "DIR|URL", "where shared state is kept [FIT_STATE]",                \
            "Without both it is the folder fittings in XDG_STATE_HOME, or in ~/.local/state. It " \
            "is made when something first needs it."                                              \
    }

static const struct option_entry events_entries[] = {
    ID_ENTRY,
    {"dead", 0, ID_DEAD, "FILE", "append events that failed [the state, if named, or stderr]",
     "With --state or FIT_STATE dead letters are kept in the state directory, where dead lists and "
     "redrives them. FILE may also be queue:NAME or topic:NAME."},
    MAX_EVENT_ENTRY,
    {"ledger", 0, ID_LEDGER, "NAME", "record results; a rerun repeats none that is there",
     "What a call gave for an event is kept under NAME as it finishes, and given again by a later "
     "run; only what is missing runs. Failures are not kept. A ledger belongs to one command line: "
     "who changes the functions takes another name."},
    {"new", 0, ID_NEW, NULL, "with --ledger: print what no earlier run has printed", NULL},
    STATE_ENTRY,
    {0},
};

static const struct option_entry input_entries[] = {
    {"dead", 0, ID_DEAD, "FILE", "append events that failed [standard error]", NULL},
    MAX_EVENT_ENTRY,
    STATE_ENTRY,
    {0},
};

static const struct option_entry identity_entries[] = {ID_ENTRY, MAX_EVENT_ENTRY, STATE_ENTRY, {0}};

static const struct option_entry state_entries[] = {STATE_ENTRY, {0}};

static const struct option_entry reporting_entries[] = {
    {"stats", 0, ID_STATS, NULL, "counts as a JSON line on stderr at the end", NULL},
    {"progress", 0, ID_PROGRESS, NULL, "a line on the terminal: rate, in flight, failed", NULL},
    {"metrics", 0, ID_METRICS, "FILE", "write counts in Prometheus' text format", NULL},
    {"trace", 0, ID_TRACE, "FILE", "append a JSON line for each call", NULL},
    {"verbose", 'v', ID_VERBOSE, NULL, "say more on stderr", NULL},
    {"quiet", 0, ID_QUIET, NULL, "say errors only", NULL},
    {0},
};

size_t common_options_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (size_t)CPU_COUNT(&set);
    /* more than CPU_SETSIZE processors: the call wants a larger set */
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (size_t)online : 1;
}

void common_options_init(struct common_options *options)
{
    *options = (struct common_options){
        .calling = fn_defaults,
        .max_event = COMMON_EVENT_SIZE,
    };
    options->calling.http = &options->http;
    options->calling.jobs = (unsigned)common_options_cores();
}

static int set_size(const char *arg, size_t *bytes, struct err *err)
{
    const char *reason = num_size(arg, bytes);
    return options_check(reason ? reason : *bytes ? NULL : "must not be 0", err);
}

static int set_jobs(struct common_options *options, const char *arg, struct err *err)
{
    uint64_t jobs;
    const char *reason = num_count_or_percent(arg, common_options_cores(), &jobs);
    if (!reason && jobs > FN_MAX_JOBS)
        reason = "too large";
    if (!reason)
        options->calling.jobs = (unsigned)jobs;
    options->chose_jobs = true;
    return options_check(reason, err);
}

static int set_retries(struct fn_settings *calling, const char *arg, struct err *err)
{
    uint64_t retries;
    const char *reason = num_uint(arg, 0, COMMON_RETRIES_MAX, &retries);
    if (!reason)
        calling->retries = (unsigned)retries;
    return options_check(reason, err);
}

static int set_pipeline(struct fn_settings *calling, const char *arg, struct err *err)
{
    uint64_t events = 0;
    if (strcmp(arg, "auto") != 0) {
        const char *reason = num_uint(arg, 1, FN_PIPELINE_MAX, &events);
        if (reason)
            return options_check(reason, err);
    }
    calling->pipeline = (unsigned)events;
    return 0;
}

static int set_backoff(struct fn_settings *calling, const char *arg, struct err *err)
{
    const char *dots = strstr(arg, "..");
    if (!dots)
        return err_set(err, ERR_USAGE, "not BASE..CAP");
    struct buf base = {0};
    buf_add(&base, arg, (size_t)(dots - arg));
    const char *reason = num_duration(buf_cstr(&base), &calling->backoff_base);
    buf_free(&base);
    if (!reason)
        reason = num_duration(dots + 2, &calling->backoff_cap);
    if (!reason && calling->backoff_base > calling->backoff_cap)
        reason = "the base is above the cap";
    return options_check(reason, err);
}

static const char *read_fault(struct fn_fault *fault, const char *part)
{
    struct str text = str_of(part);
    if (str_starts(text, STR("fail=")))
        return num_percent(part + 5, &fault->fail);
    if (str_starts(text, STR("crash=")))
        return num_percent(part + 6, &fault->crash);
    if (str_starts(text, STR("delay=")))
        return num_duration(part + 6, &fault->delay);
    return "not fail=N%, delay=DUR or crash=N%";
}

static int set_fault(struct fn_settings *calling, const char *arg, struct err *err)
{
    struct fn_fault fault = {0};
    struct buf part = {0};
    const char *reason = NULL;
    for (const char *next = arg; !reason && next; arg = next + 1) {
        next = strchr(arg, ',');
        buf_clear(&part);
        buf_add(&part, arg, next ? (size_t)(next - arg) : strlen(arg));
        reason = read_fault(&fault, buf_cstr(&part));
        if (!next)
            break;
    }
    buf_free(&part);
    if (!reason)
        calling->fault = fault;
    return options_check(reason, err);
}

static int set_halt(struct common_options *options, const char *arg, struct err *err)
{
    struct common_halt halt = {0};
    if (str_starts(str_of(arg), STR("now,fail=")))
        halt.now = true;
    else if (!str_starts(str_of(arg), STR("soon,fail=")))
        return err_set(err, ERR_USAGE, "not now,fail=N or soon,fail=N (or N%%)");
    const char *limit = strchr(arg, '=') + 1;
    const char *reason;
    if (str_ends(str_of(limit), STR("%"))) {
        reason = num_percent(limit, &halt.fraction);
        if (!reason && halt.fraction <= 0)
            reason = "must not be 0";
    } else {
        reason = num_uint(limit, 1, UINT64_MAX, &halt.failures);
    }
    if (!reason)
        options->halt = halt;
    return options_check(reason, err);
}

static int set_calling(void *into, int id, const char *arg, struct err *err)
{
    struct common_options *options = into;
    struct fn_settings *calling = &options->calling;
    switch ((enum id)id) {
    case ID_JOBS:
        return set_jobs(options, arg, err);
    case ID_TIMEOUT:
        return options_check(num_duration(arg, &calling->timeout), err);
    case ID_GRACE:
        return options_check(num_duration(arg, &calling->grace), err);
    case ID_RETRIES:
        return set_retries(calling, arg, err);
    case ID_BACKOFF:
        return set_backoff(calling, arg, err);
    case ID_PIPELINE:
        return set_pipeline(calling, arg, err);
    case ID_MAX_USES:
        return options_check(num_uint(arg, 1, UINT64_MAX, &calling->max_uses), err);
    case ID_MAX_AGE:
        return options_check(num_duration(arg, &calling->max_age), err);
    case ID_MAX_RESULT:
        return set_size(arg, &calling->max_result, err);
    case ID_TEXT:
        calling->text = true;
        return 0;
    case ID_RAW:
        calling->raw = true;
        return 0;
    case ID_LITERAL:
        calling->literal = true;
        return 0;
    case ID_FAULT:
        return set_fault(calling, arg, err);
    case ID_SEED:
        options->seeded = true;
        return options_check(num_uint(arg, 0, UINT64_MAX, &options->seed), err);
    default:
        return err_set(err, ERR_USAGE, "not read by this command");
    }
}

static int set_flow(void *into, int id, const char *arg, struct err *err)
{
    struct common_options *options = into;
    switch ((enum id)id) {
    case ID_UNORDERED:
        options->unordered = true;
        return 0;
    case ID_SERIAL_BY:
        options->serial_by = arg;
        return 0;
    case ID_BUDGET:
        return options_check(num_duration(arg, &options->budget), err);
    case ID_HALT:
        return set_halt(options, arg, err);
    default:
        return err_set(err, ERR_USAGE, "not read by this command");
    }
}

static int set_state(struct common_options *options, const char *arg, struct err *err)
{
    if (home_is_url(arg))
        return err_set(err, ERR_USAGE, "no distributed engine is built in; name a directory");
    options->state = arg;
    return 0;
}

static int set_events(void *into, int id, const char *arg, struct err *err)
{
    struct common_options *options = into;
    switch ((enum id)id) {
    case ID_ID:
        options->id = arg;
        return 0;
    case ID_DEAD:
        options->dead = arg;
        return 0;
    case ID_MAX_EVENT:
        return set_size(arg, &options->max_event, err);
    case ID_LEDGER:
        options->ledger = arg;
        return home_check_name(arg, err);
    case ID_NEW:
        options->only_new = true;
        return 0;
    case ID_STATE:
        return set_state(options, arg, err);
    default:
        return err_set(err, ERR_USAGE, "not read by this command");
    }
}

static int set_reporting(void *into, int id, const char *arg, struct err *err)
{
    struct common_options *options = into;
    switch ((enum id)id) {
    case ID_STATS:
        options->stats = true;
        return 0;
    case ID_PROGRESS:
        options->progress = true;
        return 0;
    case ID_METRICS:
        options->metrics = arg;
        return 0;
    case ID_TRACE:
        options->trace = arg;
        return 0;
    case ID_VERBOSE:
        msg_set_level(MSG_VERBOSE);
        return 0;
    case ID_QUIET:
        msg_set_level(MSG_QUIET);
        return 0;
    default:
        return err_set(err, ERR_USAGE, "not read by this command");
    }
}

const struct option_group common_calling = {"Calling functions", calling_entries, set_calling};
const struct option_group common_flow = {"Flow", flow_entries, set_flow};
const struct option_group common_events = {"Events and outcomes", events_entries, set_events};
const struct option_group common_input = {"Events and outcomes", input_entries, set_events};
const struct option_group common_identity = {"Events", identity_entries, set_events};
const struct option_group common_state = {"State", state_entries, set_events};
const struct option_group common_reporting = {"Reporting", reporting_entries, set_reporting};
