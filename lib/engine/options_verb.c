/* options_verb.c: commands that have verbs. */
#include "engine/options.h"

#include "base/msg.h"
#include "state/home.h"

#include <string.h>

int options_run_verb(const struct command *command, const struct option_verb *verbs,
                     const char *some, int argc, char **argv)
{
    for (const struct option_verb *verb = verbs; argc > 1 && verb->name; verb++) {
        if (strcmp(argv[1], verb->name) == 0)
            return verb->run(argc - 1, argv + 1);
    }
    struct options_words words = options_parse(command, argc, argv);
    if (words.count)
        options_fail(command, "%s: no such verb", words.words[0]);
    options_fail(command, "no verb (%s)", some);
}

struct options_words options_parse_named(const struct command *command, int argc, char **argv,
                                         const char *owner, const char *thing, const char **name)
{
    bool named = name && argc > 1 && argv[1][0] != '-';
    int skipped = named ? 1 : 0; /* what stands in the place of the command's name */
    struct err err;
    struct options_words words = options_parse(command, argc - skipped, argv + skipped);
    if (name && !named)
        options_fail(command, "no %s named", thing);
    if (named && home_check_name(argv[1], &err) < 0)
        options_fail(command, "%s", err.text);
    if (named)
        *name = argv[1];
    msg_init(owner);
    return words;
}
