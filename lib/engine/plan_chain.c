/* plan_chain.c: functions one after another, each result of one an event of the next. */
#include "engine/plan_chain.h"

#include "base/list.h"
#include "base/mem.h"
#include "engine/chain_job.h"
#include "engine/chain_letters.h"
#include "engine/internal.h"
#include "engine/saga.h"

#include <stdlib.h>

struct queue {
    struct strand *first, *last;
};

struct stage {
    struct fn *fn;
    struct queue ready;  /* events that begin when the function has room */
    struct queue parked; /* events that have to wait for others of their job, or for its turn */
};

struct plan_chain {
    struct plan plan; /* first */
    struct stage *stages;
    unsigned count;
    unsigned ends; /* stages whose functions give results: all, but for a sink that takes them */
    struct chain_flow flow;
    struct saga saga;
    struct loop_task task;
    struct loop_idle idle;
    struct chain_letters letters;
};

#define CHAIN_OF(pointer, member) (CONTAINER_OF(pointer, struct plan_chain, member))

/* ---- queues ---- */

static void append(struct queue *queue, struct strand *strand)
{
    strand->later = NULL;
    if (queue->last)
        queue->last->later = strand;
    else
        queue->first = strand;
    queue->last = strand;
}

static struct strand *take_first(struct queue *queue)
{
    struct strand *strand = queue->first;
    queue->first = strand->later;
    if (!queue->first)
        queue->last = NULL;
    return strand;
}

/* ---- calls ---- */

/* Its work is over, well or without failure. */
static void end_well(struct plan_chain *chain, struct strand *strand)
{
    saga_keep(strand);
    strand_end(&chain->flow.pool, strand);
}

static void fail_take(struct plan_chain *chain, struct strand *called, struct failure *failure)
{
    saga_fail_take(&chain->saga, called, failure);
    strand_end(&chain->flow.pool, called);
}

/* The next stage, or the sink, is given what it gave. */
static void go_on_with(struct plan_chain *chain, struct strand *called, unsigned next)
{
    if (!saga_pass(&chain->saga, called)) {
        slice_drop(&called->call.lines);
        strand_end(&chain->flow.pool, called);
    } else if (next == chain->ends) {
        strand_keep_results(&chain->flow.pool, called);
        called->stage = next;
    } else {
        strand_go_on(&chain->flow.pool, called, next);
        append(&chain->stages[next].ready, called);
    }
}

static void answered(struct fn_call *call)
{
    struct strand *strand = call->owner;
    struct chain_job *own = chain_job_of(strand);
    struct plan_chain *chain = CHAIN_OF(own->flow, flow);
    unsigned next = strand->stage + 1;
    own->undoing++; /* the job does not end meanwhile */
    if (call->failure) {
        fail_take(chain, strand, call->failure);
    } else if (!call->lines.len || (next == chain->ends && job_hides(own->job, call))) {
        slice_drop(&call->lines);
        end_well(chain, strand);
    } else if (next == chain->ends && !chain->flow.sink) {
        saga_keep(strand);
        strand_keep_results(&chain->flow.pool, strand);
        strand->stage = next;
    } else {
        go_on_with(chain, strand, next);
    }
    own->undoing--;
    chain_job_settle(own);
    loop_defer(engine_loop(chain->flow.engine), &chain->task);
}

/* The call may have ended when this returns. */
static void begin(struct chain_flow *flow, struct strand *called)
{
    struct plan_chain *chain = CHAIN_OF(flow, flow);
    struct fn_call *call = &called->call;
    struct slice event = call->event;
    saga_begin(&chain->saga, called);
    job_prepare(chain_job_of(called)->job, call);
    call->event = event;
    call->owner = called;
    call->done = answered;
    flow->moved = true;
    job_call(chain_job_of(called)->job, chain->stages[called->stage].fn, call);
}

static void start_line(struct plan_chain *chain, struct strand *events)
{
    struct strand *called = strand_start(&chain->flow.pool, events);
    if (called != events)
        append(&chain->stages[events->stage].ready, events);
    begin(&chain->flow, called);
}

/* ---- scheduling ---- */

/* Another strand for each line but the last; and results, which may have to wait. */
static bool may_start(const struct plan_chain *chain, const struct strand *events)
{
    const struct chain_job *own = chain_job_of(events);
    bool turn = chain_job_has_turn(own);
    bool leads = turn && !chain->flow.engine->options->unordered; /* only its own limits apply */
    if (turn && own->list.first == events)
        return true;
    if (strand_has_more(events) &&
        (own->list.count >= CHAIN_SPAN || (!leads && chain->flow.pool.used >= CHAIN_STRANDS)))
        return false;
    bool last = events->stage + 1 == chain->ends;
    return !last || (own->list.held < CHAIN_HELD && (leads || chain->flow.pool.held < CHAIN_HELD));
}

static bool next_is_full(const struct plan_chain *chain, unsigned stage)
{
    return stage + 1 < chain->ends && chain->stages[stage + 1].ready.first;
}

/* Begin what a stage has room for, one line of each in turn. False: there may be more to begin. */
static bool pump(struct plan_chain *chain, unsigned place)
{
    struct stage *stage = &chain->stages[place];
    for (unsigned begun = 0; begun < CHAIN_TURN; begun++) {
        if (!stage->ready.first || next_is_full(chain, place) || !fn_has_room(stage->fn) ||
            !saga_has_room(&chain->saga))
            return true;
        struct strand *events = take_first(&stage->ready);
        if (may_start(chain, events))
            start_line(chain, events);
        else
            append(&stage->parked, events);
    }
    return false;
}

/* Parked events are looked at again. */
static void unpark(struct stage *stage)
{
    while (stage->parked.first)
        append(&stage->ready, take_first(&stage->parked));
}

/* Nobody reads the results: what has not begun is not begun any more. */
static void abandon(struct plan_chain *chain)
{
    for (unsigned i = 0; i < chain->ends; i++) {
        unpark(&chain->stages[i]);
        while (chain->stages[i].ready.first) {
            struct strand *events = take_first(&chain->stages[i].ready);
            struct chain_job *own = chain_job_of(events);
            end_well(chain, events);
            own->dropped = true;
            chain_job_settle(own);
        }
    }
}

/* The last stages first: they make room for the others. */
static void go_on(struct plan_chain *chain)
{
    bool all = true;
    chain_job_settle_waiting(&chain->flow);
    if (chain->flow.engine->reader_gone)
        abandon(chain);
    for (unsigned i = chain->ends; i-- > 0;) {
        unpark(&chain->stages[i]);
        all = pump(chain, i) && all;
    }
    if (!all)
        loop_defer(engine_loop(chain->flow.engine), &chain->task);
    engine_room(chain->flow.engine);
}

static void task_run(struct loop_task *task)
{
    go_on(CHAIN_OF(task, task));
}

/*
 * A function got room without an answer, the sink took bytes, the turn came to another job: none of
 * this happens while the loop sleeps, so it is enough to look before it does. What was moved is
 * followed by another turn, in which the engine flushes.
 */
static void before_sleep(struct loop_idle *idle)
{
    struct plan_chain *chain = CHAIN_OF(idle, idle);
    if (!chain->flow.pool.used)
        return;
    chain->flow.moved = false;
    go_on(chain);
    if (chain->flow.moved)
        loop_defer(engine_loop(chain->flow.engine), &chain->task);
}

/* ---- the plan ---- */

static bool has_room(struct plan *plan)
{
    struct plan_chain *chain = CHAIN_OF(plan, plan);
    unsigned stage = chain->letters.from == CHAIN_FROM_STAGE ? chain->letters.stage : 0;
    const struct strand_pool *pool = &chain->flow.pool;
    if (pool->used >= CHAIN_STRANDS || pool->ahead + pool->held + chain->saga.held >= CHAIN_HELD ||
        !saga_has_room(&chain->saga) || !fn_has_room(chain->stages[stage].fn) ||
        (chain->flow.sink && !fn_has_room(chain->flow.sink)))
        return false;
    unsigned last = chain->letters.from == CHAIN_FROM_LETTER ? chain->count - 1 : stage;
    for (unsigned i = stage; i <= last; i++) {
        if (chain->stages[i].ready.first || next_is_full(chain, i))
            return false;
    }
    return true;
}

static void room(struct plan *plan)
{
    struct plan_chain *chain = CHAIN_OF(plan, plan);
    if (chain->flow.pool.used)
        loop_defer(engine_loop(chain->flow.engine), &chain->task);
}

/* Put the event where it begins. False: nothing more is to be done with it here. */
static bool place(struct plan_chain *chain, struct job *job, const struct jq_input *input,
                  struct chain_job *own, unsigned *stage)
{
    struct redrive_letter letter;
    if (chain->letters.from == CHAIN_FROM_START) {
        chain_job_begin(own, &chain->flow, job);
        strand_begin(&chain->flow.pool, &own->list, 0, slice_hold(job->event));
        return true;
    }
    if (!chain_letters_read(&chain->letters, job, input, &letter))
        return false;
    struct slice event = slice_of(job->event.block, letter.on_with.data, letter.on_with.len);
    *stage = (unsigned)letter.on_at - 1;
    chain_job_begin(own, &chain->flow, job);
    if (letter.way.undo) {
        saga_redrive_take(&chain->saga, own, *stage, letter.path, event);
        return false;
    }
    struct strand *strand = strand_begin(&chain->flow.pool, &own->list, *stage, event);
    if (letter.placed)
        strand_place(strand, letter.path);
    return true;
}

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct plan_chain *chain = CHAIN_OF(plan, plan);
    struct chain_job *own = job_data(job);
    unsigned stage = 0;
    if (!place(chain, job, input, own, &stage))
        return;
    if (stage == chain->ends) {
        strand_pass(&chain->flow.pool, own->list.first);
        chain_job_settle_waiting(&chain->flow);
        return;
    }
    append(&chain->stages[stage].ready, own->list.first);
    pump(chain, stage);
}

struct plan *plan_chain_plan(struct plan_chain *chain)
{
    return &chain->plan;
}

/* That of the last stage is opened too, for what is wrong with it, but no later one can fail. */
static int open_undo(struct plan_chain *chain, const struct chain_settings *settings,
                     const struct fn_settings *calling, unsigned stage, struct err *err)
{
    const char *words = settings->undos[stage];
    if (!words)
        return 0;
    struct fn *fn = fn_open_string(engine_functions(chain->flow.engine), calling, words, err);
    if (!fn)
        return -1;
    engine_add(chain->flow.engine, fn);
    if (stage + 1 < chain->count) {
        chain->saga.undos[stage] = fn;
        chain->saga.count = chain->count;
    }
    return 0;
}

static int open_stages(struct plan_chain *chain, const struct chain_settings *settings,
                       struct err *err)
{
    for (unsigned i = 0; i < chain->count; i++) {
        struct fn_settings calling = *engine_settings(chain->flow.engine);
        if (settings->jobs)
            calling.jobs = settings->jobs[i];
        struct fn *fn = fn_open_string(engine_functions(chain->flow.engine), &calling,
                                       settings->functions[i], err);
        if (!fn)
            return -1;
        engine_add(chain->flow.engine, fn);
        chain->stages[i].fn = fn;
        if (open_undo(chain, settings, &calling, i, err) < 0)
            return -1;
        if (fn_is_sink(fn) && i + 1 < chain->count)
            return err_set(err, ERR_USAGE, "stage %u, '%s': only the last stage may be a sink",
                           i + 1, fn_name(fn));
    }
    struct fn *last = chain->stages[chain->count - 1].fn;
    bool takes = fn_is_sink(last) && strcmp(fn_name(last), "-") != 0; /* "-" gives the event back */
    chain->flow.sink = takes ? last : NULL;
    chain->plan.silent = takes;
    chain->ends = takes ? chain->count - 1 : chain->count;
    return 0;
}

struct plan_chain *plan_chain_new(struct engine *engine, const struct chain_settings *settings,
                                  struct err *err)
{
    struct plan_chain *chain = mem_zalloc(sizeof *chain);
    chain->plan = (struct plan){
        .start = start, .has_room = has_room, .room = room, .job_size = sizeof(struct chain_job)};
    chain->flow.engine = engine;
    chain->flow.begin = begin;
    chain->count = (unsigned)settings->count;
    chain->stages = mem_array(settings->count, sizeof *chain->stages);
    chain->saga.undos = mem_array(settings->count, sizeof(struct fn *));
    chain->saga.flow = &chain->flow;
    chain->letters.stages = chain->count;
    chain->letters.undos = chain->saga.undos;
    chain->task.run = task_run;
    chain->idle.run = before_sleep;
    chain->letters.from = engine_redrives(engine) ? CHAIN_FROM_LETTER : settings->from;
    chain->plan.takes_letters = true;
    chain->letters.stage = chain->letters.from == CHAIN_FROM_STAGE ? settings->stage - 1 : 0;
    loop_idle_add(engine_loop(engine), &chain->idle);
    if (chain->letters.from != CHAIN_FROM_START)
        redrive_watch(&chain->letters.paths, engine_paths(engine));
    if (open_stages(chain, settings, err) == 0)
        return chain;
    plan_chain_free(chain);
    return NULL;
}

void plan_chain_free(struct plan_chain *chain)
{
    if (!chain)
        return;
    loop_idle_remove(engine_loop(chain->flow.engine), &chain->idle);
    loop_undefer(engine_loop(chain->flow.engine), &chain->task);
    strand_pool_free(&chain->flow.pool);
    free(chain->saga.undos);
    free(chain->stages);
    free(chain);
}
