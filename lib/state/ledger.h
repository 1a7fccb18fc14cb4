/*
 * ledger.h: what has been done, with its results, so that a rerun does nothing twice.
 *
 * A ledger is a name with records. A record's key stands for one call about one event (the event's
 * identity and which part of the work it is); its value is the lines that the call gave. The first
 * record of a key is kept: exactly one result of a call is ever committed, whoever comes second is
 * given the first one's.
 *
 * So that `--new` can tell what an earlier run has printed from what it had only recorded when it
 * was killed, each record knows its run and its place in that run, and each run how far its places
 * have been printed (`shown`).
 */
#ifndef FIT_STATE_LEDGER_H
#define FIT_STATE_LEDGER_H

#include "base/hash.h"
#include "state/store.h"

enum ledger_verb {
    LEDGER_BEGIN, /* a run begins: run is set */
    LEDGER_FIND,  /* read: lines, count and shown of a record, or STORE_ABSENT */
    LEDGER_ADD,   /* STORE_OK, or STORE_CONFLICT with another record that is there: answer, count */
    LEDGER_SHOW,  /* all places of this run below `place` have been printed */
    LEDGER_CLAIM, /* a record that was not shown becomes this run's, at that place */
    LEDGER_DROP,  /* the ledger with all its records */
    LEDGER_LIST,  /* read: answer is a line of JSON for each ledger, with "ledger" and "bytes" */
};

struct ledger_op {
    struct store_op op; /* first */
    enum ledger_verb verb;
    struct str ledger; /* its name */
    struct hash128 key;
    uint64_t run, place;
    struct str lines; /* ADD: each with its LF, borrowed until done; FIND: those of answer */
    uint64_t count;
    bool shown;        /* FIND: an earlier run, or this one, has printed it */
    uint64_t since;    /* ADD: what FIND has set when it found nothing (saves a search), or 0 */
    bool settled;      /* private */
    struct buf answer; /* lines of the record that is there: the caller frees it */
};

/* Zeroed but for verb, ledger and what the verb needs; sets up op and submits. */
void ledger_submit(struct store *store, struct ledger_op *op);

#endif
