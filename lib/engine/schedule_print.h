/*
 * schedule_print.h: the entry that makes another scheduler call `every --once` at the times of a
 * schedule: a line of crontab(5), or a service and a timer of systemd.
 *
 * It runs the same command line in the same folder: what was relative to it still is. The options
 * that asked for the entry are left out; --once, the time zone and the state directory, which may
 * have come from the environment, are said. Words are quoted so that what reads the entry (cron and
 * its shell, or systemd) hands them on byte for byte, or they are refused.
 */
#ifndef FIT_ENGINE_SCHEDULE_PRINT_H
#define FIT_ENGINE_SCHEDULE_PRINT_H

#include "base/buf.h"
#include "engine/options.h"
#include "pattern/schedule.h"

enum { SCHEDULE_PRINT_LONGEST = 998 /* bytes of a line of a crontab: some crons cut the rest */ };

struct schedule_print {
    const struct command *command; /* its tables tell options from their values */
    const char *program;           /* the executable, an absolute path */
    const char *text;              /* of the schedule */
    const struct schedule *schedule;
    const struct zone *zone;
    const char *zone_name; /* NULL: the machine's */
    char *const *options;  /* the words behind the schedule up to the function's, or to its "--" */
    size_t option_count;
    char *const *function; /* its words; may be none */
    size_t function_count;
    const char *name;   /* --name, or NULL */
    const char *folder; /* the working directory, an absolute path */
    const char *path;   /* the value of PATH, for the function, or NULL */
    const char *state;  /* the state directory, or NULL: where it is by default */
    bool missed;        /* what is missed is made up for */
    int64_t now;        /* clock_wall */
};

/* Append the entry. -1 with ERR_USAGE: cron cannot say the schedule, or a word. */
int schedule_print_crontab(const struct schedule_print *print, struct buf *text, struct err *err);

/* Append both units, with comments that name their files. -1 with ERR_USAGE. */
int schedule_print_systemd(const struct schedule_print *print, struct buf *text, struct err *err);

#endif
