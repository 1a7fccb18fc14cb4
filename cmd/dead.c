/* dead: look at dead letters, redrive them, drop them. */
#include "engine/dead_verb.h"

static const struct option_use uses[] = {{&dead_selecting, &dead_options},
                                         {&dead_dropping, &dead_options},
                                         {&common_state, &dead_common},
                                         {0}};

static const struct option_verb verbs[] = {
    {"list", dead_verb_list}, {"show", dead_verb_show},       {"count", dead_verb_count},
    {"drop", dead_verb_drop}, {"redrive", dead_verb_redrive}, {0},
};

/* Help, page and completions are of all verbs together; each verb takes what concerns it. */
static const struct command command = {
    .name = "dead",
    .summary = "look at dead letters, redrive them, drop them",
    .purpose = "State and availability",
    .usage = (const char *const[]){"list|show|count [options] [NUMBER...]",
                                   "redrive [options] [NUMBER...] [-- COMMAND...]",
                                   "drop [options] [NUMBER...]", NULL},
    .uses = uses,
    .verbs = verbs,
    .operands = OPTIONS_STOP_AT_WORD,
};

int main(int argc, char **argv)
{
    return options_run_verb(&command, argc, argv);
}
