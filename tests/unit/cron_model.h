/*
 * cron_model.h: what cron does, minute by minute, as cron(8) and crontab(5) of cronie document it:
 * the oracle for pattern/schedule.h, written without it.
 *
 * It reads its fields itself, keeps the virtual time that cronie describes, and looks at each
 * minute. Only days and hours without any match
 * and without a change of local time are left out.
 */
#ifndef CRON_MODEL_H
#define CRON_MODEL_H

#include "base/zone.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct cron_model {
    bool minute[60], hour[24], day[32], month[13], weekday[8];
    bool wildcard, day_star, weekday_star;
    const struct zone *zone;
    int64_t now;     /* seconds since 1970, a whole minute: the next to be looked at */
    int64_t virtual; /* local minutes since 1970 up to which all has run */
    int64_t hour_known;
    int32_t offset_known;
};

static const char *const model_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat",
                                          "jan", "feb", "mar", "apr", "may", "jun", "jul",
                                          "aug", "sep", "oct", "nov", "dec"};

/* A number or a name; names of months are 7 .. 18 in the table. */
static int model_number(const char **text)
{
    for (int i = 0; i < 19; i++) {
        if (strncasecmp(*text, model_names[i], 3) == 0) {
            *text += 3;
            return i < 7 ? i : i - 6;
        }
    }
    return (int)strtol(*text, (char **)(uintptr_t)text, 10);
}

static void model_field(const char **text, bool *set, int low, int high, bool *star)
{
    while (isspace((unsigned char)**text))
        ++*text;
    *star = **text == '*';
    do {
        *text += **text == ',';
        int first = low, last = high, step = 1;
        if (**text == '*') {
            ++*text;
        } else {
            first = last = model_number(text);
            if (**text == '-') {
                ++*text;
                last = model_number(text);
            }
        }
        if (**text == '/') {
            ++*text;
            step = (int)strtol(*text, (char **)(uintptr_t)text, 10);
        }
        for (int i = first; i <= last; i += step)
            set[i] = true;
    } while (**text == ',');
}

static int32_t model_offset(struct cron_model *model, int64_t at)
{
    if (model->hour_known == at / 3600)
        return model->offset_known;
    int32_t offset = model->zone->offset(model->zone, at);
    int64_t start = at - at % 3600;
    if (offset == model->zone->offset(model->zone, start) &&
        offset == model->zone->offset(model->zone, start + 3599)) {
        model->hour_known = at / 3600;
        model->offset_known = offset;
    }
    return offset;
}

/* now: a whole minute; what is due then is still to come. */
static void cron_model_init(struct cron_model *model, const char *text, const struct zone *zone,
                            int64_t now)
{
    bool star, minute_star, hour_star;
    *model = (struct cron_model){.zone = zone, .now = now, .hour_known = -1};
    model_field(&text, model->minute, 0, 59, &minute_star);
    model_field(&text, model->hour, 0, 23, &hour_star);
    model_field(&text, model->day, 1, 31, &model->day_star);
    model_field(&text, model->month, 1, 12, &star);
    model_field(&text, model->weekday, 0, 7, &model->weekday_star);
    model->weekday[0] = model->weekday[7] = model->weekday[0] || model->weekday[7];
    model->wildcard = minute_star || hour_star;
    model->virtual = (now - 60 + zone->offset(zone, now - 60)) / 60;
}

static bool model_day_matches(const struct cron_model *model, const struct zone_civil *date)
{
    bool day = model->day[date->day], weekday = model->weekday[date->weekday];
    bool either = !model->day_star && !model->weekday_star;
    return model->month[date->month] && (either ? day || weekday : day && weekday);
}

static bool model_matches(const struct cron_model *model, int64_t minute)
{
    if (!model->minute[minute % 60] || !model->hour[minute / 60 % 24])
        return false;
    struct zone_civil date = zone_civil_of(minute * 60);
    return model_day_matches(model, &date);
}

/* One minute of cron's loop: is the line run? */
static bool model_minute(struct cron_model *model)
{
    int64_t running = (model->now + model_offset(model, model->now)) / 60;
    int64_t jump = running - model->virtual - 1;
    if (jump == 0 || jump >= 180 || jump <= -180) { /* as usual, or a correction */
        model->virtual = running;
        return model_matches(model, running);
    }
    if (jump < 0) /* fixed times have run already */
        return model->wildcard && model_matches(model, running);
    bool due = model->wildcard && model_matches(model, running);
    while (model->virtual < running) {
        model->virtual ++;
        due = due || (!model->wildcard && model_matches(model, model->virtual));
    }
    return due;
}

/* Nothing can happen in this day of UTC. */
static bool model_skips_day(struct cron_model *model)
{
    enum { DAY = 86400 };
    int32_t offset = model->zone->offset(model->zone, model->now);
    if (model->now % DAY || (model->now - 60 + offset) / 60 != model->virtual ||
        offset != model->zone->offset(model->zone, model->now + DAY / 2) ||
        offset != model->zone->offset(model->zone, model->now + DAY))
        return false;
    for (int i = -1; i <= 1; i++) { /* what local dates can be in it */
        struct zone_civil date = zone_civil_of(model->now + i * DAY);
        if (model_day_matches(model, &date))
            return false;
    }
    model->now += DAY;
    model->virtual += DAY / 60;
    return true;
}

/* Nothing can happen in this hour of UTC: neither a change, nor an hour that matches. */
static bool model_skips_hour(struct cron_model *model)
{
    int64_t local = model->now + model_offset(model, model->now);
    if (model->now % 3600 || model->hour_known != model->now / 3600 ||
        local / 60 - 1 != model->virtual || model->hour[local / 3600 % 24] ||
        model->hour[(local / 3600 + 1) % 24])
        return false;
    model->now += 3600;
    model->virtual += 60;
    return true;
}

/* The next time that cron runs the line; false: not before end. */
static bool cron_model_next(struct cron_model *model, int64_t end, int64_t *due)
{
    while (model->now < end) {
        if (model_skips_day(model) || model_skips_hour(model))
            continue;
        *due = model->now;
        bool runs = model_minute(model);
        model->now += 60;
        if (runs)
            return true;
    }
    return false;
}

#endif
