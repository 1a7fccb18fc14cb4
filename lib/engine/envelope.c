/* envelope.c: a part of a group as it travels. */
#include "engine/envelope.h"

#include "base/num.h"

#include <inttypes.h>

void envelope_watch(struct envelope_paths *nodes, struct json_paths *paths)
{
    nodes->part = json_paths_key(paths, 0, STR("part"));
    nodes->group = json_paths_key(paths, nodes->part, STR("group"));
    nodes->index = json_paths_key(paths, nodes->part, STR("index"));
    nodes->count = json_paths_key(paths, nodes->part, STR("count"));
    nodes->value = json_paths_key(paths, 0, STR("value"));
    nodes->error = json_paths_key(paths, 0, STR("error"));
}

/* A whole number up to ENVELOPE_COUNT. 1, 0: there is none, or -1 with err. */
static int read_number(const struct json_value *value, const char *name, uint64_t *number,
                       struct err *err)
{
    char digits[NUM_TEXT] = "";
    if (value->type == JSON_ABSENT)
        return 0;
    if (value->type == JSON_NUMBER && value->text.len < sizeof digits)
        memcpy(digits, value->text.data, value->text.len);
    const char *reason = num_uint(digits, 0, ENVELOPE_COUNT, number);
    if (!reason)
        return 1;
    return err_set(err, ERR_INPUT, "part.%s is no number from 0 to %d", name, ENVELOPE_COUNT);
}

int envelope_read(const struct envelope_paths *nodes, const struct json_value *values,
                  struct envelope *envelope, struct err *err)
{
    const struct json_value *group = &values[nodes->group];
    *envelope = (struct envelope){0};
    if (group->type == JSON_ABSENT || group->type == JSON_MISTYPED)
        return err_set(err, ERR_INPUT, "no envelope of a part: it has no part.group");
    int indexed = read_number(&values[nodes->index], "index", &envelope->index, err);
    int counted = read_number(&values[nodes->count], "count", &envelope->count, err);
    if (indexed < 0 || counted < 0)
        return -1;
    if (!indexed)
        return err_set(err, ERR_INPUT, "part.index is missing");
    envelope->group = group->text;
    if (counted && !envelope->count) {
        envelope->index = 0;
        envelope->count = 1;
        return 0;
    }
    if (counted && envelope->index >= envelope->count)
        return err_set(err, ERR_INPUT, "part.index %" PRIu64 " is beyond a count of %" PRIu64,
                       envelope->index, envelope->count);
    envelope->failed = values[nodes->error].type > JSON_NULL;
    envelope->value = values[envelope->failed ? nodes->error : nodes->value].text;
    return 0;
}

void envelope_add(struct buf *out, const struct envelope *envelope)
{
    buf_puts(out, "{\"part\":{\"group\":");
    buf_add_str(out, envelope->group);
    buf_addf(out, ",\"index\":%" PRIu64, envelope->index);
    if (envelope->count)
        buf_addf(out, ",\"count\":%" PRIu64, envelope->count);
    buf_addc(out, '}');
    if (envelope->value.data) {
        buf_puts(out, envelope->failed ? ",\"error\":" : ",\"value\":");
        buf_add_str(out, envelope->value);
    }
    buf_addc(out, '}');
}

struct str envelope_key(struct str key, struct buf *scratch)
{
    enum json_type type = json_type_of(key);
    struct buf text = {0};
    buf_clear(scratch);
    if (type == JSON_ARRAY || type == JSON_OBJECT) {
        json_compact(key, scratch);
        return buf_str(scratch);
    }
    if (type != JSON_STRING || !memchr(key.data, '\\', key.len))
        return key;
    json_decode(key, &text);
    buf_add_json(scratch, buf_str(&text));
    buf_free(&text);
    return buf_str(scratch);
}
