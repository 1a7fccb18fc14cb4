/* plan_broadcast.c: the plan of `broadcast`: give each event to every subscriber, at its own pace.
 */
#include "engine/plan_broadcast.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/msg.h"
#include "engine/broadcast_result.h"

#include <stdlib.h>
#include <string.h>

enum { BROADCAST_TURN = 256 }; /* events of a backlog begun before the descriptors are looked at */

/* The event on its way to one subscriber. */
struct send {
    union {
        struct fn_call call;
        struct fn_put put;
    };               /* first */
    struct job *job; /* NULL: not of this job */
};

/* What the plan keeps of a job. */
struct given {
    struct plan_broadcast *plan;
    struct spill_place place; /* of its event in the log; else zeroed */
    struct parked *parked;    /* of an event with several jobs that is not there; else NULL */
    size_t open;              /* sends that have not ended, and one while they are begun */
    struct send sends[];      /* one for each subscriber */
};

struct plan_broadcast {
    struct plan plan; /* first */
    struct engine *engine;
    struct subscribers all;
    struct subscriber *chosen; /* only its results are wanted; NULL: those of all, or none */
    bool silent;               /* no results are wanted, or no subscriber gives any */
    bool splits;               /* the chosen one has a job of its own */
    struct spill *spill;
    struct job *stalled;    /* waits for a place on a full disk; NULL: none does */
    bool told;              /* of that */
    bool hurries;           /* calls are being ended: nothing waits for its subscriber any more */
    struct loop_task again; /* reads on for those that are behind */
};

static struct plan_broadcast *of(struct plan *plan)
{
    return (struct plan_broadcast *)(void *)plan;
}

static void read_on(struct plan_broadcast *self)
{
    if (self->all.behind || self->stalled)
        loop_defer(engine_loop(self->engine), &self->again);
}

/* ---- the end of a job ---- */

/* Letters name the subscriber as it was written: that is who is to have the event again. */
static void name_failures(const struct plan_broadcast *self, struct given *given)
{
    for (size_t i = 0; i < self->all.count; i++) {
        struct failure *failure = given->sends[i].call.failure;
        if (failure) {
            free(failure->function);
            failure->function = mem_strdup(self->all.items[i].text);
        }
    }
}

static void emit_chosen(const struct plan_broadcast *self, struct job *job, struct given *given)
{
    struct fn_call *call = &given->sends[self->chosen - self->all.items].call;
    if (call->failure || job_hides(job, call))
        return;
    job_emit_take(job, call->lines, call->count);
    call->lines = (struct slice){0};
}

static void emit_all(const struct plan_broadcast *self, struct job *job, struct given *given)
{
    struct broadcast_result result = {0};
    for (size_t i = 0; i < self->all.count; i++) {
        const struct subscriber *subscriber = &self->all.items[i];
        const struct fn_call *call = &given->sends[i].call;
        if (given->sends[i].job && (call->failure || !subscriber->target->silent))
            broadcast_result_add(&result, buf_str(&subscriber->key), call, job_hides(job, call));
    }
    struct slice line = broadcast_result_end(&result);
    if (line.len)
        job_emit_take(job, line, 1);
}

static void end(struct job *job)
{
    struct given *given = job_data(job);
    const struct plan_broadcast *self = given->plan;
    name_failures(self, given);
    if (self->chosen)
        emit_chosen(self, job, given);
    else if (!self->silent)
        emit_all(self, job, given);
    for (size_t i = 0; i < self->all.count; i++) {
        slice_drop(&given->sends[i].call.lines);
        if (given->sends[i].call.failure)
            job_letter_take(job, slice_str(job->event), given->sends[i].call.failure);
    }
    job_done(job);
}

static void end_send(struct job *job)
{
    struct given *given = job_data(job);
    if (--given->open == 0)
        end(job);
}

/* ---- sending ---- */

static struct subscriber *receiver(const struct plan_broadcast *self, const struct send *send)
{
    const struct given *given = job_data(send->job);
    return &self->all.items[send - given->sends];
}

static void answered(struct fn_call *call)
{
    struct send *send = (struct send *)(void *)call;
    struct plan_broadcast *self = ((struct given *)job_data(send->job))->plan;
    targets_ended(receiver(self, send)->target, call);
    read_on(self);
    end_send(send->job);
}

static void put_done(struct fn_put *put, struct failure *failure)
{
    struct send *send = (struct send *)(void *)put;
    struct plan_broadcast *self = ((struct given *)job_data(send->job))->plan;
    targets_put_ended(receiver(self, send)->target, send->job->event.len);
    send->call.failure = failure;
    read_on(self);
    end_send(send->job);
}

static void send_to(struct job *job, struct given *given, const struct subscriber *subscriber)
{
    struct send *send = &given->sends[subscriber - given->plan->all.items];
    given->open++;
    send->job = job;
    if (subscriber->target->silent) {
        send->put.done = put_done;
        if (targets_put(subscriber->target, &send->put, slice_str(job->event)))
            return;
    }
    send->call.done = answered;
    send->call.scope = subscriber->name;
    job_prepare(job, &send->call);
    targets_call(subscriber->target, job, &send->call);
}

/* Whom a job is for, of those that get the event now. */
enum part { PART_ALL, PART_CHOSEN, PART_OTHERS };

static bool is_of_part(const struct plan_broadcast *self, const struct subscriber *subscriber,
                       enum part part)
{
    return part == PART_ALL || (subscriber == self->chosen) == (part == PART_CHOSEN);
}

static void send_now(struct plan_broadcast *self, struct job *job, enum part part)
{
    struct given *given = job_data(job);
    given->plan = self;
    given->open = 1;
    for (size_t i = 0; i < self->all.count; i++) {
        const struct subscriber *subscriber = &self->all.items[i];
        if (subscriber->way == WAY_NOW && is_of_part(self, subscriber, part))
            send_to(job, given, subscriber);
    }
    end_send(job);
}

/* ---- events with several jobs ---- */

/* The one whose results are wanted has the job; the others get one that nobody waits for. */
static void send_apart(struct plan_broadcast *self, struct job *job)
{
    struct given *given = job_data(job);
    struct parked *parked = given->place.parked;
    if (!parked) {
        parked = given->parked = mem_alloc(sizeof *parked);
        job_park(job, parked);
    }
    parked->open++;
    struct job *other = job_resume(self->engine, parked, slice_hold(job->event), job_known_id(job));
    struct given *others = job_data(other);
    others->parked = given->parked;
    if (given->place.segment)
        others->place = spill_hold(&given->place);
    send_now(self, other, PART_OTHERS);
    send_now(self, job, PART_CHOSEN);
}

/* Into the log, for those that get it later. False: the disk is full. */
static bool spill_event_of(struct plan_broadcast *self, struct job *job, size_t later)
{
    struct given *given = job_data(job);
    struct spill_place place;
    struct err err;
    if (spill_add(self->spill, slice_str(job->event), job_known_id(job), &place, &err) < 0) {
        if (!self->told)
            msg_warn("%s: reading waits for subscribers", err.text);
        self->told = true;
        return false;
    }
    given->place = place;
    job_park(job, place.parked);
    place.parked->open += later;
    subscribers_leave_behind(&self->all, &place);
    return true;
}

/* Give the event out. False: that has to wait. */
static bool give(struct plan_broadcast *self, struct job *job)
{
    struct ways ways = subscribers_choose(&self->all, job, self->hurries);
    if (ways.later && !spill_event_of(self, job, ways.later))
        return false;
    if (!ways.now && !ways.later && ways.dropped) {
        job_drop(job);
        return true;
    }
    if (self->splits)
        send_apart(self, job);
    else
        send_now(self, job, PART_ALL);
    return true;
}

/* The next event of its backlog. */
static void resume(struct plan_broadcast *self, struct subscriber *subscriber,
                   const struct spill_place *place)
{
    struct job *job = job_resume(self->engine, place->parked, spill_event(place), spill_id(place));
    struct given *given = job_data(job);
    given->plan = self;
    given->place = *place;
    given->open = 1;
    send_to(job, given, subscriber);
    end_send(job);
}

/* True: there is more that it can take now. */
static bool read_backlog(struct plan_broadcast *self, struct subscriber *subscriber)
{
    struct spill_place place;
    for (int begun = 0; begun < BROADCAST_TURN; begun++) {
        if (!engine_may_resume(self->engine) ||
            !subscribers_read(&self->all, subscriber, self->hurries, &place))
            return false;
        resume(self, subscriber, &place);
    }
    return true;
}

static void read_backlogs(struct loop_task *task)
{
    struct plan_broadcast *self = CONTAINER_OF(task, struct plan_broadcast, again);
    bool more = false;
    if (self->stalled && give(self, self->stalled)) {
        self->stalled = NULL;
        engine_room(self->engine);
    }
    for (size_t i = 0; i < self->all.count; i++)
        more = read_backlog(self, &self->all.items[i]) || more;
    if (more)
        read_on(self);
}

/* ---- the plan ---- */

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct plan_broadcast *self = of(plan);
    (void)input;
    if (self->silent)
        job_silent(job);
    if (!give(self, job))
        self->stalled = job;
}

static bool has_room(struct plan *plan)
{
    struct plan_broadcast *self = of(plan);
    return !self->stalled && subscribers_have_room(&self->all);
}

static void room(struct plan *plan)
{
    read_on(of(plan));
}

static void cancel(struct plan *plan, enum failure_reason reason)
{
    struct plan_broadcast *self = of(plan);
    (void)reason; /* the functions know it, and everything is given to them */
    self->hurries = true;
    read_on(self);
}

static void release(struct plan *plan, struct job *job)
{
    struct given *given = job_data(job);
    if (given->place.segment)
        spill_release(&given->place);
    else if (given->parked && !given->parked->open)
        free(given->parked);
    read_on(of(plan));
}

/* ---- setting up ---- */

static int choose_result(struct plan_broadcast *self, const char *result, struct err *err)
{
    struct subscribers *all = &self->all;
    bool gives = false;
    for (size_t i = 0; i < all->count; i++)
        gives = gives || !all->items[i].target->silent;
    self->silent = !gives || strcmp(result, "none") == 0;
    if (strcmp(result, "none") == 0)
        return 0;
    if (strcmp(result, "all") != 0) {
        self->chosen = subscribers_find(all, str_of(result));
        if (!self->chosen)
            return err_set(err, ERR_USAGE, "--result %s: not all, none or a subscriber", result);
        if (self->chosen->target->silent)
            return err_set(err, ERR_USAGE, "--result %s: it gives no results", result);
        return 0;
    }
    if (subscribers_find(all, STR(BROADCAST_RESULT_ERRORS)))
        return err_set(err, ERR_USAGE, "'%s' is the member for what failed: take another name",
                       BROADCAST_RESULT_ERRORS);
    return 0;
}

/* Letters come one by one from their store, and one that is not taken is not done: they wait. */
static enum subscribers_full when_full(const struct engine *engine,
                                       const struct broadcast_settings *settings)
{
    return engine_redrives(engine) ? SUBSCRIBERS_BLOCK : settings->full;
}

static int check_spilling(const struct plan_broadcast *self,
                          const struct broadcast_settings *settings, struct err *err)
{
    if (self->all.full != SUBSCRIBERS_SPILL)
        return 0;
    if (!self->silent && !self->chosen)
        return err_set(err, ERR_USAGE,
                       "--when-full spill needs --result none or NAME: a line with the results of "
                       "all would have to wait in memory");
    if (settings->serial)
        return err_set(err, ERR_USAGE,
                       "--when-full spill lets go on what --serial-by would hold back: not both");
    return 0;
}

struct plan_broadcast *plan_broadcast_new(struct engine *engine,
                                          const struct broadcast_settings *settings,
                                          struct err *err)
{
    struct plan_broadcast *self = mem_zalloc(sizeof *self);
    self->plan = (struct plan){
        .start = start,
        .has_room = has_room,
        .room = room,
        .cancel = cancel,
        .release = release,
        .job_size = sizeof(struct given) + settings->count * sizeof(struct send),
    };
    self->engine = engine;
    self->all.targets.engine = engine;
    self->all.full = when_full(engine, settings);
    self->all.buffer = settings->buffer;
    self->again.run = read_backlogs;
    self->spill = spill_new(engine_functions(engine)->temp_dir);
    for (size_t i = 0; i < settings->count; i++) {
        if (subscribers_add(&self->all, settings->subscribers[i], err) < 0)
            goto fail;
    }
    if (choose_result(self, settings->result, err) < 0 || check_spilling(self, settings, err) < 0)
        goto fail;
    if (self->chosen) {
        self->chosen->awaited = self->all.full == SUBSCRIBERS_SPILL;
        self->splits = self->all.count > 1 && !settings->serial;
    }
    if (!self->all.count)
        msg_warn("no subscribers: events are read, and that is all");
    return self;

fail:
    plan_broadcast_free(self);
    return NULL;
}

struct plan *plan_broadcast_plan(struct plan_broadcast *self)
{
    return &self->plan;
}

void plan_broadcast_tell(const struct plan_broadcast *self)
{
    subscribers_tell(&self->all);
}

void plan_broadcast_free(struct plan_broadcast *self)
{
    if (!self)
        return;
    loop_undefer(engine_loop(self->engine), &self->again);
    subscribers_free(&self->all);
    spill_free(self->spill);
    free(self);
}
