/* broadcast_remove.c: `broadcast --unsubscribe` and `--drop`. */
#include "engine/asking.h"
#include "engine/broadcast.h"

static const struct option_use uses[] = {
    {&broadcast_forms, &broadcast_options}, {&common_state, &broadcast_common}, {0}};

static const struct command unsubscribe_command = {
    .name = "broadcast",
    .summary = "forget a subscriber and its position",
    .usage = (const char *const[]){"--unsubscribe NAME@TOPIC [options]", NULL},
    .uses = uses,
    .form = "--unsubscribe",
    .elsewhere = broadcast_uses,
    .operands = OPTIONS_ANYWHERE,
};

static const struct command drop_command = {
    .name = "broadcast",
    .summary = "remove a topic, its events and its subscribers",
    .usage = (const char *const[]){"--drop TOPIC [options]", NULL},
    .uses = uses,
    .form = "--drop",
    .elsewhere = broadcast_uses,
    .operands = OPTIONS_ANYWHERE,
};

static int ask(struct store *store, struct topic_remove *remove, enum topic_verb verb)
{
    struct asking asking;
    asking_expect(&asking, store, &remove->own.op);
    topic_remove(store, remove, verb);
    return asking_wait(&asking);
}

static int remove_from(struct store *store, enum topic_verb verb)
{
    struct topic_remove remove = {.own.topic = str_of(broadcast_options.topic)};
    struct topic_remove clean = {.more = verb == TOPIC_DROP};
    if (verb == TOPIC_LEAVE)
        remove.subscriber = str_of(broadcast_options.subscriber);
    int failed = ask(store, &remove, verb);
    while (!failed && clean.more)
        failed = ask(store, &clean, TOPIC_CLEAN);
    if (failed)
        return EXIT_FITTING;
    return remove.own.op.status == STORE_ABSENT ? broadcast_absent() : EXIT_OK;
}

static int run(const struct command *command, enum topic_verb verb, int argc, char **argv)
{
    struct engine *engine;
    int status;
    options_parse(command, argc, argv);
    if (!asking_has_state(&broadcast_common, &status))
        return status ? status : broadcast_absent();
    struct store *store = asking_open(&broadcast_common, &engine, &status);
    if (store)
        status = remove_from(store, verb);
    engine_free(engine);
    return status;
}

int broadcast_unsubscribe(int argc, char **argv)
{
    return run(&unsubscribe_command, TOPIC_LEAVE, argc, argv);
}

int broadcast_drop(int argc, char **argv)
{
    return run(&drop_command, TOPIC_DROP, argc, argv);
}
