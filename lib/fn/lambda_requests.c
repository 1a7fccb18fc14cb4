/* lambda_requests.c: what an environment of AWS Lambda asks for, and tells. */
#include "fn/lambda_runtime.h"

#include "base/mem.h"
#include "base/num.h"
#include "fn/body.h"
#include "fn/answer.h"
#include "format/json.h"

#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define ERROR_TYPE    "Lambda-Runtime-Function-Error-Type"
#define ERROR_BODY    "Lambda-Runtime-Function-Error-Body"
#define RESPONSE_MODE "Lambda-Runtime-Function-Response-Mode"

static const struct http_header json_type = {"Content-Type", "application/json"};

static struct lambda *lambda_of(const struct lambda_runtime *runtime)
{
    return runtime->base.fn->state;
}

/* ---- answers of the API ---- */

static void add_member(struct buf *object, const char *name, struct str value)
{
    buf_addc(object, object->len ? ',' : '{');
    buf_add_json(object, str_of(name));
    buf_addc(object, ':');
    buf_add_json(object, value);
}

/* The object that AWS tells errors with. */
static struct buf error_object(const char *type, struct str message)
{
    struct buf object = {0};
    add_member(&object, "errorMessage", message);
    add_member(&object, "errorType", str_of(type));
    buf_addc(&object, '}');
    return object;
}

static void refuse(struct http_request *request, unsigned status, const char *type,
                   const char *message)
{
    const struct http_header headers[] = {
        json_type, {"Allow", strcmp(request->method, "GET") == 0 ? "POST" : "GET"}};
    struct buf object = error_object(type, str_of(message));
    http_request_answer(request, status, headers, status == 405 ? 2 : 1, buf_str(&object));
    buf_free(&object);
}

static void accept_it(struct http_request *request)
{
    http_request_answer(request, 202, &json_type, 1, STR("{\"status\":\"OK\"}"));
}

/* ---- events ---- */

static void renew_id(struct lambda_runtime *runtime)
{
    struct rng *rng = &lambda_of(runtime)->rng;
    uint64_t high = rng_next(rng), low = rng_next(rng);
    snprintf(runtime->id, sizeof runtime->id, "%08x-%04x-4%03x-%04x-%012llx",
             (unsigned)(high >> 32), (unsigned)(high >> 16 & 0xFFFF), (unsigned)(high & 0xFFF),
             (unsigned)(low >> 48 & 0x3FFF) | 0x8000, (unsigned long long)(low & 0xFFFFFFFFFFFF));
}

/* X-Ray's form of TRACEPARENT: the same digits, the 32 of the trace cut after 8. */
static void add_trace(const struct lambda_runtime *runtime, const struct fn_call *call,
                      struct buf *out)
{
    enum { TRACE_AT = 3, CUT_AT = 11, SPAN_AT = 36 }; /* in "00-TRACE-SPAN-01" */
    struct buf trace = {0};
    environment_add_trace(lambda_of(runtime)->environment, call, &trace);
    const char *text = buf_cstr(&trace);
    buf_addf(out, "Root=1-%.8s-%.24s;Parent=%.16s;Sampled=1", text + TRACE_AT, text + CUT_AT,
             text + SPAN_AT);
    buf_free(&trace);
}

static void send_event(struct lambda_runtime *runtime, struct http_request *request)
{
    const struct fn_call *call = runtime->base.flight.first;
    struct str event = slice_str(call->event);
    struct buf raw = {0}, trace = {0};
    char deadline[NUM_TEXT];
    if (runtime->base.fn->settings.raw && json_type_of(event) == JSON_STRING) {
        json_decode(event, &raw);
        event = buf_str(&raw);
    }
    add_trace(runtime, call, &trace);
    snprintf(deadline, sizeof deadline, "%lld", (long long)(runtime->deadline / 1000000));
    const struct http_header headers[] = {
        json_type,
        {"Lambda-Runtime-Aws-Request-Id", runtime->id},
        {"Lambda-Runtime-Deadline-Ms", deadline},
        {"Lambda-Runtime-Invoked-Function-Arn", lambda_of(runtime)->names.arn},
        {"Lambda-Runtime-Trace-Id", buf_cstr(&trace)},
    };
    http_request_answer(request, 200, headers, sizeof headers / sizeof headers[0], event);
    buf_free(&raw);
    buf_free(&trace);
}

void lambda_requests_hand_out(struct lambda_runtime *runtime)
{
    struct http_request *next = runtime->next;
    if (runtime->state != LAMBDA_WAITING || !runtime->base.flight.count)
        return;
    if (!runtime->base.process.child.pid) /* it has died meanwhile: the event is for another */
        return;
    if (runtime->base.answers) { /* else it says how its initialisation went */
        errlines_catch_up(&runtime->output);
        errlines_clear(&runtime->output);
    }
    runtime->next = NULL;
    runtime->state = LAMBDA_INVOKED;
    runtime->handed = true;
    renew_id(runtime);
    send_event(runtime, next);
}

/* ---- what it tells ---- */

/* The beginning of a text, in whole characters. */
static struct str first_of(struct str text)
{
    if (text.len <= ANSWER_MESSAGE)
        return text;
    text.len = ANSWER_MESSAGE;
    while (((unsigned char)text.data[text.len] & 0xC0) == 0x80)
        text.len--;
    return text;
}

/* The error that a body tells of: the body itself if it is JSON, else what the header says. */
static struct failure *failure_from(enum failure_reason reason, const char *text, struct str body,
                                    const char *type)
{
    struct failure *failure = failure_new(reason, FAILURE_ORDINARY, "%s", text);
    struct json_scan scan;
    struct buf detail = {0};
    body = str_trim(body);
    if (body.len && json_scan(body, NULL, NULL, &scan) == 0)
        json_compact(body, &detail);
    else if (type)
        detail = error_object(str_is_utf8(str_of(type)) ? type : "Unknown",
                              str_is_utf8(body) ? first_of(body) : (struct str){0});
    else if (body.len && str_is_utf8(body))
        buf_add_json(&detail, first_of(body));
    if (detail.len)
        failure_explain(failure, buf_str(&detail));
    buf_free(&detail);
    return failure;
}

static bool is_streamed(const struct http_request *request)
{
    const char *mode = http_request_header(request, RESPONSE_MODE);
    return mode && strcasecmp(mode, "streaming") == 0;
}

/* A stream that broke off says so behind its end. The body of the error is base64. */
static struct failure *broken_stream(const struct http_request *request)
{
    const char *type = http_request_trailer(request, ERROR_TYPE);
    const char *text = http_request_trailer(request, ERROR_BODY);
    struct buf body = {0};
    if (!type && !text)
        return NULL;
    if (text && !buf_add_from_base64(&body, str_of(text)))
        buf_clear(&body);
    struct failure *failure = failure_from(FAILURE_ERROR, "the function failed within its response",
                                           buf_str(&body), type);
    buf_free(&body);
    return failure;
}

static struct failure *oversized(const struct lambda_runtime *runtime,
                                 const struct http_request *request)
{
    const struct fn_settings *settings = &runtime->base.fn->settings;
    char limit[NUM_TEXT];
    struct buf message = {0};
    bool ours = is_streamed(request) || settings->max_result < LAMBDA_API_RESPONSE;
    struct failure *failure =
        ours ? failure_new(FAILURE_BAD_RESULT, FAILURE_PERMANENT,
                           "a result of more than %s (--max-result)",
                           num_format_size(settings->max_result, limit))
             : failure_new(FAILURE_BAD_RESULT, FAILURE_PERMANENT,
                           "a response of more than %d bytes", LAMBDA_API_RESPONSE);
    buf_addf(
        &message,
        "Response payload size (%llu bytes) exceeded maximum allowed payload size (%zu bytes).",
        (unsigned long long)request->size, request->limit);
    struct buf detail = error_object("Function.ResponseSizeTooLarge", buf_str(&message));
    failure->detail = buf_take(&detail);
    buf_free(&message);
    return failure;
}

/* The call has its response. The answer goes out before the call ends, which may bring the next. */
static void take_response(struct lambda_runtime *runtime, struct http_request *request)
{
    struct fn_call *call = runtime->base.flight.first;
    struct failure *failure = is_streamed(request) ? broken_stream(request) : NULL;
    size_t bytes = request->body.len;
    if (!failure)
        failure = body_take(runtime->base.fn, &request->body, call);
    accept_it(request);
    lambda_runtime_end_call(runtime, failure, bytes);
}

static void take_error(struct lambda_runtime *runtime, struct http_request *request)
{
    struct failure *failure =
        failure_from(FAILURE_ERROR, "the function answered with an error", buf_str(&request->body),
                     http_request_header(request, ERROR_TYPE));
    accept_it(request);
    lambda_runtime_end_call(runtime, failure, 0);
}

static void take_init_error(struct lambda_runtime *runtime, struct http_request *request)
{
    struct failure *failure =
        failure_from(FAILURE_INIT, "its runtime says that it cannot be initialised",
                     buf_str(&request->body), http_request_header(request, ERROR_TYPE));
    if (request->too_large)
        refuse(request, 413, "RequestEntityTooLarge", "The error is too large.");
    else
        accept_it(request);
    lambda_runtime_give_up(runtime, failure);
}

static void take_oversized(struct lambda_runtime *runtime, struct http_request *request)
{
    char message[128];
    struct failure *failure = oversized(runtime, request);
    snprintf(message, sizeof message, "Exceeded maximum allowed payload size (%zu bytes).",
             request->limit);
    refuse(request, 413, "RequestEntityTooLarge", message);
    lambda_runtime_end_call(runtime, failure, 0);
}

/* ---- requests ---- */

static void open_next(struct lambda_runtime *runtime, struct http_request *request)
{
    runtime->next = request;
    lambda_runtime_ready(runtime);
    lambda_requests_hand_out(runtime);
}

static void refuse_it(const struct lambda_runtime *runtime, struct http_request *request,
                      const struct lambda_verdict *verdict)
{
    char message[128];
    if (verdict->status == 400)
        snprintf(message, sizeof message, "Invalid request ID");
    else
        snprintf(message, sizeof message, "not allowed while the environment is %s",
                 lambda_api_state_name(runtime->state));
    refuse(request, verdict->status, verdict->error_type, message);
}

static void requested(void *owner, struct http_request *request)
{
    struct lambda_runtime *runtime = owner;
    enum lambda_ask ask;
    struct str id;
    unsigned status = lambda_api_route(request->method, request->path, &ask, &id);
    if (status) {
        refuse(request, status, status == 404 ? "NotFound" : "MethodNotAllowed",
               status == 404 ? "no such resource" : "no such method of this resource");
        return;
    }
    bool known = runtime->id[0] && str_eq(id, str_of(runtime->id));
    struct lambda_verdict verdict =
        lambda_api_judge(runtime->state, ask, known, request->too_large);
    if (verdict.effect == LAMBDA_NOTHING) {
        refuse_it(runtime, request, &verdict);
        return;
    }
    runtime->state = verdict.state;
    switch (verdict.effect) {
    case LAMBDA_OPEN:
        open_next(runtime, request);
        break;
    case LAMBDA_LEAVES:
        lambda_runtime_leave(runtime);
        break;
    case LAMBDA_AGAIN:
        send_event(runtime, request);
        break;
    case LAMBDA_SUCCEEDS:
        take_response(runtime, request);
        break;
    case LAMBDA_OVERSIZED:
        take_oversized(runtime, request);
        break;
    case LAMBDA_FAILS:
        take_error(runtime, request);
        break;
    default:
        take_init_error(runtime, request);
        break;
    }
}

/* Whoever asked for the next event does not any more. */
static void gone(void *owner, struct http_request *request)
{
    struct lambda_runtime *runtime = owner;
    if (runtime->next != request)
        return;
    runtime->next = NULL;
    if (runtime->state == LAMBDA_WAITING)
        runtime->state = LAMBDA_ANSWERED;
}

static size_t limit_of(void *owner, const struct http_request *request)
{
    const struct lambda_runtime *runtime = owner;
    size_t most = runtime->base.fn->settings.max_result;
    return is_streamed(request) || most < LAMBDA_API_RESPONSE ? most : LAMBDA_API_RESPONSE;
}

/* Who the process belongs to, which may have been started as another user; else ours. */
static bool admit(void *owner, uid_t user)
{
    const struct lambda_runtime *runtime = owner;
    char path[sizeof "/proc/" + 12];
    struct stat process;
    if (user == geteuid() || user == 0)
        return true;
    snprintf(path, sizeof path, "/proc/%d", (int)runtime->base.process.pid);
    return runtime->base.process.child.pid && stat(path, &process) == 0 && process.st_uid == user;
}

int lambda_requests_open(struct lambda_runtime *runtime, struct err *err)
{
    struct http_server_settings settings = {
        .owner = runtime, .limit = limit_of, .request = requested, .gone = gone, .admit = admit};
    runtime->server = http_server_open(lambda_loop(runtime), &settings, err);
    return runtime->server ? 0 : -1;
}
