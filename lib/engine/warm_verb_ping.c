/* warm_verb_ping.c: `warm ping`: calls that only keep a function warm. */
#include "base/msg.h"
#include "base/num.h"
#include "engine/common_http.h"
#include "engine/plan_ping.h"
#include "engine/source_rounds.h"
#include "engine/warm_verb.h"

enum id { ID_EVERY, ID_CONCURRENCY };

static struct {
    int64_t every; /* nanoseconds; 0: one round */
    uint64_t concurrency;
} options = {.concurrency = 1};

static const struct option_entry entries[] = {
    {"every", 0, ID_EVERY, "DUR", "a round of pings every so often [one round]",
     "The first round is at once. A ping that is not answered when the next round is due has "
     "failed, where --timeout says nothing else."},
    {"concurrency", 0, ID_CONCURRENCY, "N", "pings at once, to keep so many instances warm [1]",
     NULL},
    {0},
};

static int set_every(const char *arg, struct err *err)
{
    if (options_check(num_duration(arg, &options.every), err) < 0)
        return -1;
    return options.every > 0 ? 0 : err_set(err, ERR_USAGE, "must not be 0");
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    (void)into;
    switch ((enum id)id) {
    case ID_EVERY:
        return set_every(arg, err);
    case ID_CONCURRENCY:
        return options_check(num_uint(arg, 1, FN_MAX_JOBS, &options.concurrency), err);
    }
    return 0;
}

const struct option_group warm_pinging = {"Pinging (ping)", entries, set};

/* No policies: a ping counts in no breaker and takes nothing of a rate. */
static const struct option_use ping_uses[] = {
    {&warm_pinging, NULL},         {&common_calling, &warm_common},   {&common_http, &warm_common},
    {&common_state, &warm_common}, {&common_reporting, &warm_common}, {0}};
static const struct command ping_command = {
    .name = "warm ping",
    .summary = "send a function events that only keep it warm",
    .usage = (const char *const[]){"[options] [--] FUNCTION...", NULL},
    .uses = ping_uses,
    .operands = OPTIONS_STOP_AT_WORD,
    .operand_arg = "FUNCTION",
};

static void settle_options(void)
{
    struct fn_settings *calling = &warm_common.calling;
    if (warm_common.chose_jobs)
        options_fail(&ping_command, "--jobs: --concurrency says how many pings are made at once");
    calling->jobs = (unsigned)options.concurrency;
    calling->pipeline = 1; /* each ping to an instance of its own */
    if (!calling->timeout)
        calling->timeout = options.every;
    warm_common.no_letters = true; /* the rounds tell of failures */
}

static int ping(struct engine *engine, struct fn *fn)
{
    struct plan_ping plan;
    struct buf text = {0};
    plan_ping_init(&plan, engine, fn, (unsigned)options.concurrency);
    int status = engine_run(engine, source_rounds(engine_loop(engine), options.every), &plan.plan);
    if (msg_level() >= MSG_VERBOSE) {
        plan_ping_describe(&plan, &text);
        msg_raw(buf_str(&text));
    }
    buf_free(&text);
    plan_ping_free(&plan);
    return status;
}

/* NULL with err. What only takes events is refused before it is opened, which would make a file. */
static struct fn *open_function(struct engine *engine, const struct options_words *words,
                                struct err *err)
{
    struct err ignored;
    struct fn *fn = NULL;
    bool takes_only = fn_string_is_silent(words->words[0], &ignored) > 0;
    if (!takes_only) {
        fn = engine_open(engine, words->words, words->count, err);
        takes_only = fn && fn_is_sink(fn);
    }
    if (!takes_only)
        return fn;
    err_set(err, ERR_USAGE, "'%s': gives no answer, so there is nothing to keep warm",
            words->words[0]);
    return NULL;
}

int warm_verb_ping(int argc, char **argv)
{
    struct err err;
    struct options_words function = warm_verb_parse(&ping_command, argc, argv, NULL);
    if (!function.count)
        options_fail(&ping_command, "no function");
    settle_options();
    struct engine *engine = engine_new(&warm_common, &err);
    struct fn *fn = engine ? open_function(engine, &function, &err) : NULL;
    int status = fn ? ping(engine, fn) : engine_refuse(&err);
    engine_free(engine);
    return status;
}
