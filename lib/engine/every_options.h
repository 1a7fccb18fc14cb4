/*
 * every_options.h: the options of `every`, and its schedule, which stands before them.
 */
#ifndef FIT_ENGINE_EVERY_OPTIONS_H
#define FIT_ENGINE_EVERY_OPTIONS_H

#include "base/buf.h"
#include "engine/common_options.h"
#include "pattern/ticks.h"

struct every_options {
    struct buf schedule; /* its text; empty: none was given */
    size_t schedule_words;
    const char *zone; /* NULL: TZ, or the machine's */
    struct ticks_policy policy;
    const char *name; /* NULL: not given */
    bool once, data;
    uint64_t count;      /* 0: without end */
    uint64_t next;       /* 0: not given */
    const char *print;   /* "crontab", "systemd"; NULL: not given */
    const char *test_at; /* a time; NULL: not given */
};

extern struct common_options every_common;
extern struct every_options every_options;

extern const struct option_use every_uses[];

/* Read the command line: the schedule, which is one word, or two if the first is "at"; then as
 * options_parse. Says what is wrong and exits 2. Returns the function's words. */
struct options_words every_options_parse(const struct command *command, int argc, char **argv);

#endif
