/* poll_record.c: the records of a poll's cursor: JSON objects. */
#include "engine/poll_record.h"

#include "base/mem.h"
#include "base/num.h"
#include "format/json.h"

#include <inttypes.h>
#include <stdlib.h>

struct str poll_record_key(struct hash128 key, char text[POLL_RECORD_KEY])
{
    text[0] = 'i';
    hash_format(key, text + 1);
    return str_of(text);
}

/* ---- writing ---- */

/* A word need be no text, a record is JSON: what stands there then tells words apart well enough.
 */
static char *as_text(const char *word)
{
    char *text = mem_strdup(word);
    bool is_utf8 = str_is_utf8(str_of(word));
    for (char *at = text; !is_utf8 && *at; at++)
        *at = (unsigned char)*at < 0x80 ? *at : '?';
    return text;
}

static void add_text(struct buf *record, const char *name, const char *word)
{
    if (!word)
        return;
    char *text = as_text(word);
    buf_addf(record, "\"%s\":", name);
    buf_add_json(record, str_of(text));
    buf_addc(record, ',');
    free(text);
}

void poll_record_head(const struct poll_made_of *made_of, const struct poll_head *head,
                      struct buf *record)
{
    buf_addc(record, '{');
    add_text(record, "check", made_of->check);
    add_text(record, "items", made_of->items);
    add_text(record, "key", made_of->key);
    add_text(record, "ignore", made_of->ignore);
    add_text(record, "etag", head->validators.etag);
    add_text(record, "modified", head->validators.modified);
    if (head->cursor.len) {
        buf_puts(record, "\"cursor\":");
        buf_add_str(record, buf_str(&head->cursor));
        buf_addc(record, ',');
    }
    if (head->since)
        buf_addf(record, "\"since\":%" PRId64 ",", head->since);
    buf_addf(record, "\"success\":%" PRId64 ",\"at\":%" PRId64 "}", head->success, head->at);
}

void poll_record_item(int64_t at, struct hash128 hash, struct str key, struct str value,
                      struct buf *record)
{
    char text[HASH_TEXT];
    buf_addf(record, "{\"at\":%" PRId64 ",\"hash\":\"%s\",\"key\":", at, hash_format(hash, text));
    buf_add_str(record, key);
    buf_puts(record, ",\"value\":");
    buf_add_str(record, value);
    buf_addc(record, '}');
}

void poll_record_gone(int64_t at, struct buf *record)
{
    buf_addf(record, "{\"at\":%" PRId64 "}", at);
}

/* ---- reading ---- */

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

static bool is_text(struct str record, const char *name, const char *word)
{
    char *then = read_text(record, name);
    char *now = word ? as_text(word) : NULL;
    bool same = then && now ? strcmp(then, now) == 0 : !then && !now;
    free(then);
    free(now);
    return same;
}

struct poll_remade poll_record_read_head(struct str record, const struct poll_made_of *made_of,
                                         struct poll_head *head)
{
    struct poll_remade remade = {
        .form = !is_text(record, "items", made_of->items) || !is_text(record, "key", made_of->key),
        .ignore = !is_text(record, "ignore", made_of->ignore),
    };
    head->at = read_number(record, "at");
    if (remade.form)
        return remade;
    head->since = read_number(record, "since");
    head->success = read_number(record, "success");
    buf_add_str(&head->cursor, poll_record_member(record, "cursor"));
    if (is_text(record, "check", made_of->check)) {
        head->validators.etag = read_text(record, "etag");
        head->validators.modified = read_text(record, "modified");
    }
    return remade;
}

void poll_head_free(struct poll_head *head)
{
    buf_free(&head->cursor);
    free(head->validators.etag);
    free(head->validators.modified);
    *head = (struct poll_head){0};
}

void poll_head_exchange(struct poll_head *head, struct fn_validators *validators)
{
    struct fn_validators before = head->validators;
    head->validators = *validators;
    *validators = before;
}

static bool read_hash(struct str text, struct hash128 *hash)
{
    uint64_t half[2] = {0};
    if (text.len != HASH_TEXT - 1)
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

int poll_record_read_item(struct str name, struct str record, struct poll_record *item,
                          struct err *err)
{
    struct str hash = poll_record_member(record, "hash");
    *item = (struct poll_record){
        .at = read_number(record, "at"),
        .value = poll_record_member(record, "value"),
    };
    if (name.len && name.data[0] == 'i' &&
        read_hash((struct str){name.data + 1, name.len - 1}, &item->key) &&
        (!item->value.data ||
         (hash.len > 2 && read_hash((struct str){hash.data + 1, hash.len - 2}, &item->hash))))
        return 0;
    return err_set(err, ERR_STATE, "a record is damaged: %.*s", (int)name.len, name.data);
}
