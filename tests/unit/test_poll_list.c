/* test_poll_list.c: claims about engine/poll_list.h and engine/poll_event.h. */
#include "engine/poll_list.h"

#include "base/num.h"
#include "engine/poll_event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct err err;

struct looked {
    struct poll_form form;
    struct poll_list list;
};

static int read_value(struct looked *looked, const char *items, const char *key, const char *ignore,
                      const char *value)
{
    *looked = (struct looked){0};
    assert_int_equal(poll_form_init(&looked->form, items, key, ignore, &err), 0);
    return poll_list_read(&looked->list, &looked->form, slice_dup(str_of(value)), &err);
}

static void drop(struct looked *looked)
{
    poll_list_clear(&looked->list);
    poll_form_free(&looked->form);
}

static bool same(struct hash128 a, struct hash128 b)
{
    return a.high == b.high && a.low == b.low;
}

static bool are_equal(const char *ignore, const char *one, const char *other)
{
    struct looked looked[2];
    assert_int_equal(read_value(&looked[0], NULL, NULL, ignore, one), 0);
    assert_int_equal(read_value(&looked[1], NULL, NULL, ignore, other), 0);
    bool equal = same(looked[0].list.hashes[0].value, looked[1].list.hashes[0].value);
    assert_true(same(looked[0].list.hashes[0].key, looked[1].list.hashes[0].key));
    drop(&looked[0]);
    drop(&looked[1]);
    return equal;
}

static void compares_what_values_say(void **state)
{
    (void)state;
    assert_true(are_equal(NULL, "{\"a\":1,\"b\":[2]}\n", " { \"b\":[2.0],\"\\u0061\" : 1 }"));
    assert_true(are_equal(NULL, "1e2", "100"));
    assert_false(are_equal(NULL, "[1,2]", "[2,1]"));
    assert_false(are_equal(NULL, "1", "\"1\""));
    assert_false(are_equal(NULL, "100000000000000000000000001", "100000000000000000000000002"));
    assert_true(are_equal(".a[].t, .t", "{\"a\":[{\"t\":1}],\"t\":2}", "{\"a\":[{}]}"));
    assert_true(are_equal(".t | select(. > 0)", "{\"t\":1,\"v\":1}", "{\"t\":2,\"v\":1}"));
    assert_false(are_equal(".t", "{\"v\":1}", "{\"v\":2}"));
}

static void expect_items(const char *items, const char *key, const char *value, const char *wanted)
{
    struct looked looked;
    struct buf found = {0};
    assert_int_equal(read_value(&looked, items, key, NULL, value), 0);
    for (size_t i = 0; i < looked.list.count; i++) {
        buf_add_str(&found, poll_list_key(&looked.list, i));
        buf_addc(&found, '=');
        buf_add_str(&found, looked.list.texts[i].value);
        buf_addc(&found, ' ');
    }
    assert_string_equal(buf_cstr(&found), wanted);
    buf_free(&found);
    drop(&looked);
}

static void takes_arrays_for_lists_and_the_rest_for_items(void **state)
{
    (void)state;
    expect_items(".", ".k", "[{\"k\":1},{\"k\":\"a\"}]", "1={\"k\":1} \"a\"={\"k\":\"a\"} ");
    expect_items(".[]", ".k", "[{\"k\":1},{\"k\":[2]}]", "1={\"k\":1} [2]={\"k\":[2]} ");
    expect_items(".a, .b", NULL, "{\"a\":[1, [2]],\"b\":3}", "1=1 [2]=[2] 3=3 ");
    expect_items(".", NULL, "[]", "");
    expect_items(".", NULL, "[null]", "null=null ");
    expect_items(".[] | {k: .}", ".k", "[1.0,2]", "1={\"k\":1} 2={\"k\":2} ");
    expect_items(NULL, NULL, " {} \n", "null={} ");
}

static void refuse(const char *items, const char *key, const char *value, const char *why)
{
    struct looked looked;
    assert_int_equal(read_value(&looked, items, key, NULL, value), -1);
    if (!strstr(err.text, why))
        fail_msg("%s: \"%s\" is not in \"%s\"", value, why, err.text);
    drop(&looked);
}

static void refuses_what_has_no_list_or_no_key(void **state)
{
    (void)state;
    refuse(".a", NULL, "{}", "--items gives null");
    refuse(".a", NULL, "1", "--items");
    refuse(".", ".k", "[{\"k\":1},{}]", "item 2 has no key: {}");
    refuse(".", ".k", "[{\"k\":null}]", "item 1 has no key");
    refuse(".", ".k", "[1]", "--key");
    struct buf deep = {0};
    for (unsigned i = 0; i < 600; i++)
        buf_addc(&deep, '[');
    for (unsigned i = 0; i < 600; i++)
        buf_addc(&deep, ']');
    refuse(NULL, NULL, buf_cstr(&deep), "deep");
    buf_free(&deep);
}

static void tells_equal_items_without_keys_apart(void **state)
{
    (void)state;
    struct looked looked[2];
    assert_int_equal(read_value(&looked[0], ".", NULL, NULL, "[\"x\",\"y\",\"x\"]"), 0);
    assert_int_equal(read_value(&looked[1], ".", NULL, NULL, "[\"x\",\"x\"]"), 0);
    const struct change_item *a = looked[0].list.hashes, *b = looked[1].list.hashes;
    assert_false(same(a[0].key, a[2].key));
    assert_true(same(a[0].value, a[2].value));
    assert_true(same(a[0].key, b[0].key));
    assert_true(same(a[2].key, b[1].key));
    drop(&looked[0]);
    drop(&looked[1]);
}

static void refuses_programs_that_are_none(void **state)
{
    (void)state;
    struct poll_form form;
    assert_int_equal(poll_form_init(&form, ".[", NULL, NULL, &err), -1);
    assert_true(strncmp(err.text, "--items ", 8) == 0);
    poll_form_free(&form);
    assert_int_equal(poll_form_init(&form, ".", ".[", NULL, &err), -1);
    assert_true(strncmp(err.text, "--key ", 6) == 0);
    poll_form_free(&form);
    assert_int_equal(poll_form_init(&form, ".", NULL, ".[", &err), -1);
    assert_true(strncmp(err.text, "--ignore ", 9) == 0);
    poll_form_free(&form);
}

/* ---- events ---- */

static void expect_event(const struct poll_event *event, const char *wanted)
{
    struct buf out = {0};
    poll_event_write(event, &out);
    assert_string_equal(buf_cstr(&out), wanted);
    buf_free(&out);
}

#define HEAD(type) \
    "{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"fit:poll/n\",\"type\":\"" type "\""
#define REST \
    ",\"time\":\"1970-01-01T00:00:01.000Z\",\"datacontenttype\":\"application/json\",\"data\":"

static void writes_what_there_is_of_a_change(void **state)
{
    (void)state;
    struct poll_event event = {.source = STR("fit:poll/n"),
                               .id = STR("7"),
                               .time = NUM_SECOND,
                               .keyed = true,
                               .kind = CHANGE_UPDATED,
                               .key = STR("\"a\\nb\""),
                               .before = STR("{\"v\": 1}"),
                               .after = STR("{\"v\":2}")};
    expect_event(
        &event,
        HEAD(
            "fit.poll.updated") ",\"subject\":\"a\\nb\"" REST
                                "{\"key\":\"a\\nb\",\"old\":{\"v\": 1},\"new\":{\"v\":2},\"patch\":"
                                "[{\"op\":\"replace\",\"path\":\"/v\",\"value\":2}]}}");
    event.kind = CHANGE_DELETED;
    event.after = (struct str){0};
    expect_event(&event, HEAD("fit.poll.deleted") ",\"subject\":\"a\\nb\"" REST
                                                  "{\"key\":\"a\\nb\",\"old\":{\"v\": 1}}}");
    event = (struct poll_event){.source = STR("fit:poll/n"),
                                .id = STR("7"),
                                .time = NUM_SECOND,
                                .key = STR("{\"v\":1}"),
                                .after = STR("{\"v\":1}")};
    expect_event(&event, HEAD("fit.poll.created") REST "{\"new\":{\"v\":1}}}");
    event.whole = true;
    expect_event(&event, HEAD("fit.poll.change") REST
                 "{\"old\":null,\"new\":{\"v\":1},\"patch\":"
                 "[{\"op\":\"replace\",\"path\":\"\",\"value\":{\"v\":1}}]}}");
}

static void encodes_what_a_uri_must_not_hold(void **state)
{
    (void)state;
    struct buf source = {0};
    poll_event_source(STR("cat a/b?c#%\"\xc3\xa4"), &source);
    assert_string_equal(buf_cstr(&source), "fit:poll/cat%20a/b%3Fc%23%25%22%C3%A4");
    buf_free(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_what_values_say),
        cmocka_unit_test(takes_arrays_for_lists_and_the_rest_for_items),
        cmocka_unit_test(refuses_what_has_no_list_or_no_key),
        cmocka_unit_test(tells_equal_items_without_keys_apart),
        cmocka_unit_test(refuses_programs_that_are_none),
        cmocka_unit_test(writes_what_there_is_of_a_change),
        cmocka_unit_test(encodes_what_a_uri_must_not_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
