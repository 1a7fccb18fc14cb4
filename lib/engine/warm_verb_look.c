/* warm_verb_look.c: `warm status`, `warm list` and `warm stop`: pools that run. */
#include "engine/warm_ask.h"
#include "engine/warm_name.h"
#include "engine/warm_verb.h"

#include "base/msg.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int absent(const char *name)
{
    msg_error("no pool '%s' is running", name);
    return EXIT_FITTING;
}

static int print(struct engine *engine, struct str text)
{
    struct err err;
    return engine_print(engine, text, &err) < 0 ? engine_refuse(&err) : EXIT_OK;
}

static int failed(const char *name, const struct err *err)
{
    if (err->kind == ERR_NOT_FOUND)
        return absent(name);
    engine_refuse(err);
    return EXIT_FITTING;
}

/* ---- status ---- */

static const struct option_use status_uses[] = {{&common_state, &warm_common}, {0}};
static const struct command status_command = {
    .name = "warm status",
    .summary = "print what a pool is doing, as JSON",
    .usage = (const char *const[]){"NAME [options]", NULL},
    .uses = status_uses,
    .operands = OPTIONS_STOP_AT_WORD,
};

static void refuse_words(const struct command *command, const struct options_words *words)
{
    if (words->count)
        options_fail(command, "%s: one word too many", words->words[0]);
}

int warm_verb_status(int argc, char **argv)
{
    const char *name;
    struct home *home;
    struct buf answer = {0};
    struct err err;
    int status;
    struct options_words words = warm_verb_parse(&status_command, argc, argv, &name);
    refuse_words(&status_command, &words);
    struct engine *engine = warm_verb_look(&home, &status);
    if (!engine)
        return status ? status : absent(name);
    if (warm_ask(engine_loop(engine), home, name, WARM_STATUS, &answer, NULL, &err) < 0)
        status = failed(name, &err);
    else
        status = print(engine, buf_str(&answer));
    buf_free(&answer);
    engine_free(engine);
    return status;
}

/* ---- list ---- */

static const struct command list_command = {
    .name = "warm list",
    .summary = "print the pools of a state directory, a line of JSON each",
    .usage = (const char *const[]){"[options]", NULL},
    .uses = status_uses,
    .operands = OPTIONS_STOP_AT_WORD,
};

/* One that does not say itself how it is: it was killed, is being ended, or is stuck. */
static void describe(const struct warm_holder *holder, struct buf *line)
{
    buf_puts(line, "{\"pool\":");
    buf_add_json(line, str_of(holder->pool));
    buf_addf(line, ",\"alive\":%s,\"pid\":%ld,\"since\":", holder->alive ? "true" : "false",
             (long)holder->pid);
    buf_add_json(line, buf_str(&holder->since));
    buf_puts(line, "}\n");
}

static int list_pools(struct engine *engine, const struct home *home)
{
    struct warm_holder *holders;
    size_t count;
    struct err err;
    struct buf lines = {0};
    if (warm_name_list(home, &holders, &count, &err) < 0)
        return engine_refuse(&err);
    for (size_t i = 0; i < count; i++) {
        size_t before = lines.len;
        if (!holders[i].alive || warm_ask(engine_loop(engine), home, holders[i].pool, WARM_STATUS,
                                          &lines, NULL, &err) < 0) {
            lines.len = before;
            describe(&holders[i], &lines);
        }
        warm_holder_free(&holders[i]);
    }
    free(holders);
    int status = print(engine, buf_str(&lines));
    buf_free(&lines);
    return status;
}

int warm_verb_list(int argc, char **argv)
{
    struct home *home;
    int status;
    struct options_words words = warm_verb_parse(&list_command, argc, argv, NULL);
    refuse_words(&list_command, &words);
    struct engine *engine = warm_verb_look(&home, &status);
    if (engine)
        status = list_pools(engine, home);
    engine_free(engine);
    return status;
}

/* ---- stop ---- */

static const struct option_use stop_uses[] = {
    {&warm_stopping, &warm_options}, {&common_state, &warm_common}, {0}};
static const struct command stop_command = {
    .name = "warm stop",
    .summary = "end a pool, when what it has begun is done",
    .usage = (const char *const[]){"NAME [options]", NULL},
    .uses = stop_uses,
    .operands = OPTIONS_STOP_AT_WORD,
};

/* Who has the name, whether or not it still listens. 0: nobody. */
static pid_t holder_of(const struct home *home, const char *name)
{
    struct warm_holder *holders;
    size_t count;
    struct err err;
    pid_t pid = 0;
    if (warm_name_list(home, &holders, &count, &err) < 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (holders[i].alive && strcmp(holders[i].pool, name) == 0)
            pid = holders[i].pid;
        warm_holder_free(&holders[i]);
    }
    free(holders);
    return pid;
}

static int open_process(pid_t pid)
{
    return pid ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
}

static void wait_for(int process)
{
    struct pollfd ended = {.fd = process, .events = POLLIN};
    while (poll(&ended, 1, -1) < 0 && errno == EINTR)
        ;
}

/*
 * One that cannot be asked, as it is of another version or has no descriptor for a client, ends by
 * a signal as well. It must be the process that listens there: numbers in a file may be of another
 * namespace.
 */
static int end_by_signal(int process, const struct err *err)
{
    if (syscall(SYS_pidfd_send_signal, process, SIGTERM, NULL, 0) < 0)
        return engine_refuse(err);
    return EXIT_OK;
}

/* There is none that could be ended. */
static int clear(const struct home *home, const char *name, const struct err *err)
{
    if (err->kind != ERR_NOT_FOUND || !warm_name_clear(home, name))
        return failed(name, err);
    msg_error("no pool '%s' is running: it was killed, and what it left is removed", name);
    return EXIT_FITTING;
}

/* One that is being ended already has to be waited for, too. */
static int stop_pool(struct engine *engine, const struct home *home, const char *name)
{
    struct buf answer = {0};
    struct err err;
    pid_t holder = holder_of(home, name), listener = 0;
    int process = open_process(holder);
    int status = EXIT_OK;
    if (warm_ask(engine_loop(engine), home, name, WARM_STOP, &answer, &listener, &err) < 0) {
        if (err.kind != ERR_NOT_FOUND && process >= 0 && listener == holder)
            status = end_by_signal(process, &err);
        else if (err.kind != ERR_NOT_FOUND || process < 0)
            status = clear(home, name, &err);
    }
    if (status == EXIT_OK && warm_options.wait_gone && process >= 0)
        wait_for(process);
    if (process >= 0)
        close(process);
    buf_free(&answer);
    return status;
}

int warm_verb_stop(int argc, char **argv)
{
    const char *name;
    struct home *home;
    int status;
    struct options_words words = warm_verb_parse(&stop_command, argc, argv, &name);
    refuse_words(&stop_command, &words);
    struct engine *engine = warm_verb_look(&home, &status);
    if (!engine)
        return status ? status : absent(name);
    status = stop_pool(engine, home, name);
    engine_free(engine);
    return status;
}
