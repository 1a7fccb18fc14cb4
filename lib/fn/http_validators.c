/* http_validators.c: what a server says of a value, so that it need not send it again. */
#include "fn/http_validators.h"

#include "base/mem.h"

#include <stdlib.h>

/* Can it be sent back, and stored as text? A server may say anything. */
static bool is_plain(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return str_is_utf8(value);
}

static void set_text(char **text, const struct buf *value)
{
    free(*text);
    *text = value->len && is_plain(buf_str(value)) ? mem_strndup(value->data, value->len) : NULL;
}

void http_validators_note(struct fn_validators *validators, const struct http_answer *answer)
{
    if (!validators)
        return;
    validators->unchanged = answer->status == 304;
    if (validators->unchanged)
        return;
    set_text(&validators->etag, &answer->fields[HTTP_ETAG]);
    set_text(&validators->modified, &answer->fields[HTTP_LAST_MODIFIED]);
}

void http_validators_add(const struct fn_validators *validators, struct http_request *request)
{
    if (validators && validators->etag)
        http_request_add(request, "If-None-Match", str_of(validators->etag));
    if (validators && validators->modified)
        http_request_add(request, "If-Modified-Since", str_of(validators->modified));
}
