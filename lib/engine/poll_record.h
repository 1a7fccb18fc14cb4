/*
 * poll_record.h: the records of a poll's cursor: JSON objects, as poll(1) tells.
 *
 *     head           {"check","items","key","ignore": what the records are of;
 *                     "cursor","etag","modified","success","at"}
 *     i and a hash   {"at","hash","key","value"}, by the hash of the key; only "at" of an item that
 *                    went while its look was not over
 */
#ifndef FIT_ENGINE_POLL_RECORD_H
#define FIT_ENGINE_POLL_RECORD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "fn/http.h"

#include <stdint.h>

enum {
    POLL_RECORD_KEY = HASH_TEXT + 1,
    POLL_RECORD_AROUND = 128, /* bytes of an item's record besides its key and value, at most */
};
#define POLL_RECORD_HEAD "head" /* before all items in the order of keys */

struct poll_made_of {  /* texts of the options; NULL: not given */
    const char *check; /* another one: its validators count for nothing */
    const char *items; /* another one of these: everything begins anew */
    const char *key;
    const char *ignore; /* another one: values are compared by it from now on */
};

struct poll_head {
    struct buf cursor;               /* JSON; empty: none */
    struct fn_validators validators; /* of the value that was handed on as a whole */
    int64_t success;                 /* clock_wall of the look that it came with; 0: none */
    int64_t at;
    int64_t since; /* items that are older were hashed by another --ignore; 0: none */
};

/* The key of an item's record. */
struct str poll_record_key(struct hash128 key, char text[POLL_RECORD_KEY]);

/* A part of a record, as JSON; {NULL, 0} when it is not there. */
struct str poll_record_member(struct str record, const char *name);

/* Append a record. */
void poll_record_head(const struct poll_made_of *made_of, const struct poll_head *head,
                      struct buf *record);
void poll_record_item(int64_t at, struct hash128 hash, struct str key, struct str value,
                      struct buf *record);
void poll_record_gone(int64_t at, struct buf *record);

/* What has changed since a head was written. */
struct poll_remade {
    bool form; /* items or key */
    bool ignore;
};

/* Read a head, a JSON object, into a zeroed one; nothing of it but "at" when the form is another
 * one. */
struct poll_remade poll_record_read_head(struct str record, const struct poll_made_of *made_of,
                                         struct poll_head *head);
void poll_head_free(struct poll_head *head);

/* The head has these validators from now on (the same value may be named anew); those before are
 * given back. */
void poll_head_exchange(struct poll_head *head, struct fn_validators *validators);

struct poll_record {
    struct hash128 key, hash;
    int64_t at;
    struct str value; /* {NULL, 0}: it is gone */
};

/* Read an item; a view of the record. -1 with err: it is damaged. */
int poll_record_read_item(struct str name, struct str record, struct poll_record *item,
                          struct err *err);

#endif
