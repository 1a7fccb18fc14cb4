/* cloudevent.c: CloudEvents 1.0 as structured JSON (section 3 of its JSON format). */
#include "format/cloudevent.h"

#include "base/clock.h"
#include "format/json.h"

static void member(struct buf *out, const char *name, struct str text)
{
    buf_addf(out, ",\"%s\":", name);
    buf_add_json(out, text);
}

void cloudevent_write(const struct cloudevent *event, struct buf *out)
{
    char time[CLOCK_TEXT];
    buf_puts(out, "{\"specversion\":\"1.0\"");
    member(out, "id", event->id);
    member(out, "source", event->source);
    member(out, "type", str_of(event->type));
    if (event->subject.data)
        member(out, "subject", event->subject);
    if (event->time)
        member(out, "time", str_of(clock_format(event->time, time)));
    buf_add_str(out, event->members);
    if (event->data.data) {
        buf_puts(out, ",\"datacontenttype\":\"application/json\",\"data\":");
        buf_add_str(out, event->data);
    }
    buf_addc(out, '}');
}

bool cloudevent_is(struct str value)
{
    bool version = false, id = false, source = false, type = false;
    struct json_iter iter;
    if (json_type_of(value) != JSON_OBJECT)
        return false;
    for (json_iter_init(&iter, value); json_iter_next(&iter);) {
        bool is_text = json_type_of(iter.value) == JSON_STRING && iter.value.len > 2;
        if (str_eq(iter.key, STR("\"specversion\"")))
            version = is_text && str_starts(iter.value, STR("\"1."));
        else if (str_eq(iter.key, STR("\"id\"")))
            id = is_text;
        else if (str_eq(iter.key, STR("\"source\"")))
            source = is_text;
        else if (str_eq(iter.key, STR("\"type\"")))
            type = is_text;
    }
    return version && id && source && type;
}
