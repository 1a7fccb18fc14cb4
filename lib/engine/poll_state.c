/* poll_state.c: what a poll knows of what it has seen, and of what it has handed on. */
#include "engine/poll_state.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>

static int64_t next_stamp(struct poll_state *state)
{
    int64_t now = clock_wall();
    return state->last_at = now > state->last_at ? now : state->last_at + 1;
}

/* ---- reading ---- */

static size_t add_known(struct poll_state *state, const struct change_item *item, int64_t at)
{
    if (state->count == state->room) {
        state->room = state->room ? 2 * state->room : 64;
        state->items = mem_realloc(state->items, state->room * sizeof *state->items);
        state->known = mem_realloc(state->known, state->room * sizeof *state->known);
    }
    state->items[state->count] = *item;
    state->known[state->count] = (struct poll_known){.at = at};
    return state->count++;
}

static void read_head(struct poll_state *state, struct str record)
{
    struct poll_remade remade = poll_record_read_head(record, &state->made_of, &state->head);
    state->is_new = false;
    state->restarts = remade.form;
    state->rehash = remade.ignore;
    state->last_at = state->head.at;
}

static int read_item(struct poll_state *state, struct str name, struct str record, struct err *err)
{
    struct poll_record item;
    struct err why;
    if (poll_record_read_item(name, record, &item, err) < 0)
        return -1;
    bool rehash = (state->rehash || item.at < state->head.since) && !state->restarts;
    if (rehash && item.value.data && poll_form_hash(state->form, item.value, &item.hash, &why) < 0)
        item.hash = (struct hash128){0}; /* whatever comes has changed */
    if (item.at > state->last_at)
        state->last_at = item.at;
    size_t known = add_known(state, &(struct change_item){item.key, item.hash}, item.at);
    state->known[known].gone = !item.value.data;
    return 0;
}

/* The head is the first one. */
static void read_record(void *owner, const struct cursor_record *record)
{
    struct poll_state *state = owner;
    struct str name = slice_str(record->key), value = slice_str(record->value);
    struct json_scan scan;
    if (state->bad.kind)
        return;
    if (json_scan(value, NULL, NULL, &scan) < 0 || json_type_of(value) != JSON_OBJECT)
        err_set(&state->bad, ERR_STATE, "a record is damaged: %.*s", (int)name.len, name.data);
    else if (str_eq(name, STR(POLL_RECORD_HEAD)))
        read_head(state, value);
    else
        read_item(state, name, value, &state->bad);
}

/* ---- moving ---- */

/* The records of one move; their texts lie in one buf, which may move until it is submitted. */
struct records {
    size_t *ends; /* of the values in texts */
    char (*keys)[POLL_RECORD_KEY];
    size_t count, room;
    struct buf texts;
};

/* The text that was added is the value of this key; nothing: it goes. */
static void put(struct records *records, const char *key)
{
    if (records->count == records->room) {
        records->room = records->room ? 2 * records->room : 8;
        records->ends = mem_realloc(records->ends, records->room * sizeof *records->ends);
        records->keys = mem_realloc(records->keys, records->room * sizeof *records->keys);
    }
    memcpy(records->keys[records->count], key, strlen(key) + 1);
    records->ends[records->count++] = records->texts.len;
}

static void move(struct poll_state *state, struct records *records)
{
    struct cursor_change *changes = mem_array(records->count + 1, sizeof *changes);
    size_t begin = 0;
    for (size_t i = 0; i < records->count; i++) {
        size_t len = records->ends[i] - begin;
        changes[i].key = str_of(records->keys[i]);
        changes[i].value = (struct str){len ? records->texts.data + begin : NULL, len};
        begin = records->ends[i];
    }
    if (records->count)
        cursor_hold_move(&state->hold, changes, records->count);
    free(changes);
    free(records->ends);
    free(records->keys);
    buf_free(&records->texts);
}

static void put_item(struct records *records, const struct poll_list *list, size_t item, int64_t at)
{
    char key[POLL_RECORD_KEY];
    poll_record_item(at, list->hashes[item].value, poll_list_key(list, item),
                     list->texts[item].value, &records->texts);
    poll_record_key(list->hashes[item].key, key);
    put(records, key);
}

static void drop_item(const struct poll_state *state, struct records *records, size_t known)
{
    char key[POLL_RECORD_KEY];
    poll_record_key(state->items[known].key, key);
    put(records, key);
}

/* With the first record that is hashed by another --ignore: the older ones are not. */
static void note_ignore(struct poll_state *state, int64_t at)
{
    if (state->rehash)
        state->head.since = at;
    state->rehash = false;
}

static void write_head(const struct poll_state *state, struct records *records)
{
    poll_record_head(&state->made_of, &state->head, &records->texts);
    put(records, POLL_RECORD_HEAD);
}

static void put_head(struct poll_state *state, struct records *records)
{
    state->head.at = next_stamp(state);
    note_ignore(state, state->head.at);
    write_head(state, records);
}

void poll_state_settle(struct poll_state *state, const struct poll_list *list,
                       const struct poll_change *change)
{
    struct records records = {0};
    int64_t at = next_stamp(state);
    size_t known = change->before;
    char key[POLL_RECORD_KEY];
    if (state->rehash) { /* its stamp stays, of which events are named */
        note_ignore(state, at);
        write_head(state, &records);
    }
    if (change->kind == CHANGE_DELETED) {
        state->items[known].value = (struct hash128){0};
        state->known[known] = (struct poll_known){.at = at, .gone = true};
        poll_record_gone(at, &records.texts);
        poll_record_key(state->items[known].key, key);
        put(&records, key);
    } else {
        if (known == POLL_NONE)
            known = add_known(state, &list->hashes[change->after], at);
        state->items[known].value = list->hashes[change->after].value;
        state->known[known] = (struct poll_known){.at = at};
        put_item(&records, list, change->after, at);
    }
    move(state, &records);
}

/* What was recorded of another form makes room for this one. */
static void drop_other_form(struct poll_state *state, struct records *records)
{
    for (size_t i = 0; i < state->count && state->restarts; i++)
        drop_item(state, records, i);
    state->count = state->restarts ? 0 : state->count;
    state->restarts = false;
}

void poll_state_begin(struct poll_state *state, const struct poll_list *list)
{
    struct records records = {0};
    size_t count;
    drop_other_form(state, &records);
    struct poll_change *changes = poll_state_diff(state, list, &count);
    put_head(state, &records);
    for (size_t i = 0; i < count; i++) {
        add_known(state, &list->hashes[changes[i].after], state->head.at);
        put_item(&records, list, changes[i].after, state->head.at);
    }
    free(changes);
    state->is_new = false;
    move(state, &records);
}

void poll_state_finish(struct poll_state *state, enum poll_forget forget)
{
    struct records records = {0};
    size_t kept = 0;
    put_head(state, &records);
    for (size_t i = 0; i < state->count; i++) {
        if (state->known[i].gone || forget == POLL_FORGET_ALL ||
            (forget == POLL_FORGET_UNSEEN && state->known[i].unseen)) {
            drop_item(state, &records, i);
            continue;
        }
        state->items[kept] = state->items[i];
        state->known[kept++] = state->known[i];
    }
    state->count = kept;
    move(state, &records);
}

/* ---- what has changed ---- */

struct poll_change *poll_state_diff(struct poll_state *state, const struct poll_list *list,
                                    size_t *count)
{
    size_t most = state->count + list->count + 1;
    struct change *found = mem_array(most, sizeof *found);
    struct poll_change *changes = mem_array(most, sizeof *changes);
    size_t differences = change_diff(state->items, state->count, list->hashes, list->count, found);
    *count = 0;
    for (size_t i = 0; i < state->count; i++)
        state->known[i].unseen = false;
    for (size_t i = 0; i < differences; i++) {
        struct poll_change change = {found[i].kind, POLL_NONE, POLL_NONE};
        if (change.kind != CHANGE_CREATED)
            change.before = found[i].before;
        if (change.kind != CHANGE_DELETED)
            change.after = found[i].after;
        bool gone = change.before != POLL_NONE && state->known[change.before].gone;
        if (change.kind == CHANGE_DELETED && (gone || state->keeps_unseen)) {
            state->known[change.before].unseen = true;
            continue;
        }
        if (gone) /* and there again */
            change.kind = CHANGE_CREATED;
        changes[(*count)++] = change;
    }
    free(found);
    return changes;
}

const char *poll_state_identify(const struct poll_state *state, const struct poll_list *list,
                                const struct poll_change *change, char text[HASH_TEXT])
{
    struct {
        struct hash128 name, key, before, after;
        int64_t looked, changed;
    } subject = {.name = hash_128(state->hold.name), .looked = state->head.at};
    if (change->before != POLL_NONE) {
        subject.key = state->items[change->before].key;
        subject.before = state->items[change->before].value;
        subject.changed = state->known[change->before].at;
    }
    if (change->after != POLL_NONE) {
        subject.key = list->hashes[change->after].key;
        subject.after = list->hashes[change->after].value;
    }
    return hash_format(hash_128((struct str){(const char *)&subject, sizeof subject}), text);
}

/* ---- opening ---- */

int poll_state_open(struct poll_state *state, struct err *err)
{
    *err = (struct err){0};
    state->is_new = true;
    int had = cursor_hold_open(&state->hold);
    if (had <= 0)
        return had;
    if (cursor_hold_read(&state->hold, read_record, state) < 0)
        return -1;
    if (state->bad.kind) {
        *err = state->bad;
        return -1;
    }
    state->is_new = state->is_new || state->restarts;
    return 1;
}

void poll_state_free(struct poll_state *state)
{
    poll_head_free(&state->head);
    free(state->items);
    free(state->known);
}
