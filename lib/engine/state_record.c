/* state_record.c: a key with its value as a line of JSON, as `state` lists, dumps and loads them.
 */
#include "engine/state_record.h"

#include "base/num.h"
#include "format/json.h"

#define MILLISECOND (NUM_SECOND / 1000)

void state_record_add_key(struct buf *line, struct str key)
{
    if (str_is_utf8(key)) {
        buf_add_json(line, key);
        return;
    }
    buf_puts(line, "{\"base64\":\"");
    buf_add_base64(line, key);
    buf_puts(line, "\"}");
}

void state_record_add(struct buf *line, const struct kv_record *record)
{
    if (str_is_utf8(record->key)) {
        buf_puts(line, "{\"key\":");
        buf_add_json(line, record->key);
    } else {
        buf_puts(line, "{\"key_base64\":\"");
        buf_add_base64(line, record->key);
        buf_addc(line, '"');
    }
    buf_addf(line, ",\"version\":%llu", (unsigned long long)record->version);
    if (record->deadline) /* rounded up: a millisecond more, never less */
        buf_addf(line, ",\"expires_ms\":%lld",
                 (long long)((record->deadline + MILLISECOND - 1) / MILLISECOND));
    buf_puts(line, record->deleted ? ",\"deleted\":true" : ",\"value\":");
    buf_add_str(line, record->value);
    buf_puts(line, "}\n");
}

static bool is_named(struct str written, const char *name)
{
    return str_eq((struct str){written.data + 1, written.len - 2}, str_of(name));
}

static int read_key(struct str value, bool encoded, struct buf *key)
{
    buf_clear(key);
    if (json_type_of(value) != JSON_STRING)
        return -1;
    if (!encoded)
        return json_decode(value, key) ? -1 : 0;
    return buf_add_from_base64(key, (struct str){value.data + 1, value.len - 2}) ? 0 : -1;
}

static int read_number(struct str value, int64_t *number)
{
    char text[NUM_TEXT];
    uint64_t read;
    if (value.len >= sizeof text)
        return -1;
    memcpy(text, value.data, value.len);
    text[value.len] = '\0';
    if (num_uint(text, 0, INT64_MAX / (uint64_t)MILLISECOND, &read))
        return -1;
    *number = (int64_t)read;
    return 0;
}

int state_record_read(struct str line, struct kv_record *record, struct buf *key, struct err *err)
{
    struct json_iter iter;
    bool keyed = false;
    *record = (struct kv_record){0};
    if (json_type_of(line) != JSON_OBJECT)
        return err_set(err, ERR_INPUT, "not a record: it is no object");
    json_iter_init(&iter, line);
    while (json_iter_next(&iter)) {
        bool encoded = is_named(iter.key, "key_base64");
        if (encoded || is_named(iter.key, "key")) {
            if (read_key(iter.value, encoded, key) < 0)
                return err_set(err, ERR_INPUT, "not a record: its key is no text");
            keyed = true;
        } else if (is_named(iter.key, "value")) {
            record->value = iter.value;
        } else if (is_named(iter.key, "expires_ms")) {
            if (read_number(iter.value, &record->deadline) < 0)
                return err_set(err, ERR_INPUT, "not a record: its expires_ms is no time");
            record->deadline *= MILLISECOND;
        }
    }
    record->key = buf_str(key);
    if (!keyed || !record->value.data)
        return err_set(err, ERR_INPUT, "not a record: it has no %s", keyed ? "value" : "key");
    return 0;
}
