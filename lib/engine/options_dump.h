/*
 * options_dump.h: a command's tables in the forms that other programs read.
 *
 * mdoc is the option list of the page, bash, zsh and fish are completion scripts, json is
 * everything, summary is "purpose TAB summary" in one line (for the overview of `fit`).
 */
#ifndef FIT_ENGINE_OPTIONS_DUMP_H
#define FIT_ENGINE_OPTIONS_DUMP_H

#include "base/buf.h"
#include "engine/options.h"

bool options_dump_knows(const char *format);
void options_dump(const struct command *command, const char *format, struct buf *out);

#endif
