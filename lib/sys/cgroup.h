/*
 * cgroup.h: control groups (cgroup v2) for single processes: a bound on memory and processor time.
 *
 * A group is made beside the one that this process is in: below it, where processes are, no group
 * can have limits. That works where the folder above is writable and hands the controllers down: as
 * root, in a container that was given its groups, and in a session of systemd. Groups are named
 * "fit-PID-N", and those of processes that are gone are removed when another one is made.
 */
#ifndef FIT_SYS_CGROUP_H
#define FIT_SYS_CGROUP_H

#include "base/err.h"

#include <stdint.h>

struct cgroup_limits {
    uint64_t memory; /* bytes; 0: any */
    double cpu;      /* of one processor, 0.5 for half of it; 0: any */
};

/* The folder in which groups can be made, the caller's to free; NULL with err, which says why there
 * is none. */
char *cgroup_folder(struct err *err);

/* The same for another mount and another text of /proc/self/cgroup: what does not ask the system.
 */
char *cgroup_folder_of(const char *mount, const char *self, struct err *err);

/*
 * Make group number `number` of this process in the folder, with limits. The descriptor of its
 * cgroup.procs, to which a process writes "0" to move there, or -1 with err and nothing is left.
 */
int cgroup_open(const char *folder, unsigned number, const struct cgroup_limits *limits,
                struct err *err);

/* Remove it; what still runs in it keeps it, until another fitting clears up. */
void cgroup_remove(const char *folder, unsigned number);

#endif
