/* engine.c: an engine set up and taken apart, and what is asked of it. */
#include "engine/internal.h"
#include "engine/common_policies.h"
#include "engine/recall.h"
#include "engine/reporting.h"
#include "engine/state_dir.h"
#include "state/home.h"
#include "state/store.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

enum {
    ENGINE_STDERR = 256 * 1024
}; /* bytes waiting for a slow reader of stderr; then the fitting waits too */

/* ---- stderr ---- */

static void say(void *owner, struct str lines)
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
    say(owner, line);
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

static void policy_changed(void *owner)
{
    const struct engine *engine = owner;
    if (engine->policy_changed)
        engine->policy_changed(engine->policy_owner);
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

static struct store *open_store(void *owner, struct err *err)
{
    return engine_store(owner, err);
}

/* Who only looks for something there makes no directory. */
static struct home *find_home(void *owner, struct err *err)
{
    struct engine *engine = owner;
    char *path =
        engine->state ? mem_strdup(engine->state) : state_dir_path(engine->options->state, err);
    if (!path)
        return NULL;
    bool exists = home_is_url(path) || home_exists(path);
    if (!exists)
        err_set(err, ERR_NOT_FOUND, "%s: there is no state directory", path);
    free(path);
    return exists ? engine_home(engine, err) : NULL;
}

static void letter_written(void *owner)
{
    settle_letter_written(owner);
}

static struct store *letter_store(void *owner, struct err *err)
{
    return engine_store(owner, err);
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
        .state = engine->state,
        .owner = engine,
        .say = say,
        .room = function_room,
        .warn = warn,
        .fatal = function_fatal,
        .store = open_store,
        .home = find_home,
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
        .warn = warn, .changed = policy_changed, .owner = engine};
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
        .store = engine->letters_kept ? letter_store : NULL,
        .say = say_letter,
        .failed = function_fatal,
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

/* dead redrive says where the letters are; what the functions call must not do so too. */
static int open_state(struct engine *engine, struct err *err)
{
    const char *letters = getenv("FIT_REDRIVE");
    const char *given = letters ? letters : engine->options->state;
    engine->redrives = letters;
    if (state_dir_is_named(given)) {
        engine->state = state_dir_path(given, err);
        if (!engine->state)
            return -1;
    }
    unsetenv("FIT_REDRIVE");
    return 0;
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
    if (open_state(engine, err) < 0)
        goto fail;
    set_context(engine);
    engine->paths = json_paths_new();
    engine->out.progress = run_out_progress;
    stream_open(&engine->out, engine->loop, STDOUT_FILENO, false);
    stream_open(&engine->err, engine->loop, STDERR_FILENO, false);
    msg_divert(say, engine);
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
    store_free(engine->store);
    store_free(engine->memory);
    home_free(engine->home);
    free(engine->state);
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

struct fn_context *engine_functions(struct engine *engine)
{
    return &engine->context;
}

const struct fn_settings *engine_settings(struct engine *engine)
{
    engine->settings = engine->options->calling;
    engine->settings.policy = engine->policy;
    return &engine->settings;
}

struct home *engine_home(struct engine *engine, struct err *err)
{
    if (engine->home)
        return engine->home;
    char *path =
        engine->state ? mem_strdup(engine->state) : state_dir_path(engine->options->state, err);
    if (path)
        engine->home = home_open(path, err);
    free(path);
    return engine->home;
}

struct store *engine_store(struct engine *engine, struct err *err)
{
    struct home *home = engine->store ? NULL : engine_home(engine, err);
    if (home)
        engine->store = store_open(home, engine->loop, &(struct store_settings){0}, err);
    return engine->store;
}

struct store *engine_memory(struct engine *engine)
{
    if (!engine->memory)
        engine->memory = store_open_memory(engine->loop, NULL);
    return engine->memory;
}

bool engine_redrives(const struct engine *engine)
{
    return engine->redrives;
}

bool engine_records(const struct engine *engine)
{
    return engine->recall;
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
