/*
 * fanin_form.h: what `fanin` does, form by form: a command line of its own each (options_form.h).
 *
 * Without a form's option it collects; --merge merges its inputs, --show tells what a collection
 * holds. fanin_uses has the
 * groups of options of all forms, for the page.
 */
#ifndef FIT_ENGINE_FANIN_FORM_H
#define FIT_ENGINE_FANIN_FORM_H

#include "engine/common_options.h"
#include "engine/operands.h"
#include "engine/plan_fanin.h"

struct fanin_options {
    const char *name; /* NULL: not given */
    struct fanin_settings settings;
    bool chose_remember, chose_timeout;
    const char *collecting; /* the last option that is about groups ("--count"); NULL: none */
    const char *form;       /* the option of a form, wherever it stood; NULL: none */
    const char *sorted; /* --merge: the program by whose values the inputs are sorted, or NULL */
    const char *tag;    /* --merge: the member that names an event's input, or NULL */
    struct operands inputs;
};

extern struct common_options fanin_common;
extern struct fanin_options fanin_options;

extern const struct option_group fanin_naming;
extern const struct option_group fanin_merging;
extern const struct option_use fanin_uses[];

/* The collection is in the state directory, because its name or --state says so; then that counts
 * as named. False: groups are in memory. */
bool fanin_form_is_stored(void);

int fanin_form_collect(const struct command *command, int argc, char **argv);
int fanin_form_merge(int argc, char **argv);
int fanin_form_show(int argc, char **argv);

#endif
