/*
 * json_patch.h: JSON Patch (RFC 6902): what turns one value into another.
 *
 * Values are compared as json_order.h does: the order of members does not matter, of a member that
 * stands twice the last one counts, numbers are equal by value with all their digits. Values in a
 * patch keep their bytes.
 */
#ifndef FIT_FORMAT_JSON_PATCH_H
#define FIT_FORMAT_JSON_PATCH_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum {
    JSON_PATCH_DEPTH = 512, /* what is nested deeper is compared by its text without blanks, and
                               replaced as a whole */
    /* Arrays whose differing middle is longer than this are replaced element by element and not
     * compared with each other by a longest common subsequence. */
    JSON_PATCH_WINDOW = 1000,
    JSON_PATCH_CELLS = 64 * 1024 * 1024, /* pairs of elements that are so compared; then the same */
    /* A container for which the operations come to more bytes than this, and to more than so many
     * times its new text, is replaced as a whole. */
    JSON_PATCH_SMALL = 64 * 1024,
    JSON_PATCH_GROWTH = 4,
};

/*
 * Append the patch, an array of add, remove and replace operations with RFC 6901 pointers; "[]"
 * when they are equal. Both are validated values. Small, but not always the smallest: members are
 * compared by name, arrays by their common beginning and end and the longest common subsequence
 * between them.
 */
void json_patch(struct str from, struct str to, struct buf *patch);

/* Are they equal as above? */
bool json_equal(struct str a, struct str b);

#endif
