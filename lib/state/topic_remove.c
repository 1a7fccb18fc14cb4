/* topic_remove.c: subscribers leave, topics are dropped, and what nobody finds any more goes. */
#include "state/topic_record.h"

#include "state/trash.h"

static int leave(struct apply *apply, struct topic *topic, struct topic_remove *asked)
{
    struct reader *reader = topic_reader_of(apply, topic, asked->subscriber, false);
    if (reader)
        return topic_reader_remove(apply, topic, reader);
    asked->own.op.status = STORE_ABSENT;
    return apply->txn->failed ? -1 : 0;
}

static int drop(struct apply *apply, struct topic *topic, struct topic_remove *asked)
{
    asked->removed = topic->numbers.seq + 1 - topic->numbers.first;
    asked->more = true;
    if (trash_add(apply, "topic", topic->number) < 0 ||
        topic_remove_numbers(apply, topic->number) < 0)
        return -1;
    apply_rename(apply, "topic", buf_str(&topic->name), false);
    apply_ring(apply, "topic", buf_str(&topic->name));
    topic_drop_cached(apply, topic);
    return apply->txn->failed ? -1 : 0;
}

static int sweep(struct apply *apply, struct topic *topic, struct topic_remove *asked)
{
    int removed = topic_sweep(apply, topic, TOPIC_CLEAN_STEP);
    if (removed < 0)
        return -1;
    asked->removed = (uint64_t)removed;
    asked->more = removed == TOPIC_CLEAN_STEP;
    return 0;
}

static int clean_dropped(struct apply *apply, struct topic_remove *asked)
{
    static const enum table_space spaces[] = {SPACE_TOPIC, SPACE_READER};
    static const struct trash_kind trash = {
        .name = "topic", .spaces = spaces, .count = sizeof spaces / sizeof *spaces};
    return trash_clean(apply, &trash, TOPIC_CLEAN_STEP, &asked->more);
}

int topic_apply_remove(struct apply *apply, struct topic_remove *asked)
{
    asked->removed = 0;
    asked->more = false;
    if (asked->own.verb == TOPIC_CLEAN && !asked->own.topic.data)
        return clean_dropped(apply, asked);
    struct topic *topic = topic_of(apply, asked->own.topic, false);
    if (!topic) {
        asked->own.op.status = STORE_ABSENT;
        return apply->txn->failed ? -1 : 0;
    }
    switch (asked->own.verb) {
    case TOPIC_LEAVE:
        return leave(apply, topic, asked);
    case TOPIC_DROP:
        return drop(apply, topic, asked);
    default:
        return sweep(apply, topic, asked);
    }
}
