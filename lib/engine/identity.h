/*
 * identity.h: what an event is called: the same in every run over the same content.
 *
 * --id JQ where given; else source and id of a CloudEvent, "source#id"; else the 128-bit hash of
 * its bytes (hash.h), and for the second and later events of the same content "-2", "-3", ... Line
 * numbers play no part. Without a ledger the ordinals are kept for the last IDENTITY_CONTENTS
 * contents only: a repetition from farther back counts as the first again. With one all are kept,
 * in a temporary file.
 */
#ifndef FIT_ENGINE_IDENTITY_H
#define FIT_ENGINE_IDENTITY_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

enum { IDENTITY_CONTENTS = 65536 };

struct identity;

/* id is the jq program of --id, or NULL. NULL with ERR_USAGE when it does not compile. */
struct identity *identity_new(const char *id, struct err *err);
void identity_free(struct identity *identity);

/* Keep the ordinals of all contents from now on; temp_dir is where files without a name may be
 * made. */
void identity_keep_all(struct identity *identity, const char *temp_dir);

/*
 * Set id to the identity of a validated event. With count it is one more of its content; without,
 * ordinals are left out and nothing is remembered. -1 with ERR_INPUT when --id gives nothing for
 * it: the hash is used then. given, unless it is empty, takes the place of the hash.
 */
int identity_of(struct identity *identity, struct str event, bool count, struct str given,
                struct buf *id, struct err *err);

/* The same without the hash: 1; 0: the event has no name of its own; -1 as above. */
int identity_own(struct identity *identity, struct str event, struct buf *id, struct err *err);

/* Control characters become '?': a NUL cannot stand in an environment variable, and a line feed
 * would tear a log. identity_of has done it. */
void identity_make_presentable(struct buf *id);

#endif
