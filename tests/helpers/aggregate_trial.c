/*
 * aggregate_trial.c: random aggregates: their functions, their words, and what must come of them.
 *
 * aggregate_trial words SEED         the words of the aggregate, one a line
 * aggregate_trial input SEED         its input
 * aggregate_trial killing SEED       exit 0: its functions are to be killed at random
 * aggregate_trial part SEED NAME     a function: one event on stdin
 * aggregate_trial worker SEED NAME   a line worker
 * aggregate_trial judge SEED OUT DEAD STATS STATUS   is that what must come of it? Says why not
 *
 * An event is {"id":N}. What a part does with it depends on the seed, the part and the id alone. A
 * good result is {"id":N,"part":NAME}; some are none, some two. The answers come by --join with the
 * id of their event, since parts may have nothing that tells it.
 */
#include "base/buf.h"
#include "base/hash.h"
#include "format/json.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

enum { PARTS = 4, EVENTS = 25, RETRIES = 20 };

enum action { ACT_OK, ACT_NONE, ACT_TWO, ACT_LATE, ACT_FAIL, ACT_GARBAGE, ACT_CRASH, ACT_HANG };

struct trial {
    uint64_t seed;
    unsigned parts, need, jobs, events, bad;
    bool worker[PARTS], optional[PARTS];
    bool unordered, killing, timeout, cached;
};

static const char names[PARTS + 1] = "abcd";

/* A number below that bound which depends on the seed and on what it is for. */
static unsigned draw(const struct trial *trial, unsigned below, const char *what, unsigned number)
{
    struct buf facts = {0};
    buf_addf(&facts, "%" PRIu64 " %s %u", trial->seed, what, number);
    uint64_t hash = hash_64(buf_str(&facts));
    buf_free(&facts);
    return (unsigned)(hash % below);
}

static struct trial make(uint64_t seed)
{
    struct trial trial = {.seed = seed};
    trial.parts = 1 + draw(&trial, PARTS, "parts", 0);
    trial.need = draw(&trial, 2, "needs", 0) ? 1 + draw(&trial, trial.parts, "need", 0) : 0;
    trial.jobs = 1 + draw(&trial, 3, "jobs", 0);
    trial.events = draw(&trial, EVENTS, "events", 0);
    trial.bad = draw(&trial, 3, "bad", 0);
    for (unsigned i = 0; i < trial.parts; i++) {
        trial.worker[i] = draw(&trial, 3, "worker", i) == 0;
        trial.optional[i] = !trial.need && draw(&trial, 3, "optional", i) == 0;
    }
    trial.unordered = draw(&trial, 3, "unordered", 0) == 0;
    trial.killing = draw(&trial, 4, "killing", 0) == 0;
    trial.timeout = !trial.killing && draw(&trial, 4, "timeout", 0) == 0;
    trial.cached = draw(&trial, 4, "cached", 0) == 0;
    return trial;
}

/* ---- what a part does ---- */

static bool is_good(enum action action)
{
    return action <= ACT_LATE;
}

static unsigned roll(const struct trial *trial, unsigned part, unsigned id)
{
    return draw(trial, 100, (char[]){names[part], '\0'}, id);
}

/* Would the event be answered if this part never were? */
static bool can_do_without(const struct trial *trial, unsigned part, unsigned id)
{
    unsigned others = 0;
    for (unsigned i = 0; i < trial->parts; i++)
        others += i != part && roll(trial, i, id) < 74;
    return trial->need && others >= trial->need;
}

static enum action action_of(const struct trial *trial, unsigned part, unsigned id)
{
    unsigned number = roll(trial, part, id);
    if (number < 50)
        return ACT_OK;
    if (number < 58)
        return ACT_NONE;
    if (number < 64)
        return trial->worker[part] ? ACT_OK : ACT_TWO;
    if (number < 74)
        return ACT_LATE;
    if (number < 88 || (trial->killing && number < 95)) /* the others would be tried again */
        return ACT_FAIL;
    if (number < 95)
        return number < 92 ? ACT_GARBAGE : ACT_CRASH;
    /* A worker that hangs takes its slot with it, until a timeout ends it. */
    bool is_ended = trial->timeout || (!trial->worker[part] && can_do_without(trial, part, id));
    return is_ended ? ACT_HANG : ACT_FAIL;
}

/* Its results as one value. */
static void add_value(struct buf *out, unsigned part, unsigned id, enum action action)
{
    if (action == ACT_NONE) {
        buf_puts(out, "null");
        return;
    }
    const char *two = action == ACT_TWO ? "[" : "";
    buf_addf(out, "%s{\"id\":%u,\"part\":\"%c\"}", two, id, names[part]);
    if (*two)
        buf_addf(out, ",{\"id\":%u,\"part\":\"%c\"}]", id, names[part]);
}

/* What a function that is killed from outside has started is nobody's: then it starts nothing. */
static _Noreturn void hang(bool alone)
{
    signal(SIGTERM, SIG_IGN);
    if (!alone && fork() == 0)
        setsid();
    for (;;)
        pause();
}

static void act(const struct trial *trial, unsigned part, unsigned id, bool worker)
{
    enum action action = action_of(trial, part, id);
    struct buf out = {0};
    if (action == ACT_LATE)
        poll(NULL, 0, 1 + (int)(id % 20));
    if (action == ACT_HANG)
        hang(trial->killing);
    if (action == ACT_CRASH)
        raise(SIGKILL);
    if (is_good(action) && action != ACT_NONE && action != ACT_TWO)
        add_value(&out, part, id, action);
    for (int i = 0; i < 2 && action == ACT_TWO; i++) {
        add_value(&out, part, id, ACT_OK);
        buf_puts(&out, i ? "" : "\n");
    }
    if (action == ACT_GARBAGE)
        buf_puts(&out, "{garbage");
    if (action == ACT_FAIL && worker)
        buf_puts(&out, "!{\"why\":\"random\"}");
    if (out.len || worker)
        buf_addc(&out, '\n');
    if (out.len && write(STDOUT_FILENO, out.data, out.len) != (ssize_t)out.len)
        _exit(EX_IOERR);
    buf_free(&out);
    if (action == ACT_FAIL && !worker)
        _exit(EX_DATAERR);
}

static int be_part(const struct trial *trial, char name, bool worker)
{
    char *event = NULL;
    size_t room = 0;
    unsigned part = (unsigned)(name - names[0]);
    while (getline(&event, &room, stdin) > 0) {
        unsigned id = (unsigned)strtoul(event + strlen("{\"id\":"), NULL, 10);
        act(trial, part, id, worker);
    }
    free(event);
    return EX_OK;
}

/* ---- the command and its input ---- */

static void print_words(const struct trial *trial)
{
    puts("--stats\n--join={id: $event.id, answer: .}\n--grace=50ms");
    printf("-j%u\n", trial->jobs);
    if (trial->need)
        printf("--need=%u\n", trial->need);
    if (trial->unordered)
        puts("-u");
    if (trial->killing)
        printf("--retries=%d\n--backoff=1ms..2ms\n", RETRIES);
    if (trial->timeout)
        puts("--timeout=700ms");
    if (trial->cached)
        puts("--cached=1h");
    for (unsigned i = 0; i < trial->parts; i++)
        printf("%s%c=%saggregate_trial %s %" PRIu64 " %c\n", trial->optional[i] ? "?" : "",
               names[i], trial->worker[i] ? "lines:" : "", trial->worker[i] ? "worker" : "part",
               trial->seed, names[i]);
}

static void print_input(const struct trial *trial)
{
    for (unsigned id = 1; id <= trial->events; id++)
        printf("{\"id\":%u}\n", id);
    for (unsigned i = 0; i < trial->bad; i++)
        printf("{broken %u\n", i);
}

/* ---- the judgement ---- */

enum { IN_ANSWER = 1, IN_CACHED = 2, IN_ERRORS = 4 };

struct verdict {
    const struct trial *trial;
    bool wrong;
    unsigned last; /* id that was printed last */
    bool answered[EVENTS], dead[EVENTS];
    unsigned bad_letters;
};

__attribute__((format(printf, 2, 3))) static void wrong(struct verdict *verdict, const char *format,
                                                        ...)
{
    va_list args;
    verdict->wrong = true;
    va_start(args, format);
    fputs("# ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

static bool is_name(struct str key, unsigned *part)
{
    const char *at = key.len == 3 ? memchr(names, key.data[1], PARTS) : NULL;
    *part = at ? (unsigned)(at - names) : 0;
    return at;
}

/* A value that an earlier event has got from that part. */
static bool is_older(const struct trial *trial, unsigned part, struct str value)
{
    struct buf good = {0};
    bool found = false;
    for (unsigned id = 1; id <= trial->events && !found; id++) {
        enum action action = action_of(trial, part, id);
        buf_clear(&good);
        add_value(&good, part, id, action);
        found = is_good(action) && str_eq(buf_str(&good), value);
    }
    buf_free(&good);
    return found;
}

static void check_value(struct verdict *verdict, unsigned id, unsigned part, bool cached,
                        struct str value)
{
    const struct trial *trial = verdict->trial;
    enum action action = action_of(trial, part, id);
    struct buf want = {0};
    add_value(&want, part, id, action);
    if (cached ? !is_older(trial, part, value) : !is_good(action) || !str_eq(buf_str(&want), value))
        wrong(verdict, "event %u, part %c: %.*s%s", id, names[part], (int)value.len, value.data,
              cached ? " (cached)" : "");
    buf_free(&want);
}

static void check_failed(struct verdict *verdict, unsigned id, unsigned part, struct str error)
{
    bool late = memmem(error.data, error.len, "\"reason\":\"timeout\"", 18);
    if (is_good(action_of(verdict->trial, part, id)) && !(verdict->trial->timeout && late))
        wrong(verdict, "event %u: part %c has failed: %.*s", id, names[part], (int)error.len,
              error.data);
}

/* What "cached" and "errors" say; notes which parts they name. */
static void check_notes(struct verdict *verdict, unsigned id, struct str object, unsigned where,
                        unsigned *seen)
{
    struct json_iter iter;
    unsigned part;
    for (json_iter_init(&iter, object); json_iter_next(&iter);) {
        if (!is_name(iter.key, &part)) {
            wrong(verdict, "event %u: a note about %.*s", id, (int)iter.key.len, iter.key.data);
            continue;
        }
        seen[part] |= where;
        check_failed(verdict, id, part, iter.value);
    }
}

static void check_parts(struct verdict *verdict, unsigned id, const unsigned *seen)
{
    const struct trial *trial = verdict->trial;
    unsigned given = 0;
    for (unsigned i = 0; i < trial->parts; i++) {
        given += (seen[i] & IN_ANSWER) != 0;
        bool consistent = seen[i] == IN_ANSWER || seen[i] == (IN_ANSWER | IN_CACHED) ||
                          seen[i] == IN_ERRORS || (trial->need && !seen[i]);
        if (!consistent || ((seen[i] & IN_CACHED) && !trial->cached))
            wrong(verdict, "event %u: part %c is said to be %u", id, names[i], seen[i]);
        if (!trial->need && !trial->optional[i] && !(seen[i] & IN_ANSWER))
            wrong(verdict, "event %u is answered without %c", id, names[i]);
    }
    if (trial->need && given != trial->need)
        wrong(verdict, "event %u is answered with %u parts", id, given);
}

static void check_answer(struct verdict *verdict, unsigned id, struct str answer)
{
    struct json_iter iter;
    unsigned seen[PARTS] = {0};
    unsigned part;
    /* The notes stand behind the parts that they are about. */
    for (json_iter_init(&iter, answer); json_iter_next(&iter);) {
        if (str_eq(iter.key, STR("\"cached\"")))
            check_notes(verdict, id, iter.value, IN_CACHED, seen);
        else if (str_eq(iter.key, STR("\"errors\"")))
            check_notes(verdict, id, iter.value, IN_ERRORS, seen);
        else if (is_name(iter.key, &part))
            seen[part] |= IN_ANSWER;
        else
            wrong(verdict, "event %u: a part %.*s", id, (int)iter.key.len, iter.key.data);
    }
    for (json_iter_init(&iter, answer); json_iter_next(&iter);) {
        if (is_name(iter.key, &part))
            check_value(verdict, id, part, seen[part] & IN_CACHED, iter.value);
    }
    check_parts(verdict, id, seen);
}

static bool is_event(struct verdict *verdict, unsigned id)
{
    if (id >= 1 && id <= verdict->trial->events && !verdict->answered[id] && !verdict->dead[id])
        return true;
    wrong(verdict, "event %u is none, or has ended before", id);
    return false;
}

/* {"id":N,"answer":{...}} */
static void check_line(struct verdict *verdict, struct str line)
{
    struct json_scan scan;
    struct json_iter iter;
    unsigned id = 0;
    if (json_scan(line, NULL, NULL, &scan) < 0) {
        wrong(verdict, "no JSON: %.*s", (int)line.len, line.data);
        return;
    }
    json_iter_init(&iter, line);
    if (json_iter_next(&iter))
        id = (unsigned)strtoul(iter.value.data, NULL, 10);
    if (!is_event(verdict, id) || !json_iter_next(&iter))
        return;
    verdict->answered[id] = true;
    if (id < verdict->last && !verdict->trial->unordered)
        wrong(verdict, "event %u comes behind %u", id, verdict->last);
    verdict->last = id;
    check_answer(verdict, id, iter.value);
}

static void check_letter(struct verdict *verdict, struct str line)
{
    struct str parts = STR("{\"event\":{\"id\":");
    if (str_starts(line, STR("{\"raw\":\"{broken ")) &&
        memmem(line.data, line.len, "bad_json", 8)) {
        verdict->bad_letters++;
        return;
    }
    if (!str_starts(line, parts) || !memmem(line.data, line.len, "\"reason\":\"parts\"", 16)) {
        wrong(verdict, "a letter: %.*s", (int)line.len, line.data);
        return;
    }
    unsigned id = (unsigned)strtoul(line.data + parts.len, NULL, 10);
    if (is_event(verdict, id))
        verdict->dead[id] = true;
}

/* Must it be answered, or must it be dead? Where neither is sure both are fine. */
static void check_outcome(struct verdict *verdict, unsigned id)
{
    const struct trial *trial = verdict->trial;
    unsigned good = 0;
    bool fails = false;
    for (unsigned i = 0; i < trial->parts; i++) {
        bool fine = is_good(action_of(trial, i, id));
        good += fine;
        fails = fails || (!fine && !trial->optional[i]);
    }
    bool lives = trial->need ? good >= trial->need : !fails;
    if (lives && !verdict->answered[id] && !trial->timeout)
        wrong(verdict, "event %u is not answered", id);
    if (!lives && !verdict->dead[id] && !trial->cached)
        wrong(verdict, "event %u is not dead", id);
    if (!verdict->answered[id] && !verdict->dead[id])
        wrong(verdict, "event %u is lost", id);
}

static void each_line(struct verdict *verdict, const char *path,
                      void (*take)(struct verdict *verdict, struct str line))
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    while (file && (len = getline(&line, &room, file)) > 0) {
        if (line[len - 1] != '\n')
            wrong(verdict, "%s: a line without an end", path);
        take(verdict, (struct str){line, (size_t)len - 1});
    }
    free(line);
    if (file)
        fclose(file);
}

static void check_stats(struct verdict *verdict, struct str line)
{
    const struct trial *trial = verdict->trial;
    struct buf want = {0};
    unsigned done = 0;
    if (!str_starts(line, STR("{\"read\":")))
        return;
    for (unsigned id = 1; id <= trial->events; id++)
        done += verdict->answered[id];
    buf_addf(&want, "{\"read\":%u,\"done\":%u,\"dead\":%u,\"dropped\":0,",
             trial->events + trial->bad, done, trial->events - done + trial->bad);
    if (!str_starts(line, buf_str(&want)))
        wrong(verdict, "%.*s, not %s", (int)line.len, line.data, buf_cstr(&want));
    buf_free(&want);
}

static int judge(const struct trial *trial, char **files, int status)
{
    struct verdict verdict = {.trial = trial};
    bool died = trial->bad;
    each_line(&verdict, files[0], check_line);
    each_line(&verdict, files[1], check_letter);
    for (unsigned id = 1; id <= trial->events; id++) {
        check_outcome(&verdict, id);
        died = died || verdict.dead[id];
    }
    each_line(&verdict, files[2], check_stats);
    if (verdict.bad_letters != trial->bad)
        wrong(&verdict, "%u letters about %u broken lines", verdict.bad_letters, trial->bad);
    if (status != (died ? 123 : 0))
        wrong(&verdict, "exit status %d", status);
    return verdict.wrong;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 2 ? argv[1] : "";
    const struct trial trial = make(argc > 2 ? strtoull(argv[2], NULL, 10) : 0);
    if (strcmp(verb, "words") == 0)
        print_words(&trial);
    else if (strcmp(verb, "input") == 0)
        print_input(&trial);
    else if (strcmp(verb, "killing") == 0)
        return !trial.killing;
    else if (argc == 4)
        return be_part(&trial, argv[3][0], strcmp(verb, "worker") == 0);
    else if (strcmp(verb, "judge") == 0 && argc == 7)
        return judge(&trial, argv + 3, (int)strtol(argv[6], NULL, 10));
    else
        return EX_USAGE;
    return fflush(stdout) ? EX_IOERR : EX_OK;
}
