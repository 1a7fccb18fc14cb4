/* common_policies.c: the call policies as options of every command that calls functions. */
#include "engine/common_policies.h"

#include "base/buf.h"
#include "base/num.h"
#include "base/str.h"
#include "engine/common_options.h"
#include "state/shared_slots.h"

enum id { ID_BREAKER = 1, ID_RATE, ID_RATE_KEY, ID_BULKHEAD, ID_RETRY_BUDGET };

#define BREAKER_ENTRY                                                                       \
    {                                                                                       \
        "breaker", 0, ID_BREAKER, "NAME", "call nothing while the breaker NAME is open",    \
            "It is shared by that name, and opens when half of the last 100 calls failed, " \
            "unless breaker(1) has given it other settings. Events that come while it is "  \
            "open are dead, and not tried again."                                           \
    }
#define RATE_ENTRIES                                                                      \
    {"rate",                                                                              \
     0,                                                                                   \
     ID_RATE,                                                                             \
     "RATE",                                                                              \
     "no more calls than this: 10/s, 600/m",                                              \
     "Calls wait for their time. Retries are calls too."},                                \
    {                                                                                     \
        "rate-key", 0, ID_RATE_KEY, "NAME", "share the rate by this name",                \
            "All that name it, in any process, make no more calls together than --rate. " \
            "Without it the rate is this process's own."                                  \
    }
#define BULKHEAD_ENTRY                                                                        \
    {                                                                                         \
        "bulkhead", 0, ID_BULKHEAD, "NAME:N", "share N calls at once by this name",           \
            "All that name it, in any process, have no more than N calls under way together " \
            "(bulkhead(1)). Calls wait for a slot."                                           \
    }
#define RETRY_BUDGET_ENTRY                                                                         \
    {                                                                                              \
        "retry-budget", 0, ID_RETRY_BUDGET, "N%", "bound retries to N% of the calls [none]",       \
            "A hundred in ten seconds are allowed in any case. A call whose retry is not allowed " \
            "fails as it has."                                                                     \
    }

static const struct option_entry entries[] = {
    BREAKER_ENTRY, RATE_ENTRIES, BULKHEAD_ENTRY, RETRY_BUDGET_ENTRY, {0}};
static const struct option_entry without_breaker[] = {
    RATE_ENTRIES, BULKHEAD_ENTRY, RETRY_BUDGET_ENTRY, {0}};
static const struct option_entry without_rate[] = {
    BREAKER_ENTRY, BULKHEAD_ENTRY, RETRY_BUDGET_ENTRY, {0}};
static const struct option_entry without_bulkhead[] = {
    BREAKER_ENTRY, RATE_ENTRIES, RETRY_BUDGET_ENTRY, {0}};

int common_policies_name(const char *arg, const char **name, struct err *err)
{
    if (home_check_name(arg, err) < 0)
        return -1;
    *name = arg;
    return 0;
}

int common_policies_slots(const char *arg, unsigned *slots, struct err *err)
{
    uint64_t count;
    const char *reason = num_uint(arg, 1, SLOTS_MAX, &count);
    if (!reason)
        *slots = (unsigned)count;
    return options_check(reason, err);
}

/* NAME:N; the name may hold colons. */
static int set_bulkhead(struct policy_settings *settings, const char *arg, struct err *err)
{
    const char *colon = strrchr(arg, ':');
    if (!colon)
        return err_set(err, ERR_USAGE, "not NAME:N");
    static struct buf name; /* lives as long as the process */
    buf_clear(&name);
    buf_add(&name, arg, (size_t)(colon - arg));
    if (common_policies_slots(colon + 1, &settings->slots, err) < 0)
        return -1;
    return common_policies_name(buf_cstr(&name), &settings->slots_name, err);
}

static int set_retry_budget(struct policy_settings *settings, const char *arg, struct err *err)
{
    const char *reason = num_percent(arg, &settings->retry_fraction);
    settings->retries_bounded = !reason;
    return options_check(reason, err);
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    struct policy_settings *settings = &((struct common_options *)into)->policies;
    switch ((enum id)id) {
    case ID_BREAKER:
        return common_policies_name(arg, &settings->breaker, err);
    case ID_RATE:
        settings->rate.burst = 1;
        return options_check(num_rate(arg, &settings->rate.count, &settings->rate.period), err);
    case ID_RATE_KEY:
        return common_policies_name(arg, &settings->rate_name, err);
    case ID_BULKHEAD:
        return set_bulkhead(settings, arg, err);
    case ID_RETRY_BUDGET:
        return set_retry_budget(settings, arg, err);
    }
    return err_set(err, ERR_USAGE, "not read by this command");
}

const struct option_group common_policies = {"Call policies", entries, set};
const struct option_group common_policies_without_breaker = {"Call policies", without_breaker, set};
const struct option_group common_policies_without_rate = {"Call policies", without_rate, set};
const struct option_group common_policies_without_bulkhead = {"Call policies", without_bulkhead,
                                                              set};

const char *common_policies_conflict(const struct policy_settings *settings)
{
    if (settings->rate_name && !settings->rate.count)
        return "--rate-key needs --rate";
    return NULL;
}
