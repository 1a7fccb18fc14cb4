/*
 * strand.h: what is under way of one event in a chain, in the order in which a sequential run would
 * print it.
 *
 * A strand is a piece of that work: lines that are still to become events of a stage, a call of a
 * stage, or results that wait for their turn. The strands of an event form one flat list. A call
 * that answers turns into the lines for the next stage, in place; a line that is started leaves its
 * lines and stands before them. So the list is always in depth-first order, nothing recurses, and
 * what stands first may be written while the rest is still running.
 *
 * A strand may stand on an origin, which counts those that do: the nearest call above it of which
 * somebody has to know when all that came of it is over (saga.h).
 *
 * It must not know of engines, jobs or scheduling.
 */
#ifndef FIT_ENGINE_STRAND_H
#define FIT_ENGINE_STRAND_H

#include "fn/function.h"

#include <stdbool.h>
#include <stdint.h>

enum strand_state {
    STRAND_EVENTS, /* lines that have still to be started as events of the stage */
    STRAND_CALLED, /* the stage's function has it */
    STRAND_RESULTS /* lines of the last stage, not yet written or handed to its sink */
};

enum { STRAND_SCOPE = 40 }; /* bytes of a call's scope: a stage and 16 hex digits */

struct strand_origin {
    unsigned holders;
};

struct strand {
    struct strand *next, *prev; /* of the same event */
    struct strand *later;       /* on a queue of the scheduler */
    struct strand_list *list;
    struct strand_origin *origin; /* NULL: none */
    enum strand_state state;
    unsigned stage;     /* whose events or call this is, from 0 */
    struct slice lines; /* of EVENTS and RESULTS */
    size_t at;          /* bytes of them that are started or written */
    size_t count;       /* RESULTS: how many lines */
    uint64_t taken;     /* EVENTS: lines started */
    uint64_t path;      /* which sub-event: the same in every run, different for each */
    bool placed;        /* EVENTS: path is that of its one line */
    struct fn_call call;
    char scope[STRAND_SCOPE];
};

/* The strands of one event. */
struct strand_list {
    struct strand *first, *last;
    unsigned count;
    unsigned open; /* those that are not RESULTS */
    size_t held;   /* bytes of RESULTS in memory */
};

struct strand_pool { /* strands for reuse; zeroed before the first use */
    struct strand *free;
    unsigned used; /* strands on lists */
    size_t ahead;  /* bytes of EVENTS in memory, of all lists */
    size_t held;   /* of RESULTS */
};

void strand_pool_free(struct strand_pool *pool);

/* Put lines (taken over) at the end of the list as events of a stage: how a list begins. */
struct strand *strand_begin(struct strand_pool *pool, struct strand_list *list, unsigned stage,
                            struct slice lines);

/* What has just begun is one line, that sub-event of an earlier run. */
void strand_place(struct strand *events, uint64_t path);

/* Is there more than one line left? Then starting one makes another strand. */
bool strand_has_more(const struct strand *lines);

/*
 * Take the next line, of EVENTS or (for a sink) RESULTS, as a call: the strand itself if it was the
 * last line, else a new one before it. Its call is zeroed but for event (without LF) and scope.
 */
struct strand *strand_start(struct strand_pool *pool, struct strand *lines);

/* The path of the same sub-event when it is tried anew because what had been done was undone. */
uint64_t strand_next_round(uint64_t path);
/* A call that has not begun is one of that round. */
void strand_enter_next_round(struct strand *called);

/* A call's scope as text, into STRAND_SCOPE bytes, and back: -1 when it is none. */
struct str strand_scope(unsigned stage, uint64_t path, char into[STRAND_SCOPE]);
int strand_read_scope(struct str scope, unsigned *stage, uint64_t *path);

/* Events that no function is to see: they are results. */
void strand_pass(struct strand_pool *pool, struct strand *events);

/* A call has ended: its strand goes on with the lines of the answer, which must not be empty. */
void strand_go_on(struct strand_pool *pool, struct strand *called, unsigned stage);
void strand_keep_results(struct strand_pool *pool, struct strand *called);

/* The next whole lines of results, about most bytes, one line at least; *count is set with the
 * last ones, else 0. Borrowed. {NULL, 0} when all were given. */
struct str strand_next_results(struct strand *results, size_t most, size_t *count);

/* It is over; its slices are dropped. */
void strand_end(struct strand_pool *pool, struct strand *strand);

#endif
