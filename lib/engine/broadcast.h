/*
 * broadcast.h: what `broadcast` does, form by form: a command line of its own each.
 *
 * Without an option that names a form the operands are functions, and the subscribers. --topic
 * publishes, --subscribe calls a function on what was published, --list, --unsubscribe and
 * --drop are for who looks after topics. Each form has a struct command of its own with the groups
 * of options that it heeds; broadcast_uses has all of them, for the page.
 */
#ifndef FIT_ENGINE_BROADCAST_H
#define FIT_ENGINE_BROADCAST_H

#include "engine/common_options.h"
#include "engine/operands.h"
#include "engine/engine.h"
#include "state/topic.h"

struct broadcast_options {
    const char *form; /* the option that chose it, "--topic"; NULL: none */
    const char *topic;
    char *subscriber; /* --subscribe, --unsubscribe; kept for the process */
    /* Publishing. */
    bool keeps, receipts;
    int64_t keep_age;    /* nanoseconds; 0: any */
    uint64_t keep_bytes; /* 0: any number */
    /* Subscribing. */
    const char *filter;
    bool chose_from;
    uint64_t from; /* as topic_open's */
    bool until_empty;
    int64_t wait;
    const char *misplaced; /* the last option of a topic's form ("--keep"); NULL: none */
};

extern struct common_options broadcast_common;
extern struct broadcast_options broadcast_options;

extern const struct option_group broadcast_forms;
extern const struct option_group broadcast_publishing;
extern const struct option_group broadcast_subscribing;
extern const struct option_use broadcast_uses[];

/* The direct form: its options, its operands, and its run. */
extern const struct option_group broadcast_giving;
extern struct operands broadcast_subscribers;
int broadcast_direct(void);

/* Before it: no option of a topic may have been given. Says so and exits 2. */
void broadcast_check_topicless(const struct command *command);

/* Say that there is no such topic, or subscriber, and exit so. */
int broadcast_absent(void);

int broadcast_topic(int argc, char **argv);
int broadcast_subscribe(int argc, char **argv);
int broadcast_list(int argc, char **argv);
int broadcast_unsubscribe(int argc, char **argv);
int broadcast_drop(int argc, char **argv);

#endif
