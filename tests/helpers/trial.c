/*
 * trial.c: the accounting of fan-out and broadcast on random streams, with functions that do what
 * they should not.
 *
 * trial [-j N] [FIRST [COUNT]]: tries COUNT [1] seeds from FIRST [1] on, N at once. A seed stands
 * for a stream, for options and for what the functions do (trial_stream.h). Checked is that every
 * line of the input ends in exactly one outcome: read = done + dead + dropped; what lives is in the
 * output once, whole and in its order; what is dead has a letter with the bytes of its line;
 * nothing survives. A seed that fails is reported with the fan-out's command line, and its input
 * and outputs stay in files of the current folder. Exit status: 0, or 1 when a seed has failed.
 */
#include "trial_run.h"

#include "format/json.h"

#include <inttypes.h>
#include <sys/prctl.h>

struct verdict {
    const struct trial *trial;
    struct buf wrong; /* empty: nothing is */
    uint64_t letters, disturbed;
    const char *stats;
    size_t stats_len;
};

__attribute__((format(printf, 2, 3))) static void wrong(struct verdict *verdict, const char *format,
                                                        ...)
{
    if (verdict->wrong.len > 2000)
        return;
    va_list args;
    va_start(args, format);
    buf_puts(&verdict->wrong, "#   ");
    buf_addfv(&verdict->wrong, format, args);
    buf_addc(&verdict->wrong, '\n');
    va_end(args);
}

/* ---- dead letters ---- */

struct letter {
    struct buf event; /* the bytes of the line, or its first ones */
    bool is_json, truncated;
    char reason[32];
    bool of_slow; /* the subscriber */
    uint64_t attempts, length;
};

static void decode_base64(struct str text, struct buf *out)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0, count = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *at = text.data[i] ? strchr(alphabet, text.data[i]) : NULL;
        if (!at)
            break;
        bits = bits << 6 | (unsigned)(at - alphabet);
        count += 6;
        if (count >= 8) {
            count -= 8;
            buf_addc(out, (char)(bits >> count & 0xff));
        }
    }
}

/* Take a letter apart. False: it is not one. */
static bool read_letter(struct str line, struct letter *letter)
{
    struct json_scan scan;
    struct json_iter iter;
    *letter = (struct letter){0};
    if (json_scan(line, NULL, NULL, &scan) < 0)
        return false;
    json_iter_init(&iter, line);
    const char *event = NULL;
    while (json_iter_next(&iter)) {
        struct str key = iter.key, value = iter.value;
        /* The event's bytes end before the comma, whatever blanks it has around it. */
        if (event && letter->is_json && !letter->event.len)
            buf_add(&letter->event, event, (size_t)(key.data - 1 - event));
        if (str_eq(key, STR("\"event\""))) {
            letter->is_json = true;
            event = key.data + key.len + 1;
        } else if (str_eq(key, STR("\"raw\""))) {
            json_decode(value, &letter->event);
        } else if (str_eq(key, STR("\"base64\""))) {
            decode_base64((struct str){value.data + 1, value.len - 2}, &letter->event);
        } else if (str_eq(key, STR("\"reason\""))) {
            snprintf(letter->reason, sizeof letter->reason, "%.*s", (int)value.len - 2,
                     value.data + 1);
        } else if (str_eq(key, STR("\"function\""))) {
            letter->of_slow = str_starts(value, STR("\"slow="));
        } else if (str_eq(key, STR("\"attempts\""))) {
            letter->attempts = strtoull(value.data, NULL, 10);
        } else if (str_eq(key, STR("\"length\""))) {
            letter->length = strtoull(value.data, NULL, 10);
        } else if (str_eq(key, STR("\"truncated\""))) {
            letter->truncated = true;
        }
    }
    return letter->event.data != NULL;
}

/* The line that the letter is about: equal bytes, and not dead yet. */
static struct trial_event *find_event(struct trial *trial, const struct letter *letter)
{
    for (size_t i = 0; i < trial->event_count; i++) {
        struct trial_event *event = &trial->events[i];
        struct str line = buf_str(&event->line), bytes = buf_str(&letter->event);
        if ((letter->of_slow ? event->slow_dead : event->dead) || event->sort == LINE_BLANK)
            continue;
        if (letter->truncated ? line.len == letter->length && str_starts(line, bytes)
                              : str_eq(line, bytes))
            return event;
    }
    return NULL;
}

/* It fails for what its identity says, and for what happens to it from outside. */
static bool slow_must_fail(const struct trial_event *event)
{
    return event->sort == LINE_VALID && event->id % TRIAL_SLOW_FAILS == TRIAL_SLOW_FAILS - 1;
}

static void check_slow_letter(struct verdict *verdict, const struct trial *trial,
                              struct trial_event *event, const struct letter *letter)
{
    event->slow_dead = true;
    if (!slow_must_fail(event) && !trial->killer && !trial->timeout)
        wrong(verdict, "line %td is dead (%s) of the slow one and must not be: %.200s",
              event - trial->events + 1, letter->reason, letter->event.data);
    if (letter->attempts > trial->retries + 1)
        wrong(verdict, "line %td: %" PRIu64 " attempts of the slow one", event - trial->events + 1,
              letter->attempts);
}

static void check_letter(struct verdict *verdict, struct trial *trial, const struct letter *letter)
{
    struct trial_event *event = find_event(trial, letter);
    verdict->letters++;
    if (!event) {
        wrong(verdict, "a dead letter (%s) about no line of the input, or a second one: %.200s",
              letter->reason, letter->event.data);
        return;
    }
    if (letter->of_slow) {
        check_slow_letter(verdict, trial, event, letter);
        return;
    }
    event->dead = true;
    bool is_json = event->sort == LINE_VALID || event->sort == LINE_BARE;
    if (letter->is_json != is_json)
        wrong(verdict, "line %td: its letter has it as %s", event - trial->events + 1,
              letter->is_json ? "JSON" : "raw bytes");
    if (!event->may_die && trial->timeout && strcmp(letter->reason, "timeout") == 0)
        verdict->disturbed++; /* a busy machine */
    else if (!event->may_die)
        wrong(verdict, "line %td is dead (%s) and must not be: %.200s", event - trial->events + 1,
              letter->reason, letter->event.data);
    else if (event->reason && strcmp(letter->reason, event->reason) != 0 &&
             !(trial->timeout && strcmp(letter->reason, "timeout") == 0))
        wrong(verdict, "line %td is dead of %s, not of %s", event - trial->events + 1,
              letter->reason, event->reason);
    if (event->may_die && event->attempts && letter->attempts != event->attempts)
        wrong(verdict, "line %td: %" PRIu64 " attempts, not %u", event - trial->events + 1,
              letter->attempts, event->attempts);
    if (letter->attempts > trial->retries + 1)
        wrong(verdict, "line %td: %" PRIu64 " attempts", event - trial->events + 1,
              letter->attempts);
}

static void check_letter_line(struct verdict *verdict, struct trial *trial, struct str line)
{
    struct letter letter;
    if (read_letter(line, &letter))
        check_letter(verdict, trial, &letter);
    else
        wrong(verdict, "a torn or foreign line: %.*s", (int)(line.len < 200 ? line.len : 200),
              line.data);
    buf_free(&letter.event);
}

static bool next_line(struct str *rest, struct str *line)
{
    if (!rest->len)
        return false;
    const char *lf = memchr(rest->data, '\n', rest->len);
    size_t len = lf ? (size_t)(lf - rest->data) : rest->len;
    *line = (struct str){rest->data, len};
    rest->data += lf ? len + 1 : len;
    rest->len -= lf ? len + 1 : len;
    return true;
}

/* stderr: letters, the statistics, and what functions and fan-out say, each a line of its own. */
static void check_errors(struct verdict *verdict, struct trial *trial, const struct trial_end *end)
{
    struct str rest = buf_str(&end->err), line;
    while (next_line(&rest, &line)) {
        if (str_starts(line, STR("{\"read\":"))) {
            verdict->stats = line.data;
            verdict->stats_len = line.len;
        } else if (str_starts(line, STR("{"))) {
            if (trial->dead_file)
                wrong(verdict, "a dead letter on stderr");
            check_letter_line(verdict, trial, line);
        } else if (str_starts(line, STR("note "))) {
            if (!trial->killer && !trial->timeout && !str_ends(line, STR(" end")))
                wrong(verdict, "a torn line of a function: %.*s", (int)line.len, line.data);
        } else if (!str_starts(line, STR("fan-out: ")) && !str_starts(line, STR("broadcast: ")) &&
                   !trial->killer) {
            wrong(verdict, "on stderr: %.*s", (int)(line.len < 200 ? line.len : 200), line.data);
        }
    }
    rest = buf_str(&end->dead);
    while (next_line(&rest, &line))
        check_letter_line(verdict, trial, line);
}

/* ---- results ---- */

static void report_difference(struct verdict *verdict, struct str want, struct str got)
{
    size_t at = 0, line = 1;
    while (at < want.len && at < got.len && want.data[at] == got.data[at])
        line += want.data[at++] == '\n';
    wrong(verdict, "output line %zu differs at byte %zu of %zu (of %zu expected)", line, at,
          got.len, want.len);
    size_t from = at < 60 ? 0 : at - 60;
    wrong(verdict, "  expected: ...%.*s", (int)(want.len - from < 160 ? want.len - from : 160),
          want.data + from);
    wrong(verdict, "  got:      ...%.*s", (int)(got.len - from < 160 ? got.len - from : 160),
          got.data + from);
}

/* Is text the next of got? It may be missing where events may be missed. */
static void expect_next(const struct trial *trial, struct str got, struct str text,
                        struct buf *want)
{
    struct str left = {got.data + want->len, got.len > want->len ? got.len - want->len : 0};
    if (!may_miss(trial) || str_starts(left, text))
        buf_add_str(want, text);
}

static void compare(struct verdict *verdict, struct buf *want, struct str got)
{
    if (!str_eq(buf_str(want), got))
        report_difference(verdict, buf_str(want), got);
    buf_free(want);
}

static void check_ordered(struct verdict *verdict, const struct trial *trial, struct str got)
{
    struct buf want = {0};
    for (size_t i = 0; i < trial->event_count; i++) {
        const struct trial_event *event = &trial->events[i];
        if (!event->dead && (!trial->broadcast || event->given))
            expect_next(trial, got, buf_str(&event->results), &want);
    }
    compare(verdict, &want, got);
}

/* In any order, but the results of an event together, and the events of a key in theirs. */
static void check_unordered(struct verdict *verdict, const struct trial *trial, struct str got)
{
    bool seen[TRIAL_EVENTS] = {false};
    long last_of_key[TRIAL_EVENTS + 1];
    for (size_t i = 0; i <= TRIAL_EVENTS; i++)
        last_of_key[i] = -1;
    while (got.len) {
        size_t i = 0;
        while (i < trial->event_count &&
               (seen[i] || trial->events[i].dead || !trial->events[i].results.len ||
                !str_starts(got, buf_str(&trial->events[i].results))))
            i++;
        if (i == trial->event_count) {
            wrong(verdict, "a result of no event, or a second one: %.*s",
                  (int)(got.len < 200 ? got.len : 200), got.data);
            return;
        }
        const struct trial_event *event = &trial->events[i];
        seen[i] = true;
        got.data += event->results.len;
        got.len -= event->results.len;
        if (event->sort != LINE_VALID || event->id != (long)i) /* or the copy of another line */
            continue;
        /* Of two copies the first may be missing. */
        if (trial->serial && !may_miss(trial) && last_of_key[event->key] > event->id)
            wrong(verdict, "line %zu came after a later one of its key", i + 1);
        last_of_key[event->key] = event->id;
    }
    for (size_t i = 0; i < trial->event_count; i++) {
        if (!seen[i] && !trial->events[i].dead && trial->events[i].results.len && !may_miss(trial))
            wrong(verdict, "line %zu is not dead and has no result", i + 1);
    }
}

/* ---- a broadcast ---- */

/* The results of the first subscriber as one value. */
static void add_value(struct buf *line, struct str results)
{
    struct buf values = {0};
    struct str value;
    size_t count = 0;
    for (; next_line(&results, &value); count++) {
        buf_puts(&values, count ? "," : "");
        buf_add_str(&values, value);
    }
    buf_puts(line, count == 1 ? "" : count ? "[" : "null");
    buf_add_str(line, buf_str(&values));
    buf_puts(line, count > 1 ? "]" : "");
    buf_free(&values);
}

/* As far as it is known: what a failure says is not. */
static void make_line(struct buf *line, const struct trial_event *event)
{
    buf_puts(line, "{");
    if (!event->dead) {
        buf_puts(line, "\"main\":");
        add_value(line, buf_str(&event->results));
    }
    if (!event->slow_dead)
        buf_puts(line, event->dead ? "\"slow\":null" : ",\"slow\":null");
    if (event->dead || event->slow_dead)
        buf_addf(line, "%s\"errors\":{\"%s\":{\"reason\":\"",
                 event->dead && event->slow_dead ? "" : ",", event->dead ? "main" : "slow");
    else
        buf_puts(line, "}");
}

static void check_all_results(struct verdict *verdict, const struct trial *trial, struct str got)
{
    struct str line = {0};
    for (size_t i = 0; i < trial->event_count; i++) {
        const struct trial_event *event = &trial->events[i];
        struct buf want = {0};
        if (!event->given)
            continue;
        make_line(&want, event);
        bool whole = !event->dead && !event->slow_dead;
        if (!next_line(&got, &line))
            line = STR("");
        if (whole ? !str_eq(line, buf_str(&want)) : !str_starts(line, buf_str(&want)))
            wrong(verdict, "line %zu gave %.*s, not %.*s", i + 1,
                  (int)(line.len < 200 ? line.len : 200), line.data,
                  (int)(want.len < 200 ? want.len : 200), want.data);
        buf_free(&want);
    }
    if (got.len)
        wrong(verdict, "results of no event: %.*s", (int)(got.len < 200 ? got.len : 200), got.data);
}

static void check_results(struct verdict *verdict, const struct trial *trial, struct str got)
{
    if (trial->broadcast && trial->result == RESULT_NONE) {
        if (got.len)
            wrong(verdict, "results that are not wanted: %.*s", 200, got.data);
    } else if (trial->broadcast && trial->result == RESULT_ALL) {
        check_all_results(verdict, trial, got);
    } else if (trial->unordered) {
        check_unordered(verdict, trial, got);
    } else {
        check_ordered(verdict, trial, got);
    }
}

/* The file has every event in the order of the input; of a key one waits for the other, and those
 * of other keys come before it. */
static void check_copy(struct verdict *verdict, const struct trial *trial, struct str got)
{
    struct buf want = {0}, line = {0};
    size_t found = 0, len = 0;
    for (size_t i = 0; i < trial->event_count; i++) {
        const struct trial_event *event = &trial->events[i];
        if (!event->given)
            continue;
        buf_clear(&line);
        buf_add_str(&line, buf_str(&event->line));
        buf_addc(&line, '\n');
        len += line.len;
        found += memmem(got.data, got.len, line.data, line.len) != NULL;
        expect_next(trial, got, buf_str(&line), &want);
    }
    buf_free(&line);
    if (!trial->serial) {
        compare(verdict, &want, got);
        return;
    }
    buf_free(&want);
    if (!may_miss(trial) && len != got.len)
        wrong(verdict, "the copy has %zu bytes, not %zu", got.len, len);
    if (!may_miss(trial) && got.len && !found)
        wrong(verdict, "the copy has no event of the input");
}

/* The slow one notes an event once, if nothing makes it try again. Of equal lines any. */
static void take_notes(struct verdict *verdict, struct trial *trial, struct str notes)
{
    struct str line;
    while (next_line(&notes, &line)) {
        struct trial_event *least = NULL;
        for (size_t i = 0; i < trial->event_count; i++) {
            struct trial_event *event = &trial->events[i];
            if (event->given && str_eq(buf_str(&event->line), line) &&
                (!least || event->slow_gets < least->slow_gets))
                least = event;
        }
        if (least)
            least->slow_gets++;
        else
            wrong(verdict, "the slow one was given what is no event: %.*s",
                  (int)(line.len < 200 ? line.len : 200), line.data);
    }
}

static void check_notes(struct verdict *verdict, struct trial *trial, struct str notes)
{
    take_notes(verdict, trial, notes);
    for (size_t i = 0; i < trial->event_count; i++) {
        const struct trial_event *event = &trial->events[i];
        if (!event->given)
            continue;
        unsigned tries = slow_must_fail(event) ? trial->retries + 1 : 1;
        if (!event->slow_gets && !event->slow_dead && !may_miss(trial))
            wrong(verdict, "line %zu was not given to the slow one", i + 1);
        if (event->slow_gets > tries && !trial->killer && !trial->timeout)
            wrong(verdict, "line %zu was given to the slow one %u times", i + 1, event->slow_gets);
        if (slow_must_fail(event) && !event->slow_dead && !may_miss(trial))
            wrong(verdict, "line %zu is not dead of the slow one and must be", i + 1);
    }
}

/* ---- all of it ---- */

static uint64_t stat_of(const struct verdict *verdict, struct str key)
{
    struct json_iter iter;
    json_iter_init(&iter, (struct str){verdict->stats, verdict->stats_len});
    while (json_iter_next(&iter)) {
        if (str_eq(iter.key, key))
            return strtoull(iter.value.data, NULL, 10);
    }
    return UINT64_MAX;
}

static void check_counts(struct verdict *verdict, const struct trial *trial,
                         const struct trial_end *end)
{
    uint64_t lines = 0, dead = 0;
    for (size_t i = 0; i < trial->event_count; i++) {
        const struct trial_event *event = &trial->events[i];
        lines += event->sort != LINE_BLANK;
        dead += event->dead || event->slow_dead;
        if (event->sort != LINE_BLANK && !event->dead && !event->may_live &&
            (!may_miss(trial) || !event->given))
            wrong(verdict, "line %zu is not dead and must be: %.200s", i + 1, event->line.data);
    }
    int status = dead ? 123 : 0;
    if (end->status != status)
        wrong(verdict, "exit status %d, not %d", end->status, status);
    if (!verdict->stats) {
        wrong(verdict, "no statistics");
        return;
    }
    uint64_t dropped = may_miss(trial) ? stat_of(verdict, STR("\"dropped\"")) : 0;
    struct {
        struct str key;
        uint64_t want;
    } const counts[] = {{STR("\"read\""), lines},
                        {STR("\"done\""), lines - dead - dropped},
                        {STR("\"dead\""), dead},
                        {STR("\"dropped\""), dropped},
                        {STR("\"letters\""), verdict->letters}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        uint64_t got = stat_of(verdict, counts[i].key);
        if (got != counts[i].want)
            wrong(verdict, "%.*s: %" PRIu64 ", not %" PRIu64, (int)counts[i].key.len,
                  counts[i].key.data, got, counts[i].want);
    }
}

static void judge(struct verdict *verdict, struct trial *trial, const struct trial_end *end)
{
    if (end->hung)
        wrong(verdict, "not ended after %d s", TRIAL_SECONDS);
    if (end->survivors)
        wrong(verdict, "%u processes survive", end->survivors);
    check_errors(verdict, trial, end);
    check_results(verdict, trial, buf_str(&end->out));
    if (trial->broadcast) {
        check_copy(verdict, trial, buf_str(&end->copy));
        check_notes(verdict, trial, buf_str(&end->notes));
    }
    check_counts(verdict, trial, end);
}

static void keep(const struct trial *trial, const char *what, const struct buf *bytes)
{
    char name[64];
    snprintf(name, sizeof name, "trial-%" PRIu64 ".%s", trial->seed, what);
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    (void)!write(fd, bytes->data, bytes->len);
    close(fd);
}

/* One seed. True: nothing is wrong. */
static bool try_seed(uint64_t seed, const struct trial_paths *paths, uint64_t *disturbed)
{
    static struct trial trial;
    struct trial_end end;
    struct verdict verdict = {0};
    trial_init(&trial, seed);
    run_trial(&trial, paths, &end);
    judge(&verdict, &trial, &end);
    *disturbed += verdict.disturbed;
    bool fine = !verdict.wrong.len;
    if (!fine) {
        struct buf report = {0};
        buf_addf(&report,
                 "# seed %" PRIu64 ": %s\n%s#   repeat: make prop T=tests/prop/accounting.t "
                 "FIRST=%" PRIu64 " SEEDS=1\n",
                 seed, buf_cstr(&end.command), buf_cstr(&verdict.wrong), seed);
        (void)!write(STDERR_FILENO, report.data, report.len);
        buf_free(&report);
        keep(&trial, "in", &trial.input);
        keep(&trial, "out", &end.out);
        keep(&trial, "err", &end.err);
        keep(&trial, "dead", &end.dead);
        keep(&trial, "copy", &end.copy);
        keep(&trial, "notes", &end.notes);
    }
    buf_free(&verdict.wrong);
    trial_end_free(&end);
    trial_free(&trial);
    return fine;
}

static void find_paths(struct trial_paths *paths)
{
    const char *folder = getenv("TMPDIR");
    ssize_t len = readlink("/proc/self/exe", paths->helper, sizeof paths->helper - 16);
    if (len < 0)
        fail_setup("/proc/self/exe");
    snprintf(paths->helper + len, sizeof paths->helper - (size_t)len, "_fn");
    folder = folder && *folder ? folder : "/tmp";
    snprintf(paths->shared, sizeof paths->shared, "%s/trial-%d.shared", folder, (int)getpid());
    snprintf(paths->dead, sizeof paths->dead, "%s/trial-%d.dead", folder, (int)getpid());
    snprintf(paths->input, sizeof paths->input, "%s/trial-%d.input", folder, (int)getpid());
    snprintf(paths->copy, sizeof paths->copy, "%s/trial-%d.copy", folder, (int)getpid());
    snprintf(paths->notes, sizeof paths->notes, "%s/trial-%d.notes", folder, (int)getpid());
    setenv("TRIAL_SHARED", paths->shared, 1);
    setenv("TRIAL_NOTES", paths->notes, 1);
}

/* Every step-th seed. Exit status of a process that does so. */
static int try_seeds(uint64_t first, uint64_t last, uint64_t step)
{
    struct trial_paths paths;
    uint64_t disturbed = 0, failed = 0;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    find_paths(&paths);
    for (uint64_t seed = first; seed <= last; seed += step)
        failed += !try_seed(seed, &paths, &disturbed);
    unlink(paths.shared);
    unlink(paths.dead);
    unlink(paths.input);
    unlink(paths.copy);
    unlink(paths.notes);
    if (disturbed)
        fprintf(stderr, "# %" PRIu64 " events were late on this machine and timed out\n",
                disturbed);
    return failed > 0;
}

int main(int argc, char **argv)
{
    uint64_t jobs = 1, first = 1, count = 1;
    signal(SIGPIPE, SIG_IGN);
    argv++;
    if (argc > 2 && strcmp(argv[0], "-j") == 0) {
        if (num_uint(argv[1], 1, 64, &jobs))
            argc = 0;
        argv += 2;
        argc -= 2;
    }
    if (argc < 1 || argc > 3 || (argc > 1 && num_uint(argv[0], 0, UINT64_MAX / 2, &first)) ||
        (argc > 2 && num_uint(argv[1], 1, UINT32_MAX, &count))) {
        fprintf(stderr, "usage: trial [-j N] [FIRST [COUNT]]\n");
        return 2;
    }
    for (uint64_t job = 0; job < jobs; job++) {
        if (fork() == 0)
            exit(try_seeds(first + job, first + count - 1, jobs));
    }
    int status, failed = 0;
    while (wait(&status) > 0)
        failed |= status != 0;
    return failed;
}
