/* aggregate: ask several functions about each event, and make one answer. */
#include "base/num.h"
#include "engine/common_http.h"
#include "engine/common_policies.h"
#include "engine/filter.h"
#include "engine/operands.h"
#include "engine/plan_aggregate.h"

#include <inttypes.h>

enum id { ID_JOIN = 1, ID_NEED, ID_FIRST, ID_CACHED, ID_CACHED_BY, ID_CACHED_IN };

static struct common_options common;
static struct aggregate_settings settings;
static struct operands parts;

static const struct option_entry entries[] = {
    {"join", 0, ID_JOIN, "JQ", "emit what JQ makes of the answer, with $event",
     "JQ is run on the object of the parts, $event is the event, and each output is a line."},
    {"need", 0, ID_NEED, "N", "answer when N parts have answered [all]",
     "The others are ended and are not in the answer. An event is dead when fewer than N can still "
     "answer. No part is optional then."},
    {"first", 0, ID_FIRST, NULL, "the same as --need 1", NULL},
    {"cached", 0, ID_CACHED, "DUR", "an answer up to DUR old stands in for a failure",
     "It is the last good one that the part has given to any event, unless --cached-by tells them "
     "apart, and it is marked: \"cached\" holds its age and why it was needed."},
    {"cached-by", 0, ID_CACHED_BY, "JQ", "keep an answer for each value of JQ",
     "Only an event with the same value is given it."},
    {"cached-in", 0, ID_CACHED_IN, "NAME", "keep them in the state too, for the next run",
     "Runs with the same NAME share them. Without it they are forgotten at the end."},
    {0},
};

static int set_need(const char *arg, struct err *err)
{
    uint64_t need;
    const char *reason = num_uint(arg, 1, UINT32_MAX, &need);
    if (!reason)
        settings.need = (size_t)need;
    return options_check(reason, err);
}

static int set_cached(const char *arg, struct err *err)
{
    const char *reason = num_duration(arg, &settings.cached);
    return options_check(reason || settings.cached ? reason : "must not be 0", err);
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    (void)into;
    switch ((enum id)id) {
    case ID_JOIN:
        settings.join = arg;
        return 0;
    case ID_NEED:
        return set_need(arg, err);
    case ID_FIRST:
        settings.need = 1;
        return 0;
    case ID_CACHED:
        return set_cached(arg, err);
    case ID_CACHED_BY:
        settings.cached_by = arg;
        return 0;
    case ID_CACHED_IN:
        settings.cached_in = arg;
        return 0;
    }
    return err_set(err, ERR_USAGE, "not read by this command");
}

static const struct option_group aggregating = {"Aggregating", entries, set};
static const struct option_use uses[] = {{&aggregating, NULL},         {&common_calling, &common},
                                         {&common_policies, &common},  {&common_http, &common},
                                         {&common_flow, &common},      {&common_events, &common},
                                         {&common_reporting, &common}, {0}};

static const struct command command = {
    .name = "aggregate",
    .summary = "ask several functions about each event, and make one answer",
    .purpose = "Composition",
    .usage = (const char *const[]){"[options] NAME=FUNCTION [NAME=FUNCTION]...", NULL},
    .notes = (const char *const[]){"Each FUNCTION is one quoted string: price='./price --vat'.",
                                   "'?NAME=FUNCTION' may fail: its error is in the answer.", NULL},
    .uses = uses,
    .operands = OPTIONS_ANYWHERE,
    .operand_arg = "FUNCTION",
    .operand = operands_take,
    .operand_into = &parts,
};

static void check(void)
{
    settings.parts = parts.words;
    settings.count = parts.count;
    if (!settings.count)
        options_fail(&command, "no function");
    if (settings.need > settings.count)
        options_fail(&command, "--need: %zu: there are only %zu parts", settings.need,
                     settings.count);
    if (!settings.cached && (settings.cached_by || settings.cached_in))
        options_fail(&command, "--cached-%s needs --cached", settings.cached_by ? "by" : "in");
}

int main(int argc, char **argv)
{
    common_options_init(&common);
    options_parse(&command, argc, argv);
    check();
    struct err err;
    struct engine *engine = engine_new(&common, &err);
    struct plan_aggregate *plan = engine ? plan_aggregate_new(engine, &settings, &err) : NULL;
    int status = filter_run(engine, plan ? plan_aggregate_plan(plan) : NULL, &err);
    plan_aggregate_free(plan);
    engine_free(engine);
    operands_free(&parts);
    return status;
}
