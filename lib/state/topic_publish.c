/* topic_publish.c: events come into a topic. */
#include "state/topic_record.h"

static int write_event(struct apply *apply, struct topic *topic, struct str event)
{
    unsigned char key[TOPIC_KEY], at[8];
    struct topic_numbers *numbers = &topic->numbers;
    struct buf *record = topic_scratch(apply);
    table_put_u64(at, numbers->last_at);
    buf_add(record, at, sizeof at);
    apply_pack(record, event);
    numbers->bytes += record->len - sizeof at;
    return table_put(apply->txn, SPACE_TOPIC, topic_key(key, topic->number, numbers->seq),
                     buf_str(record));
}

int topic_apply_publish(struct apply *apply, struct topic_publish *publish)
{
    struct topic *topic = topic_of(apply, publish->own.topic, true);
    if (!topic)
        return -1;
    struct topic_numbers *numbers = &topic->numbers;
    if (apply->wall > (int64_t)numbers->last_at)
        numbers->last_at = (uint64_t)apply->wall;
    publish->seq = ++numbers->seq;
    topic->in++;
    topic->dirty = topic->ring = true;
    if (write_event(apply, topic, publish->event) < 0)
        return -1;
    return topic_sweep(apply, topic, TOPIC_SWEEP) < 0 ? -1 : 0;
}

int topic_apply_keep(struct apply *apply, struct topic_keep *keep)
{
    struct topic *topic = topic_of(apply, keep->own.topic, true);
    if (!topic || !topic_kept(apply, topic)) /* as it was until now */
        return -1;
    topic->numbers.age = (uint64_t)keep->age;
    topic->numbers.most = keep->bytes;
    topic->looked = false;
    topic->dirty = true;
    return 0;
}
