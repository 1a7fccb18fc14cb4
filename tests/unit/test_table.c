/* test_table.c: claims about state/table.h, on files and in memory: random changes against a sorted
 * array. */
#include "state/table.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/rng.h"
#include "state/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SPACES = 2, ROOM = 4000, KEY_ROOM = TABLE_KEY + 1 };

static const enum table_space spaces[SPACES] = {SPACE_FANIN, SPACE_PART};

static char folder[64];
static struct table *table;
static struct err err;

static int set_up(bool memory)
{
    snprintf(folder, sizeof folder, "/tmp/test_table.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    table = memory ? table_open_memory() : table_open_lmdb(folder, false, 0, &err);
    return table ? 0 : -1;
}

static int setup(void **state)
{
    (void)state;
    return set_up(false);
}

static int setup_memory(void **state)
{
    (void)state;
    return set_up(true);
}

static int teardown(void **state)
{
    (void)state;
    table_close(table);
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-rf", folder, (char *)NULL);
        _exit(1);
    }
    waitpid(child, NULL, 0);
    return 0;
}

/* ---- the model: keys in order, each with the seed and length of its value ---- */

struct entry {
    unsigned char key[KEY_ROOM];
    size_t key_len;
    uint32_t seed;
    size_t value_len;
};

struct model {
    struct entry *entries;
    size_t count;
};

static struct model models[SPACES], saved[SPACES];
static struct buf scratch;

static struct str value_of(uint32_t seed, size_t len)
{
    struct rng rng;
    rng_seed(&rng, seed);
    buf_clear(&scratch);
    buf_reserve(&scratch, len + 8);
    while (scratch.len < len) {
        uint64_t bits = rng_next(&rng);
        buf_add(&scratch, &bits, sizeof bits);
    }
    return (struct str){scratch.data ? scratch.data : "", len};
}

static struct str key_of(const struct entry *entry)
{
    return (struct str){(const char *)entry->key, entry->key_len};
}

static int compare(struct str a, struct str b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.data, b.data, least);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static size_t model_place(const struct model *model, struct str key)
{
    size_t low = 0, high = model->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(key_of(&model->entries[middle]), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool model_has(const struct model *model, size_t place, struct str key)
{
    return place < model->count && str_eq(key_of(&model->entries[place]), key);
}

static void model_put(struct model *model, struct str key, uint32_t seed, size_t len)
{
    size_t place = model_place(model, key);
    struct entry *entry = &model->entries[place];
    if (!model_has(model, place, key)) {
        memmove(entry + 1, entry, (model->count++ - place) * sizeof *entry);
        memcpy(entry->key, key.data, key.len);
        entry->key_len = key.len;
    }
    entry->seed = seed;
    entry->value_len = len;
}

static bool model_remove(struct model *model, struct str key)
{
    size_t place = model_place(model, key);
    if (!model_has(model, place, key))
        return false;
    memmove(&model->entries[place], &model->entries[place + 1],
            (--model->count - place) * sizeof *model->entries);
    return true;
}

/* ---- one step of both ---- */

static void assert_entry(const struct entry *entry, struct str key, struct str value)
{
    assert_true(str_eq(key, key_of(entry)));
    assert_true(str_eq(value, value_of(entry->seed, entry->value_len)));
}

static void check_get(struct table_txn *txn, unsigned space, struct str key)
{
    struct str value;
    const struct model *model = &models[space];
    size_t place = model_place(model, key);
    bool found = model_has(model, place, key);
    assert_int_equal(table_get(txn, spaces[space], key, &value), found);
    if (found)
        assert_entry(&model->entries[place], key, value);
}

static void check_seek(struct table_txn *txn, unsigned space, struct str from, bool beyond)
{
    struct str key, value;
    const struct model *model = &models[space];
    size_t place = model_place(model, from);
    place += beyond && model_has(model, place, from);
    bool found = place < model->count;
    assert_int_equal(table_seek(txn, spaces[space], from, beyond, &key, &value), found);
    if (found)
        assert_entry(&model->entries[place], key, value);
}

static void check_last(struct table_txn *txn, unsigned space, struct str below)
{
    struct str key, value;
    const struct model *model = &models[space];
    size_t place = below.len ? model_place(model, below) : model->count;
    assert_int_equal(table_last(txn, spaces[space], below, &key, &value), place > 0);
    if (place)
        assert_entry(&model->entries[place - 1], key, value);
}

/* All records, from both ends. */
static void check_all(struct table_txn *txn)
{
    for (unsigned space = 0; space < SPACES; space++) {
        const struct model *model = &models[space];
        struct str at = {"", 0};
        check_seek(txn, space, at, false);
        check_last(txn, space, at);
        for (size_t i = 0; i < model->count; i++) {
            at = key_of(&model->entries[i]);
            check_get(txn, space, at);
            check_seek(txn, space, at, true);
            check_last(txn, space, at);
        }
    }
}

/* How keys are drawn: in order, in disorder, in many lengths, or of few groups with counters. */
enum shape { SHAPE_RISING, SHAPE_FALLING, SHAPE_ANY, SHAPE_GROUPS, SHAPES };

static struct str draw_key(struct rng *rng, enum shape shape, unsigned char key[KEY_ROOM])
{
    static uint64_t risen;
    size_t len = 8;
    uint64_t number = rng_below(rng, ROOM);
    if (shape == SHAPE_RISING || shape == SHAPE_FALLING) {
        number = rng_below(rng, 3) ? ++risen : risen - rng_below(rng, 1000);
        number = shape == SHAPE_RISING ? number : UINT64_MAX - number;
    } else if (shape == SHAPE_ANY) {
        number = rng_below(rng, 500) << 56 | rng_below(rng, 2) << 3;
        len = rng_below(rng, 4) ? 1 + rng_below(rng, 20) : 1 + rng_below(rng, TABLE_KEY);
    }
    table_put_u64(key, number);
    for (size_t i = 8; i < len; i++)
        key[i] = (unsigned char)rng_below(rng, 3);
    if (shape == SHAPE_GROUPS) {
        table_put_u64(key, rng_below(rng, 50));
        table_put_u64(key + 8, rng_below(rng, 80));
        len = 16;
    }
    return (struct str){(const char *)key, len};
}

static size_t draw_len(struct rng *rng)
{
    switch (rng_below(rng, 12)) {
    case 0:
        return 0;
    case 1:
        return 1000 + rng_below(rng, 50); /* about what lies in a page */
    case 2:
        return rng_below(rng, 20000);
    default:
        return rng_below(rng, 2) ? 90 : rng_below(rng, 300);
    }
}

static void change(struct table_txn *txn, struct rng *rng, enum shape shape, unsigned puts)
{
    unsigned char bytes[KEY_ROOM];
    unsigned space = (unsigned)rng_below(rng, SPACES);
    struct model *model = &models[space];
    struct str key = draw_key(rng, shape, bytes);
    if (model->count && rng_below(rng, 2)) {
        const struct entry *entry = &model->entries[rng_below(rng, model->count)];
        memcpy(bytes, entry->key, entry->key_len);
        key.len = entry->key_len;
    }
    uint64_t dice = rng_below(rng, 10);
    if (dice < puts && model->count < ROOM) {
        uint32_t seed = (uint32_t)rng_next(rng);
        size_t len = draw_len(rng);
        assert_int_equal(table_put(txn, spaces[space], key, value_of(seed, len)), 0);
        model_put(model, key, seed, len);
    } else if (dice < 8) {
        bool found = model_remove(model, key);
        assert_int_equal(table_remove(txn, spaces[space], key), found);
    }
    check_get(txn, space, key);
    check_seek(txn, space, key, rng_below(rng, 2));
    check_last(txn, space, key);
}

static void save(void)
{
    for (unsigned i = 0; i < SPACES; i++) {
        memcpy(saved[i].entries, models[i].entries, models[i].count * sizeof(struct entry));
        saved[i].count = models[i].count;
    }
}

static void go_back(void)
{
    for (unsigned i = 0; i < SPACES; i++) {
        memcpy(models[i].entries, saved[i].entries, saved[i].count * sizeof(struct entry));
        models[i].count = saved[i].count;
    }
}

/* It fills, then empties again. */
static void run(struct rng *rng, enum shape shape)
{
    enum { ROUNDS = 60, STEPS = 200 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct table_txn *txn = table_begin(table, true, &err);
        bool commits = rng_below(rng, 3);
        save();
        for (unsigned i = 0; i < STEPS; i++)
            change(txn, rng, shape, round < ROUNDS / 2 ? 6 : 2);
        if (commits)
            assert_int_equal(table_commit(txn, &err), 0);
        else
            table_abort(txn);
        if (!commits)
            go_back();
        if (round % 10 == 9) {
            txn = table_begin(table, false, &err);
            check_all(txn);
            table_abort(txn);
        }
    }
}

static void holds_what_a_sorted_array_holds(void **state)
{
    struct rng rng;
    (void)state;
    for (unsigned i = 0; i < SPACES; i++) {
        models[i] = (struct model){.entries = mem_array(ROOM + 1, sizeof(struct entry))};
        saved[i] = (struct model){.entries = mem_array(ROOM + 1, sizeof(struct entry))};
    }
    rng_seed(&rng, 7);
    for (int shape = 0; shape < SHAPES; shape++)
        run(&rng, (enum shape)shape);
    for (unsigned i = 0; i < SPACES; i++) {
        free(models[i].entries);
        free(saved[i].entries);
    }
    buf_free(&scratch);
}

static struct str number_key(unsigned char key[KEY_ROOM], uint64_t number, size_t len)
{
    memset(key, 'k', len);
    table_put_u64(key + len - 8, number);
    return (struct str){(const char *)key, len};
}

/* Whichever way it was filled and emptied; long keys make it deep. */
static void is_empty_after_all_is_removed(void **state)
{
    enum { RECORDS = 20000 };
    static const struct {
        uint64_t put, remove; /* strides */
        size_t len;
    } ways[] = {{7, 1, 8}, {7, 7919, 8}, {1, RECORDS - 1, 500}, {7919, 7, 500}};
    unsigned char bytes[KEY_ROOM];
    struct str key, value;
    (void)state;
    for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
        struct table_txn *txn = table_begin(table, true, &err);
        for (uint64_t i = 0; i < RECORDS; i++) {
            key = number_key(bytes, i * ways[way].put % RECORDS, ways[way].len);
            table_put(txn, SPACE_PART, key, STR("0123456789"));
        }
        for (uint64_t i = 0; i < RECORDS; i++) {
            key = number_key(bytes, i * ways[way].remove % RECORDS, ways[way].len);
            assert_int_equal(table_remove(txn, SPACE_PART, key), TABLE_FOUND);
        }
        assert_int_equal(table_seek(txn, SPACE_PART, STR("\0"), false, &key, &value), TABLE_ABSENT);
        assert_int_equal(table_last(txn, SPACE_PART, (struct str){NULL, 0}, &key, &value),
                         TABLE_ABSENT);
        table_put(txn, SPACE_PART, STR("a"), STR("b"));
        assert_int_equal(table_get(txn, SPACE_PART, STR("a"), &value), TABLE_FOUND);
        table_remove(txn, SPACE_PART, STR("a"));
        assert_int_equal(table_commit(txn, &err), 0);
    }
}

static void refuses_to_write_in_a_reader(void **state)
{
    (void)state;
    struct table_txn *txn = table_begin(table, false, &err);
    assert_int_equal(table_put(txn, SPACE_PART, STR("a"), STR("b")), -1);
    assert_true(txn->failed);
    struct str value;
    assert_int_equal(table_get(txn, SPACE_PART, STR("a"), &value), TABLE_FAILED);
    table_abort(txn);
}

static void refuses_keys_that_are_empty_or_too_long(void **state)
{
    char longest[TABLE_KEY + 1] = {0};
    (void)state;
    for (size_t len = 0; len <= TABLE_KEY + 1; len += len ? TABLE_KEY : 1) {
        struct table_txn *txn = table_begin(table, true, &err);
        bool fits = len && len <= TABLE_KEY;
        assert_int_equal(table_put(txn, SPACE_PART, (struct str){longest, len}, STR("b")),
                         fits ? 0 : -1);
        assert_int_equal(table_commit(txn, &err), fits ? 0 : -1);
    }
    struct table_txn *txn = table_begin(table, true, &err);
    assert_int_equal(table_put(txn, SPACE_PART, (struct str){longest, TABLE_KEY}, STR("b")), 0);
    assert_int_equal(table_commit(txn, &err), 0);
}

#define CLAIM(name)                                             \
    cmocka_unit_test_setup_teardown(name, setup, teardown),     \
    {                                                           \
        "in_memory: " #name, name, setup_memory, teardown, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(holds_what_a_sorted_array_holds),
        CLAIM(is_empty_after_all_is_removed),
        CLAIM(refuses_to_write_in_a_reader),
        CLAIM(refuses_keys_that_are_empty_or_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
