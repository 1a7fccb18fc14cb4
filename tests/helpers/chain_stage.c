/*
 * chain_stage.c: functions of a random chain, what it must print, and a killer of its processes.
 *
 * chain_stage stage SEED STAGE FAIL    one event on stdin, 0 to 3 results
 * chain_stage worker SEED STAGE FAIL   a line worker, 0 or 1 results
 * chain_stage undo SEED STAGE FAIL     the undo of a stage; FAIL: it fails once
 * chain_stage kind SEED STAGE          "stage" or "worker": which of the two this stage is
 * chain_stage model SEED STAGES FAIL   run the whole chain on stdin in this process: results on
 *                                      stdout, and a line "STAGE EVENT" on descriptor 3 for each
 * failure chain_stage killer SEED PID          kill children of PID at random times until it is
 * gone
 *
 * An event is {"id":"1.2","n":...}: a result of it is the same with an ordinal behind the id. What
 * a stage does with an event depends on the seed, the stage and the id alone; in FAIL of 100 cases
 * it fails for good. With CHAIN_LOG each call is noted there, before anything is done: "F STAGE ID
 * RESULTS KEY" ("f" results: it fails), "U STAGE ID - KEY" for an undo.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/rng.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

enum { RESULTS_MAX = 3, PERCENT = 100 };

struct verdict {
    bool fails;
    unsigned results;
};

static unsigned long seed, fail_percent;
static FILE *failures; /* of the model */

static uint64_t number(const char *text)
{
    return strtoull(text, NULL, 10);
}

static bool is_worker(unsigned stage)
{
    uint64_t facts[2] = {seed, stage + 1000};
    return hash_64((struct str){(char *)facts, sizeof facts}) % 3 == 0;
}

/* The id with its quotes. */
static struct str id_of(const char *event)
{
    const char *id = strstr(event, "\"id\":\"");
    const char *from = id ? id + 5 : event;
    const char *end = strchr(from + 1, '"');
    return (struct str){from, end ? (size_t)(end - from) + 1 : 0};
}

static struct verdict judge(unsigned stage, const char *event)
{
    struct buf facts = {0};
    buf_addf(&facts, "%lu %u ", seed, stage);
    buf_add_str(&facts, id_of(event));
    uint64_t hash = hash_64(buf_str(&facts));
    buf_free(&facts);
    unsigned most = is_worker(stage) ? 1 : RESULTS_MAX;
    return (struct verdict){hash % PERCENT < fail_percent, (unsigned)(hash / PERCENT % (most + 1))};
}

static void note(char what, unsigned stage, const char *event, const char *outcome)
{
    const char *log = getenv("CHAIN_LOG"), *key = getenv("FIT_IDEMPOTENCY_KEY");
    struct str id = id_of(event);
    struct buf line = {0};
    if (!log)
        return;
    buf_addf(&line, "%c %u %.*s %s %s\n", what, stage, (int)id.len - 2, id.data + 1, outcome,
             key ? key : "-");
    int fd = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, line.data, line.len) != (ssize_t)line.len)
        abort();
    close(fd);
    buf_free(&line);
}

static void note_call(unsigned stage, const char *event, struct verdict verdict)
{
    char outcome[2] = {verdict.fails ? 'f' : (char)('0' + verdict.results), '\0'};
    note('F', stage, event, outcome);
}

/* The i-th result, from 1, with its LF. */
static char *result(const char *event, unsigned i)
{
    struct buf line = {0};
    struct str id = id_of(event);
    buf_add(&line, event, (size_t)(id.data - event) + id.len - 1);
    buf_addf(&line, ".%u", i);
    buf_puts(&line, id.data + id.len - 1);
    return buf_take(&line);
}

static int be_stage(unsigned stage)
{
    char *event = NULL;
    size_t room = 0;
    if (getline(&event, &room, stdin) < 0)
        return EX_NOINPUT;
    struct verdict verdict = judge(stage, event);
    note_call(stage, event, verdict);
    for (unsigned i = 1; i <= verdict.results; i++) {
        char *line = result(event, i);
        fputs(line, stdout);
        free(line);
    }
    free(event);
    return verdict.fails ? EX_DATAERR : EX_OK; /* after its output, which must not count */
}

static int be_undo(unsigned stage)
{
    char *event = NULL;
    size_t room = 0;
    if (getline(&event, &room, stdin) < 0)
        return EX_NOINPUT;
    note('U', stage, event, "-");
    bool fails = judge(stage + 2000, event).fails && number(getenv("FIT_ATTEMPT")) == 1;
    free(event);
    return fails ? EX_TEMPFAIL : EX_OK;
}

static int be_worker(unsigned stage)
{
    char *event = NULL;
    size_t room = 0;
    while (getline(&event, &room, stdin) > 0) {
        struct verdict verdict = judge(stage, event);
        note_call(stage, event, verdict);
        char *line = verdict.results ? result(event, 1) : NULL;
        fputs(verdict.fails ? "!{\"why\":\"random\"}\n" : line ? line : "\n", stdout);
        fflush(stdout);
        free(line);
    }
    free(event);
    return EX_OK;
}

/* What a sequential run would do. */
static void run_model(const char *event, unsigned stage, unsigned stages)
{
    if (stage > stages) {
        fputs(event, stdout);
        return;
    }
    struct verdict verdict = judge(stage, event);
    if (verdict.fails) {
        fprintf(failures, "%u %s", stage, event);
        return;
    }
    for (unsigned i = 1; i <= verdict.results; i++) {
        char *line = result(event, i);
        run_model(line, stage + 1, stages);
        free(line);
    }
}

static int be_model(unsigned stages)
{
    char *event = NULL;
    size_t room = 0;
    failures = fdopen(3, "w");
    if (!failures)
        return EX_IOERR;
    while (getline(&event, &room, stdin) > 0)
        run_model(event, 1, stages);
    free(event);
    return fclose(failures) || fflush(stdout) ? EX_IOERR : EX_OK;
}

static pid_t random_child(const char *list, struct rng *rng)
{
    FILE *file = fopen(list, "r");
    long pid, chosen = 0;
    unsigned seen = 0;
    while (file && fscanf(file, "%ld", &pid) == 1) {
        if (pid != getpid() && rng_below(rng, ++seen) == 0)
            chosen = pid;
    }
    if (file)
        fclose(file);
    return (pid_t)chosen;
}

static int be_killer(const char *victim)
{
    enum { PAUSE_MS = 40 };
    struct rng rng;
    struct buf list = {0};
    unsigned kills = 0;
    rng_seed(&rng, seed);
    buf_addf(&list, "/proc/%s/task/%s/children", victim, victim);
    while (kill((pid_t)number(victim), 0) == 0) {
        pid_t child = random_child(buf_cstr(&list), &rng);
        if (child > 0 && kill(child, SIGKILL) == 0)
            kills++;
        poll(NULL, 0, (int)rng_below(&rng, PAUSE_MS));
    }
    buf_free(&list);
    FILE *count = fopen("kills", "a");
    return !count || fprintf(count, "%u\n", kills) < 0 || fclose(count) ? EX_IOERR : EX_OK;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return EX_USAGE;
    seed = number(argv[2]);
    unsigned stage = (unsigned)number(argv[3]);
    fail_percent = argc > 4 ? number(argv[4]) : 0;
    if (strcmp(argv[1], "stage") == 0)
        return be_stage(stage);
    if (strcmp(argv[1], "undo") == 0)
        return be_undo(stage);
    if (strcmp(argv[1], "worker") == 0)
        return be_worker(stage);
    if (strcmp(argv[1], "kind") == 0)
        return puts(is_worker(stage) ? "worker" : "stage") < 0;
    if (strcmp(argv[1], "model") == 0)
        return be_model(stage);
    if (strcmp(argv[1], "killer") == 0)
        return be_killer(argv[3]);
    return EX_USAGE;
}
