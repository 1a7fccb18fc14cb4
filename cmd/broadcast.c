/* broadcast: one event, many subscribers. */
#include "engine/broadcast.h"
#include "engine/options_form.h"

static const struct command command = {
    .name = "broadcast",
    .summary = "one event, many subscribers",
    .purpose = "Composition",
    .usage = (const char *const[]){"[options] FUNCTION...", "--topic NAME [options]",
                                   "--subscribe NAME@TOPIC [options] [--] FUNCTION...",
                                   "--list [TOPIC] [options]",
                                   "--unsubscribe NAME@TOPIC | --drop TOPIC [options]", NULL},
    .uses = broadcast_uses,
    .operands = OPTIONS_ANYWHERE,
    .operand_arg = "FUNCTION",
    .operand = operands_take,
    .operand_into = &broadcast_subscribers,
};

static const struct option_verb forms[] = {
    {"topic", broadcast_topic}, {"subscribe", broadcast_subscribe},
    {"list", broadcast_list},   {"unsubscribe", broadcast_unsubscribe},
    {"drop", broadcast_drop},   {0}};

int main(int argc, char **argv)
{
    common_options_init(&broadcast_common);
    const struct option_verb *form = options_form(&command, forms, argc, argv);
    if (form)
        return form->run(argc, argv);
    options_parse(&command, argc, argv);
    broadcast_check_topicless(&command);
    return broadcast_direct();
}
