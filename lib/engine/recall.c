/* recall.c: calls that are made once: answered from the ledger, or recorded in it. */
#include "engine/recall.h"

#include "base/list.h"
#include "base/mem.h"
#include "engine/internal.h"
#include "pattern/window.h"
#include "state/ledger.h"

#include <stdlib.h>

enum {
    RECALL_PLACES = 16 * ENGINE_WINDOW, /* jobs from the first unsettled one on; those beyond count
                                           as never printed */
};

/* On its way into the ledger: the result of a call, or of a job, or a text of a plan. */
struct recollection {
    struct ledger_op op; /* first */
    struct recall *recall;
    struct engine_job *job;
    struct fn_call *call;
    void (*done)(struct fn_call *call); /* the plan's */
    void *owner;                        /* the call's, meanwhile */
    struct slice lines;                 /* of a job */
    void (*noted)(void *owner);         /* of a text, with owner */
    uint64_t since;
    struct recollection *next_free;
};

struct recall {
    struct engine *engine;
    struct store *store;
    struct str ledger;
    uint64_t run;
    bool only_new;
    struct window *places; /* of jobs that are not settled, or stand behind such a one */
    bool stuck;    /* something could not be printed: nothing from there on counts as such */
    uint64_t said; /* places below it are known to be printed */
    struct ledger_op show;
    bool showing;
    bool failed; /* and it was said */
    struct recollection *free;
};

/* ---- records ---- */

static struct hash128 key_of(struct str id, struct str scope)
{
    struct buf subject = {0};
    buf_add_str(&subject, id);
    buf_addc(&subject, '\0');
    buf_add_str(&subject, scope);
    struct hash128 key = hash_128(buf_str(&subject));
    buf_free(&subject);
    return key;
}

static struct ledger_op new_op(const struct recall *recall, enum ledger_verb verb,
                               const struct engine_job *job)
{
    return (struct ledger_op){.verb = verb,
                              .ledger = recall->ledger,
                              .run = recall->run,
                              .place = job ? job->run_place : 0};
}

static struct recollection *new_recollection(struct recall *recall, struct engine_job *job)
{
    struct recollection *own = recall->free;
    if (own)
        recall->free = own->next_free;
    else
        own = mem_alloc(sizeof *own);
    *own = (struct recollection){.recall = recall, .job = job};
    return own;
}

static void drop(struct recollection *own)
{
    buf_free(&own->op.answer);
    own->next_free = own->recall->free;
    own->recall->free = own;
}

/* Recorded results are what a rerun stands on: without them the fitting cannot go on. */
static void check(struct recall *recall, const struct store_op *op)
{
    if (op->status == STORE_OK || op->status == STORE_CONFLICT || recall->failed)
        return;
    struct err err;
    recall->failed = true;
    err_set(&err, ERR_SYSTEM, "ledger '%.*s': %s", (int)recall->ledger.len, recall->ledger.data,
            op->err ? op->err->text : store_status_name(op->status));
    engine_fail(recall->engine, &err);
}

/* Another run was first: its answer is the one. */
static void take_theirs(struct recollection *own, struct slice *lines, size_t *count)
{
    if (own->op.op.status != STORE_CONFLICT)
        return;
    slice_drop(lines);
    size_t len = own->op.answer.len;
    *lines = len ? slice_take(buf_take(&own->op.answer), len) : (struct slice){0};
    *count = (size_t)own->op.count;
}

/* Places below the first unsettled job have been printed: said along with other records. */
static void shown(struct store_op *op)
{
    struct recall *recall = op->owner;
    recall->showing = false;
    check(recall, op);
}

static void say_shown(struct recall *recall)
{
    uint64_t first = window_first(recall->places);
    if (recall->showing || recall->stuck || first <= recall->said)
        return;
    recall->said = first;
    recall->showing = true;
    recall->show = new_op(recall, LEDGER_SHOW, NULL);
    recall->show.place = first;
    recall->show.op.owner = recall;
    recall->show.op.done = shown;
    ledger_submit(recall->store, &recall->show);
}

static void add(struct recollection *own, struct str id, struct str scope, struct slice lines,
                size_t count, void (*done)(struct store_op *op))
{
    struct recall *recall = own->recall;
    own->op = new_op(recall, LEDGER_ADD, own->job);
    own->op.key = key_of(id, scope);
    own->op.lines = slice_str(lines);
    own->op.count = count;
    own->op.since = own->since;
    own->op.op.done = done;
    own->op.op.owner = own;
    say_shown(recall);
    ledger_submit(recall->store, &own->op);
}

/* ---- calls ---- */

static void give_back(struct recollection *own)
{
    struct fn_call *call = own->call;
    void (*done)(struct fn_call * call) = own->done;
    call->owner = own->owner;
    drop(own);
    done(call);
}

/* "-" gives the event back: there is nothing to be kept but that it has. */
static bool keeps_lines(const struct fn_call *call)
{
    return !fn_is_sink(call->fn);
}

static void recorded(struct store_op *op)
{
    struct recollection *own = op->owner;
    check(own->recall, op);
    if (keeps_lines(own->call))
        take_theirs(own, &own->call->lines, &own->call->count);
    give_back(own);
}

static void answered(struct fn_call *call)
{
    struct recollection *own = call->owner;
    if (call->failure) {
        give_back(own);
        return;
    }
    struct slice lines = keeps_lines(call) ? call->lines : (struct slice){0};
    add(own, call->id, call->scope, lines, keeps_lines(call) ? call->count : 0, recorded);
}

static bool find(struct recall *recall, struct engine_job *job, struct hash128 key,
                 struct ledger_op *op)
{
    struct err err;
    *op = new_op(recall, LEDGER_FIND, job);
    op->key = key;
    op->op.done = store_keep_error;
    op->op.owner = &err;
    ledger_submit(recall->store, op);
    if (op->op.status == STORE_OK)
        return true;
    if (op->op.status != STORE_ABSENT) {
        op->op.err = &err;
        check(recall, &op->op);
    }
    buf_free(&op->answer);
    return false;
}

/* It will be printed by this run. */
static void claimed(struct store_op *op)
{
    struct recollection *own = op->owner;
    check(own->recall, op);
    drop(own);
}

static void claim(struct recall *recall, struct engine_job *job, struct hash128 key)
{
    struct recollection *own = new_recollection(recall, job);
    own->op = new_op(recall, LEDGER_CLAIM, job);
    own->op.key = key;
    own->op.op.done = claimed;
    own->op.op.owner = own;
    ledger_submit(recall->store, &own->op);
}

static struct slice take_answer(struct ledger_op *op)
{
    size_t len = op->answer.len;
    if (len)
        return slice_take(buf_take(&op->answer), len);
    buf_free(&op->answer);
    return (struct slice){0};
}

static void replay(struct recall *recall, struct engine_job *job, struct fn *fn,
                   struct fn_call *call, struct ledger_op *op)
{
    call->fn = fn;
    call->shown = op->shown;
    call->count = (size_t)op->count;
    call->lines = take_answer(op);
    if (!op->shown)
        claim(recall, job, op->key);
    recall->engine->report.replayed++;
    if (fn_is_sink(fn) && !fn_is_silent(fn)) {
        call->lines = slice_line(call->event);
        call->count = 1;
    }
    call->done(call);
}

void recall_call(struct recall *recall, struct engine_job *job, struct fn *fn, struct fn_call *call)
{
    struct ledger_op op;
    if (find(recall, job, key_of(call->id, call->scope), &op)) {
        replay(recall, job, fn, call, &op);
        return;
    }
    struct recollection *own = new_recollection(recall, job);
    own->since = op.since;
    own->call = call;
    own->done = call->done;
    own->owner = call->owner;
    call->owner = own;
    call->done = answered;
    fn_call(fn, call);
}

/* ---- jobs ---- */

bool recall_find(struct recall *recall, struct engine_job *job, struct slice *lines, size_t *count,
                 bool *shown_before)
{
    struct ledger_op op;
    struct hash128 key = key_of(job_id(&job->job), STR(""));
    if (!find(recall, job, key, &op))
        return false;
    if (!op.shown)
        claim(recall, job, key);
    recall->engine->report.replayed++;
    *shown_before = op.shown;
    *count = (size_t)op.count;
    *lines = take_answer(&op);
    return true;
}

static void job_recorded(struct store_op *op)
{
    struct recollection *own = op->owner;
    struct job *job = &own->job->job;
    size_t count = (size_t)own->op.count;
    struct slice lines = own->lines;
    check(own->recall, op);
    take_theirs(own, &lines, &count);
    drop(own);
    job_emit_take(job, lines, count);
    job_done(job);
}

void recall_end_take(struct recall *recall, struct engine_job *job, struct slice lines,
                     size_t count)
{
    struct recollection *own = new_recollection(recall, job);
    own->lines = lines;
    add(own, job_id(&job->job), STR(""), lines, count, job_recorded);
}

/* ---- a plan's own texts ---- */

bool recall_knows(struct recall *recall, struct engine_job *job, struct str scope, struct buf *text)
{
    struct ledger_op op;
    if (!find(recall, job, key_of(job_id(&job->job), scope), &op))
        return false;
    if (text)
        buf_add_str(text, op.lines);
    buf_free(&op.answer);
    return true;
}

static void text_recorded(struct store_op *op)
{
    struct recollection *own = op->owner;
    void (*noted)(void *owner) = own->noted;
    void *owner = own->owner;
    check(own->recall, op);
    drop(own);
    noted(owner);
}

void recall_note(struct recall *recall, struct engine_job *job, struct str scope, struct str text,
                 void (*done)(void *owner), void *owner)
{
    struct recollection *own = new_recollection(recall, job);
    own->noted = done;
    own->owner = owner;
    struct slice borrowed = {.data = text.data, .len = text.len};
    add(own, job_id(&job->job), scope, borrowed, 1, text_recorded);
}

bool recall_hides(const struct recall *recall, bool shown_before)
{
    return recall && recall->only_new && shown_before;
}

/* ---- what is printed ---- */

void recall_admitted(struct recall *recall, struct engine_job *job)
{
    job->run_place = RECALL_NO_PLACE;
    if (recall && !window_take(recall->places, &job->run_place))
        job->run_place = RECALL_NO_PLACE;
}

void recall_settled(struct recall *recall, struct engine_job *job, bool printed)
{
    if (!recall || job->run_place == RECALL_NO_PLACE)
        return;
    recall->stuck = recall->stuck || !printed;
    if (recall->stuck) /* those before it are said with the next record, or at the end */
        return;
    window_put(recall->places, job->run_place, job);
    while (window_pop_ready(recall->places))
        ;
}

void recall_end(struct recall *recall)
{
    if (!recall)
        return;
    store_flush(recall->store);
    recall->stuck = false;
    say_shown(recall);
    store_flush(recall->store);
}

/* ---- opening ---- */

struct recall *recall_new(struct engine *engine, const char *ledger, bool only_new, struct err *err)
{
    struct store *store = engine_store(engine, err);
    if (!store || home_check_name(ledger, err) < 0)
        return NULL;
    struct ledger_op begin = {.verb = LEDGER_BEGIN,
                              .ledger = str_of(ledger),
                              .op = {.done = store_keep_error, .owner = err}};
    ledger_submit(store, &begin);
    store_flush(store);
    if (begin.op.status != STORE_OK)
        return NULL;
    struct recall *recall = mem_zalloc(sizeof *recall);
    recall->engine = engine;
    recall->store = store;
    recall->ledger = str_of(ledger);
    recall->run = begin.run;
    recall->only_new = only_new;
    recall->places = window_new(RECALL_PLACES);
    engine_want_ids(engine);
    identity_keep_all(engine->identity, engine->context.temp_dir);
    return recall;
}

void recall_free(struct recall *recall)
{
    if (!recall)
        return;
    while (recall->free) {
        struct recollection *own = recall->free;
        recall->free = own->next_free;
        free(own);
    }
    window_free(recall->places);
    free(recall);
}
