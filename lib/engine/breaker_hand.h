/*
 * breaker_hand.h: set a breaker by hand.
 */
#ifndef FIT_ENGINE_BREAKER_HAND_H
#define FIT_ENGINE_BREAKER_HAND_H

#include "pattern/breaker.h"

/* Write what is chosen to its settings, set the state, and wake who waits for that. The exit
 * status, after saying what went wrong. */
int breaker_hand_set(const char *state, const char *name, const struct breaker_choice *choice,
                     enum breaker_state to);

#endif
