/* test_redrive.c: a dead letter gives its event back byte for byte. */
#include "engine/redrive.h"

#include "base/mem.h"
#include "engine/deadletter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct reader {
    struct json_paths *paths;
    struct json_value *values;
    struct redrive_paths nodes;
};

static struct reader new_reader(void)
{
    struct reader reader = {.paths = json_paths_new()};
    redrive_watch(&reader.nodes, reader.paths);
    reader.values = mem_array(json_paths_count(reader.paths), sizeof *reader.values);
    return reader;
}

static void free_reader(struct reader *reader)
{
    json_paths_free(reader->paths);
    free(reader->values);
}

static int read_line(struct reader *reader, struct str line, struct redrive_letter *letter,
                     struct err *err)
{
    struct json_scan scan;
    assert_int_equal(json_scan(line, reader->paths, reader->values, &scan), 0);
    struct jq_input input = {line, reader->values, scan.depth};
    return redrive_read(&reader->nodes, &input, letter, err);
}

static void check_event(struct str got, struct str expected)
{
    assert_int_equal(got.len, expected.len);
    assert_memory_equal(got.data, expected.data, got.len);
}

static void gives_back_what_was_written_into_a_letter(void **state)
{
    (void)state;
    static const char *const events[] = {
        "1",
        " 1",
        "1 ",
        "\t{\"a\" : 123456789012345678901234567890, \"a\":1.0e+5} \t",
        "\",\\\"reason\\\":\\\"exit\\\"\"",
        "{\"event\":1,\"reason\":\"x\",\"stage\":7}",
        "  {\"event\": 1 ,\"reason\":\"x\",\"stage\":7}  ",
        "[\"\\ud800\\u0000\xc3\xa9\"]",
        "null",
        "\"\"",
    };
    struct reader reader = new_reader();
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        struct failure *failure = failure_new(FAILURE_EXIT, FAILURE_ORDINARY, "exit status 1");
        failure->stage = (unsigned)i;
        struct letter_facts facts = {
            .event = str_of(events[i]), .is_json = true, .id = STR("x"), .command = "chain"};
        struct buf line = {0};
        deadletter_format(&line, &facts, failure);
        struct redrive_letter letter;
        struct err err;
        line.len--; /* its LF */
        assert_int_equal(read_line(&reader, buf_str(&line), &letter, &err), 0);
        check_event(letter.event, facts.event);
        assert_int_equal(letter.stage, i);
        buf_free(&line);
        failure_free(failure);
    }
    free_reader(&reader);
}

static void takes_the_value_from_a_letter_that_was_written_anew(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "{\"event\": {\"b\" : 1} , \"reason\": \"exit\", \"stage\": 2}",
        "{ \"event\":{\"b\" : 1},\"reason\":\"exit\",\"stage\":2}",
        "{\"stage\":2,\"reason\":\"exit\",\"event\":  {\"b\" : 1}  }",
        "{\"event\":7,\"reason\":\"exit\",\"event\":{\"b\" : 1},\"stage\":2}",
    };
    struct reader reader = new_reader();
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct redrive_letter letter;
        struct err err;
        assert_int_equal(read_line(&reader, str_of(lines[i]), &letter, &err), 0);
        check_event(letter.event, STR("{\"b\" : 1}"));
        assert_int_equal(letter.stage, 2);
    }
    free_reader(&reader);
}

static void check_text(struct str got, const char *expected)
{
    check_event(got, str_of(expected));
}

/* A letter of stage 3 as deadletter_format writes it, read back. line holds its bytes. */
static struct redrive_letter letter_with(struct reader *reader, const struct letter_way *way,
                                         const char *command, struct buf *line)
{
    struct failure *failure = failure_new(FAILURE_EXIT, FAILURE_ORDINARY, "exit status 1");
    failure->stage = 3;
    struct letter_facts facts = {
        .event = STR("1"), .is_json = true, .id = STR("a\"b"), .command = command, .way = way};
    deadletter_format(line, &facts, failure);
    line->len--; /* its LF */
    struct redrive_letter letter;
    struct err err;
    assert_int_equal(read_line(reader, buf_str(line), &letter, &err), 0);
    failure_free(failure);
    return letter;
}

static void goes_on_where_the_event_died(void **state)
{
    (void)state;
    struct reader reader = new_reader();
    struct buf line = {0};
    struct letter_way way = {.scope = STR("3/00000000000000ff")};
    struct redrive_letter letter = letter_with(&reader, &way, "chain", &line);
    check_text(letter.on_with, "1");
    assert_int_equal(letter.on_at, 3);
    assert_true(letter.placed);
    assert_int_equal(letter.path, 0xff);
    check_text(letter.id, "\"a\\\"b\"");
    assert_false(letter.way.undo);
    buf_free(&line);
    free_reader(&reader);
}

static void begins_again_with_the_stage_that_was_undone_last(void **state)
{
    (void)state;
    struct reader reader = new_reader();
    struct buf line = {0};
    struct letter_way way = {.scope = STR("1/00000000000000ff"),
                             .undone = STR("2,1"),
                             .again = STR("{\"a\":[1, 2]}"),
                             .others = 7};
    struct redrive_letter letter = letter_with(&reader, &way, "chain", &line);
    check_text(letter.event, "1");
    assert_int_equal(letter.stage, 3);
    check_text(letter.on_with, "{\"a\":[1, 2]}");
    assert_int_equal(letter.on_at, 1);
    check_text(letter.way.undone, "2,1");
    check_text(letter.way.again, "{\"a\":[1, 2]}");
    assert_int_equal(letter.way.others, 7);
    buf_free(&line);
    free_reader(&reader);
}

static void tells_what_is_still_to_be_undone(void **state)
{
    (void)state;
    struct reader reader = new_reader();
    struct buf line = {0};
    struct letter_way undo = {.undo = true, .scope = STR("3/00000000000000ff")};
    struct redrive_letter letter = letter_with(&reader, &undo, "chain", &line);
    assert_true(letter.way.undo);
    assert_int_equal(letter.on_at, 3);
    buf_clear(&line);
    struct letter_way left = {.left = STR("2,1")};
    letter = letter_with(&reader, &left, "chain", &line);
    check_text(letter.way.left, "2,1");
    assert_false(letter.placed);
    check_text(letter.id, "\"a\\\"b\"");
    buf_free(&line);
    free_reader(&reader);
}

/* Others write several letters about one event: its parts, its branches. */
static void takes_no_identity_from_letters_of_other_commands(void **state)
{
    (void)state;
    struct reader reader = new_reader();
    struct buf line = {0};
    struct redrive_letter letter = letter_with(&reader, NULL, "route", &line);
    assert_null(letter.id.data);
    buf_free(&line);
    free_reader(&reader);
}

static void refuses_what_holds_no_event(void **state)
{
    (void)state;
    static const struct {
        const char *line, *text;
    } cases[] = {
        {"7", "no dead letter: it has no \"reason\""},
        {"[{\"reason\":\"exit\",\"event\":1}]", "no dead letter: it has no \"reason\""},
        {"{\"event\":1,\"reason\":3}", "no dead letter: it has no \"reason\""},
        {"{\"reason\":\"exit\"}", "no dead letter: it has no \"event\""},
        {"{\"reason\":\"exit\",\"raw\":\"{\"}", "the letter's bytes are no event (\"raw\")"},
        {"{\"reason\":\"exit\",\"base64\":\"/w==\"}",
         "the letter's bytes are no event (\"base64\")"},
        {"{\"event\":1,\"reason\":\"exit\",\"stage\":0}",
         "no dead letter: its \"stage\" is no number of a stage"},
        {"{\"event\":1,\"reason\":\"exit\",\"stage\":2.0}",
         "no dead letter: its \"stage\" is no number of a stage"},
        {"{\"event\":1,\"reason\":\"exit\",\"stage\":null}",
         "no dead letter: its \"stage\" is no number of a stage"},
        {"{\"event\":1,\"reason\":\"exit\",\"stage\":2,\"scope\":\"2\"}",
         "no dead letter: its \"scope\" is none of its stage"},
        {"{\"event\":1,\"reason\":\"exit\",\"stage\":2,\"scope\":\"3/0123456789abcdef\"}",
         "no dead letter: its \"scope\" is none of its stage"},
        {"{\"event\":1,\"reason\":\"exit\",\"stage\":18446744073709551616}",
         "no dead letter: its \"stage\" is no number of a stage"},
    };
    struct reader reader = new_reader();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct redrive_letter letter;
        struct err err;
        assert_int_equal(read_line(&reader, str_of(cases[i].line), &letter, &err), -1);
        assert_int_equal(err.kind, ERR_INPUT);
        assert_string_equal(err.text, cases[i].text);
    }
    free_reader(&reader);
}

static void gives_back_bytes_that_were_no_event(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        struct str bytes; /* {NULL, 0}: refused */
    } cases[] = {
        {"{\"event\": 1 ,\"reason\":\"exit\"}", {" 1 ", 3}},
        {"{\"raw\":\"{\\\"a\\\"\\u0000\",\"reason\":\"bad_json\"}", {"{\"a\"\0", 5}},
        {"{\"raw\":\"\",\"reason\":\"bad_json\"}", {"", 0}},
        {"{\"base64\":\"Iv8i\",\"reason\":\"bad_json\"}", {"\"\xff\"", 3}},
        {"{\"base64\":\"/w==\",\"reason\":\"bad_json\"}", {"\xff", 1}},
        {"{\"base64\":\"Iv8\",\"reason\":\"bad_json\"}", {NULL, 0}},
        {"{\"raw\":\"[\",\"reason\":\"too_large\",\"truncated\":true}", {NULL, 0}},
        {"{\"reason\":\"exit\"}", {NULL, 0}},
    };
    struct reader reader = new_reader();
    struct buf scratch = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str line = str_of(cases[i].line), bytes;
        struct json_scan scan;
        struct err err;
        assert_int_equal(json_scan(line, reader.paths, reader.values, &scan), 0);
        struct jq_input input = {line, reader.values, scan.depth};
        int status = redrive_bytes(&reader.nodes, &input, &scratch, &bytes, &err);
        assert_int_equal(status, cases[i].bytes.data ? 0 : -1);
        if (status == 0)
            check_event(bytes, cases[i].bytes);
    }
    buf_free(&scratch);
    free_reader(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_was_written_into_a_letter),
        cmocka_unit_test(takes_the_value_from_a_letter_that_was_written_anew),
        cmocka_unit_test(goes_on_where_the_event_died),
        cmocka_unit_test(begins_again_with_the_stage_that_was_undone_last),
        cmocka_unit_test(tells_what_is_still_to_be_undone),
        cmocka_unit_test(takes_no_identity_from_letters_of_other_commands),
        cmocka_unit_test(refuses_what_holds_no_event),
        cmocka_unit_test(gives_back_bytes_that_were_no_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
