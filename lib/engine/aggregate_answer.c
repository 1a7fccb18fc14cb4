/* aggregate_answer.c: what came of the parts of an event, as one object or one failure. */
#include "engine/aggregate_answer.h"

#include "base/mem.h"
#include "base/num.h"
#include "engine/deadletter.h"
#include "engine/split_result.h"

#include <inttypes.h>
#include <stdlib.h>

#define MILLISECOND (NUM_SECOND / 1000)

static size_t count_of(const struct part_answer *parts, size_t count, enum part_state state)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += parts[i].state == state;
    return found;
}

bool aggregate_is_reserved(struct str name)
{
    return str_eq(name, STR("cached")) || str_eq(name, STR("errors"));
}

/* ---- is it enough? ---- */

static bool is_fatal(const struct part_answer *part, size_t need)
{
    return part->state == PART_FAILED && (need || !part->optional);
}

/* New answers come before older ones: those count when there cannot be enough others. */
static enum aggregate_verdict judge_number(const struct part_answer *parts, size_t count,
                                           size_t need)
{
    size_t here = count_of(parts, count, PART_HERE);
    size_t open = count_of(parts, count, PART_OPEN);
    size_t older = count_of(parts, count, PART_CACHED);
    if (here >= need)
        return AGGREGATE_ANSWER;
    if (here + open >= need)
        return AGGREGATE_WAIT;
    if (here + older >= need)
        return AGGREGATE_ANSWER;
    return here + open + older >= need ? AGGREGATE_WAIT : AGGREGATE_DEAD;
}

enum aggregate_verdict aggregate_judge(const struct part_answer *parts, size_t count, size_t need)
{
    if (need)
        return judge_number(parts, count, need);
    for (size_t i = 0; i < count; i++) {
        if (is_fatal(&parts[i], need))
            return AGGREGATE_DEAD;
    }
    return count_of(parts, count, PART_OPEN) ? AGGREGATE_WAIT : AGGREGATE_ANSWER;
}

/* ---- the object ---- */

/* A name is plain: nothing in it needs an escape. */
static void add_name(struct buf *out, struct str name, bool first)
{
    buf_puts(out, first ? "\"" : ",\"");
    buf_add_str(out, name);
    buf_puts(out, "\":");
}

/* Is it in the answer? Of older ones only so many as are needed (*left). */
static bool is_given(const struct part_answer *part, size_t need, size_t *left)
{
    if (part->state == PART_HERE)
        return true;
    if (part->state != PART_CACHED || (need && !*left))
        return false;
    *left -= need > 0;
    return true;
}

static size_t wanted_older(const struct part_answer *parts, size_t count, size_t need)
{
    size_t here = count_of(parts, count, PART_HERE);
    return need > here ? need - here : 0;
}

void aggregate_write(struct buf *out, const struct part_answer *parts, size_t count, size_t need)
{
    struct buf cached = {0}, errors = {0};
    size_t left = wanted_older(parts, count, need);
    size_t start = out->len;
    buf_addc(out, '{');
    for (size_t i = 0; i < count; i++) {
        const struct part_answer *part = &parts[i];
        bool given = is_given(part, need, &left);
        if (given)
            add_name(out, part->name, out->len == start + 1);
        if (given && part->state == PART_HERE) {
            split_value(out, part->lines, part->count);
        } else if (given) {
            buf_add_str(out, part->older);
            add_name(&cached, part->name, !cached.len);
            buf_addf(&cached, "{\"age_ms\":%" PRId64 ",", part->age / MILLISECOND);
            deadletter_cause(&cached, part->failure);
            buf_addc(&cached, '}');
        } else if (part->failure) {
            add_name(&errors, part->name, !errors.len);
            buf_addc(&errors, '{');
            deadletter_cause(&errors, part->failure);
            buf_addc(&errors, '}');
        }
    }
    if (cached.len) {
        add_name(out, STR("cached"), out->len == start + 1);
        buf_addc(out, '{');
        buf_add_str(out, buf_str(&cached));
        buf_addc(out, '}');
    }
    if (errors.len) {
        add_name(out, STR("errors"), out->len == start + 1);
        buf_addc(out, '{');
        buf_add_str(out, buf_str(&errors));
        buf_addc(out, '}');
    }
    buf_addc(out, '}');
    buf_free(&cached);
    buf_free(&errors);
}

/* ---- the failure ---- */

struct failure *aggregate_failure(const struct part_answer *parts, size_t count, size_t need)
{
    struct failure *failure = NULL;
    struct buf message = {0}, list = {0};
    if (need)
        buf_addf(&message, "%zu of %zu parts failed, %zu were needed",
                 count_of(parts, count, PART_FAILED), count, need);
    else
        buf_addf(&message, "%zu of %zu parts failed", count_of(parts, count, PART_FAILED), count);
    for (size_t i = 0; i < count; i++) {
        const struct part_answer *part = &parts[i];
        if (part->state != PART_FAILED)
            continue;
        const struct failure *why = part->failure;
        if (!failure && is_fatal(part, need))
            failure = failure_dup(why);
        buf_puts(&message, list.len ? "; " : ": ");
        buf_add_str(&message, part->name);
        buf_addf(&message, ": %s", why->message ? why->message : failure_name(why->reason));
        buf_puts(&list, list.len ? ",{\"part\":\"" : "[{\"part\":\"");
        buf_add_str(&list, part->name);
        buf_puts(&list, "\",");
        deadletter_failure(&list, why);
        buf_addc(&list, '}');
    }
    buf_addc(&list, ']');
    free(failure->message);
    free(failure->detail);
    failure->reason = FAILURE_PARTS;
    failure->class = FAILURE_PERMANENT;
    failure->message = buf_take(&message);
    failure->detail = buf_take(&list);
    return failure;
}
