/* topic_open.c: who reads for a subscriber, and who does not any more. */
#include "state/topic_record.h"

#include "sys/boot.h"

/* Where a new subscriber begins: nothing that has gone before is missed. */
static int place(struct apply *apply, struct topic *topic, struct reader *reader, uint64_t from)
{
    uint64_t kept = topic_kept(apply, topic);
    if (!kept)
        return -1;
    if (from > topic->numbers.seq)
        from = topic->numbers.seq;
    position_skip(&reader->position, from < kept ? kept - 1 : from);
    return 0;
}

static int take(struct apply *apply, struct topic *topic, struct reader *reader,
                struct topic_open *open)
{
    open->token = apply_number(apply, "readers");
    if (!open->token)
        return -1;
    topic->ring = topic->ring || reader->numbers.token; /* who had the old token learns of it */
    reader->numbers.token = open->token;
    reader->numbers.holder = open->holder;
    reader->numbers.boot = boot_number();
    reader->dirty = true;
    open->position = reader->position.at;
    open->missed = reader->numbers.missed;
    open->before = reader->before;
    return 0;
}

int topic_apply_open(struct apply *apply, struct topic_open *open)
{
    struct topic *topic = topic_of(apply, open->own.topic, true);
    if (!topic)
        return -1;
    struct reader *reader = topic_reader_of(apply, topic, open->subscriber, false);
    open->by = 0;
    open->is_new = !reader;
    if (reader && reader->numbers.holder != open->holder && topic_reader_is_held(reader)) {
        open->own.op.status = STORE_CONFLICT;
        open->by = reader->numbers.holder;
        return 0;
    }
    if (apply->txn->failed)
        return -1;
    if (!reader) {
        reader = topic_reader_of(apply, topic, open->subscriber, true);
        if (!reader || place(apply, topic, reader, open->from) < 0)
            return -1;
    }
    return take(apply, topic, reader, open);
}

int topic_apply_close(struct apply *apply, struct topic_close *close)
{
    struct topic *topic;
    struct reader *reader =
        topic_reader_with(apply, close->own.topic, close->subscriber, close->token, &topic);
    if (!reader) {
        close->own.op.status = STORE_LOST;
        return apply->txn->failed ? -1 : 0;
    }
    reader->numbers.token = reader->numbers.holder = 0;
    reader->dirty = topic->ring = true;
    return 0;
}
