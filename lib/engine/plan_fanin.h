/*
 * plan_fanin.h: the plan that collects parts into groups, and writes the results of those that have
 * closed.
 *
 * Its jobs are of two kinds (source_fanin.h). A line brings parts (fanin_incoming.h): it is done
 * when they are in the store (group commit: with all that were read meanwhile), also if they were
 * there before; dead when a group has closed without one, or one contradicts the others. A group is
 * done when its lines are written (fanin_result.h).
 */
#ifndef FIT_ENGINE_PLAN_FANIN_H
#define FIT_ENGINE_PLAN_FANIN_H

#include "engine/engine.h"
#include "engine/fanin_incoming.h"

struct plan_fanin {
    struct plan plan; /* first */
    struct engine *engine;
    struct store *store;
    struct fanin_settings settings;
    struct fanin_reader reader;
    struct fanin_join join;
    size_t on_their_way;       /* parts */
    uint64_t duplicates, late; /* counted */
    bool warned;
};

/* settings are copied. -1 with err. Then plan_fanin_free in any case. */
int plan_fanin_init(struct plan_fanin *fanin, struct engine *engine, struct store *store,
                    const struct fanin_settings *settings, struct err *err);
void plan_fanin_free(struct plan_fanin *fanin);

#endif
