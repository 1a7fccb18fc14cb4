/* topic_look.c: what topics hold and how far their subscribers are, without changing it. */
#include "state/topic_record.h"

#include "state/recent.h"

struct looking {
    struct apply *apply;
    struct topic_list *list;
    struct topic *topic;
};

/* When the event was published; 0: there is none with that number. */
static int time_of(struct apply *apply, const struct topic *topic, uint64_t seq, int64_t *at)
{
    struct published event;
    *at = 0;
    if (seq > topic->numbers.seq)
        return 0;
    if (topic_read_event(apply, topic, seq, &event) < 0)
        return -1;
    *at = event.at;
    return 0;
}

static int tell_topic(struct apply *apply, struct topic_list *list, struct topic *topic)
{
    const struct topic_numbers *numbers = &topic->numbers;
    uint64_t kept = topic_kept(apply, topic);
    struct topic_facts facts = {
        .first = kept,
        .last = numbers->seq,
        .bytes = numbers->bytes,
        .age = (int64_t)numbers->age,
        .most = numbers->most,
        .subscribers = numbers->subscribers,
        .rate = recent_rate(numbers->rate, numbers->rated_at, apply->wall),
    };
    if (!kept || time_of(apply, topic, kept, &facts.oldest) < 0)
        return -1;
    if (list->each_topic)
        list->each_topic(list->owner, buf_str(&topic->name), &facts);
    return 0;
}

static int tell_reader(void *owner, struct reader *reader)
{
    const struct looking *looking = owner;
    const struct topic *topic = looking->topic;
    const struct position *position = &reader->position;
    struct reader_facts facts = {
        .subscriber = buf_str(&reader->name),
        .position = position->at,
        .lag = position_left(position, position->at, topic->numbers.seq),
        .missed = reader->numbers.missed,
        .done = reader->numbers.done,
        .dead = reader->numbers.dead,
        .holder = topic_reader_is_held(reader) ? reader->numbers.holder : 0,
        .last_at = (int64_t)reader->numbers.last_at,
    };
    if (time_of(looking->apply, topic, position->at + 1, &facts.oldest_undone) < 0)
        return -1;
    looking->list->each(looking->list->owner, &facts);
    return 0;
}

static int tell_named(void *owner, struct apply *apply, struct str name)
{
    struct topic *topic = topic_of(apply, name, false);
    return topic ? tell_topic(apply, owner, topic) : -1;
}

int topic_apply_list(struct apply *apply, struct topic_list *list)
{
    if (!list->own.topic.data)
        return apply_names(apply, "topic", tell_named, list);
    struct looking looking = {.apply = apply, .list = list};
    looking.topic = topic_of(apply, list->own.topic, false);
    if (!looking.topic) {
        list->own.op.status = STORE_ABSENT;
        return apply->txn->failed ? -1 : 0;
    }
    if (tell_topic(apply, list, looking.topic) < 0)
        return -1;
    return list->each ? topic_each_reader(apply, looking.topic, tell_reader, &looking) : 0;
}
