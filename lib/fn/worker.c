/* worker.c: one line worker: a process that answers each line with one line, in order. */
#include "fn/worker.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "fn/answer.h"
#include "fn/limits.h"
#include "format/json.h"
#include "fn/piped.h"
#include "fn/worker_stray.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define WORKER_OF(pointer, member) (CONTAINER_OF(pointer, struct worker, member))

static struct loop *loop_of(const struct worker *worker)
{
    return worker->base.fn->context->loop;
}

static void break_off(struct worker *worker, struct failure *failure);

/* ---- timers: the timeout of the oldest call, a warning about the first answer, the grace ---- */

static void timed_out(struct loop_timer *timer)
{
    struct worker *worker = WORKER_OF(timer, base.process.timer);
    char after[NUM_TEXT];
    break_off(worker, failure_new(FAILURE_TIMEOUT, FAILURE_ORDINARY, "no answer after %s",
                                  num_format_duration(worker->base.fn->settings.timeout, after)));
    attempt_pump(worker->base.fn);
}

static void stalled(struct loop_timer *timer)
{
    struct worker *worker = WORKER_OF(timer, base.process.timer);
    struct buf text = {0};
    if (!worker->base.fn->context->warn)
        return;
    buf_addf(&text,
             "%s: no answer to its first event for %d s: does it flush each line that it prints?",
             worker->base.fn->name, WORKER_STALL_S);
    worker->base.fn->context->warn(worker->base.fn->context->owner, buf_cstr(&text));
    buf_free(&text);
}

static void watch_oldest(struct worker *worker)
{
    int64_t timeout = worker->base.fn->settings.timeout;
    if (timeout) {
        pool_process_wait(&worker->base, timed_out, timeout);
    } else if (!worker->base.answers) {
        pool_process_wait(&worker->base, stalled, WORKER_STALL_S * NUM_SECOND);
    }
}

/* ---- ending ---- */

static void close_output(struct worker *worker)
{
    if (!worker->out.active)
        return;
    int fd = worker->out.fd;
    loop_fd_remove(loop_of(worker), &worker->out);
    close(fd);
}

/* Nothing is in flight any more: let the process go. With signo it is told so, else by the end of
 * its input. */
static void let_go(struct worker *worker, int signo)
{
    if (worker->base.state != POOL_ENDING)
        pool_leaves(&worker->base);
    worker->base.state = POOL_ENDING;
    stream_close(&worker->in, 0);
    if (signo) {
        close_output(worker);
        pool_process_end(&worker->base, signo);
    } else {
        pool_process_end_later(&worker->base);
    }
}

static struct fn_call *take_oldest(struct worker *worker)
{
    struct fn_call *call = worker->base.flight.first;
    fn_list_remove(&worker->base.flight, call);
    worker->base.flight_bytes -= call->event.len;
    return call;
}

static void fail_oldest(struct worker *worker, struct failure *failure)
{
    struct fn_call *call = take_oldest(worker);
    buf_add_str(&failure->errors, errlines_tail(&worker->errors));
    struct attempt_report report = {.slot = worker->base.slot,
                                    .pid = worker->base.process.pid,
                                    .bytes_in = call->event.len + 1};
    attempt_end(call, failure, &report);
}

/* The oldest call fails; the younger ones lose nothing: they go back to the head of the queue, in
 * their order. */
static void give_up_calls(struct worker *worker, struct failure *failure)
{
    while (worker->base.flight.count > 1) {
        struct fn_call *call = worker->base.flight.last;
        fn_list_remove(&worker->base.flight, call);
        worker->base.flight_bytes -= call->event.len;
        attempt_return(call);
    }
    if (worker->base.flight.count)
        fail_oldest(worker, failure);
    else
        failure_free(failure);
}

/* End it now. The oldest call fails with failure (taken over), the younger ones go back to the
 * queue. */
static void break_off(struct worker *worker, struct failure *failure)
{
    if (worker->base.state == POOL_ENDING) {
        failure_free(failure);
        return;
    }
    let_go(worker, SIGTERM);
    give_up_calls(worker, failure);
}

void worker_finish(struct pool_worker *base)
{
    struct worker *worker = WORKER_OF(base, base);
    if (worker->base.state == POOL_ENDING)
        return;
    if (!worker->base.flight.count) {
        let_go(worker, 0);
        return;
    }
    worker->base.state = POOL_FINISHED;
}

void worker_cancel(struct pool_worker *base, enum failure_reason reason, bool now)
{
    struct worker *worker = WORKER_OF(base, base);
    if (worker->base.state == POOL_ENDING) {
        if (now)
            pool_process_signal(base, SIGKILL);
        return;
    }
    let_go(worker, now ? SIGKILL : SIGTERM);
    while (worker->base.flight.first)
        fail_oldest(worker, failure_new(reason, FAILURE_PERMANENT, "ended before it was done: %s",
                                        failure_name(reason)));
}

/* ---- answers ---- */

/* One line from the worker. */
static void answer(struct worker *worker, struct slice line)
{
    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    if (!worker->base.flight.count) {
        worker_stray_found(worker);
        break_off(worker,
                  failure_new(FAILURE_BAD_RESULT, FAILURE_ORDINARY, "an answer without an event"));
        return;
    }
    struct fn_call *call = worker->base.flight.first;
    struct failure *failure = answer_read(worker->base.fn, line, &call->lines);
    if (failure && failure->reason != FAILURE_ERROR) {
        break_off(worker, failure); /* who knows which event the next line would answer */
        return;
    }
    call->count = call->lines.len > 0;
    worker->base.warm = true;
    struct attempt_report report = {
        .slot = worker->base.slot,
        .pid = worker->base.process.pid,
        .init = worker->base.answers++ ? 0 : pool_init_time(&worker->base),
        .bytes_in = call->event.len + 1,
        .bytes_out = line.len + 1,
    };
    if (failure) {
        errlines_catch_up(&worker->errors);
        buf_add_str(&failure->errors, errlines_tail(&worker->errors));
        errlines_clear(&worker->errors);
    }
    take_oldest(worker);
    if (worker->base.process.timer.place)
        loop_timer_clear(loop_of(worker), &worker->base.process.timer);
    if (worker->base.flight.count)
        watch_oldest(worker);
    attempt_end(call, failure, &report);
}

/* Deepen the pipeline of a worker that answers quickly, so that slow ones are never sent more than
 * they can do. */
static void adapt(struct worker *worker, uint64_t answered)
{
    int64_t now = loop_now(loop_of(worker));
    int64_t each = (now - worker->base.last_heard) / (int64_t)answered;
    worker->base.last_heard = now;
    if (worker->base.fn->settings.pipeline)
        return;
    if (each > WORKER_SLOW_US * INT64_C(1000))
        worker->base.depth = 1;
    else if (each < WORKER_QUICK_US * INT64_C(1000) && worker->base.depth < FN_PIPELINE_MAX)
        worker->base.depth *= 2;
}

/* Take the lines that have become whole. */
static void take_lines(struct worker *worker)
{
    uint64_t before = worker->base.answers;
    struct slice line;
    while (worker->base.state != POOL_ENDING && worker_lines_next(&worker->lines, &line))
        answer(worker, line);
    if (worker->base.answers > before)
        adapt(worker, worker->base.answers - before);
    if (worker->base.state != POOL_ENDING &&
        worker_lines_begun(&worker->lines) > worker->base.fn->settings.max_result) {
        char limit[NUM_TEXT];
        break_off(worker,
                  failure_new(FAILURE_BAD_RESULT, FAILURE_PERMANENT,
                              "a result of more than %s (--max-result)",
                              num_format_size(worker->base.fn->settings.max_result, limit)));
    }
}

/* As worker_lines_read. */
static ssize_t read_answers(struct worker *worker)
{
    ssize_t got = worker_lines_read(&worker->lines, worker->out.fd);
    if (got > 0)
        take_lines(worker);
    return got;
}

static void settle(struct worker *worker)
{
    if (worker->base.state == POOL_FINISHED && !worker->base.flight.count)
        let_go(worker, 0);
    pool_freed(worker->base.fn);
}

static void out_ready(struct loop_fd *watch, uint32_t events)
{
    (void)events;
    struct worker *worker = WORKER_OF(watch, out);
    if (worker->base.state == POOL_ENDING) {
        worker_stray_look(worker);
        return;
    }
    if (read_answers(worker) < 0 && worker->base.state != POOL_ENDING) {
        /* It cannot answer any more. Its exit, if that is what happens, tells more: give it the
         * grace for that. */
        close_output(worker);
        worker->base.state = POOL_FINISHED;
        pool_process_end_later(&worker->base);
    }
    settle(worker);
}

static void exited(struct loop_child *child, int status, const struct rusage *usage)
{
    (void)usage;
    struct worker *worker = WORKER_OF(child, base.process.child);
    struct fn *fn = worker->base.fn;
    loop_timer_clear(loop_of(worker), &worker->base.process.timer);
    while (worker->base.state != POOL_ENDING && worker->out.active && read_answers(worker) > 0)
        ; /* what it answered before it died counts */
    if (worker->base.state == POOL_ENDING)
        worker_stray_look(worker);
    pool_process_gone(&worker->base);
    errlines_close(&worker->errors);
    close_output(worker);
    stream_close(&worker->in, 0);
    if (worker->base.state != POOL_ENDING)
        pool_leaves(&worker->base);
    worker->base.state = POOL_ENDING;
    if (worker->base.flight.count)
        give_up_calls(worker, status ? failure_of_status(status)
                                     : failure_new(FAILURE_EXIT, FAILURE_ORDINARY,
                                                   "exited before it had answered"));
    pool_gone(&worker->base);
    attempt_pump(fn);
}

void worker_free(struct pool_worker *base)
{
    struct worker *worker = WORKER_OF(base, base);
    errlines_free(&worker->errors);
    worker_lines_free(&worker->lines);
    free(worker);
}

/* ---- sending ---- */

/* What it has printed was about events that are through; but of its start it is for the first. */
static void forget_errors(struct worker *worker)
{
    if (!worker->base.answers)
        return;
    errlines_catch_up(&worker->errors);
    errlines_clear(&worker->errors);
}

void worker_send(struct pool_worker *base, struct fn_call *call)
{
    struct worker *worker = WORKER_OF(base, base);
    struct str line = slice_str(call->event);
    struct buf raw = {0};
    if (worker->base.fn->settings.raw && json_type_of(line) == JSON_STRING) {
        json_decode(line, &raw);
        line = buf_str(&raw);
    }
    if (raw.len && memchr(raw.data, '\n', raw.len)) {
        buf_free(&raw);
        attempt_end(call,
                    failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT,
                                "a string with a line feed is not one line (--raw)"),
                    &(struct attempt_report){.slot = worker->base.slot});
        return;
    }
    call->run = base;
    fn_list_append(&worker->base.flight, call);
    worker->base.flight_bytes += call->event.len;
    if (worker->base.flight.count == 1) {
        worker->base.last_heard = loop_now(loop_of(worker));
        forget_errors(worker);
        watch_oldest(worker);
    }
    stream_add_line(&worker->in, line);
    buf_free(&raw);
}

void worker_flush(struct pool_worker *base)
{
    struct worker *worker = WORKER_OF(base, base);
    if (worker->base.state != POOL_ENDING)
        stream_flush(&worker->in);
}

bool worker_take_back(struct pool_worker *base, struct fn_list *calls)
{
    struct worker *worker = WORKER_OF(base, base);
    if (!stream_take_back(&worker->in))
        return false;
    *calls = base->flight;
    base->flight = (struct fn_list){0};
    base->flight_bytes = 0;
    loop_timer_clear(loop_of(worker), &worker->base.process.timer);
    return true;
}

/* A worker that closed its input takes nothing more; those in flight may still be answered. */
static void input_broken(struct stream_out *in)
{
    struct worker *worker = WORKER_OF(in, in);
    if (!in->error || worker->base.state != POOL_READY)
        return;
    worker->base.state = POOL_FINISHED;
    if (!worker->base.flight.count)
        let_go(worker, 0);
}

/* ---- starting ---- */

/* Hand the pipes to their watchers. -1 with errno; what piped still holds is the caller's to close.
 */
static int watch_process(struct worker *worker, struct piped *piped)
{
    struct loop *loop = loop_of(worker);
    worker->base.process.child.exited = exited;
    worker->out.ready = out_ready;
    worker->in.progress = input_broken;
    if (loop_child_add(loop, &worker->base.process.child, worker->base.process.pid) < 0)
        return -1;
    if (loop_fd_add(loop, &worker->out, piped->out[0], EPOLLIN) < 0 ||
        errlines_open(&worker->errors, worker->base.fn->context, piped->err[0]) < 0) {
        int cause = errno;
        loop_fd_remove(loop, &worker->out);
        loop_child_remove(loop, &worker->base.process.child);
        errno = cause;
        return -1;
    }
    stream_open(&worker->in, loop, piped->in[1], true);
    return 0;
}

struct pool_worker *worker_start(struct fn *fn, unsigned slot, char *const *envp, struct err *err)
{
    struct piped piped;
    const struct spawn_limits *limits = NULL;
    if (fn->limits && !(limits = limits_of(fn->limits, slot, err)))
        return NULL;
    if (piped_open(&piped, err) < 0)
        return NULL;
    struct spawn_spec spec = {
        .path = fn->program, .argv = fn->words, .envp = envp, .limits = limits};
    struct worker *worker = mem_zalloc(sizeof *worker);
    worker->base.fn = fn;
    worker->base.slot = slot;
    worker->errors.fd = -1;
    worker->base.process.pid = piped_spawn(&piped, &spec, err);
    if (worker->base.process.pid < 0)
        goto fail;
    if (watch_process(worker, &piped) < 0) {
        err_sys(err, "watch a process");
        piped_abandon(worker->base.process.pid);
        goto fail;
    }
    return &worker->base;

fail:
    piped_close(&piped);
    free(worker);
    return NULL;
}
