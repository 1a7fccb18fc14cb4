/* test_source_merge.c: claims about engine/inputs.h and engine/source_merge.h. */
#include "engine/source_merge.h"

#include "base/clock.h"
#include "base/msg.h"
#include "base/num.h"
#include "base/rng.h"
#include "engine/inputs.h"
#include "format/zst.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE (20 * NUM_SECOND) /* far beyond what anything here takes */
enum { MAX_EVENT = 1024 * 1024 };

static char folder[64];
static struct loop *loop;
static struct err err;
static unsigned readies;

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_merge.XXXXXX");
    readies = 0;
    loop = mkdtemp(folder) ? loop_new(&err) : NULL;
    return loop ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    char path[512];
    DIR *entries = opendir(folder);
    for (struct dirent *entry; (entry = readdir(entries));) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    closedir(entries);
    loop_free(loop);
    block_drop_kept();
    return rmdir(folder);
}

/* ---- helpers ---- */

static char *path_of(const char *name)
{
    char *path;
    assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
    return path;
}

static char *make_file(const char *name, struct str bytes)
{
    char *path = path_of(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.data, bytes.len), bytes.len);
    close(fd);
    return path;
}

static char *make_fifo(const char *name)
{
    char *path = path_of(name);
    assert_int_equal(mkfifo(path, 0600), 0);
    return path;
}

static int open_writer(const char *path)
{
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void put(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void ready(void *owner)
{
    (void)owner;
    readies++;
    loop_stop(loop);
}

static struct source *listen_to(struct source *source)
{
    assert_non_null(source);
    source->ready = ready;
    return source;
}

static struct source *open_merge(char *const *paths, size_t count)
{
    return source_merge_open(loop, (const char *const *)paths, count, MAX_EVENT, &err);
}

static struct source *merge_paths(char *const *paths, size_t count)
{
    return listen_to(open_merge(paths, count));
}

static void too_late(struct loop_timer *timer)
{
    (void)timer;
    loop_stop(loop);
}

/* Run the loop until the source is ready. False: it was not in that time. */
static bool wait_ready(int64_t time)
{
    unsigned before = readies;
    struct loop_timer timer = {.fire = too_late};
    loop_timer_set(loop, &timer, clock_now() + time);
    assert_int_equal(loop_run(loop, &err), 0);
    loop_timer_clear(loop, &timer);
    return readies != before;
}

/* The next event, waiting for it. */
static enum source_status take(struct source *source, struct source_event *event)
{
    enum source_status status;
    while ((status = source->next(source, event, &err)) == SOURCE_LATER)
        assert_true(wait_ready(DEADLINE));
    return status;
}

static void expect_line(struct source *source, const char *origin, uint64_t number,
                        const char *text)
{
    struct source_event event;
    assert_int_equal(take(source, &event), SOURCE_EVENT);
    assert_string_equal(event.origin ? event.origin : source->name, origin);
    assert_int_equal(event.number, number);
    assert_int_equal(event.bytes.len, strlen(text));
    assert_memory_equal(event.bytes.data, text, strlen(text));
    slice_drop(&event.bytes);
}

static void expect_status(struct source *source, enum source_status status)
{
    struct source_event event;
    assert_int_equal(source->next(source, &event, &err), status);
}

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    DIR *entries = opendir("/proc/self/fd");
    while (readdir(entries))
        count++;
    closedir(entries);
    return count;
}

/* ---- against the model: the lines of each input, in order, all of them, none torn ---- */

enum kind { A_PIPE, A_FIFO, A_FILE, KINDS };

struct line {
    uint64_t number;
    size_t at, len; /* in bytes */
    bool too_large;
};

struct feed {
    enum kind kind;
    char name[16];
    char *path;
    int fd;           /* to write to; -1: closed, or a file */
    bool opened;      /* of a FIFO: a writer has come */
    struct buf bytes; /* all that it will give */
    size_t written;
    struct buf lines; /* of struct line: what is to come of it */
    size_t taken;
};

static void add_line(struct feed *feed, struct rng *rng, bool is_last)
{
    struct line line = {.at = feed->bytes.len};
    uint64_t pick = rng_below(rng, 100);
    size_t len = pick < 90 ? 1 + rng_below(rng, 60)
                           : (pick < 98 ? rng_below(rng, 3) : rng_below(rng, 200000));
    for (size_t i = 0; i < len; i++)
        buf_addc(&feed->bytes, (char)('a' + rng_below(rng, 26)));
    line.len = len;
    line.number = ++feed->taken;
    if (len)
        buf_add(&feed->lines, &line, sizeof line);
    if (is_last && rng_below(rng, 2))
        return;
    buf_puts(&feed->bytes, rng_below(rng, 8) ? "\n" : "\r\n");
}

static void make_feed(struct feed *feed, unsigned i, struct rng *rng)
{
    *feed = (struct feed){.kind = (enum kind)rng_below(rng, KINDS), .fd = -1};
    snprintf(feed->name, sizeof feed->name, "input%u", i);
    uint64_t count = rng_below(rng, 4) ? rng_below(rng, 200) : rng_below(rng, 2);
    for (uint64_t line = 0; line < count; line++)
        add_line(feed, rng, line + 1 == count);
    feed->taken = 0;
    feed->path = feed->kind == A_FIFO   ? make_fifo(feed->name)
                 : feed->kind == A_FILE ? make_file(feed->name, buf_str(&feed->bytes))
                                        : path_of(feed->name);
}

static struct source *open_feed(struct feed *feed)
{
    struct source *source;
    int ends[2];
    if (feed->kind != A_PIPE)
        return open_merge(&feed->path, 1);
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    feed->fd = ends[1];
    feed->opened = true;
    source = source_lines_take(loop, ends[0], feed->path, MAX_EVENT, &err);
    assert_non_null(source);
    return source;
}

/* A writer does something: comes, writes a piece that knows nothing of lines, or leaves. */
static void move(struct feed *feed, struct rng *rng)
{
    if (feed->kind == A_FILE || (feed->opened && feed->fd < 0))
        return;
    if (!feed->opened) {
        feed->fd = open_writer(feed->path);
        feed->opened = true;
        return;
    }
    size_t left = feed->bytes.len - feed->written;
    size_t len = rng_below(rng, 3) ? 1 + rng_below(rng, 5) : 1 + rng_below(rng, 100000);
    len = len < left ? len : left;
    ssize_t put = len ? write(feed->fd, feed->bytes.data + feed->written, len) : 0;
    if (put > 0)
        feed->written += (size_t)put;
    if (feed->written == feed->bytes.len) {
        close(feed->fd);
        feed->fd = -1;
    }
}

static struct feed *feed_named(struct feed *feeds, const char *path)
{
    while (feeds->path != path)
        feeds++;
    return feeds;
}

static void check_event(struct feed *feeds, struct source *source, struct source_event *event)
{
    struct feed *feed = feed_named(feeds, event->origin ? event->origin : source->name);
    assert_true((feed->taken + 1) * sizeof(struct line) <= feed->lines.len);
    const struct line *line = (const struct line *)(const void *)feed->lines.data + feed->taken++;
    assert_int_equal(event->number, line->number);
    assert_int_equal(event->bytes.len, line->len);
    assert_memory_equal(event->bytes.data, feed->bytes.data + line->at, line->len);
    slice_drop(&event->bytes);
}

static void stop_at_once(struct loop_idle *idle)
{
    (void)idle;
    loop_stop(loop);
}

static void try_seed(uint64_t seed)
{
    struct rng rng;
    rng_seed(&rng, seed);
    enum { MOST = 8 };
    struct feed feeds[MOST];
    struct source *lines[MOST];
    unsigned count = 1 + (unsigned)rng_below(&rng, MOST);
    for (unsigned i = 0; i < count; i++) {
        make_feed(&feeds[i], i, &rng);
        lines[i] = open_feed(&feeds[i]);
    }
    struct source *source = listen_to(source_merge(lines, count));
    struct loop_idle idle = {.run = stop_at_once};
    loop_idle_add(loop, &idle);
    int64_t deadline = clock_now() + DEADLINE;
    enum source_status status = SOURCE_LATER;
    while (status != SOURCE_END) {
        assert_true(clock_now() < deadline);
        for (uint64_t moves = rng_below(&rng, 6); moves; moves--)
            move(&feeds[rng_below(&rng, count)], &rng);
        loop_run(loop, &err);
        struct source_event event;
        uint64_t most = 1 + rng_below(&rng, 300);
        while (most-- && (status = source->next(source, &event, &err)) == SOURCE_EVENT)
            check_event(feeds, source, &event);
        assert_int_not_equal(status, SOURCE_FAILED);
    }
    uint64_t bytes = 0, read, all;
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(feeds[i].taken * sizeof(struct line), feeds[i].lines.len);
        bytes += feeds[i].bytes.len;
    }
    source->extent(source, &read, &all);
    assert_int_equal(read, bytes);
    loop_idle_remove(loop, &idle);
    source->free(source);
    for (unsigned i = 0; i < count; i++) {
        unlink(feeds[i].path);
        free(feeds[i].path);
        buf_free(&feeds[i].bytes);
        buf_free(&feeds[i].lines);
    }
}

static void gives_the_lines_of_each_input_in_order_and_whole(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++)
        try_seed(seed);
}

/* ---- waiting ---- */

static void a_fifo_has_not_ended_before_a_writer_has_come(void **state)
{
    (void)state;
    char *paths[] = {make_fifo("fifo"), make_file("file", STR("1\n2"))};
    struct source *source = merge_paths(paths, 2);
    expect_line(source, paths[1], 1, "1");
    expect_line(source, paths[1], 2, "2");
    expect_status(source, SOURCE_LATER);
    assert_false(wait_ready(NUM_SECOND / 20));
    int writer = open_writer(paths[0]);
    expect_status(source, SOURCE_LATER);
    put(writer, "3\n4");
    expect_line(source, paths[0], 1, "3");
    expect_status(source, SOURCE_LATER);
    int second = open_writer(paths[0]);
    close(writer);
    expect_status(source, SOURCE_LATER);
    assert_false(wait_ready(NUM_SECOND / 20));
    close(second);
    expect_line(source, paths[0], 2, "4");
    expect_status(source, SOURCE_END);
    source->free(source);
    free(paths[0]);
    free(paths[1]);
}

static void a_writer_that_says_nothing_ends_a_fifo(void **state)
{
    (void)state;
    char *paths[] = {make_fifo("fifo"), make_fifo("other")};
    struct source *source = merge_paths(paths, 2);
    expect_status(source, SOURCE_LATER);
    close(open_writer(paths[0]));
    close(open_writer(paths[1]));
    struct source_event event;
    assert_int_equal(take(source, &event), SOURCE_END);
    source->free(source);
    free(paths[0]);
    free(paths[1]);
}

static void a_single_fifo_is_waited_for_too(void **state)
{
    (void)state;
    char *path = make_fifo("fifo");
    struct source *source = merge_paths(&path, 1);
    expect_status(source, SOURCE_LATER);
    assert_false(wait_ready(NUM_SECOND / 20));
    int writer = open_writer(path);
    put(writer, "1");
    close(writer);
    expect_line(source, path, 1, "1");
    expect_status(source, SOURCE_END);
    source->free(source);
    free(path);
}

static void a_fast_input_does_not_starve_a_slow_one(void **state)
{
    (void)state;
    struct buf many = {0};
    for (int i = 0; i < 100000; i++)
        buf_puts(&many, "0\n");
    char *paths[] = {make_file("fast", buf_str(&many)), make_fifo("slow")};
    struct source *source = merge_paths(paths, 2);
    int writer = open_writer(paths[1]);
    for (int line = 1; line <= SOURCE_MERGE_LINES + 1; line++)
        expect_line(source, paths[0], (uint64_t)line, "0");
    put(writer, "1\n");
    assert_true(wait_ready(DEADLINE));
    struct source_event event;
    for (int lines = 0; take(source, &event) == SOURCE_EVENT && event.origin == paths[0]; lines++) {
        assert_true(lines < SOURCE_MERGE_LINES);
        slice_drop(&event.bytes);
    }
    assert_ptr_equal(event.origin, paths[1]);
    slice_drop(&event.bytes);
    close(writer);
    source->free(source);
    buf_free(&many);
    free(paths[0]);
    free(paths[1]);
}

static void long_lines_take_turns_sooner(void **state)
{
    (void)state;
    struct buf wide = {0};
    for (int line = 0; line < 20; line++) {
        for (int i = 0; i < SOURCE_MERGE_BYTES; i++)
            buf_addc(&wide, 'w');
        buf_addc(&wide, '\n');
    }
    char *paths[] = {make_file("a", buf_str(&wide)), make_file("b", buf_str(&wide))};
    struct source *source = merge_paths(paths, 2);
    for (int i = 0; i < 40; i++) {
        struct source_event event;
        assert_int_equal(source->next(source, &event, &err), SOURCE_EVENT);
        assert_ptr_equal(event.origin, paths[i % 2]);
        slice_drop(&event.bytes);
    }
    expect_status(source, SOURCE_END);
    source->free(source);
    buf_free(&wide);
    free(paths[0]);
    free(paths[1]);
}

/* ---- ends and errors ---- */

static void gives_an_input_back_when_it_has_ended(void **state)
{
    (void)state;
    char *paths[] = {make_file("a", STR("1\n")), make_file("b", STR("2\n")), make_fifo("c")};
    unsigned before = open_descriptors();
    struct source *source = merge_paths(paths, 3);
    assert_int_equal(open_descriptors(), before + 3);
    expect_line(source, paths[0], 1, "1");
    expect_line(source, paths[1], 1, "2");
    expect_status(source, SOURCE_LATER);
    assert_int_equal(open_descriptors(), before + 1);
    source->free(source);
    assert_int_equal(open_descriptors(), before);
    for (int i = 0; i < 3; i++)
        free(paths[i]);
}

static void keep_message(void *owner, struct str lines)
{
    buf_add_str(owner, lines);
}

static void reads_the_others_when_one_fails_and_then_fails(void **state)
{
    (void)state;
    struct buf frame = {0};
    assert_int_equal(zst_frame(STR("1\n2\n"), &frame, &err), 0);
    frame.len -= 2;
    char unreadable[] = "/proc/self/mem";
    char *paths[] = {make_file("torn.zst", buf_str(&frame)), unreadable,
                     make_file("good", STR("3\n4\n"))};
    struct buf said = {0};
    msg_divert(keep_message, &said);
    struct source *source = merge_paths(paths, 3);
    struct source_event event;
    unsigned good = 0;
    enum source_status status;
    while ((status = take(source, &event)) == SOURCE_EVENT) {
        good += event.origin == paths[2];
        slice_drop(&event.bytes);
    }
    assert_int_equal(good, 2);
    assert_int_equal(status, SOURCE_FAILED);
    assert_string_equal(err.text, "2 of 3 inputs could not be read to the end");
    msg_divert(NULL, NULL);
    assert_non_null(strstr(buf_cstr(&said), "torn.zst: ended inside a zstd frame\n"));
    assert_non_null(strstr(buf_cstr(&said), "read /proc/self/mem: Input/output error\n"));
    source->free(source);
    buf_free(&said);
    buf_free(&frame);
    free(paths[0]);
    free(paths[2]);
}

static void refuses(char *const *paths, size_t count, const char *text)
{
    assert_null(open_merge(paths, count));
    assert_non_null(strstr(err.text, text));
}

static void names_an_input_that_cannot_be_opened_and_opens_no_fifo(void **state)
{
    (void)state;
    char *paths[] = {make_fifo("fifo"), make_file("file", STR("1\n")), path_of("missing")};
    unsigned before = open_descriptors();
    refuses(paths, 3, paths[2]);
    refuses(paths, 3, "No such file or directory");
    assert_int_equal(open(paths[0], O_WRONLY | O_NONBLOCK | O_CLOEXEC), -1);
    assert_int_equal(open_descriptors(), before);
    for (int i = 0; i < 3; i++)
        free(paths[i]);
}

static void refuses_a_directory(void **state)
{
    (void)state;
    char *paths[] = {folder};
    refuses(paths, 1, "Is a directory");
}

static void refuses_a_stream_that_stands_twice_but_not_a_file(void **state)
{
    (void)state;
    char dash[] = "-";
    char *fifos[] = {make_fifo("fifo"), make_file("file", STR("1\n")), path_of("alias")};
    assert_int_equal(link(fifos[0], fifos[2]), 0);
    refuses(fifos, 3, "the same stream twice");
    char *stdins[] = {dash, dash};
    refuses(stdins, 2, "-: the same stream twice");
    char *files[] = {fifos[1], fifos[1]};
    struct source *source = merge_paths(files, 2);
    expect_line(source, fifos[1], 1, "1");
    expect_line(source, fifos[1], 1, "1");
    expect_status(source, SOURCE_END);
    source->free(source);
    for (int i = 0; i < 3; i++)
        free(fifos[i]);
}

static void in_a_child(void (*claim)(void))
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        claim();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void write_to_an_input(void)
{
    char *paths[] = {make_file("a", STR("1\n")), make_file("b", STR("2\n"))};
    int fd = open(paths[1], O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
        _exit(1);
    if (open_merge(paths, 2) || !strstr(err.text, "b: input file is output file"))
        _exit(2);
}

static void refuses_the_file_that_it_writes_to(void **state)
{
    (void)state;
    in_a_child(write_to_an_input);
}

static void open_too_many(void)
{
    enum { MANY = 40 };
    char *paths[MANY];
    struct rlimit limit = {20, 20};
    if (setrlimit(RLIMIT_NOFILE, &limit))
        _exit(1);
    paths[0] = make_file("file", STR("1\n"));
    for (int i = 1; i < MANY; i++)
        paths[i] = paths[0];
    if (open_merge(paths, MANY) ||
        !strstr(err.text, "file: too many inputs for the limit of open files"))
        _exit(2);
}

static void open_more_than_the_soft_limit(void)
{
    enum { MANY = 40 };
    char *paths[MANY];
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        _exit(1);
    limit.rlim_cur = 20;
    if (setrlimit(RLIMIT_NOFILE, &limit))
        _exit(1);
    paths[0] = make_file("file", STR("1\n"));
    for (int i = 1; i < MANY; i++)
        paths[i] = paths[0];
    struct source *source = open_merge(paths, MANY);
    if (!source)
        _exit(2);
}

static void says_that_there_are_too_many_inputs(void **state)
{
    (void)state;
    in_a_child(open_too_many);
}

static void raises_the_soft_limit_of_open_files(void **state)
{
    (void)state;
    in_a_child(open_more_than_the_soft_limit);
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CLAIM(gives_the_lines_of_each_input_in_order_and_whole),
        CLAIM(a_fifo_has_not_ended_before_a_writer_has_come),
        CLAIM(a_writer_that_says_nothing_ends_a_fifo),
        CLAIM(a_single_fifo_is_waited_for_too),
        CLAIM(a_fast_input_does_not_starve_a_slow_one),
        CLAIM(long_lines_take_turns_sooner),
        CLAIM(gives_an_input_back_when_it_has_ended),
        CLAIM(reads_the_others_when_one_fails_and_then_fails),
        CLAIM(names_an_input_that_cannot_be_opened_and_opens_no_fifo),
        CLAIM(refuses_a_directory),
        CLAIM(refuses_a_stream_that_stands_twice_but_not_a_file),
        CLAIM(refuses_the_file_that_it_writes_to),
        CLAIM(says_that_there_are_too_many_inputs),
        CLAIM(raises_the_soft_limit_of_open_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
