/* fanin_take.c: groups that have closed are handed out, with their parts. */
#include "state/fanin_record.h"

#include "base/mem.h"
#include "sys/boot.h"

#include <stdlib.h>

struct taking {
    struct apply *apply;
    struct fanin *fanin;
    struct fanin_take *take;
    struct fanin_hold hold;
    struct fanin_head head; /* of the group that is read */
    size_t part_count, part_room;
    size_t values;     /* bytes of them */
    struct buf bytes;  /* of keys, notes and values in the order of groups and parts */
    uint64_t next;     /* the order of the next group that may be taken */
    uint64_t together; /* so many are taken that were held together; 0: any */
    struct buf notes;  /* of all that are taken */
    struct buf scratch;
};

void fanin_take_clear(struct fanin_take *take)
{
    free(take->groups);
    free(take->parts);
    free(take->content);
    free(take->holders);
    take->groups = NULL;
    take->parts = NULL;
    take->content = NULL;
    take->holders = NULL;
    take->holder_count = 0;
    take->got = 0;
    take->more = false;
    take->held = 0;
    take->next_due = 0;
    take->token = 0;
}

/* ---- one group ---- */

/* Lengths are known here; where the bytes are when all are there (set_bytes). */
static struct str add_bytes(struct taking *all, struct str bytes)
{
    buf_add_str(&all->bytes, bytes);
    return (struct str){"", bytes.len};
}

static int add_part(void *owner, const struct fanin_stored *stored)
{
    struct taking *all = owner;
    struct fanin_take *take = all->take;
    struct str value = {NULL, 0};
    if (!stored->empty) {
        if (apply_unpack(all->apply, stored->packed, &all->scratch, &value) < 0)
            return -1;
        all->values += value.len;
        value = add_bytes(all, value);
    }
    if (all->part_count == all->part_room) {
        all->part_room = all->part_room ? all->part_room * 2 : 64;
        take->parts = mem_realloc(take->parts, all->part_room * sizeof *take->parts);
    }
    take->parts[all->part_count++] =
        (struct fanin_part){.index = stored->place, .failed = stored->failed, .value = value};
    return 0;
}

static int add_key(struct taking *all, struct fanin_group *group)
{
    struct fanin_entry entry;
    struct str name = buf_str(&all->head.name);
    if (name.data[0] == 'k') {
        group->key = add_bytes(all, (struct str){name.data + 1, name.len - 1});
        return 0;
    }
    int found = fanin_find(all->apply, all->fanin, name, &entry);
    if (found <= 0)
        return found < 0 ? -1 : fanin_damaged(all->apply);
    group->key = add_bytes(all, entry.text);
    return 0;
}

static int add_group(struct taking *all, struct str notes)
{
    struct fanin_take *take = all->take;
    struct fanin_group *group = &take->groups[take->got];
    size_t before = all->part_count;
    if (fanin_read_head(all->apply, all->fanin, &all->head) < 0)
        return -1;
    *group = (struct fanin_group){.seq = all->head.seq, .group = all->head.group};
    if (add_key(all, group) < 0)
        return -1;
    if (notes.len)
        group->note = add_bytes(all, notes);
    if (fanin_each_part(all->apply, all->fanin, group->seq, add_part, all) < 0)
        return -1;
    if (all->part_count - before != group->group.parts)
        return fanin_damaged(all->apply);
    take->got++;
    return 0;
}

/* ---- taking ---- */

/* The record under 'r' becomes one under 'g'. */
static int hold(struct taking *all, uint64_t order, struct str notes)
{
    unsigned char key[FANIN_KEY];
    struct str at = fanin_key1(key, all->fanin, 'r', order);
    all->fanin->numbers.ready--;
    if (table_remove(all->apply->txn, SPACE_FANIN, at) == TABLE_FAILED)
        return -1;
    return fanin_put_held(all->apply, all->fanin, all->hold.token, all->head.seq, order, notes);
}

/* 1: go on; 0: there is no more; -1. */
static int take_one(struct taking *all)
{
    struct fanin_ready ready;
    int found = fanin_next_ready(all->apply, all->fanin, all->next, &ready);
    if (found <= 0)
        return found;
    all->next = ready.order + 1;
    if (!all->take->got) {
        all->together = ready.together;
        buf_add_str(&all->notes, ready.notes);
    } else if (!ready.together != !all->together || !str_eq(ready.notes, buf_str(&all->notes))) {
        return all->together > 0; /* one of others, in between; or the first that comes alone */
    }
    all->head.seq = ready.seq;
    struct str notes = buf_str(&all->notes);
    return add_group(all, notes) < 0 || hold(all, ready.order, notes) < 0 ? -1 : 1;
}

static bool wants_more(const struct taking *all)
{
    const struct fanin_take *take = all->take;
    if (!take->got || all->together)
        return !take->got || take->got < all->together;
    return take->got < take->count && all->values < take->bytes;
}

static void place(struct str *text, const char **at)
{
    if (!text->data)
        return;
    text->data = *at;
    *at += text->len;
}

/* All bytes are there, and stay where they are: let what was gathered point to them. */
static void set_bytes(struct taking *all)
{
    struct fanin_take *take = all->take;
    const char *at = take->content = buf_take(&all->bytes);
    struct fanin_part *part = take->parts;
    for (unsigned i = 0; i < take->got; i++) {
        struct fanin_group *group = &take->groups[i];
        group->parts = part;
        place(&group->key, &at);
        place(&group->note, &at);
        for (uint64_t j = 0; j < group->group.parts; j++)
            place(&part++->value, &at);
    }
}

static int gather(struct taking *all)
{
    struct fanin_take *take = all->take;
    struct fanin_numbers *numbers = &all->fanin->numbers;
    unsigned room = numbers->ready < FANIN_TAKE_MAX ? (unsigned)numbers->ready : FANIN_TAKE_MAX;
    int more = 1;
    if (!room || !take->count)
        return 0;
    take->groups = mem_array(room, sizeof *take->groups);
    all->hold = (struct fanin_hold){.token = numbers->token + 1,
                                    .boot = boot_number(),
                                    .holder = take->holder,
                                    .note = take->note};
    while (more > 0 && take->got < room && wants_more(all))
        more = take_one(all);
    if (more < 0 || !take->got)
        return more < 0 ? -1 : 0;
    take->token = numbers->token = all->hold.token;
    all->hold.groups = take->got;
    set_bytes(all);
    return fanin_write_hold(all->apply, all->fanin, &all->hold);
}

/* Groups whose time is over, or all; and those that are to be forgotten. */
static int sweep(struct apply *apply, struct fanin *fanin, struct fanin_take *take)
{
    int due = fanin_close_due(apply, fanin);
    int closed = due < 0 || !take->at_eof ? due : fanin_close_all(apply, fanin);
    if (closed < 0 || fanin_forget_some(apply, fanin, 0, FANIN_SWEEP) < 0)
        return -1;
    take->more = due == FANIN_SWEEP || (take->at_eof && fanin->numbers.open);
    return 0;
}

int fanin_apply_take(struct apply *apply, struct fanin_take *take)
{
    fanin_take_clear(take);
    struct taking all = {
        .apply = apply, .fanin = fanin_of(apply, take->own.name, false), .take = take};
    if (!all.fanin)
        return apply->txn->failed ? -1 : 0;
    if (take->count > FANIN_TAKE_MAX)
        take->count = FANIN_TAKE_MAX;
    int status = sweep(apply, all.fanin, take);
    if (status == 0 && (status = fanin_reap(apply, all.fanin, take)) == 0 &&
        (status = gather(&all)) == 0)
        status = fanin_next_due(apply, all.fanin, &take->next_due);
    take->more = take->more || all.fanin->numbers.ready;
    buf_free(&all.head.name);
    buf_free(&all.bytes);
    buf_free(&all.notes);
    buf_free(&all.scratch);
    return status;
}
