/*
 * queue_watch.h: wait until there may be something in a queue, without looking again and again.
 *
 * Something comes by a push or a nack of anybody (a bell), when a delayed message is due or a lease
 * ends by time (a timer), or when a process that holds a lease has ended (its pidfd). Whoever is
 * woken asks for a lease, and may find nothing.
 */
#ifndef FIT_ENGINE_QUEUE_WATCH_H
#define FIT_ENGINE_QUEUE_WATCH_H

#include "base/err.h"
#include "state/queue.h"

struct queue_watch;

/* name is borrowed. NULL with err. */
struct queue_watch *queue_watch_new(struct store *store, struct str name,
                                    void (*woken)(void *owner), void *owner, struct err *err);
void queue_watch_free(struct queue_watch *watch); /* NULL is a no-op */

/* Wait as the answer of a lease that found nothing says (its holders are sorted), in place of what
 * was waited for before; the bell is heard all the time. */
void queue_watch_until(struct queue_watch *watch, struct queue_lease *asked);

#endif
