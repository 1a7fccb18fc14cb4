/*
 * plan_merge.c: the plan of `fanin --merge`: events are passed on.
 *
 * A tag is put before the closing brace of an object, whose other bytes stay. A member of its name
 * that is there already stays too; the last one counts, to jq and to all of us.
 */
#include "engine/plan_merge.h"

#include "engine/inputs.h"

static struct plan_merge *of(struct plan *plan)
{
    return (struct plan_merge *)(void *)plan;
}

/* Paths may be of any bytes: those that are not UTF-8 become '?'. */
static void add_path(struct buf *out, struct str path)
{
    struct buf clean = {0};
    buf_add_str(&clean, path);
    for (size_t i = 0; !str_is_utf8(path) && i < clean.len; i++)
        clean.data[i] = (unsigned char)clean.data[i] < 0x80 ? clean.data[i] : '?';
    buf_add_json(out, buf_str(&clean));
    buf_free(&clean);
}

static struct str member_of(struct plan_merge *merge, const char *origin)
{
    const char *path = origin == inputs_stdin ? "-" : origin;
    if (!merge->member.len || !str_eq(buf_str(&merge->origin), str_of(path))) {
        buf_clear(&merge->origin);
        buf_puts(&merge->origin, path);
        buf_clear(&merge->member);
        buf_add_json(&merge->member, str_of(merge->tag));
        buf_addc(&merge->member, ':');
        add_path(&merge->member, str_of(path));
    }
    return buf_str(&merge->member);
}

static void tag_object(struct buf *line, struct str object, struct str member)
{
    struct str inside = str_trim((struct str){object.data + 1, object.len - 2});
    size_t end = (size_t)(inside.data + inside.len - object.data);
    buf_add(line, object.data, end);
    if (inside.len)
        buf_addc(line, ',');
    buf_add_str(line, member);
    buf_add(line, object.data + end, object.len - end);
}

static void emit_tagged(struct plan_merge *merge, struct job *job)
{
    struct str event = str_trim(slice_str(job->event));
    struct str member = member_of(merge, job->origin);
    struct buf *line = &merge->line;
    buf_clear(line);
    if (event.data[0] == '{') {
        tag_object(line, event, member);
    } else {
        buf_addc(line, '{');
        buf_add_str(line, member);
        buf_puts(line, ",\"" PLAN_MERGE_VALUE "\":");
        buf_add_str(line, event);
        buf_addc(line, '}');
    }
    buf_addc(line, '\n');
    job_emit_take(job, slice_dup(buf_str(line)), 1);
}

/* Why an event has no place in the order; NULL: it has one. Events that are redriven have tokens of
 * their own. */
static struct failure *has_no_key(struct plan_merge *merge, struct job *job)
{
    struct err err;
    if (!merge->key || !job_token(job) ||
        sort_key_of(merge->key, slice_str(job->event), &merge->bytes, &err) > 0)
        return NULL;
    return failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "%s:%llu: --sorted %s", job->origin,
                       (unsigned long long)job->line, err.text);
}

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct plan_merge *merge = of(plan);
    (void)input;
    struct failure *failure = has_no_key(merge, job);
    if (failure) {
        job_dead_take(job, failure);
        return;
    }
    if (merge->tag)
        emit_tagged(merge, job);
    else
        job_emit_event(job);
    job_done(job);
}

void plan_merge_init(struct plan_merge *merge, const char *tag, struct sort_key *key)
{
    *merge = (struct plan_merge){.plan.start = start, .tag = tag, .key = key};
}

void plan_merge_free(struct plan_merge *merge)
{
    buf_free(&merge->origin);
    buf_free(&merge->member);
    buf_free(&merge->line);
    buf_free(&merge->bytes);
}
