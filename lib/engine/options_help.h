/*
 * options_help.h: the --help of a command, from its tables.
 *
 * Fits 80 columns; one line an option, grouped as the tables are.
 */
#ifndef FIT_ENGINE_OPTIONS_HELP_H
#define FIT_ENGINE_OPTIONS_HELP_H

#include "base/buf.h"
#include "engine/options.h"

void options_help(const struct command *command, struct buf *out);

#endif
