/*
 * source_topic.h: the events of a durable topic, for one subscriber.
 *
 * They are read ahead, and handed out in the order of their publication. What becomes of an event
 * becomes of its place:
 *
 *     done, dropped      acknowledged, once results are written
 *     dead               buried: the letter is kept by the store, with the acknowledgement in one
 *                        commit; with --dead it is written there first
 *     interrupted        nothing: the next process that reads for the subscriber begins with it
 *
 * The engine ends when all of these are committed, and the subscription is given back.
 */
#ifndef FIT_ENGINE_SOURCE_TOPIC_H
#define FIT_ENGINE_SOURCE_TOPIC_H

#include "engine/source.h"
#include "engine/subscription.h"

enum {
    SOURCE_TOPIC_EVENTS = 1024,       /* of one read; the next follows when they are handed out */
    SOURCE_TOPIC_BYTES = 1024 * 1024, /* of one read; a larger event comes alone */
};

struct source_topic_settings {
    size_t max_event;
    bool until_empty; /* end when all is handed out that was published */
};

/* The subscription and settings are copied; the store outlives it. NULL with err. */
struct source *source_topic(const struct subscription *subscription,
                            const struct source_topic_settings *settings, struct err *err);

#endif
