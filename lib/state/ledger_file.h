/*
 * ledger_file.h: the files of one ledger: where they are, how they begin. Internal to lib/state.
 *
 * ledger/ and the name (home_file) is a folder with the log, the runs and the index. The log begins
 * with a head that holds the name; records follow (ledger_log.c). It knows nothing of records.
 */
#ifndef FIT_STATE_LEDGER_FILE_H
#define FIT_STATE_LEDGER_FILE_H

#include "base/buf.h"
#include "state/home.h"

#include <stdint.h>

struct ledger_file {
    struct home *home;
    int dir, log, runs;
    struct buf name;
    uint64_t start; /* of the first record in the log */
};

/* Open, with make also what is not there. It is locked then. -1 with err (ERR_NOT_FOUND: there is
 * no such ledger); it is still to be closed. */
int ledger_file_open(struct ledger_file *file, struct home *home, struct str name, bool make,
                     struct err *err);
void ledger_file_close(struct ledger_file *file);

/* For as long as the log is read to its end or written. -1 with err. */
int ledger_file_lock(struct ledger_file *file, struct err *err);
void ledger_file_unlock(struct ledger_file *file);

/* ERR_SYSTEM from errno, which names the ledger. Returns -1. */
int ledger_file_err(const struct ledger_file *file, const char *what, struct err *err);

/* Remove log and runs of an open one, and its folder as far as it is empty. -1 with err. */
int ledger_file_remove(struct ledger_file *file, struct err *err);

/* Call each with the name of every ledger, and how many bytes its log has. */
int ledger_file_list(struct home *home, void (*each)(void *owner, struct str name, uint64_t bytes),
                     void *owner, struct err *err);

#endif
