/*
 * ledger_log.h: one ledger of the embedded store: a log of records that only grows.
 *
 * A folder of the state directory, ledger/ and the name (home_file), with
 *
 *     log       a header, then records: what a call gave, by its key
 *     runs      8 bytes for each run: the first of its places that was not printed
 *     index.N   where in the log a key's record stands (ledger_index.h)
 *
 * Why a log and not records in LMDB: keys are hashes, so each record of a group would fall on a
 * page of its own, and a commit would write a thousand pages for a thousand records. Here it is one
 * write and one sync.
 *
 * Who writes holds a lock on the log (flock), brings the index up to the log's end, then appends. A
 * torn record at the end (a power cut) is recognised by its checksum and cut off. A write or sync
 * that fails leaves the log as it was: its length is put back.
 */
#ifndef FIT_STATE_LEDGER_LOG_H
#define FIT_STATE_LEDGER_LOG_H

#include "state/home.h"
#include "state/ledger.h"

struct ledger_log;

/* Open it; make it if it is not there. NULL with err: ERR_NOT_FOUND without make. */
struct ledger_log *ledger_log_open(struct home *home, struct str name, bool make, struct err *err);
void ledger_log_free(struct ledger_log *log); /* NULL is a no-op */

struct str ledger_log_name(const struct ledger_log *log);

/* Do the operations on this ledger that change it, of a list linked by op.next; the others are
 * skipped. Sets their statuses and answers. -1 with err: none of the records was added. */
int ledger_log_commit(struct ledger_log *log, struct store_op *first, bool sync, struct err *err);

/* LEDGER_FIND. -1 with err. */
int ledger_log_find(struct ledger_log *log, struct ledger_op *op, struct err *err);

/* Remove it with all its records. 1, 0: there is none of that name, -1 with err. */
int ledger_log_drop(struct home *home, struct str name, struct err *err);

#endif
