/* tick_event.c: the event that says that a time of a schedule has come. */
#include "engine/tick_event.h"

#include "base/clock.h"
#include "format/cloudevent.h"

#include <inttypes.h>

#define TICK_TYPE "fit.every.tick"

/* pchar of RFC 3986, 3.3. */
static bool stands_for_itself(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~!$&'()*+,;=:@", c));
}

char *tick_event_source(const char *name)
{
    struct buf source = {0};
    buf_puts(&source, "fit:every/");
    for (; *name; name++) {
        if (stands_for_itself(*name))
            buf_addc(&source, *name);
        else
            buf_addf(&source, "%%%02X", (unsigned char)*name);
    }
    return buf_take(&source);
}

static void add_data(const struct tick_event *event, struct buf *data)
{
    char text[CLOCK_TEXT];
    buf_addf(data, "{\"scheduled\":\"%s\"", clock_format(event->scheduled, text));
    buf_addf(data, ",\"started\":\"%s\"", clock_format(event->started, text));
    buf_addf(data, ",\"run\":\"%016" PRIx64 "\"", event->run);
    if (event->success)
        buf_addf(data, ",\"last_success\":\"%s\"", clock_format(event->success, text));
    else
        buf_puts(data, ",\"last_success\":null");
    buf_addf(data, ",\"missed\":%" PRIu64 ",\"skipped\":%" PRIu64 "}", event->missed,
             event->skipped);
}

struct slice tick_event_line(const struct tick_event *event)
{
    struct buf data = {0}, line = {0}, id = {0};
    char text[CLOCK_TEXT];
    add_data(event, &data);
    buf_puts(&id, clock_format(event->scheduled, text));
    if (event->test)
        buf_addf(&id, "/test-%016" PRIx64, event->run);
    const struct cloudevent cloudevent = {
        .id = buf_str(&id),
        .source = str_of(event->source),
        .type = TICK_TYPE,
        .time = event->scheduled,
        .data = buf_str(&data),
    };
    if (event->data)
        buf_add_str(&line, buf_str(&data));
    else
        cloudevent_write(&cloudevent, &line);
    buf_free(&data);
    buf_free(&id);
    buf_addc(&line, '\n');
    size_t len = line.len;
    return slice_take(buf_take(&line), len);
}

void tick_event_identity(const char *source, int64_t scheduled, struct buf *id)
{
    char text[CLOCK_TEXT];
    buf_addf(id, "%s#%s", source, clock_format(scheduled, text));
}
