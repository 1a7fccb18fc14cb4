/* broadcast_list.c: `broadcast --list`: topics, and how far their subscribers are. */
#include "base/clock.h"
#include "base/msg.h"
#include "engine/asking.h"
#include "engine/broadcast.h"

#include <inttypes.h>

static const struct option_use uses[] = {
    {&broadcast_forms, &broadcast_options}, {&common_state, &broadcast_common}, {0}};

static int take_topic(void *into, const char *word, struct err *err)
{
    struct broadcast_options *options = into;
    if (options->topic)
        return err_set(err, ERR_USAGE, "a second topic");
    options->topic = word;
    return home_check_name(word, err);
}

static const struct command command = {
    .name = "broadcast",
    .summary = "topics, and how far their subscribers are",
    .usage = (const char *const[]){"--list [TOPIC] [options]", NULL},
    .uses = uses,
    .form = "--list",
    .elsewhere = broadcast_uses,
    .operands = OPTIONS_ANYWHERE,
    .operand_arg = "TOPIC",
    .operand = take_topic,
    .operand_into = &broadcast_options,
};

/* ---- lines ---- */

/* Since a time of day; null where there was none. */
static void add_age(struct buf *text, const char *name, int64_t wall)
{
    int64_t age = clock_wall() - wall;
    if (wall)
        buf_addf(text, ",\"%s\":%.3f", name, age > 0 ? (double)age / 1e9 : 0);
    else
        buf_addf(text, ",\"%s\":null", name);
}

static void add_limit(struct buf *text, const char *name, double limit)
{
    if (limit > 0)
        buf_addf(text, ",\"%s\":%.15g", name, limit);
    else
        buf_addf(text, ",\"%s\":null", name);
}

static void add_topic(void *owner, struct str topic, const struct topic_facts *facts)
{
    struct buf *text = owner;
    if (broadcast_options.topic) /* its subscribers are asked for */
        return;
    uint64_t events = facts->first > facts->last ? 0 : facts->last - facts->first + 1;
    buf_puts(text, "{\"topic\":");
    buf_add_json(text, topic);
    buf_addf(text, ",\"events\":%" PRIu64 ",\"bytes\":%" PRIu64, events, facts->bytes);
    buf_addf(text, ",\"first\":%" PRIu64 ",\"last\":%" PRIu64, facts->first, facts->last);
    add_age(text, "oldest_seconds", facts->oldest);
    add_limit(text, "keep_seconds", (double)facts->age / 1e9);
    add_limit(text, "keep_bytes", (double)facts->most);
    buf_addf(text, ",\"subscribers\":%" PRIu64 ",\"in_per_second\":%.3f}\n", facts->subscribers,
             facts->rate);
}

static void add_reader(void *owner, const struct reader_facts *facts)
{
    struct buf *text = owner;
    char time[CLOCK_TEXT];
    buf_puts(text, "{\"topic\":");
    buf_add_json(text, str_of(broadcast_options.topic));
    buf_puts(text, ",\"subscriber\":");
    buf_add_json(text, facts->subscriber);
    buf_addf(text, ",\"position\":%" PRIu64 ",\"lag\":%" PRIu64, facts->position, facts->lag);
    add_age(text, "oldest_seconds", facts->oldest_undone);
    buf_addf(text, ",\"done\":%" PRIu64 ",\"dead\":%" PRIu64 ",\"missed\":%" PRIu64, facts->done,
             facts->dead, facts->missed);
    if (facts->last_at)
        buf_addf(text, ",\"last_at\":\"%s\"", clock_format(facts->last_at, time));
    else
        buf_puts(text, ",\"last_at\":null");
    if (facts->holder)
        buf_addf(text, ",\"pid\":%ld}\n", (long)cell_holder_pid(facts->holder));
    else
        buf_puts(text, ",\"pid\":null}\n");
}

/* ---- asking ---- */

static int list(struct engine *engine, struct store *store)
{
    struct buf text = {0};
    struct asking asking;
    const char *topic = broadcast_options.topic;
    struct topic_list asked = {.own.topic = topic ? str_of(topic) : (struct str){0},
                               .each_topic = add_topic,
                               .each = add_reader,
                               .owner = &text};
    asking_expect(&asking, store, &asked.own.op);
    topic_list(store, &asked);
    int status = EXIT_FITTING;
    if (asking_wait(&asking) == 0 && asked.own.op.status == STORE_ABSENT)
        status = broadcast_absent();
    else if (asked.own.op.status == STORE_OK)
        status = asking_print(engine, buf_str(&text));
    buf_free(&text);
    return status;
}

int broadcast_list(int argc, char **argv)
{
    struct engine *engine;
    int status;
    options_parse(&command, argc, argv);
    if (!asking_has_state(&broadcast_common, &status))
        return status || !broadcast_options.topic ? status : broadcast_absent();
    struct store *store = asking_open(&broadcast_common, &engine, &status);
    if (store)
        status = list(engine, store);
    engine_free(engine);
    return status;
}
