/* reply_set.c: the reply sets that a transaction has to do with; sets that are past their time. */
#include "state/reply_record.h"

#include "base/mem.h"
#include "state/queue_record.h"

#include <stdlib.h>

enum { NUMBERS = sizeof(struct reply_numbers) / sizeof(uint64_t), SWEEP_RECORD = 8 + 4 };

struct str reply_key(unsigned char key[REPLY_PREFIX], uint32_t set, enum reply_part part)
{
    table_put_u32(key, set);
    key[4] = (unsigned char)part;
    return (struct str){(const char *)key, REPLY_PREFIX};
}

/* ---- sets ---- */

/* 1, 0: it has no record, -1. */
static int read_set(struct apply *apply, struct reply_set *set)
{
    unsigned char key[REPLY_PREFIX];
    uint64_t each[NUMBERS];
    struct str record;
    enum table_result found =
        table_get(apply->txn, SPACE_ANSWER, reply_key(key, set->number, REPLY_SET), &record);
    if (found != TABLE_FOUND)
        return found;
    if (record.len < sizeof each)
        return table_fail(apply->txn, ERR_NOT_USABLE, "a record of a reply set is damaged");
    for (size_t i = 0; i < NUMBERS; i++)
        each[i] = table_u64(record.data + i * 8);
    memcpy(&set->numbers, each, sizeof each);
    buf_clear(&set->name);
    buf_add(&set->name, record.data + sizeof each, record.len - sizeof each);
    return 1;
}

static struct reply_set *add_set(struct apply *apply, uint32_t number)
{
    struct reply_set *set = mem_zalloc(sizeof *set);
    set->number = number;
    set->next = apply->replies;
    apply->replies = set;
    return set;
}

struct reply_set *reply_set_named(struct apply *apply, struct str name, bool make)
{
    for (struct reply_set *set = apply->replies; set; set = set->next) {
        if (set->number && str_eq(buf_str(&set->name), name))
            return set;
    }
    uint32_t number = apply_name(apply, "reply", name, make);
    if (!number)
        return NULL;
    struct reply_set *set = add_set(apply, number);
    buf_add_str(&set->name, name);
    return read_set(apply, set) < 0 ? NULL : set;
}

struct reply_set *reply_set_numbered(struct apply *apply, uint32_t number)
{
    for (struct reply_set *set = apply->replies; set; set = set->next) {
        if (set->number == number)
            return set;
    }
    struct reply_set *set = add_set(apply, number);
    if (read_set(apply, set) > 0)
        return set;
    set->number = 0;
    return NULL;
}

uint64_t reply_set_answers(struct apply *apply, struct str name)
{
    struct reply_set set = {.number = apply_name(apply, "reply", name, false)};
    uint64_t answers = set.number && read_set(apply, &set) > 0 ? set.numbers.answered : 0;
    buf_free(&set.name);
    return answers;
}

/* It has no requests: it is gone, with its name. -1. */
static int remove_set(struct apply *apply, struct reply_set *set)
{
    unsigned char key[REPLY_PREFIX];
    struct str own = reply_key(key, set->number, REPLY_SET);
    apply_rename(apply, "reply", buf_str(&set->name), false);
    set->number = 0; /* it is not found any more */
    set->dirty = false;
    return table_remove(apply->txn, SPACE_ANSWER, own) == TABLE_FAILED ? -1 : 0;
}

static int write_set(struct apply *apply, struct reply_set *set)
{
    unsigned char key[REPLY_PREFIX], numbers[NUMBERS * 8];
    uint64_t each[NUMBERS];
    struct buf *record = queue_scratch(apply);
    set->numbers.touched = (uint64_t)apply->wall;
    memcpy(each, &set->numbers, sizeof each);
    for (size_t i = 0; i < NUMBERS; i++)
        table_put_u64(numbers + i * 8, each[i]);
    buf_add(record, numbers, sizeof numbers);
    buf_add_str(record, buf_str(&set->name));
    return table_put(apply->txn, SPACE_ANSWER, reply_key(key, set->number, REPLY_SET),
                     buf_str(record));
}

/* ---- past their time ---- */

struct sweep {
    uint32_t from; /* the set to go on with; 0: from the first one */
    bool over;     /* all have been looked at */
};

static bool is_past(const struct apply *apply, int64_t at)
{
    return at <= apply->wall - REPLY_KEEP;
}

/* The oldest answer of its set. 1: it is gone; 0: it is not past its time, and so none of the set
 * is; -1. */
static int sweep_answer(struct apply *apply, struct reply_set *set, struct str record)
{
    struct reply_request found;
    struct reply_stored stored;
    if (reply_read_stored(apply, record, &stored) < 0)
        return -1;
    if (!is_past(apply, stored.at))
        return 0;
    int there = reply_find(apply, set, stored.request, &found);
    if (there <= 0)
        return there;
    return reply_remove(apply, set, stored.request, &found) < 0 ? -1 : 1;
}

/* One step. */
static int sweep_on(struct apply *apply, struct sweep *sweep)
{
    unsigned char from[REPLY_PREFIX];
    struct str key, value, at = reply_key(from, sweep->from, REPLY_ANSWER);
    enum table_result found = table_seek(apply->txn, SPACE_ANSWER, at, false, &key, &value);
    sweep->over = found == TABLE_ABSENT;
    if (found != TABLE_FOUND)
        return found;
    uint32_t number = table_u32(key.data);
    enum reply_part part = (unsigned char)key.data[4];
    if (number != sweep->from && part == REPLY_REQUEST) {
        sweep->from = number; /* whose answers come behind */
        return 0;
    }
    struct reply_set *set = reply_set_numbered(apply, number);
    int gone = 0;
    if (set && part == REPLY_ANSWER)
        gone = sweep_answer(apply, set, value);
    else if (set && !set->numbers.open && is_past(apply, (int64_t)set->numbers.touched))
        gone = remove_set(apply, set);
    sweep->from = number + (part != REPLY_ANSWER || gone <= 0);
    return gone < 0 || apply->txn->failed ? -1 : 0;
}

static int sweep_all(struct apply *apply, struct sweep *sweep)
{
    for (int i = 0; i < REPLY_SWEEP && !sweep->over; i++) {
        if (sweep_on(apply, sweep) < 0)
            return -1;
    }
    return 0;
}

/* If it is time to look. */
int reply_sweep(struct apply *apply)
{
    unsigned char bytes[SWEEP_RECORD];
    struct str record;
    struct sweep sweep = {0};
    int64_t due = 0;
    enum table_result found = table_get(apply->txn, SPACE_META, STR("replies"), &record);
    if (found == TABLE_FOUND && record.len >= SWEEP_RECORD) {
        due = (int64_t)table_u64(record.data);
        sweep.from = table_u32(record.data + 8);
    }
    bool waits = due > apply->wall && due <= apply->wall + REPLY_CLEAN; /* else a clock was wrong */
    if (found == TABLE_FAILED || waits)
        return found == TABLE_FAILED ? -1 : 0;
    bool begins = !sweep.from;
    if (sweep_on(apply, &sweep) < 0)
        return -1;
    if (begins && sweep.over) /* there are no sets */
        return 0;
    if (sweep_all(apply, &sweep) < 0)
        return -1;
    table_put_u64(bytes, (uint64_t)(sweep.over ? apply->wall + REPLY_CLEAN : apply->wall));
    table_put_u32(bytes + 8, sweep.over ? 0 : sweep.from);
    return table_put(apply->txn, SPACE_META, STR("replies"),
                     (struct str){(const char *)bytes, sizeof bytes});
}

/* ---- the end of a transaction ---- */

static int flush_set(struct apply *apply, struct reply_set *set)
{
    if (set->ring)
        apply_ring(apply, "reply", buf_str(&set->name));
    set->ring = false;
    if (!set->dirty)
        return 0;
    set->dirty = false;
    return write_set(apply, set);
}

int reply_flush(struct apply *apply)
{
    if (apply->replies && reply_sweep(apply) < 0)
        return -1;
    for (struct reply_set *set = apply->replies; set; set = set->next) {
        if (flush_set(apply, set) < 0)
            return -1;
    }
    return 0;
}

void reply_end(struct apply *apply)
{
    while (apply->replies) {
        struct reply_set *set = apply->replies;
        apply->replies = set->next;
        buf_free(&set->name);
        free(set);
    }
}
