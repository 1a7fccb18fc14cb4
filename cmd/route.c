/* route: send each event to the function that its content names. */
#include "base/num.h"
#include "engine/common_http.h"
#include "engine/common_policies.h"
#include "engine/filter.h"
#include "engine/operands.h"
#include "engine/plan_route.h"

enum { BUFFER_MAX = ENGINE_WINDOW, BUFFER = 1024 };
enum id { ID_ALL = 1, ID_ELSE, ID_TABLE, ID_BY, ID_DIR, ID_FULL, ID_BUFFER, ID_COUNT, ID_EXPLAIN };

static struct common_options common;
static struct route_options options = {.buffer = BUFFER};
static struct choice_options *const choice = &options.choice;
static struct operands pairs;
static bool counts;

static const struct option_entry entries[] = {
    {"all", 0, ID_ALL, NULL, "send to every match, not only to the first",
     "An event ends when all its calls have ended; each that fails gives a dead letter of its own. "
     "Results come in the order of the pairs."},
    {"else", 0, ID_ELSE, "FUNCTION", "where events go that nothing selects [dead letter]", NULL},
    {"table", 0, ID_TABLE, "FILE", "read pairs from FILE, again on SIGHUP",
     "Each line holds a predicate, a tab and a function; blank lines and lines that begin with # "
     "are skipped. The pairs of the command line come first. "
     "A table that does not parse when it is read again changes nothing."},
    {"by", 0, ID_BY, "JQ", "the value of JQ names an executable in --dir", NULL},
    {"dir", 0, ID_DIR, "DIR", "the folder of the executables for --by",
     "Only plain names are looked for: not empty, without a slash, a leading dot or dash."},
    {"branch-full", 0, ID_FULL, "block|dead|drop", "when a branch takes no more [block]",
     "With block nothing is read until it does; with dead the event is a dead letter, and with "
     "drop it is counted and forgotten, while other branches go on."},
    {"branch-buffer", 0, ID_BUFFER, "N", "events that may wait in a branch [1024]",
     "They have been read and are handled before the end, also when --budget is spent: "
     "less is better for slow functions."},
    {"count", 0, ID_COUNT, NULL, "say at the end how many events each branch got", NULL},
    {"explain", 0, ID_EXPLAIN, NULL, "print what selects each event, send nothing",
     "A line for each match holds the line's number, the predicate, the function and the event; "
     "predicate and function are null where there is none. No function is started or file made."},
    {0},
};

static int set_full(const char *arg, struct err *err)
{
    static const char *const names[] = {
        [ROUTE_BLOCK] = "block", [ROUTE_DEAD] = "dead", [ROUTE_DROP] = "drop", NULL};
    int full = options_choice(names, arg, err);
    if (full < 0)
        return -1;
    options.full = (enum route_full)full;
    return 0;
}

static int set_buffer(const char *arg, struct err *err)
{
    uint64_t events;
    const char *reason = num_uint(arg, 1, BUFFER_MAX, &events);
    if (!reason)
        options.buffer = (unsigned)events;
    return options_check(reason, err);
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    (void)into;
    switch ((enum id)id) {
    case ID_ALL:
        choice->all = true;
        return 0;
    case ID_ELSE:
        choice->otherwise = arg;
        return 0;
    case ID_TABLE:
        choice->table = arg;
        return 0;
    case ID_BY:
        choice->by = arg;
        return 0;
    case ID_DIR:
        choice->dir = arg;
        return 0;
    case ID_FULL:
        return set_full(arg, err);
    case ID_BUFFER:
        return set_buffer(arg, err);
    case ID_COUNT:
        counts = true;
        return 0;
    case ID_EXPLAIN:
        options.explain = true;
        return 0;
    }
    return err_set(err, ERR_USAGE, "not read by this command");
}

static const struct option_group routing = {"Routing", entries, set};
static const struct option_use uses[] = {{&routing, NULL},
                                         {&common_calling, &common},
                                         {&common_policies, &common},
                                         {&common_http, &common},
                                         {&common_flow, &common},
                                         {&common_events, &common},
                                         {&common_reporting, &common},
                                         {0}};

static const struct command command = {
    .name = "route",
    .summary = "send each event to the function that its content names",
    .purpose = "Composition",
    .usage = (const char *const[]){"[options] PREDICATE FUNCTION [PREDICATE FUNCTION]...",
                                   "[options] --table FILE [PREDICATE FUNCTION]...",
                                   "[options] --by JQ --dir DIR", NULL},
    .uses = uses,
    .operands = OPTIONS_ANYWHERE,
    .operand_arg = "FUNCTION",
    .operand = operands_take,
    .operand_into = &pairs,
};

static void check_words(void)
{
    choice->pairs = pairs.words;
    choice->pair_words = pairs.count;
    bool by_predicates = choice->pair_words || choice->table;
    if (choice->pair_words % 2)
        options_fail(&command, "no function behind the predicate '%s'",
                     choice->pairs[choice->pair_words - 1]);
    if (!choice->by != !choice->dir)
        options_fail(&command, choice->by ? "--by needs --dir" : "--dir needs --by");
    if (choice->by && by_predicates)
        options_fail(&command, "--by stands in place of predicates: not both");
    if (!choice->by && !by_predicates)
        options_fail(&command, "no predicate and function");
}

int main(int argc, char **argv)
{
    common_options_init(&common);
    options_parse(&command, argc, argv);
    check_words();
    common.calling.buffer = options.buffer;
    struct err err;
    struct engine *engine = engine_new(&common, &err);
    struct plan_route *plan = engine ? plan_route_new(engine, &options, &err) : NULL;
    struct source *source = plan ? filter_lines(engine, &err) : NULL;
    int status = source ? engine_run(engine, source, plan_route_plan(plan)) : engine_refuse(&err);
    if (source && counts)
        plan_route_tell(plan);
    plan_route_free(plan);
    engine_free(engine);
    operands_free(&pairs);
    return status;
}
