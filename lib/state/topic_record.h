/*
 * topic_record.h: the records of topics and their subscribers. Internal to lib/state: shared by the
 * files topic_*.c, which each do some of the verbs of topic.h.
 *
 *     SPACE_META    "topic/", topic (4) -> struct topic_numbers, each a u64
 *     SPACE_TOPIC   topic (4), seq (8) -> published at (8), the event (packed)
 *     SPACE_READER  topic (4), 0, name; or of a long one topic (4), 1, its hash (16) ->
 *                   struct reader_numbers, each a u64; length of the name (4), the name; the
 *                   position (position_write)
 *
 * An event is written once and removed once, whoever reads. What a subscriber has done is one
 * record, with a bit for each event done ahead of the first that is not. It is read and written
 * once a transaction, whatever the number of its ends: topics and subscribers that a transaction
 * has to do with are kept decoded while it lasts, and written at its end (topic_flush).
 *
 * Times of publication do not decrease, so what is past its age is a prefix. It may stand there for
 * a while (TOPIC_SWEEP); topic_kept says where it ends, and nobody is handed out what is before.
 * What was not kept once is not kept again, when the topic keeps more or the clock is set back: who
 * reads has gone on.
 */
#ifndef FIT_STATE_TOPIC_RECORD_H
#define FIT_STATE_TOPIC_RECORD_H

#include "pattern/position.h"
#include "state/apply.h"
#include "state/topic.h"

enum { TOPIC_KEY = 12 }; /* bytes of a key of SPACE_TOPIC */

struct topic_numbers { /* as it is stored: only u64 */
    uint64_t seq;      /* the last that was given */
    uint64_t first;    /* of those stored; seq + 1: there are none */
    uint64_t kept;     /* and of those that were kept when that was looked at last */
    uint64_t bytes;    /* of their events, packed */
    uint64_t last_at;  /* the last time of a publication */
    uint64_t age, most;
    uint64_t subscribers;
    uint64_t rated_at, rate; /* recent.h: publications */
};

struct reader_numbers {    /* the same */
    uint64_t token;        /* of who reads; 0: nobody */
    uint64_t holder, boot; /* his process, and of which run of the machine */
    uint64_t missed, done, dead;
    uint64_t last_at;
};

struct reader {
    struct reader *next;
    struct buf name;
    struct reader_numbers numbers;
    struct position position;
    uint64_t before; /* missed, as it was stored */
    bool dirty;
};

struct topic {
    struct topic *next;
    struct buf name;
    uint32_t number;
    struct topic_numbers numbers;
    struct reader *readers;
    struct reader *last; /* asked for last */
    uint64_t in;         /* in this transaction */
    bool looked;         /* in this transaction, at which events are past their age */
    bool dirty, ring;
};

struct published { /* an event as it stands in the table; valid until the next put or remove */
    int64_t at;
    struct str packed;
};

/* ---- topic_record.c ---- */

/* The topic of that name. NULL: there is none (not with make), or the transaction has failed. */
struct topic *topic_of(struct apply *apply, struct str name, bool make);
void topic_drop_cached(struct apply *apply, struct topic *topic); /* it has no number any more */
int topic_remove_numbers(struct apply *apply, uint32_t number);
struct buf *topic_scratch(struct apply *apply); /* empty; for one record at a time */
struct str topic_key(unsigned char key[TOPIC_KEY], uint32_t topic, uint64_t seq);
/* The event with that number, which must be there. 0 or -1. */
int topic_read_event(struct apply *apply, const struct topic *topic, uint64_t seq,
                     struct published *event);

/* ---- topic_retention.c ---- */

/* The number of the first event that is kept; seq + 1: none is. 0: the transaction has failed. */
uint64_t topic_kept(struct apply *apply, struct topic *topic);
/* Remove events that are no longer kept, at most limit. How many, or -1. */
int topic_sweep(struct apply *apply, struct topic *topic, int limit);

/* ---- topic_reader.c ---- */

/* The subscriber of that name, who has missed what is no longer kept. NULL: there is none (not with
 * make: then nothing is done), or the transaction has failed. */
struct reader *topic_reader_of(struct apply *apply, struct topic *topic, struct str name,
                               bool make);
/* The same, if the token is that of who reads for it. */
struct reader *topic_reader_with(struct apply *apply, struct str topic, struct str name,
                                 uint64_t token, struct topic **found);
int topic_reader_remove(struct apply *apply, struct topic *topic, struct reader *reader);
int topic_flush_readers(struct apply *apply, struct topic *topic);
void topic_forget_readers(struct topic *topic);
/* Call each for every subscriber of the topic, which is valid during the call. 0 or -1. */
int topic_each_reader(struct apply *apply, struct topic *topic,
                      int (*each)(void *owner, struct reader *reader), void *owner);
/* Does a process read for it that is alive? */
bool topic_reader_is_held(const struct reader *reader);

/* ---- the verbs ---- */

int topic_apply_publish(struct apply *apply, struct topic_publish *publish);
int topic_apply_keep(struct apply *apply, struct topic_keep *keep);
int topic_apply_open(struct apply *apply, struct topic_open *open);
int topic_apply_close(struct apply *apply, struct topic_close *close);
int topic_apply_read(struct apply *apply, struct topic_read *read);
int topic_apply_end(struct apply *apply, struct topic_end *end);
int topic_apply_list(struct apply *apply, struct topic_list *list);
int topic_apply_remove(struct apply *apply, struct topic_remove *asked);

#endif
