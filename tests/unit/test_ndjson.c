/* test_ndjson.c: what framing promises. */
#include "format/ndjson.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ROOMY = 1024 * 1024 };

/* Feed part bytes of *stream (all that fits when part is 0); the stream's end when nothing is left.
 */
static void feed(struct ndjson_reader *reader, struct str *stream, size_t part)
{
    if (!stream->len) {
        ndjson_end(reader);
        return;
    }
    size_t room;
    char *space = ndjson_space(reader, &room);
    assert_true(room >= NDJSON_MIN_ROOM);
    size_t count = part && part < room ? part : room;
    count = count < stream->len ? count : stream->len;
    memcpy(space, stream->data, count);
    ndjson_filled(reader, count);
    stream->data += count;
    stream->len -= count;
}

static enum ndjson_status next_line(struct ndjson_reader *reader, struct str *stream, size_t part,
                                    struct ndjson_line *line)
{
    enum ndjson_status status;
    while ((status = ndjson_next(reader, line)) == NDJSON_MORE)
        feed(reader, stream, part);
    return status;
}

/* All lines of a stream as "NUMBER@OFFSET:LENGTH=BYTES|", an oversized one with '!' for '='. */
static char *lines_of(struct str stream, size_t limit, size_t part)
{
    struct ndjson_reader *reader = ndjson_reader_new(limit);
    struct ndjson_line line;
    struct buf out = {0};
    enum ndjson_status status;
    while ((status = next_line(reader, &stream, part, &line)) != NDJSON_END) {
        buf_addf(&out, "%llu@%llu:%llu%c", (unsigned long long)line.number,
                 (unsigned long long)line.offset, (unsigned long long)line.length,
                 status == NDJSON_LINE ? '=' : '!');
        buf_add_str(&out, slice_str(line.bytes));
        buf_addc(&out, '|');
        slice_drop(&line.bytes);
    }
    assert_int_equal(ndjson_next(reader, &line), NDJSON_END);
    ndjson_reader_free(reader);
    return buf_take(&out);
}

static void splits_streams_into_the_lines_of_the_contract(void **state)
{
    (void)state;
    static const struct {
        struct str stream;
        size_t limit;
        const char *lines;
    } cases[] = {
        {STR(""), 9, ""},
        {STR("\n"), 9, ""},
        {STR("a\n"), 9, "1@0:1=a|"},
        {STR("a"), 9, "1@0:1=a|"},
        {STR("a\nb"), 9, "1@0:1=a|2@2:1=b|"},
        {STR("a\nb\n"), 9, "1@0:1=a|2@2:1=b|"},
        {STR("a\r\nb\r\n"), 9, "1@0:1=a|2@3:1=b|"},
        {STR("a\r"), 9, "1@0:1=a|"},
        {STR("a\r\r\n"), 9, "1@0:2=a\r|"},
        {STR("a\rb\n"), 9, "1@0:3=a\rb|"},
        {STR("\n\n\na\n\n"), 9, "4@3:1=a|"},
        {STR(" \t\r\na\n \t "), 9, "2@4:1=a|"},
        {STR(" a \n"), 9, "1@0:3= a |"},
        {STR("\v\n"), 9, "1@0:1=\v|"},
        {STR("\xEF\xBB\xBF"
             "a\nb\n"),
         9, "1@3:1=a|2@5:1=b|"},
        {STR("\xEF\xBB\xBF"), 9, ""},
        {STR("\xEF\xBB\xBF\n"), 9, ""},
        {STR("\xEF\xBB"), 9, "1@0:2=\xEF\xBB|"},
        {STR("\xEF\xBB\n"), 9, "1@0:2=\xEF\xBB|"},
        {STR("a\n\xEF\xBB\xBF"
             "b\n"),
         9,
         "1@0:1=a|2@2:4=\xEF\xBB\xBF"
         "b|"},
        {STR("\xEF\xBB\xBF\xEF\xBB\xBF"), 9, "1@3:3=\xEF\xBB\xBF|"},
        {STR("abc\nabcd\nabc\n"), 3, "1@0:3=abc|2@4:4!abcd|3@9:3=abc|"},
        {STR("abc\r\nabcd\r\nabc\r"), 3, "1@0:3=abc|2@5:4!abcd|3@11:3=abc|"},
        {STR("abcd"), 3, "1@0:4!abcd|"},
        {STR("    \n   \n"), 3, "1@0:4!    |"},
        {STR("a\n\n"), 0, "1@0:1!a|"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t part = 0; part <= 5; part++) {
            char *got = lines_of(cases[i].stream, cases[i].limit, part);
            if (strcmp(got, cases[i].lines) != 0)
                fail_msg("case %zu by %zu: expected %s, got %s", i, part, cases[i].lines, got);
            free(got);
        }
    }
}

static void gives_the_same_lines_however_the_stream_is_cut(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 7);
    struct buf stream = {0};
    for (int i = 0; i < 3000; i++) {
        size_t len = rng_below(&rng, i % 500 ? 300 : 100000);
        while (len--)
            buf_addc(&stream, (char)('a' + rng_below(&rng, 26)));
        buf_puts(&stream, rng_below(&rng, 3) ? "\n" : rng_below(&rng, 2) ? "\r\n" : "\n\n");
    }
    char *whole = lines_of(buf_str(&stream), 50000, 0);
    static const size_t parts[] = {1, 61, 1000, 4096, 16384, 65536};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *cut = lines_of(buf_str(&stream), 50000, parts[i]);
        assert_string_equal(whole, cut);
        free(cut);
    }
    free(whole);
    buf_free(&stream);
}

static void keeps_the_bytes_of_slices_that_are_held(void **state)
{
    (void)state;
    enum { LINES = 20000 };
    struct buf text = {0};
    for (int i = 0; i < LINES; i++)
        buf_addf(&text, "{\"number\":%d,\"pad\":\"%0*d\"}\n", i, 1 + i % 90, 0);
    struct slice *held = mem_array(LINES, sizeof *held);
    struct str stream = buf_str(&text);
    struct ndjson_reader *reader = ndjson_reader_new(ROOMY);
    struct ndjson_line line;
    for (int i = 0; i < LINES; i++) {
        assert_int_equal(next_line(reader, &stream, 5000, &line), NDJSON_LINE);
        held[i] = line.bytes;
    }
    ndjson_reader_free(reader);
    const char *expected = text.data;
    for (int i = 0; i < LINES; i++) {
        assert_memory_equal(held[i].data, expected, held[i].len);
        expected += held[i].len + 1;
        slice_drop(&held[i]);
    }
    free(held);
    buf_free(&text);
}

static void reuses_its_block_when_no_slice_is_held(void **state)
{
    (void)state;
    struct ndjson_reader *reader = ndjson_reader_new(ROOMY);
    struct ndjson_line line;
    char text[3000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\n';
    const struct block *first = NULL;
    for (int i = 0; i < 1000; i++) {
        struct str stream = {text, sizeof text};
        assert_int_equal(next_line(reader, &stream, 700, &line), NDJSON_LINE);
        first = first ? first : line.bytes.block;
        assert_ptr_equal(line.bytes.block, first);
        slice_drop(&line.bytes);
    }
    ndjson_reader_free(reader);
}

static void fills_one_block_from_a_slow_source(void **state)
{
    (void)state;
    enum { HELD = 500 };
    struct slice held[HELD];
    struct ndjson_reader *reader = ndjson_reader_new(ROOMY);
    struct ndjson_line line;
    for (int i = 0; i < HELD; i++) {
        struct str stream = STR("{\"a\":1}\n");
        assert_int_equal(next_line(reader, &stream, 0, &line), NDJSON_LINE);
        held[i] = line.bytes;
        assert_ptr_equal(held[i].block, held[0].block);
    }
    for (int i = 0; i < HELD; i++)
        slice_drop(&held[i]);
    ndjson_reader_free(reader);
}

static void offers_a_fast_source_a_whole_pipe(void **state)
{
    (void)state;
    struct ndjson_reader *reader = ndjson_reader_new(ROOMY);
    struct slice held = {0};
    for (int i = 0; i < 50; i++) {
        size_t room;
        char *space = ndjson_space(reader, &room);
        assert_true(room >= NDJSON_READ);
        memset(space, 'x', NDJSON_READ);
        for (size_t at = 999; at < NDJSON_READ; at += 1000)
            space[at] = '\n';
        ndjson_filled(reader, NDJSON_READ);
        struct ndjson_line line;
        while (ndjson_next(reader, &line) == NDJSON_LINE) {
            slice_drop(&held);
            held = line.bytes; /* a slice of the block is always held */
        }
    }
    slice_drop(&held);
    ndjson_reader_free(reader);
}

static void grows_for_a_long_line_and_shrinks_back(void **state)
{
    (void)state;
    enum { LONG = 700000 };
    struct buf text = {0};
    buf_reserve(&text, LONG);
    memset(text.data, 'x', LONG);
    text.len = LONG;
    buf_puts(&text, "\nshort\nlast\n");
    struct str stream = buf_str(&text);
    struct ndjson_reader *reader = ndjson_reader_new(LONG);
    struct ndjson_line line;
    assert_int_equal(next_line(reader, &stream, 0, &line), NDJSON_LINE);
    assert_int_equal(line.bytes.len, LONG);
    assert_true(line.bytes.block->cap <= LONG + 1 + NDJSON_MIN_ROOM);
    slice_drop(&line.bytes);
    assert_int_equal(next_line(reader, &stream, 0, &line), NDJSON_LINE);
    slice_drop(&line.bytes);
    size_t room;
    ndjson_space(reader, &room);
    assert_true(room <= BLOCK_SIZE);
    assert_int_equal(next_line(reader, &stream, 0, &line), NDJSON_LINE);
    assert_int_equal(line.bytes.len, 4);
    assert_int_equal(line.bytes.block->cap, BLOCK_SIZE);
    slice_drop(&line.bytes);
    ndjson_reader_free(reader);
    buf_free(&text);
}

static void skips_an_oversized_line_in_one_block(void **state)
{
    (void)state;
    enum { PIECES = 2000 };
    struct ndjson_reader *reader = ndjson_reader_new(30000);
    struct ndjson_line line;
    uint64_t length = 0;
    for (int i = 0; i < PIECES; i++) {
        size_t room;
        char *space = ndjson_space(reader, &room);
        assert_true(room <= BLOCK_SIZE);
        memset(space, i ? 'y' : 'x', room);
        ndjson_filled(reader, room);
        length += room;
        assert_int_equal(ndjson_next(reader, &line), NDJSON_MORE);
    }
    struct str rest = STR("\r\n{}\n");
    assert_int_equal(next_line(reader, &rest, 0, &line), NDJSON_TOO_LARGE);
    assert_int_equal(line.length, length);
    assert_int_equal(line.number, 1);
    assert_int_equal(line.offset, 0);
    assert_int_equal(line.bytes.len, NDJSON_HEAD);
    assert_int_equal(line.bytes.data[NDJSON_HEAD - 1], 'x');
    slice_drop(&line.bytes);
    assert_int_equal(next_line(reader, &rest, 0, &line), NDJSON_LINE);
    assert_int_equal(line.number, 2);
    assert_int_equal(line.offset, length + 2);
    assert_true(str_eq(slice_str(line.bytes), STR("{}")));
    slice_drop(&line.bytes);
    ndjson_reader_free(reader);
}

static void reports_the_same_head_of_an_oversized_line_however_it_is_cut(void **state)
{
    (void)state;
    char text[NDJSON_HEAD + 100];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 26);
    text[sizeof text - 1] = '\n';
    char *whole = lines_of((struct str){text, sizeof text}, 5, 0);
    for (size_t part = 1; part < 5000; part += 300) {
        char *cut = lines_of((struct str){text, sizeof text}, 5, part);
        assert_string_equal(cut, whole);
        free(cut);
    }
    free(whole);
}

static void takes_no_limit_as_the_largest(void **state)
{
    (void)state;
    char *got = lines_of(STR("abc\n"), SIZE_MAX, 0);
    assert_string_equal(got, "1@0:3=abc|");
    free(got);
}

static int forget_blocks(void **state)
{
    (void)state;
    block_drop_kept();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_streams_into_the_lines_of_the_contract),
        cmocka_unit_test(gives_the_same_lines_however_the_stream_is_cut),
        cmocka_unit_test(keeps_the_bytes_of_slices_that_are_held),
        cmocka_unit_test(reuses_its_block_when_no_slice_is_held),
        cmocka_unit_test(fills_one_block_from_a_slow_source),
        cmocka_unit_test(offers_a_fast_source_a_whole_pipe),
        cmocka_unit_test(grows_for_a_long_line_and_shrinks_back),
        cmocka_unit_test(skips_an_oversized_line_in_one_block),
        cmocka_unit_test(reports_the_same_head_of_an_oversized_line_however_it_is_cut),
        cmocka_unit_test(takes_no_limit_as_the_largest),
    };
    return cmocka_run_group_tests(tests, NULL, forget_blocks);
}
