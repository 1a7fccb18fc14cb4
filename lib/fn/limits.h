/*
 * limits.h: what the processes of a function may take of the machine. Internal to lib/fn, but for
 * struct fn_limits and limits_find.
 *
 * Where cgroup v2 is writable each slot of the function has a group of its own, which bounds the
 * process and all that it starts together. Else the address space of each process is bounded.
 */
#ifndef FIT_FN_LIMITS_H
#define FIT_FN_LIMITS_H

#include "base/err.h"
#include "sys/spawn.h"

#include <stdint.h>

struct fn_limits {
    uint64_t memory; /* bytes; 0: any */
    double cpu;      /* of one processor; 0: any. Needs a folder */
    int nice;        /* added to this process's */
    char *folder;    /* of control groups (limits_find), or NULL: without them */
};

/*
 * Look for control groups that could hold the limits, by making one: folder, for the caller to
 * free. -1 with err, which says why there are none: then memory is bounded without them, and cpu
 * cannot be.
 */
int limits_find(struct fn_limits *limits, struct err *err);

struct limits;

struct limits *limits_new(const struct fn_limits *settings, unsigned slots);
void limits_free(struct limits *limits); /* no process runs; NULL is a no-op */

/* For the process in a slot (from 1). NULL with err. Valid until the next call. */
const struct spawn_limits *limits_of(struct limits *limits, unsigned slot, struct err *err);

#endif
