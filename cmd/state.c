/* state: state of functions, outside of them. */
#include "engine/state_verb.h"

static const struct option_use uses[] = {
    {&state_writing, &state_options},   {&state_receipts, &state_options},
    {&state_answering, &state_options}, {&state_listing, &state_options},
    {&state_watching, &state_options},  {&state_locking, &state_options},
    {&state_keying, &state_options},    {&state_enriching, &state_options},
    {&common_flow, &state_common},      {&common_input, &state_common},
    {&common_reporting, &state_common}, {0}};

static const struct option_verb verbs[] = {
    {"get", state_get},
    {"put", state_put},
    {"add", state_add},
    {"cas", state_cas},
    {"del", state_del},
    {"incr", state_incr},
    {"merge", state_merge},
    {"update", state_update},
    {"list", state_list},
    {"watch", state_watch},
    {"lock", state_lock},
    {"dump", state_dump},
    {"load", state_load},
    {"seen", state_seen},
    {"ledger", state_ledger},
    {"cursor", state_cursor},
    {0},
};

/* Help, page and completions are of all verbs together; each verb takes what concerns it. */
static const struct command command = {
    .name = "state",
    .summary = "keep values, locks and what was seen outside of functions",
    .purpose = "State and availability",
    .usage =
        (const char *const[]){"get KEY | put|add|merge KEY [JSON] | del KEY [VERSION]",
                              "cas KEY VERSION [JSON] | incr KEY [N] | update KEY JQ",
                              "list|watch [PREFIX] | dump|load [FILE]",
                              "lock NAME [options] [--] COMMAND...",
                              "put|get|seen --key JQ [options]", "ledger list | ledger drop NAME",
                              "cursor list | cursor drop every|poll NAME", NULL},
    .notes = (const char *const[]){"'fit state put --help' lists what put takes, and so on.", NULL},
    .uses = uses,
    .verbs = verbs,
    .operands = OPTIONS_STOP_AT_WORD,
};

int main(int argc, char **argv)
{
    common_options_init(&state_common);
    return options_run_verb(&command, argc, argv);
}
