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

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define WORKER_OF(pointer, member) (CONTAINER_OF(pointer, struct worker, member))

enum { WORKER_ROOM = 4096 }; /* a block with less room left is exchanged for a new one */

static struct loop *loop_of(const struct worker *worker)
{
    return worker->fn->context->loop;
}

/* ---- timers: the timeout of the oldest call, a warning about the first answer, the grace ---- */

static void timed_out(struct loop_timer *timer)
{
    struct worker *worker = WORKER_OF(timer, timer);
    char after[NUM_TEXT];
    worker_break(worker, failure_new(FAILURE_TIMEOUT, FAILURE_ORDINARY, "no answer after %s",
                                     num_format_duration(worker->fn->settings.timeout, after)));
    attempt_pump(worker->fn);
}

static void stalled(struct loop_timer *timer)
{
    struct worker *worker = WORKER_OF(timer, timer);
    struct buf text = {0};
    if (!worker->fn->context->warn)
        return;
    buf_addf(&text,
             "%s: no answer to its first event for %d s: does it flush each line that it prints?",
             worker->fn->name, WORKER_STALL_S);
    worker->fn->context->warn(worker->fn->context->owner, buf_cstr(&text));
    buf_free(&text);
}

static void watch_oldest(struct worker *worker)
{
    int64_t timeout = worker->fn->settings.timeout;
    if (timeout) {
        worker->timer.fire = timed_out;
        loop_timer_set(loop_of(worker), &worker->timer, loop_now(loop_of(worker)) + timeout);
    } else if (!worker->answers) {
        worker->timer.fire = stalled;
        loop_timer_set(loop_of(worker), &worker->timer,
                       loop_now(loop_of(worker)) + WORKER_STALL_S * NUM_SECOND);
    }
}

/* Signal the worker and what it has started, unless it is gone. */
static void signal_worker(struct worker *worker, int signo)
{
    if (!worker->child.pid)
        return;
    worker->tree.pid = worker->pid;
    spawn_tree_signal(&worker->tree, signo);
}

static void kill_now(struct loop_timer *timer)
{
    signal_worker(WORKER_OF(timer, timer), SIGKILL);
}

static void terminate(struct loop_timer *timer)
{
    struct worker *worker = WORKER_OF(timer, timer);
    signal_worker(worker, SIGTERM);
    worker->timer.fire = kill_now;
    loop_timer_set(loop_of(worker), &worker->timer,
                   loop_now(loop_of(worker)) + worker->fn->settings.grace);
}

/* ---- ending ---- */

static void close_pipes(struct worker *worker)
{
    if (worker->out.active) {
        int fd = worker->out.fd;
        loop_fd_remove(loop_of(worker), &worker->out);
        close(fd);
    }
    stream_close(&worker->in, 0);
}

/* Nothing is in flight any more: let the process go. With signo it is told so, else by the end of
 * its input. */
static void let_go(struct worker *worker, int signo)
{
    if (worker->state != WORKER_ENDING)
        worker_leaves(worker);
    worker->state = WORKER_ENDING;
    close_pipes(worker);
    if (signo)
        signal_worker(worker, signo);
    worker->timer.fire = signo ? kill_now : terminate;
    loop_timer_set(loop_of(worker), &worker->timer,
                   loop_now(loop_of(worker)) + worker->fn->settings.grace);
}

static struct fn_call *take_oldest(struct worker *worker)
{
    struct fn_call *call = worker->flight.first;
    fn_list_remove(&worker->flight, call);
    worker->flight_bytes -= call->event.len;
    return call;
}

static void fail_oldest(struct worker *worker, struct failure *failure)
{
    struct fn_call *call = take_oldest(worker);
    buf_add_str(&failure->errors, errlines_tail(&worker->errors));
    struct attempt_report report = {
        .slot = worker->slot, .pid = worker->pid, .bytes_in = call->event.len + 1};
    attempt_end(call, failure, &report);
}

/* The oldest call fails; the younger ones lose nothing: they go back to the head of the queue, in
 * their order. */
static void give_up_calls(struct worker *worker, struct failure *failure)
{
    while (worker->flight.count > 1) {
        struct fn_call *call = worker->flight.last;
        fn_list_remove(&worker->flight, call);
        worker->flight_bytes -= call->event.len;
        attempt_return(call);
    }
    if (worker->flight.count)
        fail_oldest(worker, failure);
    else
        failure_free(failure);
}

void worker_break(struct worker *worker, struct failure *failure)
{
    if (worker->state == WORKER_ENDING) {
        failure_free(failure);
        return;
    }
    let_go(worker, SIGTERM);
    give_up_calls(worker, failure);
}

void worker_finish(struct worker *worker)
{
    if (worker->state == WORKER_ENDING)
        return;
    if (!worker->flight.count) {
        let_go(worker, 0);
        return;
    }
    worker->state = WORKER_FINISHED;
}

void worker_forsake(struct worker *worker, struct fn_call *call, struct fn_call *instead)
{
    fn_list_replace(&worker->flight, call, instead);
}

void worker_cancel(struct worker *worker, enum failure_reason reason, bool now)
{
    if (worker->state == WORKER_ENDING) {
        if (now)
            signal_worker(worker, SIGKILL);
        return;
    }
    let_go(worker, now ? SIGKILL : SIGTERM);
    while (worker->flight.first)
        fail_oldest(worker, failure_new(reason, FAILURE_PERMANENT, "ended before it was done: %s",
                                        failure_name(reason)));
}

/* ---- answers ---- */

/* One line from the worker. */
static void answer(struct worker *worker, struct str line)
{
    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    if (!worker->flight.count) {
        worker_break(worker, failure_new(FAILURE_BAD_RESULT, FAILURE_ORDINARY,
                                         "an answer without an event"));
        return;
    }
    struct fn_call *call = worker->flight.first;
    struct slice bytes = {worker->block, line.data, line.len};
    struct failure *failure = answer_read(worker->fn, bytes, &call->lines);
    if (failure && failure->reason != FAILURE_ERROR) {
        worker_break(worker, failure); /* who knows which event the next line would answer */
        return;
    }
    call->count = call->lines.len > 0;
    struct attempt_report report = {
        .slot = worker->slot,
        .pid = worker->pid,
        .init = worker->answers++ ? 0 : clock_now() - worker->born,
        .bytes_in = call->event.len + 1,
        .bytes_out = line.len + 1,
    };
    if (failure) {
        buf_add_str(&failure->errors, errlines_tail(&worker->errors));
        errlines_clear(&worker->errors);
    }
    take_oldest(worker);
    if (worker->timer.place)
        loop_timer_clear(loop_of(worker), &worker->timer);
    if (worker->flight.count)
        watch_oldest(worker);
    attempt_end(call, failure, &report);
}

/* Deepen the pipeline of a worker that answers quickly, so that slow ones are never sent more than
 * they can do. */
static void adapt(struct worker *worker, uint64_t answered)
{
    int64_t now = loop_now(loop_of(worker));
    int64_t each = (now - worker->last_heard) / (int64_t)answered;
    worker->last_heard = now;
    if (worker->fn->settings.pipeline)
        return;
    if (each > WORKER_SLOW_US * INT64_C(1000))
        worker->depth = 1;
    else if (each < WORKER_QUICK_US * INT64_C(1000) && worker->depth < FN_PIPELINE_MAX)
        worker->depth *= 2;
}

/* Make room to read into: the same block while it lasts, then a new one with what is left of a
 * line. */
static void make_room(struct worker *worker)
{
    struct block *block = worker->block;
    if (block && block->cap - block->len >= WORKER_ROOM)
        return;
    size_t begun = block ? block->len - worker->from : 0;
    if (block && block->refs == 1 && worker->from >= block->cap / 2) {
        memmove(block->data, block->data + worker->from, begun);
        block->len = begun;
    } else {
        size_t size = begun * 2 > BLOCK_SIZE ? begun * 2 : BLOCK_SIZE;
        struct block *fresh = block_new(size);
        if (begun)
            memcpy(fresh->data, block->data + worker->from, begun);
        fresh->len = begun;
        block_drop(block);
        worker->block = fresh;
    }
    worker->searched -= worker->from;
    worker->from = 0;
}

/* Take the lines that have become whole. */
static void take_lines(struct worker *worker)
{
    uint64_t before = worker->answers;
    while (worker->state != WORKER_ENDING) {
        const char *data = worker->block->data;
        size_t len = worker->block->len;
        const char *lf = worker->searched < len
                             ? memchr(data + worker->searched, '\n', len - worker->searched)
                             : NULL;
        if (!lf) {
            worker->searched = len;
            break;
        }
        struct str line = {data + worker->from, (size_t)(lf - data) - worker->from};
        worker->from = worker->searched = (size_t)(lf - data) + 1;
        answer(worker, line);
    }
    if (worker->answers > before)
        adapt(worker, worker->answers - before);
    if (worker->state != WORKER_ENDING &&
        worker->block->len - worker->from > worker->fn->settings.max_result) {
        char limit[NUM_TEXT];
        worker_break(worker, failure_new(FAILURE_BAD_RESULT, FAILURE_PERMANENT,
                                         "a result of more than %s (--max-result)",
                                         num_format_size(worker->fn->settings.max_result, limit)));
    }
}

/* Bytes read, 0 when there is nothing now, -1 at the end of its output. */
static ssize_t read_answers(struct worker *worker)
{
    make_room(worker);
    struct block *block = worker->block;
    ssize_t got = read(worker->out.fd, block->data + block->len, block->cap - block->len);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0)
        return -1;
    block->len += (size_t)got;
    take_lines(worker);
    return got;
}

static void settle(struct worker *worker)
{
    if (worker->state == WORKER_FINISHED && !worker->flight.count)
        let_go(worker, 0);
    attempt_pump(worker->fn);
}

static void out_ready(struct loop_fd *watch, uint32_t events)
{
    (void)events;
    struct worker *worker = WORKER_OF(watch, out);
    if (read_answers(worker) < 0 && worker->state != WORKER_ENDING) {
        /* It cannot answer any more. Its exit, if that is what happens, tells more: give it the
         * grace for that. */
        int fd = worker->out.fd;
        loop_fd_remove(loop_of(worker), &worker->out);
        close(fd);
        worker->state = WORKER_FINISHED;
        worker->timer.fire = terminate;
        loop_timer_set(loop_of(worker), &worker->timer,
                       loop_now(loop_of(worker)) + worker->fn->settings.grace);
    }
    settle(worker);
}

static void exited(struct loop_child *child, int status, const struct rusage *usage)
{
    (void)usage;
    struct worker *worker = WORKER_OF(child, child);
    struct fn *fn = worker->fn;
    loop_timer_clear(loop_of(worker), &worker->timer);
    while (worker->state != WORKER_ENDING && worker->out.active && read_answers(worker) > 0)
        ; /* what it answered before it died counts */
    loop_timer_clear(loop_of(worker), &worker->timer);
    kill(-worker->pid,
         SIGKILL); /* what it left behind: in its group, and of those who had left it */
    worker->tree.pid = 0;
    spawn_tree_signal(&worker->tree, SIGKILL);
    spawn_tree_free(&worker->tree);
    errlines_close(&worker->errors);
    close_pipes(worker);
    if (worker->state != WORKER_ENDING)
        worker_leaves(worker);
    worker->state = WORKER_ENDING;
    if (worker->flight.count)
        give_up_calls(worker, status ? failure_of_status(status)
                                     : failure_new(FAILURE_EXIT, FAILURE_ORDINARY,
                                                   "exited before it had answered"));
    worker_gone(worker);
    attempt_pump(fn);
}

/* ---- sending ---- */

bool worker_has_room(const struct worker *worker)
{
    return worker->state == WORKER_READY && worker->flight.count < worker->depth &&
           (worker->flight_bytes < WORKER_BYTES || !worker->flight.count);
}

void worker_send(struct worker *worker, struct fn_call *call)
{
    struct str line = slice_str(call->event);
    struct buf raw = {0};
    if (worker->fn->settings.raw && json_type_of(line) == JSON_STRING) {
        json_decode(line, &raw);
        line = buf_str(&raw);
    }
    if (raw.len && memchr(raw.data, '\n', raw.len)) {
        buf_free(&raw);
        attempt_end(call,
                    failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT,
                                "a string with a line feed is not one line (--raw)"),
                    &(struct attempt_report){.slot = worker->slot});
        return;
    }
    call->run = worker;
    fn_list_append(&worker->flight, call);
    worker->flight_bytes += call->event.len;
    worker->uses++;
    if (worker->flight.count == 1) {
        worker->last_heard = loop_now(loop_of(worker));
        watch_oldest(worker);
    }
    stream_add_line(&worker->in, line);
    buf_free(&raw);
}

void worker_flush(struct worker *worker)
{
    if (worker->state != WORKER_ENDING)
        stream_flush(&worker->in);
}

/* A worker that closed its input takes nothing more; those in flight may still be answered. */
static void input_broken(struct stream_out *in)
{
    struct worker *worker = WORKER_OF(in, in);
    if (!in->error || worker->state != WORKER_READY)
        return;
    worker->state = WORKER_FINISHED;
    if (!worker->flight.count)
        let_go(worker, 0);
}

/* ---- starting ---- */

/* Hand the pipes to their watchers. -1 with errno; what piped still holds is the caller's to close.
 */
static int watch_process(struct worker *worker, struct piped *piped)
{
    struct loop *loop = loop_of(worker);
    worker->child.exited = exited;
    worker->out.ready = out_ready;
    worker->in.progress = input_broken;
    if (loop_child_add(loop, &worker->child, worker->pid) < 0)
        return -1;
    if (loop_fd_add(loop, &worker->out, piped->out[0], EPOLLIN) < 0 ||
        errlines_open(&worker->errors, worker->fn->context, piped->err[0]) < 0) {
        int cause = errno;
        loop_fd_remove(loop, &worker->out);
        loop_child_remove(loop, &worker->child);
        errno = cause;
        return -1;
    }
    stream_open(&worker->in, loop, piped->in[1], true);
    return 0;
}

struct worker *worker_start(struct fn *fn, unsigned slot, char *const *envp, struct err *err)
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
    worker->fn = fn;
    worker->slot = slot;
    worker->depth = fn->settings.pipeline ? fn->settings.pipeline : 1;
    worker->born = clock_now();
    worker->errors.fd = -1;
    worker->pid = piped_spawn(&piped, &spec, err);
    if (worker->pid < 0)
        goto fail;
    if (watch_process(worker, &piped) < 0) {
        err_sys(err, "watch a process");
        piped_abandon(worker->pid);
        goto fail;
    }
    return worker;

fail:
    piped_close(&piped);
    free(worker);
    return NULL;
}
