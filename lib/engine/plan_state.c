/* plan_state.c: the plan of `state` as a filter: each event's key, and what becomes of its value.
 */
#include "engine/plan_state.h"

#include "base/clock.h"
#include "base/mem.h"
#include "engine/state_record.h"
#include "state/cell.h"
#include "state/kv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The data of a job. */
struct state_job {
    struct kv_op op; /* first */
    struct plan_state *state;
    struct buf key, mark;
    bool marked; /* seen: by this job */
};

static struct plan_state *of(struct plan *plan)
{
    return (struct plan_state *)(void *)plan;
}

static struct state_job *job_of_op(struct store_op *op)
{
    return (struct state_job *)(void *)op;
}

static int64_t deadline_after(int64_t ttl)
{
    return ttl ? clock_wall() + ttl : 0;
}

static void bad_event(struct job *job, const char *cause)
{
    job_dead_take(job, failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "%s", cause));
}

/* The store has failed: so has the event, and nothing more can be done. Unless the event itself is
 * what cannot be kept. */
static void store_failed(struct state_job *own)
{
    struct job *job = job_of_data(own);
    struct err err = own->op.op.err ? *own->op.op.err : (struct err){0};
    if (own->op.op.err == &own->op.why) {
        bad_event(job, err.text);
        return;
    }
    job_dead_take(job, failure_new(FAILURE_WRITE, FAILURE_PERMANENT, "the state: %s", err.text));
    engine_fail(own->state->engine, &err);
}

static void submit(struct state_job *own, enum kv_verb verb, void (*done)(struct store_op *op))
{
    own->state->on_their_way++;
    own->op.verb = verb;
    own->op.op.done = done;
    own->op.key = buf_str(&own->key);
    kv_submit(own->state->store, &own->op);
}

/* ---- put, load ---- */

static void was_put(struct store_op *op)
{
    struct state_job *own = job_of_op(op);
    struct plan_state *state = own->state;
    struct job *job = job_of_data(own);
    state->on_their_way--;
    if (op->status != STORE_OK) {
        store_failed(own);
    } else {
        if (state->settings.kind == PLAN_STATE_PUT)
            job_emit_event(job);
        job_done(job);
    }
    engine_room(state->engine);
}

static void start_put(struct state_job *own)
{
    own->op.value = slice_str(job_of_data(own)->event);
    own->op.deadline = deadline_after(own->state->settings.ttl);
    submit(own, KV_PUT, was_put);
}

/* The last line of a dump says how many there were. */
static bool is_last_line(struct plan_state *state, struct str line)
{
    static const char start[] = "{\"records\":";
    char expected[64];
    if (!str_starts(line, STR("{\"records\":")))
        return false;
    int len = snprintf(expected, sizeof expected, "%s%" PRIu64 "}", start, state->records);
    state->complete = str_eq(line, (struct str){expected, (size_t)len});
    return true;
}

static void start_load(struct state_job *own)
{
    struct job *job = job_of_data(own);
    struct plan_state *state = own->state;
    struct kv_record record;
    struct err err;
    job_silent(job);
    if (is_last_line(state, str_trim(slice_str(job->event)))) {
        job_done(job);
        return;
    }
    state->records++;
    state->complete = false;
    if (state_record_read(str_trim(slice_str(job->event)), &record, &own->key, &err) < 0) {
        bad_event(job, err.text);
    } else if (record.deadline && record.deadline <= clock_wall()) {
        job_done(job);
    } else {
        own->op.value = record.value;
        own->op.deadline = record.deadline;
        submit(own, KV_PUT, was_put);
    }
}

/* ---- get ---- */

/* Append the object with the member set to the value: in the place of the last one of that name,
 * else at the end. All other bytes stay. */
static void set_member(struct str object, struct str name, struct str value, struct buf *out)
{
    struct buf written = {0};
    struct str last = {NULL, 0};
    struct json_iter iter;
    bool empty = true;
    buf_add_json(&written, name);
    json_iter_init(&iter, object);
    while (json_iter_next(&iter)) {
        empty = false;
        if (str_eq(iter.key, buf_str(&written)))
            last = iter.value;
    }
    const char *end = object.data + object.len;
    const char *cut = last.data ? last.data : end - 1;
    buf_add(out, object.data, (size_t)(cut - object.data));
    if (!last.data) {
        if (!empty)
            buf_addc(out, ',');
        buf_add_str(out, buf_str(&written));
        buf_addc(out, ':');
    }
    buf_add_str(out, value);
    cut += last.len;
    buf_add(out, cut, (size_t)(end - cut));
    buf_free(&written);
}

static void emit_take(struct job *job, struct buf *line)
{
    buf_addc(line, '\n');
    size_t len = line->len;
    job_emit_take(job, slice_take(buf_take(line), len), 1);
}

static void give_value(struct state_job *own, struct str value)
{
    const struct plan_state_settings *settings = &own->state->settings;
    struct job *job = job_of_data(own);
    struct str event = str_trim(slice_str(job->event));
    struct buf line = {0};
    if (settings->into.data && json_type_of(event) != JSON_OBJECT) {
        bad_event(job, "--into: the event is no object");
        return;
    }
    if (settings->into.data)
        set_member(event, settings->into, value, &line);
    else
        buf_add_str(&line, value);
    emit_take(job, &line);
    job_done(job);
}

static void was_got(struct store_op *op)
{
    struct state_job *own = job_of_op(op);
    struct plan_state *state = own->state;
    const struct plan_state_settings *settings = &state->settings;
    struct job *job = job_of_data(own);
    state->on_their_way--;
    if (op->status == STORE_OK && settings->record) {
        struct buf line = {0};
        struct kv_record record = {.key = own->op.key,
                                   .value = buf_str(&own->op.answer),
                                   .version = own->op.version,
                                   .deadline = own->op.expires};
        state_record_add(&line, &record);
        give_value(own, (struct str){line.data, line.len - 1});
        buf_free(&line);
    } else if (op->status == STORE_OK) {
        give_value(own, buf_str(&own->op.answer));
    } else if (op->status == STORE_ABSENT && settings->otherwise.data) {
        give_value(own, settings->otherwise);
    } else if (op->status == STORE_ABSENT) {
        if (settings->into.data)
            job_emit_event(job);
        job_done(job);
    } else {
        store_failed(own);
    }
}

/* ---- seen ---- */

static void mark(struct state_job *own);

/* A mark of a process that has gone before its event was written. */
static bool is_abandoned(const struct state_job *own)
{
    struct str value = buf_str(&own->op.answer), prefix = STR("{\"pending\":");
    uint64_t holder = 0;
    if (!str_starts(value, prefix) || !store_home(own->state->store))
        return false;
    for (size_t i = prefix.len; i < value.len && value.data[i] != '}'; i++)
        holder = holder * 10 + (uint64_t)(value.data[i] - '0');
    return cell_holder_gone(holder);
}

static void passes(struct state_job *own)
{
    struct job *job = job_of_data(own);
    own->marked = true;
    job_emit_event(job);
    job_done(job);
}

static void was_marked(struct store_op *op);

static void was_looked_at(struct store_op *op)
{
    struct state_job *own = job_of_op(op);
    own->state->on_their_way--;
    if (op->status == STORE_ABSENT) {
        mark(own);
    } else if (op->status != STORE_OK) {
        store_failed(own);
    } else if (is_abandoned(own)) {
        own->op.expected = own->op.version;
        submit(own, KV_CAS, was_marked);
        return;
    } else {
        job_drop(job_of_data(own));
    }
    engine_room(own->state->engine);
}

static void was_marked(struct store_op *op)
{
    struct state_job *own = job_of_op(op);
    own->state->on_their_way--;
    if (op->status == STORE_OK)
        passes(own);
    else if (op->status == STORE_CONFLICT)
        submit(own, KV_GET, was_looked_at);
    else
        store_failed(own);
    engine_room(own->state->engine);
}

static void mark(struct state_job *own)
{
    int64_t ttl = own->state->settings.ttl;
    buf_clear(&own->mark);
    buf_addf(&own->mark, "{\"pending\":%" PRIu64 "}", cell_self());
    own->op.value = buf_str(&own->mark);
    own->op.deadline = deadline_after(ttl && ttl < PLAN_STATE_PENDING ? ttl : PLAN_STATE_PENDING);
    submit(own, KV_ADD, was_marked);
}

struct final_mark {
    struct kv_op op; /* first */
    struct buf key;
};

/* One that could not be made final is a mark that ends by itself: the event may pass again. */
static void was_final(struct store_op *op)
{
    struct final_mark *final = (struct final_mark *)(void *)op;
    kv_op_free(&final->op);
    buf_free(&final->key);
    free(final);
}

static void settled(struct plan *plan, struct job *job, bool written)
{
    struct state_job *own = job_data(job);
    struct plan_state *state = of(plan);
    if (!own->marked)
        return;
    struct final_mark *final = mem_zalloc(sizeof *final);
    buf_add_str(&final->key, buf_str(&own->key));
    final->op.verb = written ? KV_PUT : KV_DEL;
    final->op.op.done = was_final;
    final->op.key = buf_str(&final->key);
    final->op.value = STR("true");
    final->op.expected = own->op.version;
    final->op.deadline = deadline_after(state->settings.ttl);
    kv_submit(state->store, &final->op);
}

/* ---- the plan ---- */

/* Fill the key. False: the job has been ended. */
static bool take_key(struct state_job *own, const struct jq_input *input)
{
    const struct plan_state_settings *settings = &own->state->settings;
    struct job *job = job_of_data(own);
    struct buf value = {0};
    struct err err;
    bool taken = false;
    int found = jq_first(settings->key, input, &value, &err);
    struct str text = str_trim(buf_str(&value));
    if (found < 0) {
        bad_event(job, err.text);
    } else if (!found || json_type_of(text) == JSON_NULL) {
        err_set(&err, ERR_INPUT, "--key %s: gives %s", jq_text(settings->key),
                found ? "null" : "nothing");
        bad_event(job, err.text);
    } else {
        buf_add_str(&own->key, settings->prefix);
        if (json_type_of(text) == JSON_STRING)
            json_decode(text, &own->key);
        else
            buf_add_str(&own->key, text);
        taken = true;
    }
    buf_free(&value);
    return taken;
}

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct state_job *own = job_data(job);
    own->state = of(plan);
    if (own->state->settings.kind == PLAN_STATE_LOAD) {
        start_load(own);
        return;
    }
    if (!take_key(own, input))
        return;
    switch (own->state->settings.kind) {
    case PLAN_STATE_PUT:
        start_put(own);
        break;
    case PLAN_STATE_GET:
        submit(own, KV_GET, was_got);
        break;
    default:
        mark(own);
    }
}

static bool has_room(struct plan *plan)
{
    return of(plan)->on_their_way < STORE_GROUP;
}

static void release(struct plan *plan, struct job *job)
{
    (void)plan;
    struct state_job *own = job_data(job);
    kv_op_free(&own->op);
    buf_free(&own->key);
    buf_free(&own->mark);
}

void plan_state_init(struct plan_state *state, struct engine *engine, struct store *store,
                     const struct plan_state_settings *settings)
{
    *state = (struct plan_state){.engine = engine, .store = store, .settings = *settings};
    state->plan = (struct plan){.start = start,
                                .has_room = has_room,
                                .settled = settled,
                                .release = release,
                                .silent = settings->kind == PLAN_STATE_LOAD,
                                .job_size = sizeof(struct state_job)};
}
