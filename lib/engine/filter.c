/* filter.c: what the mains of filters do alike. */
#include "engine/filter.h"

#include "engine/internal.h"

#include <unistd.h>

struct fn *filter_open(struct engine *engine, const struct options_words *function, struct err *err)
{
    static char itself[] = "-";
    static char *const pass[] = {itself, NULL};
    if (!engine)
        return NULL;
    if (!function->count)
        return engine_open(engine, pass, 1, err);
    return engine_open(engine, function->words, function->count, err);
}

struct source *filter_lines(struct engine *engine, struct err *err)
{
    return source_lines(engine_loop(engine), STDIN_FILENO, "stdin", engine->options->max_event,
                        err);
}

int filter_run(struct engine *engine, struct plan *plan, struct err *err)
{
    struct source *source = plan ? filter_lines(engine, err) : NULL;
    return source ? engine_run(engine, source, plan) : engine_refuse(err);
}
