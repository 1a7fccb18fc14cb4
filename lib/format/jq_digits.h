/*
 * jq_digits.h: has a transform changed the digits of a number?
 *
 * Internal to format. libjq 1.6 holds every number as a double: 9007199254740993 comes out as
 * ...992. The numbers of an event that a double cannot hold are noted once; an output that has the
 * same double with other digits has lost some.
 */
#ifndef FIT_FORMAT_JQ_DIGITS_H
#define FIT_FORMAT_JQ_DIGITS_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

struct jq_digits {
    struct buf numbers; /* of struct number, sorted */
    struct buf scratch;
};

void jq_digits_free(struct jq_digits *digits);
void jq_digits_clear(struct jq_digits *digits);
/* Also those of this text; validated JSON, as all here. */
void jq_digits_note(struct jq_digits *digits, struct str event);
bool jq_digits_lost(struct jq_digits *digits, struct str output);

#endif
