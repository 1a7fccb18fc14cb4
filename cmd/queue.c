/* queue: durable queue between the quick and the slow. */
#include "engine/common_http.h"
#include "engine/common_policies.h"
#include "engine/queue_verb.h"

static const struct option_use uses[] = {{&queue_delay, &queue_options},
                                         {&queue_pushing, &queue_options},
                                         {&queue_leasing, &queue_options},
                                         {&queue_emptying, &queue_options},
                                         {&queue_counting, &queue_options},
                                         {&queue_answering, &queue_options},
                                         {&common_calling, &queue_common},
                                         {&common_policies, &queue_common},
                                         {&common_http, &queue_common},
                                         {&common_flow, &queue_common},
                                         {&common_events, &queue_common},
                                         {&common_reporting, &queue_common},
                                         {0}};

static const struct option_verb verbs[] = {
    {"push", queue_verb_push},   {"work", queue_verb_work}, {"pull", queue_verb_pull},
    {"ack", queue_verb_ack},     {"nack", queue_verb_nack}, {"show", queue_verb_show},
    {"peek", queue_verb_peek},   {"list", queue_verb_list}, {"redrive", queue_verb_redrive},
    {"purge", queue_verb_purge}, {"drop", queue_verb_drop}, {0},
};

/* Help, page and completions are of all verbs together; each verb takes what concerns it. */
static const struct command command = {
    .name = "queue",
    .summary = "durable queue between the quick and the slow",
    .purpose = "State and availability",
    .usage = (const char *const[]){"push NAME [options]", "work NAME [options] [--] FUNCTION...",
                                   "pull NAME [options]", "ack|nack NAME [options] [RECEIPT...]",
                                   "show|peek|redrive|purge|drop NAME [options]", "list [options]",
                                   NULL},
    .notes =
        (const char *const[]){"'fit queue push --help' lists what push takes, and so on.", NULL},
    .uses = uses,
    .verbs = verbs,
    .operands = OPTIONS_STOP_AT_WORD,
};

int main(int argc, char **argv)
{
    common_options_init(&queue_common);
    return options_run_verb(&command, argc, argv);
}
