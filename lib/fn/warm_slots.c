/* warm_slots.c: the requests that a client of a warm pool has under way. */
#include "fn/warm_slots.h"

#include "base/list.h"
#include "base/mem.h"

#include <stdlib.h>

static struct loop *loop_of(const struct warm_slots *all)
{
    return all->fn->context->loop;
}

static unsigned jobs_of(const struct warm_slots *all)
{
    return all->fn->settings.jobs;
}

static unsigned count_of(const struct warm_slots *all)
{
    return jobs_of(all) + WARM_AHEAD;
}

_Static_assert(FN_MAX_JOBS + WARM_AHEAD <= 1 << WARM_SLOT_BITS, "a number does not hold a slot");

void warm_slots_init(struct warm_slots *all, struct fn *fn, void (*late)(struct loop_timer *timer))
{
    *all = (struct warm_slots){.fn = fn, .most = all->most, .workers = all->workers, .late = late};
    all->slots = mem_array(count_of(all), sizeof *all->slots);
}

void warm_slots_free(struct warm_slots *all)
{
    for (unsigned i = 0; i < all->made; i++)
        loop_timer_clear(loop_of(all), &all->slots[i].late);
    free(all->slots);
}

static uint64_t most_ahead(const struct warm_slots *all)
{
    unsigned pipeline = all->fn->settings.pipeline;
    uint64_t most = pipeline    ? (uint64_t)jobs_of(all) * (pipeline - 1)
                    : all->each ? (uint64_t)(WARM_LEAD / all->each)
                                : 0;
    return most < WARM_AHEAD ? most : WARM_AHEAD;
}

/* May one be sent ahead? With as many jobs as the pool has workers no more of them are used at once
 * by that. */
static bool has_room_ahead(const struct warm_slots *all)
{
    return all->workers && jobs_of(all) >= all->workers && all->ahead_count < most_ahead(all) &&
           all->ahead_bytes < WARM_AHEAD_BYTES;
}

static bool has_job(const struct warm_slots *all)
{
    unsigned counted = all->busy - all->ahead_count;
    return counted < jobs_of(all) && counted < all->most;
}

bool warm_slots_has_room(const struct warm_slots *all)
{
    return has_job(all) || has_room_ahead(all);
}

static struct warm_slot *fresh(struct warm_slots *all)
{
    struct warm_slot *slot = all->free;
    if (slot) {
        all->free = slot->next;
        return slot;
    }
    slot = &all->slots[all->made++];
    slot->all = all;
    slot->late.fire = all->late;
    return slot;
}

struct warm_slot *warm_slots_take(struct warm_slots *all, struct fn_call *call)
{
    struct warm_slot *slot = fresh(all);
    slot->bytes = call->event.len;
    slot->ahead = !has_job(all);
    if (slot->ahead) {
        LIST_APPEND(&all->ahead, slot);
        all->ahead_count++;
        all->ahead_bytes += slot->bytes;
    }
    if (!all->busy++)
        all->last_heard = loop_now(loop_of(all));
    slot->call = call;
    slot->id = ++all->asked << WARM_SLOT_BITS | (uint64_t)(slot - all->slots);
    return slot;
}

static void leave_ahead(struct warm_slot *slot)
{
    struct warm_slots *all = slot->all;
    LIST_REMOVE(&all->ahead, slot);
    all->ahead_count--;
    all->ahead_bytes -= slot->bytes;
    slot->ahead = false;
}

struct fn_call *warm_slots_give_back(struct warm_slot *slot)
{
    struct warm_slots *all = slot->all;
    struct fn_call *call = slot->call;
    if (slot->late.place)
        loop_timer_clear(loop_of(all), &slot->late);
    if (slot->ahead)
        leave_ahead(slot);
    slot->call = NULL;
    slot->next = all->free;
    all->free = slot;
    all->busy--;
    return call;
}

struct warm_slot *warm_slots_find(struct warm_slots *all, uint64_t id)
{
    uint64_t place = id & ((1 << WARM_SLOT_BITS) - 1);
    if (place >= all->made)
        return NULL;
    struct warm_slot *slot = &all->slots[place];
    return slot->call && slot->id == id ? slot : NULL;
}

struct warm_slot *warm_slots_advance(struct warm_slots *all)
{
    struct warm_slot *slot = all->ahead.first;
    if (!slot || !has_job(all))
        return NULL;
    leave_ahead(slot);
    return slot;
}

void warm_slots_heard(struct warm_slots *all, unsigned answers)
{
    enum { SHARE = 4 }; /* of the newest in the mean */
    int64_t now = loop_now(loop_of(all));
    int64_t each = (now - all->last_heard) / answers;
    all->last_heard = now;
    all->each = all->each ? all->each + (each - all->each) / SHARE : each;
    if (!all->each)
        all->each = 1;
}
