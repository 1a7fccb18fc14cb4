/* attempt_log.c: a file with a line for each attempt at a call. */
#include "engine/attempt_log.h"

#include "base/list.h"
#include "base/mem.h"
#include "engine/reporting.h"
#include "sys/dir.h"
#include "sys/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct attempt_log {
    struct attempt_log *next;
    struct engine *engine;
    const char *path;
    int fd;
    struct stream_out out;
    struct loop_idle idle;
    struct buf line;
    void (*format)(struct buf *line, const struct fn_attempt *attempt);
    bool failed;
};

static void fail(struct attempt_log *log, int error)
{
    struct err err;
    if (log->failed)
        return;
    log->failed = true;
    errno = error;
    err_sys(&err, "write %s", log->path);
    reporting_failed(log->engine, &err);
}

static void progressed(struct stream_out *out)
{
    struct attempt_log *log = CONTAINER_OF(out, struct attempt_log, out);
    if (out->error)
        fail(log, out->error);
}

static void flush(struct loop_idle *idle)
{
    stream_flush(&(CONTAINER_OF(idle, struct attempt_log, idle))->out);
}

void attempt_log_add(struct attempt_log *log, struct str lines)
{
    stream_add(&log->out, lines);
    stream_drain(&log->out, ATTEMPT_LOG_BUFFER);
}

static void attempted(void *owner, const struct fn_attempt *attempt)
{
    struct attempt_log *log = owner;
    buf_clear(&log->line);
    log->format(&log->line, attempt);
    attempt_log_add(log, buf_str(&log->line));
}

struct attempt_log *attempt_log_open(struct engine *engine, const char *path, bool anew,
                                     void (*format)(struct buf *line,
                                                    const struct fn_attempt *attempt),
                                     struct err *err)
{
    int fd = dir_append_open(path, false, err);
    if (fd < 0)
        return NULL;
    if (anew && ftruncate(fd, 0) < 0 && errno != EINVAL) { /* EINVAL: a FIFO or a device */
        err_sys(err, "write %s", path);
        close(fd);
        return NULL;
    }
    struct attempt_log *log = mem_zalloc(sizeof *log);
    log->engine = engine;
    log->path = path;
    log->fd = fd;
    log->format = format;
    log->out.progress = progressed;
    log->idle.run = flush;
    stream_open(&log->out, engine_loop(engine), fd, true);
    loop_idle_add(engine_loop(engine), &log->idle);
    struct attempt_log **logs = reporting_logs(engine);
    log->next = *logs;
    *logs = log;
    if (format)
        engine_observe(engine, attempted, log);
    return log;
}

void reporting_close_logs(struct engine *engine, int64_t until)
{
    struct attempt_log **logs = reporting_logs(engine);
    while (*logs) {
        struct attempt_log *log = *logs;
        *logs = log->next;
        loop_idle_remove(engine_loop(engine), &log->idle);
        if (stream_close(&log->out, until) < 0)
            fail(log, errno);
        buf_free(&log->line);
        free(log);
    }
}
