/* closing.c: functions are closed: all at the end of a run, or one that is no longer wanted
 * meanwhile. */
#include "engine/internal.h"

#include "base/mem.h"

#include <stdlib.h>

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
    if (!engine->started || engine->closing || engine->window || engine->parked ||
        engine_takes(engine))
        return;
    if (engine->source->busy && engine->source->busy(engine->source))
        return; /* it says when it is not */
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
