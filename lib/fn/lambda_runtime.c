/* lambda_runtime.c: the process of one environment of AWS Lambda. */
#include "fn/lambda_runtime.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "fn/limits.h"
#include "fn/piped.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define RUNTIME_OF(pointer, member) (CONTAINER_OF(pointer, struct lambda_runtime, member))

/* ---- ending ---- */

static void terminate(struct loop_timer *timer)
{
    struct lambda_runtime *runtime = RUNTIME_OF(timer, base.process.timer);
    runtime->state = LAMBDA_OVER;
    pool_process_end(&runtime->base, SIGTERM);
}

/* It takes no more events and none is in flight: its slot is free. */
static void leave_slot(struct lambda_runtime *runtime)
{
    if (runtime->base.state != POOL_ENDING)
        pool_leaves(&runtime->base);
    runtime->base.state = POOL_ENDING;
}

/* It is ended now. */
static void let_go(struct lambda_runtime *runtime, int signo)
{
    leave_slot(runtime);
    runtime->state = LAMBDA_OVER;
    pool_process_end(&runtime->base, signo);
}

/*
 * It goes in peace: its group is told. Who has left that is let alone, as of any function that has
 * succeeded; and to look for them in /proc takes a millisecond or more for each environment.
 */
static void dismiss(struct lambda_runtime *runtime)
{
    leave_slot(runtime);
    runtime->state = LAMBDA_OVER;
    pool_process_signal_group(&runtime->base, SIGTERM);
    pool_process_kill_later(&runtime->base);
}

/* It has served its time. What it still does after its last answer it may do: it is ended when it
 * asks for another event, or after the grace. */
static void retire(struct lambda_runtime *runtime)
{
    if (runtime->state != LAMBDA_ANSWERED) {
        dismiss(runtime);
        return;
    }
    leave_slot(runtime);
    runtime->state = LAMBDA_LEAVING;
    pool_process_wait(&runtime->base, terminate, runtime->base.fn->settings.grace);
}

void lambda_runtime_leave(struct lambda_runtime *runtime)
{
    dismiss(runtime);
}

/* ---- the call in flight ---- */

static struct fn_call *take_call(struct lambda_runtime *runtime)
{
    struct fn_call *call = runtime->base.flight.first;
    fn_list_remove(&runtime->base.flight, call);
    runtime->base.flight_bytes -= call->event.len;
    runtime->handed = false;
    return call;
}

static void report(struct lambda_runtime *runtime, struct fn_call *call, struct failure *failure,
                   size_t bytes_out)
{
    struct attempt_report what = {.slot = runtime->base.slot,
                                  .pid = runtime->base.process.pid,
                                  .bytes_in = call->event.len,
                                  .bytes_out = bytes_out};
    if (failure)
        buf_add_str(&failure->errors, errlines_tail(&runtime->output));
    if (runtime->base.answers == 1 && !failure)
        what.init = pool_init_time(&runtime->base);
    attempt_end(call, failure, &what);
}

void lambda_runtime_end_call(struct lambda_runtime *runtime, struct failure *failure,
                             size_t bytes_out)
{
    struct fn *fn = runtime->base.fn;
    loop_timer_clear(lambda_loop(runtime), &runtime->base.process.timer);
    runtime->base.answers++;
    runtime->base.last_heard = loop_now(lambda_loop(runtime));
    if (failure)
        errlines_catch_up(&runtime->output);
    struct fn_call *call = take_call(runtime);
    bool finished = runtime->base.state == POOL_FINISHED;
    report(runtime, call, failure, bytes_out);
    if (finished && runtime->base.state != POOL_ENDING)
        retire(runtime);
    pool_freed(fn);
}

/* The environment is of no use any more: its call fails, it is ended. */
static void break_off(struct lambda_runtime *runtime, struct failure *failure)
{
    errlines_catch_up(&runtime->output);
    let_go(runtime, SIGTERM);
    if (runtime->base.flight.count)
        report(runtime, take_call(runtime), failure, 0);
    else
        failure_free(failure);
    attempt_pump(runtime->base.fn);
}

static void timed_out(struct loop_timer *timer)
{
    struct lambda_runtime *runtime = RUNTIME_OF(timer, base.process.timer);
    char after[NUM_TEXT];
    const char *time = num_format_duration(runtime->base.fn->settings.timeout, after);
    if (runtime->state == LAMBDA_STARTING)
        break_off(runtime, failure_new(FAILURE_INIT, FAILURE_ORDINARY,
                                       "has not asked for an event within %s", time));
    else
        break_off(runtime,
                  failure_new(FAILURE_TIMEOUT, FAILURE_ORDINARY, "no answer after %s", time));
}

void lambda_runtime_ready(struct lambda_runtime *runtime)
{
    struct lambda *lambda = runtime->base.fn->state;
    if (!runtime->base.unready)
        return;
    runtime->base.unready = false;
    runtime->base.warm = true;
    lambda->warned = false;
    if (!runtime->base.flight.count) /* else the timer is the call's */
        loop_timer_clear(lambda_loop(runtime), &runtime->base.process.timer);
    pool_tend(&lambda->pool);
    pool_freed(runtime->base.fn);
}

void lambda_runtime_send(struct pool_worker *base, struct fn_call *call)
{
    struct lambda_runtime *runtime = RUNTIME_OF(base, base);
    int64_t timeout = base->fn->settings.timeout;
    call->run = base;
    fn_list_append(&base->flight, call);
    base->flight_bytes += call->event.len;
    base->last_heard = loop_now(lambda_loop(runtime));
    runtime->deadline = clock_wall() + (timeout ? timeout : LAMBDA_NO_DEADLINE);
    if (timeout)
        pool_process_wait(&runtime->base, timed_out, timeout);
    lambda_requests_hand_out(runtime);
}

bool lambda_runtime_take_back(struct pool_worker *base, struct fn_list *calls)
{
    struct lambda_runtime *runtime = RUNTIME_OF(base, base);
    int64_t timeout = base->fn->settings.timeout;
    if (runtime->handed)
        return false;
    *calls = base->flight;
    base->flight = (struct fn_list){0};
    base->flight_bytes = 0;
    loop_timer_clear(lambda_loop(runtime), &runtime->base.process.timer);
    if (timeout && base->unready)
        pool_process_wait(&runtime->base, timed_out,
                          base->born + timeout - loop_now(lambda_loop(runtime)));
    return true;
}

/* ---- its end ---- */

/* No call fails that would tell of it. Once is enough, until one can be initialised. */
static void warn(const struct lambda_runtime *runtime, const struct failure *reported)
{
    const struct fn_context *context = runtime->base.fn->context;
    struct lambda *lambda = runtime->base.fn->state;
    struct buf text = {0};
    if (!context->warn || lambda->warned)
        return;
    lambda->warned = true;
    buf_addf(&text, "%s: %s%s%s", runtime->base.fn->name, reported->message,
             reported->detail ? ": " : "", reported->detail ? reported->detail : "");
    context->warn(context->owner, buf_cstr(&text));
    buf_free(&text);
}

void lambda_runtime_give_up(struct lambda_runtime *runtime, struct failure *reported)
{
    if (!runtime->base.flight.count)
        warn(runtime, reported);
    runtime->reported = reported;
    if (runtime->base.state == POOL_READY)
        runtime->base.state = POOL_FINISHED;
    pool_process_wait(&runtime->base, terminate, runtime->base.fn->settings.grace);
}

void lambda_runtime_finish(struct pool_worker *base)
{
    struct lambda_runtime *runtime = RUNTIME_OF(base, base);
    if (base->state == POOL_ENDING)
        return;
    if (base->flight.count)
        base->state = POOL_FINISHED;
    else
        retire(runtime);
}

void lambda_runtime_cancel(struct pool_worker *base, enum failure_reason reason, bool now)
{
    struct lambda_runtime *runtime = RUNTIME_OF(base, base);
    if (base->state == POOL_ENDING) {
        if (now)
            pool_process_signal(base, SIGKILL);
        else if (runtime->state == LAMBDA_LEAVING)
            terminate(&runtime->base.process.timer);
        return;
    }
    let_go(runtime, now ? SIGKILL : SIGTERM);
    if (base->flight.count)
        report(runtime, take_call(runtime),
               failure_new(reason, FAILURE_PERMANENT, "ended before it was done: %s",
                           failure_name(reason)),
               0);
}

/* Why it is gone, as a failure of its call. */
static struct failure *failure_of_exit(struct lambda_runtime *runtime, int status)
{
    struct failure *failure = runtime->reported;
    runtime->reported = NULL;
    if (failure)
        return failure;
    failure = status ? failure_of_status(status)
                     : failure_new(FAILURE_EXIT, FAILURE_ORDINARY, "exited before it had answered");
    if (runtime->state == LAMBDA_STARTING) {
        struct buf message = {0};
        buf_addf(&message, "%s before it asked for an event", status ? failure->message : "exited");
        free(failure->message);
        failure->message = buf_take(&message);
        failure->reason = FAILURE_INIT;
    }
    return failure;
}

/* An event that it was not handed, as it went after the one before, counts nothing. */
static void give_up_call(struct lambda_runtime *runtime, int status)
{
    bool innocent = runtime->base.answers && !runtime->handed;
    if (!innocent) {
        report(runtime, take_call(runtime), failure_of_exit(runtime, status), 0);
        return;
    }
    attempt_return(take_call(runtime));
}

static void exited(struct loop_child *child, int status, const struct rusage *usage)
{
    struct lambda_runtime *runtime = RUNTIME_OF(child, base.process.child);
    struct fn *fn = runtime->base.fn;
    (void)usage;
    http_server_drain(runtime->server); /* what it answered before it died counts */
    pool_process_gone(&runtime->base);
    errlines_close(&runtime->output);
    if (runtime->base.state != POOL_ENDING)
        pool_leaves(&runtime->base);
    runtime->base.state = POOL_ENDING;
    if (runtime->base.flight.count)
        give_up_call(runtime, status);
    http_server_close(runtime->server);
    runtime->server = NULL;
    pool_gone(&runtime->base);
    attempt_pump(fn);
}

void lambda_runtime_free(struct pool_worker *base)
{
    struct lambda_runtime *runtime = RUNTIME_OF(base, base);
    http_server_close(runtime->server);
    errlines_free(&runtime->output);
    failure_free(runtime->reported);
    free(runtime);
}

/* ---- its start ---- */

/* The pid, and *output the read end of what it prints. -1 with err. */
static pid_t spawn(struct lambda_runtime *runtime, int *output, struct err *err)
{
    struct fn *fn = runtime->base.fn;
    struct lambda *lambda = fn->state;
    const struct spawn_limits *limits = NULL;
    int ends[2];
    if (fn->limits && !(limits = limits_of(fn->limits, runtime->base.slot, err)))
        return -1;
    if (spawn_pipe(ends, O_NONBLOCK, 0) < 0)
        return err_sys(err, "make a pipe");
    char **variables = lambda_variables(&lambda->names, fn, http_server_port(runtime->server),
                                        rng_next(&lambda->rng));
    struct fn_context context = *fn->context;
    context.environment = variables;
    struct environment *environment = environment_new(&context);
    struct spawn_spec spec = {
        .path = fn->program,
        .argv = fn->words,
        .envp = environment_for(environment, NULL, runtime->base.slot, 0),
        .fds = {-1, ends[1], ends[1]},
        .limits = limits,
    };
    pid_t pid = spawn_process(&spec, err);
    environment_free(environment);
    lambda_variables_free(variables);
    close(ends[1]);
    if (pid < 0)
        close(ends[0]);
    else
        *output = ends[0];
    return pid;
}

static int watch_process(struct lambda_runtime *runtime, int output, struct err *err)
{
    struct fn_context *context = runtime->base.fn->context;
    runtime->base.process.child.exited = exited;
    if (loop_child_add(context->loop, &runtime->base.process.child, runtime->base.process.pid) ==
            0 &&
        errlines_open(&runtime->output, context, output) == 0)
        return 0;
    err_sys(err, "watch a process");
    loop_child_remove(context->loop, &runtime->base.process.child);
    runtime->output.fd = -1;
    close(output);
    piped_abandon(runtime->base.process.pid);
    return -1;
}

struct pool_worker *lambda_runtime_start(struct fn *fn, unsigned slot, struct err *err)
{
    struct lambda_runtime *runtime = mem_zalloc(sizeof *runtime);
    int output = -1;
    runtime->base.fn = fn;
    runtime->base.slot = slot;
    runtime->base.unready = true;
    runtime->output.fd = -1;
    if (lambda_requests_open(runtime, err) < 0)
        goto fail;
    runtime->base.process.pid = spawn(runtime, &output, err);
    if (runtime->base.process.pid < 0 || watch_process(runtime, output, err) < 0)
        goto fail;
    if (fn->settings.timeout)
        pool_process_wait(&runtime->base, timed_out, fn->settings.timeout);
    return &runtime->base;

fail:
    lambda_runtime_free(&runtime->base);
    return NULL;
}
