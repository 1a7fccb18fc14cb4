/*
 * trash.h: what was removed at once, and is made free piece by piece.
 *
 * Something with a name, whose records stand under its number (apply_name), is gone as soon as the
 * name has another number or none: nobody finds what stands under the old one. Those records are
 * removed in steps, so that no transaction grows with them. What a killed process has left is
 * removed by whoever cleans next. Internal to lib/state.
 *
 *     SPACE_META  "trash/", kind, "/", number (4) -> empty: its records are to be removed
 */
#ifndef FIT_STATE_TRASH_H
#define FIT_STATE_TRASH_H

#include "state/apply.h"

/* The records under the number of that kind are to be removed. 0 or -1. */
int trash_add(struct apply *apply, const char *kind, uint32_t number);

struct trash_kind {
    const char *name;
    const enum table_space *spaces; /* where its records are */
    size_t count;
    /* Optional. Such a record is about to go (value is valid until the next put). 0 or -1. */
    int (*before)(struct apply *apply, enum table_space space, struct str key, struct str value);
};

/* Remove records of that kind whose keys begin with such a number, at most limit. *more: there may
 * be others. 0 or -1. */
int trash_clean(struct apply *apply, const struct trash_kind *kind, int limit, bool *more);

#endif
