/*
 * measure.c: time contenders side by side: measure ROUNDS TIMEOUT_S <table >results
 *
 * The table holds one contender a line, the fields separated by tabs: NAME, EVENTS, INPUT, OUTPUT,
 * WORDS. INPUT is a file, or | and the words of a program whose output is read through a pipe;
 * OUTPUT is a file, and behind commas those that are removed before each run; words are separated
 * by blanks and executed directly, so that nobody's start-up is a shell's. A round runs each
 * contender once, in an order of its own, so that noise of the machine meets all alike and nobody
 * always follows the same one; one round before the first is not counted.
 *
 * A result line: NAME, EVENTS, median s, fastest s, slowest s, median CPU s of the contender and
 * its children, largest resident memory in KiB of the contender or one of its children, and what
 * happened: ok, timeout, or the exit status of a run that failed. Who failed or timed out is
 * not run again.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MEASURE_CONTENDERS = 64,
    MEASURE_WORDS = 64, /* of one program */
    MEASURE_ROUNDS = 10000,
    MEASURE_FIELDS = 5,
    MEASURE_SEED = 1 /* of the orders of the rounds */
};

struct contender {
    char *name, *events, *input, *output;
    char *words[MEASURE_WORDS];
    char *removed[MEASURE_WORDS];
    char *feeder[MEASURE_WORDS]; /* the program whose output it reads; none: feeder[0] is NULL */
    double *seconds, *cpu;
    size_t rounds; /* counted ones */
    long peak;
    char outcome[32];
};

static struct contender contenders[MEASURE_CONTENDERS];
static size_t contender_count;
static uint64_t time_limit; /* s */

static void die(const char *what, const char *why)
{
    fprintf(stderr, "measure: %s: %s\n", what, why);
    exit(1);
}

static void split_words(char *text, const char *between, char *words[MEASURE_WORDS])
{
    size_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, between, &rest); word; word = strtok_r(NULL, between, &rest)) {
        if (count == MEASURE_WORDS - 1)
            die(words[0], "too many words");
        words[count++] = word;
    }
    words[count] = NULL;
}

static void read_table(size_t rounds)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    while ((len = getline(&line, &cap, stdin)) > 0) {
        struct contender *contender = &contenders[contender_count++];
        char *fields[MEASURE_FIELDS], *rest = mem_strndup(line, (size_t)len);
        if (contender_count > MEASURE_CONTENDERS)
            die("table", "too many contenders");
        rest[strcspn(rest, "\n")] = '\0';
        for (size_t i = 0; i < MEASURE_FIELDS; i++) {
            fields[i] = strsep(&rest, "\t");
            if (!fields[i])
                die(line, "a field is missing");
        }
        contender->name = fields[0];
        contender->events = fields[1];
        contender->input = fields[2];
        contender->output = strsep(&fields[3], ",");
        if (fields[3])
            split_words(fields[3], ",", contender->removed);
        split_words(fields[4], " ", contender->words);
        if (fields[2][0] == '|')
            split_words(fields[2] + 1, " ", contender->feeder);
        contender->seconds = mem_array(rounds, sizeof *contender->seconds);
        contender->cpu = mem_array(rounds, sizeof *contender->cpu);
        snprintf(contender->outcome, sizeof contender->outcome, "ok");
    }
    free(line);
}

/* A process in the group (0: a new one of its own) with these descriptors, all others closed. */
static pid_t start(char *const *words, pid_t group, int in, int out)
{
    pid_t pid = vfork();
    if (pid < 0)
        die("vfork", strerror(errno));
    if (pid == 0) {
        setpgid(0, group);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (dup2(in, 0) < 0 || dup2(out, 1) < 0)
            _exit(126);
        execvp(words[0], words);
        _exit(127);
    }
    return pid;
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Wait for the end, without reaping it. 0: it took too long. */
static int wait_for(pid_t pid)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    if (pidfd < 0)
        die("pidfd_open", strerror(errno));
    int in_time = poll(&ended, 1, (int)time_limit * 1000) > 0;
    close(pidfd);
    return in_time;
}

static int open_file(const char *name, int flags)
{
    int fd = open(name, flags | O_CLOEXEC, 0644);
    if (fd < 0)
        die(name, strerror(errno));
    return fd;
}

static void run(struct contender *contender, int counted)
{
    pid_t feeder = 0;
    int in, out = open_file(contender->output, O_WRONLY | O_CREAT | O_TRUNC), ends[2] = {-1, -1};
    if (contender->feeder[0]) {
        if (pipe2(ends, O_CLOEXEC) < 0)
            die("pipe2", strerror(errno));
        in = ends[0];
    } else {
        in = open_file(contender->input, O_RDONLY);
    }
    for (char **file = contender->removed; *file; file++)
        unlink(*file);
    int64_t begin = clock_now();
    pid_t pid = start(contender->words, 0, in, out);
    if (ends[1] >= 0) {
        int nothing = open_file("/dev/null", O_RDONLY);
        feeder = start(contender->feeder, pid, nothing, ends[1]);
        close(nothing);
        close(ends[1]);
    }
    close(in);
    close(out);
    int in_time = wait_for(pid), status = 0;
    int64_t end = clock_now();
    struct rusage usage = {0}, fed = {0};
    if (!in_time)
        kill(-pid, SIGKILL);
    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
        ;
    kill(-pid, SIGKILL); /* what it left behind, and a feeder that nobody reads any more */
    while (feeder && wait4(feeder, NULL, 0, &fed) < 0 && errno == EINTR)
        ;
    if (!in_time)
        snprintf(contender->outcome, sizeof contender->outcome, "timeout");
    else if (status)
        snprintf(contender->outcome, sizeof contender->outcome, "status %d",
                 WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    if (usage.ru_maxrss > contender->peak)
        contender->peak = usage.ru_maxrss;
    if (!counted)
        return;
    contender->seconds[contender->rounds] = (double)(end - begin) / NUM_SECOND;
    contender->cpu[contender->rounds++] = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime) +
                                          seconds_of(fed.ru_utime) + seconds_of(fed.ru_stime);
}

static void shuffle(struct rng *rng, size_t order[MEASURE_CONTENDERS])
{
    for (size_t i = 0; i < contender_count; i++) {
        size_t place = rng_below(rng, i + 1);
        order[i] = order[place];
        order[place] = i;
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static void report(struct contender *contender)
{
    size_t count = contender->rounds;
    double middle = count ? median(contender->seconds, count) : 0;
    printf("%s\t%s\t%.9f\t%.9f\t%.9f\t%.9f\t%ld\t%s\n", contender->name, contender->events, middle,
           count ? contender->seconds[0] : 0, count ? contender->seconds[count - 1] : 0,
           count ? median(contender->cpu, count) : 0, contender->peak, contender->outcome);
}

int main(int argc, char **argv)
{
    uint64_t rounds, limit;
    if (argc != 3 || num_uint(argv[1], 1, MEASURE_ROUNDS, &rounds) ||
        num_uint(argv[2], 1, 86400, &limit)) {
        fprintf(stderr, "usage: measure ROUNDS TIMEOUT_S <table >results\n");
        return 2;
    }
    time_limit = limit;
    read_table(rounds);
    struct rng rng;
    rng_seed(&rng, MEASURE_SEED);
    for (uint64_t round = 0; round <= rounds; round++) {
        size_t order[MEASURE_CONTENDERS];
        shuffle(&rng, order);
        for (size_t i = 0; i < contender_count; i++) {
            struct contender *contender = &contenders[order[i]];
            if (strcmp(contender->outcome, "ok") == 0)
                run(contender, round > 0);
        }
    }
    for (size_t i = 0; i < contender_count; i++)
        report(&contenders[i]);
    return fflush(stdout) == 0 ? 0 : 1;
}
