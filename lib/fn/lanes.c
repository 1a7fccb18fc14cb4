/* lanes.c: calls that wait in order, in a lane for each key. */
#include "fn/lanes.h"

#include "base/list.h"
#include "base/mem.h"

#include <stdlib.h>

static size_t bucket_count(const struct lanes *lanes)
{
    return lanes->keyed ? LANES_BUCKETS : 1;
}

void lanes_init(struct lanes *lanes, struct loop *loop, bool keyed, unsigned limit,
                void (*fire)(struct loop_timer *timer))
{
    *lanes = (struct lanes){.loop = loop, .fire = fire, .keyed = keyed, .limit = limit};
    lanes->buckets = mem_array(bucket_count(lanes), sizeof *lanes->buckets);
}

static struct lane **bucket_of(struct lanes *lanes, uint64_t key)
{
    return &lanes->buckets[key % bucket_count(lanes)];
}

struct lane *lanes_find(struct lanes *lanes, uint64_t key)
{
    if (!lanes->keyed)
        key = 0;
    struct lane **bucket = bucket_of(lanes, key);
    for (struct lane *lane = *bucket; lane; lane = lane->next_of_bucket) {
        if (lane->key == key)
            return lane;
    }
    struct lane *lane = mem_zalloc(sizeof *lane);
    lane->lanes = lanes;
    lane->key = key;
    lane->timer.fire = lanes->fire;
    lane->next_of_bucket = *bucket;
    *bucket = lane;
    return lane;
}

static void unlist(struct lane *lane)
{
    struct lanes *lanes = lane->lanes;
    if (lane->due)
        LIST_REMOVE(&lanes->due, lane);
    if (lane->starved)
        LIST_REMOVE(&lanes->starved, lane);
    lane->due = lane->starved = false;
}

static void forget(struct lane *lane)
{
    struct lane **link = bucket_of(lane->lanes, lane->key);
    while (*link != lane)
        link = &(*link)->next_of_bucket;
    *link = lane->next_of_bucket;
    unlist(lane);
    loop_timer_clear(lane->lanes->loop, &lane->timer);
    free(lane);
}

void lanes_free(struct lanes *lanes)
{
    for (size_t i = 0; i < bucket_count(lanes); i++) {
        while (lanes->buckets[i])
            forget(lanes->buckets[i]);
    }
    free(lanes->buckets);
}

void lanes_make_all_due(struct lanes *lanes)
{
    for (size_t i = 0; i < bucket_count(lanes); i++) {
        for (struct lane *lane = lanes->buckets[i]; lane; lane = lane->next_of_bucket)
            lane_make_due(lane);
    }
}

struct lane *lanes_next_due(struct lanes *lanes)
{
    struct lane *lane = lanes->due.first;
    if (lane)
        unlist(lane);
    return lane;
}

struct fn_call *lanes_pull(struct lanes *lanes)
{
    for (size_t i = 0; lanes->queued; i++) {
        for (struct lane *lane = lanes->buckets[i]; lane; lane = lane->next_of_bucket) {
            struct fn_call *call = lane->calls.first;
            if (!call)
                continue;
            lane_remove(lane, call);
            return call;
        }
    }
    return NULL;
}

void lane_append(struct lane *lane, struct fn_call *call)
{
    struct lanes *lanes = lane->lanes;
    fn_list_append(&lane->calls, call);
    if (!lane->fresh)
        lane->fresh = call;
    lanes->queued++;
    lanes->full += lane->calls.count == lanes->limit;
}

void lane_remove(struct lane *lane, struct fn_call *call)
{
    struct lanes *lanes = lane->lanes;
    lanes->full -= lane->calls.count == lanes->limit;
    lanes->queued--;
    if (lane->fresh == call)
        lane->fresh = call->next;
    fn_list_remove(&lane->calls, call);
}

void lane_make_due(struct lane *lane)
{
    if (lane->due)
        return;
    unlist(lane);
    lane->due = true;
    LIST_APPEND(&lane->lanes->due, lane);
}

void lane_starve(struct lane *lane)
{
    if (lane->due || lane->starved)
        return;
    lane->starved = true;
    LIST_APPEND(&lane->lanes->starved, lane);
}

void lane_forget_if_idle(struct lane *lane)
{
    if (lane->lanes->keyed && !lane->due && !lane->calls.count && !lane->within)
        forget(lane);
}
