/* breaker_hand.c: set a breaker by hand. */
#include "engine/breaker_hand.h"

#include "base/clock.h"
#include "engine/engine.h"
#include "engine/state_dir.h"
#include "state/bell.h"
#include "state/shared_breaker.h"

#include <stdlib.h>

int breaker_hand_set(const char *state, const char *name, const struct breaker_choice *choice,
                     enum breaker_state to)
{
    struct err err;
    int status = EXIT_OK;
    char *path = state_dir_path(state, &err);
    struct home *home = path ? home_open(path, &err) : NULL;
    struct shared_breaker *shared =
        home ? shared_breaker_open(home, str_of(name), choice, NULL, &err) : NULL;
    struct bell *bell = shared ? bell_open(home, POLICY_BREAKER_BELL, str_of(name)) : NULL;
    if (shared)
        shared_breaker_set(shared, to, clock_now());
    if (!shared || bell_ring(bell, &err) < 0) /* which who is held waits for */
        status = engine_refuse(&err);
    bell_free(bell);
    shared_breaker_free(shared);
    home_free(home);
    free(path);
    return status;
}
