/*
 * json_merge.h: JSON Merge Patch (RFC 7396) on the text itself.
 *
 * What the patch does not name keeps its bytes: digits, escapes, the order of members, members that
 * stand twice. Of what it names the last one counts, on both sides. New members come last, in the
 * order of the patch.
 */
#ifndef FIT_FORMAT_JSON_MERGE_H
#define FIT_FORMAT_JSON_MERGE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { JSON_MERGE_DEPTH = 1000 }; /* objects within objects of a patch; deeper ones are refused */

/* Append the patched value. Both are validated values without blanks around them; target {NULL, 0}:
 * there is none. -1 with ERR_LIMIT, and out is to be thrown away. */
int json_merge(struct str target, struct str patch, struct buf *out, struct err *err);

#endif
