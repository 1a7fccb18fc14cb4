/* usage.c: what a process that still runs has used so far. */
#include "sys/usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The whole of a small file of /proc, with a NUL behind it. */
static int read_proc(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t got = read(fd, text, size - 1);
    close(fd);
    if (got < 0)
        return -1;
    text[got] = '\0';
    return 0;
}

static struct timeval of_ticks(unsigned long ticks)
{
    long second = sysconf(_SC_CLK_TCK);
    return (struct timeval){
        .tv_sec = (time_t)(ticks / (unsigned long)second),
        .tv_usec = (suseconds_t)(ticks % (unsigned long)second * 1000000 / (unsigned long)second)};
}

int usage_of(pid_t pid, struct rusage *usage)
{
    char text[4096];
    unsigned long user, system;
    memset(usage, 0, sizeof *usage);
    if (read_proc(pid, "stat", text, sizeof text) < 0)
        return -1;
    const char *fields = strrchr(text, ')'); /* the name before it may hold anything */
    if (!fields || sscanf(fields, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                          &system) != 2)
        return -1;
    usage->ru_utime = of_ticks(user);
    usage->ru_stime = of_ticks(system);
    if (read_proc(pid, "status", text, sizeof text) < 0)
        return -1;
    const char *peak = strstr(text, "VmHWM:");
    if (peak)
        sscanf(peak, "VmHWM: %ld", &usage->ru_maxrss);
    return 0;
}
