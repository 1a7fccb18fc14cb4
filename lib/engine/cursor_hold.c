/* cursor_hold.c: a cursor that this process has. */
#include "engine/cursor_hold.h"

#include "base/mem.h"
#include "base/msg.h"
#include "engine/asking.h"

#include <stdlib.h>

enum { READ_BYTES = 1024 * 1024 }; /* of one read */

/* A move on its way, and what it borrows. */
struct cursor_hold_move {
    struct cursor_move move; /* first */
    struct cursor_hold *hold;
    struct cursor_change *changes;
    struct buf bytes;
};

static struct cursor_op of(const struct cursor_hold *hold)
{
    return (struct cursor_op){.kind = hold->kind, .name = hold->name};
}

/* ---- before the run ---- */

static void say_taken(const struct cursor_hold *hold)
{
    msg_warn("%.*s: process %ld has it", (int)hold->name.len, hold->name.data,
             (long)cell_holder_pid(hold->by));
}

int cursor_hold_open(struct cursor_hold *hold)
{
    struct asking asking;
    struct cursor_open open = {.own = of(hold), .holder = cell_self()};
    asking_expect(&asking, hold->store, &open.own.op);
    cursor_open(hold->store, &open);
    if (asking_wait(&asking) < 0)
        return -1;
    hold->token = open.token;
    hold->is_new = open.is_new;
    hold->by = open.by;
    if (open.own.op.status == STORE_OK)
        return 1;
    say_taken(hold);
    return 0;
}

static int read_some(struct cursor_hold *hold, struct cursor_read *read)
{
    struct asking asking;
    asking_expect(&asking, hold->store, &read->own.op);
    cursor_read(hold->store, read);
    return asking_wait(&asking);
}

int cursor_hold_read(struct cursor_hold *hold,
                     void (*each)(void *owner, const struct cursor_record *record), void *owner)
{
    struct cursor_read read = {.own = of(hold), .count = CURSOR_READ_MAX, .bytes = READ_BYTES};
    struct slice last = {0};
    int status;
    while ((status = read_some(hold, &read)) == 0) {
        for (unsigned i = 0; i < read.got; i++)
            each(owner, &read.records[i]);
        if (!read.more)
            break;
        slice_drop(&last);
        last = slice_hold(read.records[read.got - 1].key);
        read.from = slice_str(last);
        read.beyond = true;
    }
    slice_drop(&last);
    cursor_read_clear(&read);
    return status;
}

/* ---- meanwhile ---- */

static void settle(struct cursor_hold *hold)
{
    hold->pending--;
    if (!hold->pending)
        hold->settled(hold->owner);
}

static void tell_failure(struct cursor_hold *hold, const struct store_op *op)
{
    struct err err;
    if (hold->broken)
        return;
    hold->broken = true;
    if (op->status == STORE_LOST)
        err_set(&err, ERR_STATE, "%.*s: another process has it now, or it was removed",
                (int)hold->name.len, hold->name.data);
    else
        err_set(&err, op->err->kind, "%.*s: keep how far it is: %s: %s", (int)hold->name.len,
                hold->name.data, store_status_name(op->status), op->err->text);
    hold->failed(hold->owner, &err);
}

static void moved(struct store_op *op)
{
    struct cursor_hold_move *own = (struct cursor_hold_move *)(void *)op;
    struct cursor_hold *hold = own->hold;
    if (op->status != STORE_OK)
        tell_failure(hold, op);
    buf_free(&own->bytes);
    free(own->changes);
    free(own);
    settle(hold);
}

/* The bytes of all changes are one block, which must not move while they point into it. */
static void copy(struct cursor_hold_move *own, const struct cursor_change *changes, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += changes[i].key.len + changes[i].value.len;
    buf_reserve(&own->bytes, len + 1);
    own->changes = mem_array(count ? count : 1, sizeof *own->changes);
    for (size_t i = 0; i < count; i++) {
        struct cursor_change *copied = &own->changes[i];
        *copied = changes[i];
        copied->key.data = own->bytes.data + own->bytes.len;
        buf_add_str(&own->bytes, changes[i].key);
        if (changes[i].value.data)
            copied->value.data = own->bytes.data + own->bytes.len;
        buf_add_str(&own->bytes, changes[i].value);
    }
}

void cursor_hold_move(struct cursor_hold *hold, const struct cursor_change *changes, size_t count)
{
    if (hold->broken || !hold->token)
        return;
    struct cursor_hold_move *own = mem_zalloc(sizeof *own);
    own->hold = hold;
    own->move = (struct cursor_move){.own = of(hold), .token = hold->token, .count = count};
    copy(own, changes, count);
    own->move.changes = own->changes;
    own->move.own.op.done = moved;
    own->move.own.op.owner = hold;
    hold->pending++;
    cursor_move(hold->store, &own->move);
}

/* ---- at the end ---- */

static void closed(struct store_op *op)
{
    settle(op->owner);
}

void cursor_hold_close(struct cursor_hold *hold)
{
    if (!hold->token)
        return;
    hold->close = (struct cursor_close){.own = of(hold), .token = hold->token};
    hold->close.own.op.done = closed;
    hold->close.own.op.owner = hold;
    hold->token = 0;
    hold->pending++;
    cursor_close(hold->store, &hold->close);
}

bool cursor_hold_is_idle(const struct cursor_hold *hold)
{
    return !hold->pending;
}
