/*
 * bell.h: wake those who sleep, in any process that shares the state directory.
 *
 * A bell is a small file in run/. To ring it is to write one byte at its start; who waits has an
 * inotify watch on it in its loop, and so sleeps in the kernel. Rings coalesce, and one may come
 * without a reason: whoever is woken looks for itself. Ring after what is announced can be seen
 * (committed). Start to listen, then look, then sleep: a ring in between is not missed.
 *
 * A file that somebody removed (a cleaner of old files) is made and watched anew.
 */
#ifndef FIT_STATE_BELL_H
#define FIT_STATE_BELL_H

#include "base/err.h"
#include "base/str.h"
#include "state/home.h"
#include "sys/loop.h"

struct bell;

/* kind and name as for home_file. The file is made when it is first rung or listened to. */
struct bell *bell_open(struct home *home, const char *kind, struct str name);
void bell_free(struct bell *bell); /* also stops listening; NULL is a no-op */

/* One system call, once the file is open. A bell that cannot be rung is an error: -1 with err. */
int bell_ring(struct bell *bell, struct err *err);

/* Call heard in the loop after a ring of anybody, this process included. Again: no-op. -1 with err.
 */
int bell_listen(struct bell *bell, struct loop *loop, void (*heard)(void *owner), void *owner,
                struct err *err);
void bell_deafen(struct bell *bell); /* stop; no-op when not listening */

#endif
