/*
 * choice.h: which routes an event takes.
 *
 * What selects is either a list of predicates (routes.h), or a program whose value is the name of
 * an executable in a folder (folder.h). What nothing selects takes the route "otherwise", if there
 * is one. Must not know of jobs and calls.
 */
#ifndef FIT_ENGINE_CHOICE_H
#define FIT_ENGINE_CHOICE_H

#include "engine/folder.h"
#include "engine/routes.h"

struct choice_options {
    const char **pairs; /* predicate, function, predicate, ... */
    size_t pair_words;
    const char *table; /* NULL: none */
    const char *by;    /* NULL: by predicates; else with dir */
    const char *dir;
    const char *otherwise; /* the function for what nothing selects; NULL: none */
    bool all;              /* every match, not only the first */
};

struct choice {
    struct route **matches; /* of the last event, in the order of the pairs */
    size_t count;
    /* Private. */
    const struct choice_options *options;
    struct routes routes;
    struct route *otherwise;
    struct jq_program *by; /* NULL: by predicates */
    struct folder *folder;
    struct buf value; /* of by for the last event */
    uint64_t unrouted;
};

/* Compile and open what the options (kept) say; targets NULL: nothing is opened. -1 with err; to be
 * freed in any case. */
int choice_init(struct choice *choice, const struct choice_options *options,
                struct json_paths *paths, struct targets *targets, struct err *err);
void choice_free(struct choice *choice); /* leaves the targets to targets_free */

/* Read the table again; says what came of it. */
void choice_reread(struct choice *choice);

/* Set the matches of an event. -1: it has failed, *failure says why; 0 without a match: *failure
 * says that, too. */
int choice_make(struct choice *choice, const struct jq_input *input, struct failure **failure);

void choice_tell(struct choice *choice); /* say how many events each route was given */

#endif
