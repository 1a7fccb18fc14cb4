/* test_source_sorted.c: claims about engine/source_sorted.h. */
#include "engine/source_sorted.h"

#include "base/clock.h"
#include "base/msg.h"
#include "base/num.h"
#include "base/rng.h"
#include "format/json_order.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE (20 * NUM_SECOND) /* far beyond what anything here takes */
enum { MAX_EVENT = 100, MOST = 9 };

static struct loop *loop;
static struct sort_key *key;
static struct err err;
static struct buf said;
static int writers[MOST];
static char names[MOST][8];

static void keep_message(void *owner, struct str lines)
{
    buf_add_str(owner, lines);
}

static int setup(void **state)
{
    (void)state;
    loop = loop_new(&err);
    msg_divert(keep_message, &said);
    return loop ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    msg_divert(NULL, NULL);
    buf_free(&said);
    sort_key_free(key);
    key = NULL;
    loop_free(loop);
    block_drop_kept();
    return 0;
}

static void ready(void *owner)
{
    (void)owner;
    loop_stop(loop);
}

static void too_late(struct loop_timer *timer)
{
    (void)timer;
    fail_msg("nothing has come");
}

/* Inputs are pipes, to be written to by their numbers. */
static struct source *open_pipes(unsigned count, const char *program)
{
    struct source *lines[MOST];
    for (unsigned i = 0; i < count; i++) {
        int ends[2];
        assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
        writers[i] = ends[1];
        snprintf(names[i], sizeof names[i], "in%u", i);
        lines[i] = source_lines_take(loop, ends[0], names[i], MAX_EVENT, &err);
        assert_non_null(lines[i]);
    }
    sort_key_free(key);
    key = sort_key_new(program, &err);
    assert_non_null(key);
    struct source *source = source_sorted(lines, count, key);
    source->ready = ready;
    return source;
}

static void put(unsigned input, const char *text)
{
    assert_int_equal(write(writers[input], text, strlen(text)), strlen(text));
}

static void end(unsigned input)
{
    close(writers[input]);
}

static enum source_status take(struct source *source, struct source_event *event)
{
    enum source_status status;
    struct loop_timer timer = {.fire = too_late};
    loop_timer_set(loop, &timer, clock_now() + DEADLINE);
    while ((status = source->next(source, event, &err)) == SOURCE_LATER)
        assert_int_equal(loop_run(loop, &err), 0);
    loop_timer_clear(loop, &timer);
    return status;
}

static void expect_line(struct source *source, unsigned input, const char *text)
{
    struct source_event event;
    assert_int_equal(take(source, &event), SOURCE_EVENT);
    assert_int_equal(event.token, 0);
    assert_string_equal(event.origin, names[input]);
    assert_int_equal(event.bytes.len, strlen(text));
    assert_memory_equal(event.bytes.data, text, strlen(text));
    slice_drop(&event.bytes);
}

/* A line without a value: why. */
static void expect_placeless(struct source *source, const char *text, const char *why)
{
    struct source_event event;
    struct buf bytes = {0};
    assert_int_equal(take(source, &event), SOURCE_EVENT);
    assert_int_equal(event.token, SOURCE_SORTED_PLACELESS);
    assert_true(str_eq(slice_str(event.bytes), str_of(text)));
    assert_int_equal(sort_key_of(key, slice_str(event.bytes), &bytes, &err), why ? -1 : 0);
    if (why)
        assert_string_equal(err.text, why);
    slice_drop(&event.bytes);
    buf_free(&bytes);
}

static void expect_status(struct source *source, enum source_status status)
{
    struct source_event event;
    assert_int_equal(source->next(source, &event, &err), status);
}

/* ---- claims ---- */

static void gives_the_least_line_of_all_inputs(void **state)
{
    (void)state;
    struct source *source = open_pipes(3, ".");
    put(0, "null\n2\n\"a\"\n");
    put(1, "1\n2.0\n[]\n");
    put(2, "true\n2e0\n{}");
    for (unsigned i = 0; i < 3; i++)
        end(i);
    expect_line(source, 0, "null");
    expect_line(source, 2, "true");
    expect_line(source, 1, "1");
    expect_line(source, 0, "2");
    expect_line(source, 1, "2.0");
    expect_line(source, 2, "2e0");
    expect_line(source, 0, "\"a\"");
    expect_line(source, 1, "[]");
    expect_line(source, 2, "{}");
    expect_status(source, SOURCE_END);
    assert_int_equal(said.len, 0);
    source->free(source);
}

static void waits_for_each_input_that_has_not_ended(void **state)
{
    (void)state;
    struct source *source = open_pipes(2, ".k");
    put(0, "{\"k\":1}\n{\"k\":2}\n");
    expect_status(source, SOURCE_LATER);
    put(1, "{\"k\":");
    expect_status(source, SOURCE_LATER);
    put(1, "3}\n");
    expect_line(source, 0, "{\"k\":1}");
    expect_line(source, 0, "{\"k\":2}");
    expect_status(source, SOURCE_LATER);
    end(0);
    expect_line(source, 1, "{\"k\":3}");
    expect_status(source, SOURCE_LATER);
    end(1);
    struct source_event event;
    assert_int_equal(take(source, &event), SOURCE_END);
    source->free(source);
}

static void can_be_freed_with_lines_at_hand(void **state)
{
    (void)state;
    struct source *source = open_pipes(3, ".");
    for (unsigned i = 0; i < 3; i++)
        put(i, "1\n2\n");
    expect_line(source, 0, "1");
    source->stop(source);
    source->free(source);
    for (unsigned i = 0; i < 3; i++)
        end(i);
}

static void names_an_input_that_is_not_sorted_once_and_loses_nothing(void **state)
{
    (void)state;
    struct source *source = open_pipes(2, ".");
    put(0, "1\n5\n3\n2\n7\n");
    put(1, "4\n6\n");
    end(0);
    end(1);
    expect_line(source, 0, "1");
    expect_line(source, 1, "4");
    expect_line(source, 0, "5");
    expect_line(source, 0, "3");
    expect_line(source, 0, "2");
    expect_line(source, 1, "6");
    expect_line(source, 0, "7");
    expect_status(source, SOURCE_FAILED);
    assert_string_equal(err.text, "1 of 2 inputs are not sorted");
    assert_string_equal(buf_cstr(&said), "fit: in0:3: not sorted by .\n");
    source->free(source);
}

static void passes_on_a_line_without_a_place_at_once(void **state)
{
    (void)state;
    struct source *source = open_pipes(2, ".k");
    struct source_event event;
    char large[MAX_EVENT + 3];
    put(0, "{\"k\":1}\n{\"k\":\n7\n{\"k\":2}\n");
    memset(large, '8', MAX_EVENT + 1);
    memcpy(large + MAX_EVENT + 1, "\n", 2);
    put(1, large);
    put(1, "{\"k\":3}\n");
    end(0);
    end(1);
    assert_int_equal(take(source, &event), SOURCE_TOO_LARGE);
    assert_string_equal(event.origin, "in1");
    assert_int_equal(event.length, MAX_EVENT + 1);
    slice_drop(&event.bytes);
    expect_line(source, 0, "{\"k\":1}");
    expect_placeless(source, "{\"k\":", NULL);
    expect_placeless(source, "7", "jq '.k': Cannot index number with string \"k\"");
    expect_line(source, 0, "{\"k\":2}");
    expect_line(source, 1, "{\"k\":3}");
    expect_status(source, SOURCE_END);
    assert_int_equal(said.len, 0);
    source->free(source);
}

static void refuses_a_value_that_does_not_come(void **state)
{
    (void)state;
    struct source *source = open_pipes(1, "select(. > 1)");
    put(0, "1\n2\n");
    end(0);
    expect_placeless(source, "1", "jq 'select(. > 1)': no value");
    expect_line(source, 0, "2");
    expect_status(source, SOURCE_END);
    source->free(source);
}

/* ---- against a model that looks at all inputs for each line ---- */

struct made {
    struct buf text;
    size_t next; /* the line that is to come; its text is what is compared */
};

static struct str line_at(const struct made *made)
{
    const char *start = made->text.data + made->next;
    const char *lf = memchr(start, '\n', made->text.len - made->next);
    return (struct str){start, (size_t)(lf - start)};
}

static void make_input(struct made *made, struct rng *rng)
{
    *made = (struct made){0};
    uint64_t value = 0;
    for (uint64_t left = rng_below(rng, 300); left; left--) {
        value += rng_below(rng, 4) ? 0 : rng_below(rng, 12);
        buf_addf(&made->text, "%s%llu%s\n", rng_below(rng, 9) ? "" : " ", (unsigned long long)value,
                 rng_below(rng, 3) ? "" : ".0");
    }
}

static double value_at(const struct made *made)
{
    return strtod(line_at(made).data, NULL); /* the number ends before the LF */
}

static int least(const struct made *inputs, unsigned count)
{
    int found = -1;
    for (unsigned i = 0; i < count; i++) {
        if (inputs[i].next == inputs[i].text.len)
            continue;
        if (found < 0 || value_at(&inputs[i]) < value_at(&inputs[found]))
            found = (int)i;
    }
    return found;
}

static void try_seed(uint64_t seed)
{
    struct rng rng;
    struct made inputs[MOST];
    rng_seed(&rng, seed);
    unsigned count = 1 + (unsigned)rng_below(&rng, MOST);
    struct source *source = open_pipes(count, ".");
    for (unsigned i = 0; i < count; i++) {
        make_input(&inputs[i], &rng);
        buf_cstr(&inputs[i].text);
        put(i, inputs[i].text.len ? inputs[i].text.data : "");
        end(i);
    }
    struct source_event event;
    for (int i; (i = least(inputs, count)) >= 0;) {
        struct str line = line_at(&inputs[i]);
        inputs[i].next += line.len + 1;
        assert_int_equal(take(source, &event), SOURCE_EVENT);
        assert_string_equal(event.origin, names[i]);
        assert_true(str_eq(slice_str(event.bytes), line));
        slice_drop(&event.bytes);
    }
    assert_int_equal(take(source, &event), SOURCE_END);
    source->free(source);
    for (unsigned i = 0; i < count; i++)
        buf_free(&inputs[i].text);
}

static void merges_random_inputs_stably(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++)
        try_seed(seed);
    assert_int_equal(said.len, 0);
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CLAIM(gives_the_least_line_of_all_inputs),
        CLAIM(waits_for_each_input_that_has_not_ended),
        CLAIM(can_be_freed_with_lines_at_hand),
        CLAIM(names_an_input_that_is_not_sorted_once_and_loses_nothing),
        CLAIM(passes_on_a_line_without_a_place_at_once),
        CLAIM(refuses_a_value_that_does_not_come),
        CLAIM(merges_random_inputs_stably),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
