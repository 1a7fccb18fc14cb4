/* queue_batch.c: messages that were leased together, until each of them has ended. */
#include "engine/queue_batch.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/msg.h"
#include "base/num.h"
#include "engine/deadletter.h"

#include <stdlib.h>

void queue_batches_fail(struct queue_batches *all, const struct store_op *op, const char *what)
{
    struct err err;
    err_set(&err, op->err->kind, "%s: %s: %s", all->name, what, op->err->text);
    all->fail(all->owner, &err);
}

/* ---- forgetting ---- */

static void forget(struct queue_batch *batch)
{
    struct queue_batches *all = batch->all;
    LIST_REMOVE(all, batch);
    if (all->current == batch)
        all->current = NULL;
    for (unsigned i = 0; i < batch->lease.got; i++) {
        buf_free(&batch->held[i].text);
        slice_drop(&batch->held[i].answer);
    }
    free(batch->held);
    queue_lease_clear(&batch->lease);
    free(batch);
}

static void sweep(struct loop_task *task)
{
    struct queue_batches *all = CONTAINER_OF(task, struct queue_batches, sweep);
    struct queue_batch *next;
    for (struct queue_batch *batch = all->first; batch; batch = next) {
        next = batch->next;
        if (!batch->open && !batch->extending)
            forget(batch);
    }
    all->progress(all->owner);
}

/* Something about the batch has ended. */
static void close_batch(struct queue_batch *batch)
{
    struct queue_batches *all = batch->all;
    all->ending--;
    if (!batch->open && !batch->extending) {
        all->sweep.run = sweep;
        loop_defer(store_loop(all->store), &all->sweep);
    }
    all->progress(all->owner);
}

void queue_batches_free(struct queue_batches *all)
{
    struct loop *loop = store_loop(all->store);
    if (all->ending)
        store_flush(all->store);
    loop_undefer(loop, &all->sweep);
    loop_timer_clear(loop, &all->extend);
    while (all->first)
        forget(all->first);
}

/* ---- ends ---- */

static void tell_lost(struct queue_batches *all)
{
    if (!all->lost)
        msg_warn("%s: a lease ended while its event was worked on, which may be done again "
                 "(--visibility)",
                 all->name);
    all->lost = true;
}

static void end_kept(struct store_op *op)
{
    struct queue_held *held = (struct queue_held *)(void *)op;
    struct queue_batches *all = held->batch->all;
    held->batch->open--;
    if (op->status == STORE_LOST)
        tell_lost(all);
    else if (op->status != STORE_OK)
        queue_batches_fail(all, op, "end a message");
    close_batch(held->batch);
}

void queue_held_answer_take(struct queue_held *held, struct slice lines, size_t count)
{
    struct slice *answer = &held->answer;
    held->results += count;
    if (!answer->len) {
        *answer = lines;
        return;
    }
    struct buf both = {0};
    buf_add_str(&both, slice_str(*answer));
    buf_add_str(&both, slice_str(lines));
    size_t len = both.len;
    slice_drop(answer);
    slice_drop(&lines);
    *answer = slice_take(buf_take(&both), len);
}

void queue_held_refuse(struct queue_held *held, const struct failure *failure)
{
    buf_clear(&held->text);
    buf_addc(&held->text, '{');
    deadletter_failure(&held->text, failure);
    buf_addc(&held->text, '}');
    held->has_letter = true;
}

/* More than a store takes: who asks is told that. */
static void refuse_large(struct queue_held *held)
{
    char limit[NUM_TEXT];
    struct failure *failure = failure_new(FAILURE_BAD_RESULT, FAILURE_PERMANENT,
                                          "more than the %s that an answer may have",
                                          num_format_size(STORE_VALUE_MAX, limit));
    queue_held_refuse(held, failure);
    failure_free(failure);
}

void queue_held_end(struct queue_held *held, enum queue_verb verb)
{
    struct queue_batches *all = held->batch->all;
    all->ending++;
    all->left--;
    held->end.own.op.done = end_kept;
    /* Who asks waits; but not for the disk once for each of many. */
    held->end.own.op.patient = !all->hasty && (!held->message->asks || all->left);
    held->end.own.queue = all->queue;
    held->end.token = held->batch->lease.token;
    held->end.slot = held->message->slot;
    if (verb == QUEUE_ACK && held->answer.len > STORE_VALUE_MAX) {
        refuse_large(held);
        verb = QUEUE_BURY;
    }
    held->end.answer = slice_str(held->answer);
    held->end.results = held->results;
    if (verb == QUEUE_NACK && !held->has_letter)
        held->end.failure = buf_str(&held->text);
    if (verb == QUEUE_BURY)
        held->end.letter = buf_str(&held->text);
    queue_end(all->store, &held->end, verb);
}

void queue_batches_give_back(struct queue_batches *all)
{
    for (struct queue_batch *batch = all->first; batch; batch = batch->next) {
        while (batch->handed < batch->lease.got) {
            struct queue_held *held = queue_batch_hand_out(batch);
            held->end.uncounted = true;
            queue_held_end(held, QUEUE_NACK);
        }
    }
}

/* ---- leases ---- */

static void extended(struct store_op *op)
{
    struct queue_batch *batch = op->owner;
    batch->extending = false;
    if (op->status == STORE_LOST) { /* what has not begun is another worker's now */
        batch->open -= batch->lease.got - batch->handed;
        batch->all->left -= batch->lease.got - batch->handed;
        batch->handed = batch->lease.got;
    } else if (op->status != STORE_OK) {
        queue_batches_fail(batch->all, op, "extend a lease");
    }
    close_batch(batch);
}

static void extend(struct queue_batch *batch)
{
    struct queue_batches *all = batch->all;
    all->ending++;
    batch->extending = true;
    batch->extend = (struct queue_extend){
        .own.op.done = extended,
        .own.op.owner = batch,
        .own.queue = all->queue,
        .token = batch->lease.token,
        .visibility = all->visibility,
    };
    queue_extend(all->store, &batch->extend);
}

static void extend_all(struct loop_timer *timer)
{
    struct queue_batches *all = CONTAINER_OF(timer, struct queue_batches, extend);
    struct loop *loop = store_loop(all->store);
    for (struct queue_batch *batch = all->first; batch; batch = batch->next) {
        if (batch->open && !batch->extending)
            extend(batch);
    }
    if (all->first)
        loop_timer_set(loop, timer, loop_now(loop) + all->visibility / 2);
}

void queue_batches_take(struct queue_batches *all, struct queue_batch *batch)
{
    struct loop *loop = store_loop(all->store);
    unsigned got = batch->lease.got;
    batch->all = all;
    batch->held = mem_array(got, sizeof *batch->held);
    for (unsigned i = 0; i < got; i++) {
        batch->held[i].batch = batch;
        batch->held[i].message = &batch->lease.messages[i];
    }
    batch->open = got;
    all->left += got;
    batch->leased_at = loop_now(loop);
    LIST_APPEND(all, batch);
    all->extend.fire = extend_all;
    if (!all->extend.place)
        loop_timer_set(loop, &all->extend, loop_now(loop) + all->visibility / 2);
}

struct queue_batch *queue_batches_current(struct queue_batches *all)
{
    struct queue_batch *batch = all->current ? all->current : all->first;
    while (batch && batch->handed == batch->lease.got)
        batch = batch->next;
    all->current = batch;
    return batch;
}

struct queue_held *queue_batch_hand_out(struct queue_batch *batch)
{
    return &batch->held[batch->handed++];
}
