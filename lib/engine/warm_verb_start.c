/* warm_verb_start.c: `warm start`: the supervisor of a pool. */
#include "engine/common_policies.h"
#include "engine/plan_pool.h"
#include "engine/warm_detach.h"
#include "engine/warm_verb.h"

#include "base/msg.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct option_use uses[] = {
    {&warm_pooling, &warm_options},    {&common_calling, &warm_common},
    {&common_policies, &warm_common},  {&common_state, &warm_common},
    {&common_reporting, &warm_common}, {0}};

static const struct command command = {
    .name = "warm start",
    .summary = "run a pool of workers that other fittings call",
    .usage = (const char *const[]){"NAME [options] [--] lines:COMMAND...",
                                   "NAME [options] [--] lambda:BOOTSTRAP...", NULL},
    .uses = uses,
    .operands = OPTIONS_STOP_AT_WORD,
    .operand_arg = "FUNCTION",
};

static struct supervisor {
    const char *name;
    struct engine *engine;
    struct fn *fn;
    struct source_socket *source;
    struct plan_pool plan;
    bool given_up;
    struct err why; /* said at the end, behind what the workers say */
} own;

/* Who has started it in the background hears how far it is. Not by the engine, which would end when
 * nobody reads that any more. */
static void tell(const char *what)
{
    if (warm_options.detached)
        (void)!write(STDOUT_FILENO, what, strlen(what));
}

static void prepared(void *owner, struct fn *fn)
{
    (void)owner;
    (void)fn;
    source_socket_ready(own.source);
    tell(WARM_IS_READY);
}

/* The last line of a text; empty if it has none. */
static struct str last_line(struct str text)
{
    text = str_trim(text);
    const char *lf = text.len ? memrchr(text.data, '\n', text.len) : NULL;
    if (!lf)
        return text;
    return (struct str){lf + 1, text.len - (size_t)(lf + 1 - text.data)};
}

/* Who waits until it is ready need not wait for what has failed again and again. */
static void unprepared(void *owner, struct fn *fn, unsigned failed, const char *why,
                       struct str errors)
{
    struct str said = last_line(errors);
    (void)owner;
    if (!warm_options.wait_ready || !warm_options.detached || failed < WARM_STARTS || own.given_up)
        return;
    own.given_up = true;
    err_set(&own.why, ERR_SYSTEM, "%s: %u starts of %s in a row have come to nothing: %s%s%.*s",
            own.name, failed, fn_name(fn), why, said.len ? ": " : "", (int)said.len,
            said.len ? said.data : "");
    engine_drain(own.engine);
}

static void describe(void *owner, struct buf *members)
{
    struct fn_workers workers = fn_workers(own.fn);
    (void)owner;
    buf_puts(members, ",\"function\":");
    buf_add_json(members, str_of(fn_name(own.fn)));
    buf_addf(members, ",\"min\":%llu,\"max\":%u,\"running\":%u,\"idle\":%u,\"busy\":%u",
             (unsigned long long)warm_options.min, engine_settings(own.engine)->jobs,
             workers.running, workers.ready - workers.busy, workers.busy);
    buf_addf(members, ",\"started\":%llu,\"crashed\":%llu", (unsigned long long)workers.started,
             (unsigned long long)workers.crashed);
}

static void stop(void *owner)
{
    (void)owner;
    engine_drain(own.engine);
}

static void warn(void *owner, const char *text)
{
    (void)owner;
    msg_warn("%s", text);
}

/* ---- settings ---- */

/* --wait-ready without --ping: as `warm ping` marks its events. */
static const char *default_ping(void)
{
    static char text[64];
    struct buf event = {0};
    buf_addf(&event, "{\"warmer\":true,\"concurrency\":%llu}",
             (unsigned long long)warm_options.min);
    memcpy(text, event.data, event.len);
    buf_free(&event);
    return text;
}

static void check_options(const struct options_words *function)
{
    struct str first = str_of(function->count ? function->words[0] : "");
    struct fn_settings *calling = &warm_common.calling;
    if (!function->count)
        options_fail(&command, "no function");
    if (!str_starts(first, STR("lines:")) && !str_starts(first, STR("lambda:")))
        options_fail(&command, "%s: a pool is of lines: or lambda: workers", first.data);
    if (warm_options.wait_ready && !warm_options.detach)
        options_fail(&command, "--wait-ready needs --detach");
    if (warm_options.min > calling->jobs && !warm_common.chose_jobs)
        calling->jobs = (unsigned)warm_options.min;
    if (warm_options.min > calling->jobs)
        options_fail(&command, "--min: more than --max");
    calling->min_workers = (unsigned)warm_options.min;
    calling->idle = warm_options.idle;
    calling->ping = warm_options.ping;
    if (warm_options.wait_ready && warm_options.min && !calling->ping)
        calling->ping = default_ping();
    warm_common.no_letters = true;
}

/* ---- running ---- */

static int open_pool(struct engine *engine, const struct options_words *function, struct err *err)
{
    struct home *home = engine_home(engine, err);
    own.engine = engine;
    engine_functions(engine)->prepared = prepared;
    engine_functions(engine)->unprepared = unprepared;
    own.fn = home ? engine_open(engine, function->words, function->count, err) : NULL;
    if (!own.fn)
        return -1;
    struct source_socket_settings settings = {
        .pool = own.name,
        .most = (size_t)warm_options.queue,
        .workers = warm_common.calling.jobs,
        .max_event = warm_common.max_event,
        .grace = warm_common.calling.grace,
        .describe = describe,
        .stop = stop,
        .warn = warn,
    };
    own.source = source_socket_new(engine_loop(engine), home, &settings, err);
    return own.source ? 0 : -1;
}

/* As is usual of a name that another process has: for cron, which tries again. */
static int refuse(const struct err *err)
{
    if (err->sys_errno != EWOULDBLOCK)
        return engine_refuse(err);
    msg_warn("%s", err->text);
    return EXIT_AGAIN;
}

static int run(const struct options_words *function)
{
    struct err err;
    int status;
    struct engine *engine = engine_new(&warm_common, &err);
    if (engine && open_pool(engine, function, &err) == 0) {
        plan_pool_init(&own.plan, own.fn, own.source);
        tell(WARM_LISTENS);
        fn_prepare(own.fn);
        status = engine_run(engine, source_socket_source(own.source), &own.plan.plan);
        if (status == EXIT_DEAD) /* whose calls failed was told so: it has the letters */
            status = EXIT_OK;
        if (own.given_up)
            status = engine_refuse(&own.why);
    } else {
        status = refuse(&err);
    }
    engine_free(engine);
    return status;
}

static int run_in_background(char *const *words)
{
    struct err err;
    int status;
    struct engine *engine = engine_new(&warm_common, &err);
    struct home *home = engine ? engine_home(engine, &err) : NULL;
    if (!home)
        status = engine_refuse(&err);
    else
        status = warm_detach(home, own.name, words,
                             warm_options.wait_ready ? WARM_IS_READY : WARM_LISTENS, &err);
    if (home && status < 0)
        status = engine_refuse(&err);
    engine_free(engine);
    return status;
}

int warm_verb_start(int argc, char **argv)
{
    struct options_words function = warm_verb_parse(&command, argc, argv, &own.name);
    check_options(&function);
    if (warm_options.detach && !warm_options.detached)
        return run_in_background(argv);
    return run(&function);
}
