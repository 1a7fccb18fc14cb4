/*
 * json_diff.h: where two JSON values differ.
 *
 * Objects are compared key by key whatever their order (of a key that stands twice the last one
 * counts), arrays place by place, strings by what they say, numbers by value where a double holds
 * them exactly and by their digits otherwise.
 */
#ifndef FIT_FORMAT_JSON_DIFF_H
#define FIT_FORMAT_JSON_DIFF_H

#include "base/str.h"

#include <stddef.h>

enum { JSON_DIFF_DEPTH = 512 }; /* values nested deeper are compared as text */

/*
 * Tell each difference: its path (".a[2].b", "." for the whole), the expected and the found value;
 * {NULL, 0} where there is none. Both texts are validated values. Returns the number of
 * differences.
 */
size_t json_diff(struct str expected, struct str found,
                 void (*differs)(void *context, struct str path, struct str expected,
                                 struct str found),
                 void *context);

#endif
