/* redrive_run.c: a fitting run again with the dead letters of one command line. */
#include "engine/redrive_run.h"

#include "base/mem.h"
#include "base/msg.h"
#include "engine/engine.h"
#include "engine/suite.h"
#include "sys/dir.h"
#include "sys/loop.h"
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct run {
    struct loop_child child; /* first */
    const char *name;
    pid_t pid;
    int status; /* of waitpid */
    bool signalled;
};

/* ---- what it is given ---- */

static int numbers_file(const struct redrive_group *group, struct err *err)
{
    const char *folder = getenv("TMPDIR");
    int fd = dir_temp_file(folder && *folder ? folder : "/tmp", err);
    struct str bytes = {(const char *)group->numbers, group->count * sizeof *group->numbers};
    if (fd < 0 || dir_write(fd, bytes) == 0)
        return fd;
    err_sys(err, "write the numbers of the letters");
    close(fd);
    return -1;
}

/* The environment, where the state is, and which letters. The array is the caller's, as is the text
 * of its first entry. */
static char **environment(const char *state)
{
    struct buf variable = {0};
    size_t count = 0;
    while (environ[count])
        count++;
    char **list = mem_array(count + 2, sizeof *list);
    buf_addf(&variable, "FIT_REDRIVE=%s", state);
    list[0] = buf_take(&variable);
    memcpy(list + 1, environ, count * sizeof *list);
    list[count + 1] = NULL;
    return list;
}

static char *find_fitting(const char *name, struct err *err)
{
    struct suite suite;
    char *path = NULL;
    if (suite_open(&suite, getenv("FIT_EXEC_PATH"), err) == 0) {
        path = strchr(name, '/') ? NULL : suite_find(&suite, name);
        if (!path)
            err_set(err, ERR_NOT_FOUND, "%s: no such fitting; fan-out runs other commands", name);
    }
    suite_close(&suite);
    return path;
}

/* ---- running ---- */

static void hand_on(void *context, int signo)
{
    struct run *run = context;
    run->signalled = true;
    if (run->child.pid)
        kill(run->child.pid, signo);
}

static void exited(struct loop_child *child, int status, const struct rusage *usage)
{
    struct run *run = (struct run *)(void *)child;
    (void)usage;
    run->status = status;
    loop_stop(child->loop);
}

static int watch(struct run *run, struct loop *loop, struct err *err)
{
    run->child.exited = exited;
    if (loop_child_add(loop, &run->child, run->pid) < 0 ||
        loop_signal(loop, SIGINT, hand_on, run) < 0 ||
        loop_signal(loop, SIGTERM, hand_on, run) < 0 || loop_signal(loop, SIGHUP, hand_on, run) < 0)
        return err_sys(err, "watch %s", run->name);
    return loop_run(loop, err);
}

static int wait_for(struct run *run, struct err *err)
{
    struct loop *loop = loop_new(err);
    int status = loop ? watch(run, loop, err) : -1;
    if (status < 0)
        kill(run->pid, SIGKILL);
    if (loop)
        loop_free(loop);
    return status;
}

static int start(struct run *run, const struct redrive_group *group, const char *state, int fd,
                 struct err *err)
{
    char *path = find_fitting(group->argv[0], err);
    if (!path)
        return -1;
    char **list = environment(state);
    struct spawn_spec spec = {
        .path = path, .argv = group->argv, .envp = list, .fds = {fd, STDOUT_FILENO, STDERR_FILENO}};
    run->pid = spawn_process(&spec, err);
    free(list[0]);
    free(list);
    free(path);
    return run->pid < 0 ? -1 : 0;
}

/* In the folder of the group; then back. */
static int start_there(struct run *run, const struct redrive_group *group, const char *state,
                       int fd, struct err *err)
{
    int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int status = here < 0 ? err_sys(err, "open the working directory") : 0;
    if (status == 0 && group->cwd && chdir(group->cwd) < 0)
        status = err_sys(err, "redrive in %s", group->cwd);
    else if (status == 0)
        status = start(run, group, state, fd, err);
    if (here >= 0 && fchdir(here) < 0 && status == 0)
        status = err_sys(err, "return to the working directory");
    if (here >= 0)
        close(here);
    return status;
}

static int exit_status(const struct run *run)
{
    if (WIFEXITED(run->status))
        return WEXITSTATUS(run->status);
    msg_error("%s was ended by signal %d", run->name, WTERMSIG(run->status));
    return EXIT_FITTING;
}

int redrive_run(const struct redrive_group *group, const char *state, bool *signalled)
{
    struct run run = {.name = group->argv[0]};
    struct err err;
    int fd = numbers_file(group, &err);
    int status = fd < 0 ? -1 : start_there(&run, group, state, fd, &err);
    if (fd >= 0)
        close(fd);
    if (status == 0)
        status = wait_for(&run, &err);
    *signalled = run.signalled;
    return status < 0 ? engine_refuse(&err) : exit_status(&run);
}
