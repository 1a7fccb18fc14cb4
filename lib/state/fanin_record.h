/*
 * fanin_record.h: the records of groups and their parts. Internal to lib/state: shared by the files
 * fanin_*.c.
 *
 *     SPACE_META   "fanin/", collection (4) -> struct fanin_numbers, each a u64
 *     SPACE_PART   collection (4), seq (8) -> the group, while it is open, to be taken or held
 *                  collection (4), seq (8), 0, place (8) -> flags (1), the value (packed)
 *                  collection (4), seq (8), 1, hash of an id (16) -> empty
 *                  collection (4), seq (8), 2 -> the key, if it is over FANIN_NAME bytes
 *     SPACE_FANIN  collection (4), 'k', key of a group -> entry
 *                  collection (4), 'h', hash (16) of a longer key -> entry
 *                  collection (4), 'd', due (8), seq (8) -> empty: it is open
 *                  collection (4), 'r', order (8) -> seq (8): it is to be taken
 *                  collection (4), 't', token (8) -> holder (8), boot (8), groups (8), length of
 *                      the notes of former holders (4), these, note: who has taken groups
 *                  collection (4), 'g', token (8), seq (8) -> order (8): it is held
 *                  collection (4), 'f', until (8), seq (8) -> name: it is remembered
 *
 * A name is what follows the collection in the key of a group's entry. A group is closing (1), name
 * of its length (2), expected (8), parts (8), span (8), first at (8), last at (8), idle (8), within
 * (8), filed (8), name. Filed is the due of its record under 'd': parts that come later move the
 * true one on, and the record follows when its time has come, not with each part. An entry is seq
 * (8), until (8; 0: there is a group); and of a remembered group its closing (1), expected (8),
 * length of the key if it was hashed (4), the key, number of ranges (4), for each range of places
 * that it had begin (8) and end (8), and the hashes of ids that it had, all sorted.
 *
 * The group stands beside its parts, so adding one touches few pages; and apart from its key, which
 * is looked up and not written again. Numbers of a collection are kept decoded while a transaction
 * lasts, and written at its end (fanin_flush).
 */
#ifndef FIT_STATE_FANIN_RECORD_H
#define FIT_STATE_FANIN_RECORD_H

#include "base/hash.h"
#include "state/apply.h"
#include "state/fanin.h"

enum {
    FANIN_NAME = 400,                 /* bytes of a key that stands in keys as it is */
    FANIN_KEY = 4 + 1 + 8 + 8,        /* bytes of the longest numeric key of SPACE_FANIN */
    FANIN_HEAD = 4 + 8,               /* of a key of a group in SPACE_PART */
    FANIN_PLACE = FANIN_HEAD + 1 + 8, /* of one of a part */
    FANIN_ID = FANIN_HEAD + 1 + 16,   /* of one of an id */
};

enum part_flag { PART_FAILED = 1, PART_EMPTY = 2 };

struct fanin_numbers {                /* as it is stored: only u64 */
    uint64_t seq, order, token;       /* the last that was given */
    uint64_t open, parts;             /* groups, and their parts */
    uint64_t ready, held, remembered; /* groups */
    uint64_t open_from;               /* no group before it is open */
};

struct fanin {
    struct fanin *next;
    struct buf name;
    uint32_t number;
    struct fanin_numbers numbers;
    bool dirty, ring;
};

struct fanin_head { /* a group as it is stored */
    uint64_t seq;
    struct group group;
    int64_t idle, within; /* rules that a take has to know */
    int64_t filed;        /* GROUP_NEVER: it has no record under 'd' */
    struct buf name;      /* the caller's scratch */
};

struct fanin_entry { /* what is known of a key; valid until the next put or remove */
    uint64_t seq;
    int64_t until;     /* 0: there is a group; else it is remembered, and the rest is set */
    struct group past; /* closing and expected */
    struct str key;    /* if it was hashed */
    struct str had;    /* fanin_past.c */
};

/* ---- fanin_record.c ---- */

/* The collection of that name. NULL: there is none (not with make), or the transaction has failed.
 */
struct fanin *fanin_of(struct apply *apply, struct str name, bool make);
struct buf *fanin_scratch(struct apply *apply); /* empty; for one record at a time */
int fanin_damaged(struct apply *apply);         /* the transaction fails: -1 */

/* A key of SPACE_FANIN: of that letter, with one number, or two. */
struct str fanin_key1(unsigned char key[FANIN_KEY], const struct fanin *fanin, char letter,
                      uint64_t first);
struct str fanin_key2(unsigned char key[FANIN_KEY], const struct fanin *fanin, char letter,
                      uint64_t first, uint64_t second);
/* The first record from that key on (or beyond it) with the same letter. 1, 0, -1. */
int fanin_first(struct apply *apply, struct str from, bool beyond, struct str *key,
                struct str *record);

struct str fanin_head_key(unsigned char key[FANIN_HEAD], const struct fanin *fanin, uint64_t seq);
struct str fanin_place_key(unsigned char key[FANIN_PLACE], const struct fanin *fanin, uint64_t seq,
                           uint64_t place);
struct str fanin_id_key(unsigned char key[FANIN_ID], const struct fanin *fanin, uint64_t seq,
                        struct hash128 id);

/* The name of a group's key, into name. */
void fanin_name(struct buf *name, struct str key);
/* 1, 0: it is not known, -1. */
int fanin_find(struct apply *apply, const struct fanin *fanin, struct str name,
               struct fanin_entry *entry);
/* had: of a remembered group; with until, past and key. */
int fanin_write_entry(struct apply *apply, const struct fanin *fanin, struct str name,
                      const struct fanin_entry *entry);
int fanin_remove_entry(struct apply *apply, const struct fanin *fanin, struct str name);

/* head->seq is set. A group that is not there is damage. */
int fanin_read_head(struct apply *apply, const struct fanin *fanin, struct fanin_head *head);
int fanin_write_head(struct apply *apply, const struct fanin *fanin, const struct fanin_head *head);

/* The key of a group, whose name is head's: kept, where it is not the name; and read, valid until
 * the next put or remove. */
int fanin_write_text(struct apply *apply, const struct fanin *fanin, const struct fanin_head *head,
                     struct str key);
int fanin_read_text(struct apply *apply, const struct fanin *fanin, const struct fanin_head *head,
                    struct str *key);

/* The parts of a group in order; each gets the record, and returns 0 or -1 to stop. */
struct fanin_stored {
    uint64_t place;
    bool failed, empty;
    struct str packed;
};
int fanin_each_part(struct apply *apply, const struct fanin *fanin, uint64_t seq,
                    int (*each)(void *owner, const struct fanin_stored *part), void *owner);

/* ---- fanin_close.c: open groups, and their time ---- */

/* Its record under d has that time from now on (GROUP_NEVER: there is none); rings when it is the
 * first. The head is to be written. */
int fanin_file(struct apply *apply, struct fanin *fanin, struct fanin_head *head, int64_t due);
/* It has closed, as head says: it is to be taken. Writes the head. */
int fanin_close(struct apply *apply, struct fanin *fanin, struct fanin_head *head);
/* Close those whose time is over. How many were looked at, at most FANIN_SWEEP, or -1. */
int fanin_close_due(struct apply *apply, struct fanin *fanin);
/* The same of all that are open. */
int fanin_close_all(struct apply *apply, struct fanin *fanin);
/* When the first may be due; 0: none. */
int fanin_next_due(struct apply *apply, const struct fanin *fanin, int64_t *due);

/* ---- fanin_holds.c: groups that have closed, and who has taken them ---- */

int fanin_put_ready(struct apply *apply, struct fanin *fanin, uint64_t seq, uint64_t order);
/* The one that closed first is no longer ready. 1 with it, 0, -1. */
int fanin_pop_ready(struct apply *apply, struct fanin *fanin, uint64_t *seq, uint64_t *order);

/* Counting those that are held is the caller's. */
int fanin_put_held(struct apply *apply, const struct fanin *fanin, uint64_t token, uint64_t seq,
                   uint64_t order);
/* 1 with its order, 0: it is not held so, -1. */
int fanin_remove_held(struct apply *apply, const struct fanin *fanin, uint64_t token, uint64_t seq,
                      uint64_t *order);
/* The next one of the token with a number from there on. 1, 0, -1. */
int fanin_next_held(struct apply *apply, const struct fanin *fanin, uint64_t token, uint64_t from,
                    uint64_t *seq);

struct fanin_hold { /* what was taken under a token */
    uint64_t token, boot, groups;
    cell_holder holder;
    struct str notes, note; /* of former holders, and of this one; valid until the next put or
                               remove */
};
/* 1, 0: there is none, -1. */
int fanin_find_hold(struct apply *apply, const struct fanin *fanin, uint64_t token,
                    struct fanin_hold *hold);
/* Without groups it is removed. Its notes may stand in the table. */
int fanin_write_hold(struct apply *apply, const struct fanin *fanin, const struct fanin_hold *hold);
/* All notes of it, for who takes it over. */
void fanin_join_notes(struct buf *all, const struct fanin_hold *hold);
/* Look at all holds: tell who holds what is not the taker's own. *gone: the token of one whose
 * holder is gone, or 0. How many such there are, or -1. */
int fanin_look_at_holds(struct apply *apply, const struct fanin *fanin, struct fanin_take *take,
                        uint64_t *gone);

/* ---- fanin_past.c: groups that are remembered ---- */

/* The group and its parts are removed; it is known until then (0: not at all). */
int fanin_retire(struct apply *apply, struct fanin *fanin, uint64_t seq, int64_t until);
/* Was such a part in a remembered group? */
bool fanin_had(const struct fanin_entry *entry, const struct fanin_add *add, struct hash128 id);
/* A group whose time is over, as its entry says. */
int fanin_forget_one(struct apply *apply, struct fanin *fanin, struct str name, uint64_t seq,
                     int64_t until);
/* Those whose time is over, and the oldest beyond `keep` (0: any number); at most so many. -1. */
int fanin_forget_some(struct apply *apply, struct fanin *fanin, uint64_t keep, unsigned most);

/* ---- the verbs ---- */

int fanin_apply_add(struct apply *apply, struct fanin_add *add);
int fanin_apply_take(struct apply *apply, struct fanin_take *take);
int fanin_apply_end(struct apply *apply, struct fanin_end *end);

#endif
