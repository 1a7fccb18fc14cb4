/*
 * options_complete.h: completion scripts for bash, zsh and fish from a command's tables.
 *
 * The scripts also serve `fit COMMAND`: the completion of `fit` sources the command's own and calls
 * it, in bash with FIT_COMPLETE_FROM set to the index of the word behind the command's name.
 */
#ifndef FIT_ENGINE_OPTIONS_COMPLETE_H
#define FIT_ENGINE_OPTIONS_COMPLETE_H

#include "base/buf.h"
#include "engine/options.h"

void options_complete_bash(const struct command *command, struct buf *out);
void options_complete_zsh(const struct command *command, struct buf *out);
void options_complete_fish(const struct command *command, struct buf *out);

#endif
