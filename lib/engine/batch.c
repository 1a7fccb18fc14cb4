/* batch.c: several values in one call: what the function gets, and what its answer means. */
#include "engine/batch.h"

#include "base/mem.h"
#include "format/json.h"

void batch_add(struct buf *array, struct str value)
{
    buf_addc(array, array->len ? ',' : '[');
    buf_add_str(array, value);
}

struct slice batch_finish(struct buf *array)
{
    buf_puts(array, array->len ? "]" : "[]");
    size_t len = array->len;
    return slice_take(buf_take(array), len);
}

static size_t elements(struct str array)
{
    struct json_iter iter;
    size_t count = 0;
    json_iter_init(&iter, array);
    while (json_iter_next(&iter))
        count++;
    return count;
}

enum batch_answer batch_answer(const struct fn_call *call, size_t values)
{
    if (!call->count)
        return BATCH_NOTHING;
    struct str line = str_trim(slice_str(call->lines));
    if (call->count > 1 || json_type_of(line) != JSON_ARRAY)
        return BATCH_WHOLE;
    return elements(line) == values ? BATCH_EACH : BATCH_WRONG;
}

struct failure *batch_failure(const struct fn_call *call, size_t values)
{
    struct failure *failure = failure_new(FAILURE_BAD_RESULT, FAILURE_PERMANENT,
                                          "an array of %zu values for a batch of %zu",
                                          elements(str_trim(slice_str(call->lines))), values);
    failure->attempts = call->attempts;
    failure->function = mem_strdup(fn_name(call->fn));
    return failure;
}
