/* group.c: when the parts of a group are together. */
#include "pattern/group.h"

bool group_set_back(struct group *group, int64_t now)
{
    bool is_later = group->last_at > now || group->first_at > now;
    if (group->first_at > now)
        group->first_at = now;
    if (group->last_at > now)
        group->last_at = now;
    return is_later;
}

enum group_verdict group_judge(const struct group *group, const struct group_part *part)
{
    uint64_t expected = part->expected ? part->expected : group->expected;
    uint64_t place = part->indexed ? part->index : group->span;
    bool open = group->closing == GROUP_OPEN;
    if (group->expected && expected != group->expected)
        return GROUP_WRONG;
    if (part->indexed || open) {
        if (place == UINT64_MAX || (expected && (place >= expected || group->span > expected)))
            return GROUP_WRONG;
    }
    return open ? GROUP_TAKEN : GROUP_LATE;
}

uint64_t group_take(struct group *group, const struct group_rules *rules,
                    const struct group_part *part, int64_t now)
{
    uint64_t place = part->indexed ? part->index : group->span;
    if (part->expected)
        group->expected = part->expected;
    group_set_back(group, now);
    if (!group->parts)
        group->first_at = now;
    group->last_at = now;
    group->parts++;
    if (place >= group->span)
        group->span = place + 1;
    uint64_t needed = rules->count ? rules->count : group->expected;
    if (needed && group->parts >= needed)
        group->closing = GROUP_COUNT;
    return place;
}

int64_t group_after(int64_t at, int64_t span)
{
    return at > GROUP_NEVER - span ? GROUP_NEVER : at + span;
}

static int64_t idle_end(const struct group *group, const struct group_rules *rules)
{
    return rules->idle ? group_after(group->last_at, rules->idle) : GROUP_NEVER;
}

static int64_t within_end(const struct group *group, const struct group_rules *rules)
{
    return rules->within ? group_after(group->first_at, rules->within) : GROUP_NEVER;
}

int64_t group_due(const struct group *group, const struct group_rules *rules)
{
    int64_t idle = idle_end(group, rules), within = within_end(group, rules);
    if (group->closing != GROUP_OPEN)
        return GROUP_NEVER;
    return idle < within ? idle : within;
}

bool group_expire(struct group *group, const struct group_rules *rules, int64_t now)
{
    int64_t due = group_due(group, rules);
    if (due == GROUP_NEVER || now < due)
        return false;
    group->closing = due == idle_end(group, rules) ? GROUP_IDLE : GROUP_WITHIN;
    return true;
}

bool group_is_complete(const struct group *group, const struct group_rules *rules)
{
    bool counted = rules->count || group->expected || rules->until;
    switch (group->closing) {
    case GROUP_COUNT:
    case GROUP_UNTIL:
        return true;
    case GROUP_IDLE:
    case GROUP_WITHIN:
        return !counted;
    case GROUP_AT_EOF:
        return !counted && !rules->idle && !rules->within;
    default:
        return false;
    }
}

static const char *const names[GROUP_CLOSINGS] = {
    [GROUP_OPEN] = "open", [GROUP_COUNT] = "count",   [GROUP_UNTIL] = "until",
    [GROUP_IDLE] = "idle", [GROUP_WITHIN] = "within", [GROUP_AT_EOF] = "eof",
};

const char *group_closing_name(enum group_closing closing)
{
    return names[closing];
}
