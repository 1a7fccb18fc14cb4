/* forgetting.c: answers that were made use of, forgotten many at a time. */
#include "fn/forgetting.h"

#include "base/mem.h"

#include <stdlib.h>

static void forgotten(struct store_op *op)
{
    struct forgetting *own = op->owner;
    own->busy = false;
    if (own->hasty || own->count >= FORGETTING_MOST)
        forgetting_flush(own);
    own->ended(own->owner, op);
}

/* What is asked again by now is left to who asks. */
static void leave_out(struct forgetting *own)
{
    size_t count = 0;
    for (size_t i = 0; i < own->count; i++) {
        if (!own->is_asked(own->owner, own->requests[i]))
            own->requests[count++] = own->requests[i];
    }
    own->count = count;
}

void forgetting_flush(struct forgetting *own)
{
    if (own->busy || !own->count)
        return;
    leave_out(own);
    if (!own->count)
        return;
    free(own->leaving);
    own->leaving = own->requests;
    own->busy = true;
    own->op = (struct reply_forget){
        .own.op.done = forgotten,
        .own.op.owner = own,
        .own.op.patient = !own->hasty,
        .own.set = own->set,
        .asker = cell_self(),
        .requests = own->leaving,
        .count = own->count,
    };
    own->requests = NULL;
    own->count = own->room = 0;
    reply_forget(own->store, &own->op);
}

void forgetting_add(struct forgetting *own, struct hash128 request)
{
    if (own->count == own->room) {
        own->room = own->room ? 2 * own->room : 64;
        own->requests = mem_realloc(own->requests, own->room * sizeof *own->requests);
    }
    own->requests[own->count++] = request;
    if (own->count >= FORGETTING_MOST)
        forgetting_flush(own);
}

bool forgetting_is_over(const struct forgetting *own)
{
    return !own->busy && !own->count;
}

void forgetting_free(struct forgetting *own)
{
    free(own->requests);
    free(own->leaving);
}
