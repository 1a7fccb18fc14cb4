/* state_lock.c: `state lock`: run a command under a lease that dies with its holder. */
#include "engine/state_verb.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/msg.h"
#include "base/num.h"
#include "state/lease_hold.h"
#include "sys/spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOCK_TTL (30 * NUM_SECOND) /* of the lease, where the engine cannot see the holder die */

extern char **environ;

struct lock {
    struct loop *loop;
    struct lease_hold *hold;
    char **words;
    const char *name;
    struct loop_child child;
    pid_t pid; /* 0: the command does not run */
    bool lost;
    int status;
};

static void end(struct lock *lock, int status)
{
    lock->status = status;
    loop_stop(lock->loop);
}

/* ---- the command ---- */

static void exited(struct loop_child *child, int status, const struct rusage *usage)
{
    struct lock *lock = CONTAINER_OF(child, struct lock, child);
    (void)usage;
    lock->pid = 0;
    if (lock->lost)
        end(lock, EXIT_FITTING);
    else
        end(lock, WIFSIGNALED(status) ? EXIT_SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status));
}

static int start_command(struct lock *lock, uint64_t token, struct err *err)
{
    char *path = spawn_resolve(lock->words[0], getenv("PATH"), err);
    if (!path)
        return -1;
    struct buf number = {0};
    buf_addf(&number, "%llu", (unsigned long long)token);
    setenv("FIT_LOCK_TOKEN", buf_cstr(&number), 1);
    buf_free(&number);
    struct spawn_spec spec = {.path = path,
                              .argv = lock->words,
                              .envp = environ,
                              .fds = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}};
    pid_t pid = spawn_process(&spec, err);
    free(path);
    if (pid < 0)
        return -1;
    lock->pid = pid;
    lock->child.exited = exited;
    return loop_child_add(lock->loop, &lock->child, pid) < 0
               ? err_sys(err, "watch %s", lock->words[0])
               : 0;
}

/* ---- the lease ---- */

static void held(void *owner, uint64_t token)
{
    struct lock *lock = owner;
    struct err err;
    if (start_command(lock, token, &err) < 0)
        end(lock, engine_refuse(&err));
}

static void busy(void *owner, const struct lease_held *by)
{
    struct lock *lock = owner;
    if (by->holder)
        msg_warn("%s: held by process %ld", lock->name, (long)cell_holder_pid(by->holder));
    else
        msg_warn("%s: held", lock->name);
    end(lock, EXIT_AGAIN);
}

static void lost(void *owner)
{
    struct lock *lock = owner;
    msg_error("%s: the lock is lost, the command is ended", lock->name);
    lock->lost = true;
    if (lock->pid)
        spawn_signal_tree(lock->pid, SIGTERM);
    else
        end(lock, EXIT_FITTING);
}

static void failed(void *owner, const struct err *err)
{
    end(owner, engine_refuse(err));
}

/* Signals are the command's; while there is none they end the waiting. */
static void signalled(void *context, int signo)
{
    struct lock *lock = context;
    if (lock->pid)
        kill(-lock->pid, signo);
    else
        end(lock, EXIT_SIGNALLED + signo);
}

static int watch_signals(struct lock *lock, struct err *err)
{
    static const int signals[] = {SIGTERM, SIGINT,  SIGHUP,  SIGQUIT,
                                  SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction action;
        sigaction(signals[i], NULL, &action);
        if (action.sa_handler != SIG_IGN &&
            loop_signal(lock->loop, signals[i], signalled, lock) < 0)
            return err_sys(err, "watch signals");
    }
    return 0;
}

static int run(struct store *store, const char *name, char **words)
{
    static const struct lease_hold_calls calls = {held, busy, lost, failed};
    struct lock lock = {.loop = store_loop(store), .words = words, .name = name};
    struct buf lease = {0};
    struct err err;
    buf_addf(&lease, "lock/%s", name);
    if (watch_signals(&lock, &err) < 0)
        return engine_refuse(&err);
    int64_t until = state_options.wait ? clock_now() + state_options.wait : 0;
    lock.hold = lease_hold_open(store, buf_str(&lease), LOCK_TTL, until, &calls, &lock);
    if (loop_run(lock.loop, &err) < 0)
        lock.status = engine_refuse(&err);
    loop_child_remove(lock.loop, &lock.child);
    lease_hold_free(lock.hold);
    buf_free(&lease);
    return lock.status;
}

static const struct option_use lock_uses[] = {
    {&state_locking, &state_options}, {&common_state, &state_common}, {0}};
static const struct command lock_command = {
    .name = "state lock",
    .summary = "run a command that nobody else runs under that name",
    .usage = (const char *const[]){"NAME [options] [--] COMMAND...", NULL},
    .uses = lock_uses,
    .operands = OPTIONS_STOP_AT_WORD,
    .operand_arg = "COMMAND",
};

int state_lock(int argc, char **argv)
{
    struct state_words words = state_verb_parse(&lock_command, argc, argv, 1, 1, true);
    struct engine *engine = NULL;
    struct err err;
    int status;
    if (home_check_name(words.words[0], &err) < 0)
        options_fail(&lock_command, "%s: %s", words.words[0], err.text);
    struct store *store = state_verb_open(&engine, &status);
    if (store)
        status = run(store, words.words[0], words.rest);
    engine_free(engine);
    free(words.words);
    return status;
}
