/* chain: run functions one after another on each event. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/msg.h"
#include "base/num.h"
#include "engine/chain_outline.h"
#include "engine/common_http.h"
#include "engine/common_policies.h"
#include "engine/filter.h"
#include "engine/operands.h"
#include "engine/plan_chain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum id { ID_STAGE_JOBS = 1, ID_UNDO, ID_FROM, ID_EXPLAIN };

static struct common_options common;
static struct chain_settings settings;
static struct operands functions;
static const char **undos; /* of the first functions, undos_count of them */
static size_t undos_count;
static const char *from, *stage_jobs;
static unsigned *jobs; /* of --stage-jobs, which stand before or behind the functions */
static size_t jobs_count;
static bool explain;

static const struct option_entry entries[] = {
    {"stage-jobs", 0, ID_STAGE_JOBS, "N,N,...", "calls at once of each stage [--jobs, of each]",
     "There must be as many numbers as functions."},
    {"undo", 0, ID_UNDO, "FUNCTION", "undoes the function before it when a later one fails",
     "It stands behind the function that it belongs to, and is called with its event and result."},
    {"from", 0, ID_FROM, "N|auto", "the input is dead letters: go on at their stage",
     "With a number, letters of that stage go on there; those of other stages are dead again, "
     "with their event and their stage. With auto each letter goes on at its own. "
     "A letter without a stage begins at the first. "
     "A line that is no dead letter, or one whose bytes are no event, is a dead event."},
    {"explain", 0, ID_EXPLAIN, NULL, "print the plan and exit; nothing is called or made", NULL},
    {0},
};

static int set_stage_jobs(const char *arg, struct err *err)
{
    const char *reason = NULL;
    struct buf part = {0};
    jobs_count = 0;
    for (const char *at = arg; at && !reason;) {
        const char *comma = strchrnul(at, ',');
        uint64_t number;
        buf_clear(&part);
        buf_add(&part, at, (size_t)(comma - at));
        reason = num_uint(buf_cstr(&part), 1, FN_MAX_JOBS, &number);
        jobs = mem_realloc(jobs, (jobs_count + 1) * sizeof *jobs);
        jobs[jobs_count++] = reason ? 1 : (unsigned)number;
        at = *comma ? comma + 1 : NULL;
    }
    buf_free(&part);
    stage_jobs = arg;
    return options_check(reason, err);
}

/* A place for the undo of each function so far. */
static void fit_undos(void)
{
    undos = mem_realloc(undos, functions.count * sizeof *undos);
    while (undos_count < functions.count)
        undos[undos_count++] = NULL;
}

static int set_undo(const char *arg, struct err *err)
{
    if (!functions.count)
        return err_set(err, ERR_USAGE, "no function stands before it");
    fit_undos();
    size_t last = functions.count - 1;
    if (undos[last])
        return err_set(err, ERR_USAGE, "'%s' has one already", functions.words[last]);
    undos[last] = arg;
    return 0;
}

static int set_from(const char *arg, struct err *err)
{
    from = arg;
    settings.from = CHAIN_FROM_LETTER;
    if (strcmp(arg, "auto") == 0)
        return 0;
    uint64_t stage = 1;
    const char *reason = num_uint(arg, 1, UINT32_MAX, &stage);
    settings.from = CHAIN_FROM_STAGE;
    settings.stage = (unsigned)stage;
    return options_check(reason, err);
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    (void)into;
    switch ((enum id)id) {
    case ID_STAGE_JOBS:
        return set_stage_jobs(arg, err);
    case ID_UNDO:
        return set_undo(arg, err);
    case ID_FROM:
        return set_from(arg, err);
    case ID_EXPLAIN:
        explain = true;
        return 0;
    }
    return err_set(err, ERR_USAGE, "not read by this command");
}

static const struct option_group chaining = {"Chaining", entries, set};
static const struct option_use uses[] = {{&chaining, NULL},
                                         {&common_calling, &common},
                                         {&common_policies, &common},
                                         {&common_http, &common},
                                         {&common_flow, &common},
                                         {&common_events, &common},
                                         {&common_reporting, &common},
                                         {0}};

static const struct command command = {
    .name = "chain",
    .summary = "run functions one after another on each event",
    .purpose = "Composition",
    .usage = (const char *const[]){"[options] FUNCTION FUNCTION...", NULL},
    .notes = (const char *const[]){"Each FUNCTION is one quoted string: './parse --strict'.", NULL},
    .uses = uses,
    .operands = OPTIONS_ANYWHERE,
    .operand_arg = "FUNCTION",
    .operand = operands_take,
    .operand_into = &functions,
};

static void check_stages(void)
{
    settings.count = functions.count;
    if (!settings.count)
        options_fail(&command, "no function");
    fit_undos();
    if (stage_jobs && jobs_count != settings.count)
        options_fail(&command, "--stage-jobs: %s: %zu numbers for %zu functions", stage_jobs,
                     jobs_count, settings.count);
    if (settings.from == CHAIN_FROM_STAGE && settings.stage > settings.count)
        options_fail(&command, "--from: %s: there are only %zu stages", from, settings.count);
    settings.functions = functions.words;
    settings.undos = undos;
    settings.jobs = stage_jobs ? jobs : NULL;
    struct err err;
    if (chain_outline_check(&settings, &err) < 0)
        options_fail(&command, "%s", err.text);
}

static int explain_plan(void)
{
    struct buf text = {0};
    chain_outline_print(&settings, &common, &text);
    bool written = fwrite(text.data, 1, text.len, stdout) == text.len && fflush(stdout) == 0;
    if (!written)
        msg_error("write to standard output: %s", strerror(errno));
    buf_free(&text);
    return written ? EXIT_OK : EXIT_FITTING;
}

static int run(void)
{
    struct err err;
    struct engine *engine = engine_new(&common, &err);
    struct plan_chain *chain = engine ? plan_chain_new(engine, &settings, &err) : NULL;
    int status = filter_run(engine, chain ? plan_chain_plan(chain) : NULL, &err);
    plan_chain_free(chain);
    engine_free(engine);
    return status;
}

int main(int argc, char **argv)
{
    common_options_init(&common);
    options_parse(&command, argc, argv);
    check_stages();
    int status = explain ? explain_plan() : run();
    operands_free(&functions);
    free(undos);
    free(jobs);
    return status;
}
