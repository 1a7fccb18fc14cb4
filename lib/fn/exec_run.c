/* exec_run.c: a process that makes one attempt at a call. */
#include "fn/exec_run.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "fn/environment.h"
#include "fn/limits.h"
#include "fn/piped.h"
#include "format/json.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    EXEC_DRAIN = 16 * 1024 * 1024
}; /* output still read after the exit: more than any pipe holds */

#define RUN_OF(pointer, member) (CONTAINER_OF(pointer, struct exec_run, member))

/* ---- ending it ---- */

static void kill_now(struct loop_timer *timer)
{
    struct exec_run *run = RUN_OF(timer, timer);
    spawn_tree_signal(&run->tree, SIGKILL);
}

void exec_run_end(struct exec_run *run, struct failure *failure, bool now)
{
    struct loop *loop = run->fn->context->loop;
    if (run->failure)
        failure_free(failure);
    else
        run->failure = failure;
    loop_timer_clear(loop, &run->timer);
    run->tree.pid = run->pid;
    spawn_tree_signal(&run->tree, now ? SIGKILL : SIGTERM);
    if (now)
        return;
    run->timer.fire = kill_now;
    loop_timer_set(loop, &run->timer, loop_now(loop) + run->fn->settings.grace);
}

static void timed_out(struct loop_timer *timer)
{
    struct exec_run *run = RUN_OF(timer, timer);
    char after[NUM_TEXT];
    exec_run_end(run,
                 failure_new(FAILURE_TIMEOUT, FAILURE_ORDINARY, "not done after %s",
                             num_format_duration(run->fn->settings.timeout, after)),
                 false);
}

/* ---- its output and input ---- */

static void close_watched(struct exec_run *run, struct loop_fd *watch)
{
    if (!watch->active)
        return;
    int fd = watch->fd;
    loop_fd_remove(run->fn->context->loop, watch);
    close(fd);
}

/* Read up to most bytes; closes at the end. */
static void read_output(struct exec_run *run, size_t most)
{
    while (run->out.active && most) {
        size_t room;
        char *space = collect_space(&run->output, &room);
        ssize_t got = read(run->out.fd, space, room < most ? room : most);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0) {
            close_watched(run, &run->out);
            return;
        }
        most -= (size_t)got;
        if (collect_filled(&run->output, (size_t)got) < 0) {
            close_watched(run, &run->out);
            if (!run->failure && run->pid && run->child.pid)
                exec_run_end(run, collect_failure(&run->output.bad), false);
            return;
        }
        if ((size_t)got < room)
            return;
    }
}

static void output_ready(struct loop_fd *watch, uint32_t events)
{
    (void)events;
    read_output(RUN_OF(watch, out), SIZE_MAX);
}

/* A function that does not read, or no longer, is not at fault: what is left is thrown away. */
static void input_ready(struct loop_fd *watch, uint32_t events)
{
    (void)events;
    struct exec_run *run = RUN_OF(watch, in);
    ssize_t sent =
        write(watch->fd, run->input.data + run->input_sent, run->input.len - run->input_sent);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (sent > 0)
        run->input_sent += (size_t)sent;
    if (sent < 0 || run->input_sent == run->input.len) {
        close_watched(run, &run->in);
        if (run->input.cap > BLOCK_SIZE)
            buf_free(&run->input);
    }
}

/* ---- its end ---- */

/* Add what the function itself said of its failure. */
static void describe(struct exec_run *run, struct failure *failure)
{
    struct str detail =
        failure->reason == FAILURE_EXIT ? collect_error_object(&run->output) : (struct str){0};
    if (detail.len)
        failure_explain(failure, detail);
    buf_add_str(&failure->errors, errlines_tail(&run->errors));
}

static struct failure *result_of(struct exec_run *run, int status)
{
    struct fn_call *call = run->call;
    struct failure *failure = run->failure;
    run->failure = NULL;
    if (!failure && status)
        failure = failure_of_status(status);
    if (failure)
        describe(run, failure);
    struct err err;
    if (collect_finish(&run->output, &call->lines, &call->count, &err) < 0 && !failure) {
        failure = collect_failure(&err);
        buf_add_str(&failure->errors, errlines_tail(&run->errors));
    }
    if (failure) {
        slice_drop(&call->lines);
        call->count = 0;
    }
    return failure;
}

/* What outlived the SIGTERM: of the group, and those who had left it. */
static void end_survivors(struct exec_run *run)
{
    kill(-run->pid, SIGKILL);
    run->tree.pid = 0;
    spawn_tree_signal(&run->tree, SIGKILL);
    spawn_tree_free(&run->tree);
}

static void exited(struct loop_child *child, int status, const struct rusage *usage)
{
    struct exec_run *run = RUN_OF(child, child);
    loop_timer_clear(run->fn->context->loop, &run->timer);
    if (run->failure)
        end_survivors(run);
    read_output(run, EXEC_DRAIN);
    close_watched(run, &run->out);
    close_watched(run, &run->in);
    errlines_close(&run->errors);
    size_t bytes_out = run->output.total;
    struct failure *failure = result_of(run, run->crash ? SIGKILL : status);
    errlines_clear(&run->errors);
    struct attempt_report report = {.slot = run->slot,
                                    .pid = run->pid,
                                    .bytes_in = run->input_bytes,
                                    .bytes_out = bytes_out,
                                    .usage = usage};
    run->pid = 0;
    run->ended(run, failure, &report);
}

/* ---- starting it ---- */

/* Fill run->input with what the function reads, or leave it empty when that is the event as it is.
 */
static struct str input_of(struct exec_run *run)
{
    struct slice event = run->call->event;
    buf_clear(&run->input);
    if (run->fn->settings.raw && json_type_of(slice_str(event)) == JSON_STRING) {
        json_decode(slice_str(event), &run->input);
        return buf_str(&run->input);
    }
    return slice_str(event);
}

/* Write the line into the pipe; what does not fit stays in run->input. 1: all of it is in. */
static int prime_input(struct exec_run *run, int fd)
{
    struct str line = input_of(run);
    run->input_bytes = line.len + 1;
    struct iovec pieces[2] = {{(void *)(uintptr_t)line.data, line.len},
                              {(void *)(uintptr_t) "\n", 1}};
    ssize_t sent = writev(fd, pieces, 2);
    if (sent == (ssize_t)run->input_bytes)
        return 1;
    if (line.data != run->input.data)
        buf_add_str(&run->input, line);
    buf_addc(&run->input, '\n');
    run->input_sent = sent > 0 ? (size_t)sent : 0;
    return 0;
}

/* Hand the pipes to their watchers. -1 with errno; what piped still holds is the caller's to close.
 */
static int watch_process(struct exec_run *run, struct piped *piped)
{
    struct loop *loop = run->fn->context->loop;
    run->child.exited = exited;
    run->out.ready = output_ready;
    run->in.ready = input_ready;
    if (loop_child_add(loop, &run->child, run->pid) == 0 &&
        loop_fd_add(loop, &run->out, piped->out[0], EPOLLIN) == 0 &&
        (piped->in[1] < 0 || loop_fd_add(loop, &run->in, piped->in[1], EPOLLOUT) == 0) &&
        errlines_open(&run->errors, run->fn->context, piped->err[0]) == 0)
        return 0;
    int cause = errno;
    loop_fd_remove(loop, &run->in);
    loop_fd_remove(loop, &run->out);
    loop_child_remove(loop, &run->child);
    run->errors.fd = -1;
    errno = cause;
    return -1;
}

struct failure *exec_run_start(struct exec_run *run, char *const *argv,
                               struct environment *environment)
{
    struct fn *fn = run->fn;
    int64_t timeout = fn->settings.timeout;
    struct piped piped;
    struct err err;
    const struct spawn_limits *limits = NULL;
    if (fn->limits && !(limits = limits_of(fn->limits, run->slot, &err)))
        return failure_new(FAILURE_SPAWN, FAILURE_TEMPORARY, "%s", err.text);
    if (piped_open(&piped, &err) < 0)
        return failure_new(FAILURE_SPAWN, FAILURE_TEMPORARY, "%s", err.text);
    if (prime_input(run, piped.in[1])) {
        close(piped.in[1]);
        piped.in[1] = -1;
    }
    struct spawn_spec spec = {
        .path = fn->program,
        .argv = argv,
        .limits = limits,
        .envp = environment_for(environment, run->call, run->slot,
                                timeout ? clock_wall() + timeout : 0),
    };
    run->call->started = clock_now();
    run->pid = piped_spawn(&piped, &spec, &err);
    if (run->pid < 0) {
        piped_close(&piped);
        return failure_new(FAILURE_SPAWN,
                           err.kind == ERR_SYSTEM ? FAILURE_TEMPORARY : FAILURE_PERMANENT, "%s",
                           err.text);
    }
    if (watch_process(run, &piped) < 0) { /* out of descriptors: it must not run unwatched */
        err_sys(&err, "watch a process");
        piped_abandon(run->pid);
        piped_close(&piped);
        return failure_new(FAILURE_SPAWN, FAILURE_TEMPORARY, "%s", err.text);
    }
    if (timeout) {
        run->timer.fire = timed_out;
        loop_timer_set(fn->context->loop, &run->timer, loop_now(fn->context->loop) + timeout);
    }
    if (run->crash)
        spawn_signal_tree(run->pid, SIGKILL);
    return NULL;
}

/* ---- a run ---- */

struct exec_run *exec_run_new(struct fn *fn, unsigned slot,
                              void (*ended)(struct exec_run *run, struct failure *failure,
                                            const struct attempt_report *report))
{
    struct exec_run *run = mem_zalloc(sizeof *run);
    run->fn = fn;
    run->slot = slot;
    run->ended = ended;
    run->errors.fd = -1;
    collect_init(&run->output, fn->settings.max_result, fn->settings.text, fn->context->temp_dir);
    run->output.document = fn->settings.document && !fn->settings.text;
    return run;
}

void exec_run_free(struct exec_run *run)
{
    errlines_free(&run->errors);
    collect_free(&run->output);
    buf_free(&run->input);
    free(run);
}
