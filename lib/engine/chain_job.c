/* chain_job.c: one event of a chain: what of it is under way, what is written, how it ends. */
#include "engine/chain_job.h"

#include "base/list.h"
#include "engine/internal.h"

void chain_job_begin(struct chain_job *own, struct chain_flow *flow, struct job *job)
{
    own->flow = flow;
    own->job = job;
    if (!flow->sink)
        return;
    own->gives = true;
    own->prev = flow->last;
    if (flow->last)
        flow->last->next = own;
    else
        flow->first = own;
    flow->last = own;
}

bool chain_job_has_turn(const struct chain_job *own)
{
    const struct engine *engine = own->flow->engine;
    if (engine->options->unordered)
        return true;
    return own->flow->sink ? own->flow->first == own
                           : engine->order.first == engine_job_of(own->job);
}

/* Nothing that belongs before it, nor the rest of a large result, is still to be written. */
static bool may_write(const struct chain_job *own)
{
    const struct engine *engine = own->flow->engine;
    return chain_job_has_turn(own) && !engine->emitting.first && engine_may_emit(engine);
}

static void write_results(struct chain_job *own)
{
    struct strand *strand;
    while ((strand = own->list.first) && strand->state == STRAND_RESULTS && may_write(own)) {
        size_t count;
        struct str lines = strand_next_results(strand, ENGINE_OUTPUT, &count);
        job_emit_now(own->job, lines, count);
        own->flow->moved = true;
        if (strand->at == strand->lines.len)
            strand_end(&own->flow->pool, strand);
    }
}

/* ---- a sink at the end ---- */

static void give_no_more(struct chain_job *own)
{
    struct chain_flow *flow = own->flow;
    if (!own->gives)
        return;
    own->gives = false;
    LIST_REMOVE(flow, own);
}

/* The sink has it, and writes in the order in which it got its lines. */
static bool is_handed(const struct chain_flow *flow, const struct strand *strand)
{
    return strand->state == STRAND_CALLED && strand->call.fn == flow->sink;
}

/*
 * Hand over the results at the head of a job. True when there can be no more of it: it is off the
 * list, and may be gone, as the sink may answer at once.
 */
static bool hand_over(struct chain_job *own)
{
    struct chain_flow *flow = own->flow;
    struct strand *strand = own->list.first;
    while (strand && is_handed(flow, strand))
        strand = strand->next;
    while (strand) {
        if (strand->state != STRAND_RESULTS || !fn_has_room(flow->sink))
            return false;
        bool more = strand_has_more(strand);
        if (more && strand != own->list.first && own->list.count >= CHAIN_SPAN)
            return false;
        struct strand *rest = more ? strand : strand->next;
        if (!rest)
            give_no_more(own);
        flow->moved = true;
        flow->begin(flow, strand_start(&flow->pool, strand));
        strand = rest;
    }
    give_no_more(own);
    return true;
}

static void hand_all_over(struct chain_flow *flow)
{
    struct chain_job *next;
    for (struct chain_job *own = flow->first; own; own = next) {
        next = own->next;
        if (!hand_over(own) && !flow->engine->options->unordered)
            return;
    }
}

/* ---- letters ---- */

void chain_job_letter_take(struct chain_job *own, struct str event, struct failure *failure,
                           const struct letter_way *way)
{
    job_way_letter_take(own->job, event, failure, way);
    if (++own->letters >= CHAIN_LETTERS) { /* earlier than settle.c would */
        settle_write_letters(engine_job_of(own->job));
        own->letters = 0;
    }
}

void chain_job_fail_take(struct strand *called, struct failure *failure)
{
    struct chain_job *own = chain_job_of(called);
    if (own->flow->engine->reader_gone && failure->reason == FAILURE_INTERRUPTED) {
        failure_free(failure); /* ended because nobody reads its results */
        own->dropped = true;
        return;
    }
    struct letter_way way = {.scope = called->call.scope};
    failure->stage = called->stage + 1;
    chain_job_letter_take(own, slice_str(called->call.event), failure, &way);
}

/* ---- results on stdout ---- */

static void stop_waiting(struct chain_job *own)
{
    if (!own->waits)
        return;
    *own->waits = own->next_waiting;
    if (own->next_waiting)
        own->next_waiting->waits = own->waits;
    own->waits = NULL;
}

/* In input order it is always the first job that is looked at. */
static void wait_for_sink(struct chain_job *own)
{
    struct chain_flow *flow = own->flow;
    if (own->waits || !flow->engine->options->unordered)
        return;
    own->next_waiting = flow->waiting;
    if (flow->waiting)
        flow->waiting->waits = &own->next_waiting;
    flow->waiting = own;
    own->waits = &flow->waiting;
}

/* All that is left are results: the engine writes them in their order. */
static void end(struct chain_job *own)
{
    struct job *job = own->job;
    struct strand *strand;
    stop_waiting(own);
    give_no_more(own);
    while ((strand = own->list.first)) {
        struct slice rest = strand->lines;
        rest.data += strand->at;
        rest.len -= strand->at;
        strand->lines.block = NULL; /* the reference goes with the rest */
        job_emit_take(job, rest, strand->count);
        strand_end(&own->flow->pool, strand);
    }
    if (own->dropped)
        job_drop(job);
    else
        job_done(job); /* dead, if it has letters */
}

void chain_job_settle(struct chain_job *own)
{
    if (!own->undoing && (own->flow->sink ? !own->list.count : !own->list.open)) {
        end(own);
        return;
    }
    if (own->flow->sink)
        return;
    write_results(own);
    if (own->list.first && own->list.first->state == STRAND_RESULTS)
        wait_for_sink(own);
    else
        stop_waiting(own);
}

void chain_job_settle_waiting(struct chain_flow *flow)
{
    if (flow->sink) {
        hand_all_over(flow);
        return;
    }
    if (flow->engine->options->unordered) {
        struct chain_job *next;
        for (struct chain_job *own = flow->waiting; own; own = next) {
            next = own->next_waiting;
            chain_job_settle(own);
        }
        return;
    }
    struct engine_job *first = flow->engine->order.first;
    struct chain_job *own = first && first->state == JOB_STARTED ? job_data(&first->job) : NULL;
    if (own && own->list.first && own->list.first->state == STRAND_RESULTS)
        chain_job_settle(own);
}
