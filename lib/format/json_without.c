/* json_without.c: a value without some of its parts. */
#include "format/json_without.h"

#include "base/mem.h"
#include "base/num.h"
#include "format/json.h"

#include <stdlib.h>

enum { STEPS = 64 }; /* of all paths together; more are left to jq */

enum step_kind { STEP_KEY, STEP_INDEX, STEP_EACH };

struct step {
    enum step_kind kind;
    bool last;      /* of its path */
    struct str key; /* decoded; in keys */
    uint64_t index;
};

struct json_without {
    struct step steps[STEPS];
    size_t count;
    struct buf keys; /* never grows once keys point into it */
};

/* ---- reading paths ---- */

struct reader {
    struct json_without *without;
    struct str rest;
};

static bool take(struct reader *reader, char c)
{
    if (!reader->rest.len || reader->rest.data[0] != c)
        return false;
    reader->rest.data++;
    reader->rest.len--;
    return true;
}

static struct step *add_step(struct reader *reader, enum step_kind kind)
{
    struct json_without *without = reader->without;
    if (without->count == STEPS)
        return NULL;
    struct step *step = &without->steps[without->count++];
    *step = (struct step){.kind = kind};
    return step;
}

/* The decoded bytes were added to keys, from there on. */
static bool add_key(struct reader *reader, size_t from)
{
    const struct buf *keys = &reader->without->keys;
    struct step *step = add_step(reader, STEP_KEY);
    if (step)
        step->key = (struct str){keys->data + from, keys->len - from};
    return step;
}

/* A string, without jq's interpolation. */
static bool read_string(struct reader *reader)
{
    struct json_scan scan;
    size_t len = 1, from = reader->without->keys.len;
    while (len < reader->rest.len && reader->rest.data[len] != '"')
        len += reader->rest.data[len] == '\\' ? 2 : 1;
    if (len >= reader->rest.len)
        return false;
    struct str string = {reader->rest.data, len + 1};
    if (json_scan(string, NULL, NULL, &scan) < 0 ||
        json_decode(string, &reader->without->keys) != 0)
        return false;
    reader->rest.data += string.len;
    reader->rest.len -= string.len;
    return add_key(reader, from);
}

static bool is_name(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

static bool read_name(struct reader *reader)
{
    size_t len = 0, from = reader->without->keys.len;
    while (len < reader->rest.len && is_name(reader->rest.data[len], len == 0))
        len++;
    if (!len)
        return false;
    buf_add(&reader->without->keys, reader->rest.data, len);
    reader->rest.data += len;
    reader->rest.len -= len;
    return add_key(reader, from);
}

static bool read_index(struct reader *reader)
{
    char digits[NUM_TEXT];
    size_t len = 0;
    while (len < reader->rest.len && len < sizeof digits - 1 && reader->rest.data[len] >= '0' &&
           reader->rest.data[len] <= '9') {
        digits[len] = reader->rest.data[len];
        len++;
    }
    digits[len] = '\0';
    reader->rest.data += len;
    reader->rest.len -= len;
    struct step *step = add_step(reader, STEP_INDEX);
    return step && !num_uint(digits, 0, UINT32_MAX, &step->index);
}

/* What stands behind a "[". */
static bool read_bracket(struct reader *reader)
{
    if (take(reader, ']'))
        return add_step(reader, STEP_EACH);
    bool read =
        reader->rest.len && reader->rest.data[0] == '"' ? read_string(reader) : read_index(reader);
    return read && take(reader, ']');
}

static bool read_path(struct reader *reader)
{
    size_t first = reader->without->count;
    bool dot;
    if (!take(reader, '.'))
        return false;
    for (dot = true; dot || (reader->rest.len && strchr(".[", reader->rest.data[0]));) {
        dot = dot || take(reader, '.');
        bool read = take(reader, '[')                                 ? read_bracket(reader)
                    : reader->rest.len && reader->rest.data[0] == '"' ? read_string(reader)
                    : dot                                             ? read_name(reader)
                                                                      : false;
        if (!read)
            return false;
        take(reader, '?');
        dot = false;
    }
    reader->without->steps[reader->without->count - 1].last = true;
    return reader->without->count > first;
}

static void skip_blanks(struct reader *reader)
{
    while (take(reader, ' ') || take(reader, '\t') || take(reader, '\n'))
        continue;
}

static bool read_paths(struct reader *reader)
{
    unsigned paths = 0;
    bool indexed = false;
    do {
        skip_blanks(reader);
        if (!read_path(reader))
            return false;
        skip_blanks(reader);
        paths++;
    } while (take(reader, ','));
    for (size_t i = 0; i < reader->without->count; i++)
        indexed = indexed || reader->without->steps[i].kind == STEP_INDEX;
    /* Deleting one element would move the next path's. */
    return !reader->rest.len && (paths == 1 || !indexed);
}

struct json_without *json_without_new(struct str paths)
{
    struct json_without *without = mem_zalloc(sizeof *without);
    struct reader reader = {without, paths};
    buf_reserve(&without->keys, 3 * paths.len + 1); /* decoding never makes more of a string */
    if (read_paths(&reader))
        return without;
    json_without_free(without);
    return NULL;
}

void json_without_free(struct json_without *without)
{
    if (!without)
        return;
    buf_free(&without->keys);
    free(without);
}

/* ---- deleting ---- */

static bool is_key(struct str key, struct str wanted)
{
    struct str plain = {key.data + 1, key.len - 2};
    if (!plain.len || !memchr(plain.data, '\\', plain.len))
        return str_eq(plain, wanted);
    struct buf decoded = {0};
    json_decode(key, &decoded);
    bool same = str_eq(buf_str(&decoded), wanted);
    buf_free(&decoded);
    return same;
}

static bool fits(const struct step *step, const struct json_iter *iter, uint64_t place)
{
    switch (step->kind) {
    case STEP_KEY:
        return iter->key.data && is_key(iter->key, step->key);
    case STEP_INDEX:
        return !iter->key.data && place == step->index;
    case STEP_EACH:
        return true;
    }
    return false;
}

/* What the path that begins with step leaves. */
static void leave(const struct step *step, struct str value, struct buf *out)
{
    enum json_type type = json_type_of(value);
    struct json_iter iter;
    uint64_t place = 0;
    if (type != JSON_ARRAY && type != JSON_OBJECT) {
        buf_add_str(out, value);
        return;
    }
    buf_addc(out, type == JSON_ARRAY ? '[' : '{');
    size_t begin = out->len;
    for (json_iter_init(&iter, value); json_iter_next(&iter); place++) {
        bool here = fits(step, &iter, place);
        if (here && step->last)
            continue;
        if (out->len > begin)
            buf_addc(out, ',');
        if (iter.key.data) {
            buf_add_str(out, iter.key);
            buf_addc(out, ':');
        }
        if (here)
            leave(step + 1, iter.value, out);
        else
            buf_add_str(out, iter.value);
    }
    buf_addc(out, type == JSON_ARRAY ? ']' : '}');
}

void json_without(const struct json_without *without, struct str value, struct buf *out)
{
    struct buf last = {0};
    for (size_t i = 0; i < without->count; i++) {
        if (i && !without->steps[i - 1].last)
            continue;
        struct buf left = {0};
        leave(&without->steps[i], i ? buf_str(&last) : value, &left);
        buf_free(&last);
        last = left;
    }
    buf_add_str(out, buf_str(&last));
    buf_free(&last);
}
