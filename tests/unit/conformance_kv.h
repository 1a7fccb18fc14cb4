/* conformance_kv.h: what any store must do with values by key. */
#ifndef FIT_TESTS_CONFORMANCE_KV_H
#define FIT_TESTS_CONFORMANCE_KV_H

#include "state/kv.h"
#include "state/kv_update.h"
#include "state/kv_watch.h"
#include "store_conformance.h"

#include <stdio.h>

#define SECONDS INT64_C(1000000000)

static enum store_status kv_do(struct world *world, struct kv_op *op)
{
    return WORLD_DO(world, kv_submit, op);
}

/* Put, and give the version. */
static uint64_t kv_put(struct world *world, struct str key, const char *value)
{
    struct kv_op op = {.verb = KV_PUT, .key = key, .value = str_of(value)};
    assert_int_equal(kv_do(world, &op), STORE_OK);
    assert_true(op.version > 0);
    kv_op_free(&op);
    return op.version;
}

/* The value is that (NULL: there is none). Gives its version. */
static uint64_t kv_assert(struct world *world, struct str key, const char *value)
{
    struct kv_op op = {.verb = KV_GET, .key = key};
    enum store_status status = kv_do(world, &op);
    if (value) {
        assert_int_equal(status, STORE_OK);
        assert_string_equal(buf_cstr(&op.answer), value);
    } else {
        assert_int_equal(status, STORE_ABSENT);
    }
    kv_op_free(&op);
    return op.version;
}

static void gives_back_what_was_put(void **state)
{
    struct world *world = *state;
    kv_assert(world, STR("a"), NULL);
    uint64_t version = kv_put(world, STR("a"), "{\"n\":1.0e+5}");
    assert_int_equal(kv_assert(world, STR("a"), "{\"n\":1.0e+5}"), version);
    kv_put(world, STR("a"), "2");
    kv_assert(world, STR("a"), "2");
    kv_assert(world, STR("ab"), NULL);
}

static void adds_only_what_is_absent(void **state)
{
    struct world *world = *state;
    struct kv_op op = {.verb = KV_ADD, .key = STR("a"), .value = STR("1")};
    assert_int_equal(kv_do(world, &op), STORE_OK);
    uint64_t version = op.version;
    op.value = STR("2");
    assert_int_equal(kv_do(world, &op), STORE_CONFLICT);
    assert_int_equal(op.version, version);
    kv_assert(world, STR("a"), "1");
    kv_op_free(&op);
}

static void refuses_a_stale_version_and_says_the_present_one(void **state)
{
    struct world *world = *state;
    uint64_t first = kv_put(world, STR("a"), "1");
    uint64_t second = kv_put(world, STR("a"), "2");
    struct kv_op op = {.verb = KV_CAS, .key = STR("a"), .value = STR("3"), .expected = first};
    assert_int_equal(kv_do(world, &op), STORE_CONFLICT);
    assert_int_equal(op.version, second);
    kv_assert(world, STR("a"), "2");
    op.expected = second;
    assert_int_equal(kv_do(world, &op), STORE_OK);
    kv_assert(world, STR("a"), "3");
    op.expected = 0;
    assert_int_equal(kv_do(world, &op), STORE_CONFLICT);
    op.key = STR("new");
    assert_int_equal(kv_do(world, &op), STORE_OK);
    op.key = STR("none");
    op.expected = first;
    assert_int_equal(kv_do(world, &op), STORE_CONFLICT);
    assert_int_equal(op.version, 0);
    kv_op_free(&op);
}

static void deletes_what_has_the_expected_version(void **state)
{
    struct world *world = *state;
    uint64_t version = kv_put(world, STR("a"), "1");
    struct kv_op op = {.verb = KV_DEL, .key = STR("a"), .expected = version + 1000};
    assert_int_equal(kv_do(world, &op), STORE_CONFLICT);
    assert_int_equal(op.version, version);
    kv_assert(world, STR("a"), "1");
    op.expected = version;
    assert_int_equal(kv_do(world, &op), STORE_OK);
    kv_assert(world, STR("a"), NULL);
    assert_int_equal(kv_do(world, &op), STORE_ABSENT);
    kv_put(world, STR("a"), "1");
    op.expected = 0;
    assert_int_equal(kv_do(world, &op), STORE_OK);
    kv_op_free(&op);
}

static void counts_strictly(void **state)
{
    struct world *world = *state;
    struct kv_op op = {.verb = KV_INCR, .key = STR("n"), .number = 5};
    assert_int_equal(kv_do(world, &op), STORE_OK);
    assert_string_equal(buf_cstr(&op.answer), "5");
    op.number = -7;
    assert_int_equal(kv_do(world, &op), STORE_OK);
    assert_string_equal(buf_cstr(&op.answer), "-2");
    kv_assert(world, STR("n"), "-2");
    static const char *const wrong[] = {"1.0",
                                        "1e2",
                                        "\"1\"",
                                        "null",
                                        "[1]",
                                        "9223372036854775808",
                                        "9223372036854775807",
                                        "123456789012345678901234567890"};
    op.number = 1;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        kv_put(world, STR("n"), wrong[i]);
        assert_int_equal(kv_do(world, &op), STORE_NOT_APPLIED);
        assert_int_equal(op.why.kind, ERR_INPUT);
        kv_assert(world, STR("n"), wrong[i]);
    }
    kv_op_free(&op);
}

static void merges_a_patch_into_a_value(void **state)
{
    struct world *world = *state;
    struct kv_op op = {.verb = KV_MERGE, .key = STR("m"), .value = STR("{\"a\":1,\"b\":null}")};
    assert_int_equal(kv_do(world, &op), STORE_OK);
    kv_assert(world, STR("m"), "{\"a\":1}");
    op.value = STR("{\"c\":{\"d\":1.50}}");
    assert_int_equal(kv_do(world, &op), STORE_OK);
    assert_string_equal(buf_cstr(&op.answer), "{\"a\":1,\"c\":{\"d\":1.50}}");
    kv_assert(world, STR("m"), "{\"a\":1,\"c\":{\"d\":1.50}}");
    kv_op_free(&op);
}

/* All keys with the prefix, page by page, as one text. */
static void kv_list_all(struct world *world, struct str prefix, size_t limit, struct buf *keys)
{
    struct kv_op op = {.verb = KV_LIST, .key = prefix, .limit = limit};
    struct buf after = {0};
    do {
        assert_int_equal(kv_do(world, &op), STORE_OK);
        assert_true(op.count <= limit);
        for (size_t i = 0; i < op.count; i++) {
            buf_add_str(keys, op.records[i].key);
            buf_addc(keys, ' ');
        }
        if (op.count) {
            buf_clear(&after);
            buf_add_str(&after, op.records[op.count - 1].key);
            op.after = (struct str){after.data ? after.data : "", after.len};
        }
    } while (op.more);
    kv_op_free(&op);
    buf_free(&after);
}

static void lists_in_the_order_of_keys_page_by_page(void **state)
{
    struct world *world = *state;
    static const char *const keys[] = {"b/2", "a", "b/1", "b", "b0", "b/", "c", "b/10", ""};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        kv_put(world, str_of(keys[i]), "1");
    for (size_t limit = 1; limit < 5; limit++) {
        struct buf all = {0}, some = {0};
        kv_list_all(world, STR(""), limit, &all);
        assert_string_equal(buf_cstr(&all), " a b b/ b/1 b/10 b/2 b0 c ");
        kv_list_all(world, STR("b/"), limit, &some);
        assert_string_equal(buf_cstr(&some), "b/ b/1 b/10 b/2 ");
        buf_free(&all);
        buf_free(&some);
    }
    struct kv_op op = {.verb = KV_LIST, .key = STR("b/"), .after = STR("a")};
    assert_int_equal(kv_do(world, &op), STORE_OK);
    assert_int_equal(op.count, 4);
    op.key = STR("zzz");
    op.after = (struct str){NULL, 0};
    assert_int_equal(kv_do(world, &op), STORE_OK);
    assert_int_equal(op.count, 0);
    kv_op_free(&op);
}

static void takes_keys_of_any_bytes_and_length(void **state)
{
    enum { LONG = 64 * 1024 };
    struct world *world = *state;
    char *one = mem_alloc(LONG), *other = mem_alloc(LONG);
    memset(one, 'k', LONG);
    memset(other, 'k', LONG);
    other[LONG - 1] = 'l';
    const struct str keys[] = {
        STR(""),
        STR("../x"),
        STR("\0\xff\0"),
        STR("\xff\xff\xff"),
        {one, LONG},
        {other, LONG},
        {one, KV_PLAIN},
        {one, KV_PLAIN + 1},
        {one, KV_PLAIN + 17},
        {one, 600},
        {one, KV_PLAIN - 1},
    };
    enum { COUNT = sizeof keys / sizeof *keys };
    char text[16];
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%d", i);
        kv_put(world, keys[i], text);
    }
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%d", i);
        kv_assert(world, keys[i], text);
    }
    struct kv_op op = {.verb = KV_LIST};
    assert_int_equal(kv_do(world, &op), STORE_OK);
    assert_int_equal(op.count, COUNT);
    op.key = (struct str){one, LONG - 1};
    assert_int_equal(kv_do(world, &op), STORE_OK);
    assert_int_equal(op.count, 2);
    op.key = (struct str){other, LONG};
    assert_int_equal(kv_do(world, &op), STORE_OK);
    assert_int_equal(op.count, 1);
    assert_true(str_eq(op.records[0].key, keys[5]));
    assert_true(str_eq(op.records[0].value, STR("5")));
    op.verb = KV_DEL;
    assert_int_equal(kv_do(world, &op), STORE_OK);
    kv_assert(world, keys[5], NULL);
    kv_assert(world, keys[4], "4");
    char *huge = mem_zalloc(KV_KEY + 1);
    op.verb = KV_PUT;
    op.key = (struct str){huge, KV_KEY + 1};
    op.value = STR("1");
    assert_int_equal(kv_do(world, &op), STORE_NOT_APPLIED);
    assert_int_equal(op.why.kind, ERR_LIMIT);
    kv_op_free(&op);
    free(one);
    free(other);
    free(huge);
}

static void keeps_large_values_whole(void **state)
{
    enum { LARGE = 1 << 20 };
    struct world *world = *state;
    struct buf value = {0};
    uint64_t noise = 1;
    buf_addc(&value, '"');
    while (value.len < LARGE) {
        noise = noise * UINT64_C(6364136223846793005) + 1442695040888963407U;
        buf_addc(&value, (char)('a' + (noise >> 59) % 26));
    }
    buf_addc(&value, '"');
    kv_put(world, STR("large"), buf_cstr(&value));
    kv_assert(world, STR("large"), buf_cstr(&value));
    buf_free(&value);
}

static void forgets_a_value_at_its_deadline(void **state)
{
    struct world *world = *state;
    world_invent_time(world, 1000 * SECONDS);
    struct kv_op op = {
        .verb = KV_PUT, .key = STR("a"), .value = STR("1"), .deadline = 1010 * SECONDS};
    assert_int_equal(kv_do(world, &op), STORE_OK);
    kv_put(world, STR("b"), "2");
    world->wall = 1009 * SECONDS;
    kv_assert(world, STR("a"), "1");
    op.verb = KV_INCR; /* keeps the deadline */
    op.deadline = 0;
    op.number = 1;
    assert_int_equal(kv_do(world, &op), STORE_OK);
    assert_int_equal(op.expires, 1010 * SECONDS);
    world->wall = 1010 * SECONDS;
    kv_assert(world, STR("a"), NULL);
    struct buf keys = {0};
    kv_list_all(world, STR(""), 10, &keys);
    assert_string_equal(buf_cstr(&keys), "b ");
    buf_free(&keys);
    op.verb = KV_DEL;
    assert_int_equal(kv_do(world, &op), STORE_ABSENT);
    op.verb = KV_INCR;
    assert_int_equal(kv_do(world, &op), STORE_OK);
    assert_string_equal(buf_cstr(&op.answer), "1");
    kv_op_free(&op);
}

/* Writes of other keys remove what is past, and only that. */
static void keeps_what_was_written_again_before_its_deadline(void **state)
{
    struct world *world = *state;
    world_invent_time(world, 1000 * SECONDS);
    struct kv_op op = {
        .verb = KV_PUT, .key = STR("a"), .value = STR("1"), .deadline = 1010 * SECONDS};
    assert_int_equal(kv_do(world, &op), STORE_OK);
    op.deadline = 1020 * SECONDS;
    assert_int_equal(kv_do(world, &op), STORE_OK);
    op.key = STR("b");
    op.deadline = 1010 * SECONDS;
    assert_int_equal(kv_do(world, &op), STORE_OK);
    kv_put(world, STR("b"), "2");
    world->wall = 1015 * SECONDS;
    for (int i = 0; i < 4; i++)
        kv_put(world, STR("other"), "0");
    kv_assert(world, STR("a"), "1");
    kv_assert(world, STR("b"), "2");
    world->wall = 1020 * SECONDS;
    kv_assert(world, STR("a"), NULL);
    kv_op_free(&op);
}

static void never_uses_a_version_again(void **state)
{
    struct world *world = *state;
    world_invent_time(world, 1000 * SECONDS);
    uint64_t version = kv_put(world, STR("a"), "1");
    struct kv_op op = {.verb = KV_DEL, .key = STR("a")};
    assert_int_equal(kv_do(world, &op), STORE_OK);
    uint64_t next = kv_put(world, STR("a"), "1");
    assert_true(next > version);
    op.verb = KV_PUT;
    op.value = STR("1");
    op.deadline = 1001 * SECONDS;
    assert_int_equal(kv_do(world, &op), STORE_OK);
    assert_true(op.version > next);
    next = op.version;
    world->wall = 2000 * SECONDS;
    for (int i = 0; i < 3; i++) {
        uint64_t other = kv_put(world, STR("b"), "1");
        assert_true(other > next);
        next = other;
    }
    op.verb = KV_CAS;
    op.expected = version;
    assert_int_equal(kv_do(world, &op), STORE_CONFLICT);
    assert_true(kv_put(world, STR("a"), "1") > next);
    kv_op_free(&op);
}

/* ---- groups ---- */

enum { GROUP = 3000 };

struct group {
    struct world *world;
    size_t ended;
    bool done;
};

struct group_op {
    struct kv_op kv;
    struct group *group;
    size_t place;
};

static void group_answered(struct store_op *op)
{
    struct group_op *own = op->owner;
    char text[32];
    assert_int_equal(op->status, STORE_OK);
    assert_int_equal(own->place, own->group->ended);
    snprintf(text, sizeof text, "%zu", own->place + 1);
    assert_string_equal(buf_cstr(&own->kv.answer), text);
    if (++own->group->ended == GROUP)
        world_tell(own->group->world, &own->group->done);
}

static void applies_a_group_in_the_order_of_its_submission(void **state)
{
    struct group group = {.world = *state};
    struct group_op *ops = mem_array(GROUP, sizeof *ops);
    for (size_t i = 0; i < GROUP; i++) {
        ops[i] = (struct group_op){.group = &group, .place = i};
        ops[i].kv = (struct kv_op){.verb = KV_INCR, .key = STR("n"), .number = 1};
        ops[i].kv.op.done = group_answered;
        ops[i].kv.op.owner = &ops[i];
        kv_submit(group.world->store, &ops[i].kv);
    }
    world_await(group.world, &group.done);
    for (size_t i = 0; i < GROUP; i++)
        kv_op_free(&ops[i].kv);
    free(ops);
}

/* One that cannot be done does not take the others with it. */
static void lets_the_others_of_a_group_be_done(void **state)
{
    struct world *world = *state;
    struct world_wait waits[3] = {{.world = world}, {.world = world}, {.world = world}};
    struct kv_op ops[3] = {
        {.verb = KV_PUT, .key = STR("a"), .value = STR("\"x\"")},
        {.verb = KV_INCR, .key = STR("a"), .number = 1},
        {.verb = KV_PUT, .key = STR("b"), .value = STR("1")},
    };
    for (int i = 0; i < 3; i++) {
        ops[i].op.done = world_answered;
        ops[i].op.owner = &waits[i];
        kv_submit(world->store, &ops[i]);
    }
    world_await(world, &waits[2].done);
    assert_int_equal(ops[0].op.status, STORE_OK);
    assert_int_equal(ops[1].op.status, STORE_NOT_APPLIED);
    assert_int_equal(ops[2].op.status, STORE_OK);
    kv_assert(world, STR("a"), "\"x\"");
    kv_assert(world, STR("b"), "1");
    for (int i = 0; i < 3; i++)
        kv_op_free(&ops[i]);
}

static void does_nothing_twice_for_the_same_nonce(void **state)
{
    struct world *world = *state;
    struct kv_op op = {.verb = KV_ADD, .key = STR("a"), .value = STR("1"), .nonce = 77};
    assert_int_equal(kv_do(world, &op), STORE_OK);
    uint64_t version = op.version;
    assert_int_equal(kv_do(world, &op), STORE_OK);
    assert_int_equal(op.version, version);
    op.verb = KV_INCR;
    op.number = 1;
    op.nonce = 78;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(kv_do(world, &op), STORE_OK);
        assert_string_equal(buf_cstr(&op.answer), "2");
    }
    op.verb = KV_CAS;
    op.expected = op.version;
    op.nonce = 79;
    assert_int_equal(kv_do(world, &op), STORE_OK);
    assert_int_equal(kv_do(world, &op), STORE_OK);
    kv_put(world, STR("a"), "9");
    assert_int_equal(kv_do(world, &op), STORE_CONFLICT);
    kv_op_free(&op);
}

/* ---- updates ---- */

struct counting {
    struct kv_update update;
    struct world *world;
    int *left;
    bool *done;
};

static int one_more(void *owner, struct str old, struct buf *value, struct err *err)
{
    (void)owner;
    return kv_sum(old, 1, value, err);
}

static void counted(struct kv_update *update)
{
    struct counting *counting = update->owner;
    assert_int_equal(update->status, STORE_OK);
    if (--*counting->left == 0)
        world_tell(counting->world, counting->done);
}

static void updates_of_many_lose_nothing(void **state)
{
    enum { MANY = 20 };
    struct world *world = *state;
    struct counting many[MANY] = {0};
    int left = MANY;
    bool done = false;
    for (int i = 0; i < MANY; i++) {
        many[i].update = (struct kv_update){
            .key = STR("n"), .change = one_more, .done = counted, .owner = &many[i]};
        many[i].world = world;
        many[i].left = &left;
        many[i].done = &done;
        kv_update_start(world->store, &many[i].update, (uint64_t)i + 1);
    }
    world_await(world, &done);
    kv_assert(world, STR("n"), "20");
    for (int i = 0; i < MANY; i++)
        kv_update_free(&many[i].update);
}

/* ---- watches ---- */

struct watching {
    struct world *world;
    struct kv_watch *watch;
    struct buf seen; /* "key=value " of each change */
    size_t count, wanted;
    uint64_t version;
    unsigned resyncs;
    bool done;
};

static void watch_changed(void *owner, const struct kv_record *record)
{
    struct watching *watching = owner;
    assert_true(record->version > watching->version);
    watching->version = record->version;
    buf_add_str(&watching->seen, record->key);
    buf_addc(&watching->seen, '=');
    buf_add_str(&watching->seen, record->deleted ? STR("deleted") : record->value);
    buf_addc(&watching->seen, ' ');
    if (++watching->count == watching->wanted)
        world_tell(watching->world, &watching->done);
}

static void watch_resync(void *owner, uint64_t version)
{
    struct watching *watching = owner;
    watching->resyncs++;
    watching->version = version;
    world_tell(watching->world, &watching->done);
}

static void watch_failed(void *owner, const struct err *err)
{
    (void)owner;
    fail_msg("%s", err->text);
}

static const struct kv_watch_calls watch_calls = {watch_changed, watch_resync, watch_failed};

static void watch_begin(struct watching *watching, struct world *world, struct str prefix,
                        uint64_t since)
{
    struct err err;
    *watching = (struct watching){.world = world, .version = since == KV_NOW ? 0 : since};
    watching->watch = kv_watch_open(world->store, prefix, since, &watch_calls, watching, &err);
    assert_non_null(watching->watch);
}

static void watch_end(struct watching *watching)
{
    kv_watch_free(watching->watch);
    buf_free(&watching->seen);
}

static void watch_await(struct watching *watching, size_t count, const char *seen)
{
    watching->wanted = count;
    watching->done = watching->count >= count;
    world_await(watching->world, &watching->done);
    assert_string_equal(buf_cstr(&watching->seen), seen);
}

static void tells_a_watch_of_each_write_in_order(void **state)
{
    struct world *world = *state;
    struct watching watching;
    kv_put(world, STR("a/0"), "0");
    uint64_t since = kv_put(world, STR("a/1"), "1");
    kv_put(world, STR("a/1"), "2");
    kv_put(world, STR("b"), "0");
    watch_begin(&watching, world, STR("a/"), since);
    watch_await(&watching, 1, "a/1=2 ");
    struct kv_op op = {.verb = KV_DEL, .key = STR("a/1")};
    assert_int_equal(kv_do(world, &op), STORE_OK);
    kv_put(world, STR("a/2"), "3");
    kv_put(world, STR("b"), "1");
    kv_put(world, STR("a/2"), "4");
    watch_await(&watching, 4, "a/1=2 a/1=deleted a/2=3 a/2=4 ");
    watch_end(&watching);
    kv_op_free(&op);
}

static void tells_a_watch_that_begins_now_nothing_older(void **state)
{
    struct world *world = *state;
    struct watching watching;
    bool settled = false;
    kv_put(world, STR("a"), "1");
    watch_begin(&watching, world, STR(""), KV_NOW);
    struct kv_op op = {.verb = KV_GET, .key = STR("a")};
    settled = kv_do(world, &op) == STORE_OK; /* the watch has asked before */
    assert_true(settled);
    kv_put(world, STR("a"), "2");
    watch_await(&watching, 1, "a=2 ");
    watch_end(&watching);
    kv_op_free(&op);
}

static void tells_a_watch_of_every_write_of_a_large_group(void **state)
{
    struct watching watching;
    struct group group = {.world = *state};
    struct group_op *ops = mem_array(GROUP, sizeof *ops);
    watch_begin(&watching, group.world, STR(""), 0);
    for (size_t i = 0; i < GROUP; i++) {
        ops[i] = (struct group_op){.group = &group, .place = i};
        ops[i].kv = (struct kv_op){.verb = KV_INCR, .key = STR("n"), .number = 1};
        ops[i].kv.op.done = group_answered;
        ops[i].kv.op.owner = &ops[i];
        kv_submit(group.world->store, &ops[i].kv);
    }
    watching.wanted = GROUP;
    world_await(group.world, &watching.done);
    struct str seen = buf_str(&watching.seen);
    assert_true(str_starts(seen, STR("n=1 n=2 n=3 ")));
    assert_true(str_ends(seen, STR("n=2999 n=3000 ")));
    watch_end(&watching);
    for (size_t i = 0; i < GROUP; i++)
        kv_op_free(&ops[i].kv);
    free(ops);
}

/* Of a large value that was written over, the watch may tell only the later one. */
static void tells_a_watch_of_large_values(void **state)
{
    struct world *world = *state;
    struct watching watching;
    struct buf large = {0};
    buf_addc(&large, '"');
    for (int i = 0; i < 2 * KV_LOG_VALUE; i++)
        buf_addc(&large, 'x');
    buf_addc(&large, '"');
    kv_put(world, STR("a"), buf_cstr(&large));
    kv_put(world, STR("a"), buf_cstr(&large));
    watch_begin(&watching, world, STR(""), 0);
    kv_put(world, STR("b"), "1");
    while (!str_ends(buf_str(&watching.seen), STR("b=1 "))) {
        watching.wanted = watching.count + 1;
        watching.done = false;
        world_await(world, &watching.done);
    }
    struct buf expected = {0};
    buf_addf(&expected, "a=%s b=1 ", buf_cstr(&large));
    assert_true(str_ends(buf_str(&watching.seen), buf_str(&expected)));
    watch_end(&watching);
    buf_free(&large);
    buf_free(&expected);
}

static void says_resync_to_a_watch_that_asks_for_what_is_forgotten(void **state)
{
    struct world *world = *state;
    struct watching watching;
    struct world_wait last = {.world = world}, ignored = {.world = world};
    struct kv_op *ops = mem_array(KV_LOG + 2, sizeof *ops);
    uint64_t first = kv_put(world, STR("first"), "1");
    kv_put(world, STR("second"), "1");
    for (size_t i = 0; i < KV_LOG + 2; i++) {
        ops[i] = (struct kv_op){.verb = KV_PUT, .key = STR("a"), .value = STR("1")};
        ops[i].op.done = world_answered;
        ops[i].op.owner = i == KV_LOG + 1 ? &last : &ignored;
        kv_submit(world->store, &ops[i]);
    }
    world_await(world, &last.done);
    watch_begin(&watching, world, STR(""), first);
    world_await(world, &watching.done);
    assert_int_equal(watching.resyncs, 1);
    assert_int_equal(watching.version, ops[KV_LOG + 1].version);
    kv_put(world, STR("b"), "2");
    watch_await(&watching, 1, "b=2 ");
    watch_end(&watching);
    free(ops);
}

static void says_resync_to_a_watch_that_asks_for_what_will_be(void **state)
{
    struct world *world = *state;
    struct watching watching;
    uint64_t version = kv_put(world, STR("a"), "1");
    watch_begin(&watching, world, STR(""), version + 1000);
    world_await(world, &watching.done);
    assert_int_equal(watching.resyncs, 1);
    assert_int_equal(watching.version, version);
    watch_end(&watching);
}

static const struct claim kv_claims[] = {
    CLAIM(gives_back_what_was_put),
    CLAIM(adds_only_what_is_absent),
    CLAIM(refuses_a_stale_version_and_says_the_present_one),
    CLAIM(deletes_what_has_the_expected_version),
    CLAIM(counts_strictly),
    CLAIM(merges_a_patch_into_a_value),
    CLAIM(lists_in_the_order_of_keys_page_by_page),
    CLAIM(takes_keys_of_any_bytes_and_length),
    CLAIM(keeps_large_values_whole),
    CLAIM(forgets_a_value_at_its_deadline),
    CLAIM(keeps_what_was_written_again_before_its_deadline),
    CLAIM(never_uses_a_version_again),
    CLAIM(applies_a_group_in_the_order_of_its_submission),
    CLAIM(lets_the_others_of_a_group_be_done),
    CLAIM(does_nothing_twice_for_the_same_nonce),
    CLAIM(updates_of_many_lose_nothing),
    CLAIM(tells_a_watch_of_each_write_in_order),
    CLAIM(tells_a_watch_that_begins_now_nothing_older),
    CLAIM(tells_a_watch_of_every_write_of_a_large_group),
    CLAIM(tells_a_watch_of_large_values),
    CLAIM(says_resync_to_a_watch_that_asks_for_what_is_forgotten),
    CLAIM(says_resync_to_a_watch_that_asks_for_what_will_be),
    {0},
};

#endif
