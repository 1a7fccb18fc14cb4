/* test_fanin.c: claims about state/fanin.h, on the embedded store and on the one in memory. */
#include "fanin_world.h"

#include "state/dead.h"

#include <sys/resource.h>

/* A part of so many. */
static enum group_verdict add(const char *group, uint64_t index, uint64_t expected,
                              const char *value)
{
    struct fanin_add part = {.indexed = true, .index = index, .expected = expected};
    return add_with(&part, group, value);
}

/* One of two, from a place below 20 s. */
static enum group_verdict add_timed(const char *group, uint64_t index)
{
    struct fanin_add part = {
        .indexed = true, .index = index, .expected = 5, .rules.within = 20 * SECOND};
    return add_with(&part, group, "1");
}

static enum group_verdict add_by_id(const char *group, const char *id)
{
    struct fanin_add part = {.id = str_of(id), .rules.count = 3};
    return add_with(&part, group, "1");
}

static struct fanin_take take_some(unsigned count)
{
    return take_with((struct fanin_take){.count = count});
}

static struct fanin_take take_as(cell_holder holder, const char *note)
{
    return take_with((struct fanin_take){.count = 1, .holder = holder, .note = str_of(note)});
}

/* "key closing index:value index:value; ..." */
static const char *text_of(const struct fanin_take *take)
{
    static char text[8192];
    size_t len = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < take->got; i++) {
        const struct fanin_group *group = &take->groups[i];
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s %s", i ? "; " : "",
                                (int)group->key.len, group->key.data,
                                group_closing_name(group->group.closing));
        for (uint64_t j = 0; j < group->group.parts; j++) {
            const struct fanin_part *part = &group->parts[j];
            struct str value = part->value.data ? part->value : STR("none");
            len += (size_t)snprintf(text + len, sizeof text - len, " %llu:%s%.*s",
                                    (unsigned long long)part->index, part->failed ? "!" : "",
                                    (int)value.len, value.data);
        }
    }
    return text;
}

static const char *keys_of(const struct fanin_take *take)
{
    static char text[1024];
    size_t len = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < take->got; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s", i ? " " : "",
                                (int)take->groups[i].key.len, take->groups[i].key.data);
    return text;
}

static enum store_status end_one(const struct fanin_take *take, unsigned which)
{
    return end_with(take, which, (struct fanin_end){.remember = 60 * SECOND});
}

static enum store_status give_back(const struct fanin_take *take, unsigned which)
{
    return end_with(take, which, (struct fanin_end){.given_back = true});
}

static void end_all(struct fanin_take *take)
{
    for (unsigned i = 0; i < take->got; i++)
        assert_int_equal(end_one(take, i), STORE_OK);
    fanin_take_clear(take);
}

/* What can be taken is this, and is ended. */
static void gives(const char *expected)
{
    struct fanin_take take = take_some(MANY);
    assert_string_equal(text_of(&take), expected);
    end_all(&take);
}

static void counts(uint64_t open, uint64_t parts, uint64_t closed, uint64_t remembered)
{
    struct fanin_show show = facts();
    assert_int_equal(show.own.op.status, STORE_OK);
    assert_int_equal(show.open, open);
    assert_int_equal(show.parts, parts);
    assert_int_equal(show.closed, closed);
    assert_int_equal(show.remembered, remembered);
}

/* ---- groups and their parts ---- */

static void gives_a_group_when_its_last_part_has_come(void **state)
{
    (void)state;
    assert_int_equal(add("g", 2, 3, "{\"c\":1}"), GROUP_TAKEN);
    assert_int_equal(add("g", 0, 3, "1.0"), GROUP_TAKEN);
    gives("");
    struct fanin_add last = {.indexed = true, .index = 1};
    assert_int_equal(add_with(&last, "g", "null"), GROUP_TAKEN);
    assert_int_equal(last.closing, GROUP_COUNT);
    gives("g count 0:1.0 1:null 2:{\"c\":1}");
    gives("");
}

static void keeps_groups_apart(void **state)
{
    (void)state;
    add("b", 0, 2, "1");
    add("a", 0, 2, "2");
    add("", 0, 1, "3");
    add("a", 1, 2, "4");
    add("b", 1, 2, "5");
    gives(" count 0:3; a count 0:2 1:4; b count 0:1 1:5");
}

static void keeps_collections_apart(void **state)
{
    struct fanin_take other = {.count = 1, .bytes = 1, .own.name = STR("other")};
    bool is_done = false;
    (void)state;
    add("g", 0, 1, "1");
    other.own.op = (struct store_op){.done = ended, .owner = &is_done};
    fanin_take(store, &other);
    store_flush(store);
    assert_true(is_done);
    assert_int_equal(other.own.op.status, STORE_OK);
    assert_int_equal(other.got, 0);
    fanin_take_clear(&other);
    struct fanin_show show = {.own.name = STR("other"), .own.op = other.own.op};
    fanin_show(store, &show);
    assert_int_equal(show.own.op.status, STORE_ABSENT);
    gives("g count 0:1");
}

static void puts_parts_without_places_in_the_order_of_their_coming(void **state)
{
    (void)state;
    for (int i = 3; i > 0; i--) {
        struct fanin_add part = {.rules.count = 3};
        add_with(&part, "g", (const char *const[]){"0", "1", "2", "3"}[i]);
        assert_int_equal(part.closing, i == 1 ? GROUP_COUNT : GROUP_OPEN);
    }
    gives("g count 0:3 1:2 2:1");
}

static void keeps_what_parts_are(void **state)
{
    struct buf large = {0};
    (void)state;
    buf_addc(&large, '"');
    for (int i = 0; i < 100000; i++)
        buf_addc(&large, (char)('a' + i % 26));
    buf_addc(&large, '"');
    add("g", 0, 4, buf_cstr(&large));
    struct fanin_add error = {.indexed = true, .index = 1, .failed = true};
    add_with(&error, "g", "{\"reason\":\"exit\"}");
    struct fanin_add none = {.indexed = true, .index = 2};
    add_with(&none, "g", NULL);
    add("g", 3, 4, "{ \"a\": 1.0}");
    struct fanin_take take = take_some(1);
    struct fanin_part *parts = take.groups[0].parts;
    assert_true(str_eq(parts[0].value, buf_str(&large)));
    assert_true(parts[1].failed && !parts[0].failed);
    assert_true(str_eq(parts[1].value, STR("{\"reason\":\"exit\"}")));
    assert_null(parts[2].value.data);
    assert_true(str_eq(parts[3].value, STR("{ \"a\": 1.0}")));
    assert_int_equal(take.groups[0].group.expected, 4);
    end_all(&take);
    buf_free(&large);
}

/* Keys of any bytes and length, also such that differ only behind what fits in a key. */
static void takes_any_key(void **state)
{
    static const size_t lengths[] = {0, 1, 399, 400, 401, 511, 512, 65536};
    enum { LENGTHS = sizeof lengths / sizeof *lengths };
    char *keys[2] = {mem_alloc(65536), mem_alloc(65536)};
    (void)state;
    for (int k = 0; k < 2; k++) {
        memset(keys[k], '\0', 65536);
        keys[k][65535] = (char)k;
    }
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < LENGTHS; i++) {
            struct fanin_add part = {.group = {keys[0], lengths[i]}, .value = STR("1")};
            part.rules.count = 2;
            SUBMIT(fanin_add, &part);
            assert_int_equal(part.verdict, GROUP_TAKEN);
        }
        struct fanin_add part = {.group = {keys[1], 65536}, .value = STR("2"), .rules.count = 2};
        SUBMIT(fanin_add, &part);
    }
    struct fanin_take take = take_some(MANY);
    assert_int_equal(take.got, LENGTHS + 1);
    for (size_t i = 0; i < LENGTHS; i++)
        assert_true(str_eq(take.groups[i].key, (struct str){keys[0], lengths[i]}));
    assert_true(str_eq(take.groups[LENGTHS].key, (struct str){keys[1], 65536}));
    assert_true(str_eq(take.groups[LENGTHS].parts[1].value, STR("2")));
    end_all(&take);
    struct fanin_add late = {.group = {keys[1], 65536}, .value = STR("3"), .rules.count = 2};
    SUBMIT(fanin_add, &late);
    assert_int_equal(late.verdict, GROUP_LATE);
    advance(60 * SECOND);
    SUBMIT(fanin_add, &late);
    assert_int_equal(late.verdict, GROUP_TAKEN);
    free(keys[0]);
    free(keys[1]);
}

/* ---- parts that come again, late, or wrong ---- */

static void knows_a_part_that_comes_again(void **state)
{
    (void)state;
    add("g", 1, 2, "1");
    assert_int_equal(add("g", 1, 2, "other"), GROUP_DUPLICATE);
    counts(1, 1, 0, 0);
    add("g", 0, 2, "0");
    assert_int_equal(add("g", 0, 2, "0"), GROUP_DUPLICATE);
    struct fanin_take take = take_some(1);
    assert_int_equal(add("g", 1, 2, "1"), GROUP_DUPLICATE);
    assert_string_equal(text_of(&take), "g count 0:0 1:1");
    end_all(&take);
    struct fanin_add again = {.indexed = true, .index = 1};
    assert_int_equal(add_with(&again, "g", "1"), GROUP_DUPLICATE);
    assert_int_equal(again.closing, GROUP_COUNT);
    counts(0, 0, 0, 1);
    gives("");
}

static void knows_a_part_by_its_id(void **state)
{
    struct fanin_add nameless = {.rules.count = 3};
    (void)state;
    assert_int_equal(add_by_id("g", "a"), GROUP_TAKEN);
    assert_int_equal(add_by_id("g", "a"), GROUP_DUPLICATE);
    assert_int_equal(add_by_id("h", "a"), GROUP_TAKEN);
    assert_int_equal(add_by_id("g", ""), GROUP_TAKEN);
    assert_int_equal(add_by_id("g", ""), GROUP_DUPLICATE);
    assert_int_equal(add_with(&nameless, "g", "1"), GROUP_TAKEN);
    assert_int_equal(add_by_id("g", "a"), GROUP_DUPLICATE);
    assert_int_equal(add_by_id("g", "z"), GROUP_LATE);
    gives("g count 0:1 1:1 2:1");
    assert_int_equal(add_by_id("g", "a"), GROUP_DUPLICATE);
    assert_int_equal(add_by_id("g", ""), GROUP_DUPLICATE);
    assert_int_equal(add_by_id("g", "z"), GROUP_LATE);
    assert_int_equal(add_with(&nameless, "g", "1"), GROUP_LATE);
}

static void tells_a_late_part_from_one_that_was_there(void **state)
{
    (void)state;
    add_timed("g", 0);
    add_timed("g", 1);
    add_timed("g", 4);
    advance(20 * SECOND);
    for (int round = 0; round < 2; round++) { /* closed, then remembered */
        assert_int_equal(add_timed("g", 0), GROUP_DUPLICATE);
        assert_int_equal(add_timed("g", 1), GROUP_DUPLICATE);
        assert_int_equal(add_timed("g", 2), GROUP_LATE);
        assert_int_equal(add_timed("g", 3), GROUP_LATE);
        assert_int_equal(add_timed("g", 4), GROUP_DUPLICATE);
        assert_int_equal(add_timed("g", 5), GROUP_WRONG);
        assert_int_equal(add("g", 2, 6, "1"), GROUP_WRONG);
        gives(round ? "" : "g within 0:1 1:1 4:1");
    }
}

static void adds_nothing_that_contradicts_the_others(void **state)
{
    (void)state;
    assert_int_equal(add("new", 3, 3, "1"), GROUP_WRONG);
    counts(0, 0, 0, 0);
    add("g", 0, 3, "1");
    assert_int_equal(add("g", 1, 4, "1"), GROUP_WRONG);
    assert_int_equal(add("g", 3, 0, "1"), GROUP_WRONG);
    assert_int_equal(add("g", 0, 4, "1"), GROUP_WRONG);
    counts(1, 1, 0, 0);
    add("h", 7, 0, "1");
    assert_int_equal(add("h", 0, 7, "1"), GROUP_WRONG);
    assert_int_equal(add("h", 0, 8, "1"), GROUP_TAKEN);
    counts(2, 3, 0, 0);
}

static void begins_a_group_anew_when_it_is_forgotten(void **state)
{
    (void)state;
    add("g", 0, 1, "1");
    gives("g count 0:1");
    advance(60 * SECOND - 1);
    assert_int_equal(add("g", 0, 1, "2"), GROUP_DUPLICATE);
    advance(1);
    assert_int_equal(add("g", 0, 1, "2"), GROUP_TAKEN);
    counts(0, 0, 1, 0);
    struct fanin_take take = take_some(1);
    assert_string_equal(text_of(&take), "g count 0:2");
    assert_int_equal(end_with(&take, 0, (struct fanin_end){0}), STORE_OK);
    fanin_take_clear(&take);
    counts(0, 0, 0, 0);
    assert_int_equal(add("g", 0, 1, "3"), GROUP_TAKEN);
}

static void forgets_old_groups_by_and_by(void **state)
{
    char key[16];
    (void)state;
    for (int i = 0; i < 10; i++) {
        snprintf(key, sizeof key, "%d", i);
        add(key, 0, 1, "1");
    }
    struct fanin_take take = take_some(MANY);
    end_all(&take);
    counts(0, 0, 0, 10);
    add("last", 0, 1, "1");
    take = take_some(1);
    advance(60 * SECOND);
    end_all(&take);
    counts(0, 0, 0, 9); /* two less, and one more */
    gives("");
    counts(0, 0, 0, 1);
}

/* ---- when they close ---- */

static void closes_what_was_idle_or_open_too_long(void **state)
{
    (void)state;
    struct fanin_add idle = {.rules.idle = 10 * SECOND}, within = {.rules.within = 15 * SECOND};
    add_with(&idle, "i", "1");
    add_with(&within, "w", "1");
    struct fanin_take take = take_some(1);
    assert_int_equal(take.next_due, wall + 10 * SECOND);
    fanin_take_clear(&take);
    advance(9 * SECOND);
    add_with(&idle, "i", "2");
    add_with(&within, "w", "2");
    gives("");
    advance(6 * SECOND);
    gives("w within 0:1 1:2");
    advance(3 * SECOND);
    gives("");
    advance(SECOND);
    gives("i idle 0:1 1:2");
    take = take_some(1);
    assert_int_equal(take.next_due, 0);
    fanin_take_clear(&take);
}

static void closes_in_the_order_of_their_times(void **state)
{
    struct fanin_add idle = {.rules.idle = 10 * SECOND}, within = {.rules.within = 12 * SECOND};
    (void)state;
    add_with(&idle, "i", "1");
    add_with(&within, "w", "1");
    advance(5 * SECOND);
    add_with(&idle, "i", "2");
    advance(60 * SECOND);
    gives("w within 0:1; i idle 0:1 1:2");
}

static void lets_no_part_in_when_the_time_is_over(void **state)
{
    (void)state;
    add_timed("g", 0);
    advance(20 * SECOND);
    struct fanin_add late = {.indexed = true, .index = 1};
    assert_int_equal(add_with(&late, "g", "1"), GROUP_LATE);
    assert_int_equal(late.closing, GROUP_WITHIN);
    counts(0, 0, 1, 0);
    gives("g within 0:1");
}

static void follows_a_clock_that_steps_back(void **state)
{
    (void)state;
    add_timed("a", 0);
    add_timed("b", 0);
    wall -= 3600 * SECOND;
    gives("");
    struct fanin_take take = take_some(1);
    assert_int_equal(take.next_due, wall + 20 * SECOND);
    fanin_take_clear(&take);
    advance(20 * SECOND - 1);
    gives("");
    advance(1);
    gives("a within 0:1; b within 0:1");
}

static void closes_what_is_open_when_no_more_can_come(void **state)
{
    (void)state;
    add("b", 1, 3, "1");
    add("a", 0, 2, "2");
    add("c", 0, 1, "3");
    struct fanin_take take = take_with((struct fanin_take){.at_eof = true});
    assert_string_equal(text_of(&take), "c count 0:3; b eof 1:1; a eof 0:2");
    assert_false(take.more);
    end_all(&take);
    counts(0, 0, 0, 3);
    assert_int_equal(add("b", 0, 3, "1"), GROUP_LATE);
    add("d", 0, 2, "4");
    take = take_with((struct fanin_take){.at_eof = true});
    assert_string_equal(text_of(&take), "d eof 0:4");
    end_all(&take);
}

/* Also those that were closed before, and not ended, do not hide the others. */
static void closes_very_many_in_several_takes(void **state)
{
    enum { GROUPS = 2 * FANIN_SWEEP + 10 };
    (void)state;
    for (int round = 0; round < 2; round++) { /* by the end of the input, and by time */
        unsigned got = 0, takes = 0;
        bool more = true;
        for (int i = 0; i < GROUPS; i++) {
            char key[32];
            snprintf(key, sizeof key, "%d-%d", round, i);
            add_timed(key, 0);
            if (i % 7 == 0)
                add_timed(key, 1);
        }
        counts(GROUPS, GROUPS + (GROUPS + 6) / 7, round * GROUPS, 0);
        advance(round ? 20 * SECOND : 0);
        while (more) {
            struct fanin_take take = take_with(
                (struct fanin_take){.count = 5000, .at_eof = round == 0, .bytes = 1 << 30});
            assert_in_range(take.got, 0, FANIN_TAKE_MAX);
            got += take.got;
            takes++;
            more = take.more;
            fanin_take_clear(&take);
        }
        assert_int_equal(got, GROUPS);
        assert_int_equal(takes, 3);
    }
}

/* ---- the predicate ---- */

static char asked[256];

/* Three values; and an error for one that holds "bad". */
static int is_three(void *owner, struct str array)
{
    unsigned *calls = owner;
    unsigned values = array.len > 2;
    snprintf(asked, sizeof asked, "%.*s", (int)array.len, array.data);
    ++*calls;
    for (size_t i = 0; i < array.len; i++)
        values += array.data[i] == ',';
    return strstr(asked, "bad") ? -1 : values == 3;
}

static struct fanin_add asking(uint64_t index, unsigned *calls)
{
    return (struct fanin_add){
        .indexed = true, .index = index, .rules.until = true, .until = is_three, .owner = calls};
}

static void closes_when_the_predicate_is_true_of_the_values(void **state)
{
    unsigned calls = 0;
    (void)state;
    struct fanin_add part = asking(5, &calls);
    add_with(&part, "g", "5");
    assert_string_equal(asked, "[5]");
    part = asking(6, &calls);
    part.failed = true;
    add_with(&part, "g", "{\"no\":1}");
    assert_string_equal(asked, "[5]");
    part = asking(7, &calls);
    add_with(&part, "g", NULL);
    assert_string_equal(asked, "[5]");
    part = asking(9, &calls);
    add_with(&part, "g", "9");
    assert_string_equal(asked, "[5,9]");
    part = asking(8, &calls);
    assert_int_equal(add_with(&part, "g", "\"bad\""), GROUP_WRONG);
    assert_string_equal(asked, "[5,\"bad\",9]");
    assert_int_equal(part.closing, GROUP_OPEN);
    counts(1, 4, 0, 0);
    part = asking(2, &calls);
    assert_int_equal(add_with(&part, "g", "2"), GROUP_TAKEN);
    assert_string_equal(asked, "[2,5,9]");
    assert_int_equal(part.closing, GROUP_UNTIL);
    assert_int_equal(calls, 6);
    assert_int_equal(add_with(&part, "g", "2"), GROUP_DUPLICATE);
    assert_int_equal(calls, 6);
    gives("g until 2:2 5:5 6:!{\"no\":1} 7:none 9:9");
}

static void asks_no_predicate_when_the_count_closes(void **state)
{
    unsigned calls = 0;
    (void)state;
    struct fanin_add part = asking(0, &calls);
    part.expected = 1;
    add_with(&part, "g", "\"bad\"");
    assert_int_equal(part.closing, GROUP_COUNT);
    assert_int_equal(calls, 0);
}

static void begins_no_group_that_cannot_be_asked_about(void **state)
{
    unsigned calls = 0;
    (void)state;
    struct fanin_add part = asking(0, &calls);
    assert_int_equal(add_with(&part, "g", "\"bad\""), GROUP_WRONG);
    counts(0, 0, 0, 0);
}

/* ---- taking and ending ---- */

static void takes_so_many_groups_or_bytes_in_the_order_of_closing(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++)
        add((const char *const[]){"f", "b", "d", "a", "e", "c"}[i], 0, 1, "1234567890");
    struct fanin_take take = take_some(2);
    assert_string_equal(keys_of(&take), "f b");
    assert_true(take.more);
    fanin_take_clear(&take);
    take = take_with((struct fanin_take){.bytes = 11});
    assert_string_equal(keys_of(&take), "d a");
    fanin_take_clear(&take);
    take = take_with((struct fanin_take){.bytes = 1});
    assert_string_equal(keys_of(&take), "e");
    fanin_take_clear(&take);
    take = take_some(2);
    assert_string_equal(keys_of(&take), "c");
    assert_false(take.more);
    fanin_take_clear(&take);
    counts(0, 0, 6, 0);
}

static void ends_a_group_once(void **state)
{
    (void)state;
    add("a", 0, 1, "1");
    add("b", 0, 1, "1");
    struct fanin_take first = take_some(1), second = take_some(1);
    assert_int_not_equal(first.token, second.token);
    assert_int_not_equal(first.groups[0].seq, second.groups[0].seq);
    struct fanin_end wrong = {.token = first.token, .seq = second.groups[0].seq};
    SUBMIT(fanin_end, &wrong);
    assert_int_equal(wrong.own.op.status, STORE_LOST);
    assert_int_equal(end_one(&first, 0), STORE_OK);
    assert_int_equal(end_one(&first, 0), STORE_LOST);
    assert_int_equal(give_back(&first, 0), STORE_LOST);
    assert_int_equal(end_one(&second, 0), STORE_OK);
    fanin_take_clear(&first);
    fanin_take_clear(&second);
}

static void gives_back_to_the_old_place(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        add((const char *const[]){"a", "b", "c", "d"}[i], 0, 1, "1");
    struct fanin_take take = take_some(3);
    assert_int_equal(give_back(&take, 2), STORE_OK);
    assert_int_equal(give_back(&take, 0), STORE_OK);
    fanin_take_clear(&take);
    take = take_some(MANY);
    assert_string_equal(keys_of(&take), "a c d");
    assert_null(take.groups[0].note.data);
    end_all(&take);
}

static void hands_out_at_once_what_a_dead_process_held(void **state)
{
    struct process one = process_begin(), other = process_begin();
    (void)state;
    add("a", 0, 1, "1");
    add("b", 0, 1, "2");
    struct fanin_take held = take_as(one.holder, "at 7");
    assert_string_equal(keys_of(&held), "a");
    assert_int_equal(held.held, 0);
    struct fanin_take take = take_as(other.holder, "at 9");
    assert_string_equal(keys_of(&take), "b");
    assert_int_equal(take.held, 1);
    assert_int_equal(take.holder_count, 1);
    assert_true(take.holders[0] == one.holder);
    end_all(&take);
    process_kill(&one);
    take = take_as(other.holder, "at 10");
    assert_string_equal(text_of(&take), "a count 0:1");
    assert_true(str_eq(take.groups[0].note, STR("at 7")));
    assert_int_equal(take.held + take.holder_count, 0);
    assert_int_equal(end_one(&held, 0), STORE_LOST);
    assert_int_equal(end_one(&take, 0), STORE_OK);
    fanin_take_clear(&held);
    fanin_take_clear(&take);
    process_kill(&other);
}

static void holds_for_no_process_until_it_is_ended(void **state)
{
    (void)state;
    add("a", 0, 1, "1");
    struct fanin_take held = take_as(0, "at 1");
    struct fanin_take take = take_as(cell_self(), "at 2");
    assert_int_equal(take.got, 0);
    assert_int_equal(take.held, 1);
    assert_int_equal(take.holder_count, 0);
    assert_int_equal(end_one(&held, 0), STORE_OK);
    fanin_take_clear(&held);
    fanin_take_clear(&take);
}

/* A process may die before it has looked at what its predecessor had written. */
static void hands_on_the_notes_of_all_who_died(void **state)
{
    static const char *const notes[] = {"one", "two", "three"};
    (void)state;
    add("a", 0, 1, "1");
    for (int i = 0; i < 3; i++) {
        struct process process = process_begin();
        struct fanin_take take = take_as(process.holder, notes[i]);
        assert_int_equal(take.got, 1);
        fanin_take_clear(&take);
        process_kill(&process);
    }
    struct fanin_take take = take_as(cell_self(), "four");
    assert_true(str_eq(take.groups[0].note, STR("one\ntwo\nthree")));
    assert_int_equal(give_back(&take, 0), STORE_OK);
    fanin_take_clear(&take);
    take = take_as(cell_self(), "five");
    assert_null(take.groups[0].note.data);
    end_all(&take);
}

static void leaves_out_the_oldest_notes_when_they_get_long(void **state)
{
    char note[FANIN_NOTES / 4];
    (void)state;
    memset(note, 'n', sizeof note);
    note[sizeof note - 1] = '\0';
    add("a", 0, 1, "1");
    for (int i = 0; i < 9; i++) {
        struct process process = process_begin();
        note[0] = (char)('0' + i);
        struct fanin_take take = take_as(process.holder, note);
        fanin_take_clear(&take);
        process_kill(&process);
    }
    struct fanin_take take = take_as(cell_self(), "last");
    struct str notes = take.groups[0].note;
    assert_int_equal(notes.len, 4 * sizeof note - 1);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(notes.data[i * sizeof note], '5' + i);
    end_all(&take);
}

static void replaces_the_note_of_all_groups_of_a_take(void **state)
{
    struct process process = process_begin();
    (void)state;
    for (int i = 0; i < 3; i++)
        add((const char *const[]){"a", "b", "c"}[i], 0, 1, "1");
    struct fanin_take take =
        take_with((struct fanin_take){.count = 3, .holder = process.holder, .note = STR("before")});
    struct fanin_end end = {.note = STR("after"), .remember = SECOND};
    assert_int_equal(end_with(&take, 1, end), STORE_OK);
    fanin_take_clear(&take);
    process_kill(&process);
    take = take_some(MANY);
    assert_string_equal(keys_of(&take), "a c");
    for (int i = 0; i < 2; i++)
        assert_true(str_eq(take.groups[i].note, STR("after")));
    end_all(&take);
}

static void hands_over_what_each_of_the_dead_held(void **state)
{
    enum { TAKES = 3, GROUPS = TAKES * FANIN_TAKE_MAX };
    static const char *const firsts[TAKES] = {"0", "1024", "2048"};
    struct process process = process_begin();
    bool more = true;
    (void)state;
    for (int i = 0; i < GROUPS; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        add(key, 0, 1, "1");
    }
    for (int i = 0; i < TAKES; i++) {
        struct fanin_take take =
            take_with((struct fanin_take){.count = FANIN_TAKE_MAX, .holder = process.holder});
        assert_int_equal(take.got, FANIN_TAKE_MAX);
        fanin_take_clear(&take);
    }
    process_kill(&process);
    for (int i = 0; i < TAKES; i++) {
        assert_true(more);
        struct fanin_take take = take_with((struct fanin_take){.count = 1, .holder = cell_self()});
        assert_int_equal(take.got, FANIN_TAKE_MAX);
        assert_true(str_eq(take.groups[0].key, str_of(firsts[i])));
        more = take.more;
        fanin_take_clear(&take);
    }
    assert_false(more);
}

static bool keep_letter(void *owner, uint64_t number, struct str letter)
{
    (void)number;
    buf_add_str(owner, letter);
    buf_addc(owner, '\n');
    return true;
}

static void keeps_a_dead_letter_with_the_end(void **state)
{
    struct buf text = {0};
    bool is_done = false;
    (void)state;
    add("a", 0, 1, "1");
    struct fanin_take take = take_some(1);
    struct fanin_end end = {.letter = STR("{\"event\":1}"), .remember = SECOND};
    assert_int_equal(end_with(&take, 0, end), STORE_OK);
    assert_int_equal(end_with(&take, 0, end), STORE_LOST);
    fanin_take_clear(&take);
    struct dead_op list = {.verb = DEAD_LIST, .each = keep_letter, .owner = &text};
    list.op.done = ended;
    list.op.owner = &is_done;
    dead_submit(store, &list);
    assert_string_equal(buf_cstr(&text), "{\"event\":1}\n");
    buf_free(&text);
}

/* ---- bells ---- */

static bool rung;

static void heard(void *owner)
{
    (void)owner;
    rung = true;
    loop_stop(loop);
}

static void over(struct loop_task *task)
{
    (void)task;
    loop_stop(loop);
}

/* Was it rung since the last time? What is heard, or deferred for that, comes before our own. */
static bool rings(void)
{
    struct loop_task task = {.run = over};
    rung = false;
    loop_defer(loop, &task);
    loop_run(loop, &err);
    loop_undefer(loop, &task);
    return rung;
}

static void rings_when_there_is_something_to_take(void **state)
{
    struct store_ear ear = {.kind = "fanin", .name = STR("parts"), .heard = heard};
    (void)state;
    assert_int_equal(store_listen(store, &ear, &err), 0);
    add("g", 0, 2, "1");
    rings();
    assert_false(rings());
    add("g", 0, 2, "1");
    assert_false(rings());
    add("g", 1, 2, "1");
    assert_true(rings());
    add_timed("later", 0);
    assert_true(rings());
    add_timed("later", 1);
    assert_false(rings());
    advance(SECOND);
    add_timed("still later", 0);
    assert_false(rings());
    struct fanin_add soon = {.rules.idle = SECOND};
    add_with(&soon, "soon", "1");
    assert_true(rings());
    struct fanin_take take = take_some(MANY);
    assert_int_equal(take.got, 1);
    assert_false(rings());
    give_back(&take, 0);
    assert_true(rings());
    fanin_take_clear(&take);
    take = take_some(MANY);
    rings();
    end_one(&take, 0);
    assert_true(rings()); /* nothing is held any more */
    fanin_take_clear(&take);
    store_deafen(store, &ear);
}

/* ---- what may go wrong ---- */

static void is_there_after_a_restart(void **state)
{
    (void)state;
    add("a", 0, 2, "1");
    add("b", 0, 1, "2");
    add("c", 0, 1, "3");
    struct fanin_take take = take_some(1);
    end_all(&take);
    close_store();
    open_store();
    counts(1, 1, 1, 1);
    assert_int_equal(add("b", 0, 1, "2"), GROUP_DUPLICATE);
    assert_int_equal(add("a", 0, 2, "1"), GROUP_DUPLICATE);
    add("a", 1, 2, "4");
    gives("c count 0:3; a count 0:1 1:4");
}

/* Two stores on one directory are to each other as two processes. */
static void is_shared_by_processes(void **state)
{
    struct home *other_home = home_open(folder, &err);
    struct store *other = store_open(other_home, loop, &(struct store_settings){0}, &err);
    struct process process = process_begin();
    (void)state;
    add("g", 0, 2, "1");
    struct fanin_add last = {
        .indexed = true, .index = 1, .expected = 2, .group = STR("g"), .value = STR("2")};
    SUBMIT_TO(other, fanin_add, &last);
    assert_int_equal(last.closing, GROUP_COUNT);
    struct fanin_take theirs = {.count = 1, .bytes = 1, .holder = process.holder};
    SUBMIT_TO(other, fanin_take, &theirs);
    assert_string_equal(text_of(&theirs), "g count 0:1 1:2");
    struct fanin_take take = take_as(cell_self(), "mine");
    assert_int_equal(take.got, 0);
    assert_int_equal(take.held, 1);
    fanin_take_clear(&take);
    store_free(other);
    home_free(other_home);
    fanin_take_clear(&theirs);
    process_kill(&process);
    take = take_as(cell_self(), "mine");
    assert_string_equal(text_of(&take), "g count 0:1 1:2");
    end_all(&take);
}

static void grows_with_its_parts(void **state)
{
    enum { PARTS = 60, LONG = 4000 };
    char value[LONG + 3], expected[16];
    (void)state;
    close_store();
    map = 1 << 17;
    open_store();
    for (int i = 0; i < LONG + 2; i++)
        value[i] = (char)(i == 0 || i == LONG + 1 ? '"' : 'a' + (i * 7919 >> 3) % 26);
    value[LONG + 2] = '\0';
    for (uint64_t i = 0; i < PARTS; i++)
        assert_int_equal(add("g", i, PARTS, value), GROUP_TAKEN);
    struct fanin_take take = take_some(1);
    snprintf(expected, sizeof expected, "%d", PARTS);
    assert_int_equal(take.groups[0].group.parts, PARTS);
    for (int i = 0; i < PARTS; i++)
        assert_true(str_eq(take.groups[0].parts[i].value, str_of(value)));
    end_all(&take);
}

/* A file that may not grow is what a full disk is to a commit. */
static void changes_nothing_when_the_disk_is_full(void **state)
{
    struct rlimit old, full;
    char value[3000];
    uint64_t taken = 0;
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    memset(value, '1', sizeof value);
    value[sizeof value - 1] = '\0';
    add("g", 0, 0, "1");
    getrlimit(RLIMIT_FSIZE, &old);
    full = (struct rlimit){.rlim_cur = 200000, .rlim_max = old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &full);
    may_fail = true;
    for (;;) {
        struct fanin_add part = {.indexed = true, .index = taken + 1, .rules.within = SECOND};
        add_with(&part, "g", value);
        if (part.own.op.status != STORE_OK) {
            assert_int_equal(part.own.op.status, STORE_NOT_APPLIED);
            break;
        }
        assert_in_range(++taken, 1, 1000);
    }
    may_fail = false;
    setrlimit(RLIMIT_FSIZE, &old);
    counts(1, taken + 1, 0, 0);
    assert_int_equal(add("g", taken + 1, taken + 2, "1"), GROUP_TAKEN);
    struct fanin_take take = take_some(1);
    assert_int_equal(take.groups[0].group.parts, taken + 2);
    end_all(&take);
}

/* One of a group commit fails: all do, and what was answered means nothing. */
static void undoes_a_whole_commit(void **state)
{
    struct fanin_add parts[3];
    bool is_done[3] = {0};
    (void)state;
    add("g", 0, 3, "1");
    add("h", 0, 1, "1");
    struct fanin_take take = take_some(1);
    may_fail = true;
    for (unsigned fails_at = 1; fails_at < 12; fails_at++) {
        struct fanin_end end = {.own.name = STR("parts"), .own.op.done = ended};
        bool end_is_done = false;
        writes_left = fails_at;
        end.own.op.owner = &end_is_done;
        end.token = take.token;
        end.seq = take.groups[0].seq;
        end.remember = SECOND;
        fanin_end(store, &end);
        for (uint64_t i = 0; i < 3; i++) {
            parts[i] = (struct fanin_add){.indexed = true, .index = i, .expected = 3};
            parts[i].own.name = STR("parts");
            parts[i].own.op.done = ended;
            parts[i].own.op.owner = &is_done[i];
            parts[i].group = STR("g");
            parts[i].value = STR("2");
            fanin_add(store, &parts[i]);
        }
        store_flush(store);
        assert_true(end_is_done && is_done[0] && is_done[1] && is_done[2]);
        assert_int_equal(end.own.op.status, STORE_NOT_APPLIED);
        assert_int_equal(parts[2].own.op.status, STORE_NOT_APPLIED);
        counts(1, 1, 1, 0);
    }
    writes_left = 0;
    may_fail = false;
    assert_int_equal(end_one(&take, 0), STORE_OK);
    fanin_take_clear(&take);
    assert_int_equal(add("g", 1, 3, "2"), GROUP_TAKEN);
    add("g", 2, 3, "3");
    gives("g count 0:1 1:2 2:3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(gives_a_group_when_its_last_part_has_come),
        CLAIM(keeps_groups_apart),
        CLAIM(keeps_collections_apart),
        CLAIM(puts_parts_without_places_in_the_order_of_their_coming),
        CLAIM(keeps_what_parts_are),
        CLAIM(takes_any_key),
        CLAIM(knows_a_part_that_comes_again),
        CLAIM(knows_a_part_by_its_id),
        CLAIM(tells_a_late_part_from_one_that_was_there),
        CLAIM(adds_nothing_that_contradicts_the_others),
        CLAIM(begins_a_group_anew_when_it_is_forgotten),
        CLAIM(forgets_old_groups_by_and_by),
        CLAIM(closes_what_was_idle_or_open_too_long),
        CLAIM(closes_in_the_order_of_their_times),
        CLAIM(lets_no_part_in_when_the_time_is_over),
        CLAIM(follows_a_clock_that_steps_back),
        CLAIM(closes_what_is_open_when_no_more_can_come),
        CLAIM(closes_very_many_in_several_takes),
        CLAIM(closes_when_the_predicate_is_true_of_the_values),
        CLAIM(asks_no_predicate_when_the_count_closes),
        CLAIM(begins_no_group_that_cannot_be_asked_about),
        CLAIM(takes_so_many_groups_or_bytes_in_the_order_of_closing),
        CLAIM(ends_a_group_once),
        CLAIM(gives_back_to_the_old_place),
        CLAIM(hands_out_at_once_what_a_dead_process_held),
        CLAIM(holds_for_no_process_until_it_is_ended),
        CLAIM(hands_on_the_notes_of_all_who_died),
        CLAIM(leaves_out_the_oldest_notes_when_they_get_long),
        CLAIM(replaces_the_note_of_all_groups_of_a_take),
        CLAIM(hands_over_what_each_of_the_dead_held),
        CLAIM(keeps_a_dead_letter_with_the_end),
        CLAIM(rings_when_there_is_something_to_take),
        CLAIM(undoes_a_whole_commit),
        ON_DISK(is_there_after_a_restart),
        ON_DISK(is_shared_by_processes),
        ON_DISK(grows_with_its_parts),
        ON_DISK(changes_nothing_when_the_disk_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
