/* http_request.c: what is sent for a call: header fields and a body. */
#include "fn/http_request.h"

#include "base/mem.h"
#include "fn/kind.h"
#include "format/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

/* Has the user given a field of that name? Then it stands for ours. */
static bool is_given(const struct fn_http *http, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; http && i < http->count; i++) {
        if (strncasecmp(http->headers[i], name, len) == 0 && http->headers[i][len] == ':')
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

static void add_ours(struct http_request *request, const struct fn_http *http, const char *name,
                     struct str value)
{
    if (!is_given(http, name))
        add(request, name, value);
}

static void add_given(struct http_request *request, const struct fn_http *http)
{
    for (size_t i = 0; http && i < http->count; i++) {
        const char *colon = strchr(http->headers[i], ':');
        char *name = mem_strndup(http->headers[i], (size_t)(colon - http->headers[i]));
        add(request, name, str_trim(str_of(colon + 1)));
        free(name);
    }
}

/* Which event this is, for a server that must do nothing twice, and for traces. */
static void add_identity(struct http_request *request, const struct fn_call *call,
                         const struct environment *environment, const struct fn_http *http)
{
    struct buf value = {0};
    environment_add_key(call, &value);
    add_ours(request, http, "Idempotency-Key", buf_str(&value));
    buf_clear(&value);
    environment_add_trace(environment, call, &value);
    add_ours(request, http, "traceparent", buf_str(&value));
    buf_free(&value);
}

static void add_validators(struct http_request *request, const struct fn_validators *validators)
{
    if (validators && validators->etag)
        add(request, "If-None-Match", str_of(validators->etag));
    if (validators && validators->modified)
        add(request, "If-Modified-Since", str_of(validators->modified));
}

static void make_body(struct http_request *request, const struct fn_call *call)
{
    const struct fn_http *http = call->fn->settings.http;
    const char *type = "application/json";
    request->body = slice_str(call->event);
    if (call->fn->settings.raw && json_type_of(request->body) == JSON_STRING) {
        json_decode(request->body, &request->own);
        request->body = buf_str(&request->own);
        type = "text/plain; charset=utf-8";
    }
    add_ours(request, http, "Content-Type", str_of(type));
    buf_puts(&request->text, "Expect:"); /* libcurl sends none then, and waits for no 100 */
    buf_addc(&request->text, '\0');
    request->count++;
}

void http_request_make(struct http_request *request, const struct fn_call *call,
                       const struct environment *environment)
{
    const struct fn_http *http = call->fn->settings.http;
    buf_clear(&request->text);
    buf_clear(&request->own);
    request->count = 0;
    request->body = (struct str){0};
    add_given(request, http);
    add_ours(request, http, "User-Agent", STR("fittings/" FIT_VERSION));
    add_ours(request, http, "Accept",
             STR("application/json, application/x-ndjson;q=0.9, */*;q=0.1"));
    add_identity(request, call, environment, http);
    if (http && http->get)
        add_validators(request, http->validators);
    else
        make_body(request, call);
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
