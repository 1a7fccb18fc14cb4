/* engine.c: set up, run, drain, end. */
#include "engine/internal.h"
#include "engine/reporting.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

enum {
    ENGINE_STDERR = 1024 * 1024
}; /* bytes waiting for a slow reader of stderr; then the fitting waits too */

/* ---- stderr ---- */

static void say(void *owner, struct str lines)
{
    struct engine *engine = owner;
    reporting_hide(engine);
    stream_add(&engine->err, lines);
    while (stream_pending(&engine->err) > ENGINE_STDERR) {
        struct pollfd writable = {.fd = STDERR_FILENO, .events = POLLOUT};
        poll(&writable, 1, -1);
        stream_flush(&engine->err);
    }
}

static void warn(void *owner, const char *text)
{
    (void)owner;
    msg_warn("%s", text);
}

static void exhausted(size_t size)
{
    msg_divert(NULL, NULL);
    msg_error("out of memory (%zu bytes)", size);
    _exit(EXIT_FITTING);
}

/* ---- setting up ---- */

static void function_room(void *owner)
{
    struct engine *engine = owner;
    if (engine->plan && engine->plan->room)
        engine->plan->room(engine->plan);
    admit_wake(engine);
}

static void function_fatal(void *owner, const struct err *err)
{
    engine_fail(owner, err);
}

static void out_progress(struct stream_out *out);
static void flush_idle(struct loop_idle *idle);

static void letter_written(void *owner)
{
    settle_letter_written(owner);
}

static const char *or_default(const char *value, const char *instead)
{
    return value && *value ? value : instead;
}

static void set_context(struct engine *engine)
{
    engine->context = (struct fn_context){
        .loop = engine->loop,
        .rng = &engine->rng,
        .command = msg_name(),
        .path = or_default(getenv("PATH"), "/usr/local/bin:/usr/bin:/bin"),
        .temp_dir = or_default(getenv("TMPDIR"), "/tmp"),
        .environment = environ,
        .owner = engine,
        .say = say,
        .room = function_room,
        .warn = warn,
        .fatal = function_fatal,
    };
}

static int compile_options(struct engine *engine, struct err *err)
{
    const struct common_options *options = engine->options;
    engine->identity = identity_new(options->id, err);
    if (!engine->identity)
        return -1;
    if (!options->serial_by)
        return 0;
    engine->serial_by = jq_compile(options->serial_by, engine->paths, err);
    engine->serial = serial_new(ENGINE_WINDOW);
    return engine->serial_by ? 0 : -1;
}

/* --dead FILE is a function that only takes. */
static int open_dead(struct engine *engine, struct err *err)
{
    const char *dead = engine->options->dead;
    struct fn *sink = NULL;
    if (dead) {
        struct buf word = {0};
        buf_addf(&word, "file:%s", dead);
        char *words[] = {buf_cstr(&word), NULL};
        struct fn_settings settings = fn_defaults; /* no --fault and no --raw for letters */
        settings.grace = engine->options->calling.grace;
        engine->dead_context = engine->context;
        sink = fn_open(&engine->dead_context, &settings, words, 1, err);
        buf_free(&word);
        if (!sink)
            return -1;
        engine_add(engine, sink);
        engine->dead_sink = sink;
    }
    engine->deadletter = deadletter_new(sink, say, engine, letter_written);
    return 0;
}

/*
 * With 0, 1 or 2 closed the next file opened would become stdin or stdout. In their place stand
 * descriptors that fail as the closed ones would have.
 */
static void hold_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

struct engine *engine_new(const struct common_options *options, struct err *err)
{
    hold_standard_descriptors();
    mem_on_exhaustion(exhausted);
    signal(SIGPIPE, SIG_IGN);
    struct engine *engine = mem_zalloc(sizeof *engine);
    engine->options = options;
    engine->loop = loop_new(err);
    if (!engine->loop)
        goto fail;
    if (options->seeded)
        rng_seed(&engine->rng, options->seed);
    else
        rng_seed_random(&engine->rng);
    set_context(engine);
    engine->paths = json_paths_new();
    engine->out.progress = out_progress;
    stream_open(&engine->out, engine->loop, STDOUT_FILENO, false);
    stream_open(&engine->err, engine->loop, STDERR_FILENO, false);
    msg_divert(say, engine);
    engine->take.run = admit_task;
    engine->idle.run = flush_idle;
    if (compile_options(engine, err) < 0 || open_dead(engine, err) < 0 ||
        reporting_open(engine, err) < 0)
        goto fail;
    return engine;

fail:
    engine_free(engine);
    return NULL;
}

static void free_jobs(struct engine *engine)
{
    while (engine->free) {
        struct engine_job *job = engine->free;
        engine->free = job->next;
        free(job);
    }
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    msg_divert(NULL, NULL);
    if (engine->source)
        engine->source->free(engine->source);
    for (size_t i = 0; i < engine->fn_count; i++)
        fn_free(engine->fns[i]);
    free(engine->fns);
    free_jobs(engine);
    deadletter_free(engine->deadletter);
    identity_free(engine->identity);
    jq_free(engine->serial_by);
    serial_free(engine->serial);
    json_paths_free(engine->paths);
    free(engine->values);
    free(engine->observers);
    reporting_free(engine->reporting);
    if (engine->loop) {
        stream_close(&engine->out, 0);
        stream_close(&engine->err, 0);
        loop_free(engine->loop);
    }
    free(engine);
}

struct loop *engine_loop(struct engine *engine)
{
    return engine->loop;
}

struct json_paths *engine_paths(struct engine *engine)
{
    return engine->paths;
}

struct fn_context *engine_functions(struct engine *engine)
{
    return &engine->context;
}

const struct fn_settings *engine_settings(struct engine *engine)
{
    return &engine->options->calling;
}

void engine_add(struct engine *engine, struct fn *fn)
{
    engine->fns = mem_realloc(engine->fns, (engine->fn_count + 1) * sizeof *engine->fns);
    engine->fns[engine->fn_count++] = fn;
    engine->wants_id = engine->wants_id || fn_wants_id(fn);
}

struct fn *engine_open(struct engine *engine, char *const *words, size_t count, struct err *err)
{
    struct fn *fn = fn_open(&engine->context, engine_settings(engine), words, count, err);
    if (fn)
        engine_add(engine, fn);
    return fn;
}

struct fn *engine_open_string(struct engine *engine, const char *text, struct err *err)
{
    struct fn *fn = fn_open_string(&engine->context, engine_settings(engine), text, err);
    if (fn)
        engine_add(engine, fn);
    return fn;
}

static void attempted(void *owner, const struct fn_attempt *attempt)
{
    const struct engine *engine = owner;
    for (size_t i = 0; i < engine->observer_count; i++)
        engine->observers[i].attempted(engine->observers[i].owner, attempt);
}

void engine_observe(struct engine *engine,
                    void (*observer)(void *owner, const struct fn_attempt *attempt), void *owner)
{
    engine->observers =
        mem_realloc(engine->observers, (engine->observer_count + 1) * sizeof *engine->observers);
    engine->observers[engine->observer_count++] = (struct observer){observer, owner};
    engine->context.attempted = attempted;
}

void engine_want_ids(struct engine *engine)
{
    engine->wants_id = true;
}

int engine_refuse(const struct err *err)
{
    msg_error("%s", err->text);
    switch (err->kind) {
    case ERR_USAGE:
        return EXIT_USAGE;
    case ERR_NOT_FOUND:
        return EXIT_NOT_FOUND;
    case ERR_NOT_USABLE:
        return EXIT_CANNOT_EXECUTE;
    default:
        return EXIT_FITTING;
    }
}

/* ---- ending early ---- */

void engine_stop(struct engine *engine)
{
    if (engine->stopping || engine->source_ended)
        return;
    engine->stopping = true;
    engine->source->stop(engine->source);
    engine_ended(engine);
}

void engine_ended(struct engine *engine)
{
    if (engine->plan->flush)
        engine->plan->flush(engine->plan, true);
    engine_check_end(engine);
}

void engine_cancel(struct engine *engine, enum failure_reason reason, bool now)
{
    engine_stop(engine);
    for (size_t i = 0; i < engine->fn_count; i++) {
        if (engine->fns[i] != engine->dead_sink) /* which has still to take the letters about it */
            fn_cancel(engine->fns[i], reason, now);
    }
}

static void grace_over(struct loop_timer *timer)
{
    struct engine *engine =
        (struct engine *)(void *)((char *)timer - offsetof(struct engine, grace));
    engine_cancel(engine, FAILURE_INTERRUPTED, false);
}

/* Stop reading, and give what is in flight the grace to end. */
static void drain(struct engine *engine)
{
    engine_stop(engine);
    if (engine->grace.place)
        return;
    engine->grace.fire = grace_over;
    loop_timer_set(engine->loop, &engine->grace,
                   loop_now(engine->loop) + engine->options->calling.grace);
}

static void signalled(void *owner, int signo)
{
    struct engine *engine = owner;
    if (signo == SIGHUP && engine->plan->reload) {
        engine->plan->reload(engine->plan);
        engine_fit_values(engine);
        return;
    }
    if (engine->signal) {
        engine_cancel(engine, FAILURE_INTERRUPTED, true);
        return;
    }
    engine->signal = signo;
    drain(engine);
    engine_check_end(engine);
}

static void budget_over(struct loop_timer *timer)
{
    struct engine *engine =
        (struct engine *)(void *)((char *)timer - offsetof(struct engine, budget));
    engine->budget_spent = !engine->source_ended;
    engine_stop(engine);
}

void engine_check_halt(struct engine *engine)
{
    const struct common_halt *halt = &engine->options->halt;
    uint64_t died = engine->died, ended = engine->finished;
    bool many = halt->failures && died >= halt->failures;
    bool often = halt->fraction > 0 && ended >= COMMON_HALT_EVENTS &&
                 (double)died >= halt->fraction * (double)ended;
    if (engine->halted || (!many && !often))
        return;
    engine->halted = true;
    msg_warn("halted: %llu of %llu events are dead", (unsigned long long)died,
             (unsigned long long)ended);
    if (halt->now)
        engine_cancel(engine, FAILURE_HALTED, false);
    else
        engine_stop(engine);
}

void engine_fail(struct engine *engine, const struct err *err)
{
    msg_error("%s", err->text);
    engine->failed = true;
    if (engine->started)
        drain(engine);
}

/* ---- the sink ---- */

static void out_progress(struct stream_out *out)
{
    struct engine *engine = (struct engine *)(void *)((char *)out - offsetof(struct engine, out));
    if (out->error && !engine->reader_gone && !engine->out_failed) {
        if (out->error == EPIPE) {
            engine->reader_gone = true;
            drain(engine);
        } else {
            struct err err;
            errno = out->error;
            err_sys(&err, "write stdout");
            engine->out_failed = true;
            engine_fail(engine, &err);
        }
    }
    settle_progress(engine);
    if (engine->plan && engine->plan->room)
        engine->plan->room(engine->plan);
    admit_wake(engine);
}

/* Nothing is at hand: what was gathered goes out. */
static void flush_idle(struct loop_idle *idle)
{
    struct engine *engine = (struct engine *)(void *)((char *)idle - offsetof(struct engine, idle));
    if (engine->plan->flush)
        engine->plan->flush(engine->plan, engine->stopping || engine->source_ended);
    for (size_t i = 0; i < engine->fn_count; i++) {
        if (engine->fns[i] != engine->dead_sink)
            fn_flush(engine->fns[i]);
    }
    settle_flush(engine);
    if (engine->dead_sink) /* last: what failed just now has its letters in it */
        fn_flush(engine->dead_sink);
    stream_flush(&engine->err);
}

/* ---- running ---- */

static void stop_if_closed(struct engine *engine)
{
    if (engine->closing && engine->closed == engine->fn_count && !engine->removing)
        loop_stop(engine->loop);
}

static void function_closed(void *owner)
{
    struct engine *engine = owner;
    engine->closed++;
    stop_if_closed(engine);
}

void engine_check_end(struct engine *engine)
{
    if (!engine->started || engine->closing || engine->window ||
        !(engine->source_ended || engine->stopping))
        return;
    engine->closing = true;
    stop_if_closed(engine);
    for (size_t i = 0; i < engine->fn_count; i++)
        fn_close(engine->fns[i], function_closed, engine);
}

/* A function on its way out. */
struct removal {
    struct loop_task task;
    struct engine *engine;
    struct fn *fn;
};

static void end_removal(struct removal *removal)
{
    removal->engine->removing--;
    stop_if_closed(removal->engine);
    free(removal);
}

static void removed(struct loop_task *task)
{
    struct removal *removal = (struct removal *)(void *)task;
    fn_free(removal->fn);
    end_removal(removal);
}

static void removal_closed(void *owner)
{
    struct removal *removal = owner;
    removal->task.run = removed;
    loop_defer(removal->engine->loop, &removal->task);
}

static void remove_later(struct loop_task *task)
{
    struct removal *removal = (struct removal *)(void *)task;
    struct engine *engine = removal->engine;
    if (engine->closing) { /* together with all the others */
        end_removal(removal);
        return;
    }
    size_t place = 0;
    while (engine->fns[place] != removal->fn)
        place++;
    engine->fns[place] = engine->fns[--engine->fn_count];
    fn_close(removal->fn, removal_closed, removal);
}

void engine_remove(struct engine *engine, struct fn *fn)
{
    if (!engine->started) /* the loop does not turn: engine_free frees it */
        return;
    struct removal *removal = mem_zalloc(sizeof *removal);
    *removal = (struct removal){.task = {.run = remove_later}, .engine = engine, .fn = fn};
    engine->removing++;
    loop_defer(engine->loop, &removal->task);
}

static void source_ready(void *owner)
{
    admit_wake(owner);
}

static int watch_signals(struct engine *engine)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction action;
        sigaction(signals[i], NULL, &action);
        bool reloads = signals[i] == SIGHUP && engine->plan->reload;
        if (action.sa_handler == SIG_IGN && !reloads) /* nohup, or a background job of a shell */
            continue;
        if (loop_signal(engine->loop, signals[i], signalled, engine) < 0)
            return -1;
    }
    return 0;
}

void engine_fit_values(struct engine *engine)
{
    engine->values =
        mem_realloc(engine->values, json_paths_count(engine->paths) * sizeof *engine->values);
}

static void begin(struct engine *engine)
{
    engine->started = true;
    engine->report.started = clock_now();
    engine_fit_values(engine);
    engine->source->ready = source_ready;
    engine->source->owner = engine;
    loop_idle_add(engine->loop, &engine->idle);
    if (engine->options->budget) {
        engine->budget.fire = budget_over;
        loop_timer_set(engine->loop, &engine->budget, clock_now() + engine->options->budget);
    }
    reporting_begin(engine);
    admit_wake(engine);
}

static int exit_status(const struct engine *engine)
{
    if (engine->failed)
        return EXIT_FITTING;
    if (engine->signal)
        return EXIT_SIGNALLED + engine->signal;
    if (engine->budget_spent)
        return EXIT_AGAIN;
    return engine->report.dead ? EXIT_DEAD : EXIT_OK;
}

int engine_run(struct engine *engine, struct source *source, struct plan *plan)
{
    struct err err;
    engine->source = source;
    engine->plan = plan;
    begin(engine);
    if (watch_signals(engine) < 0) {
        err_sys(&err, "watch signals");
        engine_fail(engine, &err);
    }
    if (loop_run(engine->loop, &err) < 0) {
        msg_error("%s", err.text);
        engine->failed = true;
    }
    loop_idle_remove(engine->loop, &engine->idle);
    loop_timer_clear(engine->loop, &engine->budget);
    loop_timer_clear(engine->loop, &engine->grace);
    if (stream_close(&engine->out, 0) < 0 && !engine->reader_gone && !engine->out_failed) {
        msg_error("write stdout: %s", strerror(errno));
        engine->failed = true;
    }
    reporting_end(engine);
    stream_close(&engine->err, clock_now() + engine->options->calling.grace);
    msg_divert(NULL, NULL);
    reporting_tell(engine);
    return exit_status(engine);
}

bool engine_is_crowded(const struct engine *engine)
{
    return engine->window >= ENGINE_WINDOW / 2 || engine->window_bytes >= ENGINE_WINDOW_BYTES / 2;
}

void engine_room(struct engine *engine)
{
    admit_wake(engine);
}

struct str job_id(struct job *job)
{
    struct engine *engine = job->engine;
    struct engine_job *own = engine_job_of(job);
    if (!own->id.len) {
        struct err err;
        identity_of(engine->identity, slice_str(job->event), engine->wants_id, &own->id, &err);
    }
    return buf_str(&own->id);
}
