/* engine_state.c: what an engine keeps on disk, and in memory: opened when it is first asked for.
 */
#include "engine/internal.h"

#include "base/mem.h"
#include "engine/state_dir.h"
#include "state/home.h"
#include "state/store.h"

#include <stdlib.h>

/* dead redrive says where the letters are; what the functions call must not do so too. */
int engine_state_open(struct engine *engine, struct err *err)
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

static char *path_of(const struct engine *engine, struct err *err)
{
    return engine->state ? mem_strdup(engine->state) : state_dir_path(engine->options->state, err);
}

/* Who only looks for something there makes no directory. */
struct home *engine_state_find(void *owner, struct err *err)
{
    struct engine *engine = owner;
    char *path = path_of(engine, err);
    if (!path)
        return NULL;
    bool exists = home_is_url(path) || home_exists(path);
    if (!exists)
        err_set(err, ERR_NOT_FOUND, "%s: there is no state directory", path);
    free(path);
    return exists ? engine_home(engine, err) : NULL;
}

struct home *engine_home(struct engine *engine, struct err *err)
{
    if (engine->home)
        return engine->home;
    char *path = path_of(engine, err);
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

struct store *engine_state_store(void *owner, struct err *err)
{
    return engine_store(owner, err);
}

struct store *engine_memory(struct engine *engine)
{
    if (!engine->memory)
        engine->memory = store_open_memory(engine->loop, NULL);
    return engine->memory;
}

void engine_state_free(struct engine *engine)
{
    store_free(engine->store);
    store_free(engine->memory);
    home_free(engine->home);
    free(engine->state);
}

bool engine_redrives(const struct engine *engine)
{
    return engine->redrives;
}
