/* queue_verb_remove.c: `queue purge`, `drop` and `redrive`. */
#include "base/msg.h"
#include "engine/queue_verb.h"
#include "engine/redrive_queue.h"
#include "state/dead.h"

#include <inttypes.h>
#include <stdlib.h>

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
    struct asking asking;
    asking_expect(&asking, store, &remove->own.op);
    queue_remove(store, remove, verb);
    return asking_wait(&asking);
}

static int remove_events(const struct command *command, enum queue_verb verb, int argc, char **argv)
{
    struct queue_remove remove = {0}, clean = {.more = true};
    struct engine *engine = NULL;
    const char *name;
    int status;
    queue_verb_parse(command, argc, argv, &name);
    if (!asking_has_state(&queue_common, &status))
        return status ? status : queue_verb_absent(name);
    struct store *store = asking_open(&queue_common, &engine, &status);
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

struct redrive {
    struct redrive_queue *back;
    const char *name;
    uint64_t number, left; /* the last letter; how many are still to be redriven */
    bool more;             /* the round was full */
    struct err err;
    bool failed;
};

static bool add_letter(void *owner, uint64_t number, struct str letter)
{
    struct redrive *redrive = owner;
    struct err err;
    redrive->number = number;
    int full = redrive_queue_add(redrive->back, number, str_of(redrive->name), letter, &err);
    if (full < 0)
        msg_warn("letter %" PRIu64 " stays: %s", number, err.text);
    else
        redrive->left--;
    redrive->more = full > 0 || !redrive->left;
    return !redrive->more;
}

static void read_done(struct store_op *op)
{
    struct redrive *redrive = op->owner;
    if (!op->err)
        return;
    redrive->failed = true;
    redrive->err = *op->err;
}

static int redrive_round(struct redrive *redrive, struct store *store)
{
    struct dead_op list = {.op = {.done = read_done, .owner = redrive},
                           .verb = DEAD_LIST,
                           .number = redrive->number,
                           .queue = str_of(redrive->name),
                           .each = add_letter,
                           .owner = redrive};
    redrive->more = false;
    dead_submit(store, &list);
    return redrive->failed ? -1 : redrive_queue_round(redrive->back, &redrive->err);
}

static int redrive_all(struct store *store, const char *name)
{
    struct redrive redrive = {.back = redrive_queue_new(store),
                              .name = name,
                              .left = queue_options.count ? queue_options.count : UINT64_MAX};
    int status;
    do
        status = redrive_round(&redrive, store);
    while (status == 0 && redrive.more && redrive.left);
    redrive_queue_free(redrive.back);
    return status < 0 ? engine_refuse(&redrive.err) : EXIT_OK;
}

int queue_verb_redrive(int argc, char **argv)
{
    struct engine *engine = NULL;
    const char *name;
    int status;
    queue_verb_parse(&redrive_command, argc, argv, &name);
    if (!asking_has_state(&queue_common, &status))
        return status;
    struct store *store = asking_open(&queue_common, &engine, &status);
    if (store)
        status = redrive_all(store, name);
    engine_free(engine);
    return status;
}
