/*
 * warm_verb.h: what `warm` does, verb by verb: a command line of its own each.
 *
 * As with `queue` (queue_verb.h): argv[0] is the verb, and each verb has a struct command of its
 * own, named "warm start". The common options are shared; what only one verb takes stands with it,
 * in a group that cmd/warm.c lists for the page.
 */
#ifndef FIT_ENGINE_WARM_VERB_H
#define FIT_ENGINE_WARM_VERB_H

#include "engine/common_options.h"
#include "engine/engine.h"

enum {
    WARM_QUEUE = 1000,        /* calls that may wait, where --queue is not given */
    WARM_QUEUE_MAX = 1000000, /* a larger queue is refused as a usage error */
    WARM_STARTS =
        5, /* of workers, that come to nothing in a row; then --wait-ready waits no more */
};
#define WARM_IDLE INT64_C(300000000000) /* of a worker beyond --min, nanoseconds */

struct warm_options {
    uint64_t min;
    int64_t idle; /* nanoseconds; 0: never */
    char *ping;   /* JSON on one line; NULL: none */
    uint64_t queue;
    bool detach, wait_ready;
    bool detached;  /* it is the process in the background: standard output tells how far it is */
    bool wait_gone; /* stop: until it has gone */
};

extern struct common_options warm_common;
extern struct warm_options warm_options;

extern const struct option_group warm_pooling;  /* of start: --min, --max, --idle, ... */
extern const struct option_group warm_stopping; /* of stop: --wait-gone */
extern const struct option_group warm_pinging;  /* of ping (warm_verb_ping.c): --every, ... */

/*
 * Read the verb's command line: the pool's name, then its options. Says what is wrong and exits 2.
 * name NULL: the verb takes none. Returns the words behind the options.
 */
struct options_words warm_verb_parse(const struct command *command, int argc, char **argv,
                                     const char **name);

/* Open an engine and the state directory for who only looks. NULL: *status is an exit status,
 * EXIT_OK where there is no state directory, and so no pool. */
struct engine *warm_verb_look(struct home **home, int *status);

int warm_verb_start(int argc, char **argv);
int warm_verb_stop(int argc, char **argv);
int warm_verb_status(int argc, char **argv);
int warm_verb_list(int argc, char **argv);
int warm_verb_ping(int argc, char **argv);

#endif
