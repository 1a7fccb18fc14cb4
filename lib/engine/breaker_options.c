/* breaker_options.c: the settings of a breaker as options. */
#include "engine/breaker_options.h"

#include "base/buf.h"
#include "base/num.h"
#include "pattern/breaker.h"

#define GROWTH_MAX 1000.0 /* a larger --open-growth is refused */

static const struct option_entry entries[] = {
    {"failure-rate", 0, BREAKER_FAILURE_RATE, "N%", "open at this share of failed calls [50%]",
     "Reached or passed. Exits with 65 or 100 are the fault of the event and do not count; "
     "timeouts do."},
    {"slow", 0, BREAKER_SLOW, "DUR", "a call that takes longer is slow [60s]", NULL},
    {"slow-rate", 0, BREAKER_SLOW_RATE, "N%", "open at this share of slow calls [100%]", NULL},
    {"window", 0, BREAKER_WINDOW, "N|DUR", "judge the last calls, or seconds [100]",
     "A bare number is a number of calls, up to 10000; with a unit it is a time in whole seconds, "
     "up to 1h. Another window than before begins empty."},
    {"min-calls", 0, BREAKER_MIN_CALLS, "N", "judge no rate before so many results [10]", NULL},
    {"consecutive", 0, BREAKER_CONSECUTIVE, "N", "open after so many failures in a row [never]",
     "Also before there are --min-calls results. 0 is never."},
    {"open-for", 0, BREAKER_OPEN_FOR, "DUR", "how long it stays open [60s]", NULL},
    {"open-growth", 0, BREAKER_OPEN_GROWTH, "X", "each time so many times longer [1]",
     "Counted from the last time that it was closed."},
    {"open-max", 0, BREAKER_OPEN_MAX, "DUR", "but no longer than this [unlimited]", NULL},
    {"probes", 0, BREAKER_PROBES, "N", "calls that decide whether it closes again [10]",
     "When the time is over so many calls are let through, by all processes together, and judged "
     "by the same rates."},
    {0},
};

/* "50" or "50%". */
static int set_rate(const char *arg, double *percent, struct err *err)
{
    struct buf text = {0};
    double fraction = 0;
    buf_puts(&text, arg);
    if (*arg && !str_ends(str_of(arg), STR("%")))
        buf_addc(&text, '%');
    const char *reason = num_percent(buf_cstr(&text), &fraction);
    buf_free(&text);
    if (!reason && fraction <= 0)
        reason = "must not be 0";
    if (!reason)
        *percent = fraction * 100;
    return options_check(reason, err);
}

static int set_window(struct breaker_settings *settings, const char *arg, struct err *err)
{
    uint64_t calls;
    int64_t time;
    if (arg[strspn(arg, "0123456789")] == '\0') {
        const char *reason = num_uint(arg, 1, BREAKER_CALLS_MAX, &calls);
        if (!reason) {
            settings->window_calls = (uint32_t)calls;
            settings->window_time = 0;
        }
        return options_check(reason, err);
    }
    const char *reason = num_duration(arg, &time);
    if (!reason && (time < NUM_SECOND || time % NUM_SECOND))
        reason = "not whole seconds";
    if (!reason && time > BREAKER_SECONDS_MAX * NUM_SECOND)
        reason = "too large";
    if (!reason) {
        settings->window_calls = 0;
        settings->window_time = (uint32_t)(time / NUM_SECOND);
    }
    return options_check(reason, err);
}

static int set_count(const char *arg, uint64_t min, uint64_t max, uint32_t *count, struct err *err)
{
    uint64_t number;
    const char *reason = num_uint(arg, min, max, &number);
    if (!reason)
        *count = (uint32_t)number;
    return options_check(reason, err);
}

static int set_growth(const char *arg, double *growth, struct err *err)
{
    double number = 0;
    const char *reason = num_decimal(arg, &number);
    if (!reason && number < 1)
        reason = "less than 1";
    if (!reason && number > GROWTH_MAX)
        reason = "too large";
    if (!reason)
        *growth = number;
    return options_check(reason, err);
}

static int set_one(struct breaker_settings *settings, int id, const char *arg, struct err *err)
{
    switch ((enum breaker_setting)id) {
    case BREAKER_FAILURE_RATE:
        return set_rate(arg, &settings->failure_rate, err);
    case BREAKER_SLOW:
        return options_check(num_duration(arg, &settings->slow), err);
    case BREAKER_SLOW_RATE:
        return set_rate(arg, &settings->slow_rate, err);
    case BREAKER_WINDOW:
        return set_window(settings, arg, err);
    case BREAKER_MIN_CALLS:
        return set_count(arg, 1, UINT32_MAX, &settings->min_calls, err);
    case BREAKER_CONSECUTIVE:
        return set_count(arg, 0, UINT32_MAX, &settings->consecutive, err);
    case BREAKER_OPEN_FOR:
        return options_check(num_duration(arg, &settings->open_for), err);
    case BREAKER_OPEN_GROWTH:
        return set_growth(arg, &settings->open_growth, err);
    case BREAKER_OPEN_MAX:
        return options_check(num_duration(arg, &settings->open_max), err);
    case BREAKER_PROBES:
        return set_count(arg, 1, BREAKER_PROBES_MAX, &settings->probes, err);
    }
    return err_set(err, ERR_USAGE, "not read by this command");
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    struct breaker_choice *choice = into;
    choice->chosen |= 1U << id;
    return set_one(&choice->settings, id, arg, err);
}

const struct option_group breaker_options = {"When it opens and closes", entries, set};
