/*
 * common_policies.h: the call policies as options of every command that calls functions.
 *
 * All groups fill the policies of a struct common_options. A command that is itself one of the
 * policies lists the group without it.
 */
#ifndef FIT_ENGINE_COMMON_POLICIES_H
#define FIT_ENGINE_COMMON_POLICIES_H

#include "engine/options.h"
#include "fn/policy.h"

extern const struct option_group common_policies;
extern const struct option_group common_policies_without_breaker;
extern const struct option_group common_policies_without_rate;
extern const struct option_group common_policies_without_bulkhead;

/* For set callbacks, shared with the commands of the same names. */
int common_policies_name(const char *arg, const char **name, struct err *err);
int common_policies_slots(const char *arg, unsigned *slots, struct err *err);

/* What does not go together; called when all options are read. NULL, or what is wrong. */
const char *common_policies_conflict(const struct policy_settings *settings);

#endif
