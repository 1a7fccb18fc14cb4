/*
 * cell.h: a small state that processes share in memory: hot, and lost without harm.
 *
 * A cell is one file of run/, mapped by each process that opens it: a header (magic, layout, size,
 * boot, generation, checksum of these), a robust process-shared mutex, and the payload, a plain
 * struct without pointers. Locking costs no system call when uncontended, 20 to 30 ns.
 *
 * What can go wrong, and what is done:
 *   - a process dies within the lock: the next one is told (EOWNERDEAD), calls the kind's `repair`,
 *     and goes on;
 *   - the file is torn, foreign, or of another layout: it is replaced by a fresh one (renamed into
 *     place, so that those who have mapped the old one are not pulled apart; they see `retired` and
 *     open anew), and cell_open tells the caller to warn;
 *   - the machine was started anew: times in the payload mean nothing, `rebase` is called once;
 *   - the disk is full when the file is made: its blocks are allocated then (posix_fallocate), so a
 *     mapped page never fails later.
 *
 * Holding a part of a cell (a slot, a probe) is a lease of a live process: a cell_holder, which
 * names a process beyond the reuse of its number.
 */
#ifndef FIT_STATE_CELL_H
#define FIT_STATE_CELL_H

#include "base/err.h"
#include "base/str.h"
#include "state/home.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cell_kind {
    const char *name; /* "breaker": of its file and its magic */
    uint32_t layout;  /* raised with every change of the payload's struct */
    size_t size;      /* of the payload */
    void (*init)(void *payload, const void *context);   /* zeroed before */
    void (*rebase)(void *payload, const void *context); /* another boot; NULL: nothing to do */
    void (*repair)(void *payload,
                   const void *context); /* a holder of the lock died; NULL: the same */
};

struct cell;

/*
 * Open or make it. home NULL: a private one, in memory. context is handed to the kind's functions
 * during this call and later ones that lock. *reset (may be NULL) is set when a damaged file was
 * replaced. NULL with err.
 */
struct cell *cell_open(struct home *home, const struct cell_kind *kind, struct str name,
                       const void *context, bool *reset, struct err *err);
void cell_free(struct cell *cell); /* NULL is a no-op; the file stays */

/* Remove the file. Those who have it mapped open a fresh one with their next lock. */
int cell_remove(struct home *home, const struct cell_kind *kind, struct str name, struct err *err);

/* The payload, until cell_unlock. Never fails: a cell whose file was replaced is opened anew, and
 * if that cannot be done goes on as a private one. Not recursive; held for microseconds. */
void *cell_lock(struct cell *cell);
void cell_unlock(struct cell *cell);

/* The payload without the lock: only for single words that are read with __atomic_load_n. */
const void *cell_peek(const struct cell *cell);

/* Names of the cells of a kind that exist: "breaker --show" without a name. Calls each with the
 * name as it was given, kept in the header. */
int cell_list(struct home *home, const struct cell_kind *kind,
              void (*each)(void *owner, struct str name), void *owner, struct err *err);

/* ---- holders ---- */

/* A process, beyond the reuse of its number: its pid in the upper 22 bits' worth, and the low bits
 * of its start time (field 22 of /proc/PID/stat). 0: nobody. */
typedef uint64_t cell_holder;

cell_holder cell_self(void);               /* this process; cheap after the first time, and right
                                              after a fork */
bool cell_holder_gone(cell_holder holder); /* it has ended, also as a zombie */
pid_t cell_holder_pid(cell_holder holder);

#endif
