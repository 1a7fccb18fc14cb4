/* breaker: stop calling what is down. */
#include "engine/breaker_events.h"
#include "engine/breaker_hand.h"
#include "engine/breaker_options.h"
#include "engine/breaker_report.h"
#include "engine/common_http.h"
#include "engine/common_policies.h"
#include "engine/filter.h"
#include "engine/plan_guarded.h"

enum id { ID_NAME = 1, ID_ON_OPEN, ID_FALLBACK, ID_EVENTS, ID_SHOW, ID_TRIP, ID_RESET, ID_DISABLE };
enum on_open { OPEN_DEAD, OPEN_FALLBACK, OPEN_HOLD, OPEN_PASS };

static struct common_options common;
static struct policy_settings *const policies = &common.policies;
static struct plan_guarded guarded;
static struct breaker_events *events;

static struct {
    const char *fallback, *events;
    enum on_open on_open;
    bool chose_on_open;
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
    {"show", 0, ID_SHOW, NULL, "print its state and settings as JSON; without --name of all", NULL},
    {"trip", 0, ID_TRIP, NULL, "open it until --reset",
     "With --open-for for that long, as if calls had failed, and so at later times."},
    {"reset", 0, ID_RESET, NULL, "close it, and forget what it has counted", NULL},
    {"disable", 0, ID_DISABLE, NULL, "let all calls through until --reset", NULL},
    {0},
};

static int set_on_open(const char *arg, struct err *err)
{
    static const char *const names[] = {[OPEN_DEAD] = "dead",
                                        [OPEN_FALLBACK] = "fallback",
                                        [OPEN_HOLD] = "hold",
                                        [OPEN_PASS] = "pass",
                                        NULL};
    options.chose_on_open = true;
    int choice = options_choice(names, arg, err);
    if (choice < 0)
        return -1;
    options.on_open = (enum on_open)choice;
    return 0;
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    (void)into;
    switch ((enum id)id) {
    case ID_NAME:
        return common_policies_name(arg, &policies->breaker, err);
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
                                         {&common_http, &common},
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
    if (!policies->breaker && options.action != ID_SHOW)
        options_fail(&command, "no --name");
    if (options.action && function->count)
        options_fail(&command, "a function, and an option that calls none");
    if (options.action == ID_SHOW && policies->judging.chosen)
        options_fail(&command, "--show, and a setting, which it would change");
    if (!options.action && !function->count)
        options_fail(&command, "no function");
    if (options.fallback && !options.chose_on_open)
        options.on_open = OPEN_FALLBACK;
    if ((options.on_open == OPEN_FALLBACK) != (options.fallback != NULL))
        options_fail(&command, options.fallback ? "--fallback needs --on-open fallback"
                                                : "--on-open: fallback needs --fallback FUNCTION");
}

static enum breaker_state wanted_state(void)
{
    if (options.action == ID_RESET)
        return BREAKER_CLOSED;
    if (options.action == ID_DISABLE)
        return BREAKER_DISABLED;
    return breaker_chose(&policies->judging, BREAKER_OPEN_FOR) ? BREAKER_OPEN : BREAKER_FORCED_OPEN;
}

static const enum guarded_refusal refusals[] = {[OPEN_DEAD] = GUARDED_DEAD,
                                                [OPEN_FALLBACK] = GUARDED_FALLBACK,
                                                [OPEN_HOLD] = GUARDED_DEAD,
                                                [OPEN_PASS] = GUARDED_PASS};

static int make_plan(struct engine *engine, struct fn *fn, struct err *err)
{
    if (plan_guarded_init(&guarded, engine, fn, NULL, refusals[options.on_open], err) < 0)
        return -1;
    if (options.events) {
        events = breaker_events_open(engine, policies->breaker, options.events, err);
        if (!events)
            return -1;
    }
    return options.fallback ? plan_guarded_fall_back(&guarded, engine, options.fallback, err) : 0;
}

static int run(const struct options_words *function)
{
    struct err err;
    policies->hold = options.on_open == OPEN_HOLD;
    struct engine *engine = engine_new(&common, &err);
    struct fn *fn = filter_open(engine, function, &err);
    bool usable = fn && make_plan(engine, fn, &err) == 0;
    int status = filter_run(engine, usable ? &guarded.plan : NULL, &err);
    plan_guarded_free(&guarded);
    engine_free(engine);
    breaker_events_free(events);
    return status;
}

int main(int argc, char **argv)
{
    common_options_init(&common);
    struct options_words function = options_parse(&command, argc, argv);
    check_options(&function);
    if (options.action == ID_SHOW)
        return breaker_report_show(common.state, policies->breaker);
    if (options.action)
        return breaker_hand_set(common.state, policies->breaker, &policies->judging,
                                wanted_state());
    return run(&function);
}
