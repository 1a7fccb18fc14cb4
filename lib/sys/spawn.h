/*
 * spawn.h: start a program, and end it with everything it started.
 *
 * The child is made with vfork semantics (its cost does not grow with the parent's memory). In the
 * child, in this order: a new process group; death of the parent ends it (PR_SET_PDEATHSIG,
 * SIGKILL), unless it is to outlive it; the limits, if any; signal dispositions and mask are reset;
 * the given descriptors become 0, 1 and 2; every other one is closed (close_range); execve. Between
 * vfork and execve only system calls are made. An execve that fails is reported here, with its
 * errno, not as an exit status.
 *
 * Which unusual signals (other than HUP INT QUIT PIPE ALRM TERM USR1 USR2 CHLD) are not at their
 * default is looked up at the first start: who changes another one does it before.
 */
#ifndef FIT_SYS_SPAWN_H
#define FIT_SYS_SPAWN_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct spawn_limits {
    uint64_t address_space; /* bytes (RLIMIT_AS); 0: as this process's */
    int nice;               /* added to this process's */
    int cgroup;             /* descriptor of a cgroup.procs to move to (cgroup.h); -1: stay */
};

struct spawn_spec {
    const char *path;  /* from spawn_resolve */
    char *const *argv; /* NULL-terminated */
    char *const *envp; /* NULL-terminated */
    int fds[3]; /* what becomes 0, 1, 2; -1: /dev/null. Stay open and the caller's in the parent */
    const struct spawn_limits *limits; /* NULL: none */
    bool outlives; /* it is in a session of its own, and goes on when this process dies */
};

/*
 * The pid of the new process and group, or -1 with ERR_SYSTEM (what may pass: no process, memory or
 * descriptor left), ERR_NOT_FOUND or ERR_NOT_USABLE (also: argument list too long). A script
 * without "#!" is run by /bin/sh, as execvp does.
 */
pid_t spawn_process(const struct spawn_spec *spec, struct err *err);

/*
 * Where execvp would find name: itself if it holds a slash, else the first executable in path (the
 * value of PATH). The caller frees it. NULL with ERR_NOT_FOUND (exit 127), or ERR_NOT_USABLE (exit
 * 126) if all that was found is not executable or a directory.
 */
char *spawn_resolve(const char *name, const char *path, struct err *err);

/*
 * Signal the group of pid, and the descendants that left it (setsid) as far as /proc shows them:
 * not a daemon whose parents have exited. pid must not have been reaped. With SIGKILL everybody is
 * stopped before, so that nobody starts more meanwhile.
 */
void spawn_signal_tree(pid_t pid, int signo);

/*
 * The same in several steps: who was found outside the group is remembered, and reached by later
 * signals though its parents have exited in between (a daemon that ignores SIGTERM). Set pid and
 * zero the rest; set pid to 0 when it was reaped: then only who is remembered is signalled, with
 * its descendants. A process that got the number of a remembered one is left alone.
 */
struct spawn_tree {
    pid_t pid;
    int64_t turn;    /* of who signals several trees, when he began (clock_now): a search of /proc
                        that began later may serve all of them. 0: each has a search of its own */
    int64_t stopped; /* private: when its group was (clock_now); 0: not yet */
    struct spawn_member *members;
    size_t count;
    size_t cap;
};

/*
 * Stop its group, which SIGKILL does first: where several are to be killed, stopping all of them
 * before lets one search of /proc serve them together.
 */
void spawn_tree_stop(struct spawn_tree *tree);

void spawn_tree_signal(struct spawn_tree *tree, int signo);
void spawn_tree_free(struct spawn_tree *tree); /* forgets; may be used again */

/*
 * A close-on-exec pipe; ends[0] is read from. Each flag: O_NONBLOCK for that end in this process,
 * or 0. -1 with errno.
 */
int spawn_pipe(int ends[2], int read_flags, int write_flags);

#endif
