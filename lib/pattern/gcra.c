/* gcra.c: the generic cell rate algorithm: no more than this rate, with a bounded burst. */
#include "pattern/gcra.h"

/* A length of time in 1 / 2^64 of a nanosecond. FOREVER is also all that is longer. */
typedef unsigned __int128 span;
#define FOREVER (~(span)0)

static span span_add(span a, span b)
{
    return a < FOREVER - b ? a + b : FOREVER;
}

/* What tokens cost, rounded down: below 2^-64 ns less than n*T. */
static span cost(const struct gcra_limit *limit, uint64_t tokens)
{
    span total = (span)tokens * (uint64_t)limit->period;
    span nanoseconds = total / limit->count;
    span rest = total % limit->count;
    if (nanoseconds > UINT64_MAX)
        return FOREVER;
    return (nanoseconds << 64) + (rest << 64) / limit->count;
}

/* Whole nanoseconds, not less than the span. */
static int64_t nanoseconds(span time)
{
    uint64_t whole = (uint64_t)(time >> 64);
    if (whole >= INT64_MAX)
        return INT64_MAX;
    return (int64_t)whole + ((uint64_t)time != 0);
}

static int64_t later(int64_t now, int64_t wait)
{
    int64_t then;
    return __builtin_add_overflow(now, wait, &then) ? INT64_MAX : then;
}

/* A bucket as it stands now. */
struct level {
    span debt; /* FOREVER: full for good */
    int64_t reserved;
};

static struct level level_of(const struct gcra *bucket, const struct gcra_limit *limit, int64_t now)
{
    if (bucket->tat == INT64_MAX)
        return (struct level){FOREVER, bucket->reserved};
    if (bucket->tat < now)
        return (struct level){0};
    uint64_t whole = (uint64_t)bucket->tat - (uint64_t)now;
    span debt = ((span)whole << 64) + bucket->fraction;
    span full = cost(limit, limit->burst);
    if (debt <= full)
        return (struct level){debt, 0};
    span most = span_add(full, (span)(uint64_t)bucket->reserved << 64);
    bool stale = debt > span_add(most, (span)GCRA_DISORDER << 64);
    return (struct level){stale ? most : debt, bucket->reserved};
}

static void level_store(struct gcra *bucket, const struct level *level, int64_t now)
{
    int64_t whole = level->debt >> 64 < INT64_MAX ? (int64_t)(level->debt >> 64) : INT64_MAX;
    bucket->tat = later(now, whole);
    bucket->fraction = bucket->tat < INT64_MAX ? (uint64_t)level->debt : 0;
    bucket->reserved = level->reserved;
}

/*
 * Tokens of the burst that the debt takes up, begun ones included: debt / T, rounded up. With it
 * the comparison of the header, debt + n*T <= burst*T, becomes used + n <= burst: no rounding of
 * the burst's time, and nothing that overflows.
 */
static span used(const struct level *level, const struct gcra_limit *limit)
{
    if (level->debt == FOREVER)
        return limit->burst;
    span fraction = (span)(uint64_t)level->debt * limit->count;
    span parts = (level->debt >> 64) * limit->count + (fraction >> 64) + ((uint64_t)fraction != 0);
    span period = (uint64_t)limit->period;
    return parts / period + (parts % period != 0);
}

/* Until tokens (at most the burst) would conform. */
static span wait_for(const struct level *level, const struct gcra_limit *limit, uint64_t tokens)
{
    if (level->debt == FOREVER)
        return FOREVER;
    span room = cost(limit, limit->burst - tokens);
    return level->debt > room ? level->debt - room : 0;
}

static struct gcra_answer answer(const struct level *level, const struct gcra_limit *limit)
{
    span taken = used(level, limit);
    return (struct gcra_answer){
        .limit = limit->burst,
        .remaining = taken < limit->burst ? limit->burst - (uint64_t)taken : 0,
        .reset_after = nanoseconds(level->debt),
    };
}

/* Level is what stands after it. */
static struct gcra_answer take(struct level *level, const struct gcra_limit *limit, uint64_t tokens)
{
    if (used(level, limit) + tokens <= limit->burst) {
        level->debt = span_add(level->debt, cost(limit, tokens));
        return answer(level, limit);
    }
    struct gcra_answer refused = answer(level, limit);
    refused.limited = true;
    refused.retry_after = tokens <= limit->burst ? nanoseconds(wait_for(level, limit, tokens)) : -1;
    return refused;
}

struct gcra_answer gcra_take(struct gcra *bucket, const struct gcra_limit *limit, int64_t now,
                             uint64_t tokens)
{
    struct level level = level_of(bucket, limit, now);
    struct gcra_answer taken = take(&level, limit, tokens);
    level_store(bucket, &level, now);
    return taken;
}

struct gcra_answer gcra_look(const struct gcra *bucket, const struct gcra_limit *limit, int64_t now,
                             uint64_t tokens)
{
    struct level level = level_of(bucket, limit, now);
    return take(&level, limit, tokens);
}

bool gcra_reserve(struct gcra *bucket, const struct gcra_limit *limit, int64_t now, uint64_t tokens,
                  int64_t ahead, int64_t *at)
{
    struct level level = level_of(bucket, limit, now);
    uint64_t at_once = tokens < limit->burst ? tokens : limit->burst;
    int64_t wait = nanoseconds(wait_for(&level, limit, at_once));
    bool granted = wait <= ahead;
    *at = later(now, wait);
    if (granted) {
        span full = cost(limit, limit->burst);
        level.debt = span_add(level.debt, cost(limit, tokens));
        int64_t beyond = level.debt > full ? nanoseconds(level.debt - full) : 0;
        if (beyond > level.reserved)
            level.reserved = beyond;
    }
    level_store(bucket, &level, now);
    return granted;
}
