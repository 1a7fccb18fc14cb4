/* http_answer.c: what a server answers, as a result or a failure. */
#include "fn/http_answer.h"

#include "base/clock.h"
#include "base/num.h"
#include "fn/http.h"
#include "fn/http_url.h"
#include "fn/kind.h"
#include "fn/retry_after.h"
#include "format/json.h"

#include <strings.h>

enum {
    HTTP_ERROR_KEPT =
        16 * 1024, /* bytes of the body of a failure; of a longer one nothing is said */
    HTTP_ERROR_READ =
        1024 * 1024,        /* bytes that are read, so that the connection can be used again */
    HTTP_HEAD = 256 * 1024, /* bytes of heads, those of 1xx included; more fail the call */
    HTTP_TITLE = 100,       /* bytes of a status and its reason; the rest is left out */
    HTTP_FIELD = 8 * 1024,  /* bytes of a field that matters; a longer one is not heeded */
    MARK = 3,               /* bytes of a byte order mark */
};

static const char mark[] = "\xEF\xBB\xBF"; /* the byte order mark in UTF-8 */

static const char *const names[HTTP_FIELDS] = {
    [HTTP_CONTENT_TYPE] = "content-type",   [HTTP_CONTENT_ENCODING] = "content-encoding",
    [HTTP_RETRY_AFTER] = "retry-after",     [HTTP_ETAG] = "etag",
    [HTTP_LAST_MODIFIED] = "last-modified", [HTTP_FUNCTION_ERROR] = "x-amz-function-error",
};

void http_answer_init(struct http_answer *answer, const struct fn *fn)
{
    *answer = (struct http_answer){.text = fn->settings.text};
    collect_init(&answer->output, fn->settings.max_result, fn->settings.text,
                 fn->context->temp_dir);
}

void http_answer_free(struct http_answer *answer)
{
    buf_free(&answer->title);
    for (int i = 0; i < HTTP_FIELDS; i++)
        buf_free(&answer->fields[i]);
    collect_free(&answer->output);
    buf_free(&answer->error);
}

static void clear_fields(struct http_answer *answer)
{
    answer->status = 0;
    answer->over = false;
    answer->last = NULL;
    buf_clear(&answer->title);
    for (int i = 0; i < HTTP_FIELDS; i++)
        buf_clear(&answer->fields[i]);
}

void http_answer_clear(struct http_answer *answer)
{
    struct slice lines;
    size_t count;
    struct err err;
    clear_fields(answer);
    collect_finish(&answer->output, &lines, &count, &err); /* empties it */
    slice_drop(&lines);
    buf_free(&answer->error);
    answer->received = answer->head = answer->mark = 0;
    answer->begun = answer->broken = answer->joined = answer->cut = false;
}

/* What a server says, for people. */
static void add_shown(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len && i < HTTP_TITLE; i++)
        buf_addc(out, text.data[i] >= ' ' && text.data[i] <= '~' ? text.data[i] : '?');
}

/* ---- the head ---- */

/* "HTTP/1.1 503 Service Unavailable": of the last answer, as 100 and 103 come before another. */
static void read_status(struct http_answer *answer, struct str line)
{
    clear_fields(answer);
    const char *blank = memchr(line.data, ' ', line.len);
    if (!blank)
        return;
    struct str rest = {blank + 1, (size_t)(line.data + line.len - blank - 1)};
    for (size_t i = 0; i < rest.len && i < 3 && rest.data[i] >= '0' && rest.data[i] <= '9'; i++)
        answer->status = answer->status * 10 + (rest.data[i] - '0');
    add_shown(&answer->title, rest);
}

/* A line of a field, if it is one that matters. */
static void read_field(struct http_answer *answer, struct str line)
{
    answer->last = NULL;
    for (int i = 0; i < HTTP_FIELDS; i++) {
        size_t len = strlen(names[i]);
        if (line.len <= len || line.data[len] != ':' || strncasecmp(line.data, names[i], len) != 0)
            continue;
        struct str value = str_trim((struct str){line.data + len + 1, line.len - len - 1});
        buf_clear(&answer->fields[i]);
        if (value.len > HTTP_FIELD)
            return;
        answer->last = &answer->fields[i];
        buf_add_str(answer->last, value);
    }
}

/* A line that begins with a blank goes on with the value before it (RFC 9112, 5.2). */
static void read_more(struct http_answer *answer, struct str line)
{
    struct buf *value = answer->last;
    if (!value)
        return;
    if (value->len)
        buf_addc(value, ' ');
    buf_add_str(value, line);
    if (value->len <= HTTP_FIELD)
        return;
    buf_clear(value);
    answer->last = NULL;
}

size_t http_answer_header(char *line, size_t size, size_t count, void *owner)
{
    struct http_answer *answer = owner;
    struct str text = str_trim((struct str){line, size * count});
    answer->head += size * count;
    if (answer->head > HTTP_HEAD)
        return 0;
    if (answer->over) /* trailers are no fields of the head (RFC 9110, 6.5.1) */
        return size * count;
    if (!text.len && answer->status == 101)
        return 0; /* nobody has asked for another protocol; libcurl waits for its end */
    if (!text.len)
        answer->over = answer->status >= 200; /* 100 and 103 come before another head */
    else if (line[0] == ' ' || line[0] == '\t')
        read_more(answer, text);
    else if (text.len > 5 && strncasecmp(text.data, "HTTP/", 5) == 0)
        read_status(answer, text);
    else
        read_field(answer, text);
    return size * count;
}

static bool is_success(const struct http_answer *answer)
{
    return answer->status >= 200 && answer->status < 300;
}

/* Is its body a result? */
static bool has_result(const struct http_answer *answer)
{
    return is_success(answer) && !answer->fields[HTTP_FUNCTION_ERROR].len;
}

/* "Application/X-NDJSON; charset=utf-8" */
static bool is_type(const struct http_answer *answer, const char *type)
{
    struct str value = buf_str(&answer->fields[HTTP_CONTENT_TYPE]);
    size_t len = strlen(type);
    return value.len >= len && strncasecmp(value.data, type, len) == 0 &&
           (value.len == len || strchr("; \t", value.data[len]));
}

static bool is_lines(const struct http_answer *answer)
{
    return answer->text || is_type(answer, "application/x-ndjson") ||
           is_type(answer, "application/ndjson") || is_type(answer, "application/jsonl") ||
           is_type(answer, "application/x-jsonlines") || is_type(answer, "application/jsonlines");
}

/* ---- the body ---- */

static int add(struct http_answer *answer, struct str bytes)
{
    while (bytes.len) {
        size_t room;
        char *space = collect_space(&answer->output, &room);
        size_t count = bytes.len < room ? bytes.len : room;
        memcpy(space, bytes.data, count);
        if (collect_filled(&answer->output, count) < 0)
            return -1;
        bytes = (struct str){bytes.data + count, bytes.len - count};
    }
    return 0;
}

/* The bytes up to the next line break. */
static struct str unbroken(struct str bytes)
{
    size_t len = 0;
    while (len < bytes.len && bytes.data[len] != '\n' && bytes.data[len] != '\r')
        len++;
    return (struct str){bytes.data, len};
}

static int add_document(struct http_answer *answer, struct str bytes)
{
    while (bytes.len) {
        struct str piece = unbroken(bytes);
        if (!piece.len) {
            answer->broken = answer->begun;
            bytes = (struct str){bytes.data + 1, bytes.len - 1};
            continue;
        }
        if (answer->broken && add(answer, STR("\t")) < 0)
            return -1;
        answer->joined |= answer->broken;
        answer->begun = true;
        answer->broken = false;
        if (add(answer, piece) < 0)
            return -1;
        bytes = (struct str){bytes.data + piece.len, bytes.len - piece.len};
    }
    return 0;
}

/* What the server says of its failure. -1: enough. */
static int add_error(struct http_answer *answer, struct str bytes)
{
    if (answer->received <= HTTP_ERROR_KEPT)
        buf_add_str(&answer->error, bytes);
    answer->cut = answer->received > HTTP_ERROR_READ;
    return answer->cut ? -1 : 0;
}

static int add_body(struct http_answer *answer, struct str bytes)
{
    if (!has_result(answer))
        return add_error(answer, bytes);
    return is_lines(answer) ? add(answer, bytes) : add_document(answer, bytes);
}

/* What began like a byte order mark, and went on otherwise or ended, is no mark. */
static int add_mark(struct http_answer *answer)
{
    struct str begun = {mark, answer->mark};
    answer->mark = MARK;
    return begun.len && begun.len < MARK ? add_body(answer, begun) : 0;
}

size_t http_answer_body(char *data, size_t size, size_t count, void *owner)
{
    struct http_answer *answer = owner;
    size_t at = 0, len = size * count;
    answer->received += len;
    while (answer->mark < MARK && at < len && data[at] == mark[answer->mark]) {
        answer->mark++;
        at++;
    }
    if (at < len && add_mark(answer) < 0)
        return 0;
    return add_body(answer, (struct str){data + at, len - at}) == 0 ? len : 0;
}

/* ---- the end ---- */

/* The body of a failure, if it is JSON, or a short text. */
static void explain(const struct http_answer *answer, struct failure *failure)
{
    struct str body = str_trim(buf_str(&answer->error));
    struct json_scan scan;
    struct buf detail = {0};
    if (!body.len || answer->received > HTTP_ERROR_KEPT)
        return;
    if (json_scan(body, NULL, NULL, &scan) == 0)
        json_compact(body, &detail);
    else if (is_type(answer, "text/plain") && str_is_utf8(body))
        buf_add_json(&detail, body);
    if (detail.len)
        failure_explain(failure, buf_str(&detail));
    buf_free(&detail);
}

static struct failure *status_failure(struct http_answer *answer, const char *place)
{
    struct failure *failure =
        failure_new(FAILURE_HTTP, failure_class_of_http(answer->status), NULL);
    struct buf message = {0};
    buf_add_str(&message, buf_str(&answer->title));
    if (place && *place) {
        buf_puts(&message, ": to ");
        http_url_show(&message, place);
        buf_puts(&message, ", which is not followed");
    }
    failure->message = buf_take(&message);
    failure->status = answer->status;
    explain(answer, failure);
    int64_t asked = retry_after_read(buf_str(&answer->fields[HTTP_RETRY_AFTER]), clock_wall());
    if (asked)
        failure->retry_after = asked;
    return failure;
}

/* Nothing that another attempt could change? A server that is not who it should be. */
static bool is_permanent(CURLcode result)
{
    return result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_ISSUER_ERROR ||
           result == CURLE_SSL_CACERT_BADFILE || result == CURLE_SSL_INVALIDCERTSTATUS ||
           result == CURLE_URL_MALFORMAT;
}

static struct failure *function_failure(const struct http_answer *answer)
{
    struct failure *failure =
        failure_new(FAILURE_ERROR, FAILURE_ORDINARY, "the function answered with an error");
    explain(answer, failure);
    return failure;
}

/* A document that was laid out over lines loses its blanks, unless it is large. */
static void lay_out(const struct http_answer *answer, struct slice *lines)
{
    struct buf line = {0};
    if (!answer->joined || !lines->len || lines->len > FN_SPILL)
        return;
    json_compact((struct str){lines->data, lines->len - 1}, &line);
    buf_addc(&line, '\n');
    slice_drop(lines);
    *lines = slice_dup(buf_str(&line));
    buf_free(&line);
}

/* "identity" is as good as none. A body that is not there has no coding that matters. */
static bool is_encoded(const struct http_answer *answer)
{
    struct str coding = buf_str(&answer->fields[HTTP_CONTENT_ENCODING]);
    return answer->received && coding.len &&
           !(coding.len == 8 && strncasecmp(coding.data, "identity", 8) == 0);
}

static struct failure *encoded_failure(const struct http_answer *answer)
{
    struct str coding = buf_str(&answer->fields[HTTP_CONTENT_ENCODING]);
    struct buf shown = {0};
    add_shown(&shown, coding);
    struct failure *failure =
        failure_new(FAILURE_BAD_RESULT, FAILURE_ORDINARY,
                    "the answer is encoded (%s), which is not understood", buf_cstr(&shown));
    buf_free(&shown);
    return failure;
}

/* It is no result. Of what type it says that it is helps to see why: pages of proxies are HTML. */
static struct failure *bad_result(const struct http_answer *answer, struct err *err)
{
    struct str type = buf_str(&answer->fields[HTTP_CONTENT_TYPE]);
    struct buf text = {0};
    if (err->kind == ERR_INPUT && type.len && !is_type(answer, "application/json")) {
        buf_addf(&text, "%s (", err->text);
        add_shown(&text, type);
        buf_addc(&text, ')');
        err_set(err, ERR_INPUT, "%s", buf_cstr(&text));
        buf_free(&text);
    }
    return collect_failure(err);
}

static struct failure *take_result(struct http_answer *answer, struct fn_call *call)
{
    struct err err;
    add_mark(answer); /* if it fails collect_finish does */
    if (collect_finish(&answer->output, &call->lines, &call->count, &err) == 0) {
        lay_out(answer, &call->lines);
        return NULL;
    }
    slice_drop(&call->lines);
    call->count = 0;
    return bad_result(answer, &err);
}

struct failure *http_answer_end(struct http_answer *answer, CURLcode result, const char *text,
                                const char *place, struct fn_call *call)
{
    const struct fn_http *http = call->fn->settings.http;
    bool conditional = http && http->get && http->validators;
    if (answer->output.bad.kind && answer->output.bad.kind != ERR_INPUT)
        return collect_failure(&answer->output.bad);
    bool final = answer->status >= 200 || answer->status == 101;
    if (final && !is_success(answer) && !(conditional && answer->status == 304))
        return status_failure(answer, place);
    if (!answer->status || (result != CURLE_OK && !answer->cut))
        return failure_new(FAILURE_CONNECTION,
                           is_permanent(result) ? FAILURE_PERMANENT : FAILURE_TEMPORARY, "%s",
                           text);
    if (answer->fields[HTTP_FUNCTION_ERROR].len)
        return function_failure(answer);
    if (is_encoded(answer))
        return encoded_failure(answer);
    return take_result(answer, call);
}
