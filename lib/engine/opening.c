/* opening.c: the functions of an engine are opened; what they are told, and who hears of them. */
#include "engine/internal.h"

#include "base/mem.h"
#include "base/msg.h"

#include <stdlib.h>

extern char **environ;

/* ---- what they need of the engine ---- */

static void function_room(void *owner)
{
    struct engine *engine = owner;
    if (engine->plan && engine->plan->room)
        engine->plan->room(engine->plan);
    admit_wake(engine);
}

void opening_fatal(void *owner, const struct err *err)
{
    engine_fail(owner, err);
}

static const char *or_default(const char *value, const char *instead)
{
    return value && *value ? value : instead;
}

void opening_init(struct engine *engine)
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
        .say = engine_say,
        .room = function_room,
        .warn = engine_warn,
        .fatal = opening_fatal,
        .store = engine_state_store,
        .home = engine_state_find,
    };
}

/* ---- opening them ---- */

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

/* ---- who hears of their attempts ---- */

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
