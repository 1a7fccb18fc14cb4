/* plan_route.c: the plan of `route`: send each event to the function that its content names. */
#include "engine/plan_route.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>

struct plan_route {
    struct plan plan; /* first */
    struct engine *engine;
    const struct route_options *options;
    struct targets targets;
    struct choice choice;
};

/* One call of a job. */
struct send {
    struct fn_call call;
    struct route *route;
    struct target *target; /* the route may lose it meanwhile; NULL: no call was made */
};

/* An event for one file has only a put; the others have calls. */
struct routed {
    struct fn_put put; /* first */
    struct route *route;
    struct target *target;
    struct send *sends;
    size_t count;
    size_t open;  /* calls that have not ended, and one while they are begun */
    bool several; /* functions have the event, or had it when it died */
};

static struct plan_route *of(struct plan *plan)
{
    return (struct plan_route *)(void *)plan;
}

/* ---- explaining ---- */

static void add_word(struct buf *line, const char *name, const char *word)
{
    buf_addf(line, ",\"%s\":", name);
    if (word)
        buf_add_json(line, str_of(word));
    else
        buf_puts(line, "null");
}

static void explain_one(struct job *job, const struct route *route)
{
    struct buf line = {0};
    buf_addf(&line, "{\"line\":%" PRIu64, job->line);
    add_word(&line, "predicate", route ? route->predicate : NULL);
    add_word(&line, "function", route ? route->function : NULL);
    buf_puts(&line, ",\"event\":");
    buf_add_str(&line, slice_str(job->event));
    buf_puts(&line, "}\n");
    job_emit_take(job, slice_dup(buf_str(&line)), 1);
    buf_free(&line);
}

static void explain(const struct choice *choice, struct job *job)
{
    if (!choice->count)
        explain_one(job, NULL);
    for (size_t i = 0; i < choice->count; i++)
        explain_one(job, choice->matches[i]);
    job_done(job);
}

/* ---- sending ---- */

/* The calls of a job have ended: what came of them, in the order of the pairs. */
static void end_all(struct job *job, struct routed *routed)
{
    bool sent = false;
    for (size_t i = 0; i < routed->count; i++) {
        struct send *send = &routed->sends[i];
        sent = sent || send->target || send->call.failure;
        if (send->call.failure)
            job_letter_take(job, slice_str(job->event), send->call.failure);
        else if (send->target && job_hides(job, &send->call))
            slice_drop(&send->call.lines);
        else if (send->target)
            job_emit_take(job, send->call.lines, send->call.count);
    }
    if (sent)
        job_done(job);
    else
        job_drop(job);
}

/* The only one has ended, or could not be made. */
static void end_one(struct job *job, struct send *send)
{
    if (send->target || send->call.failure)
        job_end_with(job, &send->call);
    else
        job_drop(job);
}

static void end(struct job *job, struct routed *routed)
{
    struct send *sends = routed->sends;
    if (routed->count == 1)
        end_one(job, sends);
    else
        end_all(job, routed);
    free(sends);
}

static void answered(struct fn_call *call)
{
    struct send *send = (struct send *)(void *)call;
    struct job *job = call->owner;
    struct routed *routed = job_data(job);
    targets_ended(send->target, call);
    send->route->dead += call->failure != NULL;
    if (--routed->open == 0)
        end(job, routed);
}

static struct failure *branch_full(const struct route *route)
{
    struct failure *failure = failure_new(FAILURE_BRANCH_FULL, FAILURE_TEMPORARY,
                                          "%s takes no more events now", route->function);
    failure->function = mem_strdup(route->function);
    return failure;
}

/* Is the route's branch full, so that the event has no place there? It is counted then. */
static bool turned_away(struct plan_route *self, struct route *route)
{
    const struct route_options *options = self->options;
    if (options->full == ROUTE_BLOCK || !targets_is_full(route->target, options->buffer))
        return false;
    route->dropped += options->full == ROUTE_DROP;
    route->dead += options->full == ROUTE_DEAD;
    return true;
}

static void send_to(struct plan_route *self, struct job *job, struct send *send,
                    struct route *route)
{
    struct routed *routed = job_data(job);
    route->matched++;
    send->route = route;
    if (turned_away(self, route)) {
        if (self->options->full == ROUTE_DEAD)
            send->call.failure = branch_full(route);
        return;
    }
    send->target = route->target;
    send->call.done = answered;
    job_prepare(job, &send->call);
    if (routed->several) /* each of them has its own record, and its own key */
        send->call.scope = str_of(route->function);
    routed->open++;
    targets_call(send->target, job, &send->call);
}

static void put_done(struct fn_put *put, struct failure *failure)
{
    struct routed *routed = (struct routed *)(void *)put;
    struct job *job = job_of_data(routed);
    targets_put_ended(routed->target, job->event.len);
    if (!failure) {
        job_done(job);
        return;
    }
    routed->route->dead++;
    job_dead_take(job, failure);
}

/* An event for one file. False: that needs a call. */
static bool put_event(struct plan_route *self, struct job *job, struct routed *routed,
                      struct route *route)
{
    if (self->options->full != ROUTE_BLOCK)
        return false;
    routed->put.done = put_done;
    routed->route = route;
    routed->target = route->target;
    if (!targets_put(route->target, &routed->put, slice_str(job->event)))
        return false;
    route->matched++;
    return true;
}

static void keep_failed(struct choice *choice, const struct job *job)
{
    for (size_t i = 0; job->failed && i < choice->count; i++) {
        if (job_is_for(job, choice->matches[i]->function)) {
            choice->matches[0] = choice->matches[i];
            choice->count = 1;
        }
    }
}

static void send_event(struct plan_route *self, struct job *job, struct routed *routed)
{
    bool silent = true;
    routed->several = self->choice.count > 1;
    keep_failed(&self->choice, job);
    for (size_t i = 0; i < self->choice.count; i++)
        silent = silent && self->choice.matches[i]->target->silent;
    if (silent)
        job_silent(job);
    if (silent && !routed->several && put_event(self, job, routed, self->choice.matches[0]))
        return;
    routed->count = self->choice.count;
    routed->sends = mem_array(routed->count, sizeof *routed->sends);
    routed->open = 1;
    for (size_t i = 0; i < routed->count; i++)
        send_to(self, job, &routed->sends[i], self->choice.matches[i]);
    if (--routed->open == 0)
        end(job, routed);
}

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct plan_route *self = of(plan);
    struct failure *failure = NULL;
    if (choice_make(&self->choice, input, &failure) < 0) {
        job_dead_take(job, failure);
    } else if (self->options->explain) {
        failure_free(failure);
        explain(&self->choice, job);
    } else if (failure) {
        job_dead_take(job, failure);
    } else {
        send_event(self, job, job_data(job));
    }
}

static bool has_room(struct plan *plan)
{
    struct plan_route *self = of(plan);
    return self->options->full != ROUTE_BLOCK || targets_have_room(&self->targets);
}

/* ---- setting up ---- */

/* The programs of a folder are found as they are named. */
static void note_silence(struct plan_route *self)
{
    bool closed = !self->options->explain && !self->options->choice.by;
    self->plan.silent = closed && targets_are_silent(&self->targets);
}

static void reload(struct plan *plan)
{
    struct plan_route *self = of(plan);
    choice_reread(&self->choice);
    note_silence(self);
    engine_room(self->engine);
}

struct plan_route *plan_route_new(struct engine *engine, const struct route_options *options,
                                  struct err *err)
{
    struct plan_route *self = mem_zalloc(sizeof *self);
    self->plan =
        (struct plan){.start = start, .has_room = has_room, .job_size = sizeof(struct routed)};
    if (options->choice.table)
        self->plan.reload = reload;
    self->engine = engine;
    self->options = options;
    self->targets.engine = engine;
    if (choice_init(&self->choice, &options->choice, engine_paths(engine),
                    options->explain ? NULL : &self->targets, err) < 0) {
        plan_route_free(self);
        return NULL;
    }
    note_silence(self);
    return self;
}

struct plan *plan_route_plan(struct plan_route *self)
{
    return &self->plan;
}

void plan_route_tell(struct plan_route *self)
{
    choice_tell(&self->choice);
}

void plan_route_free(struct plan_route *self)
{
    if (!self)
        return;
    targets_free(&self->targets);
    choice_free(&self->choice);
    free(self);
}
