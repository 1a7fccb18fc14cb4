/*
 * pack.h: a value as it is stored: one byte that says how, then the bytes, compressed if they are
 * long (STORE_COMPRESS) and it helps.
 */
#ifndef FIT_STATE_PACK_H
#define FIT_STATE_PACK_H

#include "base/buf.h"
#include "base/err.h"

void pack_add(struct buf *record, struct str value);

/* Append the value to out. -1 with ERR_STATE: the bytes are damaged. */
int pack_read(struct str packed, struct buf *out, struct err *err);

#endif
