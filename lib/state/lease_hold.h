/*
 * lease_hold.h: get a name's lease, waiting for it if need be, and keep it.
 *
 * The holder is this process. While it waits it sleeps in the kernel: until the name's bell rings,
 * the process that holds it goes, or its deadline passes. While it holds, it renews in time. Nobody
 * is first in line: all who wait are woken and try.
 */
#ifndef FIT_STATE_LEASE_HOLD_H
#define FIT_STATE_LEASE_HOLD_H

#include "state/lease.h"

struct lease_hold;

/* All are called in the loop, never within lease_hold_open, and may free the hold. */
struct lease_hold_calls {
    void (*held)(void *owner, uint64_t token);
    /* Not got: another holds it, and the time to wait is over. */
    void (*busy)(void *owner, const struct lease_held *by);
    /* It was held, and is somebody else's now or may be: nothing may be done under it any more. */
    void (*lost)(void *owner);
    /* It could not be acquired. */
    void (*failed)(void *owner, const struct err *err);
};

/*
 * name lives as long as the hold. ttl: nanoseconds that a lease without a visible holder lives if
 * it is not renewed; it is renewed after a third of it. until: wait until then (clock_now); 0: not;
 * INT64_MAX: for ever.
 */
struct lease_hold *lease_hold_open(struct store *store, struct str name, int64_t ttl, int64_t until,
                                   const struct lease_hold_calls *calls, void *owner);

/* Release it, if it is held, and free. The release is committed with the store's next commit
 * (store_flush). NULL is a no-op. */
void lease_hold_free(struct lease_hold *hold);

#endif
