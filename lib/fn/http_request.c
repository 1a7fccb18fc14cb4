/* http_request.c: what is sent for a call: header fields and a body. */
#include "fn/http_request.h"

#include "base/mem.h"
#include "fn/http_ce.h"
#include "fn/http_validators.h"
#include "fn/kind.h"
#include "format/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

/* They say where a message ends, or what becomes of the connection: libcurl's own affair. */
static const char *const reserved[] = {
    "Content-Length", "Transfer-Encoding", "Connection", "Expect", "Keep-Alive", "TE", "Trailer",
    "Upgrade"};

static const char *const secret[] = {"Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key"};

static const char token_bytes[] = "!#$%&'*+-.^_`|~0123456789"
                                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* Is the field called so? */
static bool is_named(const char *header, const char *name)
{
    size_t len = strlen(name);
    return strncasecmp(header, name, len) == 0 && header[len] == ':';
}

static bool is_one_of(const char *header, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_named(header, names[i]))
            return true;
    }
    return false;
}

int fn_http_check_header(const char *header, struct err *err)
{
    size_t len = strspn(header, token_bytes);
    if (!len || header[len] != ':')
        return err_set(err, ERR_USAGE, "not \"Name: value\"");
    for (const unsigned char *at = (const unsigned char *)header + len + 1; *at; at++) {
        if ((*at < ' ' && *at != '\t') || *at == 0x7f)
            return err_set(err, ERR_USAGE, "a control character in the value of %.*s", (int)len,
                           header);
    }
    if (is_one_of(header, reserved, sizeof reserved / sizeof *reserved))
        return err_set(err, ERR_USAGE, "%.*s cannot be chosen", (int)len, header);
    return 0;
}

bool fn_http_is_secret(const char *header)
{
    return is_one_of(header, secret, sizeof secret / sizeof *secret);
}

/* Has the user given a field of that name? Then it stands for ours. */
static bool is_given(const struct fn_http *http, const char *name)
{
    for (size_t i = 0; http && i < http->count; i++) {
        if (is_named(http->headers[i], name))
            return true;
    }
    return false;
}

static void add(struct http_request *request, const char *name, struct str value)
{
    buf_puts(&request->text, name);
    buf_puts(&request->text, value.len ? ": " : ";"); /* so libcurl sends one without a value */
    buf_add_str(&request->text, value);
    buf_addc(&request->text, '\0');
    request->count++;
}

void http_request_add(struct http_request *request, const char *name, struct str value)
{
    if (!is_given(request->given, name))
        add(request, name, value);
}

void http_request_omit(struct http_request *request, const char *name)
{
    if (is_given(request->given, name))
        return;
    buf_addf(&request->text, "%s:", name);
    buf_addc(&request->text, '\0');
    request->count++;
}

static void add_given(struct http_request *request)
{
    const struct fn_http *http = request->given;
    for (size_t i = 0; http && i < http->count; i++) {
        const char *colon = strchr(http->headers[i], ':');
        char *name = mem_strndup(http->headers[i], (size_t)(colon - http->headers[i]));
        add(request, name, str_trim(str_of(colon + 1)));
        free(name);
    }
}

/* Which event this is, for a server that must do nothing twice, and for traces. */
static void add_identity(struct http_request *request, const struct fn_call *call,
                         const struct environment *environment)
{
    struct buf value = {0};
    environment_add_key(call, &value);
    http_request_add(request, "Idempotency-Key", buf_str(&value));
    buf_clear(&value);
    environment_add_trace(environment, call, &value);
    http_request_add(request, "traceparent", buf_str(&value));
    buf_free(&value);
}

static void make_plain_body(struct http_request *request, const struct fn_call *call)
{
    const char *type = "application/json";
    request->body = slice_str(call->event);
    if (call->fn->settings.raw && json_type_of(request->body) == JSON_STRING) {
        json_decode(request->body, &request->own);
        request->body = buf_str(&request->own);
        type = "text/plain; charset=utf-8";
    }
    http_request_add(request, "Content-Type", str_of(type));
}

static int make_body(struct http_request *request, const struct fn_call *call, struct err *err)
{
    const struct fn_http *http = call->fn->settings.http;
    if (http && http->ce) {
        if (http_ce_make(request, call, err) < 0)
            return -1;
    } else {
        make_plain_body(request, call);
    }
    http_request_omit(request, "Expect"); /* libcurl waits for no 100 then */
    return 0;
}

int http_request_make(struct http_request *request, const struct fn_call *call,
                      const struct environment *environment, struct err *err)
{
    const struct fn_http *http = call->fn->settings.http;
    buf_clear(&request->text);
    buf_clear(&request->own);
    request->count = 0;
    request->body = (struct str){0};
    request->given = http;
    add_given(request);
    http_request_add(request, "User-Agent", STR("fittings/" FIT_VERSION));
    http_request_add(request, "Accept",
                     STR("application/json, application/x-ndjson;q=0.9, */*;q=0.1"));
    http_request_add(request, "Accept-Encoding", STR("identity")); /* none named: all are welcome */
    add_identity(request, call, environment);
    if (!http || !http->get)
        return make_body(request, call, err);
    http_validators_add(http->validators, request);
    return 0;
}

struct curl_slist *http_request_fields(struct http_request *request)
{
    if (request->capacity < request->count) {
        request->nodes = mem_realloc(request->nodes, request->count * sizeof *request->nodes);
        request->capacity = request->count;
    }
    char *text = request->text.data;
    for (size_t i = 0; i < request->count; i++) {
        request->nodes[i] = (struct curl_slist){text, &request->nodes[i + 1]};
        text += strlen(text) + 1;
    }
    request->nodes[request->count - 1].next = NULL;
    return request->nodes;
}

void http_request_free(struct http_request *request)
{
    buf_free(&request->text);
    buf_free(&request->own);
    free(request->nodes);
}
