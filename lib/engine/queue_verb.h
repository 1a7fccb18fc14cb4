/*
 * queue_verb.h: what `queue` does, verb by verb: a command line of its own each.
 *
 * The verb's words are "VERB NAME options...": argv[0] is the verb. Every verb has a struct command
 * of its own, named "queue push", with the groups of options that it heeds; cmd/queue.c lists all
 * groups for the page.
 */
#ifndef FIT_ENGINE_QUEUE_VERB_H
#define FIT_ENGINE_QUEUE_VERB_H

#include "engine/asking.h"
#include "engine/common_options.h"
#include "engine/engine.h"
#include "engine/plan_push.h"
#include "state/queue.h"

/* Durations are nanoseconds. */
struct queue_options {
    struct push_settings push;
    bool chose_full, chose_window;
    int64_t visibility;
    uint64_t max_receives;
    bool until_empty;
    int64_t wait; /* -1: not given */
    uint64_t count;
    struct buf answer; /* of ack: a line; empty: none was given */
};

extern struct common_options queue_common;
extern struct queue_options queue_options;

extern const struct option_group queue_pushing;   /* of push */
extern const struct option_group queue_delay;     /* of push and nack */
extern const struct option_group queue_leasing;   /* of work and pull: --visibility, ... */
extern const struct option_group queue_emptying;  /* of work: --until-empty */
extern const struct option_group queue_counting;  /* of pull, peek and redrive: --count */
extern const struct option_group queue_answering; /* of ack: --answer */

/*
 * Read the verb's command line: the queue's name, then its options. Says what is wrong and exits 2.
 * name NULL: the verb takes none. Returns the words behind the options.
 */
struct options_words queue_verb_parse(const struct command *command, int argc, char **argv,
                                      const char **name);

/* Say that there is none, and exit so. */
int queue_verb_absent(const char *name);

int queue_verb_push(int argc, char **argv);
int queue_verb_work(int argc, char **argv);
int queue_verb_pull(int argc, char **argv);
int queue_verb_ack(int argc, char **argv);
int queue_verb_nack(int argc, char **argv);
int queue_verb_show(int argc, char **argv);
int queue_verb_peek(int argc, char **argv);
int queue_verb_list(int argc, char **argv);
int queue_verb_redrive(int argc, char **argv);
int queue_verb_purge(int argc, char **argv);
int queue_verb_drop(int argc, char **argv);

#endif
