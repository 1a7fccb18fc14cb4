/*
 * expectation.h: results compared with recorded ones, line by line, as JSON.
 */
#ifndef FIT_ENGINE_EXPECTATION_H
#define FIT_ENGINE_EXPECTATION_H

#include "base/err.h"
#include "base/str.h"

/*
 * Compare result lines with those in the file. Each difference is said on stderr with its path,
 * what was expected and what was found. 0: equal; 1: different; -1 with err: the file cannot be
 * read or is not JSON.
 */
int expectation_compare(const char *path, struct str results, struct err *err);

#endif
