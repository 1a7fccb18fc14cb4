/* source_topic.c: the events of a durable topic, for one subscriber. */
#include "engine/source_topic.h"

#include "base/mem.h"
#include "base/msg.h"

#include <inttypes.h>
#include <stdlib.h>

/* An event that was handed out: the token. */
struct topic_held {
    struct topic_end end; /* first */
    struct topic_source *source;
    int64_t published_at;
    struct buf letter;
    bool has_letter;
    struct topic_held *next;
};

struct topic_source {
    struct source source; /* first */
    struct subscription sub;
    struct source_topic_settings settings;
    char *name; /* of the source */
    struct store_ear ear;
    struct topic_read read; /* the last one */
    unsigned handed;        /* of its events */
    struct topic_close close;
    struct topic_held *free;
    uint64_t after; /* all up to here were handed out, or are done */
    size_t out;     /* handed out, and not heard of again */
    size_t ending;  /* ends on their way */
    bool reading;   /* the read is on its way */
    bool empty;     /* nothing was there: wait to be woken */
    bool stuck;     /* too much is done ahead of the position: wait for ends, too */
    bool woken;     /* while a read was on its way */
    bool over;      /* no more events: ended, or stopped */
    bool closing;   /* the subscription is given back */
    bool failed;    /* that was said */
};

static struct topic_source *of(struct source *source)
{
    return (struct topic_source *)(void *)source;
}

static struct topic_held *held_of(uint64_t token)
{
    return (struct topic_held *)(uintptr_t)token;
}

static void ready(struct topic_source *own)
{
    own->source.ready(own->source.owner);
}

static void fail(struct topic_source *own, const struct store_op *op, const char *what)
{
    struct err err;
    if (own->failed)
        return;
    own->failed = true;
    if (op->status == STORE_LOST)
        err_set(&err, ERR_STATE, "%s@%.*s: another process reads for it now, or it was removed",
                own->sub.subscriber.data, (int)own->sub.topic.len, own->sub.topic.data);
    else
        err_set(&err, ERR_STATE, "%s: %s: %s", what, store_status_name(op->status),
                op->err ? op->err->text : own->name);
    own->source.fail(own->source.owner, &err);
}

/* ---- giving back ---- */

static bool busy(struct source *source)
{
    const struct topic_source *own = of(source);
    return own->reading || own->ending || own->close.own.op.owner;
}

static void check_end(struct topic_source *own)
{
    if (own->over && !busy(&own->source))
        ready(own);
}

static void closed(struct store_op *op)
{
    struct topic_source *own = op->owner;
    if (op->status != STORE_OK)
        fail(own, op, "give back a subscription");
    op->owner = NULL;
    check_end(own);
}

/* With the last end, in its commit. */
static void close_if_over(struct topic_source *own)
{
    if (!own->over || own->out || own->reading || own->closing)
        return;
    own->closing = true;
    own->close = (struct topic_close){.own.op.done = closed,
                                      .own.op.owner = own,
                                      .own.topic = own->sub.topic,
                                      .subscriber = own->sub.subscriber,
                                      .token = own->sub.token};
    topic_close(own->sub.store, &own->close);
}

static void end_events(struct topic_source *own)
{
    own->over = true;
    own->empty = own->stuck = false;
    close_if_over(own);
}

/* ---- outcomes ---- */

static struct topic_held *take(struct topic_source *own)
{
    struct topic_held *held = own->free;
    if (held)
        own->free = held->next;
    else
        held = mem_zalloc(sizeof *held);
    held->source = own;
    held->has_letter = false;
    return held;
}

static void give_back(struct topic_held *held)
{
    struct topic_source *own = held->source;
    buf_clear(&held->letter);
    held->next = own->free;
    own->free = held;
}

static void ended(struct store_op *op)
{
    struct topic_held *held = (struct topic_held *)(void *)op;
    struct topic_source *own = held->source;
    own->ending--;
    if (op->status != STORE_OK)
        fail(own, op, "acknowledge an event");
    give_back(held);
    if (own->stuck) {
        own->stuck = own->empty = false;
        ready(own);
    }
    check_end(own);
}

static void outcome(struct source *source, uint64_t token, enum source_outcome outcome)
{
    struct topic_source *own = of(source);
    struct topic_held *held = held_of(token);
    own->out--;
    if (outcome == SOURCE_RELEASED) {
        give_back(held);
    } else {
        own->ending++;
        held->end.own.op.done = ended;
        held->end.own.op.patient = !own->over;
        held->end.letter = buf_str(&held->letter);
        topic_end(own->sub.store, &held->end,
                  outcome == SOURCE_DEAD && held->has_letter ? TOPIC_BURY : TOPIC_ACK);
    }
    close_if_over(own);
}

/* It is not the event that failed. */
static bool keeps(struct source *source, uint64_t token, const struct failure *failure)
{
    (void)source;
    (void)token;
    return failure_is_of_run(failure);
}

static void describe(struct source *source, uint64_t token, struct buf *members)
{
    const struct topic_source *own = of(source);
    (void)token;
    buf_puts(members, ",\"topic\":");
    buf_add_json(members, own->sub.topic);
    buf_puts(members, ",\"subscriber\":");
    buf_add_json(members, own->sub.subscriber);
}

static bool bury(struct source *source, uint64_t token, struct str letter)
{
    struct topic_held *held = held_of(token);
    (void)source;
    buf_clear(&held->letter);
    buf_add_str(&held->letter, letter);
    held->has_letter = true;
    return true;
}

/* The same for all subscribers, and each time; a topic that was dropped begins with 1 again. */
static void identify(struct source *source, uint64_t token, struct buf *id)
{
    const struct topic_held *held = held_of(token);
    buf_addf(id, "%s/%" PRIu64 "-%" PRIx64, of(source)->name, held->end.seq,
             (uint64_t)held->published_at);
}

/* ---- reading ---- */

static void tell_missed(struct topic_source *own)
{
    uint64_t missed = own->read.missed - own->sub.missed;
    if (own->read.missed > own->sub.missed) /* fewer when the clock was set back */
        msg_warn("%s@%.*s: %" PRIu64 " %s missed: the topic keeps no more (--keep)",
                 own->sub.subscriber.data, (int)own->sub.topic.len, own->sub.topic.data, missed,
                 missed == 1 ? "event was" : "events were");
    own->sub.missed = own->read.missed;
}

static void read_done(struct store_op *op)
{
    struct topic_source *own = op->owner;
    own->reading = false;
    if (op->status != STORE_OK) {
        fail(own, op, "read a topic");
    } else if (!own->over) {
        tell_missed(own);
        own->after = own->read.through;
        bool all = own->after >= own->read.last;
        if (!own->read.got && all && own->settings.until_empty)
            own->over = true;
        else if (!own->read.got)
            own->empty = !own->woken;
        own->stuck = own->empty && !all;
    }
    close_if_over(own);
    ready(own);
}

static void ask(struct topic_source *own)
{
    topic_read_clear(&own->read);
    own->handed = 0;
    own->woken = false;
    own->reading = true;
    own->read = (struct topic_read){.own.op.done = read_done,
                                    .own.op.owner = own,
                                    .own.topic = own->sub.topic,
                                    .subscriber = own->sub.subscriber,
                                    .token = own->sub.token,
                                    .after = own->after,
                                    .count = SOURCE_TOPIC_EVENTS,
                                    .bytes = SOURCE_TOPIC_BYTES};
    topic_read(own->sub.store, &own->read);
}

static void heard(void *owner)
{
    struct topic_source *own = owner;
    own->woken = true;
    if (!own->empty)
        return;
    own->empty = own->stuck = false;
    ready(own);
}

static enum source_status next(struct source *source, struct source_event *event, struct err *err)
{
    struct topic_source *own = of(source);
    (void)err;
    if (own->over)
        return SOURCE_END;
    if (own->reading || own->handed == own->read.got) {
        if (!own->reading && !own->empty && !own->failed)
            ask(own);
        return SOURCE_LATER;
    }
    const struct topic_message *message = &own->read.messages[own->handed++];
    struct slice bytes = message->event;
    bool fits = bytes.len <= own->settings.max_event;
    struct topic_held *held = take(own);
    held->published_at = message->published_at;
    held->end = (struct topic_end){.own.topic = own->sub.topic,
                                   .subscriber = own->sub.subscriber,
                                   .token = own->sub.token,
                                   .seq = message->seq};
    own->out++;
    *event = (struct source_event){
        .bytes = slice_of(bytes.block, bytes.data, fits ? bytes.len : own->settings.max_event),
        .number = message->seq,
        .length = bytes.len,
        .token = (uintptr_t)held,
    };
    return fits ? SOURCE_EVENT : SOURCE_TOO_LARGE;
}

static void stop(struct source *source)
{
    end_events(of(source));
}

/* ---- opening ---- */

static void free_source(struct source *source)
{
    struct topic_source *own = of(source);
    own->over = own->closing = true;
    if (busy(source)) /* the run ended badly: operations point here */
        store_flush(own->sub.store);
    store_deafen(own->sub.store, &own->ear);
    topic_read_clear(&own->read);
    while (own->free) {
        struct topic_held *held = own->free;
        own->free = held->next;
        buf_free(&held->letter);
        free(held);
    }
    free(own->name);
    free(own);
}

struct source *source_topic(const struct subscription *subscription,
                            const struct source_topic_settings *settings, struct err *err)
{
    struct topic_source *own = mem_zalloc(sizeof *own);
    struct buf name = {0};
    buf_puts(&name, "topic:");
    buf_add_str(&name, subscription->topic);
    *own = (struct topic_source){.sub = *subscription,
                                 .settings = *settings,
                                 .name = buf_take(&name),
                                 .after = subscription->position};
    own->source = (struct source){
        .name = own->name,
        .releases = true,
        .waits = !settings->until_empty,
        .next = next,
        .outcome = outcome,
        .stop = stop,
        .free = free_source,
        .busy = busy,
        .keeps = keeps,
        .describe = describe,
        .bury = bury,
        .identify = identify,
    };
    own->ear =
        (struct store_ear){.kind = "topic", .name = own->sub.topic, .heard = heard, .owner = own};
    if (store_listen(own->sub.store, &own->ear, err) == 0)
        return &own->source;
    free(own->name);
    free(own);
    return NULL;
}
