/* source_ticks.c: the times of a schedule as events. */
#include "engine/source_ticks.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/msg.h"
#include "engine/tick_event.h"
#include "sys/wall_timer.h"

#include <inttypes.h>
#include <stdlib.h>

struct ticks_source {
    struct source source; /* first */
    struct source_ticks_settings settings;
    struct ticks ticks;
    struct wall_timer timer;
    int64_t began;
    int64_t delay;   /* of --once: the last time that it runs begins then; 0: at once */
    int64_t success; /* the last one, */
    int64_t kept;    /* and the last one that is committed */
    uint64_t handed; /* out, ever */
    uint64_t noted;  /* times left out that are kept as such */
    size_t out;      /* handed out, and not heard of again */
    bool unkept;     /* where it begins is still to be kept; */
    bool begun;      /* that is so */
    bool over;       /* no more events */
};

static struct ticks_source *of(struct source *source)
{
    return (struct ticks_source *)(void *)source;
}

static void ready(struct ticks_source *own)
{
    own->source.ready(own->source.owner);
}

static void time_has_come(struct wall_timer *timer, bool clock_set)
{
    (void)clock_set;
    ready(CONTAINER_OF(timer, struct ticks_source, timer));
}

/* ---- keeping ---- */

static void settled(void *owner)
{
    struct ticks_source *own = owner;
    ticks_settle(&own->ticks);
    own->kept = own->success;
    own->begun = true;
    ready(own);
}

static void failed(void *owner, const struct err *err)
{
    struct ticks_source *own = owner;
    own->source.fail(own->source.owner, err);
}

/* What has begun and not ended, in the memory of open. */
static size_t list_open(const struct ticks *ticks, int64_t *open)
{
    size_t count = 0;
    for (size_t i = 0; i < ticks->count; i++) {
        if (ticks->open[i].state != TICK_ENDED)
            open[count++] = ticks->open[i].tick.scheduled;
    }
    return count;
}

static void move_cursor(struct ticks_source *own)
{
    const struct ticks_setup *setup = own->settings.setup;
    const struct schedule *schedule = &own->ticks.schedule;
    struct buf text = {0};
    struct ticks_record record = {
        .anchor = schedule->kind == SCHEDULE_INTERVAL ? schedule->anchor : 0,
        .at = schedule->kind == SCHEDULE_AT ? schedule->at : 0,
        .through = own->ticks.through,
        .success = own->success,
        .open = mem_array(own->ticks.count + 1, sizeof *record.open),
    };
    buf_puts(&record.schedule, setup->text);
    buf_puts(&record.zone, setup->zone_name ? setup->zone_name : "");
    record.count = list_open(&own->ticks, record.open);
    ticks_record_write(&record, &text);
    struct cursor_change change = {.key = STR(TICKS_RECORD_KEY), .value = buf_str(&text)};
    cursor_hold_move(own->settings.hold, &change, 1);
    ticks_record_free(&record);
    buf_free(&text);
}

static void keep(struct ticks_source *own)
{
    own->unkept = false;
    own->noted = own->ticks.missed + own->ticks.skipped;
    if (own->settings.hold)
        move_cursor(own);
    else
        settled(own);
}

static void close_if_over(struct ticks_source *own)
{
    if (own->over && !own->out && own->settings.hold)
        cursor_hold_close(own->settings.hold);
}

static void end_ticks(struct ticks_source *own)
{
    own->over = true;
    wall_timer_clear(&own->timer);
    close_if_over(own);
}

/* ---- events ---- */

static void hand_out(struct ticks_source *own, const struct tick *tick, struct source_event *event)
{
    const struct source_ticks_settings *settings = &own->settings;
    const struct tick_event facts = {
        .source = settings->source,
        .scheduled = tick->scheduled,
        .started = clock_wall(),
        .success = own->kept,
        .missed = tick->missed,
        .skipped = tick->skipped,
        .run = rng_next(settings->rng),
        .data = settings->data,
    };
    struct slice line = tick_event_line(&facts);
    *event = (struct source_event){
        .bytes = {line.block, line.data, line.len - 1},
        .number = ++own->handed,
        .length = line.len - 1,
        .token = (uint64_t)tick->scheduled,
    };
    own->out++;
    own->noted = own->ticks.missed + own->ticks.skipped; /* kept with its end */
    if (tick->missed)
        msg_verbose("%" PRIu64 " %s missed", tick->missed,
                    tick->missed == 1 ? "time was" : "times were");
    own->over = own->handed == settings->count;
}

/* What was left out is not to come again. */
static void keep_left_out(struct ticks_source *own)
{
    if (own->noted == own->ticks.missed + own->ticks.skipped)
        return;
    msg_verbose("a time was left out: %" PRIu64 " missed so far, %" PRIu64 " skipped",
                own->ticks.missed, own->ticks.skipped);
    keep(own);
}

/* Where it begins is kept before anything is begun: else another process, after a kill, would begin
 * elsewhere. True: until then. */
static bool waits_for_begin(struct ticks_source *own)
{
    if (own->settings.hold && own->unkept)
        keep(own);
    return own->settings.hold && !own->begun;
}

/* --once runs what was due when it began. */
static int64_t time_of_look(const struct ticks_source *own)
{
    int64_t now = clock_wall();
    if (!own->settings.setup->once)
        return now;
    return own->delay && now >= own->delay ? own->delay : own->began;
}

/* --once: is there something to wait for? What comes later than now is not for this run. */
static bool waits_once(struct ticks_source *own, int64_t when)
{
    if (ticks_wait(&own->ticks))
        return true;
    if (!ticks_are_delayed(&own->ticks, own->began))
        return false;
    own->delay = when;
    wall_timer_set(&own->timer, when); /* at once, if it has passed meanwhile */
    return true;
}

static enum source_status next(struct source *source, struct source_event *event, struct err *err)
{
    struct ticks_source *own = of(source);
    int64_t now = time_of_look(own);
    int64_t when;
    struct tick tick;
    (void)err;
    if (own->over)
        return SOURCE_END;
    if (waits_for_begin(own))
        return SOURCE_LATER;
    enum ticks_answer answer = ticks_next(&own->ticks, now, &tick, &when);
    if (answer == TICKS_RUN) {
        hand_out(own, &tick, event);
        return SOURCE_EVENT;
    }
    keep_left_out(own);
    bool once = own->settings.setup->once;
    if (answer == TICKS_OVER || (once && !waits_once(own, when))) {
        end_ticks(own);
        return SOURCE_END;
    }
    if (!once && when != INT64_MAX)
        wall_timer_set(&own->timer, when);
    return SOURCE_LATER;
}

static void outcome(struct source *source, uint64_t token, enum source_outcome outcome)
{
    struct ticks_source *own = of(source);
    int64_t scheduled = (int64_t)token;
    own->out--;
    if (outcome == SOURCE_RELEASED)
        ticks_return(&own->ticks, scheduled);
    else
        ticks_end(&own->ticks, scheduled);
    if (outcome == SOURCE_DONE && scheduled > own->success)
        own->success = scheduled;
    keep(own);
    close_if_over(own);
}

/* It is not the function that failed. */
static bool keeps(struct source *source, uint64_t token, const struct failure *failure)
{
    (void)token;
    return source->releases && failure_is_of_run(failure);
}

static void identify(struct source *source, uint64_t token, struct buf *id)
{
    tick_event_identity(of(source)->settings.source, (int64_t)token, id);
}

/* ---- from the start to the end ---- */

static bool busy(struct source *source)
{
    const struct cursor_hold *hold = of(source)->settings.hold;
    return hold && !cursor_hold_is_idle(hold);
}

static void stop(struct source *source)
{
    end_ticks(of(source));
}

static void free_source(struct source *source)
{
    struct ticks_source *own = of(source);
    if (busy(source)) /* the run ended badly: operations point here */
        store_flush(own->settings.hold->store);
    wall_timer_close(&own->timer);
    ticks_free(&own->ticks);
    free(own);
}

const struct ticks *source_ticks_of(const struct source *source)
{
    return &((const struct ticks_source *)(const void *)source)->ticks;
}

/* -1 with err: its moment is over. */
static int begin(struct ticks_source *own, struct err *err)
{
    static const struct ticks_record none;
    const struct source_ticks_settings *settings = &own->settings;
    const struct ticks_record *record = settings->record ? settings->record : &none;
    bool resumes = ticks_setup_begin(settings->setup, record, own->began, &own->ticks);
    own->success = own->kept = record->success;
    own->unkept = !resumes;
    own->begun = resumes;
    if (!resumes && record->schedule.len)
        msg_verbose("the schedule was '%.*s'%s%.*s: going on from now", (int)record->schedule.len,
                    record->schedule.data, record->zone.len ? ", of the zone " : "",
                    (int)record->zone.len, record->zone.len ? record->zone.data : "");
    const struct schedule *schedule = &own->ticks.schedule;
    if (schedule->kind == SCHEDULE_AT && schedule->at < own->began && !resumes &&
        !settings->setup->once)
        return err_set(err, ERR_USAGE, "%s: has passed", settings->setup->text);
    return 0;
}

struct source *source_ticks(struct loop *loop, const struct source_ticks_settings *settings,
                            struct err *err)
{
    struct ticks_source *own = mem_zalloc(sizeof *own);
    own->settings = *settings;
    own->began = clock_wall();
    own->timer.fire = time_has_come;
    own->source = (struct source){
        .name = settings->source,
        .releases = settings->hold,
        .waits = !settings->setup->once,
        .next = next,
        .outcome = outcome,
        .stop = stop,
        .free = free_source,
        .busy = busy,
        .keeps = keeps,
        .identify = identify,
    };
    if (begin(own, err) < 0 || wall_timer_open(&own->timer, loop, err) < 0) {
        ticks_free(&own->ticks);
        free(own);
        return NULL;
    }
    if (settings->hold) {
        settings->hold->settled = settled;
        settings->hold->failed = failed;
        settings->hold->owner = own;
    }
    return &own->source;
}
