/* fanin_end.c: what became of a group that was taken. */
#include "state/fanin_record.h"

enum { STALE = 2 }; /* groups that an end forgets: more than it adds, so they die out */

static int finish(struct apply *apply, struct fanin *fanin, const struct fanin_end *end,
                  uint64_t order)
{
    struct fanin_ready ready = {.seq = end->seq, .order = order};
    if (fanin_remove_held(apply, fanin, end->token, end->seq) < 0)
        return -1;
    if (end->given_back)
        return fanin_put_ready(apply, fanin, &ready);
    int64_t until = end->remember > 0 ? group_after(apply->wall, end->remember) : 0;
    if (fanin_retire(apply, fanin, end->seq, until) < 0)
        return -1;
    return fanin_forget_some(apply, fanin, end->most, STALE) < 0 ? -1 : 0;
}

/* The hold has one group less, and perhaps another note. */
static int shorten(struct apply *apply, struct fanin *fanin, const struct fanin_end *end)
{
    struct fanin_hold hold;
    struct buf note = {0};
    int found = fanin_find_hold(apply, fanin, end->token, &hold);
    if (found <= 0)
        return found < 0 ? -1 : fanin_damaged(apply);
    hold.groups--;
    buf_add_str(&note, end->note.data ? end->note : hold.note);
    hold.note = buf_str(&note);
    int status = fanin_write_hold(apply, fanin, &hold);
    buf_free(&note);
    return status;
}

int fanin_apply_end(struct apply *apply, struct fanin_end *end)
{
    struct fanin *fanin = fanin_of(apply, end->own.name, false);
    struct str notes;
    uint64_t order;
    int found = fanin ? fanin_find_held(apply, fanin, end->token, end->seq, &order, &notes) : 0;
    if (found <= 0) {
        end->own.op.status = STORE_LOST;
        return apply->txn->failed ? -1 : 0;
    }
    if (finish(apply, fanin, end, order) < 0 || shorten(apply, fanin, end) < 0)
        return -1;
    return end->letter.data ? dead_add(apply, (struct str){NULL, 0}, end->letter) : 0;
}
