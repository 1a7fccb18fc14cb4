/*
 * named.h: functions that the command line gives a name, NAME=FUNCTION.
 *
 * The name is what an answer, a report and a letter call the function by; a "?" in front says that
 * it is optional. What begins in no such way is a function without a name. It does not know what
 * the names are for, nor whether they must differ.
 */
#ifndef FIT_ENGINE_NAMED_H
#define FIT_ENGINE_NAMED_H

#include "base/str.h"

#include <stdbool.h>

struct named {
    struct str name;      /* [A-Za-z_][A-Za-z0-9_-]*, in the text; {NULL, 0}: it has none */
    const char *function; /* what is behind it, perhaps nothing; without a name the whole text */
    bool optional;
};

/* Borrows text. */
struct named named_parse(const char *text);

#endif
