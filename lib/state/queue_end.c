/* queue_end.c: what became of a message that was leased. */
#include "state/queue_record.h"

static int keep_failure(struct apply *apply, const struct queue *queue, uint64_t seq,
                        struct str failure)
{
    unsigned char key[QUEUE_KEY];
    if (failure.len > QUEUE_FAILURE)
        failure.len = QUEUE_FAILURE;
    struct str at = queue_key(key, queue->number, LANE_FAILURE, seq);
    return table_put(apply->txn, SPACE_MESSAGE, at, failure);
}

static int nack(struct apply *apply, struct queue *queue, const struct leased *leased,
                const struct queue_end *end)
{
    struct message_state state = leased->state;
    if (end->uncounted && state.receives)
        state.receives--;
    if (end->failure.len) {
        state.flags |= STATE_FAILED;
        if (keep_failure(apply, queue, leased->seq, end->failure) < 0)
            return -1;
    }
    return queue_make_delayed(apply, queue, leased->seq, state, apply->wall + end->delay);
}

static int finish(struct apply *apply, struct queue *queue, const struct leased *leased,
                  const struct queue_end *end)
{
    if (end->own.verb == QUEUE_NACK)
        return nack(apply, queue, leased, end);
    queue->out++;
    bool asks = leased->state.flags & STATE_ASKS;
    if (asks && queue_answer(apply, queue, leased, end) < 0)
        return -1;
    if (asks || end->own.verb == QUEUE_ACK) {
        queue->numbers.done++;
    } else {
        queue->numbers.letters++;
        if (dead_add(apply, buf_str(&queue->name), end->letter) < 0)
            return -1;
    }
    return queue_erase(apply, queue, leased->seq, leased->state);
}

int queue_apply_end(struct apply *apply, struct queue_end *end)
{
    struct queue *queue = queue_of(apply, end->own.queue, false);
    struct lease *lease = queue ? queue_find_lease(apply, queue, end->token) : NULL;
    struct leased *leased = lease ? queue_find_leased(lease, end->slot) : NULL;
    if (!leased) {
        end->own.op.status = STORE_LOST;
        return apply->txn->failed ? -1 : 0;
    }
    leased->ended = true;
    lease->left--;
    lease->dirty = queue->dirty = true;
    if (--queue->numbers.in_flight == 0)
        queue->ring = true; /* for those who wait until all is done */
    return finish(apply, queue, leased, end);
}
