/*
 * state_record.h: a key with its value as a line of JSON, as `state` lists, dumps and loads them.
 *
 *     {"key":"orders/7","version":12,"expires_ms":1795000000000,"value":{"n":1}}
 *
 * A key that is not UTF-8 stands as "key_base64". "expires_ms" (since 1970) is there when the value
 * has an end; of a deleted key "deleted" stands in place of the value.
 */
#ifndef FIT_ENGINE_STATE_RECORD_H
#define FIT_ENGINE_STATE_RECORD_H

#include "base/err.h"
#include "state/kv.h"

/* Append it, with its LF. */
void state_record_add(struct buf *line, const struct kv_record *record);
void state_record_add_key(struct buf *line, struct str key); /* only the key: a JSON string */

/* The record of a line, which is valid JSON; key is filled with its key's bytes. -1 with err: it is
 * not one. */
int state_record_read(struct str line, struct kv_record *record, struct buf *key, struct err *err);

#endif
