/*
 * rings.h: the bells that a store rings once a commit is through, and those it listens to.
 *
 * With a directory they are files that all processes share (bell.h), and who listens is called now
 * and then without a ring, too (RINGS_AGAIN): a process that is killed behind its commit, or cannot
 * open the bell, rings nobody. Without one they are heard in this process only, a turn later.
 */
#ifndef FIT_STATE_RINGS_H
#define FIT_STATE_RINGS_H

#include "base/num.h"
#include "state/bell.h"
#include "state/store.h"

#define RINGS_AGAIN (10 * NUM_SECOND) /* nanoseconds */

struct ring;

struct rings {
    struct home *home; /* NULL: none */
    struct loop *loop;
    struct ring *first; /* bells that were rung */
    size_t count;
    struct store_ear *ears; /* who listens in this process, without a directory */
};

void rings_free(struct rings *rings);

void rings_add(struct rings *rings, const char *kind, struct str name); /* to be rung */
void rings_ring(struct rings *rings); /* all that are to be, once each */
void rings_forget(struct rings *rings);

int rings_listen(struct rings *rings, struct store_ear *ear, struct err *err);
void rings_deafen(struct rings *rings, struct store_ear *ear);

#endif
