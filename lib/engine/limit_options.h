/*
 * limit_options.h: what a call may take of the machine, as options: --memory, --cpu, --nice.
 */
#ifndef FIT_ENGINE_LIMIT_OPTIONS_H
#define FIT_ENGINE_LIMIT_OPTIONS_H

#include "engine/options.h"
#include "fn/limits.h"

/* Fills a struct fn_limits. */
extern const struct option_group limit_options;

/*
 * Find out how the limits can be kept, and say so (-v). 1: there are some; 0: there are none; -1
 * with err: one cannot be kept. limits->folder is the caller's to free.
 */
int limit_options_settle(struct fn_limits *limits, struct err *err);

#endif
