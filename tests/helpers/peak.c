/*
 * peak.c: how much memory and time a command takes.
 *
 * peak FILE COMMAND [ARG...]: runs the command and writes to FILE one line: the most KiB that it,
 * or any process that it started and waited for, had resident; and the milliseconds of processor
 * time of all of them together. The exit status is the command's (128 + n for signal n).
 */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static long milliseconds(struct timeval time)
{
    return (long)(time.tv_sec * 1000 + time.tv_usec / 1000);
}

int main(int argc, char **argv)
{
    struct rusage usage;
    int status;
    if (argc < 3) {
        fprintf(stderr, "usage: peak FILE COMMAND [ARG...]\n");
        return 2;
    }
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    if (pid < 0) {
        perror("peak: fork");
        return 2;
    }
    while (wait4(pid, &status, 0, &usage) < 0) {
        if (errno != EINTR)
            return 2;
    }
    FILE *file = fopen(argv[1], "w");
    if (!file || fprintf(file, "%ld %ld\n", usage.ru_maxrss,
                         milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime)) < 0) {
        perror(argv[1]);
        return 2;
    }
    fclose(file);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
