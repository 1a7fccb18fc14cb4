/* topic_read.c: events are handed out to who reads for a subscriber. */
#include "state/topic_record.h"

#include "base/mem.h"

#include <stdlib.h>

/* What a read gathers; an event is an offset until all are there. */
struct gathering {
    struct apply *apply;
    struct topic *topic;
    const struct reader *reader;
    struct topic_read *asked;
    struct buf bytes, scratch;
    size_t *ends; /* in bytes, behind each event's LF */
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
    all->ends = mem_realloc(all->ends, all->room * sizeof *all->ends);
}

static int hand_out(struct gathering *all, uint64_t seq)
{
    struct topic_read *asked = all->asked;
    struct published found;
    struct str event;
    if (topic_read_event(all->apply, all->topic, seq, &found) < 0 ||
        apply_unpack(all->apply, found.packed, &all->scratch, &event) < 0)
        return -1;
    make_room(all);
    buf_add_str(&all->bytes, event);
    buf_addc(&all->bytes, '\n');
    asked->messages[asked->got] = (struct topic_message){.seq = seq, .published_at = found.at};
    all->ends[asked->got++] = all->bytes.len;
    return 0;
}

static void set_events(struct gathering *all)
{
    struct topic_read *asked = all->asked;
    if (!asked->got)
        return;
    size_t len = all->bytes.len;
    struct slice bytes = slice_take(buf_take(&all->bytes), len);
    for (unsigned i = 0; i < asked->got; i++) {
        size_t begin = i ? all->ends[i - 1] : 0;
        asked->messages[i].event =
            slice_of(bytes.block, bytes.data + begin, all->ends[i] - begin - 1);
    }
    slice_drop(&bytes);
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
    for (; seq <= last && asked->got < asked->count && all->bytes.len < asked->bytes;
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
    free(all.ends);
    buf_free(&all.bytes);
    buf_free(&all.scratch);
    return status;
}
