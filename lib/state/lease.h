/*
 * lease.h: names that one at a time holds.
 *
 * Who acquires a name gets a token: a number that is larger than all tokens given before, of any
 * name. It fences: whoever does something under a lease hands it on, so that what comes from an
 * earlier holder can be told and refused. Renewing and releasing with an old one is STORE_LOST.
 *
 * A lease ends when it is released, and
 *   - with a holder (a process, cell.h), in an engine that can see processes: at once when that has
 *     gone. Its time does not count then: a process that was stopped, or a machine that slept, has
 *     not lost it;
 *   - else: when its deadline has passed. It must be renewed before.
 * So who holds one gives both and renews: it works everywhere.
 *
 * Rings the bell "lease", NAME when one is released. That a holder goes, or a deadline passes,
 * rings nothing; who waits is told both with STORE_CONFLICT. lease_hold.h does all of it.
 */
#ifndef FIT_STATE_LEASE_H
#define FIT_STATE_LEASE_H

#include "state/cell.h"
#include "state/store.h"

enum lease_verb {
    LEASE_ACQUIRE, /* token, or STORE_CONFLICT: another one holds it */
    LEASE_RENEW,   /* until deadline from now on; STORE_LOST */
    LEASE_RELEASE, /* STORE_LOST */
    LEASE_LOOK,    /* read: who holds it, or STORE_ABSENT */
};

struct lease_op {
    struct store_op op; /* first */
    enum lease_verb verb;
    struct str name;
    int64_t deadline;   /* ACQUIRE, RENEW: time of day */
    cell_holder holder; /* ACQUIRE: 0: none */
    uint64_t nonce;     /* ACQUIRE: not 0: one that holds this nonce is one's own. To be repeated
                           with when it ended as STORE_UNKNOWN */
    uint64_t token;     /* RENEW, RELEASE: which; ACQUIRE: set */
    /* Of the lease that is there (LOOK, STORE_CONFLICT). */
    struct lease_held {
        uint64_t token;
        int64_t deadline;
        cell_holder holder;
    } held;
};

/* Zeroed but for verb, name, done, owner, and what the verb needs; sets up op and submits. */
void lease_submit(struct store *store, struct lease_op *op);

#endif
