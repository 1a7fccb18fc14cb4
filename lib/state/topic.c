/* topic.c: what is asked of topics, and who does it. */
#include "state/topic.h"

#include "state/topic_record.h"

enum { TOPIC_COST = 64 }; /* bytes that an operation writes beside its event, about */

int topic_apply(struct apply *apply, struct store_op *op)
{
    void *own = op;
    switch (((struct topic_op *)own)->verb) {
    case TOPIC_PUBLISH:
        return topic_apply_publish(apply, own);
    case TOPIC_KEEP:
        return topic_apply_keep(apply, own);
    case TOPIC_OPEN:
        return topic_apply_open(apply, own);
    case TOPIC_CLOSE:
        return topic_apply_close(apply, own);
    case TOPIC_READ:
        return topic_apply_read(apply, own);
    case TOPIC_ACK:
    case TOPIC_BURY:
        return topic_apply_end(apply, own);
    case TOPIC_LIST:
        return topic_apply_list(apply, own);
    default:
        return topic_apply_remove(apply, own);
    }
}

static void submit(struct store *store, struct topic_op *own, enum topic_verb verb, size_t bytes)
{
    own->verb = verb;
    own->op.kind = STORE_TOPIC;
    own->op.reads = verb == TOPIC_READ || verb == TOPIC_LIST;
    own->op.cost = TOPIC_COST + bytes;
    store_submit(store, &own->op);
}

void topic_publish(struct store *store, struct topic_publish *publish)
{
    submit(store, &publish->own, TOPIC_PUBLISH, publish->event.len);
}

void topic_keep(struct store *store, struct topic_keep *keep)
{
    submit(store, &keep->own, TOPIC_KEEP, 0);
}

void topic_open(struct store *store, struct topic_open *open)
{
    submit(store, &open->own, TOPIC_OPEN, 0);
}

void topic_close(struct store *store, struct topic_close *close)
{
    submit(store, &close->own, TOPIC_CLOSE, 0);
}

void topic_read(struct store *store, struct topic_read *read)
{
    submit(store, &read->own, TOPIC_READ, 0);
}

void topic_end(struct store *store, struct topic_end *end, enum topic_verb verb)
{
    submit(store, &end->own, verb, end->letter.len);
}

void topic_list(struct store *store, struct topic_list *list)
{
    submit(store, &list->own, TOPIC_LIST, 0);
}

void topic_remove(struct store *store, struct topic_remove *remove, enum topic_verb verb)
{
    submit(store, &remove->own, verb, 0);
}
