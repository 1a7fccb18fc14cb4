/* num.c: numbers, durations, sizes and rates as people write them, read strictly. */
#include "base/num.h"

#include <stdio.h>
#include <string.h>

static const char NOT_A_NUMBER[] = "not a number";
static const char TOO_LARGE[] = "too large";

/* Digits at *cursor, which is moved behind them. */
static const char *read_digits(const char **cursor, uint64_t *number)
{
    const char *p = *cursor;
    if (*p < '0' || *p > '9')
        return *p ? NOT_A_NUMBER : "empty";
    if (p[0] == '0' && p[1] >= '0' && p[1] <= '9')
        return "a leading zero";
    uint64_t value = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
            return TOO_LARGE;
    }
    *cursor = p;
    *number = value;
    return NULL;
}

/* A decimal number at *cursor in units of 1/scale (a power of ten); finer digits are refused. */
static const char *read_decimal(const char **cursor, uint64_t scale, uint64_t *scaled)
{
    uint64_t whole;
    const char *reason = read_digits(cursor, &whole);
    if (reason)
        return reason;
    if (__builtin_mul_overflow(whole, scale, scaled))
        return TOO_LARGE;
    const char *p = *cursor;
    if (*p != '.')
        return NULL;
    p++;
    if (*p < '0' || *p > '9')
        return NOT_A_NUMBER;
    for (; *p >= '0' && *p <= '9'; p++) {
        scale /= 10;
        if (scale == 0 && *p != '0')
            return "too many decimals";
        if (__builtin_add_overflow(*scaled, (uint64_t)(*p - '0') * scale, scaled))
            return TOO_LARGE;
    }
    *cursor = p;
    return NULL;
}

const char *num_uint(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
    uint64_t value;
    const char *reason = read_digits(&text, &value);
    if (reason)
        return reason;
    if (*text)
        return NOT_A_NUMBER;
    if (value < min)
        return value == 0 ? "must not be 0" : "too small";
    if (value > max)
        return TOO_LARGE;
    *number = value;
    return NULL;
}

/* Nanoseconds of a unit, 0 for none. An empty unit is seconds. */
static int64_t unit_of(const char *unit)
{
    static const struct {
        const char *name;
        int64_t nanoseconds;
    } units[] = {
        {"", NUM_SECOND},       {"ms", NUM_SECOND / 1000},   {"s", NUM_SECOND},
        {"m", NUM_SECOND * 60}, {"h", NUM_SECOND * 60 * 60}, {"d", NUM_SECOND * 60 * 60 * 24},
    };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(unit, units[i].name) == 0)
            return units[i].nanoseconds;
    }
    return 0;
}

const char *num_duration(const char *text, int64_t *nanoseconds)
{
    enum { DECIMALS = 1000000 }; /* down to a nanosecond of a millisecond */
    uint64_t scaled;
    const char *reason = read_decimal(&text, DECIMALS, &scaled);
    if (reason)
        return reason;
    int64_t unit = unit_of(text);
    if (!unit)
        return "not a duration (ms, s, m, h, d)";
    uint64_t value;
    if (__builtin_mul_overflow(scaled, (uint64_t)unit / DECIMALS, &value) || value > NUM_LONGEST)
        return "longer than a hundred years";
    *nanoseconds = (int64_t)value;
    return NULL;
}

const char *num_size(const char *text, size_t *bytes)
{
    uint64_t value;
    const char *reason = read_digits(&text, &value);
    if (reason)
        return reason;
    unsigned shift = 0;
    if (*text)
        shift = *text == 'K' ? 10 : *text == 'M' ? 20 : *text == 'G' ? 30 : 64;
    if (shift == 64 || (*text && text[1]))
        return "not a size (K, M, G)";
    if (value > (SIZE_MAX >> shift))
        return TOO_LARGE;
    *bytes = (size_t)value << shift;
    return NULL;
}

/* "/s", "/100ms": what follows the number of a rate. */
static const char *read_per(const char *text, int64_t *period)
{
    static const char not_a_rate[] = "not a rate (10/s, 600/m)";
    if (*text++ != '/')
        return not_a_rate;
    int64_t length = unit_of(text);
    if (*text >= '0' && *text <= '9') {
        const char *reason = num_duration(text, &length);
        if (reason)
            return reason;
    }
    if (!*text || length <= 0)
        return not_a_rate;
    *period = length;
    return NULL;
}

const char *num_rate(const char *text, uint64_t *count, int64_t *period)
{
    uint64_t events;
    const char *reason = read_digits(&text, &events);
    if (!reason && !events)
        reason = "must not be 0";
    if (!reason)
        reason = read_per(text, period);
    if (!reason)
        *count = events;
    return reason;
}

const char *num_byte_rate(const char *text, uint64_t *bytes, int64_t *period)
{
    char size[NUM_TEXT];
    size_t len = strcspn(text, "/");
    size_t count;
    if (len >= sizeof size)
        return TOO_LARGE;
    memcpy(size, text, len);
    size[len] = '\0';
    const char *reason = num_size(size, &count);
    if (!reason && !count)
        reason = "must not be 0";
    if (!reason)
        reason = read_per(text + len, period);
    if (!reason)
        *bytes = count;
    return reason;
}

const char *num_decimal(const char *text, double *number)
{
    enum { DECIMALS = 1000000 };
    uint64_t scaled;
    const char *reason = read_decimal(&text, DECIMALS, &scaled);
    if (reason)
        return reason;
    if (*text)
        return NOT_A_NUMBER;
    *number = (double)scaled / DECIMALS;
    return NULL;
}

const char *num_percent(const char *text, double *fraction)
{
    enum { DECIMALS = 10000 };
    uint64_t scaled;
    const char *reason = read_decimal(&text, DECIMALS, &scaled);
    if (reason)
        return reason;
    if (strcmp(text, "%") != 0)
        return "not a percentage";
    if (scaled > 100 * (uint64_t)DECIMALS)
        return TOO_LARGE;
    *fraction = (double)scaled / (100.0 * DECIMALS);
    return NULL;
}

const char *num_count_or_percent(const char *text, uint64_t whole, uint64_t *number)
{
    size_t len = strlen(text);
    if (!len || text[len - 1] != '%')
        return num_uint(text, 1, UINT32_MAX, number);
    const char *cursor = text;
    uint64_t percent;
    const char *reason = read_digits(&cursor, &percent);
    if (reason)
        return reason;
    if (strcmp(cursor, "%") != 0)
        return NOT_A_NUMBER;
    if (!percent)
        return "must not be 0";
    if (percent > 100000)
        return TOO_LARGE;
    *number = (whole * percent + 99) / 100;
    return NULL;
}

const char *num_format_duration(int64_t nanoseconds, char text[NUM_TEXT])
{
    static const struct {
        const char *name;
        double length;
    } units[] = {{"d", 86400e9}, {"h", 3600e9}, {"m", 60e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        double value = (double)nanoseconds / units[i].length;
        if (value >= 1) {
            snprintf(text, NUM_TEXT, "%.*f%s",
                     value < 10    ? 2
                     : value < 100 ? 1
                                   : 0,
                     value, units[i].name);
            return text;
        }
    }
    snprintf(text, NUM_TEXT, "%dns", (int)nanoseconds);
    return text;
}

const char *num_format_size(uint64_t bytes, char text[NUM_TEXT])
{
    static const char *const units[] = {"B", "K", "M", "G", "T"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1024 && unit < 4) {
        value /= 1024;
        unit++;
    }
    snprintf(text, NUM_TEXT, "%.*f%s", unit && value < 10 ? 1 : 0, value, units[unit]);
    return text;
}
