/*
 * trial_run.h: run the fitting of a trial: feed it in pieces, read it slowly, kill its functions,
 * and see whether anything outlives it.
 */
#ifndef FIT_TESTS_TRIAL_RUN_H
#define FIT_TESTS_TRIAL_RUN_H

#include "trial_stream.h"

#include "base/clock.h"
#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    TRIAL_SECONDS = 300, /* a fan-out that has not ended then hangs */
    TRIAL_WORDS = 40,
    TRIAL_PIPE = 64 * 1024,
};

struct trial_paths {
    char helper[512]; /* the function */
    /* Files of this process, used by one trial at a time. */
    char shared[512], dead[512], input[512], copy[512], notes[512];
};

struct trial_end {
    int status; /* exit status; 128 + n for signal n */
    bool hung;
    unsigned survivors;
    struct buf out, err, dead;
    struct buf copy, notes; /* what two subscribers of a broadcast have been given */
    struct buf command;     /* as a shell would take it */
};

/* ---- the command ---- */

struct trial_words {
    char *words[TRIAL_WORDS];
    size_t count;
};

__attribute__((format(printf, 2, 3))) static void add_word(struct trial_words *argv,
                                                           const char *format, ...)
{
    struct buf text = {0};
    va_list args;
    va_start(args, format);
    buf_addfv(&text, format, args);
    va_end(args);
    argv->words[argv->count++] = buf_take(&text);
}

static void add_function(const struct trial *trial, const struct trial_paths *paths,
                         struct trial_words *argv)
{
    add_word(argv, "--");
    add_word(argv, "%s%s", trial->mode == TRIAL_WORKER ? "lines:" : "", paths->helper);
    if (trial->mode == TRIAL_WORKER)
        add_word(argv, "worker");
    if (trial->mode == TRIAL_ARGUED) {
        add_word(argv, "{.do}");
        add_word(argv, "{.id}");
    }
}

static void add_subscribers(const struct trial *trial, const struct trial_paths *paths,
                            struct trial_words *argv)
{
    static const char *const results[] = {
        [RESULT_MAIN] = "main", [RESULT_NONE] = "none", [RESULT_ALL] = "all"};
    static const char *const full[] = {
        [FULL_BLOCK] = "block", [FULL_SPILL] = "spill", [FULL_DROP] = "drop"};
    static const char *const words[] = {
        [TRIAL_PROCESS] = "", [TRIAL_ARGUED] = " {.do} {.id}", [TRIAL_WORKER] = " worker"};
    add_word(argv, "--result=%s", results[trial->result]);
    add_word(argv, "--when-full=%s", full[trial->full]);
    add_word(argv, "--buffer=%u", trial->buffer);
    add_word(argv, "main=%s%s%s", trial->mode == TRIAL_WORKER ? "lines:" : "", paths->helper,
             words[trial->mode]);
    add_word(argv, "copy=file:%s", paths->copy);
    add_word(argv, "slow=lines:%s slow", paths->helper);
}

static void make_command(const struct trial *trial, const struct trial_paths *paths,
                         struct trial_words *argv)
{
    static const char *const timeouts[] = {"400ms", "300ms"};
    add_word(argv, trial->broadcast ? "broadcast" : "fan-out");
    add_word(argv, "--stats");
    add_word(argv, "-j%u", trial->jobs);
    if (trial->unordered)
        add_word(argv, "-u");
    if (trial->serial)
        add_word(argv, "--serial-by=.key");
    if (trial->retries) {
        add_word(argv, "--retries=%u", trial->retries);
        add_word(argv, "--backoff=1ms..4ms");
    }
    if (trial->pipeline)
        add_word(argv, "--pipeline=%u", trial->pipeline);
    if (trial->max_uses)
        add_word(argv, "--max-uses=%u", trial->max_uses);
    if (trial->timeout)
        add_word(argv, "--timeout=%s", timeouts[trial->seed % 2]);
    add_word(argv, "--grace=%s", trial->timeout ? "100ms" : "1s");
    if (trial->long_lines)
        add_word(argv, "--max-event=%d", TRIAL_MAX_EVENT);
    add_word(argv, "--max-result=2M");
    if (trial->dead_file)
        add_word(argv, "--dead=%s", paths->dead);
    if (trial->broadcast)
        add_subscribers(trial, paths, argv);
    else
        add_function(trial, paths, argv);
}

/* ---- its surroundings ---- */

static void fail_setup(const char *what)
{
    perror(what);
    exit(2);
}

static struct trial_shared *map_shared(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(struct trial_shared)) < 0)
        fail_setup(path);
    void *shared =
        mmap(NULL, sizeof(struct trial_shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (shared == MAP_FAILED)
        fail_setup("mmap");
    return shared;
}

static pid_t parent_of(pid_t pid)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (got <= 0)
        return -1;
    text[got] = 0;
    const char *end = strrchr(text, ')');
    return end ? (pid_t)strtol(end + 4, NULL, 10) : -1;
}

/* Kill one of the functions, if the number is still that of a child of the fan-out. */
static void kill_one(struct trial *trial, struct trial_shared *shared, pid_t fan_out)
{
    pid_t pid = shared->pids[below(trial, TRIAL_PROCESSES)];
    if (pid > 1 && parent_of(pid) == fan_out)
        kill(pid, SIGKILL);
}

/* Orphans come to us. What is still there when the patience is over survives. */
static unsigned reap_survivors(void)
{
    int64_t deadline = clock_now() + 30 * NUM_SECOND;
    unsigned survivors = 0;
    for (;;) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0 && errno == ECHILD)
            return survivors;
        if (pid > 0)
            continue;
        if (clock_now() > deadline) {
            /* Their numbers are not at hand: everything whose parent is this process. */
            for (pid_t other = 2; other < 4 * 1024 * 1024; other++) {
                if (parent_of(other) == getpid() && kill(other, SIGKILL) == 0)
                    survivors++;
            }
            deadline = clock_now() + NUM_SECOND;
        }
        poll(NULL, 0, 2);
    }
}

/* ---- feeding and reading ---- */

struct trial_pipes {
    int in, out, err; /* -1: closed */
    size_t fed;
};

static pid_t start(const struct trial *trial, const struct trial_paths *paths, char *const *argv,
                   struct trial_pipes *pipes)
{
    int in[2], out[2], err[2];
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
        fail_setup("pipe");
    if (trial->feed_file) {
        close(in[0]);
        int fd = open(paths->input, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0 || write(fd, trial->input.data, trial->input.len) != (ssize_t)trial->input.len)
            fail_setup(paths->input);
        lseek(fd, 0, SEEK_SET);
        in[0] = fd;
    }
    pid_t pid = fork();
    if (pid < 0)
        fail_setup("fork");
    if (pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        execvp(argv[0], argv);
        perror(argv[0]);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    *pipes = (struct trial_pipes){in[1], out[0], err[0], 0};
    if (trial->feed_file) {
        close(in[1]);
        pipes->in = -1;
        pipes->fed = trial->input.len;
    } else {
        fcntl(in[1], F_SETFL, O_NONBLOCK);
    }
    return pid;
}

static void feed(struct trial *trial, struct trial_pipes *pipes)
{
    size_t left = trial->input.len - pipes->fed;
    size_t piece = 1 + below(trial, chance(trial, 50) ? 300 : 2 * TRIAL_PIPE);
    ssize_t wrote =
        left ? write(pipes->in, trial->input.data + pipes->fed, piece < left ? piece : left) : 0;
    if (wrote < 0 && errno == EAGAIN)
        return;
    pipes->fed += wrote > 0 ? (size_t)wrote : 0;
    if (wrote < 0 || pipes->fed == trial->input.len) {
        close(pipes->in);
        pipes->in = -1;
    }
}

static void take(int *fd, struct buf *into, size_t most)
{
    buf_reserve(into, most);
    ssize_t got = read(*fd, into->data + into->len, most);
    into->len += got > 0 ? (size_t)got : 0;
    if (got <= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* Until the fan-out has ended and its outputs are read; a daemon can hold none of them. */
static void attend(struct trial *trial, struct trial_shared *shared, pid_t pid,
                   struct trial_pipes *pipes, struct trial_end *end)
{
    int64_t deadline = clock_now() + TRIAL_SECONDS * NUM_SECOND;
    while (pipes->out >= 0 || pipes->err >= 0) {
        bool slow = trial->slow_reader && chance(trial, 50);
        struct pollfd fds[] = {
            {pipes->in, POLLOUT, 0}, {slow ? -1 : pipes->out, POLLIN, 0}, {pipes->err, POLLIN, 0}};
        poll(fds, 3, slow || trial->killer ? 3 : 1000);
        if (fds[0].revents)
            feed(trial, pipes);
        if (fds[1].revents)
            take(&pipes->out, &end->out, trial->slow_reader ? 4096 : TRIAL_PIPE);
        if (fds[2].revents)
            take(&pipes->err, &end->err, TRIAL_PIPE);
        if (trial->killer && chance(trial, 30))
            kill_one(trial, shared, pid);
        if (clock_now() > deadline && !end->hung) {
            end->hung = true;
            kill(pid, SIGKILL);
        }
    }
}

static void read_file(const char *path, struct buf *into)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0)
        take(&fd, into, TRIAL_PIPE);
}

static void run_trial(struct trial *trial, const struct trial_paths *paths, struct trial_end *end)
{
    struct trial_words argv = {{NULL}, 0};
    struct trial_pipes pipes;
    struct trial_shared *shared = map_shared(paths->shared);
    *end = (struct trial_end){0};
    unlink(paths->dead);
    unlink(paths->copy);
    unlink(paths->notes);
    make_command(trial, paths, &argv);
    pid_t pid = start(trial, paths, argv.words, &pipes);
    attend(trial, shared, pid, &pipes, end);
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    end->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    if (pipes.in >= 0)
        close(pipes.in);
    end->survivors = reap_survivors();
    if (trial->dead_file)
        read_file(paths->dead, &end->dead);
    read_file(paths->copy, &end->copy);
    read_file(paths->notes, &end->notes);
    for (size_t i = 0; i < argv.count; i++) {
        buf_addf(&end->command, "%s%s", i ? " " : "", argv.words[i]);
        free(argv.words[i]);
    }
    munmap(shared, sizeof *shared);
}

static void trial_end_free(struct trial_end *end)
{
    buf_free(&end->out);
    buf_free(&end->err);
    buf_free(&end->dead);
    buf_free(&end->copy);
    buf_free(&end->notes);
    buf_free(&end->command);
}

#endif
