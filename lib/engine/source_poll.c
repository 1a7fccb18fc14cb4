/* source_poll.c: the changes of something that publishes none. */
#include "engine/source_poll.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/msg.h"
#include "engine/poll_event.h"
#include "engine/poll_look.h"
#include "engine/poll_round.h"

#include <inttypes.h>
#include <stdlib.h>

struct poll_source {
    struct source source; /* first */
    struct engine *engine;
    struct source_poll_settings settings;
    char *name;       /* of the source */
    struct buf place; /* the CloudEvents' source */
    struct poll_form form;
    struct jq_program *cursor;
    struct poll_state state;
    struct poll_look look;
    struct poll_round round;
    struct loop_timer timer;
    int64_t began;      /* the last look, loop_now */
    bool started;       /* the first look has begun */
    bool due;           /* a look, once everything is committed */
    bool over;          /* no more events: ended, or stopped */
    bool stopping;      /* within stop, after which the engine looks by itself */
    uint64_t unchanged; /* looks in a row without a change */
    uint64_t failed;    /* events of this look that come again, as they have failed */
    int status;         /* source_poll_status */
};

static struct poll_source *of(struct source *source)
{
    return (struct poll_source *)(void *)source;
}

static void ready(void *owner)
{
    struct poll_source *own = owner;
    if (own->source.ready && !own->stopping)
        own->source.ready(own->source.owner);
}

static void fail(void *owner, const struct err *err)
{
    struct poll_source *own = owner;
    own->source.fail(own->source.owner, err);
}

/* ---- the end ---- */

static bool busy(struct source *source)
{
    const struct poll_source *own = of(source);
    return poll_look_is_busy(&own->look) || own->round.reading ||
           !cursor_hold_is_idle(&own->state.hold);
}

/* Something on its way has ended. */
static void check_end(void *owner)
{
    struct poll_source *own = owner;
    if (own->over && !busy(&own->source))
        ready(own);
}

/* Nothing is out any more: give the cursor back. */
static void close_if_over(struct poll_source *own)
{
    if (own->over && own->round.handed == own->round.ended)
        cursor_hold_close(&own->state.hold);
}

static void end_events(struct poll_source *own)
{
    own->over = true;
    own->due = false;
    loop_timer_clear(engine_loop(own->engine), &own->timer);
    poll_look_close(&own->look);
    close_if_over(own);
}

/* ---- from look to look ---- */

static void look_if_due(struct poll_source *own)
{
    if (!own->due || !cursor_hold_is_idle(&own->state.hold))
        return;
    own->due = false;
    own->began = loop_now(engine_loop(own->engine));
    poll_look_begin(&own->look, &own->state.head);
}

static void time_has_come(struct loop_timer *timer)
{
    struct poll_source *own = CONTAINER_OF(timer, struct poll_source, timer);
    own->due = true;
    look_if_due(own);
}

static void look_again_later(struct poll_source *own, int status)
{
    own->status = status;
    if (own->over)
        return;
    if (own->settings.once) {
        end_events(own);
        ready(own);
        return;
    }
    own->timer.fire = time_has_come;
    loop_timer_set(engine_loop(own->engine), &own->timer,
                   own->began + change_wait(&own->settings.pace, own->unchanged));
}

/* All moves are on disk. */
static void settled(void *owner)
{
    struct poll_source *own = owner;
    look_if_due(own);
    check_end(own);
}

/* ---- a look is over ---- */

/* All its changes have ended. */
static void end_look(struct poll_source *own)
{
    struct str name = own->state.hold.name;
    uint64_t failed = own->failed;
    own->unchanged = own->round.count ? 0 : own->unchanged + 1;
    own->failed = 0;
    bool known = !own->round.released && !poll_round_forgets(&own->round);
    poll_look_remember(&own->look, known ? &own->round.list.whole : NULL);
    poll_round_finish(&own->round, &own->look.validators);
    if (failed > 1)
        msg_warn("%.*s: %" PRIu64 " changes come again", (int)name.len, name.data, failed);
    look_again_later(own, failed ? EXIT_AGAIN : EXIT_OK);
}

/* ---- what a look has given ---- */

/* With --once its failure is the run's. */
static void failed_look(struct poll_source *own, bool permanent)
{
    int status = permanent ? EXIT_FITTING : EXIT_AGAIN;
    look_again_later(own, own->settings.once ? status : EXIT_OK);
}

static void nothing_new(struct poll_source *own)
{
    poll_look_accept(&own->look);
    poll_head_exchange(&own->state.head, &own->look.validators);
    own->state.head.success = own->look.began;
    own->unchanged++;
    look_again_later(own, EXIT_OK);
}

static void take_value(struct poll_source *own)
{
    struct err err;
    struct poll_round *round = &own->round;
    struct slice value = own->look.value;
    own->look.value = (struct slice){0};
    if (poll_round_read(round, value, own->look.began, &err) < 0) {
        poll_look_refuse(&own->look, err.text);
        failed_look(own, false);
        return;
    }
    poll_look_accept(&own->look);
    if (own->state.is_new && !own->settings.emit_first) {
        poll_look_remember(&own->look, poll_round_forgets(round) ? NULL : &round->list.whole);
        poll_round_begin(round, &own->look.validators);
        look_again_later(own, EXIT_OK);
        return;
    }
    poll_round_diff(round);
    if (round->count)
        ready(own);
    else
        end_look(own);
}

static void looked(void *owner)
{
    struct poll_source *own = owner;
    if (own->over) {
        slice_drop(&own->look.value);
        return;
    }
    switch (own->look.looked) {
    case POLL_LOOKED_VALUE:
        take_value(own);
        break;
    case POLL_LOOKED_UNCHANGED:
        nothing_new(own);
        break;
    case POLL_LOOKED_FAILED:
        failed_look(own, own->look.permanent);
        break;
    }
}

/* ---- outcomes ---- */

static void outcome(struct source *source, uint64_t token, enum source_outcome outcome)
{
    struct poll_source *own = of(source);
    struct poll_round *round = &own->round;
    if (outcome == SOURCE_RELEASED)
        round->released++;
    else
        poll_state_settle(&own->state, &round->list, &round->changes[token]);
    if (++round->ended == round->count)
        end_look(own);
    close_if_over(own);
}

static bool keeps(struct source *source, uint64_t token, const struct failure *failure)
{
    struct poll_source *own = of(source);
    struct str name = own->state.hold.name;
    (void)token;
    if (failure_is_of_run(failure))
        return true;
    if (failure->class == FAILURE_PERMANENT && !failure_is_held_off(failure->reason))
        return false;
    if (!own->failed++)
        msg_warn("%.*s: a change comes again: %s", (int)name.len, name.data,
                 failure->message ? failure->message : failure_name(failure->reason));
    return true;
}

static void describe(struct source *source, uint64_t token, struct buf *members)
{
    (void)token;
    buf_puts(members, ",\"poll\":");
    buf_add_json(members, of(source)->state.hold.name);
}

static void identify(struct source *source, uint64_t token, struct buf *id)
{
    const struct poll_source *own = of(source);
    const struct poll_change *change = &own->round.changes[token];
    char text[HASH_TEXT];
    buf_add_str(id, buf_str(&own->place));
    buf_addf(id, "#%s", poll_state_identify(&own->state, &own->round.list, change, text));
}

/* ---- the source ---- */

static enum source_status next(struct source *source, struct source_event *event, struct err *err)
{
    struct poll_source *own = of(source);
    struct poll_round *round = &own->round;
    size_t number, most = own->settings.max_event;
    struct slice line;
    (void)err;
    if (own->over)
        return SOURCE_END;
    if (!own->started) {
        own->started = own->due = true;
        look_if_due(own);
    }
    bool found = round->changes && poll_round_next(round, &number, &line);
    if (!found && round->count && round->ended == round->count)
        end_look(own); /* nothing of it is handed out */
    if (!found)
        return own->over ? SOURCE_END : SOURCE_LATER;
    *event = (struct source_event){
        .bytes = line, .number = number + 1, .length = line.len, .token = number};
    if (line.len <= most)
        return SOURCE_EVENT;
    event->bytes.len = most;
    return SOURCE_TOO_LARGE;
}

static void stop(struct source *source)
{
    struct poll_source *own = of(source);
    own->stopping = true;
    end_events(own);
    own->stopping = false;
}

static void free_source(struct source *source)
{
    struct poll_source *own = of(source);
    own->over = true;
    loop_timer_clear(engine_loop(own->engine), &own->timer);
    cursor_hold_close(&own->state.hold);
    if (busy(source)) /* the run ended badly: operations point here */
        store_flush(own->state.hold.store);
    poll_round_clear(&own->round);
    poll_look_free(&own->look);
    poll_state_free(&own->state);
    poll_form_free(&own->form);
    jq_free(own->cursor);
    buf_free(&own->place);
    free(own->name);
    free(own);
}

int source_poll_status(const struct source *source)
{
    return ((const struct poll_source *)(const void *)source)->status;
}

/* ---- opening ---- */

static void set_parts(struct poll_source *own)
{
    const struct source_poll_settings *settings = &own->settings;
    struct str name = str_of(settings->name ? settings->name : settings->made_of.check);
    poll_event_source(name, &own->place);
    own->state = (struct poll_state){
        .hold = {.kind = POLL_STATE_KIND,
                 .name = name,
                 .settled = settled,
                 .failed = fail,
                 .owner = own},
        .form = &own->form,
        .made_of = settings->made_of,
        .keeps_unseen = settings->cursor,
    };
    own->look = (struct poll_look){
        .engine = own->engine,
        .check = settings->made_of.check,
        .text = settings->text,
        .several = settings->made_of.items,
        .name = name,
        .done = looked,
        .closed = check_end,
        .owner = own,
    };
    own->round = (struct poll_round){
        .state = &own->state,
        .form = &own->form,
        .source = buf_str(&own->place),
        .data = settings->data,
        .ready = ready,
        .fail = fail,
        .owner = own,
    };
}

static int compile(struct poll_source *own, struct err *err)
{
    const struct poll_made_of *made_of = &own->settings.made_of;
    struct err why;
    if (poll_form_init(&own->form, made_of->items, made_of->key, made_of->ignore, err) < 0)
        return -1;
    if (!own->settings.cursor)
        return 0;
    own->round.cursor = own->cursor = jq_compile(own->settings.cursor, NULL, &why);
    return own->cursor ? 0 : err_set(err, why.kind, "--cursor %s", why.text);
}

/* 1; 0: said, *status is set; -1 with err. */
static int open_state(struct poll_source *own, int *status, struct err *err)
{
    struct cursor_hold *hold = &own->state.hold;
    hold->store =
        own->settings.durable ? engine_store(own->engine, err) : engine_memory(own->engine);
    if (!hold->store)
        return -1;
    int had = poll_state_open(&own->state, err);
    if (had > 0 && own->state.restarts)
        msg_warn("%.*s: it was kept with another --items or --key: begins anew",
                 (int)hold->name.len, hold->name.data);
    if (had < 0 && err->text[0])
        return -1;
    *status = had < 0 ? EXIT_FITTING : EXIT_AGAIN;
    return had > 0;
}

struct source *source_poll(struct engine *engine, const struct source_poll_settings *settings,
                           int *status)
{
    struct poll_source *own = mem_zalloc(sizeof *own);
    struct buf name = {0};
    struct err err;
    own->engine = engine;
    own->settings = *settings;
    set_parts(own);
    buf_addf(&name, "poll:%.*s", (int)own->state.hold.name.len, own->state.hold.name.data);
    own->name = buf_take(&name);
    own->source = (struct source){
        .name = own->name,
        .releases = true,
        .waits = !settings->once,
        .next = next,
        .outcome = outcome,
        .stop = stop,
        .free = free_source,
        .busy = busy,
        .keeps = keeps,
        .describe = describe,
        .identify = identify,
    };
    int opened = compile(own, &err) < 0 || poll_look_open(&own->look, &err) < 0
                     ? -1
                     : open_state(own, status, &err);
    if (opened > 0)
        return &own->source;
    if (opened < 0)
        *status = engine_refuse(&err);
    free_source(&own->source);
    return NULL;
}
