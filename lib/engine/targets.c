/* targets.c: the functions that events are sent to, opened and closed while the fitting runs. */
#include "engine/targets.h"

#include "base/mem.h"

#include <stdlib.h>

static struct target *add(struct targets *targets, struct fn *fn, const char *name, bool shared)
{
    struct target *target = mem_zalloc(sizeof *target);
    target->targets = targets;
    target->fn = fn;
    target->name = mem_strdup(name);
    target->shared = shared;
    target->silent = fn_is_silent(fn);
    target->users = 1;
    target->next = targets->first;
    targets->first = target;
    targets->count++;
    return target;
}

struct target *targets_open(struct targets *targets, const char *text, struct err *err)
{
    for (struct target *target = targets->first; target; target = target->next) {
        if (target->shared && strcmp(target->name, text) == 0) {
            target->users++;
            return target;
        }
    }
    struct fn *fn = engine_open_string(targets->engine, text, err);
    return fn ? add(targets, fn, text, true) : NULL;
}

struct target *targets_open_own(struct targets *targets, const char *text, struct err *err)
{
    struct fn *fn = engine_open_string(targets->engine, text, err);
    return fn ? add(targets, fn, text, false) : NULL;
}

struct target *targets_open_program(struct targets *targets, const char *path, struct err *err)
{
    struct fn_settings settings = *engine_settings(targets->engine);
    settings.literal = true;
    char *word = mem_strdup(path);
    struct fn *fn = fn_open(engine_functions(targets->engine), &settings, &word, 1, err);
    free(word);
    if (!fn)
        return NULL;
    engine_add(targets->engine, fn);
    return add(targets, fn, path, false);
}

static void unlink_full(struct target *target)
{
    struct target **link = &target->targets->full;
    while (target->full && *link != target)
        link = &(*link)->next_full;
    if (target->full)
        *link = target->next_full;
    target->full = false;
}

static void forget(struct target *target)
{
    struct targets *targets = target->targets;
    struct target **link = &targets->first;
    while (*link != target)
        link = &(*link)->next;
    *link = target->next;
    targets->count--;
    unlink_full(target);
    free(target->name);
    free(target);
}

static void close_unused(struct target *target)
{
    if (target->users || target->open)
        return;
    engine_remove(target->targets->engine, target->fn);
    forget(target);
}

void targets_leave(struct target *target)
{
    if (!target)
        return;
    target->users--;
    close_unused(target);
}

void targets_free(struct targets *targets)
{
    while (targets->first)
        forget(targets->first);
}

bool targets_are_silent(const struct targets *targets)
{
    for (const struct target *target = targets->first; target; target = target->next) {
        if (!target->silent)
            return false;
    }
    return true;
}

bool targets_have_room(struct targets *targets)
{
    struct target **link = &targets->full;
    while (*link) {
        struct target *target = *link;
        if (!fn_has_room(target->fn)) {
            link = &target->next_full;
            continue;
        }
        *link = target->next_full;
        target->full = false;
    }
    return !targets->full;
}

/*
 * Those that take nothing hold at most half of the window before it counts as crowded, and a
 * quarter together afterwards: the rest stays for the others.
 */
static bool holds_too_much(const struct target *target, unsigned limit)
{
    const struct targets *targets = target->targets;
    if (target->open >= limit || !fn_has_room(target->fn))
        return true;
    return engine_is_crowded(targets->engine) &&
           (target->open >= ENGINE_WINDOW / 4 / targets->count ||
            target->bytes >= ENGINE_WINDOW_BYTES / 4 / targets->count);
}

bool targets_is_full(struct target *target, unsigned limit)
{
    if (!holds_too_much(target, limit))
        return false;
    fn_flush(target->fn);
    return target->open && holds_too_much(target, limit);
}

static void note_full(struct target *target)
{
    struct targets *targets = target->targets;
    if (target->full || fn_has_room(target->fn))
        return;
    target->full = true;
    target->next_full = targets->full;
    targets->full = target;
}

static void end(struct target *target, size_t bytes)
{
    target->open--;
    target->bytes -= bytes;
    close_unused(target);
}

bool targets_put(struct target *target, struct fn_put *put, struct str event)
{
    if (engine_records(target->targets->engine) || !fn_put(target->fn, put, event))
        return false;
    target->open++;
    target->bytes += event.len;
    note_full(target);
    return true;
}

void targets_put_ended(struct target *target, size_t bytes)
{
    end(target, bytes);
}

void targets_call(struct target *target, struct job *job, struct fn_call *call)
{
    target->open++;
    target->bytes += call->event.len;
    target->users++; /* it outlives this call, which may end at once */
    job_call(job, target->fn, call);
    note_full(target);
    targets_leave(target);
}

void targets_ended(struct target *target, const struct fn_call *call)
{
    end(target, call->event.len);
}
