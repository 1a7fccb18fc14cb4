/* poll_state.c: what a poll knows of what it has seen, and of what it has handed on. */
#include "engine/poll_state.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"

#include <inttypes.h>
#include <stdlib.h>

static const char head_key[] = "head";

struct str poll_state_key(struct hash128 key, char text[POLL_RECORD_KEY])
{
    text[0] = 'i';
    hash_format(key, text + 1);
    return str_of(text);
}

static int64_t next_stamp(struct poll_state *state)
{
    int64_t now = clock_wall();
    return state->last_at = now > state->last_at ? now : state->last_at + 1;
}

/* ---- records ---- */

struct str poll_record_member(struct str record, const char *name)
{
    struct json_iter iter;
    struct str found = {0};
    size_t len = strlen(name);
    json_iter_init(&iter, record);
    while (json_iter_next(&iter)) {
        if (iter.key.len == len + 2 && memcmp(iter.key.data + 1, name, len) == 0)
            found = iter.value;
    }
    return found;
}

static void add_text(struct buf *record, const char *name, const char *text)
{
    if (!text)
        return;
    buf_addf(record, "\"%s\":", name);
    buf_add_json(record, str_of(text));
    buf_addc(record, ',');
}

static void write_head(struct poll_state *state, struct buf *record)
{
    struct poll_head *head = &state->head;
    head->at = next_stamp(state);
    buf_addc(record, '{');
    add_text(record, "check", state->made_of.check);
    add_text(record, "items", state->made_of.items);
    add_text(record, "key", state->made_of.key);
    add_text(record, "ignore", state->made_of.ignore);
    add_text(record, "etag", head->validators.etag);
    add_text(record, "modified", head->validators.modified);
    if (head->cursor.len) {
        buf_puts(record, "\"cursor\":");
        buf_add_str(record, buf_str(&head->cursor));
        buf_addc(record, ',');
    }
    buf_addf(record, "\"success\":%" PRId64 ",\"at\":%" PRId64 "}", head->success, head->at);
}

static void write_item(struct buf *record, const struct change_item *item, int64_t at,
                       struct str key, struct str value)
{
    char hash[HASH_TEXT];
    buf_addf(record, "{\"at\":%" PRId64 ",\"hash\":\"%s\",\"key\":", at,
             hash_format(item->value, hash));
    buf_add_str(record, key);
    buf_puts(record, ",\"value\":");
    buf_add_str(record, value);
    buf_addc(record, '}');
}

/* ---- reading them ---- */

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

static int64_t read_number(struct str record, const char *name)
{
    struct str digits = poll_record_member(record, name);
    char text[NUM_TEXT];
    uint64_t number = 0;
    if (digits.data && digits.len < sizeof text) {
        memcpy(text, digits.data, digits.len);
        text[digits.len] = '\0';
        if (num_uint(text, 0, INT64_MAX, &number))
            number = 0;
    }
    return (int64_t)number;
}

static char *read_text(struct str record, const char *name)
{
    struct str string = poll_record_member(record, name);
    struct buf text = {0};
    if (!string.data || json_type_of(string) != JSON_STRING)
        return NULL;
    json_decode(string, &text);
    return buf_take(&text);
}

static bool is_text(struct str record, const char *name, const char *now)
{
    char *then = read_text(record, name);
    bool same = then && now ? strcmp(then, now) == 0 : !then && !now;
    free(then);
    return same;
}

static void read_head(struct poll_state *state, struct str record)
{
    struct poll_head *head = &state->head;
    const struct poll_made_of *made_of = &state->made_of;
    state->is_new = false;
    head->at = state->last_at = read_number(record, "at");
    state->restarts =
        !is_text(record, "items", made_of->items) || !is_text(record, "key", made_of->key);
    if (state->restarts)
        return;
    state->rehash = !is_text(record, "ignore", made_of->ignore);
    head->success = read_number(record, "success");
    buf_add_str(&head->cursor, poll_record_member(record, "cursor"));
    if (!is_text(record, "check", made_of->check))
        return;
    head->validators.etag = read_text(record, "etag");
    head->validators.modified = read_text(record, "modified");
}

static bool read_hash(struct str text, struct hash128 *hash)
{
    uint64_t half[2] = {0};
    if (text.len < HASH_TEXT - 1)
        return false;
    for (size_t i = 0; i < HASH_TEXT - 1; i++) {
        char c = text.data[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                                : 16;
        if (digit == 16)
            return false;
        half[i / 16] = half[i / 16] << 4 | digit;
    }
    *hash = (struct hash128){.high = half[0], .low = half[1]};
    return true;
}

static int read_item(struct poll_state *state, struct str name, struct str record, struct err *err)
{
    struct change_item item = {0};
    int64_t at = read_number(record, "at");
    struct str hash = poll_record_member(record, "hash");
    struct str value = poll_record_member(record, "value");
    bool gone = !value.data;
    if (name.data[0] != 'i' || !read_hash((struct str){name.data + 1, name.len - 1}, &item.key) ||
        (!gone &&
         (hash.len < 2 || !read_hash((struct str){hash.data + 1, hash.len - 1}, &item.value))))
        return err_set(err, ERR_STATE, "a record is damaged: %.*s", (int)name.len, name.data);
    if (!gone && state->rehash && poll_form_hash(state->form, value, &item.value, err) < 0)
        return -1;
    if (at > state->last_at)
        state->last_at = at;
    size_t known = add_known(state, &item, at);
    state->known[known].gone = gone;
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
    else if (str_eq(name, STR("head")))
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
    write_item(&records->texts, &list->hashes[item], at, poll_list_key(list, item),
               list->texts[item].value);
    poll_state_key(list->hashes[item].key, key);
    put(records, key);
}

static void drop_item(const struct poll_state *state, struct records *records, size_t known)
{
    char key[POLL_RECORD_KEY];
    poll_state_key(state->items[known].key, key);
    put(records, key);
}

void poll_state_settle(struct poll_state *state, const struct poll_list *list,
                       const struct poll_change *change)
{
    struct records records = {0};
    int64_t at = next_stamp(state);
    size_t known = change->before;
    char key[POLL_RECORD_KEY];
    if (change->kind == CHANGE_DELETED) {
        state->items[known].value = (struct hash128){0};
        state->known[known] = (struct poll_known){.at = at, .gone = true};
        buf_addf(&records.texts, "{\"at\":%" PRId64 "}", at);
        poll_state_key(state->items[known].key, key);
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

static void put_head(struct poll_state *state, struct records *records)
{
    write_head(state, &records->texts);
    put(records, head_key);
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
    buf_free(&state->head.cursor);
    free(state->head.validators.etag);
    free(state->head.validators.modified);
    free(state->items);
    free(state->known);
}
