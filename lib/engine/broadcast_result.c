/* broadcast_result.c: what the subscribers of an event gave, as one line. */
#include "engine/broadcast_result.h"

#include "engine/deadletter.h"
#include "engine/split_result.h"

static void add_key(struct buf *object, struct str key)
{
    buf_addc(object, object->len ? ',' : '{');
    buf_add_str(object, key);
}

void broadcast_result_add(struct broadcast_result *result, struct str key,
                          const struct fn_call *call, bool hidden)
{
    if (call->failure) {
        add_key(&result->errors, key);
        buf_addc(&result->errors, '{');
        deadletter_cause(&result->errors, call->failure);
        buf_addc(&result->errors, '}');
    } else {
        add_key(&result->line, key);
        split_value(&result->line, slice_str(call->lines), call->count);
    }
    result->fresh = result->fresh || call->failure || !hidden;
}

struct slice broadcast_result_end(struct broadcast_result *result)
{
    struct slice line = {0};
    if (result->errors.len) {
        buf_addc(&result->errors, '}');
        add_key(&result->line, STR("\"" BROADCAST_RESULT_ERRORS "\":"));
        buf_add_str(&result->line, buf_str(&result->errors));
    }
    if (result->fresh) {
        buf_puts(&result->line, "}\n");
        size_t len = result->line.len;
        line = slice_take(buf_take(&result->line), len);
    }
    buf_free(&result->line);
    buf_free(&result->errors);
    *result = (struct broadcast_result){0};
    return line;
}
