/*
 * asking.h: commands that only ask the store: no events, one operation after another, each waited
 * for.
 */
#ifndef FIT_ENGINE_ASKING_H
#define FIT_ENGINE_ASKING_H

#include "engine/engine.h"
#include "state/store.h"

/* An engine without a run, and its store. NULL: said, and *status is set. engine_free in any case.
 */
struct store *asking_open(const struct common_options *options, struct engine **engine,
                          int *status);

/* Is there a state directory? Who only looks makes none. False: *status is what to exit with. */
bool asking_has_state(const struct common_options *options, int *status);

/* An operation whose end is waited for: expect, submit, wait. */
struct asking {
    struct store *store;
    struct store_op *op;
    bool done, waited;
    struct err err;
};
void asking_expect(struct asking *asking, struct store *store, struct store_op *op);
/* 0, or -1 after saying that it failed. Absent, in conflict, full and lost are answers. */
int asking_wait(struct asking *asking);

/* The exit status, after all of text is on stdout, or it was said why not. */
int asking_print(struct engine *engine, struct str text);

#endif
