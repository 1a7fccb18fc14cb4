/*
 * fanin.h: parts that wait for each other, in groups, until each group is complete.
 *
 * A collection has a name, and in it each group a key. A part is durable when its FANIN_ADD is
 * done; which part completes a group is decided there, so any number of processes may add to one
 * name. A closed group is taken, as a message of a queue is leased: by one process, which writes
 * what it makes of it and ends it then. What becomes of a group that was taken and not ended: it is
 * given to others when the process that holds it is gone. An ended one is remembered for a while,
 * so that a part that comes again is known as a duplicate, and one that comes late as late.
 *
 * The bell "fanin" of the name is rung when there may be a group to take, or an earlier time at
 * which one is due, and when the last of those that were taken has ended.
 *
 * Costs do not depend on how many groups or parts there are, but that a part of a group with a
 * predicate costs a look at all of them.
 */
#ifndef FIT_STATE_FANIN_H
#define FIT_STATE_FANIN_H

#include "pattern/group.h"
#include "state/cell.h"
#include "state/store.h"

enum {
    FANIN_TAKE_MAX = 1024, /* groups of one take; who asks for more gets so many */
    FANIN_SWEEP = 1024, /* groups that one take closes, and that it forgets; the next one goes on */
    FANIN_NOTES = 4096, /* bytes of the notes of former holders; older ones are left out */
};

enum fanin_verb { FANIN_ADD, FANIN_TAKE, FANIN_END, FANIN_SHOW };

struct fanin_op { /* first in those below */
    struct store_op op;
    enum fanin_verb verb;
    struct str name; /* of the collection (home_check_name); borrowed until done */
};

/* ---- adding ---- */

/* STORE_OK, whatever the verdict. All strings are borrowed until done. */
struct fanin_add {
    struct fanin_op own;
    struct str group;  /* its key: any bytes */
    bool indexed;      /* the part has a place; else its place is that of its coming */
    uint64_t index;    /* from 0 */
    uint64_t expected; /* parts of the group, as this one says; 0: it does not */
    struct str id;     /* of a part without a place: one with the same id is a duplicate; {NULL, 0}:
                          none is */
    struct str value;  /* one JSON value; {NULL, 0}: the part is there, and has no value */
    bool failed;       /* the value is an error */
    bool renews; /* if its group has closed and is not remembered yet, it begins a new one of that
                    key; nothing is remembered of the older one then */
    struct group_rules rules;
    /* With rules.until: is it true of this array, of the values so far in the order of the parts,
     * without errors and parts that have no value? 1, 0, or -1: it cannot be applied; the part is
     * then not added (GROUP_WRONG). May be called again for the same part. */
    int (*until)(void *owner, struct str array);
    void *owner;
    /* The answer. */
    enum group_verdict verdict;
    enum group_closing closing; /* of the group, by this part or before */
};

/* ---- taking ---- */

struct fanin_part {
    uint64_t index;
    bool failed;
    struct str value; /* {NULL, 0}: none */
};

struct fanin_group {
    uint64_t seq; /* its number in the collection, never used again */
    struct str key;
    struct group group;
    struct fanin_part *parts; /* group.parts of them, by index */
    struct str note;          /* of who held it before, if that process is gone; {NULL, 0}: none. If
                                 several were killed one after the other: theirs, the latest last,
                                 LF between them */
};

/*
 * STORE_OK also when there was none: then got is 0. What a process has left that is gone comes
 * whole and alone, whatever was asked, so that it can be compared with what that one has written.
 */
struct fanin_take {
    struct fanin_op own;
    unsigned count;     /* at most so many groups */
    size_t bytes;       /* and no further one when their parts are so long together */
    cell_holder holder; /* 0: no process: it is held until it is ended */
    bool at_eof;        /* close all groups that are open (in several takes: `more`) */
    struct str note;    /* kept with the groups for who may have to take them over; a line without
                           LF; borrowed */
    /* The answer; fanin_take_clear frees it. */
    uint64_t token;
    struct fanin_group *groups; /* in the order in which they closed */
    unsigned got;
    bool more;        /* there was more to do than one take does: ask again */
    uint64_t held;    /* groups that others have taken */
    int64_t next_due; /* time of day to ask again, when an open one may be due; 0: none will be */
    cell_holder *holders; /* who holds those, to watch for their end */
    size_t holder_count;
    /* Private to state/: what the groups point to. */
    struct fanin_part *parts;
    char *content;
};

/* Of one group that was taken: STORE_OK, or STORE_LOST: it is no longer held under this token. */
struct fanin_end {
    struct fanin_op own;
    uint64_t token;
    uint64_t seq;
    bool given_back;   /* it was not written, by nobody: others may take it, without the notes */
    int64_t remember;  /* nanoseconds that it is known after this */
    uint64_t most;     /* groups that are known so: the oldest are forgotten; 0: any number */
    struct str note;   /* replaces that of all groups held under the token; {NULL, 0}: does not */
    struct str letter; /* a dead letter to be kept with it, a line without LF; {NULL, 0}: none */
};

/* ---- looking ---- */

struct fanin_show { /* a read; STORE_ABSENT: there is no such collection */
    struct fanin_op own;
    uint64_t open, parts; /* groups that are open, and their parts */
    uint64_t closed;      /* that are to be taken, or are held */
    uint64_t remembered;
};

/* Zeroed but for the name and what is asked; each sets up op and submits. done and owner of own.op
 * are the caller's to set. */
void fanin_add(struct store *store, struct fanin_add *add);
void fanin_take(struct store *store, struct fanin_take *take);
void fanin_end(struct store *store, struct fanin_end *end);
void fanin_show(struct store *store, struct fanin_show *show);

void fanin_take_clear(struct fanin_take *take); /* drop the answer */

#endif
