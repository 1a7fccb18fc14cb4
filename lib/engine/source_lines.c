/*
 * source_lines.c: the lines of a descriptor as events.
 *
 * A descriptor that can make a reader wait is read only when epoll says so, through a description
 * of our own where one can be had (stream.h), so that a shared stdin never blocks the loop. A
 * regular file is always ready. zstd is recognised by its first bytes.
 */
#include "base/mem.h"
#include "base/list.h"
#include "engine/source.h"
#include "format/ndjson.h"
#include "format/zst.h"
#include "sys/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LINES_FIRST = 64 * 1024, /* bytes read to recognise a stream, and compressed ones at once */
    LINES_READS = 64,        /* of one line; then the loop turns before it is read on */
};

struct lines_source {
    struct source source; /* first */
    struct loop *loop;
    struct ndjson_reader *reader;
    int fd;
    bool owned;    /* fd is our own description */
    bool waits;    /* epoll can watch it; else it is always ready */
    bool readable; /* epoll has said so, or it is always ready */
    struct loop_fd watch;
    struct loop_task turn;          /* between reads of a long line */
    uint64_t bytes_read, bytes_all; /* of the file, as it is */
    uint64_t filled, taken;         /* of the stream: given to the reader, and handed out */
    bool ended;                     /* the end has been read; a terminal would wait for another */
    bool recognised;                /* the first bytes have shown whether it is zstd */
    struct zst_decoder *decoder;    /* NULL: it is not */
    char *first;                    /* the first bytes; then those that are compressed */
    struct str rest;                /* of first, not yet used */
    struct err torn;                /* it ended inside a frame */
};

static struct lines_source *of(struct source *source)
{
    return (struct lines_source *)(void *)source;
}

static void ready(struct loop_fd *watch, uint32_t events)
{
    (void)events;
    struct lines_source *lines = CONTAINER_OF(watch, struct lines_source, watch);
    lines->readable = true;
    loop_fd_change(lines->loop, &lines->watch, 0);
    lines->source.ready(lines->source.owner);
}

/* A line may be as long as its input, which may have no end. */
static void turned(struct loop_task *task)
{
    struct lines_source *lines = CONTAINER_OF(task, struct lines_source, turn);
    lines->source.ready(lines->source.owner);
}

/* Bytes read; 0 at the end; -1 with errno, EAGAIN when there is nothing now. */
static ssize_t read_bytes(struct lines_source *lines, char *bytes, size_t room)
{
    bool never_blocks = lines->owned || !lines->waits;
    ssize_t got;
    if (lines->ended)
        return 0;
    do
        got = never_blocks ? read(lines->fd, bytes, room) : stream_read(lines->fd, bytes, room);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        lines->bytes_read += (uint64_t)got;
    lines->ended = got == 0;
    return got;
}

/* Gather the first bytes and decide by them. 1: decided; 0: nothing now; -1 with errno. */
static int recognise(struct lines_source *lines)
{
    if (!lines->first)
        lines->first = mem_alloc(LINES_FIRST);
    ssize_t got = read_bytes(lines, lines->first + lines->rest.len, LINES_FIRST - lines->rest.len);
    if (got < 0)
        return errno == EAGAIN ? 0 : -1;
    lines->rest = (struct str){lines->first, lines->rest.len + (size_t)got};
    if (got && lines->rest.len < ZST_MAGIC_LEN && zst_may_be_magic(lines->rest))
        return 0;
    lines->recognised = true;
    if (lines->rest.len >= ZST_MAGIC_LEN && zst_is_magic(lines->rest))
        lines->decoder = zst_decoder_new();
    return 1;
}

/* err is about zstd, which knows no names. Returns -1. */
static int name_input(const struct lines_source *lines, struct err *err)
{
    struct err cause = *err;
    return err_set(err, cause.kind, "%s: %s", lines->source.name, cause.text);
}

static void give(struct lines_source *lines, size_t count)
{
    ndjson_filled(lines->reader, count);
    lines->filled += count;
}

/* Decompress into space. As fill. */
static int fill_decoded(struct lines_source *lines, char *space, size_t room, struct err *err)
{
    for (;;) {
        ptrdiff_t made = zst_decode(lines->decoder, &lines->rest, space, room, err);
        if (made < 0)
            return name_input(lines, err);
        if (made > 0) {
            give(lines, (size_t)made);
            return 1;
        }
        ssize_t got = read_bytes(lines, lines->first, LINES_FIRST);
        if (got < 0 && errno == EAGAIN)
            return 0;
        if (got < 0)
            return err_sys(err, "read %s", lines->source.name);
        if (got == 0) {
            lines->torn.kind = ERR_NONE;
            if (zst_decode_end(lines->decoder, &lines->torn) < 0)
                name_input(lines, &lines->torn);
            ndjson_end(lines->reader);
            return 1;
        }
        lines->rest = (struct str){lines->first, (size_t)got};
    }
}

/* Give the reader more bytes, or the end. 1; 0: nothing now; -1 with err. */
static int fill(struct lines_source *lines, struct err *err)
{
    int decided = lines->recognised ? 1 : recognise(lines);
    if (decided < 0)
        return err_sys(err, "read %s", lines->source.name);
    if (!decided)
        return 0;
    size_t room;
    char *space = ndjson_space(lines->reader, &room);
    if (lines->decoder)
        return fill_decoded(lines, space, room, err);
    ssize_t got = (ssize_t)lines->rest.len;
    if (got) {
        got = (size_t)got < room ? got : (ssize_t)room;
        memcpy(space, lines->rest.data, (size_t)got);
        lines->rest.data += got;
        lines->rest.len -= (size_t)got;
        if (!lines->rest.len) {
            free(lines->first);
            lines->first = NULL;
        }
    } else {
        got = read_bytes(lines, space, room);
    }
    if (got < 0 && errno == EAGAIN)
        return 0;
    if (got < 0)
        return err_sys(err, "read %s", lines->source.name);
    if (got == 0)
        ndjson_end(lines->reader);
    else
        give(lines, (size_t)got);
    return 1;
}

static enum source_status next(struct source *source, struct source_event *event, struct err *err)
{
    struct lines_source *lines = of(source);
    struct ndjson_line line;
    for (int reads = 0; reads < LINES_READS; reads++) {
        enum ndjson_status status = ndjson_next(lines->reader, &line);
        if (status == NDJSON_LINE || status == NDJSON_TOO_LARGE) {
            *event = (struct source_event){
                .bytes = line.bytes, .number = line.number, .length = line.length};
            lines->taken = line.offset + line.length;
            return status == NDJSON_LINE ? SOURCE_EVENT : SOURCE_TOO_LARGE;
        }
        if (status == NDJSON_END) {
            lines->taken = lines->filled;
            *err = lines->torn; /* what came before a torn tail has been handed out */
            return lines->torn.kind ? SOURCE_FAILED : SOURCE_END;
        }
        int filled = lines->readable ? fill(lines, err) : 0;
        if (filled < 0)
            return SOURCE_FAILED;
        if (filled == 0 && lines->waits) {
            lines->readable = false;
            loop_fd_change(lines->loop, &lines->watch, EPOLLIN);
            return SOURCE_LATER;
        }
    }
    loop_defer(lines->loop, &lines->turn);
    return SOURCE_LATER;
}

static void stop(struct source *source)
{
    struct lines_source *lines = of(source);
    loop_fd_remove(lines->loop, &lines->watch);
    loop_undefer(lines->loop, &lines->turn);
}

static void free_source(struct source *source)
{
    struct lines_source *lines = of(source);
    loop_fd_remove(lines->loop, &lines->watch);
    loop_undefer(lines->loop, &lines->turn);
    if (lines->owned)
        close(lines->fd);
    ndjson_reader_free(lines->reader);
    zst_decoder_free(lines->decoder);
    free(lines->first);
    free(lines);
}

/* What was read ahead is not through: all of a small file stands in one block. */
static void extent(struct source *source, uint64_t *read, uint64_t *all)
{
    const struct lines_source *lines = of(source);
    double part = lines->filled ? (double)lines->taken / (double)lines->filled : 0;
    *read = (uint64_t)((double)lines->bytes_read * part);
    *all = lines->bytes_all;
}

static struct source *make(struct loop *loop, int fd, bool owned, const char *name,
                           size_t max_event, struct err *err)
{
    struct stat info;
    if (fstat(fd, &info) < 0) {
        err_sys(err, "read %s", name);
        return NULL;
    }
    struct lines_source *lines = mem_zalloc(sizeof *lines);
    lines->source = (struct source){
        .name = name, .next = next, .stop = stop, .free = free_source, .extent = extent};
    lines->loop = loop;
    lines->reader = ndjson_reader_new(max_event);
    int own = owned ? fd : stream_reopen(fd, O_RDONLY);
    lines->owned = own >= 0;
    lines->fd = lines->owned ? own : fd;
    /* A FIFO of our own is at its end as long as nobody has opened it for writing. epoll tells that
     * from the end that a writer has left. */
    lines->readable = !owned || !S_ISFIFO(info.st_mode);
    if (S_ISREG(info.st_mode))
        lines->bytes_all = (uint64_t)info.st_size;
    lines->watch.ready = ready;
    lines->turn.run = turned;
    lines->waits = loop_fd_add(loop, &lines->watch, lines->fd, 0) == 0;
    if (lines->readable || lines->waits)
        return &lines->source;
    err_sys(err, "watch %s", name);
    lines->owned = false; /* as with any other failure fd stays the caller's */
    free_source(&lines->source);
    return NULL;
}

struct source *source_lines(struct loop *loop, int fd, const char *name, size_t max_event,
                            struct err *err)
{
    return make(loop, fd, false, name, max_event, err);
}

struct source *source_lines_take(struct loop *loop, int fd, const char *name, size_t max_event,
                                 struct err *err)
{
    struct source *source = make(loop, fd, true, name, max_event, err);
    if (!source)
        close(fd);
    return source;
}
