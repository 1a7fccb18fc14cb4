/*
 * plan_guarded.h: the plan of breaker, throttle and bulkhead: one call for each event, and what
 * becomes of an event whose call the policy does not allow.
 */
#ifndef FIT_ENGINE_PLAN_GUARDED_H
#define FIT_ENGINE_PLAN_GUARDED_H

#include "engine/engine.h"

enum guarded_refusal {
    GUARDED_DEAD,     /* a dead letter */
    GUARDED_DROP,     /* counted, and forgotten */
    GUARDED_PASS,     /* the event is its own result, byte for byte */
    GUARDED_FALLBACK, /* another function is called in its place, without the policy */
};

struct plan_guarded {
    struct plan plan; /* first */
    struct fn *fn;
    struct jq_program *key; /* what fn_call.key is of; NULL: nothing */
    enum guarded_refusal refusal;
    struct fn *fallback;
};

/* key (a jq program) may be NULL, fallback too but for GUARDED_FALLBACK. -1 with err. */
int plan_guarded_init(struct plan_guarded *guarded, struct engine *engine, struct fn *fn,
                      const char *key, enum guarded_refusal refusal, struct err *err);
/* The words of the function in place; the engine's. */
int plan_guarded_fall_back(struct plan_guarded *guarded, struct engine *engine, const char *text,
                           struct err *err);
void plan_guarded_free(struct plan_guarded *guarded);

#endif
