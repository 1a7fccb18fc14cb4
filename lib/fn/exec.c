/*
 * exec.c: one process for each event.
 *
 * A run (exec_run.h) for each slot, made when the slot is first used. The words are those of the
 * function, with its placeholders filled in.
 */
#include "base/mem.h"
#include "fn/environment.h"
#include "fn/exec_run.h"

#include <stdlib.h>

struct exec {
    struct environment *environment;
    struct exec_run **runs;
    unsigned made;
    unsigned running;
    struct exec_run *free;
    bool closing; /* and fn_closed is still owed */
};

static int exec_open(struct fn *fn, struct err *err)
{
    (void)err;
    struct exec *exec = mem_zalloc(sizeof *exec);
    exec->environment = environment_new(fn->context);
    exec->runs = mem_array(fn->settings.jobs, sizeof *exec->runs);
    fn->state = exec;
    return 0;
}

static bool exec_has_slot(const struct fn *fn)
{
    const struct exec *exec = fn->state;
    return exec->free || exec->made < fn->settings.jobs;
}

static void give_back(struct exec_run *run)
{
    struct exec *exec = run->fn->state;
    run->call = NULL;
    exec->running--;
    run->next_free = exec->free;
    exec->free = run;
}

/* What was ended with fn_end may still run when the function is closed, and it may be closed while
 * the end of a call is being told. */
static void close_if_idle(struct fn *fn)
{
    struct exec *exec = fn->state;
    if (!exec->closing || exec->running)
        return;
    exec->closing = false;
    fn_closed(fn);
}

static void ended(struct exec_run *run, struct failure *failure,
                  const struct attempt_report *report)
{
    struct fn *fn = run->fn;
    struct fn_call *call = run->call;
    give_back(run);
    attempt_end(call, failure, report);
    attempt_pump(fn);
    close_if_idle(fn);
}

static struct exec_run *take_run(struct fn *fn)
{
    struct exec *exec = fn->state;
    struct exec_run *run = exec->free;
    exec->running++;
    if (run) {
        exec->free = run->next_free;
        return run;
    }
    run = exec_run_new(fn, exec->made + 1, ended);
    exec->runs[exec->made++] = run;
    return run;
}

static void exec_forsake(struct fn *fn, struct fn_call *call, struct fn_call *instead,
                         enum failure_reason reason)
{
    struct exec_run *run = call->run;
    (void)fn;
    run->call = instead;
    if (!run->failure) /* else it is being ended already, and has its grace */
        exec_run_end(run, failure_new(reason, FAILURE_PERMANENT, "%s", failure_name(reason)),
                     false);
}

static void exec_cancel(struct fn *fn, enum failure_reason reason, bool now)
{
    struct exec *exec = fn->state;
    for (unsigned i = 0; i < exec->made; i++) {
        struct exec_run *run = exec->runs[i];
        if (run->call)
            exec_run_end(run,
                         failure_new(reason, FAILURE_PERMANENT, "ended before it was done: %s",
                                     failure_name(reason)),
                         now);
    }
}

static void begin(struct fn *fn, struct fn_call *call, bool crash)
{
    struct err err;
    char *const *argv = fn->words;
    if (fn->template)
        argv = template_expand(fn->template, slice_str(call->event), &err);
    if (!argv) {
        attempt_end(call, failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "%s", err.text),
                    &(struct attempt_report){0});
        return;
    }
    const struct exec *exec = fn->state;
    struct exec_run *run = take_run(fn);
    run->call = call;
    run->crash = crash;
    call->run = run;
    struct failure *failure = exec_run_start(run, argv, exec->environment);
    if (!failure)
        return;
    unsigned slot = run->slot;
    give_back(run);
    attempt_end(call, failure, &(struct attempt_report){.slot = slot});
}

static void exec_begin(struct fn *fn, struct fn_call *call)
{
    begin(fn, call, false);
}

static void exec_crash(struct fn *fn, struct fn_call *call)
{
    begin(fn, call, true);
}

static void exec_close(struct fn *fn)
{
    struct exec *exec = fn->state;
    exec->closing = true;
    close_if_idle(fn);
}

static void exec_free(struct fn *fn)
{
    struct exec *exec = fn->state;
    for (unsigned i = 0; i < exec->made; i++)
        exec_run_free(exec->runs[i]);
    environment_free(exec->environment);
    free(exec->runs);
    free(exec);
}

const struct fn_kind exec_kind = {
    .scheme = "",
    .program = true,
    .wants_id = true,
    .open = exec_open,
    .has_slot = exec_has_slot,
    .begin = exec_begin,
    .crash = exec_crash,
    .forsake = exec_forsake,
    .cancel = exec_cancel,
    .close = exec_close,
    .free = exec_free,
};
