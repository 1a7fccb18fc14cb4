/*
 * schedule_cron.h: read the five fields of a cron line, or one of cron's names for them.
 *
 * What cronie reads is read, but for "~" (a random time: a schedule has none). That includes names
 * in lists and ranges, which crontab(5) once denied, and leading zeros ("05"), which are usual here
 * and cannot mean anything else.
 */
#ifndef FIT_PATTERN_SCHEDULE_CRON_H
#define FIT_PATTERN_SCHEDULE_CRON_H

#include "base/str.h"
#include "pattern/schedule.h"

/* "17 3 * * mon-fri", "@daily". -1 with ERR_USAGE: which field, and what of it. */
int schedule_cron_read(struct schedule *schedule, struct str text, struct err *err);

#endif
