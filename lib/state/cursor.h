/*
 * cursor.h: how far somebody has come with something outside: the last time of a schedule that has
 * run, what a poll has seen.
 *
 * A cursor has a kind ("every", "poll") and a name, and holds records: bytes under keys, all of one
 * kind as its owner likes. One process at a time has it: CURSOR_OPEN gives a token, which its
 * death takes back, and what is done with an old one is STORE_LOST. A move changes any number of
 * records of one cursor at once: it is on disk as a whole, or not at all.
 *
 * Rings the bell "cursor", KIND/NAME when it is let go.
 */
#ifndef FIT_STATE_CURSOR_H
#define FIT_STATE_CURSOR_H

#include "base/block.h"
#include "state/cell.h"
#include "state/store.h"

enum {
    CURSOR_KEY = 64,        /* bytes of a record's key at most, and at least none; who has longer
                               ones hashes them */
    CURSOR_READ_MAX = 4096, /* records of one read; who asks for more gets so many */
    CURSOR_STEP = 10000,    /* records that one CURSOR_FORGET removes; then it says `more` */
};

enum cursor_verb {
    CURSOR_OPEN,
    CURSOR_CLOSE,
    CURSOR_READ,
    CURSOR_MOVE,
    CURSOR_LIST,
    CURSOR_FORGET
};

struct cursor_op { /* first in those below */
    struct store_op op;
    enum cursor_verb verb;
    const char *kind; /* borrowed until done, as all strings here */
    struct str name;  /* home_check_name */
};

/* STORE_OK, or STORE_CONFLICT: another process has it (by). It is made with its first move. */
struct cursor_open {
    struct cursor_op own;
    cell_holder holder; /* who has it */
    /* The answer. */
    uint64_t token;
    bool is_new; /* it has no records */
    cell_holder by;
};

struct cursor_close { /* STORE_OK, or STORE_LOST. The records stay. */
    struct cursor_op own;
    uint64_t token;
};

/* A read, in the order of the keys: STORE_OK also when there was none (got is 0). No token is
 * needed: who only looks may. */
struct cursor_read {
    struct cursor_op own;
    struct str from; /* keys not below it; */
    bool beyond;     /* and, so, above it */
    unsigned count;  /* at most so many; and no further one when they are so long together: */
    size_t bytes;
    /* The answer; cursor_read_clear frees it. */
    struct cursor_record {
        struct slice key, value;
    } * records;
    unsigned got;
    bool more;
};

struct cursor_change {
    struct str key;
    struct str value; /* {NULL, 0}: the record goes */
};

struct cursor_move { /* STORE_OK, or STORE_LOST: nothing has changed */
    struct cursor_op own;
    uint64_t token;
    const struct cursor_change *changes; /* borrowed until done */
    size_t count;
};

/* A read: the cursors of a kind (name {NULL, 0}), by each. */
struct cursor_list {
    struct cursor_op own;
    void (*each)(void *owner, struct str name, uint64_t records, cell_holder holder);
    void *owner;
};

/* Remove the records; to be asked until it does not say `more`. STORE_ABSENT: there are none;
 * STORE_CONFLICT: somebody has it (by), but for who gives the token. */
struct cursor_forget {
    struct cursor_op own;
    uint64_t token; /* 0: nobody's */
    cell_holder by;
    bool more;
};

/* Zeroed but for kind, name and what is asked; each sets up op and submits. done and owner of
 * own.op are the caller's to set. */
void cursor_open(struct store *store, struct cursor_open *open);
void cursor_close(struct store *store, struct cursor_close *close);
void cursor_read(struct store *store, struct cursor_read *read);
void cursor_move(struct store *store, struct cursor_move *move);
void cursor_list(struct store *store, struct cursor_list *list);
void cursor_forget(struct store *store, struct cursor_forget *forget);

void cursor_read_clear(struct cursor_read *read); /* drop the answer */

#endif
