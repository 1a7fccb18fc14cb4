/* poll_look.c: one look after the other: the check is called, and has a value or has failed. */
#include "engine/poll_look.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/msg.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- opening ---- */

/* A validator belongs to one URL. */
static bool has_placeholder(const struct poll_look *look, const struct fn_settings *settings)
{
    return !settings->literal && (strstr(look->check, "{.") || strstr(look->check, "{}"));
}

static struct fn_settings settings_of(struct poll_look *look)
{
    struct fn_settings settings = *engine_settings(look->engine);
    if (settings.http)
        look->http = *settings.http;
    look->http.get = true;
    look->http.ce = FN_CE_NONE;
    look->http.validators = has_placeholder(look, &settings) ? NULL : &look->validators;
    settings.http = &look->http;
    settings.jobs = 1;
    settings.text = look->text;
    settings.document = true;
    settings.raw = false;
    settings.fault = (struct fn_fault){0};
    settings.policy = NULL;
    settings.limits = NULL;
    return settings;
}

static void count_checks(struct poll_look *look)
{
    const struct report_count checks = {"checks", "Looks that have ended.", &look->checks};
    const struct report_count failed = {"failed_checks", "Looks whose check has failed.",
                                        &look->failed_checks};
    engine_count(look->engine, &checks);
    engine_count(look->engine, &failed);
}

int poll_look_open(struct poll_look *look, struct err *err)
{
    struct err why;
    look->context = *engine_functions(look->engine);
    look->context.attempted = NULL;
    look->context.room = NULL;
    struct fn_settings settings = settings_of(look);
    look->fn = fn_open_string(&look->context, &settings, look->check, &why);
    if (!look->fn)
        return err_set(err, why.kind, "--check: %s", why.text);
    if (fn_is_sink(look->fn))
        return err_set(err, ERR_USAGE, "--check: %s: gives no value", look->check);
    count_checks(look);
    return 0;
}

static void clear_validators(struct fn_validators *validators)
{
    free(validators->etag);
    free(validators->modified);
    *validators = (struct fn_validators){0};
}

void poll_look_free(struct poll_look *look)
{
    fn_free(look->fn);
    slice_drop(&look->value);
    clear_validators(&look->validators);
    buf_free(&look->event);
    buf_free(&look->cursor);
    buf_free(&look->id);
}

/* ---- its answer ---- */

static void fail(struct poll_look *look, const char *why)
{
    int len = (int)look->name.len;
    look->looked = POLL_LOOKED_FAILED;
    look->failed_checks++;
    if (!look->failing++)
        msg_warn("%.*s: the check failed: %s", len, look->name.data, why);
    else
        msg_verbose("%.*s: the check failed: %s", len, look->name.data, why);
}

void poll_look_refuse(struct poll_look *look, const char *why)
{
    look->permanent = false;
    fail(look, why);
}

void poll_look_accept(struct poll_look *look)
{
    if (look->failing)
        msg_warn("%.*s: the check is well again, after %" PRIu64 " that failed",
                 (int)look->name.len, look->name.data, look->failing);
    look->failing = 0;
}

static void take_failure(struct poll_look *look, struct failure *failure)
{
    look->permanent = failure->class == FAILURE_PERMANENT;
    if (failure->reason != FAILURE_INTERRUPTED)
        fail(look, failure->message ? failure->message : failure_name(failure->reason));
    failure_free(failure);
}

void poll_look_remember(struct poll_look *look, const struct slice *value)
{
    look->remembers = value;
    if (value)
        look->remembered = hash_128(slice_str(*value));
}

static bool is_remembered(const struct poll_look *look, struct slice value)
{
    struct hash128 hash = hash_128(slice_str(value));
    return look->remembers && hash.high == look->remembered.high &&
           hash.low == look->remembered.low;
}

/* Lines as one array. */
static struct slice join(struct slice lines)
{
    struct buf array = {0};
    struct str rest = slice_str(lines);
    buf_addc(&array, '[');
    while (rest.len) {
        const char *lf = memchr(rest.data, '\n', rest.len);
        size_t len = lf ? (size_t)(lf - rest.data) : rest.len;
        buf_puts(&array, array.len > 1 ? "," : "");
        buf_add(&array, rest.data, len);
        rest.data += len + (lf != NULL);
        rest.len -= len + (lf != NULL);
    }
    buf_addc(&array, ']');
    slice_drop(&lines);
    size_t len = array.len;
    return slice_take(buf_take(&array), len);
}

static void take_lines(struct poll_look *look, struct slice lines, size_t count)
{
    if (look->text || (count > 1 && look->several)) {
        lines = join(lines);
    } else if (count != 1) {
        slice_drop(&lines);
        poll_look_refuse(look, count ? "several values, where one is expected" : "no value");
        return;
    }
    look->looked = POLL_LOOKED_VALUE;
    look->value = lines;
    if (!is_remembered(look, lines))
        return;
    look->looked = POLL_LOOKED_UNCHANGED;
    slice_drop(&look->value);
}

/* Nothing is as before that was never seen. */
static void take_unchanged(struct poll_look *look)
{
    if (look->validators.etag || look->validators.modified)
        look->looked = POLL_LOOKED_UNCHANGED;
    else
        poll_look_refuse(look, "304 Not Modified, where no version was named");
}

static void answered(struct fn_call *call)
{
    struct poll_look *look = CONTAINER_OF(call, struct poll_look, call);
    look->running = false;
    look->checks++;
    if (call->failure)
        take_failure(look, call->failure);
    else if (look->http.validators && look->validators.unchanged)
        take_unchanged(look);
    else
        take_lines(look, call->lines, call->count);
    look->done(look->owner);
}

/* ---- looking ---- */

static char *dup(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

/* Without its quotes, if it is a string; not one that cannot be a variable. */
static struct str cursor_text(struct poll_look *look, struct str cursor)
{
    buf_clear(&look->cursor);
    if (!cursor.len)
        return (struct str){0};
    if (json_type_of(cursor) == JSON_STRING)
        json_decode(cursor, &look->cursor);
    else
        buf_add_str(&look->cursor, cursor);
    struct str text = {buf_cstr(&look->cursor), look->cursor.len};
    return text.len && memchr(text.data, '\0', text.len) ? cursor : text;
}

static void write_event(struct poll_look *look, const struct poll_head *head)
{
    char time[CLOCK_TEXT];
    buf_clear(&look->event);
    buf_puts(&look->event, "{\"name\":");
    buf_add_json(&look->event, look->name);
    buf_puts(&look->event, ",\"cursor\":");
    buf_add_str(&look->event, head->cursor.len ? buf_str(&head->cursor) : STR("null"));
    if (head->success)
        buf_addf(&look->event, ",\"last_success\":\"%s\"}", clock_format(head->success, time));
    else
        buf_puts(&look->event, ",\"last_success\":null}");
}

void poll_look_begin(struct poll_look *look, const struct poll_head *head)
{
    clear_validators(&look->validators);
    look->validators.etag = dup(head->validators.etag);
    look->validators.modified = dup(head->validators.modified);
    write_event(look, head);
    look->began = clock_wall();
    buf_clear(&look->id);
    buf_addf(&look->id, "poll/%.*s#%" PRId64, (int)look->name.len, look->name.data, look->began);
    look->call = (struct fn_call){
        .event = {NULL, look->event.data, look->event.len},
        .id = buf_str(&look->id),
        .cursor = cursor_text(look, buf_str(&head->cursor)),
        .done = answered,
    };
    look->running = true;
    fn_call(look->fn, &look->call);
    fn_press(look->fn);
}

/* ---- the end ---- */

static void closed(void *owner)
{
    struct poll_look *look = owner;
    look->is_closed = true;
    look->closed(look->owner);
}

void poll_look_close(struct poll_look *look)
{
    if (look->running)
        fn_end(&look->call, FAILURE_INTERRUPTED);
    if (look->closing)
        return;
    look->closing = true;
    fn_close(look->fn, closed, look);
}

bool poll_look_is_busy(const struct poll_look *look)
{
    return look->running || (look->closing && !look->is_closed);
}
