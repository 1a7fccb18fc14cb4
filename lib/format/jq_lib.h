/*
 * jq_lib.h: a program run by libjq.
 *
 * Internal to format; jq.c implements it. Knows nothing of the native form. The limits are those of
 * jq.h. libjq is opened by the first program that is compiled.
 */
#ifndef FIT_FORMAT_JQ_LIB_H
#define FIT_FORMAT_JQ_LIB_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

struct jq_lib;

/*
 * Copied; not compiled yet, which takes 20 ms. variable: a name, under which each run gives the
 * program a second value, or NULL.
 */
struct jq_lib *jq_lib_new(const char *text, const char *variable);
void jq_lib_free(struct jq_lib *lib);

/* Compile now, so that a mistake is found: 0, or -1 with ERR_USAGE, or ERR_NOT_USABLE without
 * libjq. A run does it when it was not done. */
int jq_lib_compile(struct jq_lib *lib, struct err *err);

/*
 * Run on a validated event and hand each output to emit until it returns non-zero. 0, or -1 with
 * err after what was emitted before the error. given: what the variable holds, validated JSON.
 */
int jq_lib_each(struct jq_lib *lib, struct str event, struct str given,
                int (*emit)(void *context, struct str json), void *context, struct err *err);

/* Is the first output neither false nor null? 1, 0 (also when there is none), or -1 with err. */
int jq_lib_matches(struct jq_lib *lib, struct str event, struct err *err);

bool jq_lib_lost_digits(const struct jq_lib *lib);

#endif
