/*
 * plan_fanin.h: the plan that collects parts into groups, and writes the results of those that have
 * closed.
 *
 * Its jobs are of two kinds (source_fanin.h). A line is a part: an envelope (envelope.h), or with
 * --group an event that the program gives a key. It is done when the part is in the store (group
 * commit: with all that were read meanwhile), also if it was there before; dead when its group has
 * closed without it, or it contradicts the others. A group is done when its lines are written.
 *
 * A line that is an array of envelopes is several parts: what the letter of a dead group holds.
 * Where plain events are collected it is that only when letters are redriven.
 */
#ifndef FIT_ENGINE_PLAN_FANIN_H
#define FIT_ENGINE_PLAN_FANIN_H

#include "engine/engine.h"
#include "engine/envelope.h"
#include "engine/fanin_settings.h"

struct plan_fanin {
    struct plan plan; /* first */
    struct engine *engine;
    struct store *store;
    struct fanin_settings settings;
    struct envelope_paths line;    /* in the engine's paths */
    struct envelope_paths element; /* in paths */
    struct json_paths *paths;      /* of one envelope of an array */
    struct json_value *values;
    struct identity *identity;
    struct jq_program *group, *count_by, *until;
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
