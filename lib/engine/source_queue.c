/* source_queue.c: the messages of a durable queue as events. */
#include "engine/source_queue.h"

#include "base/list.h"
#include "base/mem.h"
#include "engine/queue_batch.h"
#include "engine/queue_watch.h"
#include "state/queue.h"

#include <inttypes.h>
#include <stdlib.h>

struct queue_source {
    struct source source; /* first */
    struct store *store;
    struct source_queue_settings settings;
    struct rng *rng;
    char *name; /* of the source */
    struct queue_watch *watch;
    struct queue_batches batches;
    struct queue_batch *coming; /* its lease is asked for */
    struct loop_timer idle;
    unsigned want; /* messages to be leased at once */
    bool empty;    /* nothing was there: wait to be woken */
    bool woken;    /* while a lease was asked for */
    bool over;     /* no more events: ended, or stopped */
};

static struct queue_source *of(struct source *source)
{
    return (struct queue_source *)(void *)source;
}

static struct str queue_name(const struct queue_source *own)
{
    return str_of(own->settings.queue);
}

static bool busy(struct source *source)
{
    const struct queue_source *own = of(source);
    return own->batches.ending || own->coming;
}

/* --wait: not while something is worked on, which may come back. */
static void be_patient(struct queue_source *own)
{
    struct loop *loop = store_loop(own->store);
    if (own->empty && own->settings.wait >= 0 && !own->batches.first && !own->idle.place)
        loop_timer_set(loop, &own->idle, loop_now(loop) + own->settings.wait);
}

/* Something on its way has ended. */
static void progress(void *owner)
{
    struct queue_source *own = owner;
    be_patient(own);
    if (own->over && !busy(&own->source))
        own->source.ready(own->source.owner);
}

static void fail(void *owner, const struct err *err)
{
    struct queue_source *own = owner;
    own->source.fail(own->source.owner, err);
}

static void end_events(struct queue_source *own)
{
    own->over = own->batches.hasty = true;
    own->empty = false;
    loop_timer_clear(store_loop(own->store), &own->idle);
}

/* ---- outcomes ---- */

/* All of the batch has been worked on. The time that commits take says nothing of that. */
static void judge_pace(struct queue_source *own, const struct queue_batch *batch)
{
    int64_t took = loop_now(store_loop(own->store)) - batch->leased_at;
    if (took < SOURCE_QUEUE_QUICK && batch->lease.got >= own->want / 2)
        own->want = own->want < QUEUE_LEASE_MAX / 2 ? own->want * 2 : QUEUE_LEASE_MAX;
    else if (took > SOURCE_QUEUE_SLOW && own->want / 2 >= own->settings.jobs)
        own->want /= 2;
}

static void outcome(struct source *source, uint64_t token, enum source_outcome outcome)
{
    struct queue_held *held = (struct queue_held *)(uintptr_t)token;
    if (++held->batch->told == held->batch->lease.got)
        judge_pace(of(source), held->batch);
    if (outcome == SOURCE_RELEASED) {
        if (!held->judged)
            held->end.uncounted = true;
        queue_held_end(held, QUEUE_NACK);
        return;
    }
    queue_held_end(held, outcome == SOURCE_DEAD && held->has_letter ? QUEUE_BURY : QUEUE_ACK);
}

static bool keeps(struct source *source, uint64_t token, const struct failure *failure)
{
    struct queue_held *held = (struct queue_held *)(uintptr_t)token;
    struct queue_source *own = of(source);
    const struct source_queue_settings *settings = &own->settings;
    unsigned receives = held->message->receives;
    if (failure_is_of_run(failure))
        return true;
    if (failure_is_held_off(failure->reason)) { /* when the other side may have recovered */
        held->end.delay = (int64_t)((double)settings->backoff.cap * rng_unit(own->rng));
        return true;
    }
    if (failure->class == FAILURE_PERMANENT ||
        (settings->max_receives && receives >= settings->max_receives))
        return false;
    held->judged = true;
    held->end.delay = retry_delay(&settings->backoff, receives, rng_unit(own->rng));
    buf_puts(&held->text, failure_name(failure->reason));
    if (failure->message)
        buf_addf(&held->text, ": %s", failure->message);
    return true;
}

static void describe(struct source *source, uint64_t token, struct buf *members)
{
    const struct queue_held *held = (struct queue_held *)(uintptr_t)token;
    buf_puts(members, ",\"queue\":");
    buf_add_json(members, queue_name(of(source)));
    buf_addf(members, ",\"receives\":%u", held->message->receives);
}

static bool bury(struct source *source, uint64_t token, struct str letter)
{
    struct queue_held *held = (struct queue_held *)(uintptr_t)token;
    (void)source;
    buf_clear(&held->text);
    buf_add_str(&held->text, letter);
    held->has_letter = true;
    return true;
}

static void answer(struct source *source, uint64_t token, struct slice lines, size_t count)
{
    (void)source;
    queue_held_answer_take((struct queue_held *)(uintptr_t)token, lines, count);
}

static void refuse(struct source *source, uint64_t token, const struct failure *failure)
{
    (void)source;
    queue_held_refuse((struct queue_held *)(uintptr_t)token, failure);
}

/* The same for every receive of the message, and no other message's; of one that asks, whenever the
 * same is asked. */
static void identify(struct source *source, uint64_t token, struct buf *id)
{
    const struct queue_message *message = ((struct queue_held *)(uintptr_t)token)->message;
    char request[HASH_TEXT];
    if (message->asks) {
        buf_addf(id, "%s/%s", of(source)->name, hash_format(message->request, request));
        return;
    }
    buf_addf(id, "%s/%" PRIu64 "-%" PRIx64, of(source)->name, message->seq,
             (uint64_t)message->pushed_at);
}

/* ---- leases ---- */

/* Nothing was there. */
static void wait_or_end(struct queue_source *own, struct queue_lease *asked)
{
    bool absent = asked->own.op.status == STORE_ABSENT;
    if (own->settings.until_empty && (absent || (!asked->ready && !asked->in_flight))) {
        end_events(own);
        return;
    }
    own->empty = !own->woken;
    queue_watch_until(own->watch, asked);
    be_patient(own);
}

static void leased(struct store_op *op)
{
    struct queue_source *own = op->owner;
    struct queue_batch *batch = own->coming;
    struct queue_lease *asked = &batch->lease;
    own->coming = NULL;
    if (op->status == STORE_OK && asked->got) {
        loop_timer_clear(store_loop(own->store), &own->idle);
        queue_batches_take(&own->batches, batch);
        if (own->over)
            queue_batches_give_back(&own->batches);
    } else {
        if (op->status != STORE_OK && op->status != STORE_ABSENT)
            queue_batches_fail(&own->batches, op, "lease messages");
        else if (!own->over && !asked->more && asked->look)
            wait_or_end(own, asked);
        queue_lease_clear(asked);
        free(batch);
    }
    own->source.ready(own->source.owner);
}

/* Ahead: there is still something to hand out. */
static void ask(struct queue_source *own, bool ahead)
{
    struct queue_batch *batch = mem_zalloc(sizeof *batch);
    batch->lease = (struct queue_lease){
        .own.op.done = leased,
        .own.op.owner = own,
        .own.queue = queue_name(own),
        .count = own->want,
        .bytes = SOURCE_QUEUE_BYTES,
        .visibility = own->settings.visibility,
        .holder = cell_self(),
        .max_receives = own->settings.max_receives,
        .look = !ahead,
    };
    own->woken = false;
    own->coming = batch;
    queue_lease(own->store, &batch->lease);
}

static void woken(void *owner)
{
    struct queue_source *own = owner;
    own->woken = true;
    if (!own->empty)
        return;
    own->empty = false;
    own->source.ready(own->source.owner);
}

static void waited_long(struct loop_timer *timer)
{
    struct queue_source *own = CONTAINER_OF(timer, struct queue_source, idle);
    if (own->coming) /* just now something may have come */
        return;
    end_events(own);
    own->source.ready(own->source.owner);
}

/* ---- the source ---- */

/* Should more be leased before this batch has been handed out? Not for a function that has not
 * shown that it is quick: others may want them. */
static bool wants_more(const struct queue_source *own, const struct queue_batch *batch)
{
    return !own->coming && !own->empty && batch == own->batches.last && !batch->asked_ahead &&
           own->want > own->settings.jobs && batch->handed >= (batch->lease.got + 1) / 2;
}

static enum source_status next(struct source *source, struct source_event *event, struct err *err)
{
    struct queue_source *own = of(source);
    struct queue_batch *batch = queue_batches_current(&own->batches);
    (void)err;
    if (own->over)
        return SOURCE_END;
    if (!batch) {
        if (!own->coming && !own->empty)
            ask(own, false);
        return SOURCE_LATER;
    }
    struct queue_held *held = queue_batch_hand_out(batch);
    struct slice bytes = held->message->event;
    bool fits = bytes.len <= own->settings.max_event;
    *event = (struct source_event){
        .bytes = slice_of(bytes.block, bytes.data, fits ? bytes.len : own->settings.max_event),
        .number = held->message->seq,
        .length = bytes.len,
        .token = (uintptr_t)held,
        .asks = held->message->asks,
    };
    if (wants_more(own, batch)) {
        batch->asked_ahead = true;
        ask(own, true);
    }
    return fits ? SOURCE_EVENT : SOURCE_TOO_LARGE;
}

static void stop(struct source *source)
{
    struct queue_source *own = of(source);
    end_events(own);
    queue_batches_give_back(&own->batches);
}

static void free_source(struct source *source)
{
    struct queue_source *own = of(source);
    end_events(own);
    if (own->coming) /* the run ended badly: an operation points here */
        store_flush(own->store);
    queue_batches_free(&own->batches);
    queue_watch_free(own->watch);
    free(own->name);
    free(own);
}

struct source *source_queue(struct store *store, const struct source_queue_settings *settings,
                            struct rng *rng, struct err *err)
{
    struct queue_source *own = mem_zalloc(sizeof *own);
    struct buf name = {0};
    buf_addf(&name, "queue:%s", settings->queue);
    *own = (struct queue_source){.store = store,
                                 .settings = *settings,
                                 .rng = rng,
                                 .name = buf_take(&name),
                                 .want = settings->jobs,
                                 .idle.fire = waited_long};
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
        .answer = answer,
        .refuse = refuse,
        .identify = identify,
    };
    own->batches = (struct queue_batches){
        .store = store,
        .queue = queue_name(own),
        .name = own->name,
        .visibility = settings->visibility,
        .progress = progress,
        .fail = fail,
        .owner = own,
    };
    own->watch = queue_watch_new(store, queue_name(own), woken, own, err);
    if (own->watch)
        return &own->source;
    free(own->name);
    free(own);
    return NULL;
}
