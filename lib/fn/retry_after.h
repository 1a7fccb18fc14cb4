/*
 * retry_after.h: how long a server asks to wait: the header field Retry-After (RFC 9110, 10.2.3).
 * Internal to lib/fn.
 */
#ifndef FIT_FN_RETRY_AFTER_H
#define FIT_FN_RETRY_AFTER_H

#include "base/str.h"

#include <stdint.h>

enum { RETRY_AFTER_MAX = 86400 }; /* seconds; who asks for longer gets so much */

/* The field's value, seconds or a date in any of the three forms of RFC 9110 (5.6.7): nanoseconds
 * from wall (clock_wall) on; 0: it asks for nothing, or is not understood. */
int64_t retry_after_read(struct str value, int64_t wall);

#endif
