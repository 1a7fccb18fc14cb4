/*
 * usage.h: what a process that still runs has used so far.
 */
#ifndef FIT_SYS_USAGE_H
#define FIT_SYS_USAGE_H

#include <sys/resource.h>
#include <sys/types.h>

/* Fill ru_utime, ru_stime and ru_maxrss (KiB) from /proc; the rest is 0. 0, or -1 when the process
 * is gone or /proc is not there. */
int usage_of(pid_t pid, struct rusage *usage);

#endif
