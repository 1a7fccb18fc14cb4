/* split_result.c: how results of parts are written. */
#include "engine/split_result.h"

#include "base/mem.h"
#include "engine/deadletter.h"

#include <stdlib.h>

void split_value(struct buf *out, struct str lines, size_t count)
{
    if (!count) {
        buf_puts(out, "null");
        return;
    }
    if (count > 1)
        buf_addc(out, '[');
    for (bool more = false; lines.len; more = true) {
        const char *end = memchr(lines.data, '\n', lines.len);
        size_t len = end ? (size_t)(end - lines.data) : lines.len;
        if (more)
            buf_addc(out, ',');
        buf_add_str(out, str_trim((struct str){lines.data, len}));
        len += end != NULL;
        lines = (struct str){lines.data + len, lines.len - len};
    }
    if (count > 1)
        buf_addc(out, ']');
}

void split_add(struct buf *array, struct str value)
{
    buf_addc(array, array->len ? ',' : '[');
    buf_add_str(array, value);
}

void split_add_lines(struct buf *array, struct str lines, size_t count)
{
    buf_addc(array, array->len ? ',' : '[');
    split_value(array, lines, count);
}

void split_close(struct buf *array)
{
    buf_puts(array, array->len ? "]" : "[]");
}

void split_envelope(struct buf *line, const struct split_envelope *envelope)
{
    buf_puts(line, "{\"part\":{\"group\":");
    buf_add_json(line, envelope->group);
    buf_addf(line, ",\"index\":%zu,\"count\":%zu}", envelope->index, envelope->count);
    if (envelope->failure) {
        buf_puts(line, ",\"error\":{");
        deadletter_failure(line, envelope->failure);
        buf_addc(line, '}');
    } else if (envelope->value.data) {
        buf_puts(line, ",\"value\":");
        buf_add_str(line, envelope->value);
    }
    buf_puts(line, "}\n");
}

static void name(struct split_failures *failures, size_t index, size_t parts,
                 const struct failure *failure)
{
    buf_puts(&failures->text, failures->text.len ? "; " : "");
    if (parts > 1)
        buf_addf(&failures->text, "parts %zu to %zu: ", index, index + parts - 1);
    else
        buf_addf(&failures->text, "part %zu: ", index);
    buf_puts(&failures->text, failure->message ? failure->message : failure_name(failure->reason));
    buf_puts(&failures->list, failures->list.len ? "," : "[");
    buf_addf(&failures->list, "{\"part\":%zu,", index);
    if (parts > 1)
        buf_addf(&failures->list, "\"parts\":%zu,", parts);
    deadletter_failure(&failures->list, failure);
    buf_addc(&failures->list, '}');
}

void split_failures_take(struct split_failures *failures, size_t index, size_t parts, size_t limit,
                         struct failure *failure)
{
    failures->count += parts;
    if (failures->count - parts < limit)
        name(failures, index, parts, failure);
    if (failures->first)
        failure_free(failure);
    else
        failures->first = failure;
}

struct failure *split_failures_end(struct split_failures *failures, size_t parts, size_t not_run)
{
    struct failure *failure = failures->first;
    if (!failure)
        return NULL;
    struct buf message = {0};
    buf_addf(&message, "%zu of %zu parts failed", failures->count, parts);
    if (not_run)
        buf_addf(&message, ", %zu did not run", not_run);
    buf_puts(&message, ": ");
    buf_add_str(&message, buf_str(&failures->text));
    buf_addc(&failures->list, ']');
    failure->reason = FAILURE_PARTS;
    failure->class = FAILURE_PERMANENT;
    free(failure->message);
    free(failure->detail);
    failure->message = buf_take(&message);
    failure->detail = buf_take(&failures->list);
    buf_free(&failures->text);
    *failures = (struct split_failures){0};
    return failure;
}
