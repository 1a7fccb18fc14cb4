/* fanin_holds.c: groups that have closed: to be taken, and held by those who have taken them. */
#include "state/fanin_record.h"

#include "base/mem.h"
#include "sys/boot.h"

#include <stdlib.h>

enum { HOLD = 8 + 8 + 8 + 4 };

static struct str number_record(unsigned char bytes[8], uint64_t number)
{
    table_put_u64(bytes, number);
    return (struct str){(const char *)bytes, 8};
}

static int read_number(struct apply *apply, struct str record, uint64_t *number)
{
    if (record.len != 8)
        return fanin_damaged(apply);
    *number = table_u64(record.data);
    return 1;
}

static int remove_key(struct apply *apply, struct str key)
{
    return table_remove(apply->txn, SPACE_FANIN, key) == TABLE_FAILED ? -1 : 1;
}

/* ---- to be taken ---- */

int fanin_put_ready(struct apply *apply, struct fanin *fanin, uint64_t seq, uint64_t order)
{
    unsigned char key[FANIN_KEY], record[8];
    fanin->numbers.ready++;
    fanin->dirty = fanin->ring = true;
    return table_put(apply->txn, SPACE_FANIN, fanin_key1(key, fanin, 'r', order),
                     number_record(record, seq));
}

int fanin_pop_ready(struct apply *apply, struct fanin *fanin, uint64_t *seq, uint64_t *order)
{
    unsigned char from[FANIN_KEY];
    struct str key, record;
    int found = fanin_first(apply, fanin_key1(from, fanin, 'r', 0), false, &key, &record);
    if (found <= 0 || read_number(apply, record, seq) < 0)
        return found > 0 ? -1 : found;
    *order = table_u64(key.data + 5);
    fanin->numbers.ready--;
    fanin->dirty = true;
    return remove_key(apply, fanin_key1(from, fanin, 'r', *order));
}

/* ---- held ---- */

int fanin_put_held(struct apply *apply, const struct fanin *fanin, uint64_t token, uint64_t seq,
                   uint64_t order)
{
    unsigned char key[FANIN_KEY], record[8];
    return table_put(apply->txn, SPACE_FANIN, fanin_key2(key, fanin, 'g', token, seq),
                     number_record(record, order));
}

int fanin_remove_held(struct apply *apply, const struct fanin *fanin, uint64_t token, uint64_t seq,
                      uint64_t *order)
{
    unsigned char key[FANIN_KEY];
    struct str record, at = fanin_key2(key, fanin, 'g', token, seq);
    enum table_result found = table_get(apply->txn, SPACE_FANIN, at, &record);
    if (found != TABLE_FOUND)
        return found;
    return read_number(apply, record, order) < 0 ? -1 : remove_key(apply, at);
}

int fanin_next_held(struct apply *apply, const struct fanin *fanin, uint64_t token, uint64_t from,
                    uint64_t *seq)
{
    unsigned char at[FANIN_KEY];
    struct str key, record, first = fanin_key2(at, fanin, 'g', token, from);
    int found = fanin_first(apply, first, false, &key, &record);
    if (found <= 0)
        return found;
    *seq = table_u64(key.data + 13);
    return table_u64(key.data + 5) == token;
}

/* ---- who holds them ---- */

static int read_hold(struct apply *apply, struct str record, struct fanin_hold *hold)
{
    size_t notes = record.len < HOLD ? 0 : table_u32(record.data + 24);
    if (record.len < HOLD + notes)
        return fanin_damaged(apply);
    hold->holder = table_u64(record.data);
    hold->boot = table_u64(record.data + 8);
    hold->groups = table_u64(record.data + 16);
    hold->notes = (struct str){record.data + HOLD, notes};
    hold->note = (struct str){record.data + HOLD + notes, record.len - HOLD - notes};
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
        return remove_key(apply, at) < 0 ? -1 : 0;
    table_put_u64(head, hold->holder);
    table_put_u64(head + 8, hold->boot);
    table_put_u64(head + 16, hold->groups);
    table_put_u32(head + 24, (uint32_t)hold->notes.len);
    buf_add(record, head, sizeof head);
    buf_add_str(record, hold->notes);
    buf_add_str(record, hold->note);
    return table_put(apply->txn, SPACE_FANIN, at, buf_str(record));
}

void fanin_join_notes(struct buf *all, const struct fanin_hold *hold)
{
    const char *line;
    buf_add_str(all, hold->notes);
    if (hold->notes.len && hold->note.len)
        buf_addc(all, '\n');
    buf_add_str(all, hold->note);
    while (all->len > FANIN_NOTES && (line = memchr(all->data, '\n', all->len)))
        buf_consume(all, (size_t)(line - all->data) + 1);
}

/* ---- who is gone ---- */

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

/* Each process that lives is named, and looked at once. */
static bool is_gone(const struct fanin_hold *hold, struct fanin_take *take)
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
int fanin_look_at_holds(struct apply *apply, const struct fanin *fanin, struct fanin_take *take,
                        uint64_t *gone)
{
    unsigned char from[FANIN_KEY];
    struct fanin_hold hold;
    struct str key, record, at = fanin_key1(from, fanin, 't', 0);
    int found = 0, count = 0;
    *gone = 0;
    while (fanin->numbers.held && (found = fanin_first(apply, at, true, &key, &record)) > 0) {
        hold.token = table_u64(key.data + 5);
        if (read_hold(apply, record, &hold) < 0)
            return -1;
        if (is_gone(&hold, take)) {
            *gone = count++ ? *gone : hold.token;
        } else if (hold.holder != take->holder) {
            take->held += hold.groups;
        }
        at = fanin_key1(from, fanin, 't', hold.token);
    }
    return found < 0 ? -1 : count;
}
