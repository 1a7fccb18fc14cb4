/* test_warm_wire.c: claims about fn/warm_wire.h. */
#include "fn/warm_wire.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { LIMIT = 1000, PLENTY = 100 * 1000 }; /* what a socket takes at once */

static struct loop *the_loop;
static struct stream_out out;
static struct warm_reader reader;
static int ends[2]; /* what is sent goes into [1] and is read from [0] */

static int setup(void **state)
{
    struct err err;
    (void)state;
    the_loop = loop_new(&err);
    assert_non_null(the_loop);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    out = (struct stream_out){0};
    stream_open(&out, the_loop, ends[1], true);
    reader = (struct warm_reader){.limit = LIMIT};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    stream_close(&out, 0);
    close(ends[0]);
    warm_reader_free(&reader);
    loop_free(the_loop);
    return 0;
}

static void send_frame(const struct warm_frame *frame)
{
    warm_send(&out, frame);
    stream_flush(&out);
}

static void assert_next(struct warm_frame *frame)
{
    struct err err;
    assert_int_equal(warm_next(&reader, frame, &err), 1);
}

static void assert_no_more(void)
{
    struct warm_frame frame;
    struct err err;
    assert_int_equal(warm_next(&reader, &frame, &err), 0);
}

static void assert_broken(void)
{
    struct warm_frame frame;
    struct err err;
    assert_int_equal(warm_next(&reader, &frame, &err), -1);
    assert_int_equal(err.kind, ERR_INPUT);
}

static const struct warm_frame request = {
    .type = WARM_REQUEST,
    .id = UINT64_C(0xfedcba9876543210),
    .parts = {{"{\"a\":\n\0 1}", 10}, {"identity", 8}, {NULL, 0}},
    .values = {INT64_MIN, -1, 0, INT64_MAX},
};

static void assert_is_request(const struct warm_frame *frame)
{
    assert_int_equal(frame->type, request.type);
    assert_int_equal(frame->id, request.id);
    assert_memory_equal(frame->values, request.values, sizeof request.values);
    for (int i = 0; i < WARM_PARTS; i++)
        assert_true(str_eq(frame->parts[i], request.parts[i]));
    assert_int_equal(frame->length, 18);
    assert_false(frame->too_large);
}

static void gives_back_what_was_sent(void **state)
{
    (void)state;
    struct warm_frame frame;
    send_frame(&request);
    send_frame(&(struct warm_frame){.type = WARM_CANCEL, .id = 7});
    send_frame(&request);
    assert_true(warm_read(&reader, ends[0]) > 0);
    assert_next(&frame);
    assert_is_request(&frame);
    assert_next(&frame);
    assert_int_equal(frame.type, WARM_CANCEL);
    assert_int_equal(frame.id, 7);
    assert_int_equal(frame.length, 0);
    assert_next(&frame);
    assert_is_request(&frame);
    assert_no_more();
}

/* All that is on the way, cut after so many bytes each. */
static void cut(size_t piece)
{
    char bytes[4096];
    struct warm_frame frame;
    struct err err;
    int again[2], seen = 0;
    send_frame(&request);
    send_frame(&request);
    ssize_t len = read(ends[0], bytes, sizeof bytes);
    assert_true(len > 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, again), 0);
    for (size_t at = 0; at < (size_t)len; at += piece) {
        size_t rest = (size_t)len - at;
        assert_true(write(again[1], bytes + at, rest < piece ? rest : piece) > 0);
        assert_true(warm_read(&reader, again[0]) > 0);
        while (warm_next(&reader, &frame, &err) > 0) {
            assert_is_request(&frame);
            seen++;
        }
    }
    assert_int_equal(seen, 2);
    close(again[0]);
    close(again[1]);
}

static void does_not_care_where_reads_end(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 200; piece++)
        cut(piece);
}

static void skips_what_is_too_large_and_goes_on(void **state)
{
    (void)state;
    struct warm_frame frame;
    char *plenty = mem_zalloc(PLENTY);
    struct warm_frame large = request;
    int seen = 0;
    large.parts[2] = (struct str){plenty, PLENTY};
    warm_send(&out, &large);
    warm_send(&out, &request);
    stream_flush(&out);
    assert_int_equal(stream_pending(&out), 0);
    while (seen < 2) {
        struct err err;
        assert_true(warm_read(&reader, ends[0]) > 0);
        assert_true(reader.bytes.cap <= 4 * WARM_READ); /* it is not gathered */
        while (warm_next(&reader, &frame, &err) > 0) {
            if (seen++) {
                assert_is_request(&frame);
                continue;
            }
            assert_true(frame.too_large);
            assert_int_equal(frame.length, PLENTY + 18);
            assert_int_equal(frame.id, request.id);
            assert_int_equal(frame.parts[0].len, 0);
        }
    }
    free(plenty);
}

static void takes_what_is_just_not_too_large(void **state)
{
    (void)state;
    struct warm_frame frame;
    char bytes[LIMIT] = {0};
    send_frame(&(struct warm_frame){.type = WARM_ANSWER, .parts = {{bytes, LIMIT}}});
    assert_true(warm_read(&reader, ends[0]) > 0);
    assert_next(&frame);
    assert_false(frame.too_large);
    assert_int_equal(frame.parts[0].len, LIMIT);
}

static void notices_foreign_bytes(void **state)
{
    (void)state;
    struct warm_frame frame;
    char bytes[100] = "GET / HTTP/1.1\r\n";
    send_frame(&request);
    assert_int_equal(write(ends[1], bytes, sizeof bytes), sizeof bytes);
    assert_true(warm_read(&reader, ends[0]) > 0);
    assert_next(&frame);
    assert_is_request(&frame);
    assert_broken();
}

static void notices_an_unknown_kind(void **state)
{
    (void)state;
    send_frame(&(struct warm_frame){.type = WARM_TYPES});
    assert_true(warm_read(&reader, ends[0]) > 0);
    assert_broken();
}

static void keeps_no_memory_when_there_is_nothing(void **state)
{
    (void)state;
    struct warm_frame frame;
    send_frame(&request);
    assert_true(warm_read(&reader, ends[0]) > 0);
    assert_next(&frame);
    assert_int_equal(warm_read(&reader, ends[0]), -1);
    assert_null(reader.bytes.data);
    assert_no_more();
    stream_close(&out, 0);
    assert_int_equal(warm_read(&reader, ends[0]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_back_what_was_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(does_not_care_where_reads_end, setup, teardown),
        cmocka_unit_test_setup_teardown(skips_what_is_too_large_and_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_what_is_just_not_too_large, setup, teardown),
        cmocka_unit_test_setup_teardown(notices_foreign_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(notices_an_unknown_kind, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_no_memory_when_there_is_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
