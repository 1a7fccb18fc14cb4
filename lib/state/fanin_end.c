/* fanin_end.c: what became of a group that was taken. */
#include "state/fanin_record.h"

enum { STALE = 2 }; /* groups that an end forgets: more than it adds, so they die out */

static int finish(struct apply *apply, struct fanin *fanin, const struct fanin_end *end,
                  uint64_t order)
{
    if (--fanin->numbers.held == 0)
        fanin->ring = true; /* for those who wait until all is done */
    fanin->dirty = true;
    if (end->given_back)
        return fanin_put_ready(apply, fanin, end->seq, order);
    int64_t until = end->remember > 0 ? group_after(apply->wall, end->remember) : 0;
    if (fanin_retire(apply, fanin, end->seq, until) < 0)
        return -1;
    return fanin_forget_some(apply, fanin, end->most, STALE) < 0 ? -1 : 0;
}

/* The hold has one group less, and perhaps another note. */
static int shorten(struct apply *apply, struct fanin *fanin, const struct fanin_end *end)
{
    struct fanin_hold hold;
    int found = fanin_find_hold(apply, fanin, end->token, &hold);
    if (found <= 0)
        return found < 0 ? -1 : fanin_damaged(apply);
    hold.groups--;
    if (end->note.data)
        hold.note = end->note;
    return fanin_write_hold(apply, fanin, &hold);
}

int fanin_apply_end(struct apply *apply, struct fanin_end *end)
{
    struct fanin *fanin = fanin_of(apply, end->own.name, false);
    uint64_t order;
    int found = fanin ? fanin_remove_held(apply, fanin, end->token, end->seq, &order) : 0;
    if (found <= 0) {
        end->own.op.status = STORE_LOST;
        return apply->txn->failed ? -1 : 0;
    }
    if (finish(apply, fanin, end, order) < 0 || shorten(apply, fanin, end) < 0)
        return -1;
    return end->letter.data ? dead_add(apply, (struct str){NULL, 0}, end->letter) : 0;
}
