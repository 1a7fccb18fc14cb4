/*
 * source_fanin.h: lines, and the groups that have closed by what they brought.
 *
 * The source of the lines (of stdin, of merged inputs, of letters that are redriven) is inside; its
 * lines are handed on as they are. In between, groups that have closed are taken from the store, a
 * batch at a time, and handed out as events that are made: the array of the values. What becomes of
 * such an event becomes of its group:
 *
 *     done, dropped      ended, once its lines are written; remembered for a while
 *     dead               ended, and its letter kept in the same commit; not remembered, so that its
 *                        parts can come back
 *     not written        given back to the others
 *
 * A batch is asked for when all of the last one have been told, in whose commit it is taken: so the
 * groups that this process holds are always those that it writes next, in the order of their
 * closing, and who takes them over can compare them with what it has written (written.h).
 *
 * It sleeps until there may be a group to take: the bell, a group that is due, the end of another
 * process. When the lines have ended, and all that they brought is in the store, groups that are
 * left open close or stay, and those that have closed are written before it ends.
 *
 * Groups that are in memory only are lost with the process: when it is interrupted, all that are
 * open close, and are handed out as interrupted.
 */
#ifndef FIT_ENGINE_SOURCE_FANIN_H
#define FIT_ENGINE_SOURCE_FANIN_H

#include "engine/fanin_batch.h"
#include "engine/fanin_settings.h"
#include "engine/source.h"
#include "state/fanin.h"

enum {
    FANIN_BYTES = 1024 * 1024, /* of the parts of one batch; a larger group comes alone */
};

/* The store outlives it; the lines' source and written (or NULL) are taken over, also with err;
 * settings are copied. NULL with err. */
struct source *source_fanin(struct store *store, const struct fanin_settings *settings,
                            struct source *lines, struct written *written, struct err *err);

/* What that event of the source is: NULL if it is a line, and not a group. */
struct fanin_held *source_fanin_held(uint64_t token);

#endif
