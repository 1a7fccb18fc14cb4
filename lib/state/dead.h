/*
 * dead.h: dead letters that are kept in the store, in the order of their coming.
 *
 * A letter is one line of JSON (DESIGN.md 1.3); what is in it is for those who write and read it.
 * Each has a number, which only grows and is never used again. One that came out of a queue also
 * knows which, so that queue.h can count them.
 */
#ifndef FIT_STATE_DEAD_H
#define FIT_STATE_DEAD_H

#include "state/store.h"

enum dead_verb {
    DEAD_LIST,   /* read: each letter whose number is above `number`, until each says no */
    DEAD_GET,    /* read: the letter with that number, by each; or STORE_ABSENT */
    DEAD_ADD,    /* keep the letters; number: the last one's */
    DEAD_REMOVE, /* STORE_OK or STORE_ABSENT */
    /* In one step: the first of the letters takes the place of the one with that number, others are
     * added; without letters as REMOVE. STORE_ABSENT: it is gone, nothing has changed. */
    DEAD_REPLACE,
};

struct dead_op {
    struct store_op op; /* first */
    enum dead_verb verb;
    uint64_t number;
    struct str queue; /* LIST: only letters of this queue; {NULL, 0}: all */
    /* The letter, without LF, is valid during the call. False: no more. */
    bool (*each)(void *owner, uint64_t number, struct str letter);
    void *owner;
    const struct str *letters; /* ADD, REPLACE: lines without LF; borrowed until done */
    size_t count;
};

/* Zeroed but for verb and what it needs; sets up op and submits. */
void dead_submit(struct store *store, struct dead_op *op);

#endif
