/* breaker: stop calling what is down. */
#include "base/clock.h"
#include "base/mem.h"
#include "engine/attempt_log.h"
#include "engine/breaker_options.h"
#include "engine/breaker_report.h"
#include "engine/common_policies.h"
#include "engine/engine.h"
#include "engine/options.h"
#include "engine/plan_guarded.h"
#include "engine/showing.h"
#include "engine/state_dir.h"
#include "state/bell.h"
#include "state/shared_breaker.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum id { ID_NAME = 1, ID_ON_OPEN, ID_FALLBACK, ID_EVENTS, ID_SHOW, ID_TRIP, ID_RESET, ID_DISABLE };
enum on_open { OPEN_DEAD, OPEN_FALLBACK, OPEN_HOLD, OPEN_PASS };

static struct common_options common;
static struct plan_guarded guarded;

static struct {
    const char *fallback, *events;
    enum on_open on_open;
    bool chose_on_open;
    bool timed; /* --open-for was given */
    int action; /* an id, 0: call the function */
} options;

static const struct option_entry entries[] = {
    {"name", 0, ID_NAME, "NAME", "the breaker, shared by that name", NULL},
    {"on-open", 0, ID_ON_OPEN, "dead|fallback|hold|pass", "what happens to events then [dead]",
     "With dead they are dead letters, with fallback another function is called, with hold nothing "
     "is read until a probe may run, and with pass they are results as they are."},
    {"fallback", 0, ID_FALLBACK, "FUNCTION", "what is called instead while it is open", NULL},
    {"events", 0, ID_EVENTS, "FILE", "append a JSON line for each change of its state",
     "Those that this process sees, with those in between that others caused."},
    {"show", 0, ID_SHOW, NULL, "print its state as JSON; without --name of all", NULL},
    {"trip", 0, ID_TRIP, NULL, "open it until --reset",
     "With --open-for only for that long, as if calls had failed."},
    {"reset", 0, ID_RESET, NULL, "close it, and forget what it has counted", NULL},
    {"disable", 0, ID_DISABLE, NULL, "let all calls through until --reset", NULL},
    {0},
};

static int set_on_open(const char *arg, struct err *err)
{
    static const char *const names[] = {[OPEN_DEAD] = "dead",
                                        [OPEN_FALLBACK] = "fallback",
                                        [OPEN_HOLD] = "hold",
                                        [OPEN_PASS] = "pass"};
    options.chose_on_open = true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(arg, names[i]) == 0) {
            options.on_open = (enum on_open)i;
            return 0;
        }
    }
    return err_set(err, ERR_USAGE, "not dead, fallback, hold or pass");
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    (void)into;
    switch ((enum id)id) {
    case ID_NAME:
        return common_policies_name(arg, &common.policies.breaker, err);
    case ID_ON_OPEN:
        return set_on_open(arg, err);
    case ID_FALLBACK:
        options.fallback = arg;
        return 0;
    case ID_EVENTS:
        options.events = arg;
        return 0;
    default:
        if (options.action && options.action != id)
            return err_set(err, ERR_USAGE, "only one of --show, --trip, --reset and --disable");
        options.action = id;
        return 0;
    }
}

static const struct option_group group = {"Breaker", entries, set};
static const struct option_use uses[] = {{&group, NULL},
                                         {&breaker_options, &common.policies.judging},
                                         {&common_calling, &common},
                                         {&common_policies_without_breaker, &common},
                                         {&common_flow, &common},
                                         {&common_events, &common},
                                         {&common_reporting, &common},
                                         {0}};

static const struct command command = {
    .name = "breaker",
    .summary = "stop calling what is down",
    .purpose = "State and availability",
    .usage = (const char *const[]){"--name NAME [options] [--] FUNCTION...",
                                   "--name NAME --show|--trip|--reset|--disable", "--show", NULL},
    .uses = uses,
    .operands = OPTIONS_STOP_AT_WORD,
    .operand_arg = "FUNCTION",
};

static void check_options(const struct options_words *function)
{
    if (!common.policies.breaker && options.action != ID_SHOW)
        options_fail(&command, "no --name");
    if (options.action && function->count)
        options_fail(&command, "a function, and an option that calls none");
    if (!options.action && !function->count)
        options_fail(&command, "no function");
    if (options.fallback && !options.chose_on_open)
        options.on_open = OPEN_FALLBACK;
    if ((options.on_open == OPEN_FALLBACK) != (options.fallback != NULL))
        options_fail(&command, options.fallback ? "--fallback needs --on-open fallback"
                                                : "--on-open: fallback needs --fallback FUNCTION");
}

/* ---- looking at it, and setting it by hand ---- */

static int describe(struct home *home, const char *name, struct buf *line, struct err *err)
{
    const struct breaker_settings *settings = &common.policies.judging;
    struct shared_breaker *shared = shared_breaker_open(home, str_of(name), settings, NULL, err);
    if (!shared)
        return -1;
    struct breaker *copy = mem_alloc(sizeof *copy);
    shared_breaker_read(shared, copy);
    breaker_report(line, name, copy, settings);
    free(copy);
    shared_breaker_free(shared);
    return 0;
}

static int show(void)
{
    const struct showing showing = {.what = "breaker",
                                    .state = common.state,
                                    .name = common.policies.breaker,
                                    .list = shared_breaker_list,
                                    .describe = describe};
    return showing_run(&showing);
}

static enum breaker_state wanted_state(void)
{
    if (options.action == ID_RESET)
        return BREAKER_CLOSED;
    if (options.action == ID_DISABLE)
        return BREAKER_DISABLED;
    return options.timed ? BREAKER_OPEN : BREAKER_FORCED_OPEN;
}

static int set_by_hand(void)
{
    struct err err;
    struct str name = str_of(common.policies.breaker);
    int status = EXIT_OK;
    char *path = state_dir_path(common.state, &err);
    struct home *home = path ? home_open(path, &err) : NULL;
    struct shared_breaker *shared =
        home ? shared_breaker_open(home, name, &common.policies.judging, NULL, &err) : NULL;
    struct bell *bell = shared ? bell_open(home, POLICY_BREAKER_BELL, name) : NULL;
    if (shared)
        shared_breaker_set(shared, wanted_state(), clock_now());
    if (!shared || bell_ring(bell, &err) < 0) /* which who is held waits for */
        status = engine_refuse(&err);
    bell_free(bell);
    shared_breaker_free(shared);
    home_free(home);
    free(path);
    return status;
}

/* ---- --events ---- */

static struct {
    struct attempt_log *file;
    struct shared_breaker *breaker;
    struct breaker *copy;
    uint64_t seen;
} events;

static void log_changes(void *owner)
{
    struct buf lines = {0};
    (void)owner;
    shared_breaker_read(events.breaker, events.copy);
    events.seen = breaker_report_since(&lines, common.policies.breaker, events.copy, events.seen);
    if (lines.len)
        attempt_log_add(events.file, buf_str(&lines));
    buf_free(&lines);
}

static int open_events(struct engine *engine, struct err *err)
{
    events.file = attempt_log_open(engine, options.events, false, NULL, err);
    if (!events.file)
        return -1;
    events.copy = mem_alloc(sizeof *events.copy);
    events.breaker = engine_breaker(engine, log_changes, NULL);
    shared_breaker_read(events.breaker, events.copy);
    events.seen = events.copy->transitions;
    return 0;
}

/* ---- calling ---- */

static const enum guarded_refusal refusals[] = {[OPEN_DEAD] = GUARDED_DEAD,
                                                [OPEN_FALLBACK] = GUARDED_FALLBACK,
                                                [OPEN_HOLD] = GUARDED_DEAD,
                                                [OPEN_PASS] = GUARDED_PASS};

static int make_plan(struct engine *engine, struct fn *fn, struct err *err)
{
    if (plan_guarded_init(&guarded, engine, fn, NULL, refusals[options.on_open], err) < 0)
        return -1;
    if (options.events && open_events(engine, err) < 0)
        return -1;
    return options.fallback ? plan_guarded_fall_back(&guarded, engine, options.fallback, err) : 0;
}

static int run(const struct options_words *function)
{
    struct err err;
    common.policies.hold = options.on_open == OPEN_HOLD;
    struct engine *engine = engine_new(&common, &err);
    struct fn *fn = engine ? engine_open(engine, function->words, function->count, &err) : NULL;
    struct source *source = NULL;
    if (fn && make_plan(engine, fn, &err) == 0)
        source = source_lines(engine_loop(engine), STDIN_FILENO, "stdin", common.max_event, &err);
    int status = source ? engine_run(engine, source, &guarded.plan) : engine_refuse(&err);
    plan_guarded_free(&guarded);
    engine_free(engine);
    free(events.copy);
    return status;
}

int main(int argc, char **argv)
{
    int64_t *open_for = &common.policies.judging.open_for;
    common_options_init(&common);
    *open_for = -1;
    struct options_words function = options_parse(&command, argc, argv);
    options.timed = *open_for >= 0;
    if (!options.timed)
        *open_for = breaker_defaults.open_for;
    check_options(&function);
    if (options.action == ID_SHOW)
        return show();
    return options.action ? set_by_hand() : run(&function);
}
