/* options_verb.c: commands that have verbs. */
#include "engine/options.h"

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
