/* fanin_result.c: what becomes of a group that has closed. */
#include "engine/fanin_result.h"

#include "base/mem.h"
#include "engine/envelope.h"
#include "engine/plan_split.h"
#include "engine/split_result.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- what is missing ---- */

/* Without its times: what only they would have closed may also end with the input. */
static bool is_timeout(const struct fanin_rules *rules, const struct fanin_group *group)
{
    struct group_rules waited_for = {.until = rules->until};
    return !group_is_complete(&group->group, &waited_for);
}

static uint64_t missing_count(const struct fanin_group *group)
{
    const struct group *own = &group->group;
    return own->expected > own->parts ? own->expected - own->parts : 0;
}

/* The places that are missing: next(&gap) from a zeroed one. */
struct gap {
    uint64_t part, place; /* the next to be looked at */
    uint64_t missing;
};

static bool next_gap(const struct fanin_group *group, struct gap *gap)
{
    while (gap->place < group->group.expected) {
        uint64_t place = gap->place++;
        if (gap->part == group->group.parts || group->parts[gap->part].index != place) {
            gap->missing = place;
            return true;
        }
        gap->part++;
    }
    return false;
}

/* ---- the array ---- */

static void add_value(const struct fanin_rules *rules, const struct fanin_part *part,
                      struct buf *array)
{
    if (part->failed && rules->failed != FANIN_SKIP)
        split_add(array, STR("null"));
    else if (!part->failed && part->value.data)
        split_add(array, part->value);
}

void fanin_result_array(const struct fanin_rules *rules, const struct fanin_group *group,
                        struct buf *array)
{
    struct gap gap = {0};
    bool gaps = !rules->plain && is_timeout(rules, group) && next_gap(group, &gap);
    for (uint64_t i = 0; i < group->group.parts; i++) {
        for (; gaps && gap.missing < group->parts[i].index; gaps = next_gap(group, &gap))
            split_add(array, STR("null"));
        add_value(rules, &group->parts[i], array);
    }
    for (; gaps; gaps = next_gap(group, &gap))
        split_add(array, STR("null"));
    split_close(array);
}

/* ---- dead groups ---- */

static const char *how(enum group_closing closing)
{
    switch (closing) {
    case GROUP_IDLE:
        return "no other has come for so long (--idle)";
    case GROUP_WITHIN:
        return "they have not come in time (--within)";
    default:
        return "the input has ended";
    }
}

static void name_places(const struct fanin_group *group, struct buf *text, struct buf *list)
{
    struct gap gap = {0};
    uint64_t missing = missing_count(group), named = 0;
    buf_puts(text, missing == 1 ? "part " : "parts ");
    for (; named < missing && named < FANIN_LISTED && next_gap(group, &gap); named++) {
        if (named < FANIN_NAMED)
            buf_addf(text, "%s%" PRIu64, named ? ", " : "", gap.missing);
        buf_addf(list, "%s%" PRIu64, named ? "," : "[", gap.missing);
    }
    if (missing > FANIN_NAMED)
        buf_addf(text, " and %" PRIu64 " more", missing - FANIN_NAMED);
    buf_addf(text, " of %" PRIu64 " %s missing", group->group.expected,
             missing == 1 ? "is" : "are");
    buf_addc(list, ']');
}

static struct failure *incomplete(const struct fanin_rules *rules, const struct fanin_group *group)
{
    const struct group *own = &group->group;
    uint64_t missing = missing_count(group);
    struct failure *failure = failure_new(FAILURE_INCOMPLETE, FAILURE_PERMANENT, NULL);
    struct buf text = {0}, list = {0}, detail = {0};
    if (own->expected && !rules->plain)
        name_places(group, &text, &list);
    else if (own->expected)
        buf_addf(&text, "%" PRIu64 " of %" PRIu64 " parts %s missing", missing, own->expected,
                 missing == 1 ? "is" : "are");
    else
        buf_addf(&text, "it has %" PRIu64 " part%s%s", own->parts, own->parts == 1 ? "" : "s",
                 rules->until ? ", of which --until is not true" : "");
    buf_addf(&text, ": %s", how(own->closing));
    buf_puts(&detail, "{\"missing\":");
    if (list.len && missing <= FANIN_LISTED)
        buf_add_str(&detail, buf_str(&list));
    else if (own->expected)
        buf_addf(&detail, "%" PRIu64, missing);
    else
        buf_puts(&detail, "null");
    buf_addf(&detail, ",\"closed_by\":\"%s\"}", group_closing_name(own->closing));
    failure->message = buf_take(&text);
    failure->detail = buf_take(&detail);
    buf_free(&list);
    return failure;
}

/* What a letter says of a failed part: the members of its error, whatever that is. */
static char *members_of(struct str error)
{
    struct buf members = {0};
    if (json_type_of(error) == JSON_OBJECT)
        buf_add_str(&members, str_trim((struct str){error.data + 1, error.len - 2}));
    if (!members.len) {
        buf_puts(&members, "\"error\":");
        buf_add_str(&members, error.data ? error : STR("null"));
    }
    return buf_take(&members);
}

/* What a person is told of it: its message, or else its reason. */
static char *message_of(struct str error)
{
    struct json_paths *paths = json_paths_new();
    int nodes[] = {json_paths_key(paths, 0, STR("message")),
                   json_paths_key(paths, 0, STR("reason")), 0};
    struct json_value *values = mem_array(json_paths_count(paths), sizeof *values);
    struct json_scan scan;
    struct buf text = {0};
    if (json_scan(error, paths, values, &scan) == 0) {
        for (size_t i = 0; i < sizeof nodes / sizeof *nodes && !text.len; i++) {
            if (values[nodes[i]].type == JSON_STRING)
                json_decode(values[nodes[i]].text, &text);
        }
    }
    free(values);
    json_paths_free(paths);
    return text.len ? buf_take(&text) : NULL;
}

static struct failure *parts_failed(const struct fanin_group *group)
{
    const struct group *own = &group->group;
    struct split_failures failures = {0};
    for (uint64_t i = 0; i < own->parts; i++) {
        const struct fanin_part *part = &group->parts[i];
        if (!part->failed)
            continue;
        if (!failures.first) /* which will be that of the group */
            failures.first = failure_new(FAILURE_PARTS, FAILURE_PERMANENT, NULL);
        struct failure *failure = failure_new(FAILURE_ERROR, FAILURE_PERMANENT, NULL);
        failure->message = message_of(part->value);
        failure->recorded = members_of(part->value);
        split_failures_take(&failures, (size_t)part->index, 1, SPLIT_NAMED, failure);
    }
    return split_failures_end(&failures, (size_t)(own->expected ? own->expected : own->parts), 0);
}

struct failure *fanin_result_failure(const struct fanin_rules *rules,
                                     const struct fanin_group *group, bool interrupted)
{
    const struct group *own = &group->group;
    bool at_eof = own->closing == GROUP_AT_EOF;
    if (at_eof && interrupted)
        return failure_new(FAILURE_INTERRUPTED, FAILURE_PERMANENT,
                           "the run was interrupted when it had %" PRIu64 " part%s", own->parts,
                           own->parts == 1 ? "" : "s");
    bool dead = at_eof ? rules->at_eof != FANIN_PARTIAL : !rules->partial;
    bool too_early = is_timeout(rules, group) || (at_eof && rules->at_eof == FANIN_DEAD);
    if (too_early && dead)
        return incomplete(rules, group);
    return rules->failed == FANIN_FAIL ? parts_failed(group) : NULL;
}

void fanin_result_letter(const struct fanin_group *group, struct buf *event)
{
    for (uint64_t i = 0; i < group->group.parts; i++) {
        const struct fanin_part *part = &group->parts[i];
        struct envelope envelope = {.group = group->key,
                                    .index = part->index,
                                    .count = group->group.expected,
                                    .value = part->value,
                                    .failed = part->failed};
        buf_addc(event, i ? ',' : '[');
        envelope_add(event, &envelope);
    }
    buf_addc(event, ']');
}

/* ---- lines ---- */

int fanin_result_join_init(struct fanin_join *join, const char *text, struct err *err)
{
    *join = (struct fanin_join){0};
    if (!text)
        return 0;
    join->given = strstr(text, "$group");
    join->program =
        join->given ? jq_compile_given(text, "group", err) : jq_compile(text, NULL, err);
    return join->program ? 0 : -1;
}

void fanin_result_join_free(struct fanin_join *join)
{
    jq_free(join->program);
    *join = (struct fanin_join){0};
}

struct result { /* of one group, line by line */
    const struct fanin_rules *rules;
    const struct fanin_group *group;
    struct buf lines;
    size_t count;
};

static void add_missing(struct result *result)
{
    const struct fanin_group *group = result->group;
    struct gap gap = {0};
    buf_puts(&result->lines, ",\"missing\":");
    if (!group->group.expected) {
        buf_puts(&result->lines, "null");
    } else if (result->rules->plain) {
        buf_addf(&result->lines, "%" PRIu64, missing_count(group));
    } else {
        buf_addc(&result->lines, '[');
        for (bool more = false; next_gap(group, &gap); more = true)
            buf_addf(&result->lines, "%s%" PRIu64, more ? "," : "", gap.missing);
        buf_addc(&result->lines, ']');
    }
}

static int add_line(void *context, struct str json)
{
    struct result *result = context;
    bool partial = is_timeout(result->rules, result->group);
    bool wrapped = partial || result->rules->closed_by;
    if (wrapped)
        buf_puts(&result->lines, "{\"result\":");
    buf_add_str(&result->lines, json);
    if (partial)
        add_missing(result);
    if (result->rules->closed_by)
        buf_addf(&result->lines, ",\"closed_by\":\"%s\"",
                 group_closing_name(result->group->group.closing));
    buf_puts(&result->lines, wrapped ? "}\n" : "\n");
    result->count++;
    return 0;
}

static int run_join(const struct fanin_join *join, struct str array, struct result *result,
                    struct err *err)
{
    struct json_scan scan;
    if (join->given)
        return jq_each_given(join->program, array, result->group->key, add_line, result, err);
    if (json_scan(array, NULL, NULL, &scan) < 0)
        return err_set(err, ERR_INPUT, "%s at byte %zu", scan.reason, scan.at + 1);
    struct jq_input input = {array, NULL, scan.depth};
    return jq_each(join->program, &input, add_line, result, err);
}

int fanin_result_lines(const struct fanin_rules *rules, const struct fanin_join *join,
                       const struct fanin_group *group, struct slice array, struct slice *lines,
                       size_t *count, struct err *err)
{
    struct result result = {.rules = rules, .group = group};
    if (!join->program && !rules->closed_by && !is_timeout(rules, group)) {
        *lines = slice_line(array);
        *count = 1;
        return 0;
    }
    if (!join->program) {
        add_line(&result, slice_str(array));
    } else if (run_join(join, slice_str(array), &result, err) < 0) {
        buf_free(&result.lines);
        return -1;
    }
    size_t len = result.lines.len;
    *count = result.count;
    *lines = len ? slice_take(buf_take(&result.lines), len) : (struct slice){0};
    buf_free(&result.lines);
    return 0;
}
