/*
 * sort_key.h: the value of a jq program by which events are sorted, as bytes in jq's order.
 */
#ifndef FIT_ENGINE_SORT_KEY_H
#define FIT_ENGINE_SORT_KEY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct sort_key;

/* program is kept. NULL with ERR_USAGE. */
struct sort_key *sort_key_new(const char *program, struct err *err);
void sort_key_free(struct sort_key *key); /* NULL is a no-op */

const char *sort_key_text(const struct sort_key *key); /* as the user wrote it */

/*
 * Set bytes to what memcmp compares (format/json_order.h). 1; 0: the event is no JSON; -1 with err:
 * it has no such value.
 */
int sort_key_of(struct sort_key *key, struct str event, struct buf *bytes, struct err *err);

#endif
