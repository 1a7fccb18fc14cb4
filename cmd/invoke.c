/* invoke: call one function once, and look at what it does. */
#include "base/msg.h"
#include "base/num.h"
#include "engine/common_http.h"
#include "engine/common_policies.h"
#include "engine/engine.h"
#include "engine/expectation.h"
#include "engine/invocation.h"
#include "engine/latency.h"
#include "engine/options.h"
#include "sys/dir.h"
#include "sys/slurp.h"

#include <string.h>
#include <unistd.h>

enum { INVOKE_TIMES = 10000000 }; /* more repetitions are refused: their durations are kept */
enum id { ID_EVENT = 1, ID_REPORT, ID_TIMES, ID_EXPECT, ID_RECORD };
enum form { FORM_TEXT, FORM_JSON, FORM_NONE };

static struct common_options common;
static struct {
    const char *event, *expect, *record;
    enum form form;
    uint64_t times;
} options = {.times = 1};

static const struct option_entry entries[] = {
    {"event", 0, ID_EVENT, "JSON", "the event [all of standard input]",
     "It may be pretty-printed."},
    {"report", 0, ID_REPORT, "text|json|none", "the report on standard error [text]", NULL},
    {"times", 0, ID_TIMES, "N", "call N times and report how long they took [1]",
     "Only the first call's results are printed. The calls run one after another unless -j is "
     "given."},
    {"expect", 0, ID_EXPECT, "FILE", "compare the results with those recorded in FILE",
     "Exit 123 when they differ."},
    {"record", 0, ID_RECORD, "FILE", "write the results to FILE, for --expect", NULL},
    {0},
};

static int set_form(const char *arg, struct err *err)
{
    static const char *const forms[] = {
        [FORM_TEXT] = "text", [FORM_JSON] = "json", [FORM_NONE] = "none", NULL};
    int choice = options_choice(forms, arg, err);
    if (choice < 0)
        return -1;
    options.form = (enum form)choice;
    return 0;
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    (void)into;
    switch ((enum id)id) {
    case ID_EVENT:
        options.event = arg;
        return 0;
    case ID_REPORT:
        return set_form(arg, err);
    case ID_TIMES:
        return options_check(num_uint(arg, 1, INVOKE_TIMES, &options.times), err);
    case ID_EXPECT:
        options.expect = arg;
        return 0;
    case ID_RECORD:
        options.record = arg;
        return 0;
    }
    return 0;
}

static const struct option_group group = {"Invoking", entries, set};
static const struct option_use uses[] = {{&group, NULL},
                                         {&common_calling, &common},
                                         {&common_policies, &common},
                                         {&common_http, &common},
                                         {&common_identity, &common},
                                         {&common_reporting, &common},
                                         {0}};
static const struct command command = {
    .name = "invoke",
    .summary = "call one function once, and look at what it does",
    .purpose = "Composition",
    .usage = (const char *const[]){"[options] [--event JSON] [--] FUNCTION...", NULL},
    .uses = uses,
    .operands = OPTIONS_STOP_AT_WORD,
    .operand_arg = "FUNCTION",
};

/* ---- the plan: a call; of many the first gives its results ---- */

static struct {
    struct fn *fn;
    struct invocation last;
    struct latency cold, warm;
    uint64_t failed;
    struct buf results;
    bool answered;
} invoke;

static void ended(struct fn_call *call)
{
    struct job *job = call->owner;
    if (call->failure) {
        invoke.failed++;
    } else if (invoke.answered) {
        slice_drop(&call->lines);
        call->count = 0;
    } else {
        invoke.answered = true;
        buf_add_str(&invoke.results, slice_str(call->lines));
    }
    job_end_with(job, call);
}

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct fn_call *call = job_data(job);
    (void)plan;
    (void)input;
    call->done = ended;
    job_prepare(job, call);
    fn_call(invoke.fn, call);
}

/* A process per event starts cold each time; of a worker the first answer tells how long that
 * takes. */
static void attempted(void *owner, const struct fn_attempt *attempt)
{
    (void)owner;
    if (options.times == 1)
        invocation_take(&invoke.last, attempt);
    else if (attempt->init || attempt->usage)
        latency_add(&invoke.cold, attempt->init ? attempt->init : attempt->duration);
    else if (attempt->slot) /* else it was not made: a fault on purpose */
        latency_add(&invoke.warm, attempt->duration);
}

/* ---- the event ---- */

static int read_event(struct slice *event, struct err *err)
{
    struct buf text = {0}, line = {0};
    struct json_scan scan;
    int status = 0;
    if (options.event)
        buf_puts(&text, options.event);
    else if (isatty(STDIN_FILENO))
        msg_warn("reading the event from the terminal (end it with Ctrl-D, or give --event)");
    if (!options.event)
        status = slurp_fd(STDIN_FILENO, "stdin", common.max_event, &text, err);
    const char *name = options.event ? "--event" : "stdin";
    if (status == 0 && !str_trim(buf_str(&text)).len)
        status = err_set(err, ERR_USAGE, "%s: no event (it is empty)", name);
    else if (status == 0 && json_scan(buf_str(&text), NULL, NULL, &scan) < 0)
        status = err_set(err, ERR_USAGE, "%s: %s at byte %zu", name, scan.reason, scan.at + 1);
    if (status == 0 && memchr(text.data, '\n', text.len))
        json_compact(buf_str(&text), &line);
    if (status == 0)
        *event = slice_dup(str_trim(line.len ? buf_str(&line) : buf_str(&text)));
    buf_free(&text);
    buf_free(&line);
    return status;
}

/* ---- the report ---- */

static void report(void)
{
    struct buf text = {0};
    bool json = options.form == FORM_JSON;
    if (options.times == 1 && json) {
        invocation_json(&invoke.last, &text);
        buf_addc(&text, '\n');
    } else if (options.times == 1) {
        buf_addf(&text, "invoke: %s\n", fn_name(invoke.fn));
        invocation_describe(&invoke.last, &text);
    } else if (json) {
        buf_puts(&text, "{\"cold\":");
        latency_json(&invoke.cold, &text);
        buf_puts(&text, ",\"warm\":");
        latency_json(&invoke.warm, &text);
        buf_addf(&text, ",\"failed\":%llu}\n", (unsigned long long)invoke.failed);
    } else {
        buf_addf(&text, "invoke: %s: %llu times, %llu failed\n", fn_name(invoke.fn),
                 (unsigned long long)options.times, (unsigned long long)invoke.failed);
        latency_describe(&invoke.cold, "cold", &text);
        latency_describe(&invoke.warm, "warm", &text);
    }
    if (options.form != FORM_NONE)
        msg_raw(buf_str(&text));
    buf_free(&text);
}

/* Compare or record the results. The exit status, or status if there is nothing to say. */
static int check_results(int status)
{
    struct err err;
    int different = 0;
    if (status != EXIT_OK)
        return status;
    if (options.record && dir_replace(options.record, buf_str(&invoke.results), &err) < 0)
        return engine_refuse(&err);
    if (options.expect)
        different = expectation_compare(options.expect, buf_str(&invoke.results), &err);
    if (different < 0)
        return engine_refuse(&err);
    return different ? EXIT_DEAD : EXIT_OK;
}

int main(int argc, char **argv)
{
    common_options_init(&common);
    common.no_letters = true;
    common.calling.jobs = 1;
    struct options_words function = options_parse(&command, argc, argv);
    if (!function.count)
        options_fail(&command, "no function");
    struct err err;
    struct slice event = {0};
    struct plan plan = {.start = start, .job_size = sizeof(struct fn_call)};
    struct engine *engine = engine_new(&common, &err);
    if (engine)
        invoke.fn = engine_open(engine, function.words, function.count, &err);
    if (!invoke.fn || read_event(&event, &err) < 0) {
        int refused = engine_refuse(&err);
        engine_free(engine);
        return refused;
    }
    engine_observe(engine, attempted, NULL);
    engine_want_ids(engine);
    int status = engine_run(engine, source_repeat(event, options.times), &plan);
    report();
    status = check_results(status);
    engine_free(engine);
    invocation_free(&invoke.last);
    latency_free(&invoke.cold);
    latency_free(&invoke.warm);
    buf_free(&invoke.results);
    return status;
}
