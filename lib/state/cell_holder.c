/* cell_holder.c: a process as the holder of a part of a cell. */
#include "state/cell.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    START_BITS = 42,  /* of the start time in a holder; the 22 above are those of the largest pid */
    START_FIELD = 22, /* of /proc/PID/stat; the state is field 3 */
    STAT_TEXT = 1024,
};
#define START_MASK ((UINT64_C(1) << START_BITS) - 1)

static cell_holder self; /* 0: not known yet */

/* The state of the process and its start time; -1 when they cannot be read. */
static int read_stat(pid_t pid, char *state, uint64_t *start)
{
    char path[32], text[STAT_TEXT];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t len = read(fd, text, sizeof text - 1);
    close(fd);
    if (len <= 0)
        return -1;
    text[len] = '\0';
    /* The name of the program, field 2, may hold anything, also blanks and parentheses. */
    char *field = strrchr(text, ')');
    if (!field || field[1] != ' ')
        return -1;
    *state = field[2];
    for (int i = 2; field && i < START_FIELD; i++)
        field = strchr(field + 1, ' ');
    if (!field)
        return -1;
    *start = strtoull(field + 1, NULL, 10);
    return 0;
}

static void forget_self(void)
{
    __atomic_store_n(&self, 0, __ATOMIC_RELAXED);
}

static void forget_after_fork(void)
{
    pthread_atfork(NULL, NULL, forget_self);
}

static cell_holder learn_self(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char state;
    uint64_t start = 0;
    pthread_once(&once, forget_after_fork);
    pid_t pid = getpid();
    if (read_stat(pid, &state, &start) < 0)
        start = 0;
    cell_holder holder = (uint64_t)pid << START_BITS | (start & START_MASK);
    __atomic_store_n(&self, holder, __ATOMIC_RELAXED);
    return holder;
}

cell_holder cell_self(void)
{
    cell_holder holder = __atomic_load_n(&self, __ATOMIC_RELAXED);
    return holder ? holder : learn_self();
}

pid_t cell_holder_pid(cell_holder holder)
{
    return (pid_t)(holder >> START_BITS);
}

/* Without /proc, a number that is in use is taken for the same process. */
bool cell_holder_gone(cell_holder holder)
{
    pid_t pid = cell_holder_pid(holder);
    char state;
    uint64_t start;
    if (!holder)
        return true;
    if (read_stat(pid, &state, &start) < 0)
        return kill(pid, 0) < 0 && errno == ESRCH;
    if (state == 'Z' || state == 'X')
        return true;
    return (holder & START_MASK) && (holder & START_MASK) != (start & START_MASK);
}
