/* warm_detach.c: the supervisor of a warm pool as a process in the background. */
#include "engine/warm_detach.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/msg.h"
#include "engine/engine.h"
#include "fn/warm_link.h"
#include "sys/slurp.h"
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* What it says from now on stands behind *from. */
static int open_log(const struct home *home, const char *pool, off_t *from, struct err *err)
{
    char file[WARM_FILE], old[WARM_FILE + 2];
    struct stat info;
    warm_file(str_of(pool), WARM_LOG, file);
    snprintf(old, sizeof old, "%s.1", file);
    if (fstatat(home->run, file, &info, AT_SYMLINK_NOFOLLOW) == 0 && info.st_size > WARM_LOG_MAX)
        renameat(home->run, file, home->run, old);
    int fd = openat(home->run, file, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || fstat(fd, &info) < 0)
        return err_sys(err, "open the log of the pool %s", pool);
    *from = info.st_size;
    return fd;
}

/* The words, with the option that says what it is behind the pool's name. */
static char **own_words(char *const *words)
{
    size_t count = 0;
    while (words[count])
        count++;
    char **own = mem_array(count + 3, sizeof *own);
    own[0] = mem_strdup("warm");
    for (size_t i = 0; i < count; i++)
        own[i < 2 ? i + 1 : i + 2] = mem_strdup(words[i]);
    own[3] = mem_strdup("--detached");
    return own;
}

static void free_words(char **words)
{
    for (size_t i = 0; words[i]; i++)
        free(words[i]);
    free(words);
}

static pid_t start(char *const *words, int out, int log, struct err *err)
{
    char program[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    if (len < 0) {
        err_sys(err, "find the program that runs");
        return -1;
    }
    program[len] = '\0';
    char **own = own_words(words);
    struct spawn_spec spec = {
        .path = program, .argv = own, .envp = environ, .fds = {-1, out, log}, .outlives = true};
    pid_t pid = spawn_process(&spec, err);
    free_words(own);
    return pid;
}

/* Read until a line like that one has come: true; false: the end, before it. */
static bool has_said(int fd, const char *until)
{
    char bytes[256];
    struct buf said = {0};
    bool found = false;
    ssize_t got;
    while (!found && ((got = read(fd, bytes, sizeof bytes)) > 0 || (got < 0 && errno == EINTR))) {
        buf_add(&said, bytes, got > 0 ? (size_t)got : 0);
        found = strstr(buf_cstr(&said), until);
    }
    buf_free(&said);
    return found;
}

static void pass_on(int log, off_t from)
{
    char bytes[4096];
    ssize_t got;
    while ((got = pread(log, bytes, sizeof bytes, from)) > 0) {
        msg_raw((struct str){bytes, (size_t)got});
        from += got;
    }
}

static int exit_status_of(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return EXIT_FITTING;
    }
    if (WIFSIGNALED(status))
        return EXIT_SIGNALLED + WTERMSIG(status);
    /* Whoever is told 0 believes that it runs. */
    return WEXITSTATUS(status) ? WEXITSTATUS(status) : EXIT_FITTING;
}

int warm_detach(const struct home *home, const char *pool, char *const *words, const char *until,
                struct err *err)
{
    int ends[2];
    off_t from;
    int log = open_log(home, pool, &from, err);
    if (log < 0)
        return -1;
    if (spawn_pipe(ends, 0, 0) < 0) {
        err_sys(err, "make a pipe");
        close(log);
        return -1;
    }
    pid_t pid = start(words, ends[1], log, err);
    close(ends[1]);
    int status = pid < 0 ? -1 : EXIT_OK;
    if (pid >= 0 && !has_said(ends[0], until)) {
        status = exit_status_of(pid);
        pass_on(log, from);
    }
    close(ends[0]);
    close(log);
    return status;
}
