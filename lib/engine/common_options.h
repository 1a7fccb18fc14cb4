/*
 * common_options.h: the options that mean the same in every command.
 *
 * Each group below is a table and a reader that fills a struct common_options; a command lists the
 * groups that it wants in its option_use list, all into the same struct, after
 * common_options_init. Those of call policies stand in common_policies.h, those of functions behind
 * a URL in common_http.h.
 */
#ifndef FIT_ENGINE_COMMON_OPTIONS_H
#define FIT_ENGINE_COMMON_OPTIONS_H

#include "engine/options.h"
#include "fn/function.h"
#include "fn/http.h"
#include "fn/policy.h"

#include <stdint.h>

enum {
    COMMON_RETRIES_MAX = 1000000, /* more retries are refused */
    COMMON_EVENT_SIZE = 16 << 20, /* the default of --max-event */
    COMMON_HALT_EVENTS = 10,      /* a fraction of --halt counts once so many events have ended */
};

/* --halt: when to end early. failures and fraction both 0: never. */
struct common_halt {
    bool now;          /* end what is in flight; else let it finish */
    uint64_t failures; /* at this many dead events */
    double fraction;   /* at this fraction of dead events among those ended */
};

/* Durations are nanoseconds. Strings live as long as the process; NULL: not given. */
struct common_options {
    /* common_calling */
    struct fn_settings calling; /* jobs: the cores, where not given */
    bool chose_jobs;            /* they were */
    bool seeded;                /* seed was given */
    uint64_t seed;
    struct policy_settings policies; /* common_policies.h */
    struct fn_http http;             /* common_http.h; calling points to it */
    /* common_flow */
    bool unordered;
    const char *serial_by;
    int64_t budget; /* 0: none */
    struct common_halt halt;
    /* common_events */
    const char *id;
    const char *dead;
    size_t max_event;
    const char *ledger;
    bool only_new;
    const char *state;
    /* common_reporting */
    bool no_letters;   /* not an option: the command itself tells of failures */
    bool says_letters; /* not an option: they are not kept in the state */
    bool stats;
    bool progress;
    const char *metrics;
    const char *trace;
};

extern const struct option_group common_calling;
extern const struct option_group common_flow;
extern const struct option_group common_events;
extern const struct option_group common_input; /* the same for who calls no function */
extern const struct option_group
    common_identity; /* of common_events what does not speak of dead letters */
extern const struct option_group common_state; /* of them only --state, for who calls nothing */
/* -v and --quiet set the level of msg.h at once */
extern const struct option_group common_reporting;

void common_options_init(struct common_options *options); /* the defaults */
size_t common_options_cores(void);                        /* that this process may run on */

#endif
