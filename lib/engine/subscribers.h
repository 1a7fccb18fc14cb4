/*
 * subscribers.h: who is given the events of a broadcast, and how each gets the next one.
 *
 * A subscriber is a function with calls, a buffer and a backlog of its own. One that is full gets
 * the next event later, or not at all, or is waited for, as the user says; one that has a backlog
 * in the log (spill.h) gets every further event by way of it, so that their order stays, until it
 * has caught up.
 */
#ifndef FIT_ENGINE_SUBSCRIBERS_H
#define FIT_ENGINE_SUBSCRIBERS_H

#include "engine/spill.h"
#include "engine/targets.h"

enum subscribers_full { SUBSCRIBERS_BLOCK, SUBSCRIBERS_SPILL, SUBSCRIBERS_DROP };

/* How one gets the event that is being given out. */
enum subscriber_way { WAY_NOT, WAY_NOW, WAY_LATER };

struct subscriber {
    const char *text; /* as written: what letters name */
    struct str name;  /* what results and records name */
    struct buf key;   /* its name as a member of a result, with the colon */
    struct target *target;
    struct spill_reader backlog;
    bool behind;  /* it has one */
    bool awaited; /* it is never left behind, whatever happens */
    enum subscriber_way way;
    uint64_t dropped, spilled;
};

struct subscribers {
    struct targets targets;
    struct subscriber *items;
    size_t count;
    size_t behind;              /* that many are */
    enum subscribers_full full; /* what becomes of an event that one has no place for */
    unsigned buffer;            /* events that it has place for */
};

/* Add the one that text (kept) names: FUNCTION or NAME=FUNCTION. -1 with err. */
int subscribers_add(struct subscribers *subscribers, const char *text, struct err *err);
struct subscriber *subscribers_find(const struct subscribers *subscribers, struct str name);
void subscribers_free(struct subscribers *subscribers);

/* Has every one that is waited for room? */
bool subscribers_have_room(struct subscribers *subscribers);

/* What the ways come to. */
struct ways {
    size_t now, later, dropped;
};

/*
 * Decide how each gets the event of the job: sets way, and counts who does not get it. With hurry
 * everyone gets it now, as nothing waits any more.
 */
struct ways subscribers_choose(struct subscribers *subscribers, const struct job *job, bool hurry);

/* Those whose way is later have the event in the log, at that place. */
void subscribers_leave_behind(struct subscribers *subscribers, const struct spill_place *place);

/* The next event of its backlog, if it can take one now. False: it can not, or has caught up. */
bool subscribers_read(struct subscribers *subscribers, struct subscriber *subscriber, bool hurry,
                      struct spill_place *place);

void subscribers_tell(const struct subscribers *subscribers); /* who missed how much */

#endif
