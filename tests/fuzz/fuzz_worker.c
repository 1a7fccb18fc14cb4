/*
 * fuzz_worker.c: whatever a line worker prints, every call ends exactly once.
 *
 * The pool runs as it is, but its processes are made up: the functions that start, watch and signal
 * a process are replaced by those below, and the input's bytes are what the workers print, cut
 * into reads, with exits in between. Time is invented, so that pauses cost nothing.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "fn/function.h"
#include "fn/piped.h"
#include "format/json.h"
#include "sys/spawn.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    CALLS = 12,
    PROCESSES = 64,      /* those that are ending count too */
    FIRST_PID = 1 << 30, /* no real process has such a number */
    MARK = 0xFF,         /* a byte that ends a read; the next one says what happens then */
    HEADER = 4,
    MOST = 4096, /* bytes of input that are used */
};

static const int64_t JUMP = INT64_C(11000000000); /* longer than any pause of the pool */

/* A made-up process: the far ends of its pipes. */
struct process {
    pid_t pid; /* 0: the place is free */
    int in, out, err;
    struct loop_child *child;
};

static struct {
    struct process processes[PROCESSES];
    pid_t last_pid;
    int64_t now;
    struct str script;
    struct loop *loop;
    struct loop_task wake;
    struct fn *fn;
    unsigned ended, attempts_of_ended;
    bool ends_early; /* a process was signalled, or has to be: it exits in the next idle moment */
    bool closing;
} world;

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* ---- the functions that are replaced ---- */

int piped_open(struct piped *piped, struct err *err)
{
    check(pipe2(piped->in, O_CLOEXEC | O_NONBLOCK) == 0);
    check(pipe2(piped->out, O_CLOEXEC | O_NONBLOCK) == 0);
    check(pipe2(piped->err, O_CLOEXEC | O_NONBLOCK) == 0);
    (void)err;
    return 0;
}

void piped_close(struct piped *piped)
{
    (void)piped;
    abort(); /* nothing here fails */
}

pid_t piped_spawn(struct piped *piped, struct spawn_spec *spec, struct err *err)
{
    (void)spec;
    for (size_t i = 0; i < PROCESSES; i++) {
        struct process *process = &world.processes[i];
        if (process->pid)
            continue;
        *process =
            (struct process){++world.last_pid, piped->in[0], piped->out[1], piped->err[1], NULL};
        return process->pid;
    }
    return err_set(err, ERR_SYSTEM, "no more processes");
}

void piped_abandon(pid_t pid)
{
    (void)pid;
    abort();
}

static struct process *find(pid_t pid)
{
    for (size_t i = 0; i < PROCESSES; i++) {
        if (world.processes[i].pid == pid)
            return &world.processes[i];
    }
    abort();
}

int loop_child_add(struct loop *loop, struct loop_child *child, pid_t pid)
{
    child->loop = loop;
    child->pid = pid;
    find(pid)->child = child;
    return 0;
}

void loop_child_remove(struct loop *loop, struct loop_child *child)
{
    (void)loop;
    (void)child;
    abort();
}

void spawn_tree_signal(struct spawn_tree *tree, int signo)
{
    (void)signo;
    if (tree->pid)
        world.ends_early = true;
}

void spawn_tree_stop(struct spawn_tree *tree)
{
    (void)tree;
}

void spawn_tree_free(struct spawn_tree *tree)
{
    (void)tree;
}

void spawn_signal_tree(pid_t pid, int signo)
{
    (void)pid;
    (void)signo;
    world.ends_early = true;
}

/* ---- the processes' lives ---- */

static void exit_process(struct process *process, int status)
{
    static const struct rusage usage;
    struct loop_child *child = process->child;
    close(process->in);
    close(process->out);
    close(process->err);
    process->pid = 0;
    child->pid = 0;
    child->exited(child, status, &usage);
}

static struct process *any_process(void)
{
    for (size_t i = 0; i < PROCESSES; i++) {
        if (world.processes[i].pid)
            return &world.processes[i];
    }
    return NULL;
}

static void swallow_input(void)
{
    char bytes[4096];
    for (size_t i = 0; i < PROCESSES; i++) {
        while (world.processes[i].pid && read(world.processes[i].in, bytes, sizeof bytes) > 0)
            ;
    }
}

static uint8_t next_byte(void)
{
    if (!world.script.len)
        return 0;
    world.script.len--;
    return (uint8_t)*world.script.data++;
}

/* What stands behind a MARK. */
static void happen(uint8_t what, struct process *process)
{
    static const int statuses[] = {0, 1 << 8, 65 << 8, 75 << 8, 9, 127 << 8};
    if (what < 6)
        exit_process(process, statuses[what]);
    else if (what < 16)
        (void)!write(process->err, "a word\n", what % 8);
    else
        world.now += JUMP; /* timeouts fire */
}

/* Print up to the next MARK, from one of the processes. */
static void print_some(struct process *process)
{
    const char *mark = memchr(world.script.data, MARK, world.script.len);
    size_t len = mark ? (size_t)(mark - world.script.data) : world.script.len;
    if (len) /* fails when the pool has closed its end */
        (void)!write(process->out, world.script.data, len);
    world.script.data += len;
    world.script.len -= len;
    if (mark) {
        next_byte();
        happen(next_byte(), process);
    }
}

/* The loop has nothing to do: something happens. */
static void idle(struct loop_idle *hook)
{
    (void)hook;
    struct process *process = any_process();
    swallow_input();
    if (process && (world.ends_early || !world.script.len || world.closing)) {
        world.ends_early = false;
        exit_process(process, world.closing ? 0 : 15);
    } else if (process) {
        print_some(process);
    } else {
        world.now += JUMP;
    }
    loop_defer(world.loop, &world.wake);
}

static void nothing(struct loop_task *task)
{
    (void)task;
}

/* ---- the calls ---- */

static void closed(void *owner)
{
    (void)owner;
    loop_stop(world.loop);
}

static void done(struct fn_call *call)
{
    int *ends = call->owner;
    check(++*ends == 1);
    check((call->failure != NULL) != (call->lines.len > 0) || !call->lines.len);
    check(call->attempts >= 1);
    check(call->count == (call->lines.len > 0));
    if (call->lines.len) {
        struct json_scan scan;
        check(call->lines.data[call->lines.len - 1] == '\n');
        check(!memchr(call->lines.data, '\n', call->lines.len - 1));
        check(json_scan(slice_str(call->lines), NULL, NULL, &scan) == 0);
    }
    slice_drop(&call->lines);
    failure_free(call->failure);
    call->failure = NULL;
    if (++world.ended == CALLS) {
        world.closing = true;
        fn_close(world.fn, closed, NULL);
    }
}

static void say(void *owner, struct str lines)
{
    (void)owner;
    check(lines.len && lines.data[lines.len - 1] == '\n');
}

static void set_up(const uint8_t header[HEADER], struct fn_context *context,
                   struct fn_settings *settings, struct rng *rng)
{
    static char *environment[] = {NULL};
    struct err err;
    world.loop = loop_new(&err);
    world.wake.run = nothing;
    rng_seed(rng, header[0]);
    *context = (struct fn_context){.loop = world.loop,
                                   .rng = rng,
                                   .command = "fuzz",
                                   .path = "/bin",
                                   .temp_dir = "/tmp",
                                   .environment = environment,
                                   .say = say};
    *settings = fn_defaults;
    settings->jobs = 1 + header[0] % 3;
    settings->retries = header[1] % 3;
    settings->pipeline = header[1] / 8 % 4;
    settings->max_uses = header[2] % 4;
    settings->timeout = header[2] & 16 ? JUMP / 4 : 0;
    settings->max_result = header[3] & 1 ? 64 : 1024;
    settings->min_workers = header[3] / 2 % 3;
    settings->ping = header[3] & 8 ? "{\"ping\":1}" : NULL;
    settings->idle = header[3] & 16 ? JUMP / 2 : 0;
    settings->max_age = header[3] & 32 ? JUMP / 3 : 0;
    settings->text = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char word[] = "lines:/bin/sh";
    static char *words[] = {word, NULL};
    struct fn_context context;
    struct fn_settings settings;
    struct rng rng;
    struct err err;
    struct fn_call calls[CALLS] = {0};
    int ends[CALLS] = {0};
    struct loop_idle hook = {.run = idle};
    if (size < HEADER)
        return 0;
    memset(&world, 0, sizeof world);
    world.last_pid = FIRST_PID;
    world.now = INT64_C(1000000000);
    clock_invent(&world.now, &world.now);
    set_up(data, &context, &settings, &rng);
    size_t used = size - HEADER < MOST ? size - HEADER : MOST;
    world.script = (struct str){(const char *)data + HEADER, used};
    world.fn = fn_open(&context, &settings, words, 1, &err);
    check(world.fn != NULL);
    loop_idle_add(world.loop, &hook);
    if (data[3] & 64)
        fn_prepare(world.fn);
    for (size_t i = 0; i < CALLS; i++) {
        calls[i].event = (struct slice){.data = "{\"n\":123}", .len = 9};
        calls[i].done = done;
        calls[i].owner = &ends[i];
        fn_call(world.fn, &calls[i]);
    }
    check(loop_run(world.loop, &err) == 0);
    for (size_t i = 0; i < CALLS; i++)
        check(ends[i] == 1);
    check(!any_process());
    loop_idle_remove(world.loop, &hook);
    fn_free(world.fn);
    loop_free(world.loop);
    block_drop_kept();
    clock_invent(NULL, NULL);
    return 0;
}
