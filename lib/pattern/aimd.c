/* aimd.c: a rate that finds its own level: additive increase, multiplicative decrease. */
#include "pattern/aimd.h"

#include "base/num.h"

#include <stdbool.h>

static double within(const struct aimd_bounds *bounds, double rate)
{
    return rate < bounds->min ? bounds->min : rate > bounds->max ? bounds->max : rate;
}

static int64_t later(int64_t now, int64_t wait)
{
    int64_t then;
    return __builtin_add_overflow(now, wait, &then) ? INT64_MAX : then;
}

/* Begin, if it has not; heed new bounds; and follow a clock that has stepped back. */
static void settle(struct aimd *aimd, const struct aimd_bounds *bounds, int64_t now)
{
    if (aimd->rate == 0)
        *aimd = (struct aimd){.rate = bounds->max, .changed = now, .pause = now, .hold = now};
    aimd->rate = within(bounds, aimd->rate);
    if (now >= aimd->changed)
        return;
    int64_t pause = aimd->pause - aimd->changed, hold = aimd->hold - aimd->changed;
    aimd->pause = pause > 0 ? later(now, pause) : now;
    aimd->hold = hold > 0 ? later(now, hold) : now;
    aimd->changed = now;
}

void aimd_success(struct aimd *aimd, const struct aimd_bounds *bounds, int64_t now)
{
    settle(aimd, bounds, now);
    if (now < aimd->hold)
        return;
    int64_t since = aimd->changed > aimd->hold ? aimd->changed : aimd->hold;
    double seconds = (double)(now - since) / (double)NUM_SECOND;
    aimd->rate = within(bounds, aimd->rate + seconds * AIMD_STEP * (bounds->max - bounds->min));
    aimd->changed = now;
}

void aimd_failure(struct aimd *aimd, const struct aimd_bounds *bounds, int64_t now)
{
    settle(aimd, bounds, now);
    if (now < aimd->pause)
        return;
    aimd->rate = within(bounds, aimd->rate * AIMD_CUT);
    aimd->changed = now;
    aimd->pause = later(now, AIMD_PAUSE);
}

void aimd_retry_after(struct aimd *aimd, const struct aimd_bounds *bounds, int64_t now,
                      int64_t wait)
{
    settle(aimd, bounds, now);
    int64_t hold = later(now, wait > 0 ? wait : 0);
    if (hold > aimd->hold)
        aimd->hold = hold;
    aimd->rate = bounds->min;
    aimd->changed = now;
    aimd->pause = later(now, AIMD_PAUSE);
}

double aimd_rate(const struct aimd *aimd, const struct aimd_bounds *bounds, int64_t now)
{
    if (aimd->rate == 0)
        return bounds->max;
    bool back = now < aimd->changed; /* the clock, as in settle */
    bool held = aimd->hold > (back ? aimd->changed : now);
    return held ? bounds->min : within(bounds, aimd->rate);
}
