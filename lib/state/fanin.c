/* fanin.c: what is asked of collections of groups, and who does it. */
#include "state/fanin.h"

#include "state/fanin_record.h"

enum { FANIN_COST = 128 }; /* bytes that an operation writes beside what it brings, about */

static int apply_show(struct apply *apply, struct fanin_show *show)
{
    const struct fanin *fanin = fanin_of(apply, show->own.name, false);
    if (apply->txn->failed)
        return -1;
    if (!fanin) {
        show->own.op.status = STORE_ABSENT;
        return 0;
    }
    show->open = fanin->numbers.open;
    show->parts = fanin->numbers.parts;
    show->closed = fanin->numbers.ready + fanin->numbers.held;
    show->remembered = fanin->numbers.remembered;
    return 0;
}

int fanin_apply(struct apply *apply, struct store_op *op)
{
    void *own = op;
    switch (((struct fanin_op *)own)->verb) {
    case FANIN_ADD:
        return fanin_apply_add(apply, own);
    case FANIN_TAKE:
        return fanin_apply_take(apply, own);
    case FANIN_END:
        return fanin_apply_end(apply, own);
    default:
        return apply_show(apply, own);
    }
}

static void submit(struct store *store, struct fanin_op *own, enum fanin_verb verb, size_t bytes)
{
    own->verb = verb;
    own->op.kind = STORE_FANIN;
    own->op.reads = verb == FANIN_SHOW;
    own->op.cost = FANIN_COST + bytes;
    store_submit(store, &own->op);
}

void fanin_add(struct store *store, struct fanin_add *add)
{
    submit(store, &add->own, FANIN_ADD, add->group.len + add->id.len + add->value.len);
}

void fanin_take(struct store *store, struct fanin_take *take)
{
    submit(store, &take->own, FANIN_TAKE, take->note.len);
}

void fanin_end(struct store *store, struct fanin_end *end)
{
    submit(store, &end->own, FANIN_END, end->note.len + end->letter.len);
}

void fanin_show(struct store *store, struct fanin_show *show)
{
    submit(store, &show->own, FANIN_SHOW, 0);
}
