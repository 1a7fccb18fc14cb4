/* fuzz_schedule.c: a schedule is refused with a reason, or its times go forward and backward alike,
 * in any zone. The first four bytes make the zone and the time, the rest is the text. */
#include "base/mem.h"
#include "base/num.h"
#include "pattern/schedule.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 4, DAY = 86400, STEPS = 6 };

static void claim(bool holds)
{
    if (!holds)
        abort();
}

/* Changes every so many days between two offsets. */
struct flipping {
    struct zone zone;
    int64_t period;
    int32_t offsets[2];
};

static int32_t flip(const struct zone *zone, int64_t at)
{
    const struct flipping *flipping = (const struct flipping *)zone;
    int64_t phase = at / flipping->period - (at % flipping->period < 0);
    return flipping->offsets[phase & 1];
}

/* What comes next comes back, and nothing is between. */
static void walk(const struct schedule *schedule, const struct zone *zone, int64_t after)
{
    int64_t when, back;
    for (int i = 0; i < STEPS; i++) {
        if (!schedule_next(schedule, zone, after, &when)) {
            claim(!schedule_prev(schedule, zone, INT64_MAX, &back) || back <= after ||
                  schedule->kind == SCHEDULE_INTERVAL);
            return;
        }
        claim(when > after && when / NUM_SECOND < SCHEDULE_END);
        claim(schedule_prev(schedule, zone, when, &back) && back == when);
        claim(!schedule_prev(schedule, zone, when - 1, &back) || back <= after);
        after = when;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD)
        return 0;
    struct flipping flipping = {
        .zone = {flip},
        .period = (1 + data[0]) * (int64_t)DAY + data[1] * 61,
        .offsets = {(int8_t)data[1] * 400, (int8_t)data[2] * 400},
    };
    int64_t now = data[3] * (SCHEDULE_END / 256) * NUM_SECOND + data[0];
    char *text = mem_strndup((const char *)data + HEAD, size - HEAD);
    struct schedule schedule;
    struct err err = {0};
    if (schedule_parse(&schedule, text, &flipping.zone, now, &err) == 0) {
        if (schedule.kind == SCHEDULE_INTERVAL) {
            claim(schedule.interval >= SCHEDULE_SHORTEST);
            schedule.anchor = now;
        }
        walk(&schedule, &flipping.zone, schedule.kind == SCHEDULE_AT ? schedule.at - 1 : now - 1);
        walk(&schedule, &flipping.zone, now);
    } else {
        claim(err.kind == ERR_USAGE && err.text[0]);
    }
    free(text);
    return 0;
}
