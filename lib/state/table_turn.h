/*
 * table_turn.h: take turns at LMDB's locks. Internal to lib/state.
 *
 * LMDB's locks are robust mutexes in shared memory. Of these wake-ups get lost when a process that
 * waits is killed (glibc 2.36), and then all others wait for a lock that is free. So they are asked
 * for in turns, under a lock of the file "data.turn" that the kernel keeps and frees (flock): whose
 * turn it is never waits in LMDB, and has only to repair what a killed one has left.
 */
#ifndef FIT_STATE_TABLE_TURN_H
#define FIT_STATE_TABLE_TURN_H

#include "base/err.h"

struct table_turn {
    int fd; /* -1: not open */
};

/* The file is made in the folder, if need be. -1 with err. */
int table_turn_open(struct table_turn *turn, const char *path, struct err *err);
void table_turn_close(struct table_turn *turn);

/* Wait for it; not to be nested. -1 with err. */
int table_turn_take(struct table_turn *turn, struct err *err);
void table_turn_leave(struct table_turn *turn);

#endif
