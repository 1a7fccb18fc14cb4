/* good_answers.c: the last good answer of each part, in memory and in the store. */
#include "engine/good_answers.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/msg.h"
#include "base/num.h"
#include "format/json.h"

#include <inttypes.h>
#include <stdlib.h>

enum { BUCKETS = 4096 };
#define MILLISECOND (NUM_SECOND / 1000)

/* One on its way into the store, with bytes of its own. */
struct write {
    struct kv_op op; /* first */
    struct good_answers *all;
    struct good *good; /* NULL: forgotten meanwhile */
    struct buf key, text;
};

struct good {
    struct good *next, *prev; /* by age */
    struct good *next_of_bucket;
    struct buf name; /* PART or PART/KEY: no part has a slash in its name */
    struct buf value;
    int64_t at;          /* clock_now */
    struct write *write; /* NULL: not on its way */
    bool again;          /* and there is a newer value */
};

struct good_answers {
    int64_t keep;
    struct store *store;
    const char *name;
    struct good *first, *last; /* the oldest first */
    size_t count, bytes;
    struct good *buckets[BUCKETS];
    struct buf scratch;
    bool closing, warned;
};

/* ---- in memory ---- */

/* The name, in scratch; "" where nothing is kept. */
static struct str name_of(struct good_answers *all, struct str part, struct str key)
{
    buf_clear(&all->scratch);
    if (key.len > GOOD_KEY)
        return (struct str){0};
    buf_add_str(&all->scratch, part);
    if (key.data) {
        buf_addc(&all->scratch, '/');
        buf_add_str(&all->scratch, key);
    }
    return buf_str(&all->scratch);
}

static struct good **bucket_of(struct good_answers *all, struct str name)
{
    return &all->buckets[hash_64(name) % BUCKETS];
}

static struct good *find(struct good_answers *all, struct str name)
{
    struct good *good = *bucket_of(all, name);
    while (good && !str_eq(buf_str(&good->name), name))
        good = good->next_of_bucket;
    return good;
}

static size_t size_of(const struct good *good)
{
    return sizeof *good + good->name.len + good->value.len;
}

static void forget(struct good_answers *all, struct good *good)
{
    struct good **link = bucket_of(all, buf_str(&good->name));
    while (*link != good)
        link = &(*link)->next_of_bucket;
    *link = good->next_of_bucket;
    LIST_REMOVE(all, good);
    all->count--;
    all->bytes -= size_of(good);
    if (good->write)
        good->write->good = NULL;
    buf_free(&good->name);
    buf_free(&good->value);
    free(good);
}

static bool is_too_old(const struct good_answers *all, const struct good *good)
{
    return clock_now() - good->at >= all->keep;
}

static struct good *add(struct good_answers *all, struct str name)
{
    struct good *good = mem_zalloc(sizeof *good);
    struct good **bucket = bucket_of(all, name);
    buf_add_str(&good->name, name);
    good->next_of_bucket = *bucket;
    *bucket = good;
    LIST_APPEND(all, good);
    all->count++;
    all->bytes += size_of(good);
    return good;
}

/* The last one is not too old. */
static void make_room(struct good_answers *all)
{
    while (all->first != all->last &&
           (all->count > GOOD_ANSWERS || all->bytes > GOOD_BYTES || is_too_old(all, all->first)))
        forget(all, all->first);
}

/* ---- into the store ---- */

static void write_it(struct good_answers *all, struct good *good);

static void warn(struct good_answers *all, const struct store_op *op)
{
    if (all->warned)
        return;
    all->warned = true;
    msg_warn("keep answers in %s: %s", all->name,
             op->err ? op->err->text : store_status_name(op->status));
}

static void written(struct store_op *op)
{
    struct write *write = (struct write *)(void *)op;
    struct good_answers *all = write->all;
    struct good *good = write->good;
    if (op->status != STORE_OK)
        warn(all, op);
    kv_op_free(&write->op);
    buf_free(&write->key);
    buf_free(&write->text);
    free(write);
    if (!good)
        return;
    good->write = NULL;
    if (good->again && !all->closing)
        write_it(all, good);
}

static void add_key(struct good_answers *all, struct buf *key, struct str name)
{
    buf_addf(key, "aggregate/%s/", all->name);
    buf_add_str(key, name);
}

static void write_it(struct good_answers *all, struct good *good)
{
    struct write *write = mem_zalloc(sizeof *write);
    int64_t at = clock_wall() - (clock_now() - good->at);
    good->write = write;
    good->again = false;
    write->all = all;
    write->good = good;
    add_key(all, &write->key, buf_str(&good->name));
    buf_addf(&write->text, "{\"at\":%" PRId64 ",\"value\":", at / MILLISECOND);
    buf_add_str(&write->text, buf_str(&good->value));
    buf_addc(&write->text, '}');
    write->op = (struct kv_op){.op = {.done = written, .patient = true},
                               .verb = KV_PUT,
                               .key = buf_str(&write->key),
                               .value = buf_str(&write->text),
                               .deadline = all->keep < INT64_MAX - at ? at + all->keep : 0};
    kv_submit(all->store, &write->op);
}

void good_answers_note(struct good_answers *all, struct str part, struct str key, struct str value)
{
    struct str name = name_of(all, part, key);
    struct good *good = find(all, name);
    if (!name.len || value.len > GOOD_BYTES) {
        if (good)
            forget(all, good);
        return;
    }
    if (!good)
        good = add(all, name);
    LIST_REMOVE(all, good);
    LIST_APPEND(all, good);
    all->bytes -= size_of(good);
    buf_clear(&good->value);
    buf_add_str(&good->value, value);
    all->bytes += size_of(good);
    good->at = clock_now();
    make_room(all);
    if (good->write)
        good->again = true;
    else if (all->store)
        write_it(all, good);
}

/* ---- looking ---- */

static void give(struct good_look *look)
{
    kv_op_free(&look->op);
    buf_free(&look->key);
    look->done(look);
}

/* {"at":N,"value":...}, unless somebody else has put something there. */
static void read_record(struct good_look *look)
{
    struct json_iter iter;
    struct str record = buf_str(&look->op.answer), value = {0};
    uint64_t at = 0;
    if (json_type_of(record) != JSON_OBJECT)
        return;
    for (json_iter_init(&iter, record); json_iter_next(&iter);) {
        struct buf digits = {0};
        buf_add_str(&digits, iter.value);
        if (str_eq(iter.key, STR("\"value\"")))
            value = iter.value;
        else if (str_eq(iter.key, STR("\"at\"")) &&
                 num_uint(buf_cstr(&digits), 0, INT64_MAX / MILLISECOND, &at) != NULL)
            at = 0;
        buf_free(&digits);
    }
    int64_t age = clock_wall() - (int64_t)at * MILLISECOND;
    look->found = value.data && at && age < look->all->keep;
    look->age = age > 0 ? age : 0; /* the clock may have been set back */
    if (look->found)
        buf_add_str(&look->value, value);
}

static void was_read(struct store_op *op)
{
    struct good_look *look = (struct good_look *)(void *)op;
    if (op->status == STORE_OK)
        read_record(look);
    else if (op->status != STORE_ABSENT)
        warn(look->all, op);
    give(look);
}

void good_answers_look(struct good_answers *all, struct str part, struct str key,
                       struct good_look *look)
{
    struct str name = name_of(all, part, key);
    const struct good *good = find(all, name);
    look->all = all;
    if (good && !is_too_old(all, good)) {
        look->found = true;
        look->age = clock_now() - good->at;
        buf_add_str(&look->value, buf_str(&good->value));
        give(look);
        return;
    }
    if (!all->store || !name.len) {
        give(look);
        return;
    }
    add_key(all, &look->key, name);
    look->op = (struct kv_op){.op = {.done = was_read}, .verb = KV_GET, .key = buf_str(&look->key)};
    kv_submit(all->store, &look->op);
}

/* ---- the whole ---- */

struct good_answers *good_answers_new(int64_t keep, struct store *store, const char *name)
{
    struct good_answers *all = mem_zalloc(sizeof *all);
    all->keep = keep;
    all->store = store;
    all->name = name;
    return all;
}

void good_answers_free(struct good_answers *all)
{
    if (!all)
        return;
    all->closing = true;
    if (all->store)
        store_flush(all->store);
    for (struct good *good = all->first; good; good = good->next) {
        if (good->again)
            write_it(all, good);
    }
    if (all->store)
        store_flush(all->store);
    while (all->first)
        forget(all, all->first);
    buf_free(&all->scratch);
    free(all);
}
