/*
 * source_merge.h: the lines of several inputs as one stream, as they come.
 *
 * Inputs that have lines are read in turn, a few lines at a time, so that a fast one does not
 * starve a slow one; no input is waited for while another has lines. The lines of one input keep
 * their order.
 */
#ifndef FIT_ENGINE_SOURCE_MERGE_H
#define FIT_ENGINE_SOURCE_MERGE_H

#include "engine/source.h"

#include <stddef.h>

enum {
    SOURCE_MERGE_LINES = 64,        /* lines of one input until it is the next one's turn */
    SOURCE_MERGE_BYTES = 16 * 1024, /* bytes of them; the line that reaches it is the last */
};

/* Takes over the lines of count > 0 inputs (inputs.h). The source is theirs if there is one. */
struct source *source_merge(struct source *const *lines, size_t count);

/* The lines of the files, FIFOs and devices of paths, of stdin if there are none. NULL with err. */
struct source *source_merge_open(struct loop *loop, const char *const *paths, size_t count,
                                 size_t max_event, struct err *err);

#endif
