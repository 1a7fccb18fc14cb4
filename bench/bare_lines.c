/*
 * bare_lines.c: the least that ordered line workers can cost: bare_lines WORKERS LINES COMMAND
 * [ARG...] <events
 *
 * Windows of LINES lines, at most 64 KiB, go to the workers round robin, two in flight to each; the
 * answers are counted by their LFs and written in input order. With LINES 1 it is the ping-pong:
 * one line in flight to each worker. No validation, failures or timeouts: a worker that does not
 * answer hangs it. COMMAND is a path, not searched for; answers are about as long as their events.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 16, BLOCK = 65536, WINDOWS = 2, ANSWERS = 8 * BLOCK, INPUT = 4 * BLOCK };

struct window {
    char bytes[BLOCK];
    size_t len, sent, lines;
};

static struct worker {
    int in, out;
    struct window windows[WINDOWS]; /* a ring of those in flight */
    unsigned first, count;
    char answers[ANSWERS];
    size_t from, searched, len; /* of the answers: not yet written; looked at for LFs; read */
    size_t answered;            /* lines of the oldest window found so far */
} workers[WORKERS];

static char input[INPUT];
static size_t input_len, input_from;
static int input_ended;

static void start(struct worker *worker, char **argv)
{
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
        abort();
    if (vfork() == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execv(argv[0], argv);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    fcntl(in[1], F_SETFL, O_NONBLOCK);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    worker->in = in[1];
    worker->out = out[0];
}

static void read_input(void)
{
    memmove(input, input + input_from, input_len -= input_from);
    input_from = 0;
    ssize_t got = read(0, input + input_len, INPUT - input_len);
    if (got <= 0)
        input_ended = 1;
    else
        input_len += (size_t)got;
}

/* Fill the window with whole lines; 0: there are no more. */
static int fill_window(struct window *window, size_t most)
{
    size_t end = input_from;
    window->sent = window->lines = 0;
    while (window->lines < most) {
        char *lf = memchr(input + end, '\n', input_len - end);
        if (!lf && !input_ended && !window->lines) {
            read_input();
            end = input_from;
            continue;
        }
        size_t after = lf ? (size_t)(lf - input) + 1 : 0;
        if (!lf || after - input_from > BLOCK)
            break;
        end = after;
        window->lines++;
    }
    window->len = end - input_from;
    memcpy(window->bytes, input + input_from, window->len);
    input_from = end;
    return window->lines > 0;
}

static struct window *window_of(struct worker *worker, unsigned i)
{
    return &worker->windows[(worker->first + i) % WINDOWS];
}

static void send_more(struct worker *worker)
{
    for (unsigned i = 0; i < worker->count; i++) {
        struct window *window = window_of(worker, i);
        while (window->sent < window->len) {
            ssize_t sent =
                write(worker->in, window->bytes + window->sent, window->len - window->sent);
            if (sent < 0)
                return;
            window->sent += (size_t)sent;
        }
    }
}

static void read_answers(struct worker *worker)
{
    if (worker->from == worker->len || worker->len + BLOCK > ANSWERS) {
        memmove(worker->answers, worker->answers + worker->from, worker->len -= worker->from);
        worker->searched -= worker->from;
        worker->from = 0;
    }
    ssize_t got = read(worker->out, worker->answers + worker->len, ANSWERS - worker->len);
    if (got == 0)
        abort();
    if (got > 0)
        worker->len += (size_t)got;
}

/* Has the oldest window been answered wholly? Then its answers are written. */
static int take_answers(struct worker *worker)
{
    const struct window *window = window_of(worker, 0);
    while (worker->answered < window->lines) {
        size_t unseen = worker->len - worker->searched;
        const char *lf = memchr(worker->answers + worker->searched, '\n', unseen);
        worker->searched = lf ? (size_t)(lf - worker->answers) + 1 : worker->len;
        if (!lf)
            return 0;
        worker->answered++;
    }
    size_t len = worker->searched - worker->from;
    if (write(1, worker->answers + worker->from, len) != (ssize_t)len)
        abort();
    worker->from = worker->searched;
    worker->answered = 0;
    worker->first = (worker->first + 1) % WINDOWS;
    worker->count--;
    return 1;
}

int main(int argc, char **argv)
{
    int count = argc > 3 ? (int)strtol(argv[1], NULL, 10) : 0;
    size_t lines = argc > 3 ? (size_t)strtol(argv[2], NULL, 10) : 0;
    int fill = 0, drain = 0, more = 1, flight = 0;
    if (count < 1 || count > WORKERS || !lines)
        return 2;
    unsigned windows = lines == 1 ? 1 : WINDOWS;
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < count; i++)
        start(&workers[i], argv + 3);
    for (;;) {
        while (more && workers[fill].count < windows) {
            struct worker *worker = &workers[fill];
            more = fill_window(window_of(worker, worker->count), lines);
            if (!more)
                break;
            worker->count++;
            flight++;
            send_more(worker);
            fill = (fill + 1) % count;
        }
        if (!flight)
            break;
        struct pollfd polled[2 * WORKERS];
        for (int i = 0; i < count; i++) {
            polled[2 * i] = (struct pollfd){.fd = workers[i].out, .events = POLLIN};
            polled[2 * i + 1] = (struct pollfd){.fd = -1, .events = POLLOUT};
            if (workers[i].count && window_of(&workers[i], workers[i].count - 1)->sent <
                                        window_of(&workers[i], workers[i].count - 1)->len)
                polled[2 * i + 1].fd = workers[i].in;
        }
        poll(polled, (nfds_t)(2 * count), -1);
        for (int i = 0; i < count; i++) {
            if (polled[2 * i + 1].revents)
                send_more(&workers[i]);
            if (polled[2 * i].revents)
                read_answers(&workers[i]);
        }
        while (workers[drain].count && take_answers(&workers[drain])) {
            drain = (drain + 1) % count;
            flight--;
        }
    }
    for (int i = 0; i < count; i++)
        close(workers[i].in);
    while (wait(NULL) > 0)
        ;
    return 0;
}
