/* answer.c: one line from a line worker, as a result or a failure. */
#include "fn/answer.h"

#include "base/mem.h"
#include "fn/collect.h"
#include "format/json.h"

/* The text as a JSON string. */
static struct slice wrap(struct str text)
{
    struct buf wrapped = {0};
    buf_add_json(&wrapped, text);
    buf_addc(&wrapped, '\n');
    struct slice lines = slice_dup(buf_str(&wrapped));
    buf_free(&wrapped);
    return lines;
}

static struct failure *read_text(struct str text, struct slice *lines)
{
    if (!str_is_utf8(text))
        return failure_new(FAILURE_BAD_RESULT, FAILURE_ORDINARY, "the answer is not UTF-8");
    *lines = wrap(text);
    return NULL;
}

/* The result stays where it was read, unless it is too large to wait in memory. */
static struct failure *read_json(const struct fn *fn, struct slice answer, struct slice *lines)
{
    struct json_scan scan;
    struct err err;
    if (json_scan(slice_str(answer), NULL, NULL, &scan) < 0)
        return failure_new(FAILURE_BAD_RESULT, FAILURE_ORDINARY,
                           "the answer is not JSON: %s at byte %zu", scan.reason, scan.at + 1);
    *lines = slice_line(answer);
    if (answer.len <= FN_SPILL)
        return NULL;
    struct slice whole = *lines;
    int spilled = collect_spill(slice_str(whole), fn->context->temp_dir, lines, &err);
    slice_drop(&whole);
    if (spilled == 0)
        return NULL;
    *lines = (struct slice){0};
    return collect_failure(&err);
}

static struct failure *read_error(struct str error)
{
    struct json_scan scan;
    error = str_trim(error);
    if (json_scan(error, NULL, NULL, &scan) < 0)
        return failure_new(FAILURE_ERROR, FAILURE_ORDINARY, "%.*s",
                           (int)(error.len < ANSWER_MESSAGE ? error.len : ANSWER_MESSAGE),
                           error.data);
    struct failure *failure =
        failure_new(FAILURE_ERROR, FAILURE_ORDINARY, "the function answered with an error");
    failure_explain(failure, error);
    return failure;
}

struct failure *answer_read(const struct fn *fn, struct slice answer, struct slice *lines)
{
    if (!answer.len)
        return NULL;
    if (answer.data[0] == '!')
        return read_error((struct str){answer.data + 1, answer.len - 1});
    return fn->settings.text ? read_text(slice_str(answer), lines) : read_json(fn, answer, lines);
}
