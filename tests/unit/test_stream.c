/* test_stream.c: claims about sys/stream.h. */
#include "sys/stream.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PLENTY = 1000 * 1000 }; /* more than any pipe or socket takes at once */

static struct loop *the_loop;
static struct loop_timer deadline;
static struct stream_out out;
static int calls; /* of progress */
static char *plenty;

static void too_late(struct loop_timer *timer)
{
    (void)timer;
    loop_stop(the_loop);
}

static void count_progress(struct stream_out *stream)
{
    assert_ptr_equal(stream, &out);
    calls++;
}

static int setup(void **state)
{
    (void)state;
    struct err err;
    the_loop = loop_new(&err);
    deadline = (struct loop_timer){.fire = too_late};
    loop_timer_set(the_loop, &deadline, clock_now() + 20 * NUM_SECOND);
    out = (struct stream_out){.progress = count_progress};
    calls = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    loop_free(the_loop);
    alarm(0);
    return 0;
}

static int fill_plenty(void **state)
{
    (void)state;
    plenty = mem_alloc(PLENTY);
    for (size_t i = 0; i < PLENTY; i++)
        plenty[i] = (char)('!' + i * 7 % 90);
    return 0;
}

static int free_plenty(void **state)
{
    (void)state;
    free(plenty);
    return 0;
}

static struct str part(size_t from, size_t len)
{
    return (struct str){plenty + from, len};
}

/* Reads from fd in the loop, slowly, until everything has arrived. */
struct slow_reader {
    struct loop_fd watch;
    size_t want;
    size_t got;
    size_t piece;
    bool equal;
};

static void read_piece(struct loop_fd *watch, uint32_t events)
{
    (void)events;
    struct slow_reader *reader = (struct slow_reader *)watch;
    char bytes[65536];
    ssize_t got = read(watch->fd, bytes, reader->piece);
    if (got <= 0) {
        loop_stop(the_loop);
        return;
    }
    reader->equal &= memcmp(bytes, plenty + reader->got, (size_t)got) == 0;
    reader->got += (size_t)got;
    if (reader->got == reader->want)
        loop_stop(the_loop);
}

static void expect_slow_reader_gets(int fd, size_t want, size_t piece)
{
    struct err err;
    struct slow_reader reader = {{.ready = read_piece}, want, 0, piece, true};
    assert_int_equal(loop_fd_add(the_loop, &reader.watch, fd, EPOLLIN), 0);
    assert_int_equal(loop_run(the_loop, &err), 0);
    loop_fd_remove(the_loop, &reader.watch);
    assert_int_equal(reader.got, want);
    assert_true(reader.equal);
}

static void stop_at_once(struct loop_idle *idle)
{
    (void)idle;
    loop_stop(the_loop);
}

static void run_until_idle(void)
{
    struct err err;
    struct loop_idle idle = {.run = stop_at_once};
    loop_idle_add(the_loop, &idle);
    assert_int_equal(loop_run(the_loop, &err), 0);
    loop_idle_remove(the_loop, &idle);
}

static bool is_nonblocking(int fd)
{
    return fcntl(fd, F_GETFL) & O_NONBLOCK;
}

/* ---- writing ---- */

/* The same for everything that can be full: nothing blocks, nothing is lost, the order is kept. */
static void expect_patience(int read_end, int write_end, bool owned)
{
    bool before = is_nonblocking(write_end);
    stream_open(&out, the_loop, write_end, owned);
    for (size_t at = 0; at < PLENTY; at += 1000)
        stream_add(&out, part(at, 1000));
    stream_flush(&out);
    assert_int_equal(out.error, 0);
    assert_int_equal(out.accepted, PLENTY);
    assert_true(out.written > 0 && out.written < PLENTY);
    assert_true(out.waiting);
    assert_int_equal(stream_pending(&out), PLENTY - out.written);
    assert_int_equal(calls, 0);
    expect_slow_reader_gets(read_end, PLENTY, 5000);
    assert_int_equal(out.written, PLENTY);
    assert_false(out.waiting);
    assert_true(calls > 0);
    assert_true(is_nonblocking(write_end) == before);
    assert_int_equal(stream_close(&out, 0), 0);
    assert_int_equal(fcntl(write_end, F_GETFD) < 0, owned);
    if (!owned)
        close(write_end);
    close(read_end);
}

static void waits_for_the_reader_of_a_shared_pipe(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    expect_patience(ends[0], ends[1], false);
}

static void waits_for_the_reader_of_a_pipe_of_its_own(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    expect_patience(ends[0], ends[1], true);
}

static void waits_for_the_reader_of_a_socket(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    expect_patience(ends[0], ends[1], true);
}

static void waits_for_the_reader_of_a_fifo(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_stream.XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int writer = open(path, O_WRONLY | O_CLOEXEC);
    unlink(path);
    rmdir(folder);
    expect_patience(reader, writer, false);
}

/* As when stdout belongs to another user, and cannot be opened anew. */
static void waits_for_the_reader_of_a_pipe_that_it_cannot_reopen(void **state)
{
    (void)state;
    int ends[2];
    uid_t me = geteuid();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    if (me == 0) {
        assert_int_equal(fchown(ends[1], 1, 1), 0);
        assert_int_equal(fchmod(ends[1], 0), 0);
        assert_int_equal(seteuid(65534), 0);
    } else {
        assert_int_equal(fchmod(ends[1], 0), 0);
    }
    assert_int_equal(stream_reopen(ends[1], O_WRONLY), -1);
    expect_patience(ends[0], ends[1], false);
    assert_int_equal(seteuid(me), 0);
}

/* Another writer of the same pipe fills what the stream saw free. */
static void does_not_block_on_a_pipe_that_others_fill(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    stream_open(&out, the_loop, ends[1], false);
    int other = stream_reopen(ends[1], O_WRONLY);
    while (write(other, plenty, 4096) > 0)
        ;
    alarm(20); /* a blocked write ends the test program */
    stream_add(&out, part(0, 100));
    stream_flush(&out);
    assert_true(out.waiting);
    assert_int_equal(out.written, 0);
    errno = 0;
    assert_int_equal(stream_close(&out, 0), -1);
    assert_int_equal(errno, ETIMEDOUT);
    assert_int_equal(stream_pending(&out), 100);
    close(other);
    close(ends[0]);
    close(ends[1]);
}

/* Any sizes, in any order of adding, flushing and reading: the same bytes come out. */
static void expect_order_of_random_pieces(int read_end, int write_end)
{
    struct rng rng;
    rng_seed(&rng, 11);
    stream_open(&out, the_loop, write_end, false);
    size_t added = 0, got = 0;
    char *bytes = mem_alloc(PLENTY);
    while (got < PLENTY) {
        static const size_t scales[] = {10, 1000, 20 * 1000, 300 * 1000};
        size_t most = scales[rng_below(&rng, 4)], len = rng_below(&rng, most);
        len = len < PLENTY - added ? len : PLENTY - added;
        if (rng_below(&rng, 2))
            stream_add(&out, part(added, len));
        else
            len = 0;
        added += len;
        if (added == PLENTY || rng_below(&rng, 4) == 0)
            stream_flush(&out);
        run_until_idle();
        ssize_t count = stream_read(read_end, bytes + got, rng_below(&rng, 2 * most) + 1);
        assert_true(count > 0 || (count < 0 && errno == EAGAIN));
        got += count > 0 ? (size_t)count : 0;
        assert_int_equal(out.accepted, added);
        assert_true(out.written >= got && out.written <= added);
    }
    assert_memory_equal(bytes, plenty, PLENTY);
    assert_int_equal(stream_close(&out, 0), 0);
    free(bytes);
    close(read_end);
    close(write_end);
}

static void keeps_the_order_of_random_pieces(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    expect_order_of_random_pieces(ends[0], ends[1]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    expect_order_of_random_pieces(ends[0], ends[1]);
}

/* Another process that reads all of plenty in small pieces and must succeed. */
static pid_t read_elsewhere(const int *ends)
{
    pid_t reader = fork();
    if (reader != 0)
        return reader;
    size_t total = 0;
    char bytes[3000];
    ssize_t got;
    close(ends[1]);
    close(out.target);
    while ((got = read(ends[0], bytes, sizeof bytes)) > 0) {
        if (memcmp(bytes, plenty + total, (size_t)got))
            _exit(1);
        total += (size_t)got;
    }
    _exit(total == PLENTY ? 0 : 2);
}

static void expect_success(pid_t reader)
{
    int status = -1;
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_int_equal(status, 0);
}

static void closing_waits_for_a_slow_reader(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    stream_open(&out, the_loop, ends[1], true);
    stream_add(&out, part(0, PLENTY));
    pid_t reader = read_elsewhere(ends);
    assert_int_equal(stream_close(&out, clock_now() + 20 * NUM_SECOND), 0);
    expect_success(reader);
    close(ends[0]);
}

static void draining_waits_for_a_slow_reader(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    stream_open(&out, the_loop, ends[1], true);
    stream_add(&out, part(0, PLENTY));
    assert_true(out.waiting);
    pid_t reader = read_elsewhere(ends);
    stream_drain(&out, 1000);
    assert_true(stream_pending(&out) <= 1000);
    stream_drain(&out, 0);
    assert_int_equal(stream_pending(&out), 0);
    assert_int_equal(stream_close(&out, 0), 0);
    expect_success(reader);
    close(ends[0]);
}

static void does_not_write_before_it_has_gathered(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    stream_open(&out, the_loop, ends[1], true);
    stream_add_line(&out, STR("{}"));
    stream_add(&out, STR("x"));
    assert_int_equal(out.accepted, 4);
    assert_int_equal(out.written, 0);
    stream_flush(&out);
    assert_int_equal(out.written, 4);
    char bytes[8];
    assert_int_equal(read(ends[0], bytes, sizeof bytes), 4);
    assert_memory_equal(bytes, "{}\nx", 4);
    assert_int_equal(stream_close(&out, 0), 0);
    close(ends[0]);
}

static void unasked_writes_end_with_a_whole_line(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    struct stat info;
    stream_open(&out, the_loop, fileno(file), false);
    for (int i = 0; i < 3000; i++) {
        stream_add_line(&out, part(0, 100));
        assert_int_equal(out.written % 101, 0);
    }
    assert_true(out.written >= 3000 * 101 - STREAM_GATHER - 101);
    assert_int_equal(stream_close(&out, 0), 0);
    assert_int_equal(fstat(fileno(file), &info), 0);
    assert_int_equal(info.st_size, 3000 * 101);
    fclose(file);
}

static void expect_error(int fd, int error)
{
    stream_open(&out, the_loop, fd, false);
    stream_add_line(&out, STR("{}"));
    stream_flush(&out);
    assert_int_equal(out.error, error);
    assert_int_equal(calls, 0);
    run_until_idle();
    assert_int_equal(calls, 1); /* told once, by the loop */
    stream_add_line(&out, STR("{}"));
    stream_flush(&out);
    assert_int_equal(out.written, 0);
    errno = 0;
    assert_int_equal(stream_close(&out, 0), -1);
    assert_int_equal(errno, error);
}

static void reports_a_full_device(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    expect_error(fd, ENOSPC);
    close(fd);
}

static void reports_a_reader_that_left(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    close(ends[0]);
    expect_error(ends[1], EPIPE);
    close(ends[1]);
}

static void reports_a_peer_that_left(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    close(ends[0]);
    expect_error(ends[1], EPIPE);
    close(ends[1]);
}

static void a_peer_that_leaves_bytes_unread_has_left_as_any_other(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(write(ends[1], "1", 1), 1);
    close(ends[0]);
    expect_error(ends[1], EPIPE);
    close(ends[1]);
}

static void what_is_told_from_outside_is_as_a_failed_write(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    stream_open(&out, the_loop, ends[1], true);
    stream_add_line(&out, STR("1"));
    stream_flush(&out);
    stream_fail(&out, EPIPE);
    stream_fail(&out, EIO);
    assert_int_equal(calls, 0);
    run_until_idle();
    assert_int_equal(calls, 1);
    assert_int_equal(out.error, EPIPE);
    assert_int_equal(out.written, 2);
    assert_int_equal(stream_pending(&out), 0);
    stream_add_line(&out, STR("2"));
    stream_flush(&out);
    assert_int_equal(out.written, 2);
    assert_int_equal(stream_close(&out, 0), -1);
    assert_int_equal(errno, EPIPE);
    close(ends[0]);
}

static void reports_a_closed_descriptor(void **state)
{
    (void)state;
    expect_error(987, EBADF);
}

static void reports_a_descriptor_for_reading(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    expect_error(ends[0], EBADF);
    close(ends[0]);
    close(ends[1]);
}

static void reports_a_reader_that_leaves_while_it_waits(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    stream_open(&out, the_loop, ends[1], true);
    stream_add(&out, part(0, PLENTY));
    assert_true(out.waiting);
    close(ends[0]);
    run_until_idle();
    assert_int_equal(out.error, EPIPE);
    assert_int_equal(calls, 1);
    assert_int_equal(stream_close(&out, 0), -1);
}

static void writes_regular_files_at_once(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    char *back = mem_alloc(PLENTY);
    stream_open(&out, the_loop, fileno(file), false);
    stream_add(&out, part(0, 10));
    stream_add(&out, part(10, PLENTY - 10));
    assert_int_equal(out.written, PLENTY);
    assert_int_equal(stream_close(&out, 0), 0);
    assert_int_equal(pread(fileno(file), back, PLENTY, 0), PLENTY);
    assert_memory_equal(back, plenty, PLENTY);
    free(back);
    fclose(file);
}

static void keeps_no_large_buffer_after_a_stall(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    stream_open(&out, the_loop, ends[1], true);
    for (int i = 0; i < 4; i++)
        stream_add(&out, part(0, PLENTY));
    assert_true(out.bytes.cap > STREAM_KEEP);
    char bytes[65536];
    while (out.written < out.accepted) {
        assert_true(read(ends[0], bytes, sizeof bytes) > 0);
        run_until_idle();
    }
    assert_true(out.bytes.cap <= STREAM_KEEP);
    assert_int_equal(stream_close(&out, 0), 0);
    close(ends[0]);
}

/* ---- reading ---- */

static void expect_read(int fd, const char *text)
{
    char bytes[64];
    ssize_t got = stream_read(fd, bytes, sizeof bytes);
    assert_int_equal(got, strlen(text));
    assert_memory_equal(bytes, text, strlen(text));
}

static void expect_nothing_yet(int fd)
{
    char bytes[64];
    errno = 0;
    assert_int_equal(stream_read(fd, bytes, sizeof bytes), -1);
    assert_int_equal(errno, EAGAIN);
}

static void expect_reads(int read_end, int write_end)
{
    alarm(20); /* a blocked read ends the test program */
    expect_nothing_yet(read_end);
    assert_int_equal(write(write_end, "abc", 3), 3);
    expect_read(read_end, "abc");
    expect_nothing_yet(read_end);
    close(write_end);
    expect_read(read_end, "");
    close(read_end);
}

static void reads_without_blocking_from_pipes_and_sockets(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    expect_reads(ends[0], ends[1]);
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    expect_reads(ends[0], ends[1]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    expect_reads(ends[0], ends[1]);
}

static void reads_regular_files_to_their_end(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    fputs("text", file);
    rewind(file);
    expect_read(fileno(file), "text");
    expect_read(fileno(file), "");
    fclose(file);
    char byte;
    assert_int_equal(stream_read(987, &byte, 1), -1);
    assert_int_equal(errno, EBADF);
}

static void a_private_description_leaves_the_shared_one_blocking(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    int own = stream_reopen(ends[0], O_RDONLY);
    assert_true(own >= 0);
    assert_true(is_nonblocking(own));
    assert_int_equal(fcntl(own, F_GETFD), FD_CLOEXEC);
    assert_false(is_nonblocking(ends[0]));
    /* What another reader takes between poll and read. */
    struct pollfd ready = {own, POLLIN, 0};
    char bytes[8];
    assert_int_equal(write(ends[1], "abc", 3), 3);
    assert_int_equal(poll(&ready, 1, 0), 1);
    assert_int_equal(read(ends[0], bytes, sizeof bytes), 3);
    expect_nothing_yet(own);
    assert_int_equal(write(ends[1], "d", 1), 1);
    expect_read(own, "d");
    close(ends[1]);
    assert_int_equal(poll(&ready, 1, 20000), 1);
    assert_true(ready.revents & POLLHUP);
    expect_read(own, "");
    close(own);
    close(ends[0]);
}

static void sees_the_end_of_a_fifo_whose_writer_left_before_it_looked(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_stream.XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int writer = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(fcntl(reader, F_SETFL, 0), 0); /* as a shell's `< fifo` */
    assert_int_equal(write(writer, "abc", 3), 3);
    close(writer);
    int own = stream_reopen(reader, O_RDONLY);
    int fd = own < 0 ? reader : own;
    struct pollfd ready = {fd, POLLIN, 0};
    alarm(20);
    assert_int_equal(poll(&ready, 1, 0), 1);
    expect_read(fd, "abc");
    assert_int_equal(poll(&ready, 1, 20000), 1);
    expect_read(fd, "");
    if (own >= 0)
        close(own);
    close(reader);
    unlink(path);
    rmdir(folder);
}

static void does_not_reopen_files_sockets_or_nothing(void **state)
{
    (void)state;
    int ends[2];
    FILE *file = tmpfile();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(stream_reopen(fileno(file), O_RDONLY), -1);
    assert_int_equal(stream_reopen(ends[0], O_RDONLY), -1);
    assert_int_equal(stream_reopen(987, O_RDONLY), -1);
    close(ends[0]);
    close(ends[1]);
    fclose(file);
}

static void serves_a_terminal(void **state)
{
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0)
        skip();
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(slave >= 0);
    alarm(20);
    expect_nothing_yet(slave);
    assert_int_equal(write(master, "line\n", 5), 5);
    struct pollfd ready = {slave, POLLIN, 0};
    assert_int_equal(poll(&ready, 1, 20000), 1);
    expect_read(slave, "line\n");
    stream_open(&out, the_loop, slave, false);
    for (int i = 0; i < 10; i++)
        stream_add(&out, part(0, PLENTY / 10)); /* nobody reads: it waits */
    stream_flush(&out);
    assert_true(out.waiting);
    assert_false(is_nonblocking(slave));
    assert_int_equal(stream_close(&out, 0), -1);
    close(slave);
    close(master);
}

/* The number may already be another's. */
/* A stream into a pipe of its own, with a line in it; its reader. */
static int open_with_a_line(struct stream_out *stream)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    *stream = (struct stream_out){0};
    stream_open(stream, the_loop, ends[1], true);
    stream_add_line(stream, STR("hello"));
    stream_flush(stream);
    return ends[0];
}

static void takes_back_what_nobody_has_read(void **state)
{
    (void)state;
    struct stream_out own;
    int reader = open_with_a_line(&own);
    stream_add_line(&own, STR("gathered"));
    assert_true(stream_take_back(&own));
    expect_nothing_yet(reader);
    assert_int_equal(stream_pending(&own), 0);
    stream_add_line(&own, STR("x"));
    stream_flush(&own);
    expect_read(reader, "x\n");
    assert_int_equal(stream_close(&own, 0), 0);
    close(reader);
}

static void takes_nothing_back_of_what_is_being_read(void **state)
{
    (void)state;
    struct stream_out own;
    char first;
    int reader = open_with_a_line(&own);
    assert_int_equal(read(reader, &first, 1), 1);
    stream_add_line(&own, STR("behind"));
    assert_false(stream_take_back(&own));
    assert_int_equal(stream_close(&own, 0), 0);
    expect_read(reader, "ello\nbehind\n");
    close(reader);
}

/* What does not fit waits in the stream. */
static void takes_back_what_the_pipe_had_no_room_for(void **state)
{
    (void)state;
    struct stream_out own;
    int reader = open_with_a_line(&own);
    for (size_t at = 0; at < PLENTY; at += 1000)
        stream_add(&own, part(at, 1000));
    assert_true(own.waiting);
    assert_true(stream_take_back(&own));
    assert_false(own.waiting);
    expect_nothing_yet(reader);
    assert_int_equal(stream_close(&own, 0), 0);
    close(reader);
}

static void closes_a_descriptor_once(void **state)
{
    (void)state;
    int first = open("/dev/null", O_WRONLY | O_CLOEXEC);
    stream_open(&out, the_loop, first, true);
    assert_int_equal(stream_close(&out, 0), 0);
    int second = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_int_equal(second, first);
    assert_int_equal(stream_close(&out, 0), 0);
    assert_int_equal(write(second, "x", 1), 1);
    close(second);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(waits_for_the_reader_of_a_shared_pipe),
        CLAIM(waits_for_the_reader_of_a_pipe_of_its_own),
        CLAIM(waits_for_the_reader_of_a_socket),
        CLAIM(waits_for_the_reader_of_a_fifo),
        CLAIM(waits_for_the_reader_of_a_pipe_that_it_cannot_reopen),
        CLAIM(does_not_block_on_a_pipe_that_others_fill),
        CLAIM(keeps_the_order_of_random_pieces),
        CLAIM(closing_waits_for_a_slow_reader),
        CLAIM(draining_waits_for_a_slow_reader),
        CLAIM(does_not_write_before_it_has_gathered),
        CLAIM(unasked_writes_end_with_a_whole_line),
        CLAIM(reports_a_full_device),
        CLAIM(reports_a_reader_that_left),
        CLAIM(reports_a_peer_that_left),
        CLAIM(a_peer_that_leaves_bytes_unread_has_left_as_any_other),
        CLAIM(what_is_told_from_outside_is_as_a_failed_write),
        CLAIM(reports_a_closed_descriptor),
        CLAIM(reports_a_descriptor_for_reading),
        CLAIM(reports_a_reader_that_leaves_while_it_waits),
        CLAIM(writes_regular_files_at_once),
        CLAIM(keeps_no_large_buffer_after_a_stall),
        CLAIM(reads_without_blocking_from_pipes_and_sockets),
        CLAIM(reads_regular_files_to_their_end),
        CLAIM(a_private_description_leaves_the_shared_one_blocking),
        CLAIM(sees_the_end_of_a_fifo_whose_writer_left_before_it_looked),
        CLAIM(does_not_reopen_files_sockets_or_nothing),
        CLAIM(serves_a_terminal),
        CLAIM(takes_back_what_nobody_has_read),
        CLAIM(takes_nothing_back_of_what_is_being_read),
        CLAIM(takes_back_what_the_pipe_had_no_room_for),
        CLAIM(closes_a_descriptor_once),
    };
    return cmocka_run_group_tests_name("stream", tests, fill_plenty, free_plenty);
}
