/* poll_event.c: the events that a poll makes of changes. */
#include "engine/poll_event.h"

#include "format/cloudevent.h"
#include "format/json.h"
#include "format/json_patch.h"

static const char *type_of(const struct poll_event *event)
{
    static const char *const types[] = {[CHANGE_CREATED] = "fit.poll.created",
                                        [CHANGE_UPDATED] = "fit.poll.updated",
                                        [CHANGE_DELETED] = "fit.poll.deleted"};
    return event->whole ? "fit.poll.change" : types[event->kind];
}

static void add_member(struct buf *data, const char *name, struct str value)
{
    if (!value.data)
        return;
    buf_addf(data, "%s\"%s\":", data->len > 1 ? "," : "", name);
    buf_add_str(data, value);
}

static void write_data(const struct poll_event *event, struct buf *data)
{
    struct str old = event->whole && !event->before.data ? STR("null") : event->before;
    buf_addc(data, '{');
    if (event->keyed)
        add_member(data, "key", event->key);
    add_member(data, "old", old);
    add_member(data, "new", event->after);
    if (old.data && event->after.data) {
        buf_puts(data, ",\"patch\":");
        json_patch(old, event->after, data);
    }
    buf_addc(data, '}');
}

/* A string is a subject without its quotes. What is its own key is one only if it is short. */
static bool write_subject(const struct poll_event *event, struct buf *subject)
{
    enum json_type type = json_type_of(event->key);
    if (event->whole || (!event->keyed && (type == JSON_ARRAY || type == JSON_OBJECT)))
        return false;
    if (type == JSON_STRING)
        json_decode(event->key, subject);
    else
        buf_add_str(subject, event->key);
    return subject->len;
}

void poll_event_write(const struct poll_event *event, struct buf *out)
{
    struct buf data = {0}, subject = {0};
    bool has_subject = write_subject(event, &subject);
    write_data(event, &data);
    const struct cloudevent made = {
        .id = event->id,
        .source = event->source,
        .type = type_of(event),
        .subject = has_subject ? buf_str(&subject) : (struct str){0},
        .time = event->time,
        .data = buf_str(&data),
    };
    cloudevent_write(&made, out);
    buf_free(&data);
    buf_free(&subject);
}

void poll_event_source(struct str name, struct buf *out)
{
    static const char plain[] = "-._~!$&'()*+,;=:@/";
    buf_puts(out, "fit:poll/");
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            (c && strchr(plain, c)))
            buf_addc(out, c);
        else
            buf_addf(out, "%%%02X", (unsigned char)c);
    }
}
