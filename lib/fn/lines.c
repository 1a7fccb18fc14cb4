/*
 * lines.c: a pool of line workers.
 *
 * A worker is started when there is an event for it and all others are busy. Events go to an idle
 * worker first; workers that answer quickly are sent several at once (worker.c), filled one after
 * the other so that each write is large. A worker that ends is replaced when it is next needed; if
 * it ended without one answer, not at once.
 */
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "fn/environment.h"
#include "fn/kind.h"
#include "fn/worker.h"
#include "pattern/retry.h"

#include <signal.h>
#include <stdlib.h>

enum {
    LINES_CRASH_LIMIT = 16
}; /* failed starts beyond it no longer lengthen the pause before the next */
static const struct retry_policy restart_policy = {.base = NUM_SECOND / 10, .cap = NUM_SECOND * 10};

struct lines {
    struct fn *fn;
    struct environment *environment;
    struct worker **slots;  /* settings.jobs of them; NULL: no worker */
    unsigned running;       /* slots with a worker */
    struct worker *current; /* being filled */
    struct worker *ending;  /* out of their slot, not yet gone */
    struct loop_task flush; /* sends what this turn has gathered */
    struct loop_timer restart;
    unsigned failed_starts; /* workers that ended without an answer, since the last answer */
    bool paused;            /* no new worker before the restart timer fires */
    bool closing;
};

static void send_gathered(struct loop_task *task)
{
    struct lines *lines = CONTAINER_OF(task, struct lines, flush);
    for (unsigned i = 0; i < lines->fn->settings.jobs; i++) {
        struct worker *worker = lines->slots[i];
        if (worker && worker->dirty) {
            worker->dirty = false;
            worker_flush(worker);
        }
    }
}

static void restart(struct loop_timer *timer)
{
    struct lines *lines = CONTAINER_OF(timer, struct lines, restart);
    lines->paused = false;
    attempt_pump(lines->fn);
}

static int lines_open(struct fn *fn, struct err *err)
{
    if (fn->template)
        return err_set(
            err, ERR_USAGE,
            "'%s': a worker's words hold no placeholders (--literal takes them as they are)",
            fn->name);
    struct lines *lines = mem_zalloc(sizeof *lines);
    lines->fn = fn;
    lines->environment = environment_new(fn->context);
    lines->slots = mem_array(fn->settings.jobs, sizeof *lines->slots);
    lines->flush.run = send_gathered;
    lines->restart.fire = restart;
    fn->state = lines;
    return 0;
}

/* The worker for the next event, or NULL with *empty set to a slot that may get one, or to -1. */
static struct worker *pick(const struct lines *lines, int *empty)
{
    *empty = -1;
    if (lines->current && lines->current->flight.count && lines->current->depth > 1 &&
        worker_has_room(lines->current))
        return lines->current;
    struct worker *best = NULL;
    for (unsigned i = 0; i < lines->fn->settings.jobs; i++) {
        struct worker *worker = lines->slots[i];
        if (!worker) {
            if (*empty < 0 && !lines->paused)
                *empty = (int)i;
        } else if (worker_has_room(worker) &&
                   (!best || worker->flight.count < best->flight.count)) {
            best = worker;
            if (!best->flight.count)
                return best;
        }
    }
    return *empty >= 0 ? NULL : best;
}

static bool lines_has_slot(const struct fn *fn)
{
    int empty;
    return pick(fn->state, &empty) || empty >= 0;
}

static struct worker *start_worker(struct lines *lines, unsigned slot, struct err *err)
{
    char *const *envp = environment_for(lines->environment, NULL, slot + 1, 0);
    struct worker *worker = worker_start(lines->fn, slot + 1, envp, err);
    if (worker) {
        lines->slots[slot] = worker;
        lines->running++;
    }
    return worker;
}

/* A new worker is due when this one has served its time. */
static bool is_worn(const struct worker *worker)
{
    const struct fn_settings *settings = &worker->fn->settings;
    return (settings->max_uses && worker->uses >= settings->max_uses) ||
           (settings->max_age &&
            loop_now(worker->fn->context->loop) - worker->born >= settings->max_age);
}

static struct worker *send(struct fn *fn, struct fn_call *call)
{
    struct lines *lines = fn->state;
    int empty;
    struct worker *worker = pick(lines, &empty);
    if (worker && !worker->flight.count &&
        is_worn(worker)) { /* its age: its uses were looked at when it was sent to */
        empty = (int)worker->slot - 1;
        worker_finish(worker);
        worker = NULL;
    }
    if (!worker) {
        struct err err;
        worker = start_worker(lines, (unsigned)empty, &err);
        if (!worker) {
            enum failure_class class =
                err.kind == ERR_SYSTEM ? FAILURE_TEMPORARY : FAILURE_PERMANENT;
            attempt_end(call, failure_new(FAILURE_SPAWN, class, "%s", err.text),
                        &(struct attempt_report){0});
            return NULL;
        }
    }
    lines->current = worker;
    if (!worker->dirty) {
        worker->dirty = true;
        loop_defer(fn->context->loop, &lines->flush);
    }
    worker_send(worker, call);
    return worker;
}

static void lines_begin(struct fn *fn, struct fn_call *call)
{
    struct worker *worker = send(fn, call);
    if (worker && worker->state == WORKER_READY && is_worn(worker)) {
        worker_flush(worker);
        worker_finish(worker);
    }
}

static void lines_crash(struct fn *fn, struct fn_call *call)
{
    struct worker *worker = send(fn, call);
    if (worker && worker->child.pid)
        kill(-worker->pid, SIGKILL);
}

void worker_leaves(struct worker *worker)
{
    struct lines *lines = worker->fn->state;
    lines->slots[worker->slot - 1] = NULL;
    lines->running--;
    if (lines->current == worker)
        lines->current = NULL;
    worker->next = lines->ending;
    lines->ending = worker;
}

static void free_worker(struct worker *worker)
{
    errlines_free(&worker->errors);
    block_drop(worker->block);
    free(worker);
}

void worker_gone(struct worker *worker)
{
    struct fn *fn = worker->fn;
    struct lines *lines = fn->state;
    struct worker **link = &lines->ending;
    while (*link != worker)
        link = &(*link)->next;
    *link = worker->next;
    lines->failed_starts = worker->answers ? 0 : lines->failed_starts + 1;
    if (lines->failed_starts && !lines->closing) {
        unsigned attempt =
            lines->failed_starts < LINES_CRASH_LIMIT ? lines->failed_starts : LINES_CRASH_LIMIT;
        lines->paused = true;
        loop_timer_set(fn->context->loop, &lines->restart,
                       loop_now(fn->context->loop) +
                           retry_delay(&restart_policy, attempt, rng_unit(fn->context->rng)));
    }
    free_worker(worker);
    if (lines->closing && !lines->running && !lines->ending)
        fn_closed(fn);
}

static void lines_forsake(struct fn *fn, struct fn_call *call, struct fn_call *instead,
                          enum failure_reason reason)
{
    (void)fn;
    (void)reason;
    worker_forsake(call->run, call, instead);
}

static void lines_cancel(struct fn *fn, enum failure_reason reason, bool now)
{
    struct lines *lines = fn->state;
    for (unsigned i = 0; i < fn->settings.jobs; i++) {
        if (lines->slots[i])
            worker_cancel(lines->slots[i], reason, now);
    }
    for (struct worker *worker = lines->ending; worker; worker = worker->next)
        worker_cancel(worker, reason, now);
}

static void lines_close(struct fn *fn)
{
    struct lines *lines = fn->state;
    lines->closing = true;
    loop_timer_clear(fn->context->loop, &lines->restart);
    loop_undefer(fn->context->loop, &lines->flush);
    for (unsigned i = 0; i < fn->settings.jobs; i++) {
        struct worker *worker = lines->slots[i];
        if (worker && worker->flight.count) /* nobody waits for its answers (fn_end) */
            worker_cancel(worker, FAILURE_NOT_NEEDED, false);
        else if (worker)
            worker_finish(worker);
    }
    if (!lines->ending)
        fn_closed(fn);
}

static void lines_free(struct fn *fn)
{
    struct lines *lines = fn->state;
    environment_free(lines->environment);
    free(lines->slots);
    free(lines);
}

const struct fn_kind lines_kind = {
    .scheme = "lines:",
    .program = true,
    .open = lines_open,
    .has_slot = lines_has_slot,
    .begin = lines_begin,
    .crash = lines_crash,
    .forsake = lines_forsake,
    .cancel = lines_cancel,
    .close = lines_close,
    .free = lines_free,
};
