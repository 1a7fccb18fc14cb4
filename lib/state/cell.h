/*
 * cell.h: a small state that processes share in memory: hot, and lost without harm.
 *
 * A cell is one file of run/, mapped by each process that opens it: a header (magic, layout, size,
 * boot, name, checksum of these), a robust process-shared mutex, and the payload, a plain struct
 * without pointers. Locking costs no system call when uncontended, 20 to 40 ns.
 *
 * What can go wrong, and what is done:
 *   - a process dies within the lock: the next one is told (EOWNERDEAD), calls the kind's `repair`,
 *     and goes on;
 *   - the file is torn, foreign, or of another layout: it is replaced by a fresh one (renamed into
 *     place, so that those who have mapped the old one are not pulled apart), and cell_open tells
 *     the caller to warn;
 *   - the machine was started anew: locks and times of before mean nothing. The payload is moved
 *     into a fresh file, and `rebase` is called once;
 *   - the file is removed, by cell_remove: it is marked as retired, and who has it mapped opens
 *     anew. One that is deleted behind our backs lives on among those who have it mapped;
 *   - the disk is full when the file is made: its blocks are allocated then (posix_fallocate), so a
 *     mapped page never fails later. To truncate a file that is mapped kills (SIGBUS).
 *
 * Making, replacing and removing are done under a lock of the folder run/ (flock), opening is not.
 *
 * Holding a part of a cell (a slot, a probe) is a lease of a live process: a cell_holder, which
 * names a process beyond the reuse of its number. All processes that share the directory must see
 * the same numbers (one pid namespace).
 */
#ifndef FIT_STATE_CELL_H
#define FIT_STATE_CELL_H

#include "base/err.h"
#include "base/str.h"
#include "state/home.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { CELL_KIND = 16 }; /* bytes of the name of a kind, with its NUL */

struct cell_kind {
    const char *name; /* "breaker": of its file and its magic; no '-' in it */
    uint32_t layout;  /* raised with every change of the payload's struct */
    size_t size;      /* of the payload */
    void (*init)(void *payload, const void *context); /* zeroed before; NULL: that is enough */
    /* Another boot, after which a part of what was written last may be missing. NULL: nothing to
     * do. */
    void (*rebase)(void *payload, const void *context);
    /* A holder of the lock died in the middle of a change. NULL: nothing to do. */
    void (*repair)(void *payload, const void *context);
};

struct cell;

/*
 * Open or make it. home NULL: a private one, in memory. Kind, home and context must outlive it;
 * context is handed to the kind's functions during this call and later ones that lock. *reset (may
 * be NULL) tells whether a damaged file was replaced. NULL with err.
 */
struct cell *cell_open(struct home *home, const struct cell_kind *kind, struct str name,
                       const void *context, bool *reset, struct err *err);
void cell_free(struct cell *cell); /* NULL is a no-op; the file stays */

/* Remove the file. Those who have it mapped open a fresh one with their next lock. ERR_NOT_FOUND
 * when there is none. */
int cell_remove(struct home *home, const struct cell_kind *kind, struct str name, struct err *err);

/* The payload, until cell_unlock. Never fails: a cell whose file was replaced is opened anew, and
 * if that cannot be done goes on as a private one. Not recursive; held for microseconds. */
void *cell_lock(struct cell *cell);
void cell_unlock(struct cell *cell);

/* The payload without the lock, until the next call for this cell: only for single words that are
 * read with __atomic_load_n. Opens anew as cell_lock does. */
const void *cell_peek(struct cell *cell);

/* How often it was opened anew: another number than before means another payload, in which nothing
 * is held by this process. */
unsigned cell_moves(const struct cell *cell);

/* Names of the cells of a kind that exist, as they were given, in the order of their bytes:
 * "breaker --show" without a name. The callback may remove them. */
int cell_list(struct home *home, const struct cell_kind *kind,
              void (*each)(void *owner, struct str name), void *owner, struct err *err);

/* ---- holders (cell_holder.c) ---- */

/* A process, beyond the reuse of its number: its pid in the upper 22 bits, and the low bits of its
 * start time (field 22 of /proc/PID/stat; 0: not known) below. 0: nobody. */
typedef uint64_t cell_holder;

cell_holder cell_self(void);               /* this process; no system call after the first time,
                                              and right after a fork */
bool cell_holder_gone(cell_holder holder); /* it has ended, also as a zombie; some microseconds */
pid_t cell_holder_pid(cell_holder holder);

#endif
