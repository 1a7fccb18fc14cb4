/* lines.c: line workers: a pool of processes that answer each line with one line (worker.c). */
#include "base/mem.h"
#include "fn/environment.h"
#include "fn/kind.h"
#include "fn/pool.h"
#include "fn/worker.h"

#include <stdlib.h>

struct lines {
    struct pool pool; /* first */
    struct environment *environment;
};

static struct pool_worker *start(struct fn *fn, unsigned slot, struct err *err)
{
    const struct lines *lines = fn->state;
    return worker_start(fn, slot, environment_for(lines->environment, NULL, slot, 0), err);
}

static const struct pool_kind line_workers = {
    .start = start,
    .send = worker_send,
    .flush = worker_flush,
    .finish = worker_finish,
    .cancel = worker_cancel,
    .take_back = worker_take_back,
    .free = worker_free,
};

static int lines_open(struct fn *fn, struct err *err)
{
    (void)err;
    struct lines *lines = mem_zalloc(sizeof *lines);
    pool_init(&lines->pool, fn, &line_workers);
    lines->environment = environment_new(fn->context);
    fn->state = lines;
    return 0;
}

static void lines_free(struct fn *fn)
{
    struct lines *lines = fn->state;
    pool_free(&lines->pool);
    environment_free(lines->environment);
    free(lines);
}

const struct fn_kind lines_kind = {
    .scheme = "lines:",
    .program = true,
    .open = lines_open,
    .has_slot = pool_has_slot,
    .begin = pool_begin,
    .prepare = pool_prepare,
    .workers = pool_workers,
    .crash = pool_crash,
    .forsake = pool_forsake,
    .cancel = pool_cancel,
    .close = pool_close,
    .free = lines_free,
};
