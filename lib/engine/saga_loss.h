/*
 * saga_loss.h: a failure that waits for its letter until it is known what of its event was undone.
 * Internal to saga.c.
 */
#ifndef FIT_ENGINE_SAGA_LOSS_H
#define FIT_ENGINE_SAGA_LOSS_H

#include "engine/deadletter.h"
#include "engine/saga.h"

struct saga_loss {
    struct saga_loss *next;
    struct saga *saga;
    struct chain_job *own;
    struct slice event; /* that the failed stage was given */
    struct failure *failure;
    struct buf undone, left; /* stages, as in struct letter_way */
    unsigned others;
    size_t held;
    /* The call that begins again: the failed one, or the one that was undone last. */
    unsigned stage;
    uint64_t path;
    struct slice again; /* its event, if it was undone */
};

/* Of a call that has failed; takes over the failure. */
struct saga_loss *saga_loss_new(struct saga *saga, const struct strand *called,
                                struct failure *failure);
void saga_loss_free(struct saga_loss *loss);

/* One loss for all of a list: the first. */
struct saga_loss *saga_loss_join_take(struct saga_loss *losses);

void saga_loss_add_undone(struct saga_loss *loss, unsigned stage, uint64_t path,
                          struct slice *event); /* takes the event */
void saga_loss_add_left(struct saga_loss *loss, unsigned stage);

/* As text for the ledger, and back. What begins again is not in it: it is written before that is
 * known. */
void saga_loss_write(const struct saga_loss *loss, struct buf *text);
struct saga_loss *saga_loss_read(struct saga *saga, struct chain_job *own, struct str text);

/* What the letter says of the way on; scope is room for its scope. */
struct letter_way saga_loss_way(const struct saga_loss *loss, char scope[STRAND_SCOPE]);

#endif
