/* fanin_holds.c: groups that have closed: to be taken, and held by those who have taken them. */
#include "state/fanin_record.h"

#include "base/mem.h"
#include "sys/boot.h"

#include <stdlib.h>

enum { HOLD = 8 + 8 + 8, READY = 8 + 8 };

/* ---- to be taken ---- */

int fanin_put_ready(struct apply *apply, struct fanin *fanin, const struct fanin_ready *ready)
{
    unsigned char key[FANIN_KEY], numbers[READY];
    struct buf *record = fanin_scratch(apply);
    struct str at = fanin_key1(key, fanin, 'r', ready->order);
    table_put_u64(numbers, ready->seq);
    table_put_u64(numbers + 8, ready->together);
    buf_add(record, numbers, sizeof numbers);
    buf_add_str(record, ready->notes);
    fanin->numbers.ready++;
    fanin->dirty = fanin->ring = true;
    return table_put(apply->txn, SPACE_FANIN, at, buf_str(record));
}

int fanin_next_ready(struct apply *apply, const struct fanin *fanin, uint64_t order,
                     struct fanin_ready *ready)
{
    unsigned char from[FANIN_KEY];
    struct str key, record;
    int found = fanin_first(apply, fanin_key1(from, fanin, 'r', order), false, &key, &record);
    if (found <= 0)
        return found;
    if (record.len < READY)
        return fanin_damaged(apply);
    *ready = (struct fanin_ready){.seq = table_u64(record.data),
                                  .order = table_u64(key.data + 5),
                                  .together = table_u64(record.data + 8),
                                  .notes = {record.data + READY, record.len - READY}};
    return 1;
}

/* ---- held ---- */

int fanin_find_held(struct apply *apply, const struct fanin *fanin, uint64_t token, uint64_t seq,
                    uint64_t *order, struct str *notes)
{
    unsigned char key[FANIN_KEY];
    struct str record;
    enum table_result found =
        table_get(apply->txn, SPACE_FANIN, fanin_key2(key, fanin, 'g', token, seq), &record);
    if (found != TABLE_FOUND)
        return found;
    if (record.len < 8)
        return fanin_damaged(apply);
    *order = table_u64(record.data);
    *notes = (struct str){record.data + 8, record.len - 8};
    return 1;
}

int fanin_put_held(struct apply *apply, struct fanin *fanin, uint64_t token, uint64_t seq,
                   uint64_t order, struct str notes)
{
    unsigned char key[FANIN_KEY], number[8];
    struct buf *record = fanin_scratch(apply);
    table_put_u64(number, order);
    buf_add(record, number, sizeof number);
    buf_add_str(record, notes);
    fanin->numbers.held++;
    fanin->dirty = true;
    struct str at = fanin_key2(key, fanin, 'g', token, seq);
    return table_put(apply->txn, SPACE_FANIN, at, buf_str(record));
}

int fanin_remove_held(struct apply *apply, struct fanin *fanin, uint64_t token, uint64_t seq)
{
    unsigned char key[FANIN_KEY];
    struct str at = fanin_key2(key, fanin, 'g', token, seq);
    if (--fanin->numbers.held == 0)
        fanin->ring = true; /* for those who wait until all is done */
    fanin->dirty = true;
    return table_remove(apply->txn, SPACE_FANIN, at) == TABLE_FAILED ? -1 : 0;
}

/* ---- who holds them ---- */

static int read_hold(struct apply *apply, struct str record, struct fanin_hold *hold)
{
    if (record.len < HOLD)
        return fanin_damaged(apply);
    hold->holder = table_u64(record.data);
    hold->boot = table_u64(record.data + 8);
    hold->groups = table_u64(record.data + 16);
    hold->note = (struct str){record.data + HOLD, record.len - HOLD};
    return 1;
}

int fanin_find_hold(struct apply *apply, const struct fanin *fanin, uint64_t token,
                    struct fanin_hold *hold)
{
    unsigned char key[FANIN_KEY];
    struct str record;
    hold->token = token;
    enum table_result found =
        table_get(apply->txn, SPACE_FANIN, fanin_key1(key, fanin, 't', token), &record);
    return found == TABLE_FOUND ? read_hold(apply, record, hold) : (int)found;
}

int fanin_write_hold(struct apply *apply, const struct fanin *fanin, const struct fanin_hold *hold)
{
    unsigned char key[FANIN_KEY], head[HOLD];
    struct buf *record = fanin_scratch(apply);
    struct str at = fanin_key1(key, fanin, 't', hold->token);
    if (!hold->groups)
        return table_remove(apply->txn, SPACE_FANIN, at) == TABLE_FAILED ? -1 : 0;
    table_put_u64(head, hold->holder);
    table_put_u64(head + 8, hold->boot);
    table_put_u64(head + 16, hold->groups);
    buf_add(record, head, sizeof head);
    buf_add_str(record, hold->note);
    return table_put(apply->txn, SPACE_FANIN, at, buf_str(record));
}

/* ---- nobody holds them ---- */

/* The notes of earlier holders and that of the last one; the oldest are left out if they are too
 * long together. */
static void join_notes(struct buf *all, struct str notes, struct str note)
{
    buf_clear(all);
    buf_add_str(all, notes);
    if (all->len && note.len)
        buf_addc(all, '\n');
    buf_add_str(all, note);
    while (all->len > FANIN_NOTES && memchr(all->data, '\n', all->len))
        buf_consume(all, (size_t)((char *)memchr(all->data, '\n', all->len) - all->data) + 1);
}

static int give_back(struct apply *apply, struct fanin *fanin, const struct fanin_hold *hold)
{
    unsigned char from[FANIN_KEY];
    struct str key, record, at = fanin_key2(from, fanin, 'g', hold->token, 0);
    struct buf note = {0}, notes = {0};
    int found;
    buf_add_str(&note, hold->note);
    while ((found = fanin_first(apply, at, false, &key, &record)) > 0 &&
           table_u64(key.data + 5) == hold->token) {
        uint64_t seq = table_u64(key.data + 13);
        if (record.len < 8) {
            found = fanin_damaged(apply);
            break;
        }
        struct fanin_ready ready = {
            .seq = seq, .order = table_u64(record.data), .together = hold->groups};
        join_notes(&notes, (struct str){record.data + 8, record.len - 8}, buf_str(&note));
        ready.notes = buf_str(&notes);
        if (fanin_remove_held(apply, fanin, hold->token, seq) < 0 ||
            fanin_put_ready(apply, fanin, &ready) < 0)
            break;
    }
    buf_free(&note);
    buf_free(&notes);
    if (apply->txn->failed)
        return -1;
    return fanin_write_hold(apply, fanin, &(struct fanin_hold){.token = hold->token});
}

static bool is_named(const struct fanin_take *take, cell_holder holder)
{
    for (size_t i = 0; i < take->holder_count; i++) {
        if (take->holders[i] == holder)
            return true;
    }
    return false;
}

static void name_holder(struct fanin_take *take, cell_holder holder)
{
    take->holders = mem_realloc(take->holders, (take->holder_count + 1) * sizeof *take->holders);
    take->holders[take->holder_count++] = holder;
}

/* It was held by a process that is gone. Those whose holder lives are counted and named, each
 * looked at once. */
static bool is_void(const struct fanin_hold *hold, struct fanin_take *take)
{
    if (!hold->holder)
        return false;
    if (hold->boot != boot_number())
        return true;
    if (hold->holder == take->holder || is_named(take, hold->holder))
        return false;
    if (cell_holder_gone(hold->holder))
        return true;
    name_holder(take, hold->holder);
    return false;
}

/* There are as many holds as takes that have not ended, not as many as groups. */
int fanin_reap(struct apply *apply, struct fanin *fanin, struct fanin_take *take)
{
    unsigned char from[FANIN_KEY];
    struct fanin_hold hold;
    struct str key, record, at = fanin_key1(from, fanin, 't', 0);
    int found = 0;
    while (fanin->numbers.held && (found = fanin_first(apply, at, true, &key, &record)) > 0) {
        hold.token = table_u64(key.data + 5);
        if (read_hold(apply, record, &hold) < 0)
            return -1;
        if (!is_void(&hold, take))
            take->held += hold.holder == take->holder ? 0 : hold.groups;
        else if (give_back(apply, fanin, &hold) < 0)
            return -1;
        at = fanin_key1(from, fanin, 't', hold.token);
    }
    return found < 0 ? -1 : 0;
}
