/* errlines.c: the stderr of a function: passed through in whole lines, its end kept. */
#include "fn/errlines.h"

#include "base/list.h"

#include <unistd.h>

static void pass_on(struct errlines *errlines, struct str lines)
{
    errlines->context->say(errlines->context->owner, lines);
}

static void keep_tail(struct errlines *errlines, struct str bytes)
{
    struct buf *tail = &errlines->tail;
    if (bytes.len > FN_STDERR_TAIL) {
        bytes.data += bytes.len - FN_STDERR_TAIL;
        bytes.len = FN_STDERR_TAIL;
    }
    if (tail->len + bytes.len > 2 * FN_STDERR_TAIL)
        buf_consume(tail, tail->len - FN_STDERR_TAIL);
    buf_add_str(tail, bytes);
}

static void take(struct errlines *errlines, struct str bytes)
{
    keep_tail(errlines, bytes);
    const char *lf = memrchr(bytes.data, '\n', bytes.len);
    size_t whole = lf ? (size_t)(lf - bytes.data) + 1 : 0;
    if (whole && !errlines->line.len) {
        pass_on(errlines, (struct str){bytes.data, whole});
    } else if (whole) {
        buf_add(&errlines->line, bytes.data, whole);
        pass_on(errlines, buf_str(&errlines->line));
        buf_clear(&errlines->line);
    }
    buf_add(&errlines->line, bytes.data + whole, bytes.len - whole);
    if (errlines->line.len >= ERRLINES_LINE) {
        buf_addc(&errlines->line, '\n');
        pass_on(errlines, buf_str(&errlines->line));
        buf_clear(&errlines->line);
    }
}

/* Bytes read; 0 when there is nothing more now, -1 at the end. */
static ssize_t read_some(struct errlines *errlines)
{
    char bytes[16 * 1024];
    ssize_t got = read(errlines->fd, bytes, sizeof bytes);
    if (got > 0)
        take(errlines, (struct str){bytes, (size_t)got});
    return got == 0 ? -1 : got < 0 ? 0 : got;
}

static void ready(struct loop_fd *watch, uint32_t events)
{
    (void)events;
    struct errlines *errlines = CONTAINER_OF(watch, struct errlines, watch);
    if (read_some(errlines) < 0)
        loop_fd_remove(errlines->context->loop, &errlines->watch);
}

int errlines_open(struct errlines *errlines, struct fn_context *context, int fd)
{
    errlines->context = context;
    errlines->fd = fd;
    errlines->watch = (struct loop_fd){.ready = ready};
    return loop_fd_add(context->loop, &errlines->watch, fd, EPOLLIN);
}

void errlines_catch_up(struct errlines *errlines)
{
    ssize_t got;
    if (errlines->fd < 0)
        return;
    for (size_t drained = 0; drained < ERRLINES_DRAIN && (got = read_some(errlines)) > 0;
         drained += (size_t)got)
        ;
}

void errlines_close(struct errlines *errlines)
{
    if (errlines->fd < 0)
        return;
    errlines_catch_up(errlines);
    if (errlines->line.len) {
        buf_addc(&errlines->line, '\n');
        pass_on(errlines, buf_str(&errlines->line));
        buf_clear(&errlines->line);
    }
    loop_fd_remove(errlines->context->loop, &errlines->watch);
    close(errlines->fd);
    errlines->fd = -1;
}

struct str errlines_tail(const struct errlines *errlines)
{
    struct str tail = buf_str(&errlines->tail);
    if (tail.len > FN_STDERR_TAIL) {
        tail.data += tail.len - FN_STDERR_TAIL;
        tail.len = FN_STDERR_TAIL;
        while (tail.len && ((unsigned char)tail.data[0] & 0xC0) == 0x80) {
            tail.data++;
            tail.len--;
        }
    }
    return tail;
}

void errlines_clear(struct errlines *errlines)
{
    buf_clear(&errlines->tail);
}

void errlines_free(struct errlines *errlines)
{
    buf_free(&errlines->line);
    buf_free(&errlines->tail);
}
