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

struct fanin_held {
    struct fanin_end end; /* first */
    struct fanin_batch *batch;
    const struct fanin_group *group;
    struct buf letter;
};

struct fanin_batch { /* groups that were taken together */
    struct fanin_source *source;
    struct fanin_take take; /* its answer */
    struct fanin_held *held;
    unsigned handed, told, open; /* handed out; told of; not yet ended */
    bool interrupted;            /* those that were open closed because of that */
};

struct fanin_source {
    struct source source; /* first */
    struct store *store;
    struct fanin_settings settings;
    struct source *lines;
    char *name;
    struct store_ear ear;
    struct loop_timer due;
    struct holder_watch holders;
    struct loop_task sweep;
    struct fanin_batch *batch;    /* the one at hand: some of it have not been told */
    struct fanin_batch *coming;   /* asked for */
    struct fanin_batch *over;     /* of which nothing is left */
    size_t lines_open, ends_open; /* without an outcome; on their way */
    struct err torn;              /* how the lines have ended, if they were not all */
    bool wanted;                  /* there may be groups to take */
    bool lines_ended;             /* all are handed out, or no more are wanted */
    bool stopped;
    bool last_asked; /* after all that the lines brought was there */
    bool lost;       /* a group was, and it was said */
};

static struct fanin_source *of(struct source *source)
{
    return (struct fanin_source *)(void *)source;
}

static struct str name_of(const struct fanin_source *own)
{
    return str_of(own->settings.name);
}

static struct loop *loop_of(const struct fanin_source *own)
{
    return store_loop(own->store);
}

static void fail(struct fanin_source *own, const struct store_op *op, const char *what)
{
    struct err err;
    err_set(&err, op->err->kind, "%s: %s: %s", own->name, what, op->err->text);
    own->source.fail(own->source.owner, &err);
}

static void wake(void *owner)
{
    struct fanin_source *own = owner;
    own->wanted = true;
    own->source.ready(own->source.owner);
}

static void time_has_come(struct loop_timer *timer)
{
    wake(CONTAINER_OF(timer, struct fanin_source, due));
}

/* ---- batches ---- */

static void free_batch(struct fanin_batch *batch)
{
    if (!batch)
        return;
    for (unsigned i = 0; i < batch->take.got; i++)
        buf_free(&batch->held[i].letter);
    free(batch->held);
    fanin_take_clear(&batch->take);
    free(batch);
}

/* In a later turn: who is told of an end may still look at it. */
static void sweep(struct loop_task *task)
{
    struct fanin_source *own = CONTAINER_OF(task, struct fanin_source, sweep);
    free_batch(own->over);
    own->over = NULL;
    own->source.ready(own->source.owner);
}

static void end_batch(struct fanin_source *own, struct fanin_batch *batch)
{
    free_batch(own->over);
    own->over = batch;
    own->sweep.run = sweep;
    loop_defer(loop_of(own), &own->sweep);
}

static void ended(struct store_op *op)
{
    struct fanin_held *held = (struct fanin_held *)(void *)op;
    struct fanin_batch *batch = held->batch;
    struct fanin_source *own = batch->source;
    own->ends_open--;
    if (op->status == STORE_LOST && !own->lost) {
        own->lost = true;
        msg_warn("%s: a group was given to another process while it was written", own->name);
    } else if (op->status != STORE_OK && op->status != STORE_LOST) {
        fail(own, op, "end a group");
    }
    if (--batch->open == 0)
        end_batch(own, batch);
    else if (!own->ends_open)
        own->source.ready(own->source.owner);
}

static void end(struct fanin_held *held)
{
    struct fanin_source *own = held->batch->source;
    held->end.own.op.done = ended;
    held->end.own.op.patient = !own->lines_ended;
    held->end.own.name = name_of(own);
    held->end.token = held->batch->take.token;
    held->end.seq = held->group->seq;
    held->end.most = own->settings.most;
    own->ends_open++;
    fanin_end(own->store, &held->end);
}

/* One of them has its end on the way. */
static void tell(struct fanin_held *held)
{
    struct fanin_batch *batch = held->batch;
    struct fanin_source *own = batch->source;
    bool last = ++batch->told == batch->take.got;
    if (last && own->batch == batch)
        own->batch = NULL;
    end(held);
    if (last)
        own->source.ready(own->source.owner);
}

static void give_back(struct fanin_source *own)
{
    struct fanin_batch *batch = own->batch;
    while (batch && batch->handed < batch->take.got) {
        struct fanin_held *held = &batch->held[batch->handed++];
        held->end.given_back = true;
        tell(held);
    }
}

static void begin(struct fanin_source *own, struct fanin_batch *batch)
{
    unsigned got = batch->take.got;
    batch->held = mem_array(got, sizeof *batch->held);
    for (unsigned i = 0; i < got; i++) {
        batch->held[i].batch = batch;
        batch->held[i].group = &batch->take.groups[i];
    }
    batch->open = got;
    own->batch = batch;
}

/* ---- taking ---- */

/* Nothing was there: sleep until there may be something. */
static void wait_for_more(struct fanin_source *own, struct fanin_take *take)
{
    struct loop *loop = loop_of(own);
    take->holder_count = holder_watch_sort(take->holders, take->holder_count);
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
    if (op->status != STORE_OK) {
        fail(own, op, "take groups");
    } else {
        own->wanted = own->wanted || batch->take.more;
        wait_for_more(own, &batch->take);
    }
    if (op->status == STORE_OK && batch->take.got) {
        begin(own, batch);
        if (own->stopped && !own->source.drains)
            give_back(own);
    } else {
        free_batch(batch);
    }
    own->source.ready(own->source.owner);
}

static void ask(struct fanin_source *own)
{
    struct fanin_batch *batch = mem_zalloc(sizeof *batch);
    bool all_there = own->lines_ended && !own->lines_open;
    enum fanin_at_eof at_eof = own->settings.rules.at_eof;
    bool keeps = at_eof == FANIN_KEEP || (at_eof == FANIN_AS_FITS && own->settings.lasting);
    batch->source = own;
    batch->interrupted = own->stopped;
    batch->take = (struct fanin_take){
        .own.op.done = taken,
        .own.op.owner = own,
        .own.name = name_of(own),
        .count = FANIN_TAKE_MAX,
        .bytes = FANIN_BYTES,
        .holder = own->settings.stored ? cell_self() : 0,
        .at_eof = all_there && (!keeps || own->stopped),
    };
    own->wanted = false;
    own->last_asked = all_there;
    own->coming = batch;
    fanin_take(own->store, &batch->take);
}

/* ---- events ---- */

static enum source_status hand_out(struct fanin_source *own, struct source_event *event)
{
    struct fanin_batch *batch = own->batch;
    struct fanin_held *held = &batch->held[batch->handed++];
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

static void lines_ready(void *owner)
{
    struct fanin_source *own = owner;
    own->source.ready(own->source.owner);
}

static void lines_failed(void *owner, const struct err *err)
{
    struct fanin_source *own = owner;
    own->source.fail(own->source.owner, err);
}

static enum source_status next_line(struct fanin_source *own, struct source_event *event)
{
    struct source *lines = own->lines;
    lines->ready = lines_ready;
    lines->fail = lines_failed;
    lines->owner = own;
    enum source_status status = lines->next(lines, event, &own->torn);
    if (status == SOURCE_EVENT || status == SOURCE_TOO_LARGE)
        own->lines_open++;
    else if (status == SOURCE_FAILED || status == SOURCE_END)
        own->lines_ended = true;
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
    struct fanin_show show = {.own = {.op.done = shown, .name = name_of(own)}};
    fanin_show(own->store, &show);
    if (show.own.op.status == STORE_OK && show.open)
        msg_warn("%" PRIu64 " group%s of %s stay%s open, with %" PRIu64 " part%s", show.open,
                 show.open == 1 ? "" : "s", own->settings.name, show.open == 1 ? "s" : "",
                 show.parts, show.parts == 1 ? "" : "s");
}

/* Has everything been handed out? */
static bool is_over(const struct fanin_source *own)
{
    return own->lines_ended && !own->lines_open && own->last_asked && !own->wanted &&
           !own->coming && !own->batch;
}

static enum source_status next(struct source *source, struct source_event *event, struct err *err)
{
    struct fanin_source *own = of(source);
    if (own->batch && own->batch->handed < own->batch->take.got)
        return hand_out(own, event);
    if (own->wanted && !own->coming && !own->batch)
        ask(own); /* also while lines are at hand: they close groups faster than the window fills */
    if (!own->lines_ended) {
        enum source_status status = next_line(own, event);
        if (status == SOURCE_EVENT || status == SOURCE_TOO_LARGE)
            return status;
    }
    if (!is_over(own)) {
        bool last = own->lines_ended && !own->lines_open && !own->last_asked;
        if ((own->wanted || last) && !own->coming && !own->batch)
            ask(own);
        return SOURCE_LATER;
    }
    if (!own->stopped)
        tell_open(own);
    *err = own->torn;
    return own->torn.kind ? SOURCE_FAILED : SOURCE_END;
}

static void stop(struct source *source)
{
    struct fanin_source *own = of(source);
    if (!own->lines_ended)
        own->lines->stop(own->lines);
    own->lines_ended = own->stopped = true;
    own->torn.kind = ERR_NONE;
    if (own->settings.lasting)
        give_back(own);
    else
        source->drains = true;
}

/* ---- outcomes ---- */

struct fanin_held *source_fanin_held(uint64_t token)
{
    return token & GROUP_TOKEN ? (struct fanin_held *)(uintptr_t)(token & ~GROUP_TOKEN) : NULL;
}

const struct fanin_group *fanin_held_group(const struct fanin_held *held)
{
    return held->group;
}

bool fanin_held_interrupted(const struct fanin_held *held)
{
    return held->batch->interrupted;
}

static void outcome(struct source *source, uint64_t token, enum source_outcome outcome)
{
    struct fanin_source *own = of(source);
    struct fanin_held *held = source_fanin_held(token);
    if (held) {
        held->end.given_back = outcome == SOURCE_RELEASED;
        held->end.remember = outcome == SOURCE_DEAD ? 0 : own->settings.remember;
        if (outcome == SOURCE_DEAD && held->letter.len)
            held->end.letter = buf_str(&held->letter);
        tell(held);
        return;
    }
    if (own->lines->outcome)
        own->lines->outcome(own->lines, token, outcome);
    if (--own->lines_open == 0 && own->lines_ended)
        source->ready(source->owner);
}

static bool busy(struct source *source)
{
    struct fanin_source *own = of(source);
    return own->ends_open || own->coming || (own->lines->busy && own->lines->busy(own->lines));
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
    if (!own->settings.stored)
        return false;
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
    struct loop *loop = loop_of(own);
    if (own->coming || own->ends_open) /* the run ended badly: operations point here */
        store_flush(own->store);
    store_deafen(own->store, &own->ear);
    holder_watch_free(&own->holders);
    loop_timer_clear(loop, &own->due);
    loop_undefer(loop, &own->sweep);
    free_batch(own->over);
    free_batch(own->batch);
    own->lines->free(own->lines);
    free(own->name);
    free(own);
}

struct source *source_fanin(struct store *store, const struct fanin_settings *settings,
                            struct source *lines, struct err *err)
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
    holder_watch_init(&own->holders, loop_of(own), wake, own);
    own->ear =
        (struct store_ear){.kind = "fanin", .name = name_of(own), .heard = wake, .owner = own};
    if (store_listen(store, &own->ear, err) == 0)
        return &own->source;
    free_source(&own->source);
    return NULL;
}
