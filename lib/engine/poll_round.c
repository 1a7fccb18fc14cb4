/* poll_round.c: the changes that one look has found, handed out one by one as events. */
#include "engine/poll_round.h"

#include "base/list.h"
#include "base/msg.h"
#include "engine/poll_event.h"
#include "format/json_patch.h"

#include <stdlib.h>

/* ---- the look ---- */

static int find_cursor(struct poll_round *round, struct err *err)
{
    struct err why;
    if (!round->cursor)
        return 0;
    struct jq_input input = {.text = str_trim(slice_str(round->list.whole))};
    int found = jq_first(round->cursor, &input, &round->next_cursor, &why);
    if (found < 0)
        return err_set(err, ERR_INPUT, "--cursor %s", why.text);
    if (round->next_cursor.len > POLL_CURSOR_MAX)
        return err_set(err, ERR_INPUT, "--cursor gives %zu bytes, more than %dK",
                       round->next_cursor.len, POLL_CURSOR_MAX / 1024);
    if (found && !str_eq(buf_str(&round->next_cursor), STR("null")))
        return 0;
    /* A value without anything new has no place of its own. */
    buf_clear(&round->next_cursor);
    buf_add_str(&round->next_cursor, buf_str(&round->state->head.cursor));
    return 0;
}

/* What could not be kept must not be handed out: it would come again for ever. */
static int check_sizes(const struct poll_round *round, struct err *err)
{
    const size_t most = STORE_VALUE_MAX - POLL_RECORD_AROUND;
    for (size_t i = 0; i < round->list.count; i++) {
        size_t len = round->list.texts[i].value.len + poll_list_key(&round->list, i).len;
        if (len > most && !round->form->items)
            return err_set(err, ERR_INPUT, "a value of %zu bytes, more than %zu",
                           round->list.texts[i].value.len, most);
        if (len > most)
            return err_set(err, ERR_INPUT, "item %zu and its key have %zu bytes, more than %zu",
                           i + 1, len, most);
    }
    return 0;
}

/* Keys may be the same then. */
static void warn_of_digits(struct poll_round *round)
{
    if (round->warned ||
        (!poll_form_lost_digits(round->form) && !(round->cursor && jq_lost_digits(round->cursor))))
        return;
    round->warned = true;
    msg_warn("jq has changed numbers of more than 15 digits");
}

int poll_round_read(struct poll_round *round, struct slice value, int64_t time, struct err *err)
{
    round->time = time;
    bool read = poll_list_read(&round->list, round->form, value, err) == 0 &&
                check_sizes(round, err) == 0 && find_cursor(round, err) == 0;
    warn_of_digits(round);
    if (read)
        return 0;
    poll_round_clear(round);
    return -1;
}

void poll_round_diff(struct poll_round *round)
{
    static const struct poll_list nothing;
    if (round->state->is_new)
        poll_state_begin(round->state, &nothing);
    round->changes = poll_state_diff(round->state, &round->list, &round->count);
}

void poll_round_clear(struct poll_round *round)
{
    poll_list_clear(&round->list);
    buf_free(&round->next_cursor);
    cursor_read_clear(&round->old);
    free(round->changes);
    round->changes = NULL;
    round->count = round->handed = round->ended = round->released = 0;
    round->has_old = false;
}

/* ---- its end ---- */

static bool moves(const struct poll_round *round)
{
    struct str before = buf_str(&round->state->head.cursor), after = buf_str(&round->next_cursor);
    if (!round->cursor)
        return false;
    return before.len && after.len ? !json_equal(before, after) : before.len != after.len;
}

/* The head is of this look from now on. */
static void advance(struct poll_round *round, struct fn_validators *validators)
{
    struct poll_head *head = &round->state->head;
    poll_head_exchange(head, validators);
    head->success = round->time;
    if (!round->cursor)
        return;
    buf_clear(&head->cursor);
    buf_add_str(&head->cursor, buf_str(&round->next_cursor));
}

/* Items that are their own keys are those of one cursor. */
static bool forgets_all(const struct poll_round *round)
{
    return round->cursor && round->form->items && !round->form->key;
}

bool poll_round_forgets(const struct poll_round *round)
{
    return forgets_all(round) && (round->state->is_new || moves(round));
}

void poll_round_begin(struct poll_round *round, struct fn_validators *validators)
{
    static const struct poll_list nothing;
    advance(round, validators);
    poll_state_begin(round->state, forgets_all(round) ? &nothing : &round->list);
    poll_round_clear(round);
}

void poll_round_finish(struct poll_round *round, struct fn_validators *validators)
{
    bool whole = !round->released, moved = moves(round);
    if (whole)
        advance(round, validators);
    if (whole && (round->count || moved))
        poll_state_finish(round->state, !moved               ? POLL_FORGET_NOTHING
                                        : forgets_all(round) ? POLL_FORGET_ALL
                                                             : POLL_FORGET_UNSEEN);
    poll_round_clear(round);
}

/* ---- the old value ---- */

static void old_read(struct store_op *op)
{
    struct poll_round *round = op->owner;
    struct err err;
    round->reading = false;
    round->has_old = op->status == STORE_OK && round->old.got == 1 &&
                     str_eq(slice_str(round->old.records[0].key), str_of(round->key));
    if (round->has_old) {
        round->ready(round->owner);
        return;
    }
    err_set(&err, ERR_STATE, "%.*s: read the value before: %s", (int)round->state->hold.name.len,
            round->state->hold.name.data,
            op->status == STORE_OK ? "its record is gone"
            : op->err              ? op->err->text
                                   : store_status_name(op->status));
    round->fail(round->owner, &err);
}

static void read_old(struct poll_round *round, size_t known)
{
    const struct cursor_hold *hold = &round->state->hold;
    cursor_read_clear(&round->old);
    round->old = (struct cursor_read){
        .own = {.kind = hold->kind, .name = hold->name},
        .from = poll_record_key(round->state->items[known].key, round->key),
        .count = 1,
        .bytes = 1,
    };
    round->old.own.op.done = old_read;
    round->old.own.op.owner = round;
    round->reading = true;
    cursor_read(hold->store, &round->old);
}

/* ---- events ---- */

static bool needs_old(const struct poll_round *round, const struct poll_change *change)
{
    return change->kind != CHANGE_CREATED && !round->data;
}

static struct slice write_event(struct poll_round *round, const struct poll_change *change)
{
    char id[HASH_TEXT];
    struct poll_event event = {
        .source = round->source,
        .id = str_of(poll_state_identify(round->state, &round->list, change, id)),
        .time = round->time,
        .whole = !round->form->items,
        .keyed = round->form->key,
        .kind = change->kind,
    };
    if (change->after != POLL_NONE) {
        event.key = poll_list_key(&round->list, change->after);
        event.after = round->list.texts[change->after].value;
    }
    if (round->has_old) {
        struct str record = slice_str(round->old.records[0].value);
        event.before = poll_record_member(record, "value");
        if (change->after == POLL_NONE)
            event.key = poll_record_member(record, "key");
    }
    struct buf line = {0};
    if (round->data)
        buf_add_str(&line, event.after);
    else
        poll_event_write(&event, &line);
    size_t len = line.len;
    return slice_take(buf_take(&line), len);
}

/* What is deleted has no value that could be handed out. */
static void pass_silent_ones(struct poll_round *round)
{
    while (round->data && round->handed < round->count &&
           round->changes[round->handed].kind == CHANGE_DELETED) {
        poll_state_settle(round->state, &round->list, &round->changes[round->handed++]);
        round->ended++;
    }
}

bool poll_round_next(struct poll_round *round, size_t *number, struct slice *event)
{
    pass_silent_ones(round);
    if (round->handed == round->count || round->reading)
        return false;
    const struct poll_change *change = &round->changes[round->handed];
    if (needs_old(round, change) && !round->has_old) {
        read_old(round, change->before);
        if (!round->has_old) /* else it was there at once */
            return false;
    }
    *event = write_event(round, change);
    *number = round->handed++;
    round->has_old = false;
    return true;
}
