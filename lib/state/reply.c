/* reply.c: answers are fetched, and forgotten. */
#include "state/reply.h"

#include "base/mem.h"
#include "state/pack.h"
#include "state/reply_record.h"

#include <stdlib.h>

enum { REPLY_COST = 64 }; /* bytes that forgetting one writes, about */

/* ---- fetching ---- */

/* What a read gathers; lines are offsets until all are there. */
struct gathering {
    struct apply *apply;
    struct reply_read *asked;
    struct reply_set *set;
    struct buf bytes;
    size_t *ends; /* in bytes, of each one's lines */
    unsigned room;
};

void reply_read_clear(struct reply_read *asked)
{
    for (unsigned i = 0; i < asked->got; i++)
        slice_drop(&asked->answers[i].lines);
    free(asked->answers);
    asked->answers = NULL;
    asked->got = 0;
}

static void make_room(struct gathering *all)
{
    if (all->asked->got < all->room)
        return;
    all->room = all->room ? 2 * all->room : 64;
    all->asked->answers = mem_realloc(all->asked->answers, all->room * sizeof *all->asked->answers);
    all->ends = mem_realloc(all->ends, all->room * sizeof *all->ends);
}

static int gather_one(struct gathering *all, struct str record)
{
    struct reply_read *asked = all->asked;
    struct reply_stored stored;
    struct err err;
    if (reply_read_stored(all->apply, record, &stored) < 0)
        return -1;
    if (asked->wants && !asked->wants(asked->owner, stored.request))
        return 0;
    make_room(all);
    if (pack_read(stored.packed, &all->bytes, &err) < 0)
        return table_fail(all->apply->txn, err.kind, "%s", err.text);
    asked->answers[asked->got] = (struct reply_answer){
        .request = stored.request, .failed = stored.failed, .count = stored.count};
    all->ends[asked->got++] = all->bytes.len;
    return 0;
}

static void set_lines(struct gathering *all)
{
    struct reply_read *asked = all->asked;
    size_t len = all->bytes.len;
    if (!len)
        return;
    struct slice bytes = slice_take(buf_take(&all->bytes), len);
    for (unsigned i = 0; i < asked->got; i++) {
        size_t begin = i ? all->ends[i - 1] : 0;
        asked->answers[i].lines = slice_of(bytes.block, bytes.data + begin, all->ends[i] - begin);
    }
    slice_drop(&bytes);
}

static int gather(struct gathering *all)
{
    struct reply_read *asked = all->asked;
    unsigned char from[REPLY_NUMBER];
    struct str key, record;
    enum table_result found;
    while (true) {
        struct str at = reply_number_key(from, all->set->number, asked->through);
        found = table_seek(all->apply->txn, SPACE_ANSWER, at, true, &key, &record);
        asked->more = found == TABLE_FOUND && key.len == REPLY_NUMBER &&
                      memcmp(key.data, from, REPLY_PREFIX) == 0;
        if (!asked->more || asked->got == asked->count || all->bytes.len >= asked->bytes)
            break;
        asked->through = table_u64(key.data + REPLY_PREFIX);
        if (gather_one(all, record) < 0)
            return -1;
    }
    return found == TABLE_FAILED ? -1 : 0;
}

static int apply_read(struct apply *apply, struct reply_read *asked)
{
    struct gathering all = {.apply = apply, .asked = asked};
    reply_read_clear(asked);
    asked->through = asked->after;
    asked->more = false;
    if (asked->count > REPLY_READ_MAX)
        asked->count = REPLY_READ_MAX;
    all.set = reply_set_named(apply, asked->own.set, false);
    int status = all.set ? gather(&all) : apply->txn->failed ? -1 : 0;
    set_lines(&all);
    buf_free(&all.bytes);
    free(all.ends);
    return status;
}

/* ---- forgetting ---- */

static int apply_forget(struct apply *apply, const struct reply_forget *forget)
{
    struct reply_set *set = reply_set_named(apply, forget->own.set, false);
    for (size_t i = 0; set && i < forget->count; i++) {
        if (reply_leave(apply, set, forget->requests[i], forget->asker) < 0)
            return -1;
    }
    return apply->txn->failed ? -1 : 0;
}

int reply_apply(struct apply *apply, struct store_op *op)
{
    void *own = op;
    if (((struct reply_op *)own)->verb == REPLY_READ)
        return apply_read(apply, own);
    return apply_forget(apply, own);
}

static void submit(struct store *store, struct reply_op *own, enum reply_verb verb, size_t count)
{
    own->verb = verb;
    own->op.kind = STORE_REPLY;
    own->op.reads = verb == REPLY_READ;
    own->op.cost = REPLY_COST * count;
    store_submit(store, &own->op);
}

void reply_read(struct store *store, struct reply_read *read)
{
    submit(store, &read->own, REPLY_READ, 0);
}

void reply_forget(struct store *store, struct reply_forget *forget)
{
    submit(store, &forget->own, REPLY_FORGET, forget->count);
}
