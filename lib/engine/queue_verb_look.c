/* queue_verb_look.c: `queue show`, `peek` and `list`: what queues hold. */
#include "base/clock.h"
#include "engine/queue_verb.h"

#include <inttypes.h>

static const struct option_use show_uses[] = {{&common_state, &queue_common}, {0}};
static const struct option_use peek_uses[] = {
    {&queue_counting, &queue_options}, {&common_state, &queue_common}, {0}};

static const struct command show_command = {
    .name = "queue show",
    .summary = "how much a queue holds",
    .usage = (const char *const[]){"NAME [options]", NULL},
    .uses = show_uses,
    .operands = OPTIONS_ANYWHERE,
};

static const struct command peek_command = {
    .name = "queue peek",
    .summary = "the events that would be leased next",
    .usage = (const char *const[]){"NAME [options]", NULL},
    .uses = peek_uses,
    .operands = OPTIONS_ANYWHERE,
};

static const struct command list_command = {
    .name = "queue list",
    .summary = "all queues, and how much they hold",
    .usage = (const char *const[]){"[options]", NULL},
    .uses = show_uses,
    .operands = OPTIONS_ANYWHERE,
};

/* ---- how much ---- */

static void add_facts(void *owner, struct str name, const struct queue_facts *facts)
{
    struct buf *text = owner;
    double age = facts->oldest ? (double)(clock_wall() - facts->oldest) / 1e9 : 0;
    buf_puts(text, "{\"queue\":");
    buf_add_json(text, name);
    buf_addf(text,
             ",\"ready\":%" PRIu64 ",\"in_flight\":%" PRIu64 ",\"delayed\":%" PRIu64
             ",\"blocked\":%" PRIu64 ",\"dead\":%" PRIu64 ",\"oldest_seconds\":",
             facts->ready, facts->in_flight, facts->delayed, facts->blocked, facts->dead);
    if (facts->oldest)
        buf_addf(text, "%.3f", age > 0 ? age : 0);
    else
        buf_puts(text, "null");
    buf_addf(text,
             ",\"in_per_second\":%.3f,\"out_per_second\":%.3f,\"pushed\":%" PRIu64
             ",\"done\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"answers\":%" PRIu64 "}\n",
             facts->in_rate, facts->out_rate, facts->pushed, facts->done, facts->dropped,
             facts->answers);
}

int queue_verb_show(int argc, char **argv)
{
    struct queue_show show = {0};
    struct asking asking;
    struct buf text = {0};
    struct engine *engine = NULL;
    const char *name;
    int status;
    queue_verb_parse(&show_command, argc, argv, &name);
    if (!asking_has_state(&queue_common, &status))
        return status ? status : queue_verb_absent(name);
    struct store *store = asking_open(&queue_common, &engine, &status);
    if (store) {
        show.own.queue = str_of(name);
        asking_expect(&asking, store, &show.own.op);
        queue_show(store, &show);
        status = EXIT_FITTING;
        if (asking_wait(&asking) == 0 && show.own.op.status == STORE_ABSENT) {
            status = queue_verb_absent(name);
        } else if (show.own.op.status == STORE_OK) {
            add_facts(&text, str_of(name), &show.facts);
            status = asking_print(engine, buf_str(&text));
        }
    }
    buf_free(&text);
    engine_free(engine);
    return status;
}

int queue_verb_list(int argc, char **argv)
{
    struct buf text = {0};
    struct queue_show list = {.each = add_facts, .owner = &text};
    struct asking asking;
    struct engine *engine = NULL;
    int status;
    queue_verb_parse(&list_command, argc, argv, NULL);
    if (!asking_has_state(&queue_common, &status))
        return status;
    struct store *store = asking_open(&queue_common, &engine, &status);
    if (store) {
        asking_expect(&asking, store, &list.own.op);
        queue_list(store, &list);
        status = asking_wait(&asking) < 0 ? EXIT_FITTING : asking_print(engine, buf_str(&text));
    }
    buf_free(&text);
    engine_free(engine);
    return status;
}

/* ---- what ---- */

static void add_message(void *owner, const struct queue_message *message, struct str event)
{
    struct buf *text = owner;
    char time[CLOCK_TEXT];
    buf_addf(text, "{\"number\":%" PRIu64 ",\"receives\":%u,\"pushed_at\":\"%s\",\"event\":",
             message->seq, message->receives, clock_format(message->pushed_at, time));
    buf_add_str(text, event);
    buf_puts(text, "}\n");
}

int queue_verb_peek(int argc, char **argv)
{
    struct buf text = {0};
    struct queue_peek peek = {.each = add_message, .owner = &text};
    struct asking asking;
    struct engine *engine = NULL;
    const char *name;
    int status;
    queue_verb_parse(&peek_command, argc, argv, &name);
    if (!asking_has_state(&queue_common, &status))
        return status ? status : queue_verb_absent(name);
    struct store *store = asking_open(&queue_common, &engine, &status);
    if (store) {
        peek.own.queue = str_of(name);
        peek.count = queue_options.count ? queue_options.count : 1;
        asking_expect(&asking, store, &peek.own.op);
        queue_peek(store, &peek);
        if (asking_wait(&asking) < 0)
            status = EXIT_FITTING;
        else if (peek.own.op.status == STORE_ABSENT)
            status = queue_verb_absent(name);
        else
            status = asking_print(engine, buf_str(&text));
    }
    buf_free(&text);
    engine_free(engine);
    return status;
}
