/* fanin_close.c: groups that are open, until their time is over or their input has ended. */
#include "state/fanin_record.h"

static int unfile(struct apply *apply, const struct fanin *fanin, struct fanin_head *head)
{
    unsigned char key[FANIN_KEY];
    if (head->filed == GROUP_NEVER)
        return 0;
    struct str at = fanin_key2(key, fanin, 'd', (uint64_t)head->filed, head->seq);
    head->filed = GROUP_NEVER;
    return table_remove(apply->txn, SPACE_FANIN, at) == TABLE_FAILED ? -1 : 0;
}

int fanin_next_due(struct apply *apply, const struct fanin *fanin, int64_t *due)
{
    unsigned char from[FANIN_KEY];
    struct str key, record;
    int found = fanin_first(apply, fanin_key2(from, fanin, 'd', 0, 0), false, &key, &record);
    *due = found > 0 ? (int64_t)table_u64(key.data + 5) : 0;
    return found < 0 ? -1 : 0;
}

int fanin_file(struct apply *apply, struct fanin *fanin, struct fanin_head *head, int64_t due)
{
    unsigned char key[FANIN_KEY];
    int64_t first;
    if (fanin_next_due(apply, fanin, &first) < 0 || unfile(apply, fanin, head) < 0)
        return -1;
    if (due == GROUP_NEVER)
        return 0;
    if (!first || due < first)
        fanin->ring = true;
    head->filed = due;
    struct str at = fanin_key2(key, fanin, 'd', (uint64_t)due, head->seq);
    return table_put(apply->txn, SPACE_FANIN, at, (struct str){"", 0});
}

int fanin_close(struct apply *apply, struct fanin *fanin, struct fanin_head *head)
{
    fanin->numbers.open--;
    fanin->numbers.parts -= head->group.parts;
    fanin->dirty = true;
    if (unfile(apply, fanin, head) < 0 || fanin_write_head(apply, fanin, head) < 0)
        return -1;
    return fanin_put_ready(apply, fanin, head->seq, ++fanin->numbers.order);
}

/* The record of a time that has come: parts have moved its time on, or the group closes. So groups
 * close in the order of their times. */
static int look_at(struct apply *apply, struct fanin *fanin, struct fanin_head *head)
{
    if (fanin_read_head(apply, fanin, head) < 0)
        return -1;
    struct group_rules rules = {.idle = head->idle, .within = head->within};
    int64_t due = group_due(&head->group, &rules);
    if (due <= head->filed && group_expire(&head->group, &rules, apply->wall))
        return fanin_close(apply, fanin, head);
    if (fanin_file(apply, fanin, head, due) < 0)
        return -1;
    return fanin_write_head(apply, fanin, head);
}

/* The last record of a time. 1, 0, -1. */
static int last_due(struct apply *apply, const struct fanin *fanin, struct str *key)
{
    unsigned char below[FANIN_KEY];
    struct str record, end = fanin_key1(below, fanin, 'd' + 1, 0);
    enum table_result found = table_last(apply->txn, SPACE_FANIN, end, key, &record);
    if (found != TABLE_FOUND)
        return found;
    return key->len == FANIN_KEY && table_u32(key->data) == fanin->number && key->data[4] == 'd';
}

/* After a clock has stepped back, those whose time is the furthest from now. */
static int set_back(struct apply *apply, struct fanin *fanin)
{
    struct fanin_head head = {0};
    struct str key;
    int count = 0, found = 0;
    while (count++ < FANIN_SWEEP && (found = last_due(apply, fanin, &key)) > 0) {
        head.seq = table_u64(key.data + 13);
        if ((found = fanin_read_head(apply, fanin, &head)) < 0 ||
            !group_set_back(&head.group, apply->wall))
            break;
        struct group_rules rules = {.idle = head.idle, .within = head.within};
        found = fanin_file(apply, fanin, &head, group_due(&head.group, &rules));
        if (found < 0 || (found = fanin_write_head(apply, fanin, &head)) < 0)
            break;
    }
    buf_free(&head.name);
    return found < 0 ? -1 : 0;
}

int fanin_close_due(struct apply *apply, struct fanin *fanin)
{
    unsigned char from[FANIN_KEY];
    struct str key, record, first = fanin_key2(from, fanin, 'd', 0, 0);
    struct fanin_head head = {0};
    int count = 0, found = set_back(apply, fanin);
    while (found >= 0 && count < FANIN_SWEEP &&
           (found = fanin_first(apply, first, false, &key, &record)) > 0 &&
           (int64_t)table_u64(key.data + 5) <= apply->wall) {
        head.seq = table_u64(key.data + 13);
        count++;
        if ((found = look_at(apply, fanin, &head)) < 0)
            break;
    }
    buf_free(&head.name);
    return found < 0 ? -1 : count;
}

/* The next group with a number from there on: 1 with it, 0, -1. */
static int next_group(struct apply *apply, const struct fanin *fanin, uint64_t from, uint64_t *seq)
{
    unsigned char at[FANIN_HEAD];
    struct str key, record;
    enum table_result found =
        table_seek(apply->txn, SPACE_PART, fanin_head_key(at, fanin, from), false, &key, &record);
    if (found != TABLE_FOUND)
        return found;
    if (key.len < FANIN_HEAD || memcmp(key.data, at, 4) != 0)
        return 0;
    *seq = table_u64(key.data + 4);
    return 1;
}

int fanin_close_all(struct apply *apply, struct fanin *fanin)
{
    struct fanin_head head = {0};
    int count = 0, found = 0;
    while (fanin->numbers.open && count < FANIN_SWEEP &&
           (found = next_group(apply, fanin, fanin->numbers.open_from, &head.seq)) > 0) {
        count++;
        fanin->numbers.open_from = head.seq + 1;
        fanin->dirty = true;
        if ((found = fanin_read_head(apply, fanin, &head)) < 0)
            break;
        if (head.group.closing != GROUP_OPEN)
            continue;
        head.group.closing = GROUP_AT_EOF;
        if ((found = fanin_close(apply, fanin, &head)) < 0)
            break;
    }
    buf_free(&head.name);
    return found < 0 ? -1 : count;
}
