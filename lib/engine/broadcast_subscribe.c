/* broadcast_subscribe.c: `broadcast --subscribe`: a function on the events of a topic. */
#include "base/msg.h"
#include "engine/asking.h"
#include "engine/broadcast.h"
#include "engine/common_http.h"
#include "engine/common_policies.h"
#include "engine/plan_subscriber.h"
#include "engine/source_topic.h"

#include <inttypes.h>

static const struct option_use uses[] = {{&broadcast_forms, &broadcast_options},
                                         {&broadcast_subscribing, &broadcast_options},
                                         {&common_calling, &broadcast_common},
                                         {&common_policies, &broadcast_common},
                                         {&common_http, &broadcast_common},
                                         {&common_flow, &broadcast_common},
                                         {&common_events, &broadcast_common},
                                         {&common_reporting, &broadcast_common},
                                         {0}};

static const struct command command = {
    .name = "broadcast",
    .summary = "run a function on each event of a topic, for a subscriber",
    .usage = (const char *const[]){"--subscribe NAME@TOPIC [options] [--] FUNCTION...",
                                   "--subscribe NAME@TOPIC [options]", NULL},
    .notes = (const char *const[]){"Events are worked on one at a time, unless -j says otherwise.",
                                   NULL},
    .uses = uses,
    .form = "--subscribe",
    .elsewhere = broadcast_uses,
    .operands = OPTIONS_STOP_AT_WORD,
    .operand_arg = "FUNCTION",
};

static void say_taken(const struct subscription *sub)
{
    if (sub->by)
        msg_warn("%s@%s: process %ld reads for it", broadcast_options.subscriber,
                 broadcast_options.topic, (long)cell_holder_pid(sub->by));
    else
        msg_warn("%s@%s: another process reads for it", broadcast_options.subscriber,
                 broadcast_options.topic);
}

static struct subscription of_options(struct store *store)
{
    return (struct subscription){.store = store,
                                 .topic = str_of(broadcast_options.topic),
                                 .subscriber = str_of(broadcast_options.subscriber),
                                 .from = broadcast_options.from,
                                 .wait = broadcast_options.wait};
}

/* Has it been had? Else it was said why not, and *status is set. */
static bool open_subscription(struct subscription *sub, int *status)
{
    struct err err;
    int had = subscription_open(sub, &err);
    if (had > 0)
        return true;
    *status = had == 0 ? EXIT_AGAIN : err.text[0] ? engine_refuse(&err) : EXIT_FITTING;
    if (had == 0)
        say_taken(sub);
    return false;
}

/* ---- running ---- */

static int run(struct engine *engine, struct plan_subscriber *plan, const struct subscription *sub)
{
    const struct source_topic_settings settings = {.max_event = broadcast_common.max_event,
                                                   .until_empty = broadcast_options.until_empty};
    struct err err;
    struct source *source = source_topic(sub, &settings, &err);
    return source ? engine_run(engine, source, &plan->plan) : engine_refuse(&err);
}

static int init_plan(struct plan_subscriber *plan, struct engine *engine, struct fn *fn,
                     struct err *err)
{
    const struct fn_settings *calling = engine_settings(engine);
    bool alone = calling->jobs == 1 && calling->retries;
    return plan_subscriber_init(plan, engine, fn, broadcast_options.filter, alone, err);
}

/* Letters that are redriven have nothing to do with where the subscriber is. */
static int subscribe(const struct options_words *function)
{
    static struct plan_subscriber plan;
    struct err err;
    struct engine *engine = engine_new(&broadcast_common, &err);
    struct fn *fn = engine ? engine_open(engine, function->words, function->count, &err) : NULL;
    bool usable = fn && init_plan(&plan, engine, fn, &err) == 0;
    struct store *store = usable ? engine_store(engine, &err) : NULL;
    struct subscription sub = of_options(store);
    int status = EXIT_OK;
    if (!store)
        status = engine_refuse(&err);
    else if (engine_redrives(engine) || open_subscription(&sub, &status))
        status = run(engine, &plan, &sub);
    plan_subscriber_free(&plan);
    engine_free(engine);
    return status;
}

/* ---- without a function ---- */

static void closed(struct store_op *op)
{
    (void)op;
}

static int make_known(void)
{
    struct engine *engine;
    int status = EXIT_OK;
    struct store *store = asking_open(&broadcast_common, &engine, &status);
    struct subscription sub = of_options(store);
    if (store && open_subscription(&sub, &status)) {
        struct topic_close close = {.own.op.done = closed,
                                    .own.topic = sub.topic,
                                    .subscriber = sub.subscriber,
                                    .token = sub.token};
        topic_close(store, &close);
        msg_warn("%s@%s: %s, the next event is %" PRIu64, broadcast_options.subscriber,
                 broadcast_options.topic, sub.is_new ? "subscribed" : "is subscribed already",
                 sub.position + 1);
        store_flush(store);
    } else if (status == EXIT_AGAIN) { /* so it is known */
        status = EXIT_OK;
    }
    engine_free(engine);
    return status;
}

int broadcast_subscribe(int argc, char **argv)
{
    broadcast_common.calling.jobs = 1; /* a topic has an order */
    struct options_words function = options_parse(&command, argc, argv);
    const struct broadcast_options *options = &broadcast_options;
    broadcast_common.policies.hold = true; /* what a breaker refuses is not to be lost */
    if (!function.count && (options->filter || options->until_empty))
        options_fail(&command, "no function");
    return function.count ? subscribe(&function) : make_known();
}
