/* fanin_batch.c: groups that were taken together, until each of them has ended. */
#include "engine/fanin_batch.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/msg.h"

#include <stdlib.h>

void fanin_batches_fail(struct fanin_batches *all, const struct store_op *op, const char *what)
{
    struct err err;
    err_set(&err, op->err->kind, "%s: %s: %s", all->label, what, op->err->text);
    all->fail(all->owner, &err);
}

/* ---- batches ---- */

struct fanin_batch *fanin_batch_new(struct fanin_batches *all)
{
    struct fanin_batch *batch = mem_zalloc(sizeof *batch);
    batch->all = all;
    if (all->written) {
        buf_addc(&batch->note, '+');
        written_add_entry(all->written, &batch->note);
        batch->take.note = buf_str(&batch->note);
    }
    return batch;
}

void fanin_batch_free(struct fanin_batch *batch)
{
    if (!batch)
        return;
    for (unsigned i = 0; batch->held && i < batch->take.got; i++) {
        buf_free(&batch->held[i].letter);
        buf_free(&batch->held[i].note);
    }
    free(batch->held);
    written_past_free(batch->past);
    fanin_take_clear(&batch->take);
    buf_free(&batch->note);
    free(batch);
}

/* In a later turn: who is told of an end may still look at it. */
static void sweep(struct loop_task *task)
{
    struct fanin_batches *all = CONTAINER_OF(task, struct fanin_batches, sweep);
    fanin_batch_free(all->over);
    all->over = NULL;
    all->progress(all->owner);
}

static void end_batch(struct fanin_batches *all, struct fanin_batch *batch)
{
    fanin_batch_free(all->over);
    all->over = batch;
    all->sweep.run = sweep;
    loop_defer(store_loop(all->store), &all->sweep);
}

void fanin_batches_free(struct fanin_batches *all)
{
    if (all->ending)
        store_flush(all->store);
    loop_undefer(store_loop(all->store), &all->sweep);
    fanin_batch_free(all->over);
    fanin_batch_free(all->current);
    written_free(all->written);
}

void fanin_batch_begin(struct fanin_batch *batch)
{
    struct fanin_batches *all = batch->all;
    unsigned got = batch->take.got;
    struct str note = batch->take.groups[0].note; /* that of all of them */
    batch->held = mem_array(got, sizeof *batch->held);
    for (unsigned i = 0; i < got; i++) {
        batch->held[i].batch = batch;
        batch->held[i].group = &batch->take.groups[i];
    }
    if (note.len && store_home(all->store))
        batch->past = written_past_open(store_home(all->store), note);
    batch->open = got;
    all->current = batch;
}

bool fanin_batches_has(const struct fanin_batches *all)
{
    return all->current && all->current->handed < all->current->take.got;
}

struct fanin_held *fanin_batches_hand_out(struct fanin_batches *all)
{
    return &all->current->held[all->current->handed++];
}

void fanin_batches_give_back(struct fanin_batches *all)
{
    while (fanin_batches_has(all)) {
        struct fanin_held *held = fanin_batches_hand_out(all);
        held->end.given_back = true;
        fanin_held_end(held);
    }
}

/* ---- ends ---- */

static void ended(struct store_op *op)
{
    struct fanin_held *held = (struct fanin_held *)(void *)op;
    struct fanin_batch *batch = held->batch;
    struct fanin_batches *all = batch->all;
    all->ending--;
    if (op->status == STORE_LOST && !all->lost) {
        all->lost = true;
        msg_warn("%s: a group was given to another process while it was written", all->label);
    } else if (op->status != STORE_OK && op->status != STORE_LOST) {
        fanin_batches_fail(all, op, "end a group");
    }
    if (--batch->open == 0)
        end_batch(all, batch);
    else if (!all->ending)
        all->progress(all->owner);
}

/* How far this process and those before it have come, for who takes over the rest of the batch. */
static void add_note(struct fanin_held *held)
{
    const struct fanin_batch *batch = held->batch;
    const struct written *written = batch->all->written;
    if (!written && !batch->past)
        return;
    buf_addc(&held->note, '=');
    if (batch->past)
        written_past_add_entries(batch->past, &held->note);
    if (written) {
        if (held->note.len > 1)
            buf_addc(&held->note, '\t');
        written_add_entry(written, &held->note);
    }
    held->end.note = buf_str(&held->note);
}

void fanin_held_end(struct fanin_held *held)
{
    struct fanin_batch *batch = held->batch;
    struct fanin_batches *all = batch->all;
    if (all->written && !held->end.given_back)
        written_acknowledge(all->written, held->written);
    add_note(held);
    if (++batch->told == batch->take.got)
        all->current = NULL;
    all->ending++;
    held->end.own.op.done = ended;
    held->end.own.op.patient = !all->hasty;
    held->end.own.name = all->name;
    held->end.token = batch->take.token;
    held->end.seq = held->group->seq;
    held->end.most = all->most;
    if (held->letter.len)
        held->end.letter = buf_str(&held->letter);
    fanin_end(all->store, &held->end); /* it may be gone then */
}

struct str fanin_held_rest(struct fanin_held *held, struct str lines)
{
    if (held->batch->past)
        lines = written_past_rest(held->batch->past, lines);
    held->written = lines.len;
    return lines;
}
