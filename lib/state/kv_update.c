/* kv_update.c: read a value, change it, write it if nobody has changed it meanwhile, else again. */
#include "state/kv_update.h"

#include "base/list.h"

static void read_value(struct kv_update *update);

static void end(struct kv_update *update, enum store_status status, const struct err *err)
{
    update->status = status;
    update->err = err;
    update->done(update);
}

static void written(struct store_op *op)
{
    struct kv_update *update = op->owner;
    if (op->status == STORE_UNKNOWN && update->repeats < KV_UPDATE_REPEATS) {
        update->repeats++;
        kv_submit(update->store, &update->op);
        return;
    }
    if (op->status == STORE_CONFLICT && !update->repeats) {
        read_value(update);
        return;
    }
    /* Refused after an unknown end: the first one may have been applied, and written over. */
    enum store_status status = op->status == STORE_CONFLICT ? STORE_UNKNOWN : op->status;
    if (op->status == STORE_CONFLICT)
        err_set(&update->why, ERR_SYSTEM, "the connection was lost, and others have written since");
    update->version = update->op.version;
    end(update, status, op->status == STORE_CONFLICT ? &update->why : op->err);
}

static void got(struct store_op *op)
{
    struct kv_update *update = op->owner;
    struct kv_op *own = &update->op;
    bool there = op->status == STORE_OK;
    if (!there && op->status != STORE_ABSENT) {
        end(update, op->status, op->err);
        return;
    }
    struct str old = there ? buf_str(&own->answer) : (struct str){NULL, 0};
    update->version = there ? own->version : 0;
    buf_clear(&update->value);
    int made = update->change(update->owner, old, &update->value, &update->why);
    if (made) {
        buf_clear(&update->value);
        buf_add_str(&update->value, old);
        end(update, made < 0 ? STORE_NOT_APPLIED : STORE_OK, made < 0 ? &update->why : NULL);
        return;
    }
    own->verb = KV_CAS;
    own->op.done = written;
    own->expected = update->version;
    own->deadline = update->deadline || !there ? update->deadline : own->expires;
    own->value = buf_str(&update->value);
    own->nonce = update->nonce;
    kv_submit(update->store, own);
}

static void read_value(struct kv_update *update)
{
    update->op.verb = KV_GET;
    update->op.op.done = got;
    update->op.value = (struct str){NULL, 0};
    kv_submit(update->store, &update->op);
}

void kv_update_start(struct store *store, struct kv_update *update, uint64_t nonce)
{
    update->store = store;
    update->nonce = nonce;
    update->repeats = 0;
    update->op.op.owner = update;
    update->op.key = update->key;
    read_value(update);
}

void kv_update_free(struct kv_update *update)
{
    kv_op_free(&update->op);
    buf_free(&update->value);
}
