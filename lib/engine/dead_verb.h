/*
 * dead_verb.h: what `dead` does, verb by verb: a command line of its own each.
 *
 * argv[0] is the verb. Every verb has a struct command of its own, named "dead list", with the
 * groups of options that it heeds; cmd/dead.c lists all groups for the page.
 */
#ifndef FIT_ENGINE_DEAD_VERB_H
#define FIT_ENGINE_DEAD_VERB_H

#include "engine/common_options.h"
#include "engine/letters.h"

struct dead_options {
    struct letters_filter filter;
    uint64_t *numbers; /* the filter's */
    bool all;
};

extern struct common_options dead_common;
extern struct dead_options dead_options;

extern const struct option_group dead_selecting; /* --command, --reason, --since, --match */
extern const struct option_group dead_dropping;  /* of drop: --all */

/*
 * Read the verb's command line. Says what is wrong and exits 2. The words before a "--" are numbers
 * of letters (the command's operand is dead_verb_operand into the filter); those behind it are
 * returned.
 */
int dead_verb_operand(void *into, const char *word, struct err *err);
struct options_words dead_verb_parse(const struct command *command, int argc, char **argv);

/* Open the letters that the filter picks, or say why not, with *status. */
struct letters *dead_verb_open(const struct letters_filter *filter, int *status);

/* Hand each of them on, in as many rounds as it takes; after_round (or NULL) is called behind each.
 * An exit status: 1 (said) when they cannot be read or a number has no letter. */
int dead_verb_each(struct letters *letters,
                   bool (*each)(void *owner, const struct letter_seen *seen),
                   int (*after_round)(void *owner, struct err *err), void *owner);

int dead_verb_list(int argc, char **argv);
int dead_verb_show(int argc, char **argv);
int dead_verb_count(int argc, char **argv);
int dead_verb_drop(int argc, char **argv);
int dead_verb_redrive(int argc, char **argv);

#endif
