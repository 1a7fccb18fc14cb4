/* expectation.c: results compared with recorded ones, line by line, as JSON. */
#include "engine/expectation.h"

#include "base/buf.h"
#include "base/msg.h"
#include "format/json.h"
#include "format/json_diff.h"
#include "sys/slurp.h"

#include <stdint.h>

enum {
    EXPECTATION_SHOWN = 20,  /* differences that are said one by one; then only their number */
    EXPECTATION_VALUE = 100, /* bytes of a value that are shown */
};

struct comparison {
    size_t line, lines; /* the line at hand; of how many */
    size_t count;
};

static void add_value(struct buf *text, struct str value)
{
    if (!value.data)
        buf_puts(text, "nothing");
    else if (value.len <= EXPECTATION_VALUE)
        buf_add_str(text, value);
    else
        buf_addf(text, "%.*s... (%zu bytes)", EXPECTATION_VALUE, value.data, value.len);
}

static void differs(void *context, struct str path, struct str expected, struct str found)
{
    struct comparison *comparison = context;
    if (comparison->count++ >= EXPECTATION_SHOWN)
        return;
    struct buf text = {0};
    if (comparison->lines > 1)
        buf_addf(&text, "line %zu: ", comparison->line);
    buf_add_str(&text, path);
    buf_puts(&text, ": expected ");
    add_value(&text, expected);
    buf_puts(&text, ", got ");
    add_value(&text, found);
    msg_error("%s", buf_cstr(&text));
    buf_free(&text);
}

/* The next line that is not blank, or {NULL, 0}. */
static struct str next_line(struct str *rest)
{
    while (rest->len) {
        const char *lf = memchr(rest->data, '\n', rest->len);
        size_t len = lf ? (size_t)(lf - rest->data) : rest->len;
        struct str line = str_trim((struct str){rest->data, len});
        rest->data += lf ? len + 1 : len;
        rest->len -= lf ? len + 1 : len;
        if (line.len)
            return line;
    }
    return (struct str){0};
}

static size_t count_lines(struct str text)
{
    size_t count = 0;
    while (next_line(&text).data)
        count++;
    return count;
}

int expectation_compare(const char *path, struct str results, struct err *err)
{
    struct buf file = {0};
    struct json_scan scan;
    struct comparison comparison = {0};
    int status = slurp_file(path, SIZE_MAX / 4, &file, err);
    struct str recorded = buf_str(&file);
    comparison.lines = count_lines(recorded);
    for (comparison.line = 1; status == 0; comparison.line++) {
        struct str expected = next_line(&recorded), found = next_line(&results);
        if (!expected.data && !found.data)
            break;
        if (expected.data && json_scan(expected, NULL, NULL, &scan) < 0)
            status = err_set(err, ERR_INPUT, "%s:%zu: %s at byte %zu", path, comparison.line,
                             scan.reason, scan.at + 1);
        else if (!expected.data || !found.data)
            differs(&comparison, STR("."), expected, found);
        else
            json_diff(expected, found, differs, &comparison);
    }
    if (comparison.count > EXPECTATION_SHOWN)
        msg_error("and %zu more differences", comparison.count - EXPECTATION_SHOWN);
    buf_free(&file);
    return status < 0 ? -1 : comparison.count > 0;
}
