/*
 * options_form.h: commands whose command line has one of several forms, told by an option
 * ("broadcast --topic NAME", "broadcast --list").
 *
 * Each form has a struct command of its own, with the options that it heeds; its `elsewhere` are
 * the options of all forms, so that one which belongs to another form is refused as such. Without
 * any, the command's own table is read.
 */
#ifndef FIT_ENGINE_OPTIONS_FORM_H
#define FIT_ENGINE_OPTIONS_FORM_H

#include "engine/options.h"
#include "base/str.h"

/* The form whose option (the verb's name) stands on the command line before any operand, or NULL.
 * The words are read as options_read would, by the tables of the command. */
const struct option_verb *options_form(const struct command *command,
                                       const struct option_verb *forms, int argc, char **argv);

/* How many of words the option takes that they begin with, as options_read would: its value may be
 * the second. *name is that of a long option of the command, else NULL. */
size_t options_span(const struct command *command, char *const *words, size_t count,
                    const char **name);

/* Is it an option of another form: a name, or a letter if name is empty? */
bool options_elsewhere(const struct command *command, struct str name, char letter);

#endif
