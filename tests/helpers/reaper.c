/*
 * reaper.c: run a command and fail when anything that it started outlives it.
 *
 * reaper [-t DURATION] [-k DURATION] COMMAND [ARG...]: becomes the subreaper, so that every orphan
 * of the command becomes its child. When the command has ended, what it left behind has DURATION
 * [30s] to end too; what then still runs is listed on stderr and killed, and the exit status is 99.
 * Otherwise it is the command's (128 + n for signal n). SIGTERM and SIGINT are handed on to the
 * command. With -k it is killed with SIGKILL after that long.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/num.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_SURVIVORS = 99, STATUS_OWN = 98, POLL_MS = 10 };

/* Name and parent of a process from /proc/PID/stat, whose second field may hold blanks. */
static int read_stat(const char *pid, char *text, size_t size)
{
    struct buf path = {0};
    buf_addf(&path, "/proc/%s/stat", pid);
    int fd = open(buf_cstr(&path), O_RDONLY | O_CLOEXEC);
    buf_free(&path);
    ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);
    if (fd >= 0)
        close(fd);
    text[got > 0 ? got : 0] = 0;
    const char *end = strrchr(text, ')');
    return end ? (int)strtol(end + 4, NULL, 10) : -1;
}

/* List and kill the children. Their own children then become ours: the caller repeats. */
static int kill_children(void)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    int found = 0;
    while (proc && (entry = readdir(proc))) {
        char text[512];
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
            continue;
        if (read_stat(entry->d_name, text, sizeof text) != getpid())
            continue;
        fprintf(stderr, "reaper: survives: %.*s\n", (int)strcspn(text, ")") + 1, text);
        kill((pid_t)strtol(entry->d_name, NULL, 10), SIGKILL);
        found++;
    }
    if (proc)
        closedir(proc);
    return found;
}

/* Reap until no child is left (0), or until the deadline (1). */
static int reap_until(int64_t deadline)
{
    for (;;) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0 && errno == ECHILD)
            return 0;
        if (pid > 0)
            continue;
        if (clock_now() > deadline)
            return 1;
        poll(NULL, 0, POLL_MS);
    }
}

static pid_t command;

static void hand_on(int signo)
{
    if (command > 0)
        kill(command, signo);
}

static void kill_command(int signo)
{
    (void)signo;
    kill(command, SIGKILL);
}

static void kill_after(int64_t delay)
{
    struct itimerval timer = {
        .it_value = {.tv_sec = delay / NUM_SECOND, .tv_usec = delay % NUM_SECOND / 1000 + 1}};
    signal(SIGALRM, kill_command);
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* Wait for the command itself; orphans that end before it are reaped on the way. */
static int wait_for_command(void)
{
    int status;
    for (;;) {
        pid_t pid = waitpid(-1, &status, 0);
        if (pid == command)
            return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        if (pid < 0 && errno != EINTR)
            return STATUS_OWN;
    }
}

int main(int argc, char **argv)
{
    int64_t patience = 30 * NUM_SECOND, life = -1;
    int option;
    bool wrong = false;
    while ((option = getopt(argc, argv, "+t:k:")) >= 0)
        wrong = wrong || (option != 't' && option != 'k') ||
                num_duration(optarg, option == 't' ? &patience : &life);
    argv += optind;
    if (wrong || !*argv) {
        fprintf(stderr, "usage: reaper [-t DURATION] [-k DURATION] COMMAND [ARG...]\n");
        return STATUS_OWN;
    }
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
        perror("reaper: prctl");
        return STATUS_OWN;
    }
    /* A signal may come as soon as the command does something that others see. */
    sigset_t handed_on, before;
    sigemptyset(&handed_on);
    sigaddset(&handed_on, SIGTERM);
    sigaddset(&handed_on, SIGINT);
    sigprocmask(SIG_BLOCK, &handed_on, &before);
    command = fork();
    if (command == 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        execvp(argv[0], argv);
        perror(argv[0]);
        _exit(127);
    }
    if (command < 0) {
        perror("reaper: fork");
        return STATUS_OWN;
    }
    signal(SIGTERM, hand_on);
    signal(SIGINT, hand_on);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (life >= 0)
        kill_after(life);
    int status = wait_for_command();
    if (reap_until(clock_now() + patience) == 0)
        return status;
    while (kill_children() > 0)
        reap_until(clock_now() + patience);
    return STATUS_SURVIVORS;
}
