/* shared_rate.c: a rate shared by name between processes: its sum is held. */
#include "state/shared_rate.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct pace {
    struct gcra bucket; /* of the name */
    struct aimd level;
};

struct key_place {
    uint64_t key; /* 0: unused */
    struct gcra bucket;
};

struct key_table {
    struct key_place places[RATE_KEYS];
};

struct shared_rate {
    struct home *home;
    char name[HOME_NAME];
    size_t name_len;
    struct cell *cell;
    struct cell *keys; /* NULL until there is a key */
};

/* Debts are of times that are no more: forgotten. The level is a finding, and kept. */
static void rebase_pace(void *payload, const void *context)
{
    (void)context;
    struct pace *pace = payload;
    pace->bucket = (struct gcra){0};
    pace->level = (struct aimd){.rate = pace->level.rate};
}

static void forget_keys(void *payload, const void *context)
{
    (void)context;
    memset(payload, 0, sizeof(struct key_table));
}

/* What a bucket holds is bounded by each look at it: a half-written one needs no repair. */
static const struct cell_kind rate_kind = {
    .name = "rate",
    .layout = 1,
    .size = sizeof(struct pace),
    .rebase = rebase_pace,
};

static const struct cell_kind keys_kind = {
    .name = "ratekeys",
    .layout = 1,
    .size = sizeof(struct key_table),
    .rebase = forget_keys,
};

struct shared_rate *shared_rate_open(struct home *home, struct str name, bool *reset,
                                     struct err *err)
{
    struct cell *cell = cell_open(home, &rate_kind, name, NULL, reset, err);
    if (!cell)
        return NULL;
    struct shared_rate *shared = mem_zalloc(sizeof *shared);
    shared->home = home;
    shared->cell = cell;
    shared->name_len = name.len;
    if (name.len)
        memcpy(shared->name, name.data, name.len);
    return shared;
}

void shared_rate_free(struct shared_rate *shared)
{
    if (!shared)
        return;
    cell_free(shared->keys);
    cell_free(shared->cell);
    free(shared);
}

/* ---- buckets ---- */

static struct cell *cell_of(struct shared_rate *shared, uint64_t key)
{
    struct err err;
    struct str name = {shared->name, shared->name_len};
    if (!key)
        return shared->cell;
    if (!shared->keys)
        shared->keys = cell_open(shared->home, &keys_kind, name, NULL, NULL, &err);
    if (!shared->keys) /* the disk is full: each process holds its own to the rate */
        shared->keys = cell_open(NULL, &keys_kind, name, NULL, NULL, &err);
    return shared->keys;
}

/* The key's bucket; else a place that owes nothing, which becomes it if `claim`; else the one that
 * owes least, shared. */
static struct gcra *find_bucket(struct key_table *table, uint64_t key, int64_t now, bool claim,
                                struct gcra *fresh)
{
    struct key_place *ways = &table->places[key % (RATE_KEYS / RATE_WAYS) * RATE_WAYS];
    struct key_place *least = ways;
    for (int i = 0; i < RATE_WAYS; i++) {
        if (ways[i].key == key)
            return &ways[i].bucket;
        if (ways[i].bucket.tat < least->bucket.tat)
            least = &ways[i];
    }
    if (least->key && least->bucket.tat > now)
        return &least->bucket;
    if (!claim)
        return fresh;
    *least = (struct key_place){.key = key};
    return &least->bucket;
}

static struct gcra *lock_bucket(struct shared_rate *shared, uint64_t key, int64_t now, bool claim,
                                struct gcra *fresh, struct cell **cell)
{
    *cell = cell_of(shared, key);
    void *payload = cell_lock(*cell);
    if (!key)
        return &((struct pace *)payload)->bucket;
    return find_bucket(payload, key, now, claim, fresh);
}

struct gcra_answer shared_rate_take(struct shared_rate *shared, uint64_t key,
                                    const struct gcra_limit *limit, int64_t now, uint64_t tokens)
{
    struct cell *cell;
    struct gcra *bucket = lock_bucket(shared, key, now, true, NULL, &cell);
    struct gcra_answer answer = gcra_take(bucket, limit, now, tokens);
    cell_unlock(cell);
    return answer;
}

struct gcra_answer shared_rate_look(struct shared_rate *shared, uint64_t key,
                                    const struct gcra_limit *limit, int64_t now, uint64_t tokens)
{
    struct cell *cell;
    struct gcra fresh = {0};
    struct gcra *bucket = lock_bucket(shared, key, now, false, &fresh, &cell);
    struct gcra_answer answer = gcra_look(bucket, limit, now, tokens);
    cell_unlock(cell);
    return answer;
}

bool shared_rate_reserve(struct shared_rate *shared, uint64_t key, const struct gcra_limit *limit,
                         int64_t now, uint64_t tokens, int64_t ahead, int64_t *at)
{
    struct cell *cell;
    struct gcra *bucket = lock_bucket(shared, key, now, true, NULL, &cell);
    bool granted = gcra_reserve(bucket, limit, now, tokens, ahead, at);
    cell_unlock(cell);
    return granted;
}

/* ---- the adaptive rate ---- */

double shared_rate_level(struct shared_rate *shared, const struct aimd_bounds *bounds, int64_t now)
{
    struct pace *pace = cell_lock(shared->cell);
    double rate = aimd_rate(&pace->level, bounds, now);
    cell_unlock(shared->cell);
    return rate;
}

void shared_rate_success(struct shared_rate *shared, const struct aimd_bounds *bounds, int64_t now)
{
    struct pace *pace = cell_lock(shared->cell);
    aimd_success(&pace->level, bounds, now);
    cell_unlock(shared->cell);
}

void shared_rate_failure(struct shared_rate *shared, const struct aimd_bounds *bounds, int64_t now,
                         int64_t retry_after)
{
    struct pace *pace = cell_lock(shared->cell);
    if (retry_after > 0)
        aimd_retry_after(&pace->level, bounds, now, retry_after);
    else
        aimd_failure(&pace->level, bounds, now);
    cell_unlock(shared->cell);
}

int shared_rate_list(struct home *home, void (*each)(void *owner, struct str name), void *owner,
                     struct err *err)
{
    return cell_list(home, &rate_kind, each, owner, err);
}
