/* dead: look at dead letters, redrive them, drop them. */
#include "engine/dead_verb.h"

#include <string.h>

static const struct option_use uses[] = {{&dead_selecting, &dead_options},
                                         {&dead_dropping, &dead_options},
                                         {&common_state, &dead_common},
                                         {0}};

/* Help, page and completions are of all verbs together; each verb takes what concerns it. */
static const struct command command = {
    .name = "dead",
    .summary = "look at dead letters, redrive them, drop them",
    .purpose = "State and availability",
    .usage = (const char *const[]){"list|show|count [options] [NUMBER...]",
                                   "redrive [options] [NUMBER...] [-- COMMAND...]",
                                   "drop [options] [NUMBER...]", NULL},
    .uses = uses,
    .operands = OPTIONS_STOP_AT_WORD,
};

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
} verbs[] = {
    {"list", dead_verb_list}, {"show", dead_verb_show},       {"count", dead_verb_count},
    {"drop", dead_verb_drop}, {"redrive", dead_verb_redrive},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    }
    struct options_words words = options_parse(&command, argc, argv);
    if (words.count)
        options_fail(&command, "%s: no such verb", words.words[0]);
    options_fail(&command, "no verb (list, redrive, ...)");
}
