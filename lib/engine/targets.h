/*
 * targets.h: the functions that events are sent to, opened and closed while the fitting runs.
 *
 * Whoever names the same function shares it: one file has one writer, a function keeps its workers
 * when a table is reread. A target is closed when nobody names it and its last call has ended. It
 * counts its open calls and their bytes, so that a slow one can be kept from filling the engine's
 * window. Must not know of predicates.
 */
#ifndef FIT_ENGINE_TARGETS_H
#define FIT_ENGINE_TARGETS_H

#include "engine/engine.h"

struct target {
    struct target *next;
    struct targets *targets;
    struct fn *fn;
    char *name;     /* as written, or the path of a program */
    bool shared;    /* found by its name */
    bool silent;    /* gives no results */
    bool full;      /* on the list of those without room */
    unsigned users; /* who name it */
    unsigned open;  /* calls that have not ended */
    size_t bytes;   /* of their events */
    struct target *next_full;
};

struct targets {
    struct engine *engine;
    struct target *first;
    size_t count;
    struct target *full; /* had no room when they were last looked at */
};

/* The target that text names, opened if need be; the caller becomes one of its users. NULL with
 * err. */
struct target *targets_open(struct targets *targets, const char *text, struct err *err);
/* The same, not shared with others of the text: its calls, and how many there are, are its own. */
struct target *targets_open_own(struct targets *targets, const char *text, struct err *err);
/* A target of its own: the program at path, neither split into words nor searched for placeholders
 * or a scheme. */
struct target *targets_open_program(struct targets *targets, const char *path, struct err *err);
void targets_leave(struct target *target);  /* the user names it no more; NULL is a no-op */
void targets_free(struct targets *targets); /* what is left; the functions are the engine's */

/* None gives results. */
bool targets_are_silent(const struct targets *targets);

/* Can every target take a call soon? */
bool targets_have_room(struct targets *targets);
/*
 * May this one not be given another call, because it holds so many calls already (limit), or more
 * than its share of a window that is half full? What is gathered for writing is written first.
 */
bool targets_is_full(struct target *target, unsigned limit);

/* fn_put, counted; targets_put_ended then comes first in put->done. */
bool targets_put(struct target *target, struct fn_put *put, struct str event);
void targets_put_ended(struct target *target, size_t bytes);

/* Call the target's function about a job; call->done must call targets_ended before anything else.
 */
void targets_call(struct target *target, struct job *job, struct fn_call *call);
void targets_ended(struct target *target, const struct fn_call *call);

#endif
