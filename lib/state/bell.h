/*
 * bell.h: wake those who sleep, in any process that shares the state directory.
 *
 * A bell is a FIFO in run/, "bell.KIND-NAME". To ring it is to write one byte; who waits has it in
 * the loop, edge-triggered, never reads it, and so sleeps in the kernel. Rings coalesce, and one
 * may come without a reason: whoever is woken looks for itself. Ring after what is announced can be
 * seen (committed). Start to listen, then look, then sleep: a ring in between is not missed.
 *
 * Each write wakes all listeners, also when the FIFO is not empty (Linux since 5.14, 5.10.56). Only
 * a ringer that finds it full takes a part out: if it were emptied, a listener that has been woken
 * and has not run yet would find nothing, and sleep on if that ringer was killed.
 *
 * A FIFO that somebody removed (a cleaner of old files) is made and listened to anew. Listeners
 * learn of it by inotify; where a user has no instance of it left (128 by default), by the ringers
 * that have the old one open.
 */
#ifndef FIT_STATE_BELL_H
#define FIT_STATE_BELL_H

#include "base/err.h"
#include "base/str.h"
#include "state/home.h"
#include "sys/loop.h"

struct bell;

/* kind and name as for home_file. The FIFO is made when it is first listened to: a bell that has
 * none has nobody to wake. */
struct bell *bell_open(struct home *home, const char *kind, struct str name);
void bell_free(struct bell *bell); /* also stops listening; NULL is a no-op */

/* Two short system calls, once it is open; one, when nobody has ever listened. A bell that cannot
 * be rung is an error: -1 with err. */
int bell_ring(struct bell *bell, struct err *err);

/* Call heard in the loop after a ring of anybody, this process included. Again: no-op. -1 with err.
 */
int bell_listen(struct bell *bell, struct loop *loop, void (*heard)(void *owner), void *owner,
                struct err *err);
/* Stop; no-op when not listening. To listen again in the same loop is cheap. */
void bell_deafen(struct bell *bell);

#endif
