/*
 * saga.h: what of an event's finished stages can be undone, and is undone when all that came of it
 * has failed.
 *
 * A step is a finished call of a stage that has an undo function, as long as something that came of
 * it is under way. Strands stand on it, and steps of later stages; its origin (strand.h) counts
 * both. When the last of them is over there are two cases. Something has ended well, or was broken
 * off and may still (a signal, --halt): the step is kept, with all steps before it. Or all has
 * failed for good: the step is undone, and is then a failure of the step before it. So the undo
 * functions of a strand run in reverse order, and a call that gave several events is undone when
 * all of them have failed.
 *
 * A failure that waits for this is a loss. Its letter is written when it is known how far it was
 * undone. Losses that are undone together have one letter, that of the first: it is one event that
 * begins again. An undo that fails for good stops there: it has a letter, and each step before it
 * one, which say what is still to be done.
 *
 * With a ledger three things are recorded under scopes of their own beside the call's:
 *
 *   "failed S"  before the undo is called: that it is decided, with the loss. A later run does not
 *               go forward from there, but goes on undoing.
 *   "undo S"    the call of the undo: it is not made twice.
 *   "over S"    of the step that was undone last: nothing more is to be undone. A later run begins
 *               there in the next round, with another path (strand.h) and so with other scopes and
 *               idempotency keys, as if nothing had been done.
 *
 * It must not know of scheduling.
 */
#ifndef FIT_ENGINE_SAGA_H
#define FIT_ENGINE_SAGA_H

#include "engine/chain_job.h"

enum {
    SAGA_LOSSES = 1024, /* of one step that wait; with more it is kept, as if one had ended well */
};

struct saga { /* of a chain; zeroed but for flow and undos */
    struct chain_flow *flow;
    struct fn **undos; /* of each stage; NULL: it has none. The owner's */
    unsigned count;    /* of stages; 0: none has one */
    size_t held;       /* bytes of steps and losses in memory */
};

/* Do the undo functions take more? Calls of stages may need them. */
bool saga_has_room(const struct saga *saga);

/* A strand's call is about to begin: in the round after those that are over. */
void saga_begin(struct saga *saga, struct strand *called);

/*
 * Its call has given events (still in called->call): they stand on it, if it can be undone. False:
 * an earlier run has decided to undo it, and this one does; nothing more is to be done with them.
 */
bool saga_pass(struct saga *saga, struct strand *called);

/* The strand, which is still to be ended, is over: it has ended well or was given up, or its call
 * has failed, which ends in letters. */
void saga_keep(struct strand *strand);
void saga_fail_take(struct saga *saga, struct strand *called, struct failure *failure);

/* An undo that is left over from an earlier run, with its event (taken over), for a job that has
 * nothing else to do. */
void saga_redrive_take(struct saga *saga, struct chain_job *own, unsigned stage, uint64_t path,
                       struct slice event);

#endif
