/*
 * sink.c: the functions that only take: standard output and files.
 *
 * "-" gives the event back as its own result. "file:PATH" appends lines, gathered into large
 * writes; a call is done when its line is written, not when it is gathered. A file named *.zst gets
 * independent frames and one writer at a time.
 */
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "fn/kind.h"
#include "format/zst.h"
#include "sys/dir.h"
#include "sys/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SINK_BUFFER =
        1024 * 1024, /* bytes waiting for a slow reader (a FIFO); then the function has no room */
    SINK_FRAME_DELAY_S = 1, /* a frame that is not full is written after this long */
};

/* ---- standard output ---- */

static int stdout_open(struct fn *fn, struct err *err)
{
    (void)fn;
    (void)err;
    return 0;
}

static bool stdout_has_slot(const struct fn *fn)
{
    (void)fn;
    return true;
}

static void stdout_begin(struct fn *fn, struct fn_call *call)
{
    (void)fn;
    call->lines = slice_line(call->event);
    call->count = 1;
    attempt_end(
        call, NULL,
        &(struct attempt_report){.bytes_in = call->lines.len, .bytes_out = call->lines.len});
}

static void stdout_cancel(struct fn *fn, enum failure_reason reason, bool now)
{
    (void)fn;
    (void)reason;
    (void)now;
}

static void stdout_close(struct fn *fn)
{
    fn_closed(fn);
}

static void stdout_free(struct fn *fn)
{
    (void)fn;
}

const struct fn_kind stdout_kind = {
    .scheme = "-",
    .sink = true,
    .open = stdout_open,
    .has_slot = stdout_has_slot,
    .begin = stdout_begin,
    .cancel = stdout_cancel,
    .close = stdout_close,
    .free = stdout_free,
};

/* ---- files ---- */

struct file {
    struct fn *fn;
    struct stream_out out;
    struct fn_list pending;              /* in the stream up to their mark, not yet written */
    struct fn_put *first_put, *last_put; /* the same */
    bool compress;
    struct buf content;     /* lines of the next frame */
    struct fn_list framing; /* the calls whose lines are in content */
    struct loop_timer frame_timer;
    struct loop_timer patience; /* of a cancelled file whose reader takes nothing */
    bool failed;                /* said so once */
};

static void progressed(struct stream_out *out);

/* Cut off what a crash has left behind the last whole frame. -1 with err. */
static int make_appendable(struct fn_context *context, int fd, const char *path, struct err *err)
{
    uint64_t cut;
    struct err cause;
    if (zst_recover(fd, &cut, &cause) < 0)
        return err_set(err, cause.kind, "%s: %s", path, cause.text);
    if (!cut || !context->warn)
        return 0;
    struct buf text = {0};
    buf_addf(&text, "%s: cut off %llu bytes of a torn frame", path, (unsigned long long)cut);
    context->warn(context->owner, buf_cstr(&text));
    buf_free(&text);
    return 0;
}

static int file_open(struct fn *fn, struct err *err)
{
    const char *path = fn->words[0];
    int fd = dir_append_open(path, zst_is_name(path), err);
    if (fd < 0)
        return -1;
    if (zst_is_name(path)) {
        if (dir_lock(fd) < 0) {
            err_set(err, ERR_NOT_USABLE, "%s: another process is writing it", path);
            goto fail;
        }
        if (make_appendable(fn->context, fd, path, err) < 0)
            goto fail;
    }
    struct file *file = mem_zalloc(sizeof *file);
    file->fn = fn;
    file->compress = zst_is_name(path);
    file->out.progress = progressed;
    stream_open(&file->out, fn->context->loop, fd, true);
    fn->state = file;
    return 0;

fail:
    close(fd);
    return -1;
}

static struct failure *failed(const struct file *file)
{
    return failure_new(FAILURE_WRITE, FAILURE_PERMANENT, "write %s: %s", file->fn->words[0],
                       strerror(file->out.error));
}

static void give_up(struct file *file, struct fn_list *list)
{
    while (list->first) {
        struct fn_call *call = list->first;
        fn_list_remove(list, call);
        attempt_end(call, failed(file), &(struct attempt_report){0});
    }
}

static struct fn_put *take_put(struct file *file)
{
    struct fn_put *put = file->first_put;
    file->first_put = put->next;
    return put;
}

static void give_up_puts(struct file *file)
{
    while (file->first_put) {
        struct fn_put *put = take_put(file);
        struct failure *failure = failed(file);
        failure->attempts = 1;
        failure->first_at = failure->last_at = clock_wall();
        failure->function = mem_strdup(file->fn->name);
        file->fn->context->failed_attempts++;
        put->done(put, failure);
    }
}

/*
 * Say once why the file takes no more. A FIFO whose reader has left is the end of this branch only,
 * and its events fail; a full disk is the end of the fitting.
 */
static void say_failed(struct file *file, int cause)
{
    struct fn_context *context = file->fn->context;
    struct err err;
    if (file->failed)
        return;
    file->failed = true;
    errno = cause;
    err_sys(&err, "write %s", file->fn->words[0]);
    bool reader = cause == EPIPE || cause == ETIMEDOUT;
    if (reader && context->warn)
        context->warn(context->owner, err.text);
    if (!reader && context->fatal)
        context->fatal(context->owner, &err);
}

/* The calls whose lines have been written are done. */
static void settle(struct file *file)
{
    while (file->first_put && file->first_put->mark <= file->out.written) {
        struct fn_put *put = take_put(file);
        put->done(put, NULL);
    }
    while (file->pending.first && file->pending.first->mark <= file->out.written) {
        struct fn_call *call = file->pending.first;
        fn_list_remove(&file->pending, call);
        attempt_end(call, NULL, &(struct attempt_report){.bytes_in = call->event.len + 1});
    }
    if (!file->out.error)
        return;
    say_failed(file, file->out.error);
    give_up_puts(file);
    give_up(file, &file->pending);
    give_up(file, &file->framing);
}

static void progressed(struct stream_out *out)
{
    struct file *file = CONTAINER_OF(out, struct file, out);
    settle(file);
    attempt_pump(file->fn);
}

/* Close the frame: its calls are done when it is written. */
static void write_frame(struct file *file)
{
    struct buf frame = {0};
    struct err err;
    loop_timer_clear(file->fn->context->loop, &file->frame_timer);
    if (!file->content.len)
        return;
    if (zst_frame(buf_str(&file->content), &frame, &err) < 0)
        file->out.error = ENOMEM;
    stream_add(&file->out, buf_str(&frame));
    buf_free(&frame);
    buf_clear(&file->content);
    while (file->framing.first) {
        struct fn_call *call = file->framing.first;
        fn_list_remove(&file->framing, call);
        call->mark = file->out.accepted;
        fn_list_append(&file->pending, call);
    }
    stream_flush(&file->out);
    settle(file);
}

static void frame_due(struct loop_timer *timer)
{
    write_frame(CONTAINER_OF(timer, struct file, frame_timer));
}

static bool file_has_slot(const struct fn *fn)
{
    const struct file *file = fn->state;
    return stream_pending(&file->out) < SINK_BUFFER;
}

static void add_to_frame(struct file *file, struct fn_call *call)
{
    struct loop *loop = file->fn->context->loop;
    if (!file->content.len) {
        file->frame_timer.fire = frame_due;
        loop_timer_set(loop, &file->frame_timer, loop_now(loop) + SINK_FRAME_DELAY_S * NUM_SECOND);
    }
    buf_add_str(&file->content, slice_str(call->event));
    buf_addc(&file->content, '\n');
    fn_list_append(&file->framing, call);
    if (file->content.len >= ZST_FRAME)
        write_frame(file);
}

static void file_begin(struct fn *fn, struct fn_call *call)
{
    struct file *file = fn->state;
    if (file->compress) {
        add_to_frame(file, call);
        return;
    }
    uint64_t written = file->out.written;
    fn_list_append(&file->pending, call);
    call->mark = file->out.accepted + call->event.len + 1;
    stream_add_line(&file->out, slice_str(call->event));
    if (file->out.written != written || file->out.error)
        settle(file);
}

static bool file_put(struct fn *fn, struct fn_put *put, struct str line)
{
    struct file *file = fn->state;
    if (file->compress || file->out.error)
        return false;
    if (file->first_put && file->first_put->mark <= file->out.written)
        settle(file); /* those before it: not its own, which the caller does not expect yet */
    put->next = NULL;
    put->mark = file->out.accepted + line.len + 1;
    if (file->first_put)
        file->last_put->next = put;
    else
        file->first_put = put;
    file->last_put = put;
    stream_add_line(&file->out, line);
    return true;
}

static void file_flush(struct fn *fn)
{
    struct file *file = fn->state;
    stream_flush(&file->out);
    settle(file);
}

static void file_press(struct fn *fn)
{
    write_frame(fn->state);
    file_flush(fn);
}

static void run_out(struct loop_timer *timer)
{
    struct file *file = CONTAINER_OF(timer, struct file, patience);
    if ((file->pending.first || file->first_put) && !file->out.error)
        file->out.error = ETIMEDOUT;
    file_flush(file->fn);
}

/* What has been taken is written in any case, but for a FIFO whose reader takes nothing. */
static void file_cancel(struct fn *fn, enum failure_reason reason, bool now)
{
    struct file *file = fn->state;
    struct loop *loop = fn->context->loop;
    (void)reason;
    file_press(fn);
    file->patience.fire = run_out;
    if (now)
        run_out(&file->patience);
    else
        loop_timer_set(loop, &file->patience, loop_now(loop) + fn->settings.grace);
}

static void file_close(struct fn *fn)
{
    struct file *file = fn->state;
    struct loop *loop = fn->context->loop;
    loop_timer_clear(loop, &file->patience);
    write_frame(file);
    if (stream_close(&file->out, loop_now(loop) + fn->settings.grace) < 0)
        say_failed(file, errno);
    settle(file);
    fn_closed(fn);
}

static void file_free(struct fn *fn)
{
    struct file *file = fn->state;
    buf_free(&file->content);
    free(file);
}

const struct fn_kind file_kind = {
    .scheme = "file:",
    .sink = true,
    .silent = true,
    .open = file_open,
    .has_slot = file_has_slot,
    .begin = file_begin,
    .put = file_put,
    .flush = file_flush,
    .press = file_press,
    .cancel = file_cancel,
    .close = file_close,
    .free = file_free,
};
