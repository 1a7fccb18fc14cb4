/*
 * submit.h: what functions have in common that put each event into a store. Internal to lib/fn.
 *
 * A call is done when its operation is committed, together with all that were gathered meanwhile
 * (store.h). The kinds (queue.c, topic.c) say which operation it is; the rest of them is here.
 */
#ifndef FIT_FN_SUBMIT_H
#define FIT_FN_SUBMIT_H

#include "fn/kind.h"
#include "state/queue.h"
#include "state/topic.h"

enum {
    SUBMIT_GATHERED = STORE_GROUP, /* operations on their way; then the function has no room */
    SUBMIT_GATHERED_BYTES = STORE_GROUP_BYTES, /* their bytes; the same */
};

struct submission { /* an event on its way */
    union {
        struct store_op op;
        struct queue_push push;
        struct topic_publish publish;
    } as; /* first */
    /* Private to submit.c. */
    struct submit_target *target;
    struct fn_call *call; /* or NULL and */
    struct fn_put *put;
    struct buf line; /* of a put: the caller's is not kept */
    size_t bytes;
    bool sending; /* within fn_put, which has to return before the put ends */
    struct failure *failure;
    struct loop_task late;
    struct submission *next;
};

struct submit_way {
    const char *what; /* "queues": there may be none where functions are called without a state */
    const char *verb; /* "push to": for messages */
    /* Set up the operation, with submit_done, and submit it. */
    void (*send)(struct store *store, struct submission *submission, struct str name,
                 struct str event);
};

void submit_done(struct store_op *op);

/* What a kind is made of. The function's word is the name of what it submits to. */
int submit_open(struct fn *fn, const struct submit_way *way, struct err *err);
bool submit_has_slot(const struct fn *fn);
void submit_begin(struct fn *fn, struct fn_call *call);
bool submit_put(struct fn *fn, struct fn_put *put, struct str line);
void submit_cancel(struct fn *fn, enum failure_reason reason, bool now);
void submit_close(struct fn *fn);
void submit_free(struct fn *fn);

#endif
