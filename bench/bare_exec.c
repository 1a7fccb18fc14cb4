/*
 * bare_exec.c: the least that a process per event can cost: bare_exec JOBS COMMAND [ARG...] <events
 *
 * Nothing but vfork, pipes, epoll and pidfds: each line of stdin goes to one process, its output to
 * stdout when it ends. No validation, order, process groups, timeouts or stderr; COMMAND is a path,
 * not searched for. A line must fit into a pipe, an answer into the slot's buffer.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLOTS = 64, OUTPUT = 65536 };

static struct slot {
    pid_t pid;
    int out, pidfd;
    size_t len;
    char output[OUTPUT];
} slots[SLOTS];

static int poller;

static void watch(int fd, struct slot *slot, int is_pidfd)
{
    uint64_t which = (uint64_t)(slot - slots) * 2 + (uint64_t)is_pidfd;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = which};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0)
        abort();
}

static void start(struct slot *slot, const char *line, size_t len, char **argv)
{
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 ||
        write(in[1], line, len) != (ssize_t)len)
        abort();
    close(in[1]);
    slot->pid = vfork();
    if (slot->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execv(argv[0], argv);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    slot->out = out[0];
    slot->len = 0;
    slot->pidfd = (int)syscall(SYS_pidfd_open, slot->pid, 0);
    watch(slot->out, slot, 0);
    watch(slot->pidfd, slot, 1);
}

static void drain(struct slot *slot)
{
    ssize_t got;
    while ((got = read(slot->out, slot->output + slot->len, OUTPUT - slot->len)) > 0)
        slot->len += (size_t)got;
    if (got == 0)
        epoll_ctl(poller, EPOLL_CTL_DEL, slot->out, NULL);
}

static void finish(struct slot *slot)
{
    drain(slot);
    waitpid(slot->pid, NULL, 0);
    /* Not left to close: the child of the other vfork may still hold the file, and a dead pidfd is
     * ready for ever. */
    epoll_ctl(poller, EPOLL_CTL_DEL, slot->out, NULL);
    epoll_ctl(poller, EPOLL_CTL_DEL, slot->pidfd, NULL);
    close(slot->out);
    close(slot->pidfd);
    slot->pid = 0;
    if (write(1, slot->output, slot->len) != (ssize_t)slot->len)
        abort();
}

int main(int argc, char **argv)
{
    int jobs = argc > 2 ? (int)strtol(argv[1], NULL, 10) : 0, running = 0, more = 1;
    char *line = NULL;
    size_t cap = 0;
    if (jobs < 1 || jobs > SLOTS)
        return 2;
    poller = epoll_create1(EPOLL_CLOEXEC);
    while (more || running) {
        for (int i = 0; i < jobs && more; i++) {
            ssize_t len;
            if (slots[i].pid)
                continue;
            if ((len = getline(&line, &cap, stdin)) < 0) {
                more = 0;
                break;
            }
            start(&slots[i], line, (size_t)len, argv + 2);
            running++;
        }
        struct epoll_event events[16];
        int count = running ? epoll_wait(poller, events, 16, -1) : 0;
        for (int i = 0; i < count; i++) {
            struct slot *slot = &slots[events[i].data.u64 / 2];
            if (!(events[i].data.u64 & 1)) {
                if (slot->pid)
                    drain(slot);
            } else {
                finish(slot);
                running--;
            }
        }
    }
    return 0;
}
