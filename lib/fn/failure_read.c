/* failure_read.c: a failure as it was written elsewhere, read back. */
#include "fn/failure.h"

#include "base/mem.h"
#include "base/num.h"
#include "format/json.h"

#include <stdlib.h>
#include <string.h>

static enum failure_reason reason_of(struct str text)
{
    for (int i = 0; i < FAILURE_REASONS; i++) {
        if (str_eq(str_of(failure_name((enum failure_reason)i)), text))
            return (enum failure_reason)i;
    }
    return FAILURE_ERROR;
}

/* As those who first noticed such a failure have judged it. */
static enum failure_class class_of(const struct failure *failure)
{
    if (failure->exit >= 0) {
        struct failure *same = failure_of_status(failure->exit << 8);
        enum failure_class class = same->class;
        failure_free(same);
        return class;
    }
    if (failure->reason == FAILURE_HTTP && failure->status)
        return failure_class_of_http(failure->status);
    switch (failure->reason) {
    case FAILURE_SIGNAL:
    case FAILURE_TIMEOUT:
    case FAILURE_ERROR:
    case FAILURE_BAD_RESULT:
    case FAILURE_FAULT:
    case FAILURE_INIT:
    case FAILURE_QUEUE_FULL:
    case FAILURE_WRITE:
        return FAILURE_ORDINARY;
    case FAILURE_SPAWN:
    case FAILURE_BRANCH_FULL:
    case FAILURE_THROTTLED:
    case FAILURE_BULKHEAD_FULL:
    case FAILURE_CONNECTION:
    case FAILURE_POOL_FULL:
        return FAILURE_TEMPORARY;
    default:
        return FAILURE_PERMANENT;
    }
}

static void set_number(int *number, struct str text, uint64_t most)
{
    struct buf digits = {0};
    uint64_t value;
    buf_add_str(&digits, text);
    if (!num_uint(buf_cstr(&digits), 0, most, &value))
        *number = (int)value;
    buf_free(&digits);
}

static void set_text(char **text, struct str string)
{
    struct buf decoded = {0};
    json_decode(string, &decoded);
    free(*text);
    *text = buf_take(&decoded);
}

static void read_string(struct failure *failure, struct str key, struct str string)
{
    char *reason = NULL;
    if (str_eq(key, STR("\"message\""))) {
        set_text(&failure->message, string);
    } else if (str_eq(key, STR("\"function\""))) {
        set_text(&failure->function, string);
    } else if (str_eq(key, STR("\"stderr\""))) {
        buf_clear(&failure->errors);
        json_decode(string, &failure->errors);
    } else if (str_eq(key, STR("\"reason\""))) {
        set_text(&reason, string);
        failure->reason = reason_of(str_of(reason));
        free(reason);
    }
}

static void read_member(struct failure *failure, struct str key, struct str value)
{
    enum { STATUS_MAX = 255, SIGNAL_MAX = 64, HTTP_MAX = 999 };
    if (str_eq(key, STR("\"error\""))) {
        failure_explain(failure, value);
    } else if (json_type_of(value) == JSON_STRING) {
        read_string(failure, key, value);
    } else if (str_eq(key, STR("\"exit\""))) {
        set_number(&failure->exit, value, STATUS_MAX);
    } else if (str_eq(key, STR("\"status\""))) {
        set_number(&failure->status, value, HTTP_MAX);
    } else if (str_eq(key, STR("\"signal\""))) {
        set_number(&failure->signal, value, SIGNAL_MAX);
    }
}

struct failure *failure_read(struct str object)
{
    struct failure *failure = failure_new(FAILURE_ERROR, FAILURE_ORDINARY, NULL);
    struct json_scan scan;
    struct json_iter iter;
    if (json_scan(object, NULL, NULL, &scan) == 0 && json_type_of(object) == JSON_OBJECT) {
        json_iter_init(&iter, object);
        while (json_iter_next(&iter))
            read_member(failure, iter.key, iter.value);
    }
    failure->class = class_of(failure);
    return failure;
}
