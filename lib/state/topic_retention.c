/* topic_retention.c: how long a topic keeps its events. */
#include "state/topic_record.h"

static bool is_past(const struct apply *apply, const struct topic *topic, int64_t at)
{
    return topic->numbers.age && at <= apply->wall - (int64_t)topic->numbers.age;
}

/* The first one that is not past its age: between `from`, which is past it, and the
 * end. */
static uint64_t find_kept(struct apply *apply, const struct topic *topic, uint64_t from)
{
    uint64_t past = from, kept = topic->numbers.seq + 1;
    struct published event;
    while (kept - past > 1) {
        uint64_t middle = past + (kept - past) / 2;
        if (topic_read_event(apply, topic, middle, &event) < 0)
            return 0;
        if (is_past(apply, topic, event.at))
            past = middle;
        else
            kept = middle;
    }
    return kept;
}

/* Go on to the first event that is not past its age. */
static int look(struct apply *apply, struct topic *topic)
{
    struct topic_numbers *numbers = &topic->numbers;
    struct published event;
    if (topic_read_event(apply, topic, numbers->kept, &event) < 0)
        return -1;
    topic->looked = true;
    if (!is_past(apply, topic, event.at))
        return 0;
    uint64_t kept = find_kept(apply, topic, numbers->kept);
    if (!kept)
        return -1;
    numbers->kept = kept;
    topic->dirty = true;
    return 0;
}

uint64_t topic_kept(struct apply *apply, struct topic *topic)
{
    struct topic_numbers *numbers = &topic->numbers;
    if (numbers->kept < numbers->first)
        numbers->kept = numbers->first;
    if (topic->looked || !numbers->age || numbers->kept > numbers->seq)
        return numbers->kept;
    return look(apply, topic) < 0 ? 0 : numbers->kept;
}

static int remove_first(struct apply *apply, struct topic *topic)
{
    unsigned char key[TOPIC_KEY];
    struct topic_numbers *numbers = &topic->numbers;
    struct published event;
    if (topic_read_event(apply, topic, numbers->first, &event) < 0)
        return -1;
    numbers->bytes -= event.packed.len;
    struct str own = topic_key(key, topic->number, numbers->first++);
    topic->dirty = true;
    return table_remove(apply->txn, SPACE_TOPIC, own) == TABLE_FAILED ? -1 : 0;
}

int topic_sweep(struct apply *apply, struct topic *topic, int limit)
{
    const struct topic_numbers *numbers = &topic->numbers;
    uint64_t kept = topic_kept(apply, topic);
    int removed = 0;
    if (!kept)
        return -1;
    while (removed < limit &&
           (numbers->first < kept ||
            (numbers->most && numbers->bytes > numbers->most && numbers->first < numbers->seq))) {
        if (remove_first(apply, topic) < 0)
            return -1;
        removed++;
    }
    return removed;
}
