/*
 * parts.h: the parts of one event, as a jq program gives them.
 *
 * A part that stands in the event is only remembered by its place there (8 bytes a part), so that a
 * large document can be split without a copy; other outputs are kept in a copy.
 */
#ifndef FIT_ENGINE_PARTS_H
#define FIT_ENGINE_PARTS_H

#include "base/block.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/jq.h"

#include <stdint.h>

struct parts {
    struct part *list;
    size_t count;
    size_t room;
    struct slice text; /* what the places of the list are in */
};

/* Fill parts (zeroed) with the outputs of the program. -1 with err; parts_free in any case. */
int parts_split(struct parts *parts, struct jq_program *program, const struct jq_input *input,
                struct slice event, struct err *err);
/* The event is a part itself, the only one here. */
void parts_single(struct parts *parts, struct slice event);
void parts_free(struct parts *parts); /* leaves it empty */

struct str parts_text(const struct parts *parts, size_t index);   /* borrowed */
struct slice parts_hold(const struct parts *parts, size_t index); /* a new reference */

#endif
