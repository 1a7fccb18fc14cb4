/* spawn.c: start a program. */
#include "sys/spawn.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Where close_range is missing or forbidden, descriptors up to this one are closed singly. What
 * lies beyond stays open in the child unless it is close-on-exec, as all of ours are.
 */
enum { SPAWN_CLOSE_MAX = 65536 };

enum child_step { STEP_NONE, STEP_START, STEP_LIMITS, STEP_DESCRIPTORS, STEP_EXECUTE };

/* What the child needs and what it answers; in the parent's memory, which vfork shares. */
struct child_plan {
    const struct spawn_spec *spec;
    pid_t parent;
    int nice;         /* what it is to be, with limits */
    uint64_t signals; /* to be reset: bit signo - 1 */
    enum child_step failed;
    int error;
};

#define SIGNAL_BIT(signo) (UINT64_C(1) << ((signo)-1))

/*
 * Whose disposition this process may change at any time: always reset. Asking for all 64 costs more
 * than the rest of the child's calls together, so what else is not default is looked up once, at
 * the first start.
 */
static const uint64_t changing_signals =
    SIGNAL_BIT(SIGHUP) | SIGNAL_BIT(SIGINT) | SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGPIPE) |
    SIGNAL_BIT(SIGALRM) | SIGNAL_BIT(SIGTERM) | SIGNAL_BIT(SIGUSR1) | SIGNAL_BIT(SIGUSR2) |
    SIGNAL_BIT(SIGCHLD);

/*
 * The kernel's own view, as the C library hides the signals 32 and 33 that it uses itself: some
 * programs start us with these ignored too. Only the handler is looked at; it comes first
 * everywhere.
 */
struct kernel_action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
};

enum { KERNEL_SIGNALS = 64, KERNEL_MASK_BYTES = 8 };

static uint64_t find_signals_to_reset(void)
{
    struct kernel_action action;
    uint64_t found = changing_signals;
    for (int signo = 1; signo <= KERNEL_SIGNALS; signo++) {
        if (syscall(SYS_rt_sigaction, signo, NULL, &action, KERNEL_MASK_BYTES) == 0 &&
            action.handler != SIG_DFL)
            found |= SIGNAL_BIT(signo);
    }
    return found;
}

/*
 * execve keeps what is ignored. What is handled must go too, before the mask is lifted: the handler
 * would run in the child on the parent's memory.
 */
static void reset_signals(uint64_t signals)
{
    const struct kernel_action plain = {.handler = SIG_DFL};
    for (; signals; signals &= signals - 1)
        syscall(SYS_rt_sigaction, __builtin_ctzll(signals) + 1, &plain, NULL, KERNEL_MASK_BYTES);
}

/*
 * First every source that is not where it belongs is lifted above 2, so that no dup2 overwrites a
 * source that is still needed; then all are put in place.
 */
static int place_descriptors(const int fds[3])
{
    int sources[3];
    for (int i = 0; i < 3; i++) {
        int fd = fds[i];
        if (fd < 0)
            fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fd >= 0 && fd < 3 && fd != i)
            fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
            return -1;
        sources[i] = fd;
    }
    for (int i = 0; i < 3; i++) {
        if (sources[i] == i ? fcntl(i, F_SETFD, 0) : dup2(sources[i], i) < 0)
            return -1;
    }
    return 0;
}

static void close_the_rest(void)
{
    if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0)
        return;
    struct rlimit limit;
    int max = SPAWN_CLOSE_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < (rlim_t)max)
        max = (int)limit.rlim_cur;
    for (int fd = 3; fd < max; fd++)
        close(fd);
}

/* Of the child itself, and so of all that it starts. */
static int apply_limits(const struct spawn_limits *limits, int nice)
{
    const struct rlimit space = {limits->address_space, limits->address_space};
    if (limits->cgroup >= 0 && write(limits->cgroup, "0", 1) != 1)
        return -1;
    if (limits->address_space && setrlimit(RLIMIT_AS, &space) < 0)
        return -1;
    return limits->nice ? setpriority(PRIO_PROCESS, 0, nice) : 0;
}

static void die_with(pid_t parent)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before the line above took effect */
        _exit(127);
}

/* In the child. Memory and stack are the parent's: nothing but system calls and plan. */
static void __attribute__((noreturn, noinline)) run_child(struct child_plan *plan)
{
    const struct spawn_spec *spec = plan->spec;
    sigset_t none;
    if (spec->outlives)
        setsid();
    else
        die_with(plan->parent);
    if (spec->limits && apply_limits(spec->limits, plan->nice) < 0) {
        plan->failed = STEP_LIMITS;
        plan->error = errno;
        _exit(127);
    }
    reset_signals(plan->signals);
    if (place_descriptors(spec->fds)) {
        plan->failed = STEP_DESCRIPTORS;
        plan->error = errno;
        _exit(127);
    }
    close_the_rest();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(spec->path, spec->argv, spec->envp);
    plan->error = errno;
    plan->failed = STEP_EXECUTE;
    _exit(127);
}

/* In a function of its own, so that no local variable lives across the second return. */
static pid_t __attribute__((noinline)) start_child(struct child_plan *plan)
{
    pid_t pid = vfork();
    if (pid == 0)
        run_child(plan);
    return pid;
}

static pid_t try_spawn(struct child_plan *plan)
{
    static uint64_t signals;
    sigset_t all, before;
    if (!signals)
        signals = find_signals_to_reset();
    plan->signals = signals;
    plan->failed = STEP_NONE;
    plan->error = 0;
    plan->parent = getpid();
    if (plan->spec->limits)
        plan->nice = getpriority(PRIO_PROCESS, 0) + plan->spec->limits->nice;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = start_child(plan);
    int cause = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) {
        plan->failed = STEP_START;
        plan->error = cause;
    } else if (plan->failed) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    return plan->failed ? -1 : pid;
}

/* A program without a header that the kernel knows is a shell script: path becomes sh's operand. */
static pid_t try_shell(struct child_plan *plan)
{
    struct spawn_spec spec = *plan->spec;
    size_t count = 0;
    while (spec.argv[count])
        count++;
    const char **argv = mem_array(count + 3, sizeof *argv);
    argv[0] = "sh";
    argv[1] = spec.path;
    for (size_t i = 1; i < count; i++)
        argv[i + 1] = spec.argv[i];
    union {
        const char **words;
        char *const *argv;
    } as = {argv};
    spec.argv = as.argv;
    spec.path = "/bin/sh";
    plan->spec = &spec;
    pid_t pid = try_spawn(plan);
    free(argv);
    return pid;
}

static int describe_failure(const char *path, const struct child_plan *plan, struct err *err)
{
    errno = plan->error;
    if (plan->failed == STEP_START)
        return err_sys(err, "start a process for %s", path);
    if (plan->failed == STEP_LIMITS)
        return err_sys(err, "limit what %s may take", path);
    if (plan->failed == STEP_DESCRIPTORS)
        return err_sys(err, "set up the descriptors of %s", path);
    switch (plan->error) {
    case ENOENT:
        if (access(path, F_OK) == 0)
            return err_set(err, ERR_NOT_USABLE, "%s: its interpreter does not exist", path);
        return err_set(err, ERR_NOT_FOUND, "%s: not found", path);
    case ENOTDIR:
        return err_set(err, ERR_NOT_FOUND, "%s: not found", path);
    case E2BIG:
        return err_set(err, ERR_NOT_USABLE, "%s: argument list too long", path);
    case EAGAIN:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EIO:
        return err_sys(err, "%s", path);
    default:
        return err_set(err, ERR_NOT_USABLE, "%s: %s", path, strerror(plan->error));
    }
}

pid_t spawn_process(const struct spawn_spec *spec, struct err *err)
{
    struct child_plan plan = {.spec = spec};
    pid_t pid = try_spawn(&plan);
    if (pid < 0 && plan.failed == STEP_EXECUTE && plan.error == ENOEXEC)
        pid = try_shell(&plan);
    if (pid < 0)
        describe_failure(spec->path, &plan, err);
    return pid;
}

int spawn_pipe(int ends[2], int read_flags, int write_flags)
{
    if (pipe2(ends, O_CLOEXEC | (read_flags & write_flags)))
        return -1;
    /* Each end is a description of its own, so a flag of one does not show at the other. */
    if (read_flags == write_flags || fcntl(ends[read_flags ? 0 : 1], F_SETFL, O_NONBLOCK) == 0)
        return 0;
    int cause = errno;
    close(ends[0]);
    close(ends[1]);
    errno = cause;
    return -1;
}
