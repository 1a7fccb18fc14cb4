/*
 * state_dir.h: which state directory a command uses: --state, else FIT_STATE, else
 * ${XDG_STATE_HOME:-~/.local/state}/fittings. Opens nothing; state/home.h does.
 */
#ifndef FIT_ENGINE_STATE_DIR_H
#define FIT_ENGINE_STATE_DIR_H

#include "base/err.h"

#include <stdbool.h>

/*
 * The absolute path (or the URL) of the state, given by --state or NULL. The caller frees it. NULL
 * with err: nothing names one, as HOME is not set.
 */
char *state_dir_path(const char *given, struct err *err);

/* Did the user name one, by --state or FIT_STATE? Then what has no other place goes there. */
bool state_dir_is_named(const char *given);

#endif
