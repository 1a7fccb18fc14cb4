/* test_cloudevent.c: claims about the CloudEvents that commands originate. */
#include "format/cloudevent.h"

#include "base/rng.h"
#include "engine/identity.h"
#include "format/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct cloudevent tick = {
    .id = {"7", 1}, .source = {"fit:every/report", 16}, .type = "fit.every.tick"};

static void writes(struct cloudevent event, const char *expected)
{
    struct buf out = {0};
    cloudevent_write(&event, &out);
    assert_string_equal(buf_cstr(&out), expected);
    assert_true(cloudevent_is(buf_str(&out)));
    buf_free(&out);
}

static void writes_the_attributes_and_the_data(void **state)
{
    struct cloudevent event = tick;
    (void)state;
    writes(event, "{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"fit:every/report\","
                  "\"type\":\"fit.every.tick\"}");
    event.subject = STR("us7000");
    event.time = INT64_C(1700000000123000000);
    event.data = STR("{ \"n\": 1.50 }");
    writes(event, "{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"fit:every/report\","
                  "\"type\":\"fit.every.tick\",\"subject\":\"us7000\","
                  "\"time\":\"2023-11-14T22:13:20.123Z\",\"datacontenttype\":\"application/json\","
                  "\"data\":{ \"n\": 1.50 }}");
}

static void appends_to_what_is_there(void **state)
{
    struct buf out = {0};
    (void)state;
    cloudevent_write(&tick, &out);
    size_t len = out.len;
    cloudevent_write(&tick, &out);
    assert_int_equal(out.len, 2 * len);
    assert_memory_equal(out.data, out.data + len, len);
    buf_free(&out);
}

/* The member of that name, decoded. */
static void assert_member(struct str event, const char *key, struct str expected)
{
    struct json_iter iter;
    struct buf text = {0};
    json_iter_init(&iter, event);
    while (json_iter_next(&iter)) {
        if (!str_eq(iter.key, str_of(key)))
            continue;
        assert_int_equal(json_decode(iter.value, &text), 0);
        assert_true(str_eq(buf_str(&text), expected));
        buf_free(&text);
        return;
    }
    fail_msg("there is no %s", key);
}

static struct str random_text(struct rng *rng, char text[64])
{
    static const char *const pieces[] = {
        "\"", "\\",           "\n",   "\r", "\t", "\x01", "a", "\xc3\xa9",        "/",
        " ",  "\xe2\x80\xa8", "\x7f", "u",  "{",  "\\u",  "'", "\xf0\x9f\x98\x80"};
    size_t len = 0;
    for (uint64_t left = 1 + rng_below(rng, 10); left; left--) {
        struct str piece = str_of(pieces[rng_below(rng, sizeof pieces / sizeof *pieces)]);
        if (rng_below(rng, 12) == 0)
            piece = (struct str){"", 1}; /* a NUL */
        memcpy(text + len, piece.data, piece.len);
        len += piece.len;
    }
    return (struct str){text, len};
}

static void holds_any_text_in_one_line(void **state)
{
    char id[64], source[64], subject[64];
    struct buf out = {0};
    struct json_scan scan;
    struct rng rng;
    (void)state;
    rng_seed(&rng, 3);
    for (int i = 0; i < 20000; i++) {
        struct cloudevent event = {.id = random_text(&rng, id),
                                   .source = random_text(&rng, source),
                                   .type = "fit.poll.change",
                                   .subject = random_text(&rng, subject),
                                   .data = STR("[1]")};
        buf_clear(&out);
        cloudevent_write(&event, &out);
        assert_int_equal(json_scan(buf_str(&out), NULL, NULL, &scan), 0);
        assert_null(memchr(out.data, '\n', out.len));
        assert_true(cloudevent_is(buf_str(&out)));
        assert_member(buf_str(&out), "\"id\"", event.id);
        assert_member(buf_str(&out), "\"source\"", event.source);
        assert_member(buf_str(&out), "\"subject\"", event.subject);
    }
    buf_free(&out);
}

static void is_known_by_its_source_and_id(void **state)
{
    struct buf out = {0}, id = {0};
    struct err err;
    struct identity *identity = identity_new(NULL, &err);
    (void)state;
    cloudevent_write(&tick, &out);
    assert_int_equal(identity_own(identity, buf_str(&out), &id, &err), 1);
    assert_string_equal(buf_cstr(&id), "fit:every/report#7");
    struct cloudevent other = tick;
    other.source = STR("fit:poll/a \"b\"\\\xc3\xa9");
    other.id = STR("us7000\n1");
    buf_clear(&out);
    cloudevent_write(&other, &out);
    assert_int_equal(identity_own(identity, buf_str(&out), &id, &err), 1);
    assert_string_equal(buf_cstr(&id), "fit:poll/a \"b\"\\\xc3\xa9#us7000?1");
    identity_free(identity);
    buf_free(&out);
    buf_free(&id);
}

static void tells_an_event_from_other_values(void **state)
{
#define ATTRIBUTES "\"id\":\"1\",\"source\":\"s\",\"type\":\"t\""
    static const char *const events[] = {
        "{\"specversion\":\"1.0\"," ATTRIBUTES "}",
        "{" ATTRIBUTES ",\"x\":{\"id\":1}, \"specversion\" : \"1.1\" }",
        "{\"id\":1,\"specversion\":\"1.0\"," ATTRIBUTES "}", /* the last one counts */
    };
    static const char *const others[] = {
        "1",
        "[]",
        "{}",
        "\"specversion\"",
        "{" ATTRIBUTES "}",
        "{\"specversion\":\"0.3\"," ATTRIBUTES "}",
        "{\"specversion\":1.0," ATTRIBUTES "}",
        "{\"specversion\":\"1.0\",\"id\":\"\",\"source\":\"s\",\"type\":\"t\"}",
        "{\"specversion\":\"1.0\",\"id\":7,\"source\":\"s\",\"type\":\"t\"}",
        "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\"}",
        "{\"specversion\":\"1.0\"," ATTRIBUTES ",\"type\":null}",
        "[{\"specversion\":\"1.0\"," ATTRIBUTES "}]",
    };
    (void)state;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (!cloudevent_is(str_of(events[i])))
            fail_msg("%s is one", events[i]);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (cloudevent_is(str_of(others[i])))
            fail_msg("%s is none", others[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_attributes_and_the_data),
        cmocka_unit_test(appends_to_what_is_there),
        cmocka_unit_test(holds_any_text_in_one_line),
        cmocka_unit_test(is_known_by_its_source_and_id),
        cmocka_unit_test(tells_an_event_from_other_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
