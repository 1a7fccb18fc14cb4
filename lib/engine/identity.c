/* identity.c: what an event is called: the same in every run over the same content. */
#include "engine/identity.h"

#include "base/hash.h"
#include "base/mem.h"
#include "engine/ordinals.h"
#include "format/jq.h"
#include "format/json.h"

#include <stdlib.h>

enum { WAYS = 4 }; /* places where a content may stand in the table; the oldest of them gives way */

struct sighting {
    uint64_t content; /* part of its hash */
    uint32_t count;
    uint32_t when;
};

struct identity {
    struct json_paths *paths;
    struct json_value *values;
    int version, source, id; /* nodes of a CloudEvent's attributes */
    struct jq_program *program;
    struct sighting *seen; /* made on first use */
    struct ordinals *all;  /* in its place; NULL: those of the last contents will do */
    uint32_t clock;
};

struct identity *identity_new(const char *id, struct err *err)
{
    struct identity *identity = mem_zalloc(sizeof *identity);
    identity->paths = json_paths_new();
    if (id) {
        identity->program = jq_compile(id, identity->paths, err);
        if (!identity->program) {
            identity_free(identity);
            return NULL;
        }
    }
    identity->version = json_paths_key(identity->paths, 0, STR("specversion"));
    identity->source = json_paths_key(identity->paths, 0, STR("source"));
    identity->id = json_paths_key(identity->paths, 0, STR("id"));
    identity->values = mem_array(json_paths_count(identity->paths), sizeof *identity->values);
    return identity;
}

void identity_free(struct identity *identity)
{
    if (!identity)
        return;
    jq_free(identity->program);
    json_paths_free(identity->paths);
    free(identity->values);
    free(identity->seen);
    ordinals_free(identity->all);
    free(identity);
}

void identity_keep_all(struct identity *identity, const char *temp_dir)
{
    if (!identity->all)
        identity->all = ordinals_new(temp_dir);
}

/* How often the content has been seen, with this time. */
static uint32_t count_content(struct identity *identity, struct hash128 hash)
{
    if (identity->all)
        return ordinals_count(identity->all, hash);
    if (!identity->seen)
        identity->seen = mem_array(IDENTITY_CONTENTS, sizeof *identity->seen);
    struct sighting *set = &identity->seen[(hash.low % (IDENTITY_CONTENTS / WAYS)) * WAYS];
    struct sighting *place = set;
    for (int i = 0; i < WAYS; i++) {
        if (set[i].count && set[i].content == hash.high) {
            set[i].when = ++identity->clock;
            return ++set[i].count;
        }
        if (!set[i].count || (place->count && set[i].when < place->when))
            place = &set[i];
    }
    *place = (struct sighting){.content = hash.high, .count = 1, .when = ++identity->clock};
    return 1;
}

static void identify_by_content(struct identity *identity, struct str event, bool count,
                                struct buf *id)
{
    char text[HASH_TEXT];
    struct hash128 hash = hash_128(event);
    buf_puts(id, hash_format(hash, text));
    uint32_t ordinal = count ? count_content(identity, hash) : 1;
    if (ordinal > 1)
        buf_addf(id, "-%u", ordinal);
}

static bool identify_by_attributes(struct identity *identity, struct buf *id)
{
    const struct json_value *values = identity->values;
    if (values[identity->version].type != JSON_STRING ||
        values[identity->source].type != JSON_STRING || values[identity->id].type != JSON_STRING)
        return false;
    json_decode(values[identity->source].text, id);
    buf_addc(id, '#');
    json_decode(values[identity->id].text, id);
    return true;
}

void identity_make_presentable(struct buf *id)
{
    for (size_t i = 0; i < id->len; i++) {
        if ((unsigned char)id->data[i] < 0x20)
            id->data[i] = '?';
    }
}

/* Worth a look: a key that reads "specversion" may be there, perhaps with escapes. */
static bool may_be_cloudevent(struct str event)
{
    return memchr(event.data, '\\', event.len) ||
           memmem(event.data, event.len, "specversion", strlen("specversion"));
}

/* The value of --id. */
static int identify_by_program(struct identity *identity, const struct jq_input *input,
                               struct buf *id, struct err *err)
{
    struct buf value = {0};
    int found = jq_first(identity->program, input, &value, err);
    if (found > 0 && json_type_of(buf_str(&value)) == JSON_STRING)
        json_decode(buf_str(&value), id);
    else if (found > 0 && json_type_of(buf_str(&value)) != JSON_NULL)
        buf_add_str(id, buf_str(&value));
    if (found >= 0 && !id->len)
        err_set(err, ERR_INPUT, "--id %s: gives nothing", jq_text(identity->program));
    buf_free(&value);
    return id->len ? 1 : -1;
}

int identity_own(struct identity *identity, struct str event, struct buf *id, struct err *err)
{
    struct json_scan scan;
    int found = 0;
    buf_clear(id);
    if ((!identity->program && !may_be_cloudevent(event)) ||
        json_scan(event, identity->paths, identity->values, &scan) < 0)
        return 0;
    if (identity->program) {
        struct jq_input input = {event, identity->values, scan.depth};
        found = identify_by_program(identity, &input, id, err);
    } else if (identify_by_attributes(identity, id)) {
        found = id->len > 0;
    }
    identity_make_presentable(id);
    return found;
}

int identity_of(struct identity *identity, struct str event, bool count, struct str given,
                struct buf *id, struct err *err)
{
    int found = identity_own(identity, event, id, err);
    if (found > 0)
        return 0;
    if (given.len)
        buf_add_str(id, given);
    else
        identify_by_content(identity, event, count, id);
    identity_make_presentable(id);
    return found;
}
