/* warm: keep functions ready. */
#include "engine/common_http.h"
#include "engine/common_policies.h"
#include "engine/warm_verb.h"

static const struct option_use uses[] = {{&warm_pooling, &warm_options},
                                         {&warm_stopping, &warm_options},
                                         {&warm_pinging, NULL},
                                         {&common_calling, &warm_common},
                                         {&common_policies, &warm_common},
                                         {&common_http, &warm_common},
                                         {&common_state, &warm_common},
                                         {&common_reporting, &warm_common},
                                         {0}};

static const struct option_verb verbs[] = {
    {"start", warm_verb_start}, {"stop", warm_verb_stop}, {"status", warm_verb_status},
    {"list", warm_verb_list},   {"ping", warm_verb_ping}, {0},
};

/* Help, page and completions are of all verbs together; each verb takes what concerns it. */
static const struct command command = {
    .name = "warm",
    .summary = "keep functions ready",
    .purpose = "Time",
    .usage = (const char *const[]){"start NAME [options] [--] FUNCTION...", "stop NAME [options]",
                                   "status NAME [options]", "list [options]",
                                   "ping [options] [--] FUNCTION...", NULL},
    .notes =
        (const char *const[]){"'fit warm start --help' lists what start takes, and so on.", NULL},
    .uses = uses,
    .verbs = verbs,
    .operands = OPTIONS_STOP_AT_WORD,
};

int main(int argc, char **argv)
{
    common_options_init(&warm_common);
    return options_run_verb(&command, argc, argv);
}
