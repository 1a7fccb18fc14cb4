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
    size_t values;    /* bytes of them */
    struct buf notes; /* of former holders */
    struct buf bytes; /* the same, then keys and values in the order of groups and parts */
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

static int add_group(struct taking *all, uint64_t seq)
{
    struct fanin_take *take = all->take;
    struct fanin_group *group = &take->groups[take->got];
    size_t before = all->part_count;
    struct str key;
    all->head.seq = seq;
    if (fanin_read_head(all->apply, all->fanin, &all->head) < 0 ||
        fanin_read_text(all->apply, all->fanin, &all->head, &key) < 0)
        return -1;
    *group = (struct fanin_group){.seq = seq, .group = all->head.group};
    group->key = add_bytes(all, key);
    if (fanin_each_part(all->apply, all->fanin, seq, add_part, all) < 0)
        return -1;
    if (all->part_count - before != group->group.parts)
        return fanin_damaged(all->apply);
    take->got++;
    return 0;
}

/* The group is held from now on. */
static int take_group(struct taking *all, uint64_t seq, uint64_t order)
{
    if (add_group(all, seq) < 0)
        return -1;
    return fanin_put_held(all->apply, all->fanin, all->hold.token, seq, order);
}

/* ---- several ---- */

static void begin_hold(struct taking *all, uint64_t room)
{
    struct fanin_take *take = all->take;
    take->groups = mem_array(room, sizeof *take->groups);
    all->hold = (struct fanin_hold){.token = all->fanin->numbers.token + 1,
                                    .boot = boot_number(),
                                    .holder = take->holder,
                                    .note = take->note};
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
    struct str note = {all->notes.len ? at : NULL, all->notes.len};
    struct fanin_part *part = take->parts;
    at += note.len;
    for (unsigned i = 0; i < take->got; i++) {
        struct fanin_group *group = &take->groups[i];
        group->parts = part;
        group->note = note;
        place(&group->key, &at);
        for (uint64_t j = 0; j < group->group.parts; j++)
            place(&part++->value, &at);
    }
}

static int end_hold(struct taking *all)
{
    all->take->token = all->fanin->numbers.token = all->hold.token;
    all->hold.groups = all->take->got;
    all->hold.notes = buf_str(&all->notes);
    all->fanin->dirty = true;
    set_bytes(all);
    return fanin_write_hold(all->apply, all->fanin, &all->hold);
}

/* Those that closed first. */
static int take_ready(struct taking *all)
{
    struct fanin_take *take = all->take;
    struct fanin_numbers *numbers = &all->fanin->numbers;
    uint64_t room = numbers->ready < take->count ? numbers->ready : take->count, seq, order;
    if (!room)
        return 0;
    begin_hold(all, room);
    while (take->got < room && (!take->got || all->values < take->bytes)) {
        int found = fanin_pop_ready(all->apply, all->fanin, &seq, &order);
        if (found <= 0)
            return found < 0 ? -1 : fanin_damaged(all->apply);
        if (take_group(all, seq, order) < 0)
            return -1;
        numbers->held++;
    }
    return end_hold(all);
}

struct left {
    uint64_t order, seq;
};

static int compare(const void *a, const void *b)
{
    const struct left *one = a, *other = b;
    return (one->order > other->order) - (one->order < other->order);
}

/* What was held under the token no longer is. How many, or -1. */
static int gather_left(const struct taking *all, uint64_t token, struct left *left, uint64_t most)
{
    uint64_t count = 0, seq = 0;
    int found;
    while ((found = fanin_next_held(all->apply, all->fanin, token, seq, &seq)) > 0) {
        if (count == most)
            return fanin_damaged(all->apply);
        left[count].seq = seq;
        if (fanin_remove_held(all->apply, all->fanin, token, seq, &left[count++].order) < 0)
            return -1;
    }
    return found < 0 || count == most ? found : fanin_damaged(all->apply);
}

static int take_left(struct taking *all, struct fanin_hold *old, struct left *left)
{
    if (gather_left(all, old->token, left, old->groups) < 0)
        return -1;
    qsort(left, old->groups, sizeof *left, compare);
    begin_hold(all, old->groups);
    for (uint64_t i = 0; i < old->groups; i++) {
        if (take_group(all, left[i].seq, left[i].order) < 0)
            return -1;
    }
    old->groups = 0;
    return fanin_write_hold(all->apply, all->fanin, old) < 0 ? -1 : end_hold(all);
}

/* What a process has left that is gone, all of it. */
static int take_over(struct taking *all, uint64_t token)
{
    struct fanin_hold old;
    int found = fanin_find_hold(all->apply, all->fanin, token, &old);
    if (found <= 0 || !old.groups || old.groups > FANIN_TAKE_MAX)
        return found < 0 ? -1 : fanin_damaged(all->apply);
    fanin_join_notes(&all->notes, &old);
    buf_add_str(&all->bytes, buf_str(&all->notes));
    struct left *left = mem_array(old.groups, sizeof *left);
    int status = take_left(all, &old, left);
    free(left);
    return status;
}

/* ---- the verb ---- */

/* Groups whose time is over, or all, are to be taken; old ones are forgotten. */
static int sweep(struct apply *apply, struct fanin *fanin, struct fanin_take *take)
{
    int due = fanin_close_due(apply, fanin);
    int closed = due < 0 || !take->at_eof ? due : fanin_close_all(apply, fanin);
    if (closed < 0 || fanin_forget_some(apply, fanin, 0, FANIN_SWEEP) < 0)
        return -1;
    take->more = due == FANIN_SWEEP || (take->at_eof && fanin->numbers.open);
    return 0;
}

static int take_some(struct taking *all)
{
    struct fanin_take *take = all->take;
    uint64_t token;
    if (sweep(all->apply, all->fanin, take) < 0)
        return -1;
    int gone = fanin_look_at_holds(all->apply, all->fanin, take, &token);
    bool takes_over = gone > 0 && take->count;
    if (gone < 0 || (takes_over ? take_over(all, token) : take_ready(all)) < 0)
        return -1;
    take->more = take->more || gone > takes_over || all->fanin->numbers.ready;
    return fanin_next_due(all->apply, all->fanin, &take->next_due);
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
    int status = take_some(&all);
    buf_free(&all.head.name);
    buf_free(&all.notes);
    buf_free(&all.bytes);
    buf_free(&all.scratch);
    return status;
}
