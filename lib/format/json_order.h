/*
 * json_order.h: JSON values as bytes that memcmp puts in jq's order.
 *
 * null < false < true < numbers < strings < arrays < objects. Strings are compared by codepoints,
 * whatever their escapes; arrays element by element; objects by their sorted keys, and if these are
 * equal by their values in the order of the keys; of a key that stands twice the last one counts.
 * Numbers are compared exactly, with all their digits, where jq 1.6 compares doubles: two that jq
 * holds to be equal may differ here, but none that it holds to differ are the other way round.
 * Values are equal if, and only if, their bytes are.
 *
 * What polls have seen is kept as hashes of these bytes, so they never change for a given value.
 */
#ifndef FIT_FORMAT_JSON_ORDER_H
#define FIT_FORMAT_JSON_ORDER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { JSON_ORDER_DEPTH = 512 }; /* a value that is nested deeper is refused */
/* Exponents beyond it count as it. */
#define JSON_ORDER_EXPONENT INT64_C(100000000000000000)

/* Append the bytes of a validated value. -1 with ERR_LIMIT, and key is to be thrown away. */
int json_order_key(struct str value, struct buf *key, struct err *err);

/* As memcmp: the order of two values by their bytes. */
static inline int json_order_compare(struct str a, struct str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

#endif
