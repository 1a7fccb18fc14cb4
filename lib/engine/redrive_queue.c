/* redrive_queue.c: dead letters of queues go back into their queues. */
#include "engine/redrive_queue.h"

#include "base/mem.h"
#include "engine/redrive.h"
#include "state/dead.h"
#include "state/queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { REDRIVE_BYTES = STORE_GROUP_BYTES }; /* of events; then a round is full too */

struct back {
    struct redrive_queue *redrive;
    struct queue_push push;
    struct dead_op remove;
    struct buf event, queue;
    uint64_t number;
    char id[32];
};

struct redrive_queue {
    struct store *store;
    struct json_paths *paths;
    struct redrive_paths nodes;
    struct json_value *values;
    struct buf scratch;
    struct back *round;
    size_t count, bytes;
    bool failed;
    struct err err;
};

struct redrive_queue *redrive_queue_new(struct store *store)
{
    struct redrive_queue *redrive = mem_zalloc(sizeof *redrive);
    redrive->store = store;
    redrive->paths = json_paths_new();
    redrive_watch(&redrive->nodes, redrive->paths);
    redrive->values = mem_array(json_paths_count(redrive->paths), sizeof *redrive->values);
    redrive->round = mem_array(REDRIVE_QUEUE_ROUND, sizeof *redrive->round);
    return redrive;
}

void redrive_queue_free(struct redrive_queue *redrive)
{
    if (!redrive)
        return;
    for (size_t i = 0; i < REDRIVE_QUEUE_ROUND; i++) {
        buf_free(&redrive->round[i].event);
        buf_free(&redrive->round[i].queue);
    }
    free(redrive->round);
    buf_free(&redrive->scratch);
    json_paths_free(redrive->paths);
    free(redrive->values);
    free(redrive);
}

int redrive_queue_add(struct redrive_queue *redrive, uint64_t number, struct str queue,
                      struct str letter, struct err *err)
{
    struct back *back = &redrive->round[redrive->count];
    struct json_scan scan;
    struct redrive_letter read;
    if (json_scan(letter, redrive->paths, redrive->values, &scan) < 0)
        return err_set(err, ERR_INPUT, "%s at byte %zu", scan.reason, scan.at + 1);
    struct jq_input input = {letter, redrive->values, scan.depth};
    if (redrive_read(&redrive->nodes, &input, &read, err) < 0)
        return -1;
    buf_clear(&back->event);
    buf_add_str(&back->event, read.event);
    buf_clear(&back->queue);
    buf_add_str(&back->queue, queue);
    snprintf(back->id, sizeof back->id, "dead/%" PRIu64, number);
    back->redrive = redrive;
    back->number = number;
    redrive->bytes += read.event.len;
    return ++redrive->count == REDRIVE_QUEUE_ROUND || redrive->bytes >= REDRIVE_BYTES;
}

static bool went_wrong(struct redrive_queue *redrive, const struct store_op *op)
{
    if (!op->err)
        return false;
    if (!redrive->failed)
        redrive->err = *op->err;
    redrive->failed = true;
    return true;
}

static void removed(struct store_op *op)
{
    went_wrong(op->owner, op);
}

static void pushed(struct store_op *op)
{
    struct back *back = op->owner;
    if (went_wrong(back->redrive, op))
        return;
    back->remove = (struct dead_op){.op = {.done = removed, .owner = back->redrive},
                                    .verb = DEAD_REMOVE,
                                    .number = back->number};
    dead_submit(back->redrive->store, &back->remove);
}

int redrive_queue_round(struct redrive_queue *redrive, struct err *err)
{
    for (size_t i = 0; i < redrive->count; i++) {
        struct back *back = &redrive->round[i];
        back->push = (struct queue_push){
            .own.op = {.done = pushed, .owner = back},
            .own.queue = buf_str(&back->queue),
            .event = buf_str(&back->event),
            .id = str_of(back->id),
            .priority = QUEUE_PRIORITY,
        };
        queue_push(redrive->store, &back->push);
    }
    store_flush(redrive->store); /* commits until nothing is left: the removals too */
    redrive->count = redrive->bytes = 0;
    if (redrive->failed)
        *err = redrive->err;
    return redrive->failed ? -1 : 0;
}
