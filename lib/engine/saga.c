/* saga.c: what of an event's finished stages can be undone, and is undone when all has failed. */
#include "engine/saga.h"

#include "base/list.h"
#include "base/mem.h"
#include "engine/saga_loss.h"

#include <stdio.h>
#include <stdlib.h>

enum { SAGA_SCOPE = 8 + STRAND_SCOPE };

struct saga_step {
    struct strand_origin origin; /* first: what stands on it */
    struct saga_step *before;    /* the step that it stands on itself */
    struct saga *saga;
    struct chain_job *own;
    unsigned stage;
    uint64_t path;
    struct slice event, lines; /* what the stage was given, and gave */
    size_t count;              /* lines */
    size_t held;
    bool kept;
    struct saga_loss *losses, **end;
    unsigned lost;
    bool decided; /* "failed" is recorded */
    struct buf text;
    struct saga_loss *loss; /* all of them, while it is being undone */
    struct fn_call call;    /* of the undo */
    char scope[SAGA_SCOPE];
};

/* ---- scopes of its own ---- */

static struct str scope_of(const char *what, unsigned stage, uint64_t path, char into[SAGA_SCOPE])
{
    char scope[STRAND_SCOPE];
    strand_scope(stage, path, scope);
    int length = snprintf(into, SAGA_SCOPE, "%s %s", what, scope);
    return (struct str){into, (size_t)length};
}

static struct str step_scope(struct saga_step *step, const char *what)
{
    return scope_of(what, step->stage, step->path, step->scope);
}

/* ---- steps ---- */

/* Its own copy: the bytes may stand in a block that many share. A large one has its own file. */
static struct slice keep_bytes(struct slice bytes)
{
    return bytes.len > FN_SPILL ? slice_hold(bytes) : slice_dup(slice_str(bytes));
}

static struct saga_step *new_step(struct saga *saga, struct chain_job *own, unsigned stage,
                                  uint64_t path)
{
    struct saga_step *step = mem_zalloc(sizeof *step);
    step->saga = saga;
    step->own = own;
    step->stage = stage;
    step->path = path;
    step->end = &step->losses;
    return step;
}

static void free_step(struct saga_step *step)
{
    step->saga->held -= step->held;
    slice_drop(&step->event);
    slice_drop(&step->lines);
    slice_drop(&step->call.event);
    buf_free(&step->text);
    free(step);
}

/* ---- the end of a loss ---- */

static void tell_now(struct saga_loss *loss)
{
    struct chain_job *own = loss->own;
    char scope[STRAND_SCOPE];
    struct letter_way way = saga_loss_way(loss, scope);
    loss->saga->held -= loss->held;
    chain_job_letter_take(own, slice_str(loss->event), loss->failure, &way);
    loss->failure = NULL;
    saga_loss_free(loss);
}

static void closed(void *owner)
{
    struct saga_loss *loss = owner;
    struct chain_job *own = loss->own;
    tell_now(loss);
    own->undoing--;
    chain_job_settle(own);
}

/* Nothing more is to be undone: it may begin again. */
static void tell(struct saga_loss *loss)
{
    char scope[SAGA_SCOPE];
    if (!loss->undone.len || loss->left.len) {
        tell_now(loss);
        return;
    }
    loss->own->undoing++;
    job_note(loss->own->job, scope_of("over", loss->stage, loss->path, scope), STR(""), closed,
             loss);
}

/* ---- what stands on a step ends ---- */

/* It stands, and those before it. */
static void keep(struct saga_step *step)
{
    for (; step && !step->kept; step = step->before) {
        step->kept = true;
        while (step->losses) {
            struct saga_loss *loss = step->losses;
            step->losses = loss->next;
            tell(loss);
        }
    }
}

static void lose_take(struct saga_step *step, struct saga_loss *loss)
{
    if (!step || step->kept) {
        tell(loss);
        return;
    }
    *step->end = loss;
    step->end = &loss->next;
    if (++step->lost >= SAGA_LOSSES)
        keep(step);
}

static void undo(struct saga_step *step);

static void release(struct saga_step *step)
{
    while (step && --step->origin.holders == 0) {
        if (!step->kept) {
            undo(step);
            return;
        }
        struct saga_step *before = step->before;
        free_step(step);
        step = before;
    }
}

/* ---- undoing ---- */

/* {"event":...,"result":...}, or "results" with the array of several. */
static struct slice undo_event(const struct saga_step *step)
{
    struct buf text = {0};
    struct str lines = slice_str(step->lines);
    buf_reserve(&text, step->event.len + lines.len + STRAND_SCOPE);
    buf_puts(&text, "{\"event\":");
    buf_add_str(&text, slice_str(step->event));
    buf_puts(&text, step->count > 1 ? ",\"results\":[" : ",\"result\":");
    lines.len -= lines.data[lines.len - 1] == '\n';
    for (size_t at = 0; at < lines.len; at++)
        buf_addc(&text, lines.data[at] == '\n' ? ',' : lines.data[at]);
    buf_puts(&text, step->count > 1 ? "]}" : "}");
    size_t len = text.len;
    return slice_take(buf_take(&text), len);
}

/* What is undone, or not, is a failure of what the step stands on. */
static void end_step(struct saga_step *step)
{
    struct chain_job *own = step->own;
    struct saga_step *before = step->before;
    struct saga_loss *loss = step->loss;
    free_step(step);
    if (loss)
        lose_take(before, loss);
    release(before);
    own->undoing--;
    chain_job_settle(own);
}

/* A letter about the undo, for who can still do it. */
static void leave_take(struct saga_step *step, struct failure *failure)
{
    char scope[STRAND_SCOPE];
    struct letter_way way = {.undo = true, .scope = strand_scope(step->stage, step->path, scope)};
    failure->stage = step->stage + 1;
    chain_job_letter_take(step->own, slice_str(step->call.event), failure, &way);
    if (step->loss)
        saga_loss_add_left(step->loss, step->stage);
}

static void undone(struct fn_call *call)
{
    struct saga_step *step = call->owner;
    struct failure *failure = call->failure;
    slice_drop(&call->lines);
    if (failure) {
        struct buf message = {0};
        buf_addf(&message, "the undo of stage %u failed: %s", step->stage + 1,
                 failure->message ? failure->message : failure_name(failure->reason));
        free(failure->message);
        failure->message = buf_take(&message);
        leave_take(step, failure);
    } else if (step->loss) {
        saga_loss_add_undone(step->loss, step->stage, step->path, &step->event);
    }
    end_step(step);
}

static void call_undo(void *owner)
{
    struct saga_step *step = owner;
    struct fn_call *call = &step->call;
    struct slice event = call->event;
    buf_free(&step->text);
    job_prepare(step->own->job, call);
    call->event = event;
    call->scope = step_scope(step, "undo");
    call->owner = step;
    call->done = undone;
    job_call(step->own->job, step->saga->undos[step->stage], call);
}

static void undo(struct saga_step *step)
{
    step->own->undoing++;
    step->loss = saga_loss_join_take(step->losses);
    step->call.event = undo_event(step);
    if (step->loss->left.len) {
        leave_take(step,
                   failure_new(FAILURE_NOT_UNDONE, FAILURE_PERMANENT,
                               "stage %u is still to be undone, after stage %.*s", step->stage + 1,
                               (int)step->loss->left.len, step->loss->left.data));
        end_step(step);
    } else if (step->decided) {
        call_undo(step);
    } else {
        saga_loss_write(step->loss, &step->text);
        job_note(step->own->job, step_scope(step, "failed"), buf_str(&step->text), call_undo, step);
    }
}

/* ---- what strands tell ---- */

bool saga_has_room(const struct saga *saga)
{
    for (unsigned i = 0; i < saga->count; i++) {
        if (saga->undos[i] && !fn_has_room(saga->undos[i]))
            return false;
    }
    return true;
}

void saga_begin(struct saga *saga, struct strand *called)
{
    struct chain_job *own = chain_job_of(called);
    char scope[SAGA_SCOPE];
    if (!saga->undos[called->stage])
        return;
    while (job_knows(own->job, scope_of("over", called->stage, called->path, scope), NULL))
        strand_enter_next_round(called);
}

bool saga_pass(struct saga *saga, struct strand *called)
{
    struct chain_job *own = chain_job_of(called);
    if (!saga->undos[called->stage])
        return true;
    struct saga_step *step = new_step(saga, own, called->stage, called->path);
    step->before = (struct saga_step *)(void *)called->origin;
    step->event = keep_bytes(called->call.event);
    step->lines = keep_bytes(called->call.lines);
    step->count = called->call.count;
    step->held = step->event.len + (step->lines.len > FN_SPILL ? 0 : step->lines.len);
    saga->held += step->held;
    step->origin.holders = 1;
    called->origin = &step->origin;
    step->decided = job_knows(own->job, step_scope(step, "failed"), &step->text);
    if (!step->decided)
        return true;
    called->origin = NULL;
    lose_take(step, saga_loss_read(saga, own, buf_str(&step->text)));
    release(step);
    return false;
}

void saga_keep(struct strand *strand)
{
    struct saga_step *step = (struct saga_step *)(void *)strand->origin;
    strand->origin = NULL;
    keep(step);
    release(step);
}

void saga_fail_take(struct saga *saga, struct strand *called, struct failure *failure)
{
    struct saga_step *step = (struct saga_step *)(void *)called->origin;
    if (!step || step->kept || failure_is_of_run(failure)) {
        chain_job_fail_take(called, failure);
        saga_keep(called);
        return;
    }
    called->origin = NULL;
    lose_take(step, saga_loss_new(saga, called, failure));
    release(step);
}

void saga_redrive_take(struct saga *saga, struct chain_job *own, unsigned stage, uint64_t path,
                       struct slice event)
{
    struct saga_step *step = new_step(saga, own, stage, path);
    step->call.event = event;
    own->undoing++;
    call_undo(step);
}
