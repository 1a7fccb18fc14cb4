/* queue_lease.c: messages are handed out, under a lease. */
#include "state/queue_record.h"

#include "base/mem.h"
#include "state/gathered.h"
#include "sys/boot.h"

#include <stdlib.h>

/* What a lease gathers. */
struct gathering {
    struct apply *apply;
    struct queue *queue;
    struct queue_lease *asked;
    struct lease *lease;
    struct gathered events;
    unsigned swept; /* messages that were no longer fit to be handed out */
};

void queue_lease_clear(struct queue_lease *asked)
{
    for (unsigned i = 0; i < asked->got; i++)
        slice_drop(&asked->messages[i].event);
    free(asked->messages);
    free(asked->holders);
    asked->messages = NULL;
    asked->holders = NULL;
    asked->got = 0;
    asked->holder_count = 0;
}

/* Why it is not handed out; NULL: it is. */
static const char *unfit(const struct gathering *all, const struct queue_first *first,
                         const struct message *message)
{
    if (message->expires_at && message->expires_at <= all->apply->wall)
        return "expired";
    unsigned max = all->asked->max_receives;
    return max && first->state.receives >= max ? "poison" : NULL;
}

static int hand_out(struct gathering *all, const struct queue_first *first,
                    const struct message *message)
{
    struct queue_lease *asked = all->asked;
    if (gathered_add(&all->events, all->apply, message->packed) < 0)
        return -1;
    struct message_state state = first->state;
    state.receives += state.receives < QUEUE_RECEIVES_MAX;
    asked->messages[asked->got] = (struct queue_message){.seq = first->seq,
                                                         .slot = asked->got,
                                                         .receives = state.receives,
                                                         .pushed_at = message->pushed_at,
                                                         .asks = state.flags & STATE_ASKS,
                                                         .request = message->ask.request};
    all->lease->messages[asked->got] =
        (struct leased){.seq = first->seq, .slot = (uint16_t)asked->got, .state = state};
    asked->got++;
    return queue_take_first(all->apply, all->queue, first);
}

/* Nobody waits for its answer any more. */
static int drop_unwanted(struct gathering *all, const struct queue_first *first)
{
    struct queue *queue = all->queue;
    queue->numbers.dropped++;
    queue->out++;
    if (queue_take_first(all->apply, queue, first) < 0)
        return -1;
    return queue_erase(all->apply, queue, first->seq, first->state);
}

/* 1: go on; 0: nothing more is ready; -1. */
static int gather_one(struct gathering *all)
{
    struct queue_first first;
    struct message message;
    int found = queue_find_first(all->apply, all->queue, &first);
    if (found <= 0)
        return found;
    if (queue_read_message(all->apply, first.record, &message) < 0)
        return -1;
    int wanted = queue_is_wanted(all->apply, all->queue, first.seq, &message);
    if (wanted < 0)
        return -1;
    const char *reason = wanted ? unfit(all, &first, &message) : NULL;
    if (wanted && !reason)
        return hand_out(all, &first, &message) < 0 ? -1 : 1;
    all->swept++;
    int status = reason ? queue_bury_stale(all->apply, all->queue, &first, &message, reason)
                        : drop_unwanted(all, &first);
    return status < 0 ? -1 : 1;
}

static void set_events(struct gathering *all)
{
    struct queue_lease *asked = all->asked;
    gathered_seal(&all->events);
    for (unsigned i = 0; i < asked->got; i++)
        asked->messages[i].event = gathered_event(&all->events, i);
}

static void set_lease(struct gathering *all)
{
    struct queue_lease *asked = all->asked;
    struct queue_numbers *numbers = &all->queue->numbers;
    struct lease *lease = all->lease;
    lease->token = asked->token = ++numbers->token;
    lease->holder = asked->holder;
    lease->boot = numbers->boot = boot_number();
    lease->deadline = all->apply->now + asked->visibility;
    lease->count = lease->left = asked->got;
    lease->dirty = true;
    numbers->in_flight += asked->got;
    if (!numbers->soonest || (uint64_t)lease->deadline < numbers->soonest)
        numbers->soonest = (uint64_t)lease->deadline;
    all->queue->dirty = true;
}

static int gather(struct gathering *all)
{
    struct queue_lease *asked = all->asked;
    int woken = queue_wake_due(all->apply, all->queue, &asked->next_due);
    int more = woken < 0 ? -1 : 1;
    while (more > 0 && asked->got < asked->count && all->events.bytes.len < asked->bytes &&
           all->swept < QUEUE_SWEEP)
        more = gather_one(all);
    if (more < 0)
        return -1;
    asked->more = woken == QUEUE_SWEEP || all->swept == QUEUE_SWEEP;
    if (asked->got)
        set_lease(all);
    set_events(all);
    return 0;
}

int queue_apply_lease(struct apply *apply, struct queue_lease *asked)
{
    queue_lease_clear(asked);
    struct queue *queue = queue_of(apply, asked->own.queue, false);
    if (!queue) {
        asked->own.op.status = STORE_ABSENT;
        return apply->txn->failed ? -1 : 0;
    }
    if (asked->count > QUEUE_LEASE_MAX)
        asked->count = QUEUE_LEASE_MAX;
    if (queue_reap(apply, queue, asked) < 0 || (asked->look && reply_sweep(apply) < 0))
        return -1;
    uint64_t ready = queue->numbers.ready + queue->numbers.delayed;
    unsigned room = asked->count < ready ? asked->count : (unsigned)ready;
    struct gathering all = {.apply = apply, .queue = queue, .asked = asked};
    asked->messages = mem_array(room ? room : 1, sizeof *asked->messages);
    all.lease = queue_new_lease(queue, room);
    int status = gather(&all);
    asked->ready = queue->numbers.ready;
    asked->in_flight = queue->numbers.in_flight;
    asked->next_deadline = queue->numbers.in_flight ? (int64_t)queue->numbers.soonest : 0;
    gathered_free(&all.events);
    return status;
}

int queue_apply_extend(struct apply *apply, struct queue_extend *extend)
{
    struct queue *queue = queue_of(apply, extend->own.queue, false);
    struct lease *lease = queue ? queue_find_lease(apply, queue, extend->token) : NULL;
    if (!lease) {
        extend->own.op.status = STORE_LOST;
        return apply->txn->failed ? -1 : 0;
    }
    lease->deadline = apply->now + extend->visibility;
    lease->dirty = true;
    return 0;
}
