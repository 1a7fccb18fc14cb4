/* plan_fanin.c: the plan that collects parts into groups. */
#include "engine/plan_fanin.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/msg.h"
#include "base/num.h"
#include "engine/identity.h"
#include "engine/source_fanin.h"

#include <inttypes.h>
#include <stdlib.h>

enum { KEY_SHOWN = 60 }; /* bytes of a key that a message repeats */

struct fanin_job;

struct part {             /* on its way into the store */
    struct fanin_add add; /* first */
    struct fanin_job *job;
    struct str text; /* of the envelope, if the line has several */
    struct buf group, id;
    char *wrong;       /* why the predicate cannot be applied */
    struct part *next; /* to be sent */
};

/* The data of a job that is a line. */
struct fanin_job {
    struct part only; /* of a line with one */
    struct plan_fanin *plan;
    struct part *waiting; /* the others, not yet sent */
    size_t open;          /* sent, and not answered */
    bool sending;
    struct failure *failure; /* of the only one */
};

static struct plan_fanin *of(struct plan *plan)
{
    return (struct plan_fanin *)(void *)plan;
}

static struct failure *bad_event(const char *option, const struct err *err)
{
    return failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "%s%s", option, err->text);
}

/* ---- the ends of parts ---- */

static void free_part(struct part *part)
{
    buf_free(&part->group);
    buf_free(&part->id);
    free(part->wrong);
    if (part != &part->job->only)
        free(part);
}

static void part_failed_take(struct part *part, struct failure *failure)
{
    struct job *job = job_of_data(part->job);
    if (part == &part->job->only) {
        part->job->failure = failure;
        return;
    }
    struct buf array = {0}; /* as the line was: to be redriven as that */
    buf_addc(&array, '[');
    buf_add_str(&array, part->text);
    buf_addc(&array, ']');
    job_letter_take(job, buf_str(&array), failure);
    buf_free(&array);
}

static struct failure *verdict_failure(const struct part *part)
{
    const struct fanin_add *add = &part->add;
    int shown = (int)(add->group.len < KEY_SHOWN ? add->group.len : KEY_SHOWN);
    const char *dots = add->group.len > KEY_SHOWN ? "..." : "";
    if (add->verdict == GROUP_LATE)
        return failure_new(FAILURE_LATE, FAILURE_PERMANENT,
                           "group %.*s%s has closed without it, by %s", shown, add->group.data,
                           dots, group_closing_name(add->closing));
    if (part->wrong)
        return failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "--until %s", part->wrong);
    return failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT,
                       "its place or number of parts contradicts the others of group %.*s%s", shown,
                       add->group.data, dots);
}

static void send_more(struct fanin_job *own);

static void added(struct store_op *op)
{
    struct part *part = (struct part *)(void *)op;
    struct fanin_job *own = part->job;
    struct plan_fanin *plan = own->plan;
    enum group_verdict verdict = part->add.verdict;
    plan->on_their_way--;
    own->open--;
    if (op->status != STORE_OK) {
        struct err err = *op->err;
        part_failed_take(
            part, failure_new(FAILURE_WRITE, FAILURE_PERMANENT, "keep a part: %s", err.text));
        engine_fail(plan->engine, &err);
    } else if (verdict == GROUP_DUPLICATE) {
        plan->duplicates++;
    } else if (verdict != GROUP_TAKEN) {
        plan->late += verdict == GROUP_LATE;
        part_failed_take(part, verdict_failure(part));
    }
    free_part(part);
    send_more(own); /* it may be gone then */
    engine_room(plan->engine);
}

static void end_line(struct fanin_job *own)
{
    struct job *job = job_of_data(own);
    if (own->failure)
        job_dead_take(job, own->failure);
    else
        job_done(job);
}

/* Parts beyond a commit wait for it, also those of one line. */
static void send_more(struct fanin_job *own)
{
    if (own->sending)
        return;
    own->sending = true;
    while (own->waiting && own->plan->on_their_way < STORE_GROUP) {
        struct part *part = own->waiting;
        own->waiting = part->next;
        own->plan->on_their_way++;
        own->open++;
        fanin_add(own->plan->store, &part->add);
    }
    own->sending = false;
    if (!own->waiting && !own->open)
        end_line(own);
}

/* ---- parts ---- */

static int ask_until(void *owner, struct str array)
{
    struct part *part = owner;
    struct json_scan scan;
    struct err err;
    int holds = -1;
    if (json_scan(array, NULL, NULL, &scan) < 0) {
        err_set(&err, ERR_INPUT, "%s at byte %zu", scan.reason, scan.at + 1);
    } else {
        struct jq_input input = {array, NULL, scan.depth};
        holds = jq_matches(part->job->plan->until, &input, &err);
    }
    free(part->wrong);
    part->wrong = holds < 0 ? mem_strdup(err.text) : NULL;
    return holds;
}

static void set_add(struct part *part, struct str key, uint64_t expected, struct str value)
{
    const struct fanin_settings *settings = &part->job->plan->settings;
    part->add = (struct fanin_add){
        .own.op.done = added,
        .own.name = str_of(settings->name),
        .group = envelope_key(key, &part->group),
        .expected = expected,
        .value = value,
        .renews = !settings->remember,
        .rules = {.until = settings->until, .idle = settings->idle, .within = settings->within},
        .until = ask_until,
        .owner = part,
    };
}

/* How many parts its group has, as --count says; 0: that is not known. -1 with err. */
static int count_parts(struct plan_fanin *plan, const struct jq_input *input, uint64_t *count,
                       struct err *err)
{
    struct buf value = {0};
    *count = plan->settings.count;
    if (!plan->count_by)
        return 0;
    struct jq_input own = {input->text, NULL, input->depth};
    int found = jq_first(plan->count_by, &own, &value, err);
    if (found > 0 && !str_eq(buf_str(&value), STR("null")) &&
        num_uint(buf_cstr(&value), 1, ENVELOPE_COUNT, count)) {
        found = err_set(err, ERR_INPUT, "%s: gives no number from 1 to %d", jq_text(plan->count_by),
                        ENVELOPE_COUNT);
    }
    buf_free(&value);
    return found < 0 ? -1 : 0;
}

/* Does anything say when a group is complete? */
static bool has_rule(const struct fanin_settings *settings)
{
    return settings->until || settings->idle || settings->within || settings->count_by;
}

static int check_value(struct str value, unsigned depth, struct err *err)
{
    if (value.len > STORE_VALUE_MAX)
        return err_set(err, ERR_INPUT, "a value of %zu bytes, more than %d can be kept", value.len,
                       STORE_VALUE_MAX);
    /* in an array, in an envelope, in a letter */
    if (depth > JSON_MAX_DEPTH - 4)
        return err_set(err, ERR_INPUT, "nested too deeply to be put into an array");
    return 0;
}

static int set_envelope(struct part *part, const struct envelope *envelope,
                        const struct jq_input *input, struct err *err)
{
    struct plan_fanin *plan = part->job->plan;
    uint64_t expected = envelope->count;
    if (check_value(envelope->value, input->depth, err) < 0 ||
        (!expected && count_parts(plan, input, &expected, err) < 0))
        return -1;
    if (!expected && !has_rule(&plan->settings))
        return err_set(err, ERR_INPUT, "part.count is missing");
    set_add(part, envelope->group, expected, envelope->value);
    part->add.indexed = true;
    part->add.index = envelope->index;
    part->add.failed = envelope->failed;
    return 0;
}

/* -1 with err: --id cannot be applied. */
static int set_id(struct part *part, struct str event, struct err *err)
{
    int found = identity_own(part->job->plan->identity, event, &part->id, err);
    if (found > 0)
        part->add.id = buf_str(&part->id);
    return found < 0 ? -1 : 0;
}

/* ---- lines ---- */

static struct failure *read_plain(struct fanin_job *own, const struct jq_input *input)
{
    struct plan_fanin *plan = own->plan;
    struct part *part = &own->only;
    struct buf key = {0};
    struct failure *failure = NULL;
    uint64_t expected = 0;
    struct err err;
    int found = jq_first(plan->group, input, &key, &err);
    if (found == 0)
        found = err_set(&err, ERR_INPUT, "%s: gives nothing", jq_text(plan->group));
    if (found < 0)
        failure = bad_event("--group ", &err);
    else if (count_parts(plan, input, &expected, &err) < 0)
        failure = bad_event("--count ", &err);
    else if (check_value(input->text, input->depth, &err) < 0)
        failure = bad_event("", &err);
    if (!failure) {
        set_add(part, buf_str(&key), expected, input->text);
        struct buf text = {0}; /* the key lives as long as the part */
        if (part->add.group.data == key.data) {
            text = key;
            key = part->group;
            part->group = text;
        }
        if (set_id(part, input->text, &err) < 0)
            failure = bad_event("", &err);
    }
    buf_free(&key);
    return failure;
}

static struct failure *read_one(struct fanin_job *own, const struct jq_input *input)
{
    struct plan_fanin *plan = own->plan;
    struct envelope envelope;
    struct err err;
    if (plan->group) {
        struct failure *failure = read_plain(own, input);
        if (failure)
            return failure;
    } else if (envelope_read(&plan->line, input->values, &envelope, &err) < 0 ||
               set_envelope(&own->only, &envelope, input, &err) < 0) {
        return bad_event("", &err);
    }
    own->waiting = &own->only;
    return NULL;
}

/* One envelope of several. The number makes an event without an identity this one and no other. */
static int read_element(struct part *part, size_t number, struct err *err)
{
    struct plan_fanin *plan = part->job->plan;
    struct json_scan scan;
    struct envelope envelope;
    json_scan(part->text, plan->paths, plan->values, &scan);
    struct jq_input input = {part->text, plan->values, scan.depth};
    if (envelope_read(&plan->element, plan->values, &envelope, err) < 0)
        return -1;
    if (!plan->group)
        return set_envelope(part, &envelope, &input, err);
    if (check_value(envelope.value, scan.depth, err) < 0)
        return -1;
    set_add(part, envelope.group, envelope.count, envelope.value);
    if (set_id(part, envelope.value, err) < 0)
        return -1;
    if (!part->id.len) {
        buf_add_str(&part->id, job_id(job_of_data(part->job)));
        buf_addf(&part->id, "/%zu", number);
        part->add.id = buf_str(&part->id);
    }
    return 0;
}

static void drop_waiting(struct fanin_job *own)
{
    while (own->waiting) {
        struct part *part = own->waiting;
        own->waiting = part->next;
        free_part(part);
    }
}

/* All parts of the line, or none. */
static struct failure *read_several(struct fanin_job *own, struct str array)
{
    struct part **end = &own->waiting;
    struct json_iter iter;
    struct err err;
    size_t number = 0;
    json_iter_init(&iter, array);
    while (json_iter_next(&iter)) {
        struct part *part = *end = mem_zalloc(sizeof *part);
        end = &part->next;
        part->job = own;
        part->text = iter.value;
        if (read_element(part, number++, &err) < 0) {
            drop_waiting(own);
            return bad_event("", &err);
        }
    }
    return NULL;
}

/* Is it an array of envelopes, of which there is at least one? */
static bool is_several(const struct plan_fanin *plan, struct str text)
{
    struct json_iter iter;
    text = str_trim(text);
    if (text.data[0] != '[' || (plan->group && !engine_redrives(plan->engine)))
        return false;
    json_iter_init(&iter, text);
    bool some = json_iter_next(&iter);
    for (bool more = some; plan->group && more; more = json_iter_next(&iter)) {
        struct json_scan scan;
        struct envelope envelope;
        struct err err;
        json_scan(iter.value, plan->paths, plan->values, &scan);
        if (envelope_read(&plan->element, plan->values, &envelope, &err) < 0 ||
            !envelope.value.data)
            return false;
    }
    return some;
}

static void start_line(struct plan_fanin *plan, struct job *job, const struct jq_input *input)
{
    struct fanin_job *own = job_data(job);
    own->plan = plan;
    own->only.job = own;
    job_silent(job);
    struct failure *failure = is_several(plan, input->text)
                                  ? read_several(own, str_trim(input->text))
                                  : read_one(own, input);
    if (!failure) {
        send_more(own);
        return;
    }
    free_part(&own->only);
    job_dead_take(job, failure);
}

/* ---- groups ---- */

static void warn_of_digits(struct plan_fanin *plan)
{
    if (plan->warned || !plan->join.program || !jq_lost_digits(plan->join.program))
        return;
    plan->warned = true;
    msg_warn("jq has changed numbers of more than 15 digits");
}

static void start_group(struct plan_fanin *plan, struct job *job, struct fanin_held *held)
{
    const struct fanin_group *group = fanin_held_group(held);
    const struct fanin_rules *rules = &plan->settings.rules;
    struct failure *failure = fanin_result_failure(rules, group, fanin_held_interrupted(held));
    struct slice lines;
    size_t count;
    struct err err;
    if (!failure &&
        fanin_result_lines(rules, &plan->join, group, job->event, &lines, &count, &err) < 0)
        failure = failure_new(FAILURE_BAD_RESULT, FAILURE_PERMANENT, "--join %s", err.text);
    warn_of_digits(plan);
    if (failure) {
        job_dead_take(job, failure);
        return;
    }
    job_emit_take(job, lines, count);
    job_done(job);
}

/* ---- the plan ---- */

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct fanin_held *held = source_fanin_held(job_token(job));
    if (held)
        start_group(of(plan), job, held);
    else
        start_line(of(plan), job, input);
}

static bool has_room(struct plan *plan)
{
    return of(plan)->on_their_way < STORE_GROUP;
}

static void letter_event(struct plan *plan, struct job *job, struct buf *event)
{
    struct fanin_held *held = source_fanin_held(job_token(job));
    (void)plan;
    if (held)
        fanin_result_letter(fanin_held_group(held), event);
}

static int compile(struct jq_program **program, const char *text, struct json_paths *paths,
                   struct err *err)
{
    *program = text ? jq_compile(text, paths, err) : NULL;
    return text && !*program ? -1 : 0;
}

int plan_fanin_init(struct plan_fanin *fanin, struct engine *engine, struct store *store,
                    const struct fanin_settings *settings, struct err *err)
{
    *fanin = (struct plan_fanin){
        .plan = {.start = start,
                 .has_room = has_room,
                 .letter_event = letter_event,
                 .job_size = sizeof(struct fanin_job)},
        .engine = engine,
        .store = store,
        .settings = *settings,
    };
    struct json_paths *paths = engine_paths(engine);
    fanin->paths = json_paths_new();
    envelope_watch(&fanin->element, fanin->paths);
    fanin->values = mem_array(json_paths_count(fanin->paths), sizeof *fanin->values);
    if (!settings->group)
        envelope_watch(&fanin->line, paths);
    fanin->identity = identity_new(settings->id, err);
    if (!fanin->identity || compile(&fanin->group, settings->group, paths, err) < 0 ||
        compile(&fanin->count_by, settings->count_by, NULL, err) < 0 ||
        compile(&fanin->until, settings->until, NULL, err) < 0 ||
        fanin_result_join_init(&fanin->join, settings->join, err) < 0)
        return -1;
    engine_count(engine, &(struct report_count){"duplicates", "Parts that were there already.",
                                                &fanin->duplicates});
    engine_count(engine,
                 &(struct report_count){"late", "Parts of groups that had closed.", &fanin->late});
    return 0;
}

void plan_fanin_free(struct plan_fanin *fanin)
{
    json_paths_free(fanin->paths);
    free(fanin->values);
    identity_free(fanin->identity);
    jq_free(fanin->group);
    jq_free(fanin->count_by);
    jq_free(fanin->until);
    fanin_result_join_free(&fanin->join);
    *fanin = (struct plan_fanin){0};
}
