/* source_queue.c: the messages of a durable queue as events. */
#include "engine/source_queue.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/msg.h"
#include "engine/queue_watch.h"
#include "state/queue.h"

#include <inttypes.h>
#include <stdlib.h>

/* A message that is leased. Its address is the event's token. */
struct held {
    struct queue_end end; /* first */
    struct batch *batch;
    const struct queue_message *message;
    struct buf text; /* of the end: why it failed, or its letter */
    bool has_letter;
    bool judged; /* the end has been chosen by `keeps` */
};

struct batch {
    struct batch *next, *prev;
    struct queue_source *owner;
    struct queue_lease lease;
    struct queue_extend extend;
    bool extending, asked_ahead;
    struct held *held;
    unsigned handed, told, open; /* given to the engine; worked on; not yet ended */
    int64_t leased_at;
};

struct queue_source {
    struct source source; /* first */
    struct store *store;
    struct source_queue_settings settings;
    struct rng *rng;
    char *name; /* of the source */
    struct queue_watch *watch;
    struct batch *first, *last; /* with messages that have not ended */
    struct batch *current;      /* whose messages are handed out */
    struct batch *coming;       /* its lease is asked for */
    struct loop_timer extend, idle;
    unsigned want; /* messages to be leased at once */
    size_t ending; /* ends and extensions on their way */
    uint64_t lost; /* messages whose lease had ended before */
    bool empty;    /* nothing was there: wait to be woken */
    bool woken;    /* while a lease was asked for */
    bool ended;    /* no more events */
    bool stopped;
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
    return own->ending || own->coming;
}

/* Something on its way has ended. */
static void progress(struct queue_source *own)
{
    if (own->stopped || own->ended) {
        if (!busy(&own->source))
            own->source.ready(own->source.owner);
    }
}

static void fail(struct queue_source *own, const struct store_op *op, const char *what)
{
    struct err err;
    err_set(&err, op->err->kind, "%s: %s: %s", own->name, what, op->err->text);
    own->source.fail(own->source.owner, &err);
}

/* --wait: not while something is worked on, which may come back. */
static void be_patient(struct queue_source *own)
{
    struct loop *loop = store_loop(own->store);
    if (own->settings.wait >= 0 && !own->first && !own->coming && !own->idle.place)
        loop_timer_set(loop, &own->idle, loop_now(loop) + own->settings.wait);
}

/* ---- ends ---- */

static void free_batch(struct batch *batch)
{
    LIST_REMOVE(batch->owner, batch);
    if (batch->owner->current == batch)
        batch->owner->current = NULL;
    for (unsigned i = 0; i < batch->lease.got; i++)
        buf_free(&batch->held[i].text);
    free(batch->held);
    queue_lease_clear(&batch->lease);
    if (batch->owner->empty)
        be_patient(batch->owner);
    free(batch);
}

static void close_batch(struct batch *batch)
{
    if (!batch->open && !batch->extending)
        free_batch(batch);
}

static void tell_lost(struct queue_source *own)
{
    if (!own->lost++)
        msg_warn("%s: a lease ended while its event was worked on, which may be done again "
                 "(--visibility)",
                 own->name);
}

static void end_kept(struct store_op *op)
{
    struct held *held = (struct held *)(void *)op;
    struct batch *batch = held->batch;
    struct queue_source *own = batch->owner;
    own->ending--;
    batch->open--;
    if (op->status == STORE_LOST)
        tell_lost(own);
    else if (op->status != STORE_OK)
        fail(own, op, "end a message");
    close_batch(batch);
    progress(own);
}

static void end_held(struct held *held, enum queue_verb verb)
{
    struct queue_source *own = held->batch->owner;
    held->end.own.op.patient = !own->stopped && !own->ended;
    own->ending++;
    held->end.own.op.done = end_kept;
    held->end.own.queue = queue_name(own);
    held->end.token = held->batch->lease.token;
    held->end.slot = held->message->slot;
    if (verb == QUEUE_NACK)
        held->end.failure = buf_str(&held->text);
    if (verb == QUEUE_BURY)
        held->end.letter = buf_str(&held->text);
    queue_end(own->store, &held->end, verb);
}

static void give_back(struct batch *batch)
{
    for (; batch->handed < batch->lease.got; batch->handed++) {
        struct held *held = &batch->held[batch->handed];
        held->end.uncounted = true;
        end_held(held, QUEUE_NACK);
    }
}

/* All of the batch has been worked on. The time that commits take says nothing of that. */
static void judge_pace(struct queue_source *own, const struct batch *batch)
{
    int64_t took = loop_now(store_loop(own->store)) - batch->leased_at;
    if (took < SOURCE_QUEUE_QUICK && batch->lease.got >= own->want / 2)
        own->want = own->want < QUEUE_LEASE_MAX / 2 ? own->want * 2 : QUEUE_LEASE_MAX;
    else if (took > SOURCE_QUEUE_SLOW && own->want / 2 >= own->settings.jobs)
        own->want /= 2;
}

static void outcome(struct source *source, uint64_t token, enum source_outcome outcome)
{
    struct held *held = (struct held *)(uintptr_t)token;
    if (++held->batch->told == held->batch->lease.got)
        judge_pace(of(source), held->batch);
    if (outcome == SOURCE_RELEASED) {
        if (!held->judged)
            held->end.uncounted = true;
        end_held(held, QUEUE_NACK);
        return;
    }
    end_held(held, outcome == SOURCE_DEAD && held->has_letter ? QUEUE_BURY : QUEUE_ACK);
}

/* Nothing was tried: it comes back, when the other side may have recovered, as if it had not come.
 */
static bool is_held_off(enum failure_reason reason)
{
    return reason == FAILURE_BREAKER_OPEN || reason == FAILURE_THROTTLED ||
           reason == FAILURE_BULKHEAD_FULL;
}

static bool keeps(struct source *source, uint64_t token, const struct failure *failure)
{
    struct held *held = (struct held *)(uintptr_t)token;
    struct queue_source *own = of(source);
    const struct source_queue_settings *settings = &own->settings;
    unsigned receives = held->message->receives;
    if (failure->reason == FAILURE_INTERRUPTED || failure->reason == FAILURE_HALTED ||
        failure->reason == FAILURE_WRITE)
        return true; /* it is not the event that failed */
    if (is_held_off(failure->reason)) {
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
    const struct held *held = (struct held *)(uintptr_t)token;
    buf_puts(members, ",\"queue\":");
    buf_add_json(members, queue_name(of(source)));
    buf_addf(members, ",\"receives\":%u", held->message->receives);
}

static bool bury(struct source *source, uint64_t token, struct str letter)
{
    struct held *held = (struct held *)(uintptr_t)token;
    (void)source;
    buf_clear(&held->text);
    buf_add_str(&held->text, letter);
    held->has_letter = true;
    return true;
}

/* The same for every receive of the message, and no other message's. */
static void identify(struct source *source, uint64_t token, struct buf *id)
{
    const struct queue_message *message = ((struct held *)(uintptr_t)token)->message;
    buf_addf(id, "%s/%" PRIu64 "-%" PRIx64, of(source)->name, message->seq,
             (uint64_t)message->pushed_at);
}

/* ---- leases ---- */

static void extended(struct store_op *op)
{
    struct batch *batch = op->owner;
    struct queue_source *own = batch->owner;
    own->ending--;
    batch->extending = false;
    if (op->status == STORE_LOST) { /* what has not begun is another worker's now */
        batch->open -= batch->lease.got - batch->handed;
        batch->handed = batch->lease.got;
    } else if (op->status != STORE_OK) {
        fail(own, op, "extend a lease");
    }
    close_batch(batch);
    progress(own);
}

static void extend_all(struct loop_timer *timer)
{
    struct queue_source *own = CONTAINER_OF(timer, struct queue_source, extend);
    struct loop *loop = store_loop(own->store);
    for (struct batch *batch = own->first; batch; batch = batch->next) {
        if (batch->extending || !batch->open)
            continue;
        own->ending++;
        batch->extending = true;
        batch->extend = (struct queue_extend){
            .own.op.done = extended,
            .own.op.owner = batch,
            .own.queue = queue_name(own),
            .token = batch->lease.token,
            .visibility = own->settings.visibility,
        };
        queue_extend(own->store, &batch->extend);
    }
    if (own->first)
        loop_timer_set(loop, timer, loop_now(loop) + own->settings.visibility / 2);
}

static void take_batch(struct queue_source *own, struct batch *batch)
{
    struct loop *loop = store_loop(own->store);
    unsigned got = batch->lease.got;
    batch->held = mem_array(got, sizeof *batch->held);
    for (unsigned i = 0; i < got; i++) {
        batch->held[i].batch = batch;
        batch->held[i].message = &batch->lease.messages[i];
    }
    batch->open = got;
    batch->leased_at = loop_now(loop);
    LIST_APPEND(own, batch);
    loop_timer_clear(loop, &own->idle);
    if (!own->extend.place)
        loop_timer_set(loop, &own->extend, loop_now(loop) + own->settings.visibility / 2);
    if (own->stopped)
        give_back(batch);
}

/* Nothing was there. */
static void wait_or_end(struct queue_source *own, struct queue_lease *asked)
{
    bool absent = asked->own.op.status == STORE_ABSENT;
    if (own->settings.until_empty && (absent || (!asked->ready && !asked->in_flight))) {
        own->ended = true;
        return;
    }
    own->empty = !own->woken;
    queue_watch_until(own->watch, asked);
    be_patient(own);
}

static void leased(struct store_op *op)
{
    struct batch *batch = op->owner;
    struct queue_source *own = batch->owner;
    struct queue_lease *asked = &batch->lease;
    own->coming = NULL;
    if (op->status == STORE_OK && asked->got) {
        take_batch(own, batch);
        own->source.ready(own->source.owner);
        return;
    }
    if (op->status != STORE_OK && op->status != STORE_ABSENT)
        fail(own, op, "lease messages");
    else if (!own->stopped && !asked->more && asked->look)
        wait_or_end(own, asked);
    queue_lease_clear(&batch->lease);
    free(batch);
    own->source.ready(own->source.owner);
}

/* Ahead: there is still something to hand out. */
static void ask(struct queue_source *own, bool ahead)
{
    struct batch *batch = mem_zalloc(sizeof *batch);
    batch->owner = own;
    batch->lease = (struct queue_lease){
        .own.op.done = leased,
        .own.op.owner = batch,
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
    own->ended = true;
    own->source.ready(own->source.owner);
}

/* ---- the source ---- */

static struct batch *find_current(struct queue_source *own)
{
    struct batch *batch = own->current ? own->current : own->first;
    while (batch && batch->handed == batch->lease.got)
        batch = batch->next;
    own->current = batch;
    return batch;
}

/* Should more be leased before this batch has been handed out? Not for a function that has not
 * shown that it is quick: others may want them. */
static bool wants_more(const struct queue_source *own, const struct batch *batch)
{
    return !own->coming && !own->empty && batch == own->last && !batch->asked_ahead &&
           own->want > own->settings.jobs && batch->handed >= (batch->lease.got + 1) / 2;
}

static enum source_status next(struct source *source, struct source_event *event, struct err *err)
{
    struct queue_source *own = of(source);
    struct batch *batch = find_current(own);
    (void)err;
    if (own->ended)
        return SOURCE_END;
    if (!batch) {
        if (!own->coming && !own->empty)
            ask(own, false);
        return SOURCE_LATER;
    }
    struct held *held = &batch->held[batch->handed++];
    struct slice bytes = held->message->event;
    bool fits = bytes.len <= own->settings.max_event;
    *event = (struct source_event){
        .bytes = slice_of(bytes.block, bytes.data, fits ? bytes.len : own->settings.max_event),
        .number = held->message->seq,
        .length = bytes.len,
        .token = (uintptr_t)held,
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
    own->stopped = true;
    loop_timer_clear(store_loop(own->store), &own->idle);
    for (struct batch *batch = own->first; batch; batch = batch->next)
        give_back(batch);
}

static void free_source(struct source *source)
{
    struct queue_source *own = of(source);
    struct loop *loop = store_loop(own->store);
    own->stopped = true;
    if (busy(source)) /* the run ended badly: operations point here */
        store_flush(own->store);
    while (own->first)
        free_batch(own->first);
    loop_timer_clear(loop, &own->idle);
    loop_timer_clear(loop, &own->extend);
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
                                 .extend.fire = extend_all,
                                 .idle.fire = waited_long};
    own->source = (struct source){
        .name = own->name,
        .releases = true,
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
    own->watch = queue_watch_new(store, queue_name(own), woken, own, err);
    if (own->watch)
        return &own->source;
    free(own->name);
    free(own);
    return NULL;
}
