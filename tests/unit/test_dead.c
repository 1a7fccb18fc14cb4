/* test_dead.c: dead letters in the store: their numbers, and what takes the place of what. */
#include "state/dead.h"

#include "base/buf.h"
#include "store_world.h"

static void ended(struct store_op *op)
{
    (*(unsigned *)op->owner)++;
}

/* The status; *number as it is before and after. */
static enum store_status change(enum dead_verb verb, uint64_t *number, const struct str *letters,
                                size_t count)
{
    unsigned times = 0;
    struct dead_op op = {.op = {.done = ended, .owner = &times},
                         .verb = verb,
                         .number = *number,
                         .letters = letters,
                         .count = count};
    dead_submit(store, &op);
    store_flush(store);
    assert_int_equal(times, 1);
    *number = op.number;
    return op.op.status;
}

static uint64_t add(const char *text)
{
    struct str letter = str_of(text);
    uint64_t number = 0;
    assert_int_equal(change(DEAD_ADD, &number, &letter, 1), STORE_OK);
    return number;
}

static bool tell(void *owner, uint64_t number, struct str letter)
{
    struct buf *text = owner;
    buf_addf(text, "%llu:%.*s ", (unsigned long long)number, (int)letter.len, letter.data);
    return true;
}

static void assert_letters(const char *expected)
{
    unsigned times = 0;
    struct buf text = {0};
    struct dead_op op = {
        .op = {.done = ended, .owner = &times}, .verb = DEAD_LIST, .each = tell, .owner = &text};
    dead_submit(store, &op);
    assert_int_equal(times, 1);
    assert_string_equal(buf_cstr(&text), expected);
    buf_free(&text);
}

static void numbers_letters_in_the_order_of_their_coming(void **state)
{
    static const struct str two[] = {{"b", 1}, {"c", 1}};
    uint64_t number = 0;
    (void)state;
    assert_int_equal(add("a"), 1);
    assert_int_equal(change(DEAD_ADD, &number, two, 2), STORE_OK);
    assert_int_equal(number, 3);
    assert_letters("1:a 2:b 3:c ");
}

static void never_uses_a_number_again(void **state)
{
    (void)state;
    uint64_t number = add("a");
    assert_int_equal(change(DEAD_REMOVE, &number, NULL, 0), STORE_OK);
    assert_letters("");
    assert_int_equal(add("b"), 2);
    assert_int_equal(change(DEAD_REMOVE, &number, NULL, 0), STORE_ABSENT);
    assert_letters("2:b ");
}

static void puts_letters_in_the_place_of_one(void **state)
{
    static const struct str three[] = {{"x", 1}, {"y", 1}, {"z", 1}};
    (void)state;
    uint64_t number = add("a");
    add("b");
    assert_int_equal(change(DEAD_REPLACE, &number, three, 3), STORE_OK);
    assert_letters("1:x 2:b 3:y 4:z ");
    assert_int_equal(change(DEAD_REPLACE, &number, NULL, 0), STORE_OK);
    assert_letters("2:b 3:y 4:z ");
}

static void replaces_nothing_that_is_gone(void **state)
{
    static const struct str one = {"x", 1};
    uint64_t number = 7;
    (void)state;
    add("a");
    assert_int_equal(change(DEAD_REPLACE, &number, &one, 1), STORE_ABSENT);
    assert_letters("1:a ");
}

#define CLAIM(name)                                         \
    cmocka_unit_test_setup_teardown(name, setup, teardown), \
        cmocka_unit_test_setup_teardown(name, setup_memory, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(numbers_letters_in_the_order_of_their_coming),
        CLAIM(never_uses_a_number_again),
        CLAIM(puts_letters_in_the_place_of_one),
        CLAIM(replaces_nothing_that_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
