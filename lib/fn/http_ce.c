/* http_ce.c: an event as a CloudEvent in a request. */
#include "fn/http_ce.h"

#include "fn/kind.h"
#include "format/cloudevent.h"
#include "format/json.h"

#include <strings.h>

enum {
    CE_ATTRIBUTES = 64, /* more are refused */
    CE_SHOWN = 40,      /* bytes of a name in an error */
};

/* What is no CloudEvent becomes one. */
static void wrap(const struct fn_call *call, struct buf *out)
{
    struct buf id = {0}, source = {0};
    buf_add_str(&id, call->id);
    if (call->scope.len) {
        buf_addc(&id, '/');
        buf_add_str(&id, call->scope);
    }
    buf_addf(&source, "fit:%s", call->fn->context->command);
    struct cloudevent event = {
        .id = buf_str(&id),
        .source = buf_str(&source),
        .type = "fit.event",
        .data = slice_str(call->event),
    };
    cloudevent_write(&event, out);
    buf_free(&id);
    buf_free(&source);
}

/* "application/json", "application/vnd.x+json; charset=utf-8", or none at all */
static bool is_json_type(struct str type)
{
    size_t len = 0;
    while (len < type.len && type.data[len] != ';')
        len++;
    struct str name = str_trim((struct str){type.data, len});
    return !name.len || (name.len > 5 && strncasecmp(name.data + name.len - 5, "/json", 5) == 0) ||
           (name.len > 5 && strncasecmp(name.data + name.len - 5, "+json", 5) == 0);
}

/* Section 3.1.3.2 of the binding: blanks, quotes, percent signs and all beyond ASCII are encoded.
 */
static void add_value(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c <= ' ' || c > '~' || c == '"' || c == '%')
            buf_addf(out, "%%%02X", (unsigned char)c);
        else
            buf_addc(out, c);
    }
}

struct binary {        /* a CloudEvent taken apart */
    struct str type;   /* datacontenttype, decoded; {NULL, 0}: none */
    struct str data;   /* {NULL, 0}: none */
    struct str base64; /* data_base64, with its quotes; the same */
    struct buf text;   /* of type */
    struct buf name, value, decoded;
    unsigned attributes;
};

/* Does the same name stand again behind it? The last one counts, as in jq. */
static bool stands_again(struct json_iter iter)
{
    struct str key = iter.key;
    while (json_iter_next(&iter)) {
        if (str_eq(iter.key, key))
            return true;
    }
    return false;
}

static int add_attribute(struct http_request *request, struct binary *binary, struct str value,
                         struct err *err)
{
    struct str name = buf_str(&binary->name);
    enum json_type type = json_type_of(value);
    int shown = name.len < CE_SHOWN ? (int)name.len : CE_SHOWN;
    size_t valid = 0;
    while (valid < name.len && ((name.data[valid] >= 'a' && name.data[valid] <= 'z') ||
                                (name.data[valid] >= '0' && name.data[valid] <= '9')))
        valid++;
    if (!name.len || valid < name.len)
        return err_set(err, ERR_INPUT, "no attribute of a CloudEvent: %.*s", shown, name.data);
    if (type == JSON_OBJECT || type == JSON_ARRAY)
        return err_set(err, ERR_INPUT, "the attribute %.*s is no simple value", shown, name.data);
    if (++binary->attributes > CE_ATTRIBUTES)
        return err_set(err, ERR_INPUT, "more than %d attributes", CE_ATTRIBUTES);
    buf_clear(&binary->decoded);
    buf_clear(&binary->value);
    if (type == JSON_STRING)
        json_decode(value, &binary->decoded);
    else
        buf_add_str(&binary->decoded, value);
    add_value(&binary->value, buf_str(&binary->decoded));
    struct buf field = {0};
    buf_addf(&field, "ce-%.*s", (int)name.len, name.data);
    http_request_add(request, buf_cstr(&field), buf_str(&binary->value));
    buf_free(&field);
    return 0;
}

static int add_member(struct http_request *request, struct binary *binary, struct str value,
                      struct err *err)
{
    struct str name = buf_str(&binary->name);
    bool is_text = json_type_of(value) == JSON_STRING;
    if (str_eq(name, STR("data"))) {
        binary->data = value;
        return 0;
    }
    if (json_type_of(value) == JSON_NULL)
        return 0;
    if (str_eq(name, STR("data_base64"))) {
        binary->base64 = value;
        return is_text ? 0 : err_set(err, ERR_INPUT, "data_base64 is no string");
    }
    if (!str_eq(name, STR("datacontenttype")))
        return add_attribute(request, binary, value, err);
    if (!is_text)
        return err_set(err, ERR_INPUT, "datacontenttype is no string");
    buf_clear(&binary->text);
    json_decode(value, &binary->text);
    binary->type = buf_str(&binary->text);
    for (size_t i = 0; i < binary->type.len; i++) {
        if (binary->type.data[i] < ' ' || binary->type.data[i] > '~')
            return err_set(err, ERR_INPUT, "datacontenttype is no media type");
    }
    return 0;
}

/* Section 3.1 of the JSON format: what of the event is the body. */
static int make_body(struct http_request *request, struct binary *binary, struct err *err)
{
    bool is_json = is_json_type(binary->type); /* also where no type is named */
    if (binary->base64.data) {
        buf_clear(&binary->decoded);
        json_decode(binary->base64, &binary->decoded);
        if (!buf_add_from_base64(&request->own, buf_str(&binary->decoded)))
            return err_set(err, ERR_INPUT, "data_base64 is no base64");
        is_json = false;
    } else if (!binary->data.data) {
        is_json = false;
    } else if (!is_json && json_type_of(binary->data) == JSON_STRING) {
        json_decode(binary->data, &request->own);
    } else {
        buf_add_str(&request->own, binary->data);
    }
    request->body = buf_str(&request->own);
    if (binary->type.len)
        http_request_add(request, "Content-Type", binary->type);
    else if (is_json)
        http_request_add(request, "Content-Type", STR("application/json"));
    else
        http_request_omit(request, "Content-Type");
    return 0;
}

static int take_apart(struct http_request *request, struct binary *binary, struct str event,
                      struct err *err)
{
    struct json_iter iter;
    unsigned members = 0;
    for (json_iter_init(&iter, event); json_iter_next(&iter);) {
        if (++members > 2 * CE_ATTRIBUTES)
            return err_set(err, ERR_INPUT, "more than %d attributes", CE_ATTRIBUTES);
        if (stands_again(iter))
            continue;
        buf_clear(&binary->name);
        json_decode(iter.key, &binary->name);
        if (add_member(request, binary, iter.value, err) < 0)
            return -1;
    }
    return make_body(request, binary, err);
}

int http_ce_make(struct http_request *request, const struct fn_call *call, struct err *err)
{
    struct str event = slice_str(call->event);
    struct buf wrapped = {0};
    int status = 0;
    if (!cloudevent_is(event)) {
        wrap(call, &wrapped);
        event = buf_str(&wrapped);
    }
    if (call->fn->settings.http->ce == FN_CE_BINARY) {
        struct binary binary = {0};
        status = take_apart(request, &binary, event, err);
        buf_free(&binary.text);
        buf_free(&binary.name);
        buf_free(&binary.value);
        buf_free(&binary.decoded);
    } else {
        buf_add_str(&request->own, event);
        request->body = buf_str(&request->own);
        http_request_add(request, "Content-Type",
                         STR("application/cloudevents+json; charset=utf-8"));
    }
    buf_free(&wrapped);
    return status;
}
