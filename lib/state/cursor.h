/*
 * cursor.h: how far somebody has come with something outside: the last time of a schedule that has
 * run, what a poll has seen.
 *
 * A cursor has a kind ("every", "poll") and a name, and holds records: bytes under keys, all of one
 * kind as its owner likes. One process at a time has it: CURSOR_OPEN gives a token, which its
 * death takes back, and what is done with an old one is STORE_LOST. Who opens without a process
 * (holder 0) keeps nobody from opening, who then has the younger token. A move changes any number
 * of records of one cursor at once: it is on disk as a whole, or not at all.
 *
 * What ended as STORE_UNKNOWN is settled by doing it again:
 *
 *     open     by the same process gives it again, with another token; the one before is lost
 *     move     with the same changes comes to the same; STORE_LOST: somebody else has it now
 *     close    STORE_LOST: it is closed
 *     forget   with the same token; STORE_ABSENT: they are gone
 *
 * Rings the bell "cursor", KIND/NAME when it is let go, or taken from who still thinks he has it.
 * That a holder goes rings nothing; who waits is told him with STORE_CONFLICT.
 */
#ifndef FIT_STATE_CURSOR_H
#define FIT_STATE_CURSOR_H

#include "base/block.h"
#include "state/cell.h"
#include "state/store.h"

enum {
    CURSOR_KIND = 16,       /* bytes of a kind with its NUL; ours, and without a '/' */
    CURSOR_KEY = 64,        /* bytes of a record's key at most, and at least none; a longer one is
                               refused, who has such hashes them */
    CURSOR_READ_MAX = 4096, /* records of one read; who asks for more gets so many */
    CURSOR_STEP = 10000,    /* records that one CURSOR_FORGET makes free; then it says `more` */
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
    struct err why;   /* private to state/ */
};

/* STORE_OK, or STORE_CONFLICT: another process has it (by). It is made with its first move: one
 * that was opened and closed again leaves nothing. */
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
    struct str value; /* {NULL, 0}: the record goes, if it is there */
};

/* STORE_OK, or STORE_LOST: nothing has changed. Of changes of one key the last one counts. A value
 * beyond STORE_VALUE_MAX is STORE_NOT_APPLIED. */
struct cursor_move {
    struct cursor_op own;
    uint64_t token;
    const struct cursor_change *changes; /* borrowed until done */
    size_t count;
};

/* A read: by each, the cursor of that name, or STORE_ABSENT; without a name ({NULL, 0}) those of
 * the kind. One without records is listed while a process has it. */
struct cursor_list {
    struct cursor_op own;
    void (*each)(void *owner, struct str name, uint64_t records, cell_holder holder);
    void *owner;
};

/* Remove the records: at once, and then make their room free step by step: it is to be asked with
 * the same struct until it does not say `more`, whatever it answered first. STORE_ABSENT: there are
 * none; STORE_CONFLICT: somebody has it (by), but for who gives the token, who keeps it. */
struct cursor_forget {
    struct cursor_op own;
    uint64_t token; /* 0: nobody's; else STORE_LOST when it is an old one */
    cell_holder by;
    bool more;
    bool again; /* private to state/: only the room is asked for */
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
