/*
 * trial_fn.c: the function of the accounting trials: it does what its event says (trial.h).
 *
 * trial_fn           a process for each event, which it reads
 * trial_fn DO ID     the same, but what to do comes as arguments ({.do} {.id})
 * trial_fn worker    a line worker
 * trial_fn slow      another, which does always the same
 *
 * A result is {"r":EVENT,"i":I}, or {"q":ID,"i":I} when the event comes as arguments.
 */
#include "trial.h"

#include "base/buf.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct task {
    enum trial_do what;
    long count; /* results, exit status, or signal */
    long id;    /* -1: the event has none */
    bool argued;
    struct buf line; /* without LF */
};

static struct trial_shared *shared;

static void nap(long milliseconds)
{
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&left, &left) < 0)
        ;
}

static void open_shared(void)
{
    const char *path = getenv("TRIAL_SHARED");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        _exit(99);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (shared == MAP_FAILED)
        _exit(99);
    shared->pids[shared->started++ % TRIAL_PROCESSES] = getpid();
}

static void put(struct str bytes)
{
    while (bytes.len) {
        ssize_t wrote = write(STDOUT_FILENO, bytes.data, bytes.len);
        if (wrote < 0)
            _exit(98);
        bytes.data += wrote;
        bytes.len -= (size_t)wrote;
    }
}

/* All of stdin, which must be one line and its end. */
static void read_event(struct buf *line)
{
    ssize_t got;
    do {
        buf_reserve(line, 65536);
        got = read(STDIN_FILENO, line->data + line->len, 65536);
        line->len += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    if (got < 0 || !line->len || line->data[line->len - 1] != '\n')
        _exit(97);
    line->len--;
    if (memchr(line->data, '\n', line->len))
        _exit(97);
}

/* The action for this attempt out of "exit 3,ok 2". */
static void choose(struct task *task, const char *actions, size_t len, unsigned attempt)
{
    const char *end = actions + len, *comma;
    while (--attempt && (comma = memchr(actions, ',', (size_t)(end - actions))))
        actions = comma + 1;
    task->what = DO_OK;
    for (enum trial_do what = 0; what < DO_COUNT; what++) {
        size_t word = strlen(trial_words[what]);
        if ((size_t)(end - actions) > word && strncmp(actions, trial_words[what], word) == 0 &&
            actions[word] == ' ')
            task->what = what;
    }
    const char *blank = memchr(actions, ' ', (size_t)(end - actions));
    task->count = blank ? strtol(blank + 1, NULL, 10) : 1;
}

static unsigned begin(long id)
{
    return id >= 0 && id < TRIAL_EVENTS ? ++shared->begun[id] : 1;
}

/* Find out from the event what to do; an event that says nothing has one result. */
static void understand(struct task *task)
{
    struct str line = buf_str(&task->line);
    const char *actions = memmem(line.data, line.len, "\"do\":\"", 6);
    const char *id = memmem(line.data, line.len, "\"id\":", 5);
    task->what = DO_OK;
    task->count = 1;
    task->id = -1;
    if (!actions || !id)
        return;
    task->id = strtol(id + 5, NULL, 10);
    unsigned attempt = begin(task->id);
    const char *told = getenv("FIT_ATTEMPT"); /* a worker has to count for itself */
    actions += 6;
    choose(task, actions, strcspn(actions, "\""),
           told && *told ? (unsigned)strtoul(told, NULL, 10) : attempt);
}

/* The results; their layout depends on the identity, so that every spelling of a line occurs. */
static void add_results(const struct task *task, struct buf *out, bool lines)
{
    bool crlf = !lines && task->id % 5 == 1, blank = !lines && task->id % 5 == 2;
    for (long i = 0; i < task->count; i++) {
        if (blank)
            buf_puts(out, i ? "\r\n" : " \n");
        if (task->argued) {
            buf_addf(out, "{\"q\":%ld", task->id);
        } else {
            buf_puts(out, "{\"r\":");
            buf_add_str(out, buf_str(&task->line));
        }
        if (task->what == DO_BIG) {
            buf_puts(out, ",\"p\":\"");
            buf_reserve(out, TRIAL_BIG);
            memset(out->data + out->len, 'p', TRIAL_BIG);
            out->len += TRIAL_BIG;
            buf_addc(out, '"');
        }
        buf_addf(out, ",\"i\":%ld}%s\n", i, crlf ? "\r" : "");
    }
    if (!lines && task->id % 5 == 3 && out->len)
        out->len--;
}

static void put_results(const struct task *task, bool lines)
{
    struct buf out = {0};
    add_results(task, &out, lines);
    size_t piece = task->what == DO_PIECES ? out.len / 5 + 1 : out.len;
    for (size_t at = 0; at < out.len; at += piece) {
        size_t len = out.len - at < piece ? out.len - at : piece;
        put((struct str){out.data + at, len});
        if (task->what == DO_PIECES)
            nap(1);
    }
    buf_free(&out);
}

/* stderr: whole lines that the runner can tell from torn ones. */
static void be_noisy(const struct task *task)
{
    struct buf text = {0};
    for (int i = 0; i < 200; i++)
        buf_addf(&text, "note %ld %d ........................................ end\n", task->id, i);
    for (size_t at = 0; at < text.len;) {
        ssize_t wrote =
            write(STDERR_FILENO, text.data + at, text.len - at < 777 ? text.len - at : 777);
        at += wrote > 0 ? (size_t)wrote : text.len;
    }
    buf_free(&text);
}

static _Noreturn void hang(void)
{
    for (;;)
        pause();
}

/* A child that hangs, deaf to SIGTERM, in the group or in a session of its own. */
static void grow(bool leave)
{
    int ready[2];
    char byte;
    if (pipe(ready) < 0)
        _exit(96);
    if (fork() == 0) {
        signal(SIGTERM, SIG_IGN);
        if (leave)
            setsid();
        close(ready[0]);
        close(ready[1]);
        hang();
    }
    close(ready[1]);
    (void)!read(ready[0], &byte, 1);
    close(ready[0]);
}

static void leave_daemon(void)
{
    if (fork() == 0) {
        setsid();
        nap(TRIAL_PATIENCE);
        _exit(0);
    }
}

/* What ends the event badly, for processes and workers alike. Returns for what is not of that kind.
 */
static void fail(const struct task *task)
{
    struct str half = STR("{\"r\":");
    switch (task->what) {
    case DO_EXIT:
        _exit((int)task->count);
    case DO_SIGNAL:
        signal((int)task->count, SIG_DFL); /* sanitizers catch some */
        raise((int)task->count);
        break;
    case DO_HALF:
        put(half);
        raise(SIGKILL);
        break;
    case DO_HANG:
        signal(SIGTERM, SIG_IGN);
        hang();
    case DO_TREE:
        grow(false);
        grow(true);
        hang();
    case DO_SLEEP:
        hang();
    default:
        break;
    }
}

static void put_huge(void)
{
    static char piece[65536];
    memset(piece, 'h', sizeof piece);
    piece[0] = '"';
    for (;;)
        put((struct str){piece, sizeof piece});
}

static int run_process(struct task *task)
{
    if (task->what == DO_CLOSE)
        close(STDIN_FILENO);
    if (task->what == DO_FIRST)
        put_results(task, false);
    if (task->argued && task->what != DO_QUICK && task->what != DO_CLOSE)
        read_event(&task->line);
    if (task->what == DO_LATE)
        nap(task->id % 30);
    if (task->what == DO_NOISE)
        be_noisy(task);
    if (task->what == DO_EXIT)
        put(STR("{\"partial\":true}\n"));
    if (task->what == DO_GARBAGE)
        put(STR("{\"fine\":1}\n{\"r\":\n"));
    if (task->what == DO_HUGE)
        put_huge();
    fail(task);
    if (task->what == DO_DAEMON)
        leave_daemon();
    if (task->what < DO_SUCCEED && task->what != DO_FIRST)
        put_results(task, false);
    return 0;
}

/* ---- a worker ---- */

static void answer(struct task *task)
{
    task->count = task->what < DO_SUCCEED ? 1 : task->count;
    if (task->what == DO_LATE)
        nap(task->id % 10);
    if (task->what == DO_NOISE)
        be_noisy(task);
    if (task->what == DO_GARBAGE) {
        put(STR("oops\n"));
        hang(); /* it must not begin with the next event, which is not to count as an attempt */
    }
    if (task->what == DO_ERROR)
        put(task->count ? STR("!{\"errorType\":\"Trial\",\"errorMessage\":\"said no\"}\n")
                        : STR("!no JSON \"at\" all\n"));
    if (task->what == DO_HUGE)
        put_huge();
    fail(task);
    if (task->what == DO_SHUT)
        close(STDIN_FILENO);
    if (task->what == DO_NONE) {
        put(STR("\n"));
    } else if (task->what == DO_TWICE) {
        struct buf out = {0};
        add_results(task, &out, true);
        buf_puts(&out, "{\"second\":true}\n");
        put(buf_str(&out));
        buf_free(&out);
    } else if (task->what < DO_SUCCEED) {
        put_results(task, true);
    }
    if (task->what == DO_SHUT)
        nap(20);
    if (task->what == DO_SHUT || task->what == DO_QUIT)
        _exit(0);
}

static int work(void)
{
    struct task task = {0};
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    while ((len = getline(&line, &size, stdin)) > 0) {
        if (line[len - 1] != '\n')
            return 97;
        buf_clear(&task.line);
        buf_add(&task.line, line, (size_t)len - 1);
        understand(&task);
        answer(&task);
    }
    free(line);
    buf_free(&task.line);
    return 0;
}

static void note(int notes, const char *line, size_t len)
{
    if (write(notes, line, len) != (ssize_t)len)
        _exit(95);
}

static int work_slowly(void)
{
    const char *path = getenv("TRIAL_NOTES");
    int notes = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    while ((len = getline(&line, &size, stdin)) > 0) {
        const char *text = memmem(line, (size_t)len, "\"do\":\"", 6)
                               ? memmem(line, (size_t)len, "\"id\":", 5)
                               : NULL;
        long id = text ? strtol(text + 5, NULL, 10) : 0;
        note(notes, line, (size_t)len);
        if (id % 4 == 1)
            nap(3);
        put(id % TRIAL_SLOW_FAILS == TRIAL_SLOW_FAILS - 1 ? STR("!\"too late\"\n") : STR("null\n"));
    }
    free(line);
    close(notes);
    return 0;
}

int main(int argc, char **argv)
{
    open_shared();
    if (argc == 2)
        return strcmp(argv[1], "slow") == 0 ? work_slowly() : work();
    struct task task = {0};
    if (argc == 3) {
        const char *attempt = getenv("FIT_ATTEMPT");
        task.argued = true;
        task.id = strtol(argv[2], NULL, 10);
        begin(task.id);
        choose(&task, argv[1], strlen(argv[1]), attempt ? (unsigned)strtoul(attempt, NULL, 10) : 1);
    } else {
        read_event(&task.line);
        understand(&task);
    }
    int status = run_process(&task);
    buf_free(&task.line);
    return status;
}
