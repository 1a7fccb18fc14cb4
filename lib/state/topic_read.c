/* topic_read.c: events are handed out to who reads for a subscriber. */
#include "state/topic_record.h"

#include "base/mem.h"
#include "state/gathered.h"

#include <stdlib.h>

/* What a read gathers. */
struct gathering {
    struct apply *apply;
    struct topic *topic;
    const struct reader *reader;
    struct topic_read *asked;
    struct gathered events;
    unsigned room;
};

void topic_read_clear(struct topic_read *asked)
{
    for (unsigned i = 0; i < asked->got; i++)
        slice_drop(&asked->messages[i].event);
    free(asked->messages);
    asked->messages = NULL;
    asked->got = 0;
}

/* Events are long or short: room grows with those that are there. */
static void make_room(struct gathering *all)
{
    struct topic_read *asked = all->asked;
    if (asked->got < all->room)
        return;
    all->room = all->room ? 2 * all->room : 64;
    asked->messages = mem_realloc(asked->messages, all->room * sizeof *asked->messages);
}

static int hand_out(struct gathering *all, uint64_t seq)
{
    struct topic_read *asked = all->asked;
    struct published found;
    if (topic_read_event(all->apply, all->topic, seq, &found) < 0 ||
        gathered_add(&all->events, all->apply, found.packed) < 0)
        return -1;
    make_room(all);
    asked->messages[asked->got++] = (struct topic_message){.seq = seq, .published_at = found.at};
    return 0;
}

static void set_events(struct gathering *all)
{
    struct topic_read *asked = all->asked;
    gathered_seal(&all->events);
    for (unsigned i = 0; i < asked->got; i++)
        asked->messages[i].event = gathered_event(&all->events, i);
}

/* The last event that may be handed out: so many may be done ahead of the first that is not. */
static uint64_t last_of(const struct gathering *all)
{
    uint64_t last = all->topic->numbers.seq, most = all->reader->position.at + TOPIC_AHEAD;
    return last < most ? last : most;
}

static int gather(struct gathering *all)
{
    struct topic_read *asked = all->asked;
    const struct position *position = &all->reader->position;
    uint64_t last = last_of(all), seq = position_next(position, asked->after);
    for (; seq <= last && asked->got < asked->count && all->events.bytes.len < asked->bytes;
         seq = position_next(position, seq)) {
        if (hand_out(all, seq) < 0)
            return -1;
    }
    uint64_t through = seq <= last ? seq - 1 : last;
    asked->through = through > asked->after ? through : asked->after;
    set_events(all);
    return 0;
}

int topic_apply_read(struct apply *apply, struct topic_read *asked)
{
    struct gathering all = {.apply = apply, .asked = asked};
    topic_read_clear(asked);
    all.reader =
        topic_reader_with(apply, asked->own.topic, asked->subscriber, asked->token, &all.topic);
    if (!all.reader) {
        asked->own.op.status = STORE_LOST;
        return apply->txn->failed ? -1 : 0;
    }
    if (asked->count > TOPIC_READ_MAX)
        asked->count = TOPIC_READ_MAX;
    asked->last = all.topic->numbers.seq;
    asked->missed = all.reader->numbers.missed;
    int status = gather(&all);
    gathered_free(&all.events);
    return status;
}
