/* cloudevent.c: CloudEvents 1.0 as structured JSON (section 3 of its JSON format). */
#include "format/cloudevent.h"

#include "base/clock.h"

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
    member(out, "time", str_of(clock_format(event->time, time)));
    if (event->data.data) {
        buf_puts(out, ",\"datacontenttype\":\"application/json\",\"data\":");
        buf_add_str(out, event->data);
    }
    buf_addc(out, '}');
}
