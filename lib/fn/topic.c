/*
 * topic.c: the function that publishes to a durable topic.
 *
 * "topic:NAME" keeps each event for all subscribers of that topic, as `broadcast --topic` does.
 */
#include "fn/submit.h"

static void publish(struct store *store, struct submission *submission, struct str name,
                    struct str event)
{
    submission->as.publish = (struct topic_publish){
        .own.op.done = submit_done,
        .own.topic = name,
        .event = event,
    };
    topic_publish(store, &submission->as.publish);
}

static const struct submit_way way = {.what = "topics", .verb = "publish to", .send = publish};

static int open_topic(struct fn *fn, struct err *err)
{
    return submit_open(fn, &way, err);
}

const struct fn_kind topic_kind = {
    .scheme = "topic:",
    .sink = true,
    .silent = true,
    .open = open_topic,
    .has_slot = submit_has_slot,
    .begin = submit_begin,
    .put = submit_put,
    .cancel = submit_cancel,
    .close = submit_close,
    .free = submit_free,
};
