/* test_http.c: URLs of functions and what events fill into them; how long a server asks to wait. */
#include "fn/failure.h"
#include "fn/http_url.h"
#include "fn/retry_after.h"

#include "base/num.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void refuses_a_url_that_is_none(void **state)
{
    (void)state;
    static const struct {
        const char *text, *cause;
    } cases[] = {
        {"http://", "names no host"},
        {"https:///x", "names no host"},
        {"http://:80/", "names no host"},
        {"http://a b/", "no host is named 'a b'"},
        {"http://h\\@evil/", "user and password"},
        {"http://h\\evil/", "no host is named"},
        {"http://h\xC3\xA9/", "no host is named"},
        {"http://[::1/", "no host is named"},
        {"http://[::1]x/", "no host is named"},
        {"http://h:0/", "port: must not be 0"},
        {"http://h:65536/", "port: too large"},
        {"http://h:/", "port: empty"},
        {"http://h:080/", "port: a leading zero"},
        {"http://h/a b", "byte 3 behind the host must be percent-encoded"},
        {"http://h/\xC3\xA9", "byte 2 behind the host must be percent-encoded"},
        {"http://h/\"", "must be percent-encoded"},
        {"http://h/a\nb", "must be percent-encoded"},
        {"http://h/#part", "what follows a # is never sent"},
        {"http://{.h}/", "no event may choose the server"},
        {"http://{}", "no event may choose the server"},
        {"http://h{.x}/", "no event may choose the server"},
        {"http://h:{.port}/", "no event may choose the server"},
        {"http://h/{.a", "no } after"},
        {"http://h/?q={.a[}", "placeholder"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        struct http_url *url = http_url_new(cases[i].text, false, &err);
        if (url || !strstr(err.text, cases[i].cause))
            fail_msg("%s: %s, not: %s", cases[i].text, url ? "taken" : err.text, cases[i].cause);
        assert_int_equal(err.kind, ERR_USAGE);
    }
}

static void never_repeats_a_password(void **state)
{
    (void)state;
    static const char *const cases[] = {"http://user:secret@h/", "https://secret@h/",
                                        "https://a:b@secret@h/", "http://u:secret@{.x}/"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err;
        assert_null(http_url_new(cases[i], false, &err));
        assert_null(strstr(err.text, "secret"));
        assert_non_null(strstr(err.text, "--header-file"));
    }
}

/* Nor one that was not percent-encoded, and so does not stand where passwords do. */
static void never_repeats_what_may_be_a_password(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "http://user:a/secret@h/",     "http://user:a#secret@h/", "http://user:a?secret@h/",
        "http:///user:secret@h/",      "https://u:1/secret@h#",   "http://u:1/{.secret@h/",
        "http://u:1/a?q={.secret[@h/",
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err;
        assert_null(http_url_new(cases[i], false, &err));
        if (strstr(err.text, "secret"))
            fail_msg("%s", err.text);
        assert_int_equal(err.kind, ERR_USAGE);
    }
}

static void fills_in_values_percent_encoded(void **state)
{
    (void)state;
    static const struct {
        const char *text, *event, *filled;
    } cases[] = {
        {"http://h", "1", "http://h"},
        {"http://h:8080/a?b=c&d=%20", "1", "http://h:8080/a?b=c&d=%20"},
        {"http://[::1]:80/", "1", "http://[::1]:80/"},
        {"http://h/{print}", "1", "http://h/{print}"},
        {"http://h/{.id}", "{\"id\":7}", "http://h/7"},
        {"http://h/{.id}", "{\"id\":\"a-b_c.d~e\"}", "http://h/a-b_c.d~e"},
        {"http://h/{.id}/x", "{\"id\":\"../../admin?a=b#c\"}",
         "http://h/..%2F..%2Fadmin%3Fa%3Db%23c/x"},
        {"http://h/{.id}", "{\"id\":\"%2e%2e\"}", "http://h/%252e%252e"},
        {"http://h/{.id}", "{\"id\":\" \\r\\n\\u00e9\"}", "http://h/%20%0D%0A%C3%A9"},
        {"http://h/{.a}{.b}", "{\"a\":\"\",\"b\":\"x\"}", "http://h/x"},
        {"http://h/a..b/{.a}", "{\"a\":\"x\"}", "http://h/a..b/x"},
        {"http://h//x/../{.a}/", "{\"a\":\"y\"}", "http://h//x/../y/"},
        {"http://h?q={.a}&r={.b}", "{\"a\":\"x&r=y\",\"b\":\"\"}", "http://h?q=x%26r%3Dy&r="},
        {"http://h/x?q={}", "[1,\"a b\"]", "http://h/x?q=%5B1%2C%22a%20b%22%5D"},
        {"http://h/x?q={.a}", "{\"a\":\"..\"}", "http://h/x?q=.."},
        {"http://h/{.a}", "{\"a\":\"...\"}", "http://h/..."},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        struct http_url *url = http_url_new(cases[i].text, false, &err);
        if (!url)
            fail_msg("%s: %s", cases[i].text, err.text);
        const char *filled = http_url_for(url, str_of(cases[i].event), &err);
        if (!filled || strcmp(filled, cases[i].filled) != 0)
            fail_msg("%s: %s, not: %s", cases[i].text, filled ? filled : err.text, cases[i].filled);
        http_url_free(url);
    }
}

static void refuses_values_that_change_the_path(void **state)
{
    (void)state;
    static const struct {
        const char *text, *event;
    } cases[] = {
        {"http://h/{.a}", "{\"a\":\"..\"}"},
        {"http://h/{.a}/x", "{\"a\":\"..\"}"},
        {"http://h/{.a}?x", "{\"a\":\".\"}"},
        {"http://h/{.a}{.a}/x", "{\"a\":\".\"}"},
        {"http://h/.{.a}/x", "{\"a\":\".\"}"},
        {"http://h/{.a}", "{\"a\":\"\"}"},
        {"http://h/users/{.a}/orders", "{\"a\":\"\"}"},
        {"http://h/x/../{.a}/", "{\"a\":\"..\"}"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        struct http_url *url = http_url_new(cases[i].text, false, &err);
        const char *filled = http_url_for(url, str_of(cases[i].event), &err);
        if (filled)
            fail_msg("%s: %s", cases[i].text, filled);
        assert_int_equal(err.kind, ERR_INPUT);
        http_url_free(url);
    }
}

static unsigned count_of(const char *text, char wanted)
{
    unsigned count = 0;
    for (; *text; text++)
        count += *text == wanted;
    return count;
}

/* Strings of what could end a part of a URL, and a few others. */
static void add_nasty(struct buf *event, struct rng *rng)
{
    static const char *const pieces[] = {
        ".", "/", "\\\\",    "?",      "#",    "&",  "=",    "%", "%2f", "@",   ":",        ";",
        " ", "a", "\\u0001", "\\r\\n", "\\\"", "[]", "{.x}", "",  "..",  "%2e", "\xC3\xA9", "|"};
    buf_addc(event, '"');
    for (uint64_t n = rng_below(rng, 4); n; n--)
        buf_puts(event, pieces[rng_below(rng, COUNT(pieces))]);
    buf_addc(event, '"');
}

static void keeps_the_structure_whatever_the_values(void **state)
{
    (void)state;
    static const char url_text[] = "https://h:8443/v1/{.a}/x{.b}y/{.c}.json?q={.a}&r={.b}";
    struct rng rng;
    struct err err;
    struct buf event = {0};
    unsigned filled_in = 0;
    struct http_url *url = http_url_new(url_text, false, &err);
    rng_seed(&rng, 1);
    for (int i = 0; i < 20000; i++) {
        buf_clear(&event);
        buf_puts(&event, "{\"a\":");
        add_nasty(&event, &rng);
        buf_puts(&event, ",\"b\":");
        add_nasty(&event, &rng);
        buf_puts(&event, ",\"c\":");
        add_nasty(&event, &rng);
        buf_puts(&event, "}");
        const char *filled = http_url_for(url, buf_str(&event), &err);
        if (!filled)
            continue;
        filled_in++;
        bool same = strncmp(filled, url_text, 18) == 0 && count_of(filled, '/') == 6 &&
                    count_of(filled, '?') == 1 && count_of(filled, '&') == 1 &&
                    count_of(filled, '=') == 2 && count_of(filled, '#') == 0 &&
                    count_of(filled, '@') == 0 && !strstr(filled, "/../") &&
                    !strstr(filled, "/./") && !strstr(filled + 8, "//");
        for (const char *at = filled; *at; at++)
            same = same && *at > ' ' && *at <= '~' && *at != '\\' && *at != '"';
        if (!same)
            fail_msg("%s: %s", buf_cstr(&event), filled);
    }
    assert_true(filled_in > 10000 && filled_in < 20000);
    http_url_free(url);
    buf_free(&event);
}

static void judges_a_status_also_where_it_was_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
        enum failure_class class;
        int64_t seconds;
    } cases[] = {
        {"{\"reason\":\"http\",\"status\":503}", 503, FAILURE_TEMPORARY, 0},
        {"{\"reason\":\"http\",\"status\":429,\"error\":{\"retry_after\":2}}", 429,
         FAILURE_TEMPORARY, 2},
        {"{\"reason\":\"http\",\"status\":404,\"error\":{\"retry_after\":1e9}}", 404,
         FAILURE_PERMANENT, 86400},
        {"{\"reason\":\"http\",\"status\":308,\"error\":{\"retry_after\":-1}}", 308,
         FAILURE_PERMANENT, 0},
        {"{\"reason\":\"http\",\"status\":408,\"error\":[1]}", 408, FAILURE_TEMPORARY, 0},
        {"{\"reason\":\"connection\"}", 0, FAILURE_TEMPORARY, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct failure *failure = failure_read(str_of(cases[i].text));
        assert_int_equal(failure->status, cases[i].status);
        assert_int_equal(failure->class, cases[i].class);
        assert_true(failure->retry_after == cases[i].seconds * NUM_SECOND);
        failure_free(failure);
    }
}

static void leaves_placeholders_alone_if_told_so(void **state)
{
    (void)state;
    struct err err;
    struct http_url *url = http_url_new("http://h/{.a}", true, &err);
    assert_string_equal(http_url_for(url, STR("1"), &err), "http://h/{.a}");
    http_url_free(url);
}

static void follows_to_the_same_server_only(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        bool may;
    } cases[] = {
        {"http://h/a", "http://h/b", true},        {"http://h/a", "http://H:80/b?c", true},
        {"https://h:443/a", "https://h", true},    {"http://h/a", "https://h/a", true},
        {"http://h:8080/a", "https://h/a", true},  {"http://[::1]:1/a", "http://[::1]:1/b", true},
        {"https://h/a", "http://h/a", false},      {"http://h/a", "http://h:81/a", false},
        {"https://h/a", "https://h:444/a", false}, {"http://h/a", "http://h.evil/a", false},
        {"http://h/a", "http://evil/h", false},    {"http://h/a", "http://h@evil/", false},
        {"http://h/a", "http://u:p@h/", false},    {"http://h/a", "file:///etc/passwd", false},
        {"http://h/a", "gopher://h/", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (http_url_may_follow(cases[i].from, cases[i].to) != cases[i].may)
            fail_msg("%s to %s", cases[i].from, cases[i].to);
    }
}

static void shows_a_url_without_its_secrets(void **state)
{
    (void)state;
    struct buf out = {0};
    http_url_show(&out, "https://user:secret@h:1/a/b?token=secret#x");
    assert_string_equal(buf_cstr(&out), "https://h:1/a/b");
    buf_clear(&out);
    http_url_show(&out, "http://h/\x1b[1m");
    assert_string_equal(buf_cstr(&out), "http://h/?[1m");
    buf_free(&out);
}

static void reads_how_long_to_wait(void **state)
{
    (void)state;
    const int64_t wall = INT64_C(784111777) * NUM_SECOND; /* the date in the examples of RFC 9110 */
    static const struct {
        const char *value;
        int64_t seconds;
    } cases[] = {
        {"120", 120},
        {" 1 ", 1},
        {"0", 0},
        {"86400", 86400},
        {"86401", 86400},
        {"99999999999999999999999999999999", 86400},
        {"-1", 0},
        {"1.5", 0},
        {"1e3", 0},
        {"", 0},
        {"soon", 0},
        {"Sun, 06 Nov 1994 08:49:47 GMT", 10},
        {"Sunday, 06-Nov-94 08:49:47 GMT", 10},
        {"Sun Nov  6 08:49:47 1994", 10},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
        {"Sun, 06 Nov 1994 08:49:27 GMT", 0},
        {"Mon, 06 Nov 2094 08:49:37 GMT", 86400},
        {"Sun, 06 Nov 1994 08:49:47", 0},
        {"Sun, 06 Nov 1994 08:49:47 GMT and more", 0},
        {"Sun, 06 Nov 1994 08:49:47 GMT0000000000000000000000000000", 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t read = retry_after_read(str_of(cases[i].value), wall);
        if (read != cases[i].seconds * NUM_SECOND)
            fail_msg("%s: %lld", cases[i].value, (long long)read);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_a_url_that_is_none),
        cmocka_unit_test(never_repeats_a_password),
        cmocka_unit_test(never_repeats_what_may_be_a_password),
        cmocka_unit_test(fills_in_values_percent_encoded),
        cmocka_unit_test(refuses_values_that_change_the_path),
        cmocka_unit_test(keeps_the_structure_whatever_the_values),
        cmocka_unit_test(judges_a_status_also_where_it_was_read),
        cmocka_unit_test(leaves_placeholders_alone_if_told_so),
        cmocka_unit_test(follows_to_the_same_server_only),
        cmocka_unit_test(shows_a_url_without_its_secrets),
        cmocka_unit_test(reads_how_long_to_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
