/*
 * common_http.h: the options about functions behind a URL, of every command that calls functions.
 *
 * The group fills the http of a struct common_options.
 */
#ifndef FIT_ENGINE_COMMON_HTTP_H
#define FIT_ENGINE_COMMON_HTTP_H

#include "engine/options.h"

enum { COMMON_HEADER_FILE = 1 << 20 }; /* bytes of a --header-file; a longer one is refused */

extern const struct option_group common_http;

#endif
