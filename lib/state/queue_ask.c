/* queue_ask.c: messages that ask for an answer, and the answers. */
#include "state/queue_record.h"

#include "state/pack.h"

/* ---- asking ---- */

/* Its message is in this queue, and was not purged. 1, 0, -1. */
static int is_under_way(struct apply *apply, const struct queue *queue,
                        const struct reply_message *message)
{
    unsigned char key[QUEUE_KEY];
    struct str record;
    if (message->queue != queue->number)
        return 0;
    struct str at = queue_key(key, queue->number, message->lane, message->seq);
    return (int)table_get(apply->txn, SPACE_MESSAGE, at, &record);
}

static int give_answer(struct apply *apply, const struct reply_set *set, uint64_t number,
                       struct queue_push *push)
{
    unsigned char key[REPLY_NUMBER];
    struct reply_stored stored;
    struct buf lines = {0};
    struct str record;
    struct err err;
    enum table_result there =
        table_get(apply->txn, SPACE_ANSWER, reply_number_key(key, set->number, number), &record);
    if (there == TABLE_ABSENT)
        return table_fail(apply->txn, ERR_NOT_USABLE, "an answer is missing");
    if (there == TABLE_FAILED || reply_read_stored(apply, record, &stored) < 0)
        return -1;
    if (pack_read(stored.packed, &lines, &err) < 0) {
        buf_free(&lines);
        return table_fail(apply->txn, err.kind, "%s", err.text);
    }
    size_t len = lines.len;
    push->is_answered = true;
    push->answer = (struct reply_answer){
        .request = push->request, .failed = stored.failed, .count = stored.count};
    if (len)
        push->answer.lines = slice_take(buf_take(&lines), len);
    return 1;
}

int queue_ask(struct apply *apply, struct queue *queue, struct queue_push *push,
              struct reply_ask *ask)
{
    struct reply_request found;
    slice_drop(&push->answer.lines); /* of an earlier try */
    push->is_duplicate = push->is_answered = false;
    struct reply_set *set = reply_set_named(apply, push->reply, true);
    int there = set ? reply_find(apply, set, push->request, &found) : -1;
    if (there < 0)
        return -1;
    *ask = (struct reply_ask){.set = set->number, .request = push->request};
    push->last = set->numbers.last;
    if (!there || (found.failed && push->again))
        return 0;
    push->seq = found.message.seq;
    int known = found.answered ? give_answer(apply, set, found.number, push)
                               : is_under_way(apply, queue, &found.message);
    push->is_duplicate = known > 0;
    return known > 0 && reply_join(apply, set, push->request, push->asker) < 0 ? -1 : known;
}

int queue_asked(struct apply *apply, const struct queue *queue, const struct queue_push *push,
                unsigned lane)
{
    struct reply_set *set = reply_set_named(apply, push->reply, true);
    struct reply_message message = {.queue = queue->number, .lane = lane, .seq = push->seq};
    return set ? reply_wait(apply, set, push->request, push->asker, &message) : -1;
}

/* ---- answering ---- */

int queue_is_wanted(struct apply *apply, const struct queue *queue, uint64_t seq,
                    const struct message *message)
{
    struct reply_message own = {.queue = queue->number, .seq = seq};
    return message->flags & MESSAGE_ASKS ? reply_waits(apply, &message->ask, &own) : 1;
}

int queue_answer(struct apply *apply, const struct queue *queue, const struct leased *leased,
                 const struct queue_end *end)
{
    unsigned char key[QUEUE_KEY];
    struct reply_message own = {.queue = queue->number, .seq = leased->seq};
    struct message message;
    struct str record, at = queue_key(key, queue->number, leased->state.lane, leased->seq);
    enum table_result found = table_get(apply->txn, SPACE_MESSAGE, at, &record);
    if (found != TABLE_FOUND || queue_read_message(apply, record, &message) < 0)
        return apply->txn->failed ? -1 : 0;
    bool failed = end->own.verb == QUEUE_BURY;
    return reply_answer(apply, &message.ask, &own, failed, failed ? 0 : end->results,
                        failed ? end->letter : end->answer);
}

int queue_refuse(struct apply *apply, uint32_t queue, uint64_t seq, const struct reply_ask *ask,
                 struct str failure)
{
    struct reply_message own = {.queue = queue, .seq = seq};
    return reply_answer(apply, ask, &own, true, 0, failure);
}

int queue_refuse_removed(struct apply *apply, struct str key, struct str record, bool for_room)
{
    struct reply_ask ask;
    unsigned lane = key.len == QUEUE_KEY ? (unsigned char)key.data[4] : LANE_FAILURE;
    if (lane == LANE_FAILURE || !queue_message_asks(record, &ask))
        return 0;
    struct str failure =
        for_room ? STR("{\"reason\":\"queue_full\",\"message\":\"it was dropped from the queue, "
                       "which was full\"}")
                 : STR("{\"reason\":\"purged\",\"message\":\"the queue was emptied before it was "
                       "handled\"}");
    return queue_refuse(apply, table_u32(key.data), table_u64(key.data + 5), &ask, failure);
}
