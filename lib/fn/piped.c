/* piped.c: a program started with pipes to its stdin, stdout and stderr. */
#include "fn/piped.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void close_end(int *end)
{
    if (*end >= 0)
        close(*end);
    *end = -1;
}

void piped_close(struct piped *piped)
{
    int *const pairs[] = {piped->in, piped->out, piped->err};
    for (size_t i = 0; i < 3; i++) {
        close_end(&pairs[i][0]);
        close_end(&pairs[i][1]);
    }
}

int piped_open(struct piped *piped, struct err *err)
{
    *piped = (struct piped){{-1, -1}, {-1, -1}, {-1, -1}};
    if (spawn_pipe(piped->in, 0, O_NONBLOCK) == 0 && spawn_pipe(piped->out, O_NONBLOCK, 0) == 0 &&
        spawn_pipe(piped->err, O_NONBLOCK, 0) == 0)
        return 0;
    err_sys(err, "make a pipe");
    piped_close(piped);
    return -1;
}

pid_t piped_spawn(struct piped *piped, struct spawn_spec *spec, struct err *err)
{
    spec->fds[0] = piped->in[0];
    spec->fds[1] = piped->out[1];
    spec->fds[2] = piped->err[1];
    pid_t pid = spawn_process(spec, err);
    close_end(&piped->in[0]);
    close_end(&piped->out[1]);
    close_end(&piped->err[1]);
    return pid;
}

void piped_abandon(pid_t pid)
{
    spawn_signal_tree(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}
