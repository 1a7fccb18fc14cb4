/* queue_verb_push.c: `queue push`: events into a queue. */
#include "engine/filter.h"
#include "engine/queue_verb.h"

static const struct option_use uses[] = {{&queue_delay, &queue_options},
                                         {&queue_pushing, &queue_options},
                                         {&common_input, &queue_common},
                                         {&common_reporting, &queue_common},
                                         {0}};

static const struct command command = {
    .name = "queue push",
    .summary = "push events into a queue; they are on disk when it ends",
    .usage = (const char *const[]){"NAME [options]", NULL},
    .uses = uses,
    .operands = OPTIONS_ANYWHERE,
};

static void check_options(void)
{
    const struct push_settings *push = &queue_options.push;
    if (queue_options.chose_window && !push->dedup)
        options_fail(&command, "--dedup-window needs --dedup");
    if (queue_options.chose_full && !push->max_length)
        options_fail(&command, "--on-full needs --max-length");
}

int queue_verb_push(int argc, char **argv)
{
    static struct plan_push push;
    struct err err;
    queue_verb_parse(&command, argc, argv, &queue_options.push.queue);
    check_options();
    struct engine *engine = engine_new(&queue_common, &err);
    struct store *store = engine ? engine_store(engine, &err) : NULL;
    bool usable = store && plan_push_init(&push, engine, store, &queue_options.push, &err) == 0;
    int status = filter_run(engine, usable ? &push.plan : NULL, &err);
    plan_push_free(&push);
    engine_free(engine);
    return status;
}
