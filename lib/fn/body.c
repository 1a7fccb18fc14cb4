/* body.c: the body of an answer, one JSON document, as a result. */
#include "fn/body.h"

#include "fn/collect.h"
#include "format/json.h"

static struct failure *take_text(const struct fn *fn, struct str text, struct fn_call *call)
{
    struct collect collect;
    struct failure *failure = NULL;
    struct err err;
    collect_init(&collect, fn->settings.max_result, true, fn->context->temp_dir);
    for (size_t from = 0, room; from < text.len; from += room) {
        char *space = collect_space(&collect, &room);
        if (room > text.len - from)
            room = text.len - from;
        memcpy(space, text.data + from, room);
        if (collect_filled(&collect, room) < 0)
            break;
    }
    if (collect_finish(&collect, &call->lines, &call->count, &err) < 0)
        failure = collect_failure(&err);
    collect_free(&collect);
    return failure;
}

/* The document and its LF, in bytes of its own. */
static struct slice as_line(struct buf *body, struct str document)
{
    struct buf line = {0};
    if (memchr(document.data, '\n', document.len) || memchr(document.data, '\r', document.len)) {
        json_compact(document, &line);
    } else if (document.data == body->data) {
        line = *body;
        line.len = document.len;
        *body = (struct buf){0};
    } else {
        buf_add_str(&line, document);
    }
    buf_addc(&line, '\n');
    size_t len = line.len;
    return slice_take(buf_take(&line), len);
}

static struct failure *take_json(const struct fn *fn, struct buf *body, struct fn_call *call)
{
    struct json_scan scan;
    struct err err;
    struct str document = str_trim(buf_str(body));
    if (!document.len)
        return NULL;
    if (json_scan(document, NULL, NULL, &scan) < 0)
        return failure_new(FAILURE_BAD_RESULT, FAILURE_ORDINARY,
                           "the answer is not JSON: %s at byte %zu", scan.reason,
                           (size_t)(document.data - body->data) + scan.at + 1);
    struct slice line = as_line(body, document);
    call->count = 1;
    call->lines = line;
    if (line.len <= FN_SPILL)
        return NULL;
    int spilled = collect_spill(slice_str(line), fn->context->temp_dir, &call->lines, &err);
    slice_drop(&line);
    if (spilled == 0)
        return NULL;
    call->lines = (struct slice){0};
    call->count = 0;
    return collect_failure(&err);
}

struct failure *body_take(const struct fn *fn, struct buf *body, struct fn_call *call)
{
    struct failure *failure =
        fn->settings.text ? take_text(fn, buf_str(body), call) : take_json(fn, body, call);
    buf_free(body);
    return failure;
}
