/* queue_verb_work.c: `queue work`: a function on the events of a queue. */
#include "engine/common_http.h"
#include "engine/common_policies.h"
#include "engine/plan_calls.h"
#include "engine/queue_verb.h"
#include "engine/source_queue.h"

static const struct option_use uses[] = {{&queue_leasing, &queue_options},
                                         {&queue_emptying, &queue_options},
                                         {&common_calling, &queue_common},
                                         {&common_policies, &queue_common},
                                         {&common_http, &queue_common},
                                         {&common_flow, &queue_common},
                                         {&common_events, &queue_common},
                                         {&common_reporting, &queue_common},
                                         {0}};

static const struct command command = {
    .name = "queue work",
    .summary = "run a function on the events of a queue, each until it is done",
    .usage = (const char *const[]){"NAME [options] [--] FUNCTION...", NULL},
    .uses = uses,
    .operands = OPTIONS_STOP_AT_WORD,
    .operand_arg = "FUNCTION",
};

static struct source *open_source(struct engine *engine, const char *name, struct err *err)
{
    const struct fn_settings *calling = engine_settings(engine);
    struct source_queue_settings settings = {
        .queue = name,
        .visibility = queue_options.visibility,
        .max_receives = (unsigned)queue_options.max_receives,
        .jobs = calling->jobs,
        .max_event = queue_common.max_event,
        .until_empty = queue_options.until_empty,
        .wait = queue_options.wait,
        .backoff = {.base = calling->backoff_base, .cap = calling->backoff_cap},
    };
    struct store *store = engine_store(engine, err);
    return store ? source_queue(store, &settings, engine_functions(engine)->rng, err) : NULL;
}

int queue_verb_work(int argc, char **argv)
{
    static struct plan_calls calls;
    const char *name;
    struct err err;
    struct options_words function = queue_verb_parse(&command, argc, argv, &name);
    if (!function.count)
        options_fail(&command, "no function");
    struct engine *engine = engine_new(&queue_common, &err);
    struct fn *fn = engine ? engine_open(engine, function.words, function.count, &err) : NULL;
    struct source *source = fn ? open_source(engine, name, &err) : NULL;
    if (source)
        plan_calls_init(&calls, fn, 0);
    int status = source ? engine_run(engine, source, &calls.plan) : engine_refuse(&err);
    engine_free(engine);
    return status;
}
