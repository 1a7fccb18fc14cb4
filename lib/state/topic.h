/*
 * topic.h: durable topics: each event is kept for every subscriber until it has done it, or until
 * the topic keeps it no longer.
 *
 * A publication is on disk when it is done, and has a number: they grow by one. A subscriber has a
 * name and a position of its own: all events up to it are done. One process at a time reads for it
 * (TOPIC_OPEN gives a token; a dead process holds nothing), in the order of the numbers, and ends
 * each event with an acknowledgement or a dead letter; in any order: what is done ahead of the
 * position is remembered. An ended event is not read again, an unended one is, by the next process
 * that opens. What is done with an old token is STORE_LOST. Who reads without a process (holder 0)
 * keeps nobody from opening, who then has the younger token.
 *
 * Retention is the topic's: events go when they are older, or all together longer, than it keeps,
 * read or not, and not because all have read them. A topic that was told nothing keeps TOPIC_AGE.
 * What is past its age is not handed out from then on, also when the topic is told to keep more;
 * its room is made free by later publications. A subscriber is told how many have gone before it
 * had done them. Times of publication do not decrease with the numbers, also when the clock is set
 * back.
 *
 * The bell "topic" of the name is rung when something was published, or a subscriber let go.
 *
 * Costs do not depend on how many events a topic holds. A publication costs the same for any number
 * of subscribers.
 */
#ifndef FIT_STATE_TOPIC_H
#define FIT_STATE_TOPIC_H

#include "base/block.h"
#include "state/cell.h"
#include "state/store.h"

enum {
    TOPIC_READ_MAX = 4096,    /* events of one read; who asks for more gets so many */
    TOPIC_SWEEP = 16,         /* events past their time that a publication removes; others wait */
    TOPIC_CLEAN_STEP = 10000, /* records that one TOPIC_CLEAN removes; then it says `more` */
    TOPIC_AHEAD = 65536, /* events done beyond the position of a subscriber; then reads end there */
};
/* How long a topic keeps events that was not told: a week, in nanoseconds. */
#define TOPIC_AGE (INT64_C(7 * 24 * 3600) * 1000000000)

enum topic_verb {
    TOPIC_PUBLISH,
    TOPIC_KEEP,
    TOPIC_OPEN,
    TOPIC_CLOSE,
    TOPIC_READ,
    TOPIC_ACK,
    TOPIC_BURY,
    TOPIC_LIST,
    TOPIC_LEAVE,
    TOPIC_DROP,
    TOPIC_CLEAN,
};

struct topic_op { /* first in those below */
    struct store_op op;
    enum topic_verb verb;
    struct str topic; /* its name (home_check_name); borrowed until done, as all strings here */
};

/* ---- publishing ---- */

/* A topic is made by its first publication, its retention, or its first subscriber. */
struct topic_publish {
    struct topic_op own;
    struct str event; /* one JSON value */
    uint64_t seq;     /* the answer: its number, from 1 */
};

/* Set how long it keeps, and how much: nanoseconds, bytes (as they are stored); 0: without limit.
 * The last event is kept however long it is. */
struct topic_keep {
    struct topic_op own;
    int64_t age;
    uint64_t bytes;
};

/* ---- subscribing ---- */

/* STORE_OK, or STORE_CONFLICT: another process reads for it (by). */
struct topic_open {
    struct topic_op own;
    struct str subscriber;
    cell_holder holder; /* who reads; 0: no process, until TOPIC_CLOSE */
    /* Where a subscriber that is not yet known begins: behind event `from`; UINT64_MAX: behind the
     * last one. */
    uint64_t from;
    /* The answer. */
    uint64_t token;
    uint64_t position; /* all up to it are done, or gone */
    uint64_t missed;   /* see topic_read */
    uint64_t before;   /* of these, what earlier commits for it knew of; the rest is news */
    bool is_new;       /* it was not known */
    cell_holder by;
};

/* STORE_OK, or STORE_LOST. The position stays. */
struct topic_close {
    struct topic_op own;
    struct str subscriber;
    uint64_t token;
};

struct topic_message {
    uint64_t seq;
    int64_t published_at; /* clock_wall */
    struct slice event;   /* a LF follows its bytes */
};

/* A read: STORE_OK also when there was none (got is 0), STORE_LOST. */
struct topic_read {
    struct topic_op own;
    struct str subscriber;
    uint64_t token;
    uint64_t after; /* the number behind which to begin */
    unsigned count; /* at most so many events */
    size_t bytes;   /* and no further one when they are so long together */
    /* The answer; topic_read_clear frees it. */
    struct topic_message *messages; /* that are not done, in order */
    unsigned got;
    uint64_t through; /* there are no others up to here: go on behind it. Below `last` with nothing
                         got: TOPIC_AHEAD is reached, go on when the first ones are done */
    uint64_t last;    /* the last one that was published */
    uint64_t missed;  /* of this subscriber, since it was made: gone before they were done */
};

/* Of one event: TOPIC_ACK or TOPIC_BURY. STORE_OK, also for one that is done already, or gone, the
 * letter of which is kept; STORE_LOST; STORE_ABSENT: no read can have handed it out. */
struct topic_end {
    struct topic_op own;
    struct str subscriber;
    uint64_t token;
    uint64_t seq;
    struct str letter; /* BURY: the dead letter, a line without LF; kept in the same commit */
};

/* ---- looking ---- */

struct topic_facts {
    uint64_t first, last; /* numbers of the events that are kept; first > last: there are none */
    uint64_t bytes;       /* of them, and of those past their age whose room is not free yet */
    int64_t oldest;       /* clock_wall when the first was published; 0: none */
    int64_t age;          /* what it keeps */
    uint64_t most;
    uint64_t subscribers;
    double rate; /* publications a second, over about the last minute */
};

struct reader_facts {
    struct str subscriber;
    uint64_t position;
    uint64_t lag;                /* events that are kept and not done */
    uint64_t missed, done, dead; /* since it was made */
    cell_holder holder;          /* who reads; 0: nobody, or one that is gone */
    int64_t last_at;             /* clock_wall of its last end; 0: none */
    int64_t oldest_undone;       /* clock_wall when the oldest of the lag was published; 0: none */
};

/* A read. With a topic: its facts by each_topic (may be NULL), and each of its subscribers;
 * STORE_ABSENT without such a topic. Without one ({NULL, 0}): each topic by each_topic. */
struct topic_list {
    struct topic_op own;
    void (*each_topic)(void *owner, struct str topic, const struct topic_facts *facts);
    void (*each)(void *owner, const struct reader_facts *facts);
    void *owner;
};

/* ---- removing ---- */

/*
 * LEAVE: the subscriber is not known any more. DROP: the topic, its events and its subscribers.
 * STORE_ABSENT without such a one. CLEAN makes room free, to be asked until it does not say `more`:
 * of the events of the topic that it keeps no longer; without one ({NULL, 0}) of topics that were
 * dropped.
 */
struct topic_remove {
    struct topic_op own;
    struct str subscriber; /* LEAVE */
    uint64_t removed;      /* DROP, CLEAN of a topic: events */
    bool more;
};

/* Zeroed but for the topic and what is asked; each sets up op and submits. done and owner of own.op
 * are the caller's to set. */
void topic_publish(struct store *store, struct topic_publish *publish);
void topic_keep(struct store *store, struct topic_keep *keep);
void topic_open(struct store *store, struct topic_open *open);
void topic_close(struct store *store, struct topic_close *close);
void topic_read(struct store *store, struct topic_read *read);
void topic_end(struct store *store, struct topic_end *end, enum topic_verb verb);
void topic_list(struct store *store, struct topic_list *list);
void topic_remove(struct store *store, struct topic_remove *remove, enum topic_verb verb);

void topic_read_clear(struct topic_read *read); /* drop the answer */

#endif
