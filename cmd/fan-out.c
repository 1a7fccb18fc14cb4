/* fan-out: run a function on many events, or on the parts of one, in parallel. */
#include "base/msg.h"
#include "engine/engine.h"
#include "engine/options.h"

#include <unistd.h>

struct fan_out {
    struct plan plan; /* first */
    struct fn *fn;
};

static void answered(struct fn_call *call)
{
    job_end_with(call->owner, call);
}

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct fan_out *fan_out = (struct fan_out *)(void *)plan;
    struct fn_call *call = job_data(job);
    (void)input;
    call->done = answered;
    job_prepare(job, call);
    fn_call(fan_out->fn, call);
}

static struct common_options common;

static const struct option_use uses[] = {
    {&common_calling, &common}, {&common_flow, &common}, {&common_events, &common}, {&common_reporting, &common}, {0}};

static const struct command command = {
    .name = "fan-out",
    .summary = "run a function on many events, or on the parts of one, in parallel",
    .purpose = "Composition",
    .usage = (const char *const[]){"[options] [--] FUNCTION...", NULL},
    .uses = uses,
    .operands = OPTIONS_STOP_AT_WORD,
    .operand_arg = "FUNCTION",
};

int main(int argc, char **argv)
{
    common_options_init(&common);
    struct options_words function = options_parse(&command, argc, argv);
    if (!function.count)
        options_fail(&command, "no function");
    struct err err;
    struct engine *engine = engine_new(&common, &err);
    struct source *source = NULL;
    struct fan_out fan_out = {.plan = {.start = start, .job_size = sizeof(struct fn_call)}};
    if (engine)
        fan_out.fn = engine_open(engine, function.words, function.count, &err);
    if (fan_out.fn)
        source = source_lines(engine_loop(engine), STDIN_FILENO, "stdin", common.max_event, &err);
    int status = source ? engine_run(engine, source, &fan_out.plan) : engine_refuse(&err);
    engine_free(engine);
    return status;
}
