/* breaker_events.c: a file with a line for each change of a breaker's state. */
#include "engine/breaker_events.h"

#include "base/mem.h"
#include "engine/attempt_log.h"
#include "engine/breaker_report.h"
#include "state/shared_breaker.h"

#include <stdlib.h>

struct breaker_events {
    const char *name;
    struct attempt_log *file;
    struct shared_breaker *breaker;
    uint64_t seen;
    struct breaker copy;
};

static void log_changes(void *owner)
{
    struct breaker_events *events = owner;
    struct buf lines = {0};
    shared_breaker_read(events->breaker, &events->copy, NULL);
    events->seen = breaker_report_since(&lines, events->name, &events->copy, events->seen);
    if (lines.len)
        attempt_log_add(events->file, buf_str(&lines));
    buf_free(&lines);
}

struct breaker_events *breaker_events_open(struct engine *engine, const char *name,
                                           const char *path, struct err *err)
{
    struct attempt_log *file = attempt_log_open(engine, path, false, NULL, err);
    if (!file)
        return NULL;
    struct breaker_events *events = mem_zalloc(sizeof *events);
    events->name = name;
    events->file = file;
    events->breaker = engine_breaker(engine, log_changes, events);
    shared_breaker_read(events->breaker, &events->copy, NULL);
    events->seen = events->copy.transitions;
    return events;
}

void breaker_events_free(struct breaker_events *events)
{
    free(events);
}
