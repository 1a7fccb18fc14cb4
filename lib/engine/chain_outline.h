/*
 * chain_outline.h: a chain as its words tell of it, before a file is made or a process started.
 */
#ifndef FIT_ENGINE_CHAIN_OUTLINE_H
#define FIT_ENGINE_CHAIN_OUTLINE_H

#include "base/buf.h"
#include "engine/plan_chain.h"

/* Refuse what can be seen to be wrong: a string that cannot be split, a sink before the last stage.
 * -1 with ERR_USAGE. */
int chain_outline_check(const struct chain_settings *settings, struct err *err);

/* Append the plan for people: a line for each stage, and what becomes of results and failures. The
 * chain has been checked. */
void chain_outline_print(const struct chain_settings *settings,
                         const struct common_options *options, struct buf *text);

#endif
