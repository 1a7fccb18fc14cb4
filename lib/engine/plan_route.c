/* plan_route.c: the plan of `route`: send each event to the function that its content names. */
#include "engine/plan_route.h"

#include "base/mem.h"
#include "base/msg.h"
#include "engine/folder.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

struct plan_route {
    struct plan plan; /* first */
    struct engine *engine;
    const struct route_options *options;
    struct targets targets;
    struct routes routes;
    struct route *otherwise; /* NULL: no --else */
    struct jq_program *by;   /* NULL: by predicates */
    struct folder *folder;
    struct route **matches; /* those of the event at hand */
    size_t match_count;
    struct buf value; /* of --by for it */
    uint64_t unrouted;
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
    size_t open; /* calls that have not ended, and one while they are begun */
};

static struct plan_route *of(struct plan *plan)
{
    return (struct plan_route *)(void *)plan;
}

/* ---- choosing ---- */

static void match(struct plan_route *self, struct route *route)
{
    self->matches[self->match_count++] = route;
}

/* 0, or -1 with the failure of the event. */
static int match_predicates(struct plan_route *self, const struct jq_input *input,
                            struct failure **failure)
{
    struct err err;
    for (size_t i = 0; i < self->routes.list.count; i++) {
        struct route *route = self->routes.list.items[i];
        int matches = jq_matches(route->program, input, &err);
        if (matches < 0) {
            *failure = failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "%s", err.text);
            return -1;
        }
        if (!matches)
            continue;
        match(self, route);
        if (!self->options->all)
            return 0;
    }
    return 0;
}

/* An event whose value names no executable of the folder matches nothing, and *failure says why; it
 * fails only with -1. */
static int match_name(struct plan_route *self, const struct jq_input *input,
                      struct failure **failure)
{
    struct err err;
    struct buf name = {0};
    struct route *route = NULL;
    buf_clear(&self->value);
    int found = jq_first(self->by, input, &self->value, &err);
    if (found < 0) {
        *failure = failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "--by %s", err.text);
        return -1;
    }
    if (found && self->value.data[0] == '"') {
        json_decode(buf_str(&self->value), &name);
        route = folder_find(self->folder, buf_str(&name), &err);
        buf_free(&name);
    } else {
        err_set(&err, ERR_NOT_FOUND, found ? "not a string" : "no value");
    }
    if (route) {
        match(self, route);
        return 0;
    }
    bool no_route = err.kind == ERR_NOT_FOUND || err.kind == ERR_NOT_USABLE;
    *failure = failure_new(no_route ? FAILURE_NO_ROUTE : FAILURE_SPAWN,
                           no_route ? FAILURE_PERMANENT : FAILURE_ORDINARY, "--by %s: %s",
                           self->options->by, err.text);
    return no_route ? 0 : -1;
}

/* Set the matches of an event; -1: it has failed. With no match failure says so, too. */
static int choose(struct plan_route *self, const struct jq_input *input, struct failure **failure)
{
    self->match_count = 0;
    int chosen =
        self->by ? match_name(self, input, failure) : match_predicates(self, input, failure);
    if (chosen < 0)
        return -1;
    if (!self->match_count && self->otherwise) {
        match(self, self->otherwise);
        failure_free(*failure);
        *failure = NULL;
    }
    if (!self->match_count && !*failure)
        *failure = failure_new(FAILURE_NO_ROUTE, FAILURE_PERMANENT, "no predicate selects it");
    return 0;
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

static void explain(struct plan_route *self, struct job *job)
{
    if (!self->match_count)
        explain_one(job, NULL);
    for (size_t i = 0; i < self->match_count; i++)
        explain_one(job, self->matches[i]);
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
    routed->open++;
    targets_call(send->target, &send->call);
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

static void send_event(struct plan_route *self, struct job *job, struct routed *routed)
{
    bool silent = true;
    for (size_t i = 0; i < self->match_count; i++)
        silent = silent && self->matches[i]->target->silent;
    if (silent)
        job_silent(job);
    if (silent && self->match_count == 1 && put_event(self, job, routed, self->matches[0]))
        return;
    routed->count = self->match_count;
    routed->sends = mem_array(routed->count, sizeof *routed->sends);
    routed->open = 1;
    for (size_t i = 0; i < routed->count; i++)
        send_to(self, job, &routed->sends[i], self->matches[i]);
    if (--routed->open == 0)
        end(job, routed);
}

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct plan_route *self = of(plan);
    struct failure *failure = NULL;
    if (choose(self, input, &failure) < 0) {
        job_dead_take(job, failure);
    } else if (self->options->explain) {
        failure_free(failure);
        explain(self, job);
    } else if (failure) {
        self->unrouted++;
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

static void fit_matches(struct plan_route *self)
{
    self->matches =
        mem_realloc(self->matches, (self->routes.list.count + 1) * sizeof *self->matches);
}

static void reload(struct plan *plan)
{
    struct plan_route *self = of(plan);
    struct err err;
    if (routes_read(&self->routes, self->options->table, &err) < 0) {
        msg_warn("%s; the table stays as it was", err.text);
        return;
    }
    fit_matches(self);
    msg_verbose("%s: read again, %zu pairs", self->options->table,
                self->routes.list.count - self->routes.fixed);
    engine_room(self->engine);
}

/* From before the table is read until the loop hears of it SIGHUP waits, so that no change is
 * missed. */
static void hold_hangups(void)
{
    sigset_t hangup;
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    sigprocmask(SIG_BLOCK, &hangup, NULL);
}

static int open_otherwise(struct plan_route *self, struct err *err)
{
    if (!self->options->otherwise)
        return 0;
    self->otherwise = route_new(NULL, self->options->otherwise);
    if (self->options->explain)
        return 0;
    self->otherwise->target = targets_open(&self->targets, self->options->otherwise, err);
    return self->otherwise->target ? 0 : -1;
}

static int set_up(struct plan_route *self, struct err *err)
{
    const struct route_options *options = self->options;
    struct json_paths *paths = engine_paths(self->engine);
    struct targets *targets = options->explain ? NULL : &self->targets;
    self->routes.paths = paths;
    self->routes.targets = targets;
    if (options->by) {
        self->by = jq_compile(options->by, paths, err);
        self->folder = self->by ? folder_new(options->dir, options->by, targets, err) : NULL;
        if (!self->folder)
            return -1;
    }
    for (size_t i = 0; i + 1 < options->pair_words; i += 2) {
        if (routes_add(&self->routes, options->pairs[i], options->pairs[i + 1], err) < 0)
            return -1;
    }
    if (options->table)
        hold_hangups();
    if (options->table && routes_read(&self->routes, options->table, err) < 0)
        return -1;
    fit_matches(self);
    return open_otherwise(self, err);
}

struct plan_route *plan_route_new(struct engine *engine, const struct route_options *options,
                                  struct err *err)
{
    struct plan_route *self = mem_zalloc(sizeof *self);
    self->plan =
        (struct plan){.start = start, .has_room = has_room, .job_size = sizeof(struct routed)};
    if (options->table)
        self->plan.reload = reload;
    self->engine = engine;
    self->options = options;
    self->targets.engine = engine;
    if (set_up(self, err) < 0) {
        plan_route_free(self);
        return NULL;
    }
    return self;
}

struct plan *plan_route_plan(struct plan_route *self)
{
    return &self->plan;
}

void plan_route_free(struct plan_route *self)
{
    if (!self)
        return;
    targets_free(&self->targets);
    routes_free(&self->routes);
    folder_free(self->folder);
    route_free(self->otherwise);
    jq_free(self->by);
    buf_free(&self->value);
    free(self->matches);
    free(self);
}

/* ---- counts ---- */

/* These lines were asked for: they are said with --quiet, too. */
static void tell_branch(uint64_t matched, uint64_t dead, uint64_t dropped, const char *branch,
                        const char *function)
{
    struct buf line = {0};
    buf_addf(&line, "%" PRIu64 " event%s", matched, matched == 1 ? "" : "s");
    if (dead)
        buf_addf(&line, ", %" PRIu64 " dead", dead);
    if (dropped)
        buf_addf(&line, ", %" PRIu64 " dropped", dropped);
    buf_addf(&line, ": %s", branch);
    if (function)
        buf_addf(&line, " -> %s", function);
    msg_error("%s", buf_cstr(&line));
    buf_free(&line);
}

static void tell_list(const struct route_list *list, const char *note)
{
    struct buf branch = {0};
    for (size_t i = 0; i < list->count; i++) {
        const struct route *route = list->items[i];
        buf_clear(&branch);
        buf_addf(&branch, "%s%s", route->predicate, note);
        tell_branch(route->matched, route->dead, route->dropped, buf_cstr(&branch),
                    route->function);
    }
    buf_free(&branch);
}

void plan_route_tell(struct plan_route *self)
{
    const struct route *otherwise = self->otherwise;
    if (self->folder)
        tell_list(folder_routes(self->folder), "");
    tell_list(&self->routes.list, "");
    tell_list(&self->routes.gone, " (no longer in the table)");
    if (otherwise)
        tell_branch(otherwise->matched, otherwise->dead, otherwise->dropped, "else",
                    otherwise->function);
    else
        tell_branch(self->unrouted, 0, 0, "no route", NULL);
}
