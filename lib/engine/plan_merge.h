/*
 * plan_merge.h: the plan of `fanin --merge`: events are passed on, byte for byte or with the name
 * of their input.
 */
#ifndef FIT_ENGINE_PLAN_MERGE_H
#define FIT_ENGINE_PLAN_MERGE_H

#include "engine/engine.h"
#include "engine/sort_key.h"

/* The member in which an event that is no object is kept when it gets a tag. */
#define PLAN_MERGE_VALUE "value"

struct plan_merge {
    struct plan plan;  /* first */
    const char *tag;   /* the member for the name of the input; NULL: none */
    struct buf origin; /* the input that was named last, */
    struct buf member; /* and its member "TAG":"INPUT" */
    struct buf line;
    struct sort_key *key; /* NULL: events are not sorted */
    struct buf bytes;     /* of a key */
};

/* tag is kept. key: the source is one of source_sorted.h; borrowed. */
void plan_merge_init(struct plan_merge *merge, const char *tag, struct sort_key *key);
void plan_merge_free(struct plan_merge *merge);

#endif
