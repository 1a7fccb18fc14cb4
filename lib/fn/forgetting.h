/*
 * forgetting.h: answers that were made use of, forgotten many at a time. Internal to lib/fn: for
 * request.c, which knows what is still asked.
 */
#ifndef FIT_FN_FORGETTING_H
#define FIT_FN_FORGETTING_H

#include "state/reply.h"

enum { FORGETTING_MOST = 1024 }; /* are gathered; then they are forgotten without being told to */

struct forgetting {
    /* Set by the owner. */
    struct store *store;
    struct str set;
    /* Is it asked again? Who asks it now will forget it. */
    bool (*is_asked)(void *owner, struct hash128 request);
    void (*ended)(void *owner,
                  const struct store_op *op); /* so many are forgotten, or failed to be */
    void *owner;
    bool hasty; /* nobody will come later: at once */
    /* Private. */
    struct hash128 *requests, *leaving; /* to be forgotten; being forgotten */
    size_t count, room;
    struct reply_forget op;
    bool busy;
};

void forgetting_add(struct forgetting *own, struct hash128 request);
void forgetting_flush(struct forgetting *own);
bool forgetting_is_over(const struct forgetting *own); /* nothing is left to be forgotten */
void forgetting_free(struct forgetting *own);          /* no operation may be on its way */

#endif
