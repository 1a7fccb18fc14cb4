/* options_verb.c: commands that have verbs. */
#include "engine/options.h"

#include "base/msg.h"
#include "base/str.h"
#include "state/home.h"

#include <string.h>

/* The verb that was meant, or NULL. */
static const char *nearest_verb(const struct command *command, const char *word)
{
    const char *best = NULL;
    size_t best_distance = strlen(word) / 3 + 2;
    for (const struct option_verb *verb = command->verbs; verb->name; verb++) {
        size_t distance = str_distance(word, verb->name);
        if (distance < best_distance) {
            best = verb->name;
            best_distance = distance;
        }
    }
    return best;
}

int options_run_verb(const struct command *command, int argc, char **argv)
{
    const struct option_verb *verbs = command->verbs;
    for (const struct option_verb *verb = verbs; argc > 1 && verb->name; verb++) {
        if (strcmp(argv[1], verb->name) == 0)
            return verb->run(argc - 1, argv + 1);
    }
    struct options_words words = options_parse(command, argc, argv);
    if (!words.count)
        options_fail(command, "no verb (%s, %s, ...)", verbs[0].name, verbs[1].name);
    const char *nearest = nearest_verb(command, words.words[0]);
    if (nearest)
        options_fail(command, "%s: no such verb (did you mean %s?)", words.words[0], nearest);
    options_fail(command, "%s: no such verb", words.words[0]);
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
