/*
 * kv_watch.h: be told of every write to the keys that begin so.
 *
 * Writes are told in the order of their versions, each once, none left out while the watch runs;
 * two writes of the same key may be told as one, the later (the embedded engine does that only with
 * values over KV_LOG_VALUE bytes). When writes are no longer known that were not told (the
 * asked-for version is too old, a connection was away for too long), the watch says resync: list
 * everything, what follows are the writes after that moment. In between it sleeps in the kernel.
 */
#ifndef FIT_STATE_KV_WATCH_H
#define FIT_STATE_KV_WATCH_H

#include "state/kv.h"

struct kv_watch;

/* All are called in the loop, and may free the watch. Records are valid during the call. */
struct kv_watch_calls {
    void (*changed)(void *owner, const struct kv_record *record);
    void (*resync)(void *owner, uint64_t version);
    void (*failed)(void *owner, const struct err *err); /* it has ended; to be freed */
};

/* since: a version, 0 for all that is known, or KV_NOW. NULL with err. */
struct kv_watch *kv_watch_open(struct store *store, struct str prefix, uint64_t since,
                               const struct kv_watch_calls *calls, void *owner, struct err *err);
void kv_watch_free(struct kv_watch *watch); /* NULL is a no-op */

#endif
