/*
 * spill.h: events that wait on disk until slow functions have had them.
 *
 * A log in a file without a name. An event stands in it once, however many wait for it, behind a
 * head (struct parked) that changes in place. Each reader has a position of its own and gets every
 * event from there on, in order. The file is mapped by segments, and only those in which something
 * is written, read or held: memory stays flat, whatever waits. A segment whose events are all over
 * is given back to the file system, from wherever in the file.
 *
 * Space is had before anything is written, so a full disk is an error of spill_add and nothing
 * else. It is no store: what is in it is lost with the process.
 */
#ifndef FIT_ENGINE_SPILL_H
#define FIT_ENGINE_SPILL_H

#include "base/block.h"
#include "base/err.h"
#include "engine/engine.h"

enum {
    SPILL_SEGMENT =
        1024 * 1024, /* bytes of a segment; one for a larger event is as large as that */
};

struct spill;
struct spill_segment;

/* An event in the log, held: its segment stays mapped until spill_release. */
struct spill_place {
    struct spill_segment *segment;
    struct parked *parked; /* of which open is kept by who holds it */
};

struct spill *spill_new(const char *temp_dir); /* kept, not copied; the file is made when needed */
void spill_free(struct spill *spill);          /* nothing is held any more; NULL is a no-op */

/* Append an event and its identity (may be empty); parked is zeroed. -1 with err: nothing has
 * changed. */
int spill_add(struct spill *spill, struct str event, struct str id, struct spill_place *place,
              struct err *err);

struct spill_place spill_hold(const struct spill_place *place); /* the same, held once more */
struct slice spill_event(const struct spill_place *place); /* a new reference, beside the place */
struct str spill_id(const struct spill_place *place);

/* The event is over if nothing of it is open; nobody else holds it then. */
void spill_release(struct spill_place *place);

/* Where somebody reads on. Zeroed: nowhere. */
struct spill_reader {
    struct spill_segment *segment; /* held */
    size_t at;
};

void spill_reader_begin(struct spill_reader *reader, const struct spill_place *first);
/* The next event, held by the caller. False: there is none, and the reader is nowhere. */
bool spill_reader_next(struct spill_reader *reader, struct spill_place *place);
void spill_reader_end(struct spill_reader *reader); /* nowhere; its events are then nobody's */

#endif
