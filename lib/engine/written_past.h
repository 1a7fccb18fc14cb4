/*
 * written_past.h: what processes have written that were killed before they could say so.
 *
 * Notes (written.h) are lines, the oldest first. One that begins with "+" is an entry that is added
 * to those before; one that begins with "=" has all that still matter, with tabs between them, the
 * oldest first. What each of these processes was to write stands in its file, as far as it came,
 * from the offset of its entry to the next session of that file, in the order in which things are
 * taken over.
 */
#ifndef FIT_ENGINE_WRITTEN_PAST_H
#define FIT_ENGINE_WRITTEN_PAST_H

#include "base/buf.h"
#include "base/str.h"
#include "state/home.h"

enum { WRITTEN_PASTS = 8 }; /* entries that are heeded, the latest */

struct written_past;

/* home outlives it. */
struct written_past *written_past_open(const struct home *home, struct str notes);
void written_past_free(struct written_past *past); /* NULL is a no-op */

/*
 * What of these lines is still to be written: those of the next thing that is taken over, each with
 * its LF. A torn line of them at the end of a file is cut off if nobody writes there.
 */
struct str written_past_rest(struct written_past *past, struct str lines);

/* Append the entries that still matter, tabs between them. */
void written_past_add_entries(const struct written_past *past, struct buf *note);

#endif
