/* queue_verb_remove.c: `queue purge`, `drop` and `redrive`. */
#include "base/mem.h"
#include "base/msg.h"
#include "engine/queue_verb.h"
#include "engine/redrive.h"
#include "state/dead.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { REDRIVE_ROUND = 256 }; /* letters that are held at once */

static const struct option_use remove_uses[] = {{&common_state, &queue_common}, {0}};

static const struct command purge_command = {
    .name = "queue purge",
    .summary = "remove all events of a queue, also those in flight",
    .usage = (const char *const[]){"NAME [options]", NULL},
    .uses = remove_uses,
    .operands = OPTIONS_ANYWHERE,
};

static const struct command drop_command = {
    .name = "queue drop",
    .summary = "remove a queue with its events",
    .usage = (const char *const[]){"NAME [options]", NULL},
    .uses = remove_uses,
    .operands = OPTIONS_ANYWHERE,
};

/* ---- purge and drop ---- */

static int ask(struct store *store, struct queue_remove *remove, enum queue_verb verb)
{
    struct queue_answer answer;
    queue_answer_expect(&answer, store, &remove->own.op);
    queue_remove(store, remove, verb);
    return queue_answer_wait(&answer);
}

static int remove_events(const struct command *command, enum queue_verb verb, int argc, char **argv)
{
    struct queue_remove remove = {0}, clean = {.more = true};
    struct engine *engine = NULL;
    const char *name;
    int status;
    queue_verb_parse(command, argc, argv, &name);
    if (!queue_verb_has_state(&status))
        return status ? status : queue_verb_absent(name);
    struct store *store = queue_verb_open(&engine, &status);
    if (store) {
        remove.own.queue = str_of(name);
        int failed = ask(store, &remove, verb);
        while (!failed && clean.more)
            failed = ask(store, &clean, QUEUE_CLEAN);
        status = failed ? EXIT_FITTING : EXIT_OK;
        if (!failed && remove.own.op.status == STORE_ABSENT)
            status = queue_verb_absent(name);
    }
    engine_free(engine);
    return status;
}

int queue_verb_purge(int argc, char **argv)
{
    return remove_events(&purge_command, QUEUE_PURGE, argc, argv);
}

int queue_verb_drop(int argc, char **argv)
{
    return remove_events(&drop_command, QUEUE_DROP, argc, argv);
}

/* ---- redrive ---- */

static const struct option_use redrive_uses[] = {
    {&queue_counting, &queue_options}, {&common_state, &queue_common}, {0}};

static const struct command redrive_command = {
    .name = "queue redrive",
    .summary = "push the dead events of a queue into it again",
    .usage = (const char *const[]){"NAME [options]", NULL},
    .uses = redrive_uses,
    .operands = OPTIONS_ANYWHERE,
};

/*
 * A letter goes back into the queue and then goes away: its number is the id of the push, so that
 * who is killed in between pushes it once.
 */
struct redriven {
    struct queue_push push;
    struct dead_op remove;
    struct buf event;
    char id[32];
};

struct redrive {
    struct store *store;
    const char *name;
    struct json_paths *paths;
    struct redrive_paths nodes;
    struct json_value *values;
    struct redriven *round;
    size_t count;
    uint64_t number, left; /* the last letter; how many are still to be redriven */
    struct err err;
    bool failed;
};

static bool add_letter(void *owner, uint64_t number, struct str letter)
{
    struct redrive *redrive = owner;
    struct redriven *one = &redrive->round[redrive->count];
    struct redrive_letter found;
    struct json_scan scan;
    struct err err;
    redrive->number = number;
    if (json_scan(letter, redrive->paths, redrive->values, &scan) < 0)
        return true;
    struct jq_input input = {letter, redrive->values, scan.depth};
    if (redrive_read(&redrive->nodes, &input, &found, &err) < 0) {
        msg_warn("dead letter %" PRIu64 ": %s", number, err.text);
        return true;
    }
    buf_clear(&one->event);
    buf_add_str(&one->event, found.event);
    snprintf(one->id, sizeof one->id, "dead/%" PRIu64, number);
    one->remove = (struct dead_op){.verb = DEAD_REMOVE, .number = number};
    redrive->count++;
    return redrive->count < REDRIVE_ROUND && redrive->count < redrive->left;
}

static void ended(struct store_op *op)
{
    struct redrive *redrive = op->owner;
    if (!op->err || redrive->failed)
        return;
    redrive->failed = true;
    redrive->err = *op->err;
}

/* Push and remove what was read; both are in one commit, in this order. */
static void push_round(struct redrive *redrive)
{
    for (size_t i = 0; i < redrive->count; i++) {
        struct redriven *one = &redrive->round[i];
        one->push = (struct queue_push){
            .own.op.done = ended,
            .own.op.owner = redrive,
            .own.queue = str_of(redrive->name),
            .event = buf_str(&one->event),
            .id = str_of(one->id),
            .priority = QUEUE_PRIORITY,
        };
        one->remove.op.done = ended;
        one->remove.op.owner = redrive;
        queue_push(redrive->store, &one->push);
        dead_submit(redrive->store, &one->remove);
    }
    store_flush(redrive->store);
    redrive->left -= redrive->count;
}

static void read_round(struct redrive *redrive)
{
    struct dead_op list = {.verb = DEAD_LIST,
                           .number = redrive->number,
                           .queue = str_of(redrive->name),
                           .each = add_letter,
                           .owner = redrive};
    list.op.done = ended;
    list.op.owner = redrive;
    redrive->count = 0;
    dead_submit(redrive->store, &list);
}

static int redrive_all(struct store *store, const char *name)
{
    struct redrive redrive = {.store = store,
                              .name = name,
                              .paths = json_paths_new(),
                              .round = mem_array(REDRIVE_ROUND, sizeof *redrive.round),
                              .left = queue_options.count ? queue_options.count : UINT64_MAX};
    redrive_watch(&redrive.nodes, redrive.paths);
    redrive.values = mem_array(json_paths_count(redrive.paths), sizeof *redrive.values);
    do {
        read_round(&redrive);
        if (!redrive.failed)
            push_round(&redrive);
    } while (!redrive.failed && redrive.count && redrive.left);
    for (size_t i = 0; i < REDRIVE_ROUND; i++)
        buf_free(&redrive.round[i].event);
    free(redrive.round);
    free(redrive.values);
    json_paths_free(redrive.paths);
    if (redrive.failed)
        return engine_refuse(&redrive.err);
    return EXIT_OK;
}

int queue_verb_redrive(int argc, char **argv)
{
    struct engine *engine = NULL;
    const char *name;
    int status;
    queue_verb_parse(&redrive_command, argc, argv, &name);
    if (!queue_verb_has_state(&status))
        return status;
    struct store *store = queue_verb_open(&engine, &status);
    if (store)
        status = redrive_all(store, name);
    engine_free(engine);
    return status;
}
