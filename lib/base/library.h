/*
 * library.h: shared libraries that are opened when they are first needed.
 *
 * To load a library and those below it can take longer than all else that a fitting does before its
 * first event. What only some runs need is therefore no part of the executables: other runs do not
 * pay for it, and a machine without it lacks nothing else. Its functions are called through a table
 * that the owner of its header declares. Knows no library. Nothing is ever closed.
 */
#ifndef FIT_BASE_LIBRARY_H
#define FIT_BASE_LIBRARY_H

#include "base/err.h"

#include <stddef.h>

enum { LIBRARY_FILES = 2 };

struct library_function {
    const char *name; /* in the library */
    size_t place;     /* of the pointer to it in the table, in bytes */
};

struct library {
    const char *need;                 /* for errors: "serving HTTP needs libmicrohttpd" */
    const char *files[LIBRARY_FILES]; /* tried in this order; the last may be NULL */
    const struct library_function *functions;
    size_t count; /* of them */
};

/*
 * Open the first of the files that can be opened and write the addresses of the functions into
 * table. 0, or -1 with ERR_NOT_USABLE, which says what the need is and why the first file cannot be
 * opened, or which function is missing.
 */
int library_open(const struct library *library, void *table, struct err *err);

#endif
