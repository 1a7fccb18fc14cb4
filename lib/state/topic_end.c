/* topic_end.c: what became of an event that was handed out to a subscriber. */
#include "state/topic_record.h"

int topic_apply_end(struct apply *apply, struct topic_end *end)
{
    struct topic *topic;
    struct reader *reader =
        topic_reader_with(apply, end->own.topic, end->subscriber, end->token, &topic);
    if (!reader) {
        end->own.op.status = STORE_LOST;
        return apply->txn->failed ? -1 : 0;
    }
    if (end->seq > topic->numbers.seq || end->seq > reader->position.at + TOPIC_AHEAD) {
        end->own.op.status = STORE_ABSENT;
        return 0;
    }
    bool buries = end->own.verb == TOPIC_BURY;
    bool is_gone = end->seq < topic->numbers.kept; /* since it was handed out: not so its letter */
    if (!position_end(&reader->position, end->seq) && !(buries && is_gone))
        return 0;
    reader->dirty = true;
    reader->numbers.last_at = (uint64_t)apply->wall;
    if (!buries) {
        reader->numbers.done++;
        return 0;
    }
    reader->numbers.dead++;
    return dead_add(apply, (struct str){NULL, 0}, end->letter);
}
