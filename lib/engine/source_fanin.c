/* source_fanin.c: lines, and the groups that have closed by what they brought. */
#include "engine/source_fanin.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/msg.h"
#include "state/holder_watch.h"

#include <inttypes.h>
#include <stdlib.h>

/* Lines have tokens too: pointers of processes like ours, or small numbers. */
#define GROUP_TOKEN (UINT64_C(1) << 63)

struct fanin_source {
    struct source source; /* first */
    struct store *store;
    struct fanin_settings settings;
    struct source *lines;
    char *name;
    struct store_ear ear;
    struct loop_timer due;
    struct holder_watch holders;
    struct fanin_batches batches;
    struct fanin_batch *coming; /* asked for */
    size_t lines_open;          /* without an outcome */
    struct err torn;            /* how the lines have ended, if they were not all */
    bool wanted;                /* there may be groups to take */
    bool lines_ended;           /* all are handed out, or no more are wanted */
    bool stopped;
    bool last_asked; /* after all that the lines brought was there */
    bool shared;     /* others have taken groups */
    bool through;    /* all is written that was to be */
};

static struct fanin_source *of(struct source *source)
{
    return (struct fanin_source *)(void *)source;
}

static struct loop *loop_of(const struct fanin_source *own)
{
    return store_loop(own->store);
}

static void go_on(void *owner)
{
    struct fanin_source *own = owner;
    own->source.ready(own->source.owner);
}

static void fail(void *owner, const struct err *err)
{
    struct fanin_source *own = owner;
    own->source.fail(own->source.owner, err);
}

static void wake(void *owner)
{
    struct fanin_source *own = owner;
    own->wanted = true;
    go_on(own);
}

static void time_has_come(struct loop_timer *timer)
{
    wake(CONTAINER_OF(timer, struct fanin_source, due));
}

/* ---- taking ---- */

/* Sleep until there may be something. */
static void wait_for_more(struct fanin_source *own, struct fanin_take *take)
{
    struct loop *loop = loop_of(own);
    take->holder_count = holder_watch_sort(take->holders, take->holder_count);
    own->wanted = own->wanted || take->more;
    own->shared = take->held;
    if (!holder_watch_set(&own->holders, take->holders, take->holder_count))
        own->wanted = true;
    if (take->next_due)
        loop_timer_set(loop, &own->due, clock_now() + take->next_due - clock_wall());
    else
        loop_timer_clear(loop, &own->due);
}

static void taken(struct store_op *op)
{
    struct fanin_source *own = op->owner;
    struct fanin_batch *batch = own->coming;
    own->coming = NULL;
    if (op->status == STORE_OK)
        wait_for_more(own, &batch->take);
    else
        fanin_batches_fail(&own->batches, op, "take groups");
    if (op->status == STORE_OK && batch->take.got)
        fanin_batch_begin(batch);
    else
        fanin_batch_free(batch);
    go_on(own);
}

static void ask(struct fanin_source *own)
{
    struct fanin_batch *batch = fanin_batch_new(&own->batches);
    struct fanin_take *take = &batch->take;
    bool all_there = own->lines_ended && !own->lines_open;
    enum fanin_at_eof at_eof = own->settings.rules.at_eof;
    bool keeps = at_eof == FANIN_KEEP || (at_eof == FANIN_AS_FITS && own->settings.lasting);
    batch->interrupted = own->stopped;
    take->own.op.done = taken;
    take->own.op.owner = own;
    take->own.name = own->batches.name;
    take->count = FANIN_TAKE_MAX;
    take->bytes = FANIN_BYTES;
    take->holder = own->settings.stored ? cell_self() : 0;
    take->at_eof = all_there && (!keeps || own->stopped);
    own->wanted = false;
    own->last_asked = all_there;
    own->coming = batch;
    fanin_take(own->store, take);
}

/* ---- events ---- */

static enum source_status hand_out(struct fanin_source *own, struct source_event *event)
{
    struct fanin_held *held = fanin_batches_hand_out(&own->batches);
    struct buf array = {0};
    fanin_result_array(&own->settings.rules, held->group, &array);
    buf_addc(&array, '\n');
    size_t len = array.len;
    struct slice line = slice_take(buf_take(&array), len);
    *event = (struct source_event){
        .bytes = {line.block, line.data, len - 1},
        .number = held->group->seq,
        .length = len - 1,
        .token = GROUP_TOKEN | (uintptr_t)held,
        .made = true,
    };
    return SOURCE_EVENT;
}

static enum source_status next_line(struct fanin_source *own, struct source_event *event)
{
    struct source *lines = own->lines;
    lines->ready = go_on;
    lines->fail = fail;
    lines->owner = own;
    enum source_status status = lines->next(lines, event, &own->torn);
    if (status == SOURCE_EVENT || status == SOURCE_TOO_LARGE)
        own->lines_open++;
    else if (status == SOURCE_FAILED || status == SOURCE_END)
        own->lines_ended = own->batches.hasty = true;
    if (status == SOURCE_END)
        own->torn.kind = ERR_NONE;
    return status;
}

static void shown(struct store_op *op)
{
    (void)op;
}

/* What stays open is told once. */
static void tell_open(struct fanin_source *own)
{
    struct fanin_show show = {.own = {.op.done = shown, .name = own->batches.name}};
    fanin_show(own->store, &show);
    if (show.own.op.status == STORE_OK && show.open)
        msg_warn("%" PRIu64 " group%s of %s stay%s open, with %" PRIu64 " part%s", show.open,
                 show.open == 1 ? "" : "s", own->settings.name, show.open == 1 ? "s" : "",
                 show.parts, show.parts == 1 ? "" : "s");
}

/* Has everything been handed out, and ended? */
static bool is_over(const struct fanin_source *own)
{
    return own->lines_ended && !own->lines_open && own->last_asked && !own->wanted &&
           !own->coming && !own->batches.current;
}

/* Told to end, with groups that are there for others too: what was taken over is compared to its
 * end with what is written of it, and the rest goes back. */
static enum source_status next_of_last(struct fanin_source *own, struct source_event *event)
{
    if (own->coming)
        return SOURCE_LATER;
    if (fanin_batches_has(&own->batches) && own->batches.current->past)
        return hand_out(own, event);
    fanin_batches_give_back(&own->batches);
    return SOURCE_END;
}

static enum source_status next(struct source *source, struct source_event *event, struct err *err)
{
    struct fanin_source *own = of(source);
    if (own->stopped && own->settings.lasting)
        return next_of_last(own, event);
    if (fanin_batches_has(&own->batches))
        return hand_out(own, event);
    if (own->wanted && !own->coming && !own->batches.current)
        ask(own); /* also while lines are at hand: they close groups faster than the window fills */
    if (!own->lines_ended) {
        enum source_status status = next_line(own, event);
        if (status == SOURCE_EVENT || status == SOURCE_TOO_LARGE)
            return status;
    }
    if (!is_over(own)) {
        bool last = own->lines_ended && !own->lines_open && !own->last_asked;
        if ((own->wanted || last) && !own->coming && !own->batches.current)
            ask(own);
        return SOURCE_LATER;
    }
    own->through = !own->stopped;
    if (own->through)
        tell_open(own);
    *err = own->torn;
    return own->torn.kind ? SOURCE_FAILED : SOURCE_END;
}

static void stop(struct source *source)
{
    struct fanin_source *own = of(source);
    if (!own->lines_ended)
        own->lines->stop(own->lines);
    own->lines_ended = own->stopped = source->drains = own->batches.hasty = true;
    own->torn.kind = ERR_NONE;
}

/* ---- outcomes ---- */

struct fanin_held *source_fanin_held(uint64_t token)
{
    return token & GROUP_TOKEN ? (struct fanin_held *)(uintptr_t)(token & ~GROUP_TOKEN) : NULL;
}

static void outcome(struct source *source, uint64_t token, enum source_outcome outcome)
{
    struct fanin_source *own = of(source);
    struct fanin_held *held = source_fanin_held(token);
    if (held) {
        held->end.given_back = outcome == SOURCE_RELEASED;
        held->end.remember = outcome == SOURCE_DEAD ? 0 : own->settings.remember;
        fanin_held_end(held);
        if (!own->batches.current)
            go_on(own);
        return;
    }
    if (own->lines->outcome)
        own->lines->outcome(own->lines, token, outcome);
    if (--own->lines_open == 0 && own->lines_ended)
        go_on(own);
}

static bool busy(struct source *source)
{
    struct fanin_source *own = of(source);
    return own->batches.ending || own->coming || (own->lines->busy && own->lines->busy(own->lines));
}

static bool keeps(struct source *source, uint64_t token, const struct failure *failure)
{
    struct fanin_source *own = of(source);
    return !source_fanin_held(token) && own->lines->keeps &&
           own->lines->keeps(own->lines, token, failure);
}

static void describe(struct source *source, uint64_t token, struct buf *members)
{
    struct fanin_source *own = of(source);
    const struct fanin_held *held = source_fanin_held(token);
    if (held) {
        buf_puts(members, ",\"group\":");
        buf_add_str(members, held->group->key);
    } else if (own->lines->describe) {
        own->lines->describe(own->lines, token, members);
    }
}

static bool bury(struct source *source, uint64_t token, struct str letter)
{
    struct fanin_source *own = of(source);
    struct fanin_held *held = source_fanin_held(token);
    if (!held)
        return own->lines->bury && own->lines->bury(own->lines, token, letter);
    buf_clear(&held->letter);
    buf_add_str(&held->letter, letter);
    return true;
}

/* No other group's, also not of another run of groups in memory. */
static void identify(struct source *source, uint64_t token, struct buf *id)
{
    struct fanin_source *own = of(source);
    const struct fanin_held *held = source_fanin_held(token);
    if (held)
        buf_addf(id, "%s/%" PRIu64 "-%" PRIx64, own->name, held->group->seq,
                 (uint64_t)held->group->group.first_at);
    else if (own->lines->identify)
        own->lines->identify(own->lines, token, id);
}

/* ---- the source ---- */

static void extent(struct source *source, uint64_t *read, uint64_t *all)
{
    struct source *lines = of(source)->lines;
    if (lines->extent)
        lines->extent(lines, read, all);
}

static void feed(struct source *source, struct source *letters)
{
    struct fanin_source *own = of(source);
    own->lines->free(own->lines);
    own->lines = letters;
    source->name = letters->name;
}

static void free_source(struct source *source)
{
    struct fanin_source *own = of(source);
    if (own->coming) /* the run ended badly: an operation points here */
        store_flush(own->store);
    if (own->batches.written && own->through && !own->shared)
        written_end(own->batches.written, store_home(own->store));
    fanin_batches_free(&own->batches);
    store_deafen(own->store, &own->ear);
    holder_watch_free(&own->holders);
    loop_timer_clear(loop_of(own), &own->due);
    own->lines->free(own->lines);
    free(own->name);
    free(own);
}

struct source *source_fanin(struct store *store, const struct fanin_settings *settings,
                            struct source *lines, struct written *written, struct err *err)
{
    struct fanin_source *own = mem_zalloc(sizeof *own);
    struct buf name = {0};
    buf_addf(&name, "fanin:%s", settings->name);
    *own = (struct fanin_source){
        .store = store,
        .settings = *settings,
        .lines = lines,
        .name = buf_take(&name),
        .due.fire = time_has_come,
        .wanted = true,
    };
    own->source = (struct source){
        .name = lines->name,
        .makes = "groups",
        .releases = settings->stored,
        .next = next,
        .outcome = outcome,
        .stop = stop,
        .free = free_source,
        .extent = extent,
        .busy = busy,
        .keeps = keeps,
        .describe = describe,
        .bury = settings->stored ? bury : NULL,
        .feed = feed,
        .identify = identify,
    };
    own->batches = (struct fanin_batches){
        .store = store,
        .name = str_of(settings->name),
        .label = own->name,
        .most = settings->most,
        .written = written,
        .progress = go_on,
        .fail = fail,
        .owner = own,
    };
    holder_watch_init(&own->holders, loop_of(own), wake, own);
    own->ear =
        (struct store_ear){.kind = "fanin", .name = own->batches.name, .heard = wake, .owner = own};
    if (store_listen(store, &own->ear, err) == 0)
        return &own->source;
    free_source(&own->source);
    return NULL;
}
