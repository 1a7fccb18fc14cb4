/*
 * breaker_options.h: the settings of a breaker as options.
 */
#ifndef FIT_ENGINE_BREAKER_OPTIONS_H
#define FIT_ENGINE_BREAKER_OPTIONS_H

#include "engine/options.h"

/* Fills a struct breaker_choice. */
extern const struct option_group breaker_options;

#endif
