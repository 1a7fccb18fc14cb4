/* dead_verb.c: what the verbs of `dead` share: options, and the letters that these pick. */
#include "engine/dead_verb.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/msg.h"
#include "base/num.h"
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

struct common_options dead_common;
struct dead_options dead_options;

/* ---- options ---- */

enum { ID_COMMAND = 1, ID_REASON, ID_SINCE, ID_MATCH, ID_ALL };

static const struct option_entry selecting_entries[] = {
    {"command", 0, ID_COMMAND, "NAME", "letters that this fitting wrote", NULL},
    {"reason", 0, ID_REASON, "REASON", "letters of this reason (exit, timeout, bad_json, ...)",
     NULL},
    {"since", 0, ID_SINCE, "DUR|TIME", "letters of events that died not longer ago",
     "TIME is as in 2026-11-23T17:35:00Z, with any zone."},
    {"match", 0, ID_MATCH, "JQ", "letters that JQ selects",
     "It is given the whole letter: .event.user == \"ann\", .exit == 3."},
    {0},
};

static const struct option_entry dropping_entries[] = {
    {"all", 0, ID_ALL, NULL, "drop every letter, when nothing picks some (drop)", NULL},
    {0},
};

static int set_since(const char *arg, struct err *err)
{
    int64_t ago;
    const char *reason = NULL;
    if (!num_duration(arg, &ago))
        dead_options.filter.since = clock_wall() - ago;
    else if (strchr(arg, 'T') || strchr(arg, 't'))
        reason = clock_parse(arg, &dead_options.filter.since);
    else
        reason = "not a duration, or a time like 2026-11-23T17:35:00Z";
    return options_check(reason, err);
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    (void)into;
    switch (id) {
    case ID_COMMAND:
        dead_options.filter.command = arg;
        return 0;
    case ID_REASON:
        dead_options.filter.reason = arg;
        return 0;
    case ID_SINCE:
        return set_since(arg, err);
    case ID_MATCH:
        dead_options.filter.match = arg;
        return 0;
    case ID_ALL:
        dead_options.all = true;
        return 0;
    default:
        return err_set(err, ERR_USAGE, "not read by this command");
    }
}

const struct option_group dead_selecting = {"Which letters", selecting_entries, set};
const struct option_group dead_dropping = {"All letters (drop)", dropping_entries, set};

/* ---- the command line ---- */

int dead_verb_operand(void *into, const char *word, struct err *err)
{
    struct letters_filter *filter = into;
    uint64_t number;
    const char *reason = num_uint(word, 1, UINT64_MAX, &number);
    if (reason)
        return err_set(err, ERR_USAGE, "no number of a letter: %s", reason);
    dead_options.numbers =
        mem_realloc(dead_options.numbers, (filter->count + 1) * sizeof *dead_options.numbers);
    dead_options.numbers[filter->count++] = number;
    filter->numbers = dead_options.numbers;
    return 0;
}

struct options_words dead_verb_parse(const struct command *command, int argc, char **argv)
{
    int own = 1; /* up to a "--", behind which is a command line */
    while (own < argc && strcmp(argv[own], "--") != 0)
        own++;
    struct options_words behind = {.words = argv + own, .count = 0};
    if (own < argc)
        behind = (struct options_words){
            .words = argv + own + 1, .count = (size_t)(argc - own - 1), .separated = true};
    engine_hold_descriptors();
    options_parse(command, own, argv);
    msg_init("dead");
    return behind;
}

/* ---- the letters ---- */

struct letters *dead_verb_open(const struct letters_filter *filter, int *status)
{
    struct err err;
    struct letters *letters = letters_open(dead_common.state, filter, &err);
    if (!letters)
        *status = engine_refuse(&err);
    return letters;
}

int dead_verb_each(struct letters *letters,
                   bool (*each)(void *owner, const struct letter_seen *seen),
                   int (*after_round)(void *owner, struct err *err), void *owner)
{
    struct err err;
    uint64_t number;
    int more;
    do {
        more = letters_each(letters, each, owner, &err);
        if (more < 0 || (after_round && after_round(owner, &err) < 0))
            return engine_refuse(&err);
    } while (more);
    if (!letters_missing(letters, &number))
        return EXIT_OK;
    msg_error("there is no letter %llu", (unsigned long long)number);
    return EXIT_FITTING;
}
