/*
 * ledger_index.h: where in the log of a ledger the record of a key stands.
 *
 * Hash tables in files, mapped and shared by the processes that use the ledger. There is more than
 * one: a table is never rebuilt to grow, the next one is INDEX_GROWTH times as large, and a search
 * looks into all of them, the newest first. So inserting costs the same at any size, and a search a
 * few steps more with each tenfold. An entry is one word, stored at once: part of the hash and the
 * record's offset. The record itself says whether it is the one (ledger_log.c).
 *
 * Only what holds the log's lock inserts; anybody may search. The index is made from the log and
 * can be made again: it is thrown away after a reboot, when its files are torn or foreign, or after
 * a write that failed. It survives a kill: `covered` says up to where the log is in it, and what is
 * behind is inserted again, which changes nothing if it was already.
 */
#ifndef FIT_STATE_LEDGER_INDEX_H
#define FIT_STATE_LEDGER_INDEX_H

#include "base/err.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    INDEX_FIRST = 1 << 13, /* places of the first table, 8 bytes each; half of them are used */
    INDEX_GROWTH = 4,
    INDEX_TABLES = 14, /* enough for 10^11 records; more are refused */
    INDEX_ALIGN = 8,   /* of records in the log */
};

struct ledger_index;

/* The tables in the folder dir, as far as they are of this boot (a number for it) and whole; else
 * none. NULL with err. */
struct ledger_index *ledger_index_open(int dir, uint64_t boot, struct err *err);
void ledger_index_free(struct ledger_index *index); /* NULL is a no-op; the files stay */

/* Look for tables that other processes have added, or made anew. -1 with err. */
int ledger_index_refresh(struct ledger_index *index, struct err *err);

/* Up to this offset the log is in the index. 0: nothing is. */
uint64_t ledger_index_covered(const struct ledger_index *index);
void ledger_index_cover(struct ledger_index *index, uint64_t end);

/* Insert: -1 with err (no space for another table). */
int ledger_index_add(struct ledger_index *index, struct hash128 key, uint64_t offset,
                     struct err *err);

/* Call is() with each offset that may be of the key, until it says so. False: none. since (0: all)
 * leaves out tables in which nothing new can be. */
bool ledger_index_find(const struct ledger_index *index, struct hash128 key, uint64_t since,
                       bool (*is)(void *context, uint64_t offset), void *context);

/* For a later search: what is inserted from now on will be found with this as since. */
uint64_t ledger_index_mark(const struct ledger_index *index);

/* Throw all tables away; covered is 0 then. */
void ledger_index_reset(struct ledger_index *index);

#endif
