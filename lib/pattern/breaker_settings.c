/* breaker_settings.c: what a circuit breaker is judged by. */
#include "pattern/breaker_settings.h"

#include "base/num.h"

const struct breaker_settings breaker_defaults = {
    .failure_rate = 50,
    .slow_rate = 100,
    .slow = 60 * NUM_SECOND,
    .window_calls = 100,
    .min_calls = 10,
    .probes = 10,
    .open_for = 60 * NUM_SECOND,
    .open_growth = 1,
};

void breaker_settings_lay(struct breaker_settings *settings, const struct breaker_choice *choice)
{
    const struct breaker_settings *chosen = &choice->settings;
    if (breaker_chose(choice, BREAKER_FAILURE_RATE))
        settings->failure_rate = chosen->failure_rate;
    if (breaker_chose(choice, BREAKER_SLOW))
        settings->slow = chosen->slow;
    if (breaker_chose(choice, BREAKER_SLOW_RATE))
        settings->slow_rate = chosen->slow_rate;
    if (breaker_chose(choice, BREAKER_WINDOW)) {
        settings->window_calls = chosen->window_calls;
        settings->window_time = chosen->window_time;
    }
    if (breaker_chose(choice, BREAKER_MIN_CALLS))
        settings->min_calls = chosen->min_calls;
    if (breaker_chose(choice, BREAKER_CONSECUTIVE))
        settings->consecutive = chosen->consecutive;
    if (breaker_chose(choice, BREAKER_OPEN_FOR))
        settings->open_for = chosen->open_for;
    if (breaker_chose(choice, BREAKER_OPEN_GROWTH))
        settings->open_growth = chosen->open_growth;
    if (breaker_chose(choice, BREAKER_OPEN_MAX))
        settings->open_max = chosen->open_max;
    if (breaker_chose(choice, BREAKER_PROBES))
        settings->probes = chosen->probes;
}

static bool is_rate(double percent)
{
    return percent > 0 && percent <= 100;
}

bool breaker_settings_are_good(const struct breaker_settings *settings)
{
    return is_rate(settings->failure_rate) && is_rate(settings->slow_rate) &&
           (settings->window_calls || settings->window_time) && settings->min_calls &&
           settings->probes && settings->open_growth >= 1 && settings->slow >= 0 &&
           settings->open_for >= 0 && settings->open_max >= 0;
}
