/*
 * pingpong.c: the round trip of one event at a time: pingpong ROUNDS CONTENDER... <event
 *
 * Each contender is one string of words, separated by blanks and executed directly; it is to answer
 * each line of its stdin with a line on its stdout. All stay alive and get the same event in turn,
 * only when the one before has answered, so that noise meets all alike. Printed for each: the
 * words, and the median, the 10th and the 90th percentile of its round trips in microseconds.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PINGPONG_CONTENDERS = 8,
    PINGPONG_WORDS = 32,
    PINGPONG_WARM_UP = 20,     /* round trips of each that are not counted */
    PINGPONG_LIMIT_MS = 10000, /* for one answer; then all is given up */
    PINGPONG_LIMIT_S = 600,    /* for everything */
    PINGPONG_ROUNDS = 10000000,
    PINGPONG_ANSWER = 65536
};

static struct contender {
    char *name;
    pid_t pid;
    int in, out;
    double *trips;
} contenders[PINGPONG_CONTENDERS];

static void die(const char *what, const char *why)
{
    fprintf(stderr, "pingpong: %s: %s\n", what, why);
    exit(1);
}

static void start(struct contender *contender, char *text)
{
    char *words[PINGPONG_WORDS], *rest = NULL, *copy = mem_strdup(text);
    size_t count = 0;
    for (char *word = strtok_r(copy, " ", &rest); word && count < PINGPONG_WORDS - 1;
         word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    words[count] = NULL;
    int in[2], out[2];
    if (!count || pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
        die(text, "cannot be started");
    contender->name = text;
    contender->pid = vfork();
    if (contender->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], 0);
        dup2(out[1], 1);
        execvp(words[0], words);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    contender->in = in[1];
    contender->out = out[0];
    free(copy);
}

static int64_t trip(const struct contender *contender, const char *line, size_t len)
{
    char answer[PINGPONG_ANSWER];
    struct pollfd answered = {.fd = contender->out, .events = POLLIN};
    int64_t begin = clock_now();
    if (write(contender->in, line, len) != (ssize_t)len)
        die(contender->name, "takes no event");
    for (;;) {
        if (poll(&answered, 1, PINGPONG_LIMIT_MS) <= 0)
            die(contender->name, "does not answer");
        ssize_t got = read(contender->out, answer, sizeof answer);
        if (got <= 0)
            die(contender->name, "has ended");
        if (answer[got - 1] == '\n')
            return clock_now() - begin;
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    uint64_t rounds;
    size_t count = argc > 2 ? (size_t)argc - 2 : 0, cap = 0;
    char *line = NULL;
    ssize_t len = getline(&line, &cap, stdin);
    if (!count || count > PINGPONG_CONTENDERS || len <= 0 ||
        num_uint(argv[1], 1, PINGPONG_ROUNDS, &rounds)) {
        fprintf(stderr, "usage: pingpong ROUNDS CONTENDER... <event\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    alarm(PINGPONG_LIMIT_S);
    for (size_t i = 0; i < count; i++) {
        start(&contenders[i], argv[2 + i]);
        contenders[i].trips = mem_array(rounds, sizeof *contenders[i].trips);
    }
    for (uint64_t round = 0; round < rounds + PINGPONG_WARM_UP; round++) {
        for (size_t i = 0; i < count; i++) {
            int64_t took = trip(&contenders[i], line, (size_t)len);
            if (round >= PINGPONG_WARM_UP)
                contenders[i].trips[round - PINGPONG_WARM_UP] = (double)took / 1000;
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct contender *contender = &contenders[i];
        close(contender->in);
        qsort(contender->trips, rounds, sizeof *contender->trips, by_size);
        printf("%s\t%.2f\t%.2f\t%.2f\n", contender->name, contender->trips[rounds / 2],
               contender->trips[rounds / 10], contender->trips[rounds - 1 - rounds / 10]);
        free(contender->trips);
    }
    free(line);
    return fflush(stdout) == 0 ? 0 : 1;
}
