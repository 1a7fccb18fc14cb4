/* broadcast_job.c: one event on its way to subscribers, what they gave, and how it ends. */
#include "engine/broadcast_job.h"

#include "base/mem.h"
#include "engine/broadcast_result.h"

#include <stdlib.h>

struct sent_call {
    struct fn_call call; /* first */
    struct send *send;
    struct sent_call *next_free;
};

static struct fn_call *take_call(struct broadcast_flow *flow, struct send *send)
{
    struct sent_call *sent = flow->free;
    if (sent)
        flow->free = sent->next_free;
    else
        sent = mem_alloc(sizeof *sent);
    *sent = (struct sent_call){.send = send};
    send->call = sent;
    return &sent->call;
}

/* ---- the end of a job ---- */

static struct failure *failure_of(const struct send *send)
{
    return send->call ? send->call->call.failure : NULL;
}

/* Letters name the subscriber as it was written: that is who is to have the event again. */
static void name_failures(const struct broadcast_flow *flow, struct broadcast_job *own)
{
    for (size_t i = 0; i < flow->all.count; i++) {
        struct failure *failure = failure_of(&own->sends[i]);
        if (failure) {
            free(failure->function);
            failure->function = mem_strdup(flow->all.items[i].text);
        }
    }
}

static void emit_chosen(const struct broadcast_flow *flow, struct job *job,
                        struct broadcast_job *own)
{
    struct sent_call *sent = own->sends[flow->chosen - flow->all.items].call;
    if (!sent || sent->call.failure || job_hides(job, &sent->call))
        return;
    job_emit_take(job, sent->call.lines, sent->call.count);
    sent->call.lines = (struct slice){0};
}

static void emit_all(const struct broadcast_flow *flow, struct job *job, struct broadcast_job *own)
{
    struct broadcast_result result = {0};
    for (size_t i = 0; i < flow->all.count; i++) {
        const struct subscriber *subscriber = &flow->all.items[i];
        const struct sent_call *sent = own->sends[i].call;
        if (sent && (sent->call.failure || !subscriber->target->silent))
            broadcast_result_add(&result, buf_str(&subscriber->key), &sent->call,
                                 job_hides(job, &sent->call));
    }
    struct slice line = broadcast_result_end(&result);
    if (line.len)
        job_emit_take(job, line, 1);
}

static void drop_call(struct broadcast_flow *flow, struct job *job, struct sent_call *sent)
{
    slice_drop(&sent->call.lines);
    if (sent->call.failure)
        job_letter_take(job, slice_str(job->event), sent->call.failure);
    sent->next_free = flow->free;
    flow->free = sent;
}

static void end(struct job *job)
{
    struct broadcast_job *own = job_data(job);
    struct broadcast_flow *flow = own->flow;
    name_failures(flow, own);
    if (flow->chosen)
        emit_chosen(flow, job, own);
    else if (!flow->silent)
        emit_all(flow, job, own);
    for (size_t i = 0; i < flow->all.count; i++) {
        if (own->sends[i].call)
            drop_call(flow, job, own->sends[i].call);
    }
    job_done(job);
}

void broadcast_job_begun(struct job *job)
{
    struct broadcast_job *own = job_data(job);
    if (--own->open == 0)
        end(job);
}

/* ---- sending ---- */

static struct subscriber *receiver(const struct broadcast_flow *flow, const struct send *send)
{
    const struct broadcast_job *own = job_data(send->job);
    return &flow->all.items[send - own->sends];
}

static void answered(struct fn_call *call)
{
    const struct send *send = ((struct sent_call *)(void *)call)->send;
    struct broadcast_flow *flow = ((struct broadcast_job *)job_data(send->job))->flow;
    targets_ended(receiver(flow, send)->target, call);
    flow->moved(flow);
    broadcast_job_begun(send->job);
}

static void put_done(struct fn_put *put, struct failure *failure)
{
    struct send *send = (struct send *)(void *)put;
    struct broadcast_flow *flow = ((struct broadcast_job *)job_data(send->job))->flow;
    targets_put_ended(receiver(flow, send)->target, send->job->event.len);
    if (failure)
        take_call(flow, send)->failure = failure;
    flow->moved(flow);
    broadcast_job_begun(send->job);
}

void broadcast_job_send(struct job *job, const struct subscriber *subscriber)
{
    struct broadcast_job *own = job_data(job);
    struct send *send = &own->sends[subscriber - own->flow->all.items];
    own->open++;
    send->job = job;
    if (subscriber->target->silent) {
        send->put.done = put_done;
        if (targets_put(subscriber->target, &send->put, slice_str(job->event)))
            return;
    }
    struct fn_call *call = take_call(own->flow, send);
    call->done = answered;
    call->scope = subscriber->name;
    job_prepare(job, call);
    targets_call(subscriber->target, job, call);
}

void broadcast_job_begin(struct job *job, struct broadcast_flow *flow)
{
    struct broadcast_job *own = job_data(job);
    own->flow = flow;
    own->open = 1;
}

void broadcast_flow_free(struct broadcast_flow *flow)
{
    while (flow->free) {
        struct sent_call *sent = flow->free;
        flow->free = sent->next_free;
        free(sent);
    }
    subscribers_free(&flow->all);
}
