/*
 * routes.h: pairs of predicate and function, from the command line and from a file that may be
 * reread.
 *
 * Pairs of the command line stay, in front; those of the file are replaced as a whole, and only if
 * all of it parses. A pair that is the same as before keeps its program, its function and its
 * counts. Pairs that are gone are kept for their counts.
 */
#ifndef FIT_ENGINE_ROUTES_H
#define FIT_ENGINE_ROUTES_H

#include "engine/targets.h"

enum { ROUTES_FILE = 16 * 1024 * 1024 }; /* bytes of a file of pairs; a larger one is refused */

struct route {
    char *predicate; /* NULL: what nothing else selected */
    char *function;
    struct jq_program *program;
    struct target *target; /* NULL: only explained, or gone */
    uint64_t matched;      /* events, among them: */
    uint64_t dead, dropped;
    unsigned mark; /* private: the reading that found it last */
};

struct route_list {
    struct route **items;
    size_t count;
};

struct routes {
    struct json_paths *paths;
    struct targets *targets; /* NULL: open no function */
    struct route_list list;  /* in order: the fixed ones, then those of the file */
    size_t fixed;
    struct route_list gone;
    unsigned marks;
};

/* Add a fixed pair. -1 with err, which names what is wrong with which. */
int routes_add(struct routes *routes, const char *predicate, const char *function, struct err *err);

/* Read the file and put its pairs in place of those that an earlier reading found. -1 with err
 * ("FILE:LINE: cause"), and nothing is changed. */
int routes_read(struct routes *routes, const char *path, struct err *err);
void routes_free(struct routes *routes); /* leaves the targets to targets_free */

/* A pair on its own, that is on no list (--else, or a program of a folder). */
struct route *route_new(const char *predicate, const char *function);
void route_free(struct route *route); /* NULL is a no-op */

/*
 * Split the text of a file into pairs: PREDICATE<TAB>FUNCTION a line, blanks around both ignored;
 * blank lines and lines that begin with # are skipped. Calls take for each, with the number of its
 * line; stops when it returns -1. -1 with *line and err.
 */
int routes_split(struct str text, size_t *line,
                 int (*take)(void *owner, struct str predicate, struct str function,
                             struct err *err),
                 void *owner, struct err *err);

#endif
