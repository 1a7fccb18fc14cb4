/* test_lambda_api.c: every request in every state of the Lambda Runtime API. */
#include "fn/lambda_api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* ---- what a request is about ---- */

static void knows_the_four_resources(void **state)
{
    (void)state;
    enum lambda_ask ask;
    struct str id;
    assert_int_equal(lambda_api_route("GET", "/2018-06-01/runtime/invocation/next", &ask, &id), 0);
    assert_int_equal(ask, LAMBDA_NEXT);
    assert_int_equal(
        lambda_api_route("POST", "/2018-06-01/runtime/invocation/a-1/response", &ask, &id), 0);
    assert_int_equal(ask, LAMBDA_RESPONSE);
    assert_true(str_eq(id, STR("a-1")));
    assert_int_equal(
        lambda_api_route("POST", "/2018-06-01/runtime/invocation/a-1/error", &ask, &id), 0);
    assert_int_equal(ask, LAMBDA_ERROR);
    assert_true(str_eq(id, STR("a-1")));
    assert_int_equal(lambda_api_route("POST", "/2018-06-01/runtime/init/error", &ask, &id), 0);
    assert_int_equal(ask, LAMBDA_INIT_ERROR);
    assert_int_equal(id.len, 0);
}

static void knows_nothing_else(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "/",
        "",
        "/2018-06-01",
        "/2018-06-01/runtime/",
        "/2018-06-01/runtime/invocation/",
        "/2018-06-01/runtime/invocation/next/",
        "/2018-06-01/runtime/invocation//response",
        "/2018-06-01/runtime/invocation/a/b/response",
        "/2018-06-01/runtime/invocation/a/responses",
        "/2018-06-01/runtime/invocation/response",
        "/2018-06-01/runtime/init/errors",
        "/2018-06-01/runtime/restore/next",
        "/2015-03-31/runtime/invocation/next",
        "/2020-01-01/extension/register",
        "//2018-06-01/runtime/invocation/next",
    };
    enum lambda_ask ask;
    struct str id;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        assert_int_equal(lambda_api_route("GET", paths[i], &ask, &id), 404);
        assert_int_equal(lambda_api_route("POST", paths[i], &ask, &id), 404);
    }
}

static void refuses_other_methods(void **state)
{
    (void)state;
    static const char *const methods[] = {"GET", "POST", "PUT", "HEAD", "DELETE", "get", ""};
    enum lambda_ask ask;
    struct str id;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        bool get = strcmp(methods[i], "GET") == 0, post = strcmp(methods[i], "POST") == 0;
        assert_int_equal(
            lambda_api_route(methods[i], "/2018-06-01/runtime/invocation/next", &ask, &id),
            get ? 0 : 405);
        assert_int_equal(lambda_api_route(methods[i], "/2018-06-01/runtime/init/error", &ask, &id),
                         post ? 0 : 405);
        assert_int_equal(
            lambda_api_route(methods[i], "/2018-06-01/runtime/invocation/a/error", &ask, &id),
            post ? 0 : 405);
    }
}

/* ---- what becomes of it: the whole table, a row for each request ---- */

#define WRONG_TURN                                                   \
    {                                                                \
        LAMBDA_NOTHING, LAMBDA_STATES, 403, "InvalidStateTransition" \
    }
#define WRONG_ID                                               \
    {                                                          \
        LAMBDA_NOTHING, LAMBDA_STATES, 400, "InvalidRequestID" \
    }
#define TOO_LARGE "RequestEntityTooLarge"

struct row {
    const char *what;
    enum lambda_ask ask;
    bool known, too_large;
    struct lambda_verdict in[LAMBDA_STATES]; /* state LAMBDA_STATES: it stays as it was */
};

/* The states: starting, waiting, invoked, answered, leaving, failed, over. */
static const struct row table[] = {
    {"next",
     LAMBDA_NEXT,
     false,
     false,
     {{LAMBDA_OPEN, LAMBDA_WAITING, 0, NULL},
      WRONG_TURN,
      {LAMBDA_AGAIN, LAMBDA_INVOKED, 0, NULL},
      {LAMBDA_OPEN, LAMBDA_WAITING, 0, NULL},
      {LAMBDA_LEAVES, LAMBDA_OVER, 0, NULL},
      WRONG_TURN,
      WRONG_TURN}},
    {"response",
     LAMBDA_RESPONSE,
     true,
     false,
     {WRONG_TURN,
      WRONG_TURN,
      {LAMBDA_SUCCEEDS, LAMBDA_ANSWERED, 202, NULL},
      WRONG_TURN,
      WRONG_TURN,
      WRONG_TURN,
      WRONG_ID}},
    {"response, too large",
     LAMBDA_RESPONSE,
     true,
     true,
     {WRONG_TURN,
      WRONG_TURN,
      {LAMBDA_OVERSIZED, LAMBDA_ANSWERED, 413, TOO_LARGE},
      WRONG_TURN,
      WRONG_TURN,
      WRONG_TURN,
      WRONG_ID}},
    {"response, other id",
     LAMBDA_RESPONSE,
     false,
     false,
     {WRONG_ID, WRONG_ID, WRONG_ID, WRONG_ID, WRONG_ID, WRONG_ID, WRONG_ID}},
    {"response, other id, too large",
     LAMBDA_RESPONSE,
     false,
     true,
     {WRONG_ID, WRONG_ID, WRONG_ID, WRONG_ID, WRONG_ID, WRONG_ID, WRONG_ID}},
    {"error",
     LAMBDA_ERROR,
     true,
     false,
     {WRONG_TURN,
      WRONG_TURN,
      {LAMBDA_FAILS, LAMBDA_ANSWERED, 202, NULL},
      WRONG_TURN,
      WRONG_TURN,
      WRONG_TURN,
      WRONG_ID}},
    {"error, too large",
     LAMBDA_ERROR,
     true,
     true,
     {WRONG_TURN,
      WRONG_TURN,
      {LAMBDA_OVERSIZED, LAMBDA_ANSWERED, 413, TOO_LARGE},
      WRONG_TURN,
      WRONG_TURN,
      WRONG_TURN,
      WRONG_ID}},
    {"error, other id",
     LAMBDA_ERROR,
     false,
     false,
     {WRONG_ID, WRONG_ID, WRONG_ID, WRONG_ID, WRONG_ID, WRONG_ID, WRONG_ID}},
    {"error, other id, too large",
     LAMBDA_ERROR,
     false,
     true,
     {WRONG_ID, WRONG_ID, WRONG_ID, WRONG_ID, WRONG_ID, WRONG_ID, WRONG_ID}},
    {"init error",
     LAMBDA_INIT_ERROR,
     false,
     false,
     {{LAMBDA_INIT_FAILS, LAMBDA_FAILED, 202, NULL},
      WRONG_TURN,
      WRONG_TURN,
      WRONG_TURN,
      WRONG_TURN,
      WRONG_TURN,
      WRONG_TURN}},
    {"init error, too large",
     LAMBDA_INIT_ERROR,
     false,
     true,
     {{LAMBDA_INIT_FAILS, LAMBDA_FAILED, 413, TOO_LARGE},
      WRONG_TURN,
      WRONG_TURN,
      WRONG_TURN,
      WRONG_TURN,
      WRONG_TURN,
      WRONG_TURN}},
};

static void answers_every_request_in_every_state(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        for (enum lambda_state state = 0; state < LAMBDA_STATES; state++) {
            const struct row *row = &table[i];
            const struct lambda_verdict *wanted = &row->in[state];
            struct lambda_verdict got =
                lambda_api_judge(state, row->ask, row->known, row->too_large);
            enum lambda_state after = wanted->state == LAMBDA_STATES ? state : wanted->state;
            bool same_type = wanted->error_type
                                 ? got.error_type && !strcmp(got.error_type, wanted->error_type)
                                 : !got.error_type;
            if (got.effect != wanted->effect || got.state != after ||
                got.status != wanted->status || !same_type)
                fail_msg("%s while %s: %u, %s, then %s", row->what, lambda_api_state_name(state),
                         got.status, got.error_type ? got.error_type : "no error",
                         lambda_api_state_name(got.state));
        }
    }
}

static void heeds_the_size_of_nothing_that_has_no_body(void **unused)
{
    (void)unused;
    for (enum lambda_state state = 0; state < LAMBDA_STATES; state++) {
        for (int flags = 0; flags < 4; flags++) {
            struct lambda_verdict plain = lambda_api_judge(state, LAMBDA_NEXT, false, false);
            struct lambda_verdict other =
                lambda_api_judge(state, LAMBDA_NEXT, flags & 1, flags & 2);
            assert_int_equal(plain.effect, other.effect);
            assert_int_equal(plain.status, other.status);
            assert_int_equal(plain.state, other.state);
        }
    }
}

/* However an environment behaves: one invocation has one outcome, and nothing follows its end. */
static void gives_each_invocation_one_outcome(void **unused)
{
    (void)unused;
    enum lambda_state state = LAMBDA_STARTING;
    uint32_t random = 1;
    bool open = false; /* an event is handed out and has no outcome */
    for (unsigned i = 0; i < 1000000; i++) {
        random = random * 1664525 + 1013904223;
        enum lambda_ask ask = (random >> 16) % LAMBDA_ASKS;
        bool known = random >> 20 & 1, too_large = random >> 21 & 1;
        struct lambda_verdict verdict = lambda_api_judge(state, ask, known, too_large);
        bool outcome = verdict.effect == LAMBDA_SUCCEEDS || verdict.effect == LAMBDA_OVERSIZED ||
                       verdict.effect == LAMBDA_FAILS;
        if (outcome)
            assert_true(open && known);
        if (outcome)
            open = false;
        if (verdict.effect == LAMBDA_AGAIN)
            assert_true(open);
        assert_true(verdict.effect != LAMBDA_OPEN || !open);
        assert_true(verdict.effect != LAMBDA_NOTHING || verdict.state == state);
        assert_int_equal(verdict.status >= 400, verdict.error_type != NULL);
        state = verdict.state;
        if (state == LAMBDA_WAITING && (random >> 24 & 1)) { /* an event comes */
            state = LAMBDA_INVOKED;
            open = true;
        }
        if (state == LAMBDA_ANSWERED && (random >> 25) % 64 == 0)
            state = LAMBDA_LEAVING;
        if (state == LAMBDA_FAILED || state == LAMBDA_OVER)
            state = LAMBDA_STARTING; /* another process */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_four_resources),
        cmocka_unit_test(knows_nothing_else),
        cmocka_unit_test(refuses_other_methods),
        cmocka_unit_test(answers_every_request_in_every_state),
        cmocka_unit_test(heeds_the_size_of_nothing_that_has_no_body),
        cmocka_unit_test(gives_each_invocation_one_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
