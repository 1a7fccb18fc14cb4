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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_was_written_into_a_letter),
        cmocka_unit_test(takes_the_value_from_a_letter_that_was_written_anew),
        cmocka_unit_test(refuses_what_holds_no_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
