/* fanin: collect parts into one result; merge streams. */
#include "engine/fanin_form.h"
#include "engine/options_form.h"

static const struct command command = {
    .name = "fanin",
    .summary = "collect parts into one result; merge streams",
    .purpose = "Composition",
    .usage = (const char *const[]){"[options] [FILE|FIFO...]",
                                   "--merge [--sorted JQ] [--tag NAME] [FILE|FIFO...]",
                                   "--show [--name NAME]", NULL},
    .uses = fanin_uses,
    .operands = OPTIONS_ANYWHERE,
    .operand_arg = "FILE",
    .operand = operands_take,
    .operand_into = &fanin_options.inputs,
};

static const struct option_verb forms[] = {
    {"merge", fanin_form_merge}, {"show", fanin_form_show}, {0}};

int main(int argc, char **argv)
{
    common_options_init(&fanin_common);
    const struct option_verb *form = options_form(&command, forms, argc, argv);
    return form ? form->run(argc, argv) : fanin_form_collect(&command, argc, argv);
}
