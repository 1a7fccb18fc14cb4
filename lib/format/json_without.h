/*
 * json_without.h: a value without some of its parts, as by del(PATHS) of jq, with all its digits.
 *
 * PATHS are paths with commas between them: ".a.b", ".\"x y\"", ".a[\"k\"]", ".a[].b", ".[]"; with
 * one path alone also ".a[0]". Other programs, and "." itself, are not for here but for jq, which
 * loses the digits of long numbers. What is not there, or is of another type than the path wants,
 * is left as it is.
 */
#ifndef FIT_FORMAT_JSON_WITHOUT_H
#define FIT_FORMAT_JSON_WITHOUT_H

#include "base/buf.h"
#include "base/str.h"

struct json_without;

struct json_without *json_without_new(struct str paths); /* NULL: they are not such paths */
void json_without_free(struct json_without *without);    /* NULL is a no-op */

/* Append what is left of a validated value. */
void json_without(const struct json_without *without, struct str value, struct buf *out);

#endif
