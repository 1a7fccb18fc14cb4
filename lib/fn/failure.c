/* failure.c: why an event failed. */
#include "fn/failure.h"

#include "base/mem.h"
#include "base/num.h"
#include "format/json.h"
#include "fn/retry_after.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

static const char *const names[FAILURE_REASONS] = {
    [FAILURE_EXIT] = "exit",
    [FAILURE_SIGNAL] = "signal",
    [FAILURE_TIMEOUT] = "timeout",
    [FAILURE_ERROR] = "error",
    [FAILURE_BAD_RESULT] = "bad_result",
    [FAILURE_BAD_JSON] = "bad_json",
    [FAILURE_TOO_LARGE] = "too_large",
    [FAILURE_BAD_EVENT] = "bad_event",
    [FAILURE_NO_ROUTE] = "no_route",
    [FAILURE_BRANCH_FULL] = "branch_full",
    [FAILURE_BREAKER_OPEN] = "breaker_open",
    [FAILURE_THROTTLED] = "throttled",
    [FAILURE_BULKHEAD_FULL] = "bulkhead_full",
    [FAILURE_QUEUE_FULL] = "queue_full",
    [FAILURE_EXPIRED] = "expired",
    [FAILURE_POISON] = "poison",
    [FAILURE_PURGED] = "purged",
    [FAILURE_PARTS] = "parts",
    [FAILURE_INCOMPLETE] = "incomplete",
    [FAILURE_LATE] = "late",
    [FAILURE_NOT_NEEDED] = "not_needed",
    [FAILURE_SPAWN] = "spawn",
    [FAILURE_INIT] = "init",
    [FAILURE_HTTP] = "http",
    [FAILURE_CONNECTION] = "connection",
    [FAILURE_POOL_FULL] = "pool_full",
    [FAILURE_WRITE] = "write",
    [FAILURE_FAULT] = "fault",
    [FAILURE_NOT_UNDONE] = "not_undone",
    [FAILURE_HALTED] = "halted",
    [FAILURE_INTERRUPTED] = "interrupted",
};

const char *failure_name(enum failure_reason reason)
{
    return names[reason];
}

bool failure_is_of_run(const struct failure *failure)
{
    return failure->reason == FAILURE_INTERRUPTED || failure->reason == FAILURE_HALTED ||
           (failure->reason == FAILURE_WRITE && failure->class == FAILURE_PERMANENT);
}

bool failure_is_held_off(enum failure_reason reason)
{
    return reason == FAILURE_BREAKER_OPEN || reason == FAILURE_THROTTLED ||
           reason == FAILURE_BULKHEAD_FULL;
}

struct failure *failure_new(enum failure_reason reason, enum failure_class class,
                            const char *format, ...)
{
    struct failure *failure = mem_zalloc(sizeof *failure);
    failure->reason = reason;
    failure->class = class;
    failure->exit = -1;
    if (format) {
        struct buf text = {0};
        va_list args;
        va_start(args, format);
        buf_addfv(&text, format, args);
        va_end(args);
        failure->message = buf_take(&text);
    }
    return failure;
}

/* Nanoseconds, or 0. */
static int64_t read_retry_after(struct str detail)
{
    struct json_iter iter;
    if (!detail.len || json_type_of(detail) != JSON_OBJECT)
        return 0;
    for (json_iter_init(&iter, detail); json_iter_next(&iter);) {
        if (!str_eq(iter.key, STR("\"retry_after\"")) || json_type_of(iter.value) != JSON_NUMBER)
            continue;
        double seconds = strtod(iter.value.data, NULL); /* the number ends before , or } */
        if (!(seconds > 0))
            return 0;
        if (seconds > RETRY_AFTER_MAX)
            seconds = RETRY_AFTER_MAX;
        return (int64_t)(seconds * (double)NUM_SECOND);
    }
    return 0;
}

void failure_explain(struct failure *failure, struct str detail)
{
    free(failure->detail);
    failure->detail = mem_strndup(detail.data, detail.len);
    failure->retry_after = read_retry_after(str_trim(detail));
}

void failure_free(struct failure *failure)
{
    if (!failure)
        return;
    free(failure->message);
    free(failure->detail);
    free(failure->function);
    free(failure->recorded);
    buf_free(&failure->errors);
    free(failure);
}

struct failure *failure_dup(const struct failure *failure)
{
    struct failure *copy = mem_alloc(sizeof *copy);
    *copy = *failure;
    copy->message = failure->message ? mem_strdup(failure->message) : NULL;
    copy->detail = failure->detail ? mem_strdup(failure->detail) : NULL;
    copy->function = failure->function ? mem_strdup(failure->function) : NULL;
    copy->recorded = failure->recorded ? mem_strdup(failure->recorded) : NULL;
    copy->errors = (struct buf){0};
    buf_add_str(&copy->errors, buf_str(&failure->errors));
    return copy;
}

struct failure *failure_of_status(int status)
{
    enum {
        CANNOT_EXECUTE = 126,
        NOT_FOUND = 127,
        EXECLINE_TEMPORARY = 111,
        EXECLINE_PERMANENT = 100
    };
    if (WIFSIGNALED(status)) {
        int signo = WTERMSIG(status);
        struct failure *failure = failure_new(FAILURE_SIGNAL, FAILURE_ORDINARY,
                                              "ended by signal %d (%s)", signo, strsignal(signo));
        failure->signal = signo;
        return failure;
    }
    int code = WEXITSTATUS(status);
    enum failure_class class = FAILURE_ORDINARY;
    if (code == EX_TEMPFAIL || code == EXECLINE_TEMPORARY)
        class = FAILURE_TEMPORARY;
    if (code == EX_DATAERR || code == EXECLINE_PERMANENT || code == CANNOT_EXECUTE ||
        code == NOT_FOUND)
        class = FAILURE_PERMANENT;
    struct failure *failure = failure_new(FAILURE_EXIT, class, "exit status %d", code);
    failure->exit = code;
    return failure;
}

enum failure_class failure_class_of_http(int status)
{
    bool temporary = status == 408 || status == 425 || status == 429 || status >= 500;
    return temporary ? FAILURE_TEMPORARY : FAILURE_PERMANENT;
}
