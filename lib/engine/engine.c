/* engine.c: an engine set up and taken apart, and what is asked of it. */
#include "engine/internal.h"
#include "engine/common_policies.h"
#include "engine/recall.h"
#include "engine/reporting.h"

#include "base/mem.h"
#include "base/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ENGINE_STDERR = 256 * 1024
}; /* bytes waiting for a slow reader of stderr; then the fitting waits too */

/* ---- stderr ---- */

void engine_say(void *owner, struct str lines)
{
    struct engine *engine = owner;
    reporting_hide(engine);
    stream_add(&engine->err, lines);
    if (!engine->signal)
        stream_drain(&engine->err, ENGINE_STDERR);
}

/* A letter that has no other place; should it get lost, that is an error. */
static void say_letter(void *owner, struct str line)
{
    struct engine *engine = owner;
    engine->letters_said = true;
    engine_say(owner, line);
}

void engine_warn(void *owner, const char *text)
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

static void policy_changed(void *owner)
{
    const struct engine *engine = owner;
    if (engine->policy_changed)
        engine->policy_changed(engine->policy_owner);
}

/* ---- setting up ---- */

static void letter_written(void *owner)
{
    settle_letter_written(owner);
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

static int open_policy(struct engine *engine, struct err *err)
{
    const struct policy_settings *policies = &engine->options->policies;
    const char *conflict = common_policies_conflict(policies);
    if (conflict)
        return err_set(err, ERR_USAGE, "%s", conflict);
    if (!policy_is_wanted(policies))
        return 0;
    struct home *home = policy_needs_home(policies) ? engine_home(engine, err) : NULL;
    if (policy_needs_home(policies) && !home)
        return -1;
    const struct policy_listener listener = {
        .warn = engine_warn, .changed = policy_changed, .owner = engine};
    engine->policy = policy_open(policies, home, engine->loop, &listener, err);
    return engine->policy ? 0 : -1;
}

/* --dead: a file, or one of the functions that keep what they are given. */
static bool is_function(const char *dead)
{
    static const char *const schemes[] = {"file:", "queue:", "topic:"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (str_starts(str_of(dead), str_of(schemes[i])))
            return true;
    }
    return false;
}

/*
 * --dead FILE is a function that only takes. Without it letters are kept in the state, if the user
 * has named one, else said.
 */
static int open_dead(struct engine *engine, struct err *err)
{
    const char *dead = engine->options->dead;
    struct fn *sink = NULL;
    if (dead) {
        struct buf word = {0};
        buf_addf(&word, "%s%s", is_function(dead) ? "" : "file:", dead);
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
    engine->letters_kept =
        !dead && engine->state && !engine->options->no_letters && !engine->options->says_letters;
    engine->deadletter = deadletter_new(&(struct deadletter_place){
        .sink = sink,
        .store = engine->letters_kept ? engine_state_store : NULL,
        .say = say_letter,
        .failed = opening_fatal,
        .written = letter_written,
        .owner = engine,
    });
    return 0;
}

static int open_ledger(struct engine *engine, struct err *err)
{
    const struct common_options *options = engine->options;
    if (!options->ledger)
        return options->only_new ? err_set(err, ERR_USAGE, "--new needs --ledger") : 0;
    engine->recall = recall_new(engine, options->ledger, options->only_new, err);
    return engine->recall ? 0 : -1;
}

void engine_hold_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

struct engine *engine_new(const struct common_options *options, struct err *err)
{
    engine_hold_descriptors();
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
    if (engine_state_open(engine, err) < 0)
        goto fail;
    opening_init(engine);
    engine->paths = json_paths_new();
    engine->out.progress = run_out_progress;
    stream_open(&engine->out, engine->loop, STDOUT_FILENO, false);
    stream_open(&engine->err, engine->loop, STDERR_FILENO, false);
    msg_divert(engine_say, engine);
    engine->take.run = admit_task;
    engine->turn.run = run_turn;
    engine->idle.run = run_idle;
    if (compile_options(engine, err) < 0 || open_policy(engine, err) < 0 ||
        open_dead(engine, err) < 0 || reporting_open(engine, err) < 0 ||
        open_ledger(engine, err) < 0)
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
    policy_free(engine->policy);
    free_jobs(engine);
    deadletter_free(engine->deadletter);
    identity_free(engine->identity);
    jq_free(engine->serial_by);
    serial_free(engine->serial);
    json_paths_free(engine->paths);
    recall_free(engine->recall);
    engine_state_free(engine);
    buf_free(&engine->origin);
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

bool engine_records(const struct engine *engine)
{
    return engine->recall;
}

struct shared_breaker *engine_breaker(struct engine *engine, void (*changed)(void *owner),
                                      void *owner)
{
    engine->policy_changed = changed;
    engine->policy_owner = owner;
    return engine->policy ? policy_breaker(engine->policy) : NULL;
}

void engine_count(struct engine *engine, const struct report_count *count)
{
    engine->report.counts[engine->report.counted++] = *count;
}

void engine_want_ids(struct engine *engine)
{
    engine->wants_id = true;
}

int engine_print(struct engine *engine, struct str text, struct err *err)
{
    stream_add(&engine->out, text);
    stream_drain(&engine->out, 0);
    if (!engine->out.error || engine->out.error == EPIPE)
        return 0;
    errno = engine->out.error;
    return err_sys(err, "write stdout");
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

void engine_fit_values(struct engine *engine)
{
    engine->values =
        mem_realloc(engine->values, json_paths_count(engine->paths) * sizeof *engine->values);
}

bool engine_is_crowded(const struct engine *engine)
{
    return engine->window >= ENGINE_WINDOW / 2 || engine->window_bytes >= ENGINE_WINDOW_BYTES / 2;
}

void engine_room(struct engine *engine)
{
    admit_wake(engine);
}
