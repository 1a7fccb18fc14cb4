/*
 * plan_merge.h: the plan of `fanin --merge`: events are passed on, byte for byte or with the name
 * of their input.
 */
#ifndef FIT_ENGINE_PLAN_MERGE_H
#define FIT_ENGINE_PLAN_MERGE_H

#include "engine/engine.h"

/* The member in which an event that is no object is kept when it gets a tag. */
#define PLAN_MERGE_VALUE "value"

struct plan_merge {
    struct plan plan;   /* first */
    const char *tag;    /* the member for the name of the input; NULL: none */
    const char *tagged; /* the input whose text is in member */
    struct buf member;  /* "TAG":"INPUT" */
    struct buf line;
    bool is_sorted; /* tokens are those of source_sorted.h */
};

/* tag is kept. is_sorted: the source is one of source_sorted.h. */
void plan_merge_init(struct plan_merge *merge, struct engine *engine, const char *tag,
                     bool is_sorted);
void plan_merge_free(struct plan_merge *merge);

#endif
