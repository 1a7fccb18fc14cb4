/*
 * plan_state.h: the plan of `state` as a filter: each event's key, and what becomes of its value.
 *
 *   put    the event is the value of its key, and passes once that is on disk
 *   get    the value of the key is the result, or is put into the event
 *   seen   the event passes unless its key has passed before
 *   load   the event is a record (state_record.h) that is put back
 *
 * A key that was seen is marked before its event is written, for other processes, and the mark is
 * made final when it is written. A mark that is not final counts for nothing once the process that
 * made it has gone (in an engine that sees no processes: after PLAN_STATE_PENDING). So when this
 * process is killed, an event may pass a second time, but none is lost.
 */
#ifndef FIT_ENGINE_PLAN_STATE_H
#define FIT_ENGINE_PLAN_STATE_H

#include "engine/engine.h"

enum plan_state_kind { PLAN_STATE_PUT, PLAN_STATE_GET, PLAN_STATE_SEEN, PLAN_STATE_LOAD };

#define PLAN_STATE_PENDING (INT64_C(600) * 1000000000) /* nanoseconds */

struct plan_state_settings {
    enum plan_state_kind kind;
    struct jq_program *key; /* of all but load */
    struct str prefix;
    int64_t ttl;          /* 0: none */
    struct str otherwise; /* get: the value of a key that has none; {NULL, 0}: none */
    struct str into;      /* get: the member; {NULL, 0}: the value is the result */
    bool record;          /* get: key, version and end with the value */
};

struct plan_state {
    struct plan plan; /* first */
    struct engine *engine;
    struct store *store;
    struct plan_state_settings settings; /* what it points to lives longer */
    size_t on_their_way;
    uint64_t records; /* load: taken so far */
    uint64_t announced;
    bool complete; /* load: the last line of the dump has been read, and it is right */
};

void plan_state_init(struct plan_state *state, struct engine *engine, struct store *store,
                     const struct plan_state_settings *settings);

#endif
