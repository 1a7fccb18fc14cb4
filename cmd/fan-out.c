/* fan-out: run a function on many events, or on the parts of one, in parallel. */
#include "base/num.h"
#include "engine/batch.h"
#include "engine/common_http.h"
#include "engine/common_policies.h"
#include "engine/elsewhere.h"
#include "engine/filter.h"
#include "engine/joblog.h"
#include "engine/plan_calls.h"
#include "engine/plan_split.h"

static struct common_options common;

static struct {
    const char *split, *join, *joblog;
    bool document, parts, chose_failed;
    enum split_failed failed;
    uint64_t batch;
} fan_out;

/* ---- options ---- */

enum id { ID_DOCUMENT = 1, ID_SPLIT, ID_JOIN, ID_FAILED, ID_PARTS, ID_BATCH };
enum log_id { ID_JOBLOG = 1, ID_ETA };

static const struct option_entry entries[] = {
    {"document", 0, ID_DOCUMENT, NULL, "the input is one event, whatever its line breaks", NULL},
    {"split", 0, ID_SPLIT, "JQ", "call it for each output of JQ, then join the results",
     "The parts of an event run in parallel, and those of several events take turns. "
     "One line comes out for an event: the array of the results in the order of the parts. "
     "A part without a result gives null, one with several an array of them."},
    {"join", 0, ID_JOIN, "JQ", "emit what JQ makes of the array of the results",
     "Each output is a line; .[] gives the results as lines."},
    {"on-part-failure", 0, ID_FAILED, "fail|skip|null", "when a part fails [fail]",
     "With fail the event is dead, and its parts that have not begun do not run. "
     "With skip the part is left out and with null it is null: "
     "the event is done, and the part has a dead letter of its own, with its index."},
    {"parts", 0, ID_PARTS, NULL, "emit each part as it ends, for fanin to collect",
     "The line is {\"part\":{\"group\":ID,\"index\":I,\"count\":N}} with \"value\" or \"error\"; "
     "I counts from 0. An event without parts gives one line with count 0."},
    {"batch", 0, ID_BATCH, "N", "give each call an array of up to N events or parts",
     "The function answers an array of the same length, or one value for all of them. "
     "A batch that is not full is sent when no more events are at hand. "
     "A batch of parts is of one event."},
    {0},
};

static int set_failed(const char *arg, struct err *err)
{
    static const char *const words[] = {
        [SPLIT_FAIL] = "fail", [SPLIT_SKIP] = "skip", [SPLIT_NULL] = "null", NULL};
    fan_out.chose_failed = true;
    int choice = options_choice(words, arg, err);
    if (choice < 0)
        return -1;
    fan_out.failed = (enum split_failed)choice;
    return 0;
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    (void)into;
    switch ((enum id)id) {
    case ID_DOCUMENT:
        fan_out.document = true;
        return 0;
    case ID_SPLIT:
        fan_out.split = arg;
        return 0;
    case ID_JOIN:
        fan_out.join = arg;
        return 0;
    case ID_FAILED:
        return set_failed(arg, err);
    case ID_PARTS:
        fan_out.parts = true;
        return 0;
    case ID_BATCH:
        return options_check(num_uint(arg, 1, BATCH_MAX, &fan_out.batch), err);
    }
    return 0;
}

static const struct option_group group = {"Parts and batches", entries, set};

static const struct option_entry log_entries[] = {
    {"eta", 0, ID_ETA, NULL, "the same as --progress", NULL},
    {"joblog", 0, ID_JOBLOG, "FILE", "write the nine columns of GNU parallel's log",
     "A line for each attempt; Seq is the line of the event, or the number of the part or batch."},
    {0},
};

static int set_log(void *into, int id, const char *arg, struct err *err)
{
    (void)into;
    (void)err;
    if (id == ID_JOBLOG)
        fan_out.joblog = arg;
    else
        common.progress = true;
    return 0;
}

static const struct option_group log_group = {"Logs", log_entries, set_log};

static const struct option_use uses[] = {{&group, NULL},
                                         {&elsewhere_options, NULL},
                                         {&common_calling, &common},
                                         {&common_policies, &common},
                                         {&common_http, &common},
                                         {&common_flow, &common},
                                         {&common_events, &common},
                                         {&common_reporting, &common},
                                         {&log_group, NULL},
                                         {0}};

static const struct command command = {
    .name = "fan-out",
    .summary = "run a function on many events, or on the parts of one, in parallel",
    .purpose = "Composition",
    .usage = (const char *const[]){"[options] [--] FUNCTION...", "--to queue:NAME [options]", NULL},
    .uses = uses,
    .operands = OPTIONS_STOP_AT_WORD,
    .operand_arg = "FUNCTION",
};

static void check_options(void)
{
    const char *alone = fan_out.join           ? "--join"
                        : fan_out.parts        ? "--parts"
                        : fan_out.chose_failed ? "--on-part-failure"
                                               : NULL;
    if (alone && !fan_out.split)
        options_fail(&command, "%s needs --split", alone);
    if (fan_out.parts && fan_out.join)
        options_fail(&command, "--parts: the results are joined elsewhere, not by --join");
}

/* ---- running ---- */

static struct plan_calls calls;
static struct plan_split split;

/* The plan that the options ask for, or NULL. */
static struct plan *make_plan(struct engine *engine, struct fn *fn, struct err *err)
{
    if (!fan_out.split) {
        plan_calls_init(&calls, fn, (size_t)fan_out.batch);
        return &calls.plan;
    }
    struct split_settings settings = {
        .failed = fan_out.failed, .batch = (size_t)fan_out.batch, .envelopes = fan_out.parts};
    plan_split_init(&split, engine, fn, &settings);
    if (plan_split_compile(&split, fan_out.split, fan_out.join, err) < 0)
        return NULL;
    return &split.plan;
}

static struct source *open_source(struct engine *engine, struct err *err)
{
    struct source *lines = filter_lines(engine, err);
    return lines && fan_out.document ? source_document(lines, common.max_event) : lines;
}

int main(int argc, char **argv)
{
    common_options_init(&common);
    struct options_words function = options_parse(&command, argc, argv);
    const char *conflict = elsewhere_conflict(&common, &function);
    if (conflict)
        options_fail(&command, "%s", conflict);
    check_options();
    struct err err;
    struct engine *engine = engine_new(&common, &err);
    struct fn *fn = engine ? elsewhere_open(engine, &common, &function, &err) : NULL;
    if (fn && fan_out.joblog && joblog_open(engine, fan_out.joblog, &err) < 0)
        fn = NULL; /* which is the engine's */
    struct plan *plan = fn ? make_plan(engine, fn, &err) : NULL;
    struct source *source = plan ? open_source(engine, &err) : NULL;
    int status = source ? engine_run(engine, source, plan) : engine_refuse(&err);
    plan_split_free(&split);
    engine_free(engine);
    return status;
}
