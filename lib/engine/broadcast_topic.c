/* broadcast_topic.c: `broadcast --topic`: publish events. */
#include "engine/asking.h"
#include "engine/broadcast.h"
#include "engine/filter.h"
#include "engine/plan_publish.h"

static const struct option_use uses[] = {{&broadcast_forms, &broadcast_options},
                                         {&broadcast_publishing, &broadcast_options},
                                         {&common_input, &broadcast_common},
                                         {&common_reporting, &broadcast_common},
                                         {0}};

static const struct command command = {
    .name = "broadcast",
    .summary = "publish events to a topic; they are on disk when it ends",
    .usage = (const char *const[]){"--topic NAME [options]", NULL},
    .uses = uses,
    .form = "--topic",
    .elsewhere = broadcast_uses,
    .operands = OPTIONS_ANYWHERE,
};

/* Also without an event: that is how what a topic keeps is changed. */
static int set_keep(struct store *store)
{
    struct topic_keep keep = {.own.topic = str_of(broadcast_options.topic),
                              .age = broadcast_options.keep_age,
                              .bytes = broadcast_options.keep_bytes};
    struct asking asking;
    asking_expect(&asking, store, &keep.own.op);
    topic_keep(store, &keep);
    return asking_wait(&asking);
}

static int publish(struct engine *engine, struct store *store)
{
    static struct plan_publish plan;
    struct err err;
    plan_publish_init(&plan, engine, store, broadcast_options.topic, broadcast_options.receipts);
    return filter_run(engine, &plan.plan, &err);
}

int broadcast_topic(int argc, char **argv)
{
    struct engine *engine;
    int status;
    options_parse(&command, argc, argv);
    struct store *store = asking_open(&broadcast_common, &engine, &status);
    if (store && broadcast_options.keeps && set_keep(store) < 0)
        status = EXIT_FITTING;
    else if (store)
        status = publish(engine, store);
    engine_free(engine);
    return status;
}
