/* state_dir.c: which state directory a command uses. */
#include "engine/state_dir.h"

#include "base/buf.h"
#include "base/mem.h"
#include "state/home.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *value_of(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value ? value : NULL;
}

/* So that functions find it too, wherever they change to. */
static char *absolute(const char *path, struct err *err)
{
    char here[PATH_MAX];
    struct buf text = {0};
    if (path[0] == '/' || home_is_url(path))
        return mem_strdup(path);
    if (!getcwd(here, sizeof here)) {
        err_sys(err, "find the working directory for the state %s", path);
        return NULL;
    }
    buf_addf(&text, "%s/%s", here, path);
    return buf_take(&text);
}

char *state_dir_path(const char *given, struct err *err)
{
    if (!given)
        given = value_of("FIT_STATE");
    if (given)
        return absolute(given, err);
    struct buf text = {0};
    const char *base = value_of("XDG_STATE_HOME");
    const char *home = value_of("HOME");
    if (base && base[0] == '/') /* a relative one is to be ignored, says its specification */
        buf_addf(&text, "%s/fittings", base);
    else if (home && home[0] == '/')
        buf_addf(&text, "%s/.local/state/fittings", home);
    else
        err_set(err, ERR_USAGE, "no state directory: give --state, FIT_STATE or HOME");
    return text.len ? buf_take(&text) : NULL;
}

bool state_dir_is_named(const char *given)
{
    return given || value_of("FIT_STATE");
}
