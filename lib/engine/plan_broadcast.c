/* plan_broadcast.c: the plan of `broadcast`: give each event to every subscriber. */
#include "engine/plan_broadcast.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/msg.h"
#include "engine/broadcast_job.h"
#include "engine/broadcast_result.h"

#include <stdlib.h>
#include <string.h>

enum { BROADCAST_TURN = 256 }; /* events of a backlog begun before the descriptors are looked at */

struct plan_broadcast {
    struct plan plan; /* first */
    struct engine *engine;
    struct broadcast_flow flow;
    bool splits; /* the chosen one has a job of its own */
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
    if (self->flow.all.behind || self->stalled)
        loop_defer(engine_loop(self->engine), &self->again);
}

static void moved(struct broadcast_flow *flow)
{
    read_on(CONTAINER_OF(flow, struct plan_broadcast, flow));
}

/* ---- giving ---- */

/* Whom a job is for, of those that get the event now. */
enum part { PART_ALL, PART_CHOSEN, PART_OTHERS };

static bool is_of_part(const struct plan_broadcast *self, const struct subscriber *subscriber,
                       enum part part)
{
    return part == PART_ALL || (subscriber == self->flow.chosen) == (part == PART_CHOSEN);
}

static void send_now(struct plan_broadcast *self, struct job *job, enum part part)
{
    broadcast_job_begin(job, &self->flow);
    for (size_t i = 0; i < self->flow.all.count; i++) {
        const struct subscriber *subscriber = &self->flow.all.items[i];
        if (subscriber->way == WAY_NOW && is_of_part(self, subscriber, part))
            broadcast_job_send(job, subscriber);
    }
    broadcast_job_begun(job);
}

/* ---- events with several jobs ---- */

/* The one whose results are wanted has the job; the others get one that nobody waits for. */
static void send_apart(struct plan_broadcast *self, struct job *job)
{
    struct broadcast_job *own = job_data(job);
    struct parked *parked = own->place.parked;
    if (!parked) {
        parked = own->parked = mem_alloc(sizeof *parked);
        job_park(job, parked);
    }
    parked->open++;
    struct job *other = job_resume(self->engine, parked, slice_hold(job->event), job_known_id(job));
    struct broadcast_job *others = job_data(other);
    others->parked = own->parked;
    if (own->place.segment)
        others->place = spill_hold(&own->place);
    send_now(self, other, PART_OTHERS);
    send_now(self, job, PART_CHOSEN);
}

/* Into the log, for those that get it later. False: the disk is full. */
static bool spill_event_of(struct plan_broadcast *self, struct job *job, size_t later)
{
    struct broadcast_job *own = job_data(job);
    struct spill_place place;
    struct err err;
    if (spill_add(self->spill, slice_str(job->event), job_known_id(job), &place, &err) < 0) {
        if (!self->told)
            msg_warn("%s: reading waits for subscribers", err.text);
        self->told = true;
        return false;
    }
    own->place = place;
    job_park(job, place.parked);
    place.parked->open += later;
    subscribers_leave_behind(&self->flow.all, &place);
    return true;
}

/* Give the event out. False: that has to wait. */
static bool give(struct plan_broadcast *self, struct job *job)
{
    struct ways ways = subscribers_choose(&self->flow.all, job, self->hurries);
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
    struct broadcast_job *own = job_data(job);
    own->place = *place;
    broadcast_job_begin(job, &self->flow);
    broadcast_job_send(job, subscriber);
    broadcast_job_begun(job);
}

/* True: there is more that it can take now. */
static bool read_backlog(struct plan_broadcast *self, struct subscriber *subscriber)
{
    struct spill_place place;
    for (int begun = 0; begun < BROADCAST_TURN; begun++) {
        if (!engine_may_resume(self->engine) ||
            !subscribers_read(&self->flow.all, subscriber, self->hurries, &place))
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
    for (size_t i = 0; i < self->flow.all.count; i++)
        more = read_backlog(self, &self->flow.all.items[i]) || more;
    if (more)
        read_on(self);
}

/* ---- the plan ---- */

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct plan_broadcast *self = of(plan);
    (void)input;
    if (self->flow.silent)
        job_silent(job);
    if (!give(self, job))
        self->stalled = job;
}

static bool has_room(struct plan *plan)
{
    struct plan_broadcast *self = of(plan);
    return !self->stalled && subscribers_have_room(&self->flow.all);
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
    struct broadcast_job *own = job_data(job);
    if (own->place.segment)
        spill_release(&own->place);
    else if (own->parked && !own->parked->open)
        free(own->parked);
    read_on(of(plan));
}

/* ---- setting up ---- */

static int choose_result(struct plan_broadcast *self, const char *result, struct err *err)
{
    struct subscribers *all = &self->flow.all;
    bool gives = false;
    for (size_t i = 0; i < all->count; i++)
        gives = gives || !all->items[i].target->silent;
    self->plan.silent = self->flow.silent = !gives || strcmp(result, "none") == 0;
    if (strcmp(result, "none") == 0)
        return 0;
    if (strcmp(result, "all") != 0) {
        self->flow.chosen = subscribers_find(all, str_of(result));
        if (!self->flow.chosen)
            return err_set(err, ERR_USAGE, "--result %s: not all, none or a subscriber", result);
        if (self->flow.chosen->target->silent)
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
    if (self->flow.all.full != SUBSCRIBERS_SPILL)
        return 0;
    if (!self->flow.silent && !self->flow.chosen)
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
        .job_size = sizeof(struct broadcast_job) + settings->count * sizeof(struct send),
    };
    self->engine = engine;
    self->flow.all.targets.engine = engine;
    self->flow.all.full = when_full(engine, settings);
    self->flow.all.buffer = settings->buffer;
    self->flow.moved = moved;
    self->again.run = read_backlogs;
    self->spill = spill_new(engine_functions(engine)->temp_dir);
    for (size_t i = 0; i < settings->count; i++) {
        if (subscribers_add(&self->flow.all, settings->subscribers[i], err) < 0)
            goto fail;
    }
    if (choose_result(self, settings->result, err) < 0 || check_spilling(self, settings, err) < 0)
        goto fail;
    if (self->flow.chosen) {
        self->flow.chosen->awaited = self->flow.all.full == SUBSCRIBERS_SPILL;
        self->splits = self->flow.all.count > 1 && !settings->serial;
    }
    if (!self->flow.all.count)
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
    subscribers_tell(&self->flow.all);
}

void plan_broadcast_free(struct plan_broadcast *self)
{
    if (!self)
        return;
    loop_undefer(engine_loop(self->engine), &self->again);
    broadcast_flow_free(&self->flow);
    spill_free(self->spill);
    free(self);
}
