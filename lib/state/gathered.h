/*
 * gathered.h: events that one read hands out, in one block. Internal to lib/state.
 *
 * Events are added one behind the other, each with a LF, and are offsets until all are there; then
 * the bytes become a block, and each event a slice of it. Zeroed, it holds nothing.
 */
#ifndef FIT_STATE_GATHERED_H
#define FIT_STATE_GATHERED_H

#include "base/block.h"
#include "state/apply.h"

struct gathered {
    struct buf bytes, scratch;
    size_t *ends; /* in bytes, behind each event's LF */
    unsigned count, room;
    struct slice all; /* once they are sealed */
};

/* Add an event as apply_pack has stored it. -1: the transaction has failed. */
int gathered_add(struct gathered *gathered, struct apply *apply, struct str packed);

/* No more will be added. */
void gathered_seal(struct gathered *gathered);
/* The event of that place, without its LF; a new reference. */
struct slice gathered_event(const struct gathered *gathered, unsigned place);

void gathered_free(struct gathered *gathered);

#endif
