/* fanin_form_merge.c: `fanin --merge`: inputs become one stream. */
#include "engine/fanin_form.h"
#include "engine/plan_merge.h"
#include "engine/source_merge.h"
#include "engine/source_sorted.h"

enum id { ID_MERGE = 1, ID_SORTED, ID_TAG };

static const struct option_entry entries[] = {
    {"merge", 0, ID_MERGE, NULL, "no groups: merge the inputs into one stream",
     "Events are passed on byte for byte, as they come."},
    {"sorted", 0, ID_SORTED, "JQ", "the inputs are sorted by JQ, and so is the output",
     "In jq's order; equal ones in the order of the inputs. See Merging."},
    {"tag", 0, ID_TAG, "NAME", "add the event's input as the member NAME",
     "The path as it was given, \"-\" for standard input. See Merging."},
    {0},
};

static int check_tag(const char *tag, struct err *err)
{
    if (!*tag)
        return err_set(err, ERR_USAGE, "empty");
    if (!str_is_utf8(str_of(tag)))
        return err_set(err, ERR_USAGE, "not UTF-8");
    if (str_eq(str_of(tag), STR(PLAN_MERGE_VALUE)))
        return err_set(err, ERR_USAGE, "it holds events that are no objects");
    return 0;
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    struct fanin_options *options = into;
    switch ((enum id)id) {
    case ID_MERGE:
        options->form = "--merge";
        return 0;
    case ID_SORTED:
        options->sorted = arg;
        return 0;
    case ID_TAG:
        options->tag = arg;
        return check_tag(arg, err);
    }
    return 0;
}

const struct option_group fanin_merging = {"Merging", entries, set};

static const struct option_use uses[] = {{&fanin_merging, &fanin_options},
                                         {&common_input, &fanin_common},
                                         {&common_reporting, &fanin_common},
                                         {0}};

static const struct command command = {
    .name = "fanin",
    .summary = "merge inputs into one stream",
    .usage = (const char *const[]){"--merge [options] [FILE|FIFO...]", NULL},
    .uses = uses,
    .form = "--merge",
    .elsewhere = fanin_uses,
    .operands = OPTIONS_ANYWHERE,
    .operand_arg = "FILE",
    .operand = operands_take,
    .operand_into = &fanin_options.inputs,
};

/* Letters that are redriven come in place of the inputs. */
static struct source *open_source(struct engine *engine, struct sort_key *key, struct err *err)
{
    struct loop *loop = engine_loop(engine);
    size_t count = engine_redrives(engine) ? 0 : fanin_options.inputs.count;
    size_t max_event = fanin_common.max_event;
    if (key)
        return source_sorted_open(loop, fanin_options.inputs.words, count, max_event, key, err);
    return source_merge_open(loop, fanin_options.inputs.words, count, max_event, err);
}

int fanin_form_merge(int argc, char **argv)
{
    static struct plan_merge plan;
    struct sort_key *key = NULL;
    struct source *source = NULL;
    struct err err;
    options_parse(&command, argc, argv);
    struct engine *engine = engine_new(&fanin_common, &err);
    if (engine && fanin_options.sorted)
        key = sort_key_new(fanin_options.sorted, &err);
    if (engine && (key || !fanin_options.sorted))
        source = open_source(engine, key, &err);
    plan_merge_init(&plan, fanin_options.tag, key);
    int status = source ? engine_run(engine, source, &plan.plan) : engine_refuse(&err);
    plan_merge_free(&plan);
    sort_key_free(key);
    engine_free(engine);
    return status;
}
