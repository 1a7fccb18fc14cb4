/* throttle: no faster than this. */
#include "base/clock.h"
#include "base/num.h"
#include "engine/common_http.h"
#include "engine/common_policies.h"
#include "engine/filter.h"
#include "engine/plan_guarded.h"
#include "engine/showing.h"
#include "state/shared_rate.h"

enum id {
    ID_RATE = 1,
    ID_BURST,
    ID_NAME,
    ID_KEY,
    ID_ON_EXCESS,
    ID_BYTES,
    ID_ADAPTIVE,
    ID_MIN_RATE,
    ID_SHOW,
};
enum on_excess { EXCESS_DELAY, EXCESS_DEAD, EXCESS_DROP };

#define BURST_MAX UINT64_C(1000000000000) /* a larger --burst is refused */
#define MIN_SHARE 0.1                     /* of --rate, that an adaptive one falls to by itself */

static struct common_options common;
static struct policy_settings *const policies = &common.policies;
static struct plan_guarded guarded;

static struct {
    const char *rate, *min_rate, *key;
    enum on_excess on_excess;
    bool adaptive, show;
} options;

static const struct option_entry entries[] = {
    {"rate", 0, ID_RATE, "RATE", "events in a time: 10/s, 600/m, 5/100ms",
     "With --bytes SIZE in a time: 64K/s."},
    {"burst", 0, ID_BURST, "N", "how many may come at once after a pause [1]",
     "With --bytes the default is what may come in one second."},
    {"name", 0, ID_NAME, "NAME", "share the rate by this name, with any process", NULL},
    {"key", 0, ID_KEY, "JQ", "each value of JQ has the rate for itself",
     "A key that has to wait holds up no other one; results still come in the order of the events "
     "unless -u is given."},
    {"on-excess", 0, ID_ON_EXCESS, "delay|dead|drop", "what happens to what comes too fast [delay]",
     "With dead it is tried again while --retries are left, and then a dead letter; with drop it "
     "is "
     "counted and forgotten."},
    {"bytes", 0, ID_BYTES, NULL, "the rate is of bytes: each event costs its line", NULL},
    {"adaptive", 0, ID_ADAPTIVE, NULL, "slow down when calls fail, and recover",
     "The rate is halved when a call fails or times out, at most once in a second, and grows by a "
     "twentieth of its range for each second in which calls succeed. A failure whose error object "
     "has a number \"retry_after\" holds it at --min-rate for so many seconds."},
    {"min-rate", 0, ID_MIN_RATE, "RATE", "the lowest rate of --adaptive [a tenth of --rate]", NULL},
    {"show", 0, ID_SHOW, NULL, "print what is left of --rate as JSON",
     "Of --name, or of all names: limit, remaining, and the seconds of retry_after and "
     "reset_after."},
    {0},
};

static int set_on_excess(const char *arg, struct err *err)
{
    static const char *const names[] = {
        [EXCESS_DELAY] = "delay", [EXCESS_DEAD] = "dead", [EXCESS_DROP] = "drop", NULL};
    int choice = options_choice(names, arg, err);
    if (choice < 0)
        return -1;
    options.on_excess = (enum on_excess)choice;
    return 0;
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    (void)into;
    switch ((enum id)id) {
    case ID_RATE:
        options.rate = arg; /* what it is of is known when all options are */
        return *arg ? 0 : err_set(err, ERR_USAGE, "empty");
    case ID_BURST:
        return options_check(num_uint(arg, 1, BURST_MAX, &policies->rate.burst), err);
    case ID_NAME:
        return common_policies_name(arg, &policies->rate_name, err);
    case ID_KEY:
        options.key = arg;
        return 0;
    case ID_ON_EXCESS:
        return set_on_excess(arg, err);
    case ID_BYTES:
        policies->rate_bytes = true;
        return 0;
    case ID_ADAPTIVE:
        options.adaptive = true;
        return 0;
    case ID_MIN_RATE:
        options.min_rate = arg;
        return *arg ? 0 : err_set(err, ERR_USAGE, "empty");
    case ID_SHOW:
        options.show = true;
        return 0;
    }
    return 0;
}

static const struct option_group group = {"Throttle", entries, set};
static const struct option_use uses[] = {{&group, NULL},
                                         {&common_calling, &common},
                                         {&common_policies_without_rate, &common},
                                         {&common_http, &common},
                                         {&common_flow, &common},
                                         {&common_events, &common},
                                         {&common_reporting, &common},
                                         {0}};

static const struct command command = {
    .name = "throttle",
    .summary = "no faster than this",
    .purpose = "State and availability",
    .usage = (const char *const[]){"--rate RATE [options] [--] [FUNCTION...]",
                                   "--rate RATE [--name NAME] --show", NULL},
    .uses = uses,
    .operands = OPTIONS_STOP_AT_WORD,
    .operand_arg = "FUNCTION",
};

/* Tokens a second. */
static double read_rate(const char *option, const char *arg, struct gcra_limit *limit)
{
    const char *reason = policies->rate_bytes ? num_byte_rate(arg, &limit->count, &limit->period)
                                              : num_rate(arg, &limit->count, &limit->period);
    if (reason)
        options_fail(&command, "%s: %s: %s", option, arg, reason);
    return (double)limit->count * 1e9 / (double)limit->period;
}

static void check_options(const struct options_words *function)
{
    struct gcra_limit least;
    if (!options.rate)
        options_fail(&command, "no --rate");
    double rate = read_rate("--rate", options.rate, &policies->rate);
    if (!policies->rate.burst)
        policies->rate.burst = policies->rate_bytes && rate > 1 ? (uint64_t)rate : 1;
    if (options.min_rate && !options.adaptive)
        options_fail(&command, "--min-rate needs --adaptive");
    if (options.adaptive && !options.show && !function->count)
        options_fail(&command, "--adaptive needs a function that can fail");
    if (options.adaptive)
        policies->min_rate =
            options.min_rate ? read_rate("--min-rate", options.min_rate, &least) : rate * MIN_SHARE;
    if (policies->min_rate > rate)
        options_fail(&command, "--min-rate: %s: above --rate", options.min_rate);
    if (options.show && function->count)
        options_fail(&command, "a function, and --show, which calls none");
    policies->rate_keyed = options.key != NULL;
    policies->rate_refuses = options.on_excess != EXCESS_DELAY;
}

static int describe(struct home *home, const char *name, struct buf *line, struct err *err)
{
    struct shared_rate *shared = shared_rate_open(home, str_of(name), NULL, err);
    if (!shared)
        return -1;
    int64_t now = clock_now();
    struct gcra_answer left = shared_rate_look(shared, 0, &policies->rate, now, 0);
    struct gcra_answer next = shared_rate_look(shared, 0, &policies->rate, now, 1);
    showing_begin(line, name);
    buf_addf(line, ",\"limit\":%llu,\"remaining\":%llu,\"retry_after\":%.3f,\"reset_after\":%.3f",
             (unsigned long long)left.limit, (unsigned long long)left.remaining,
             (double)next.retry_after / 1e9, (double)left.reset_after / 1e9);
    if (options.adaptive) {
        struct aimd_bounds bounds = {.min = policies->min_rate,
                                     .max = (double)policies->rate.count * 1e9 /
                                            (double)policies->rate.period};
        buf_addf(line, ",\"rate\":%.6g", shared_rate_level(shared, &bounds, now));
    }
    buf_addc(line, '}');
    shared_rate_free(shared);
    return 0;
}

static int show(void)
{
    const struct showing showing = {.what = "rate",
                                    .state = common.state,
                                    .name = policies->rate_name,
                                    .list = shared_rate_list,
                                    .describe = describe};
    return showing_run(&showing);
}

static int run(const struct options_words *function)
{
    enum guarded_refusal refusal = options.on_excess == EXCESS_DROP ? GUARDED_DROP : GUARDED_DEAD;
    struct err err;
    struct engine *engine = engine_new(&common, &err);
    struct fn *fn = filter_open(engine, function, &err);
    bool usable = fn && plan_guarded_init(&guarded, engine, fn, options.key, refusal, &err) == 0;
    int status = filter_run(engine, usable ? &guarded.plan : NULL, &err);
    plan_guarded_free(&guarded);
    engine_free(engine);
    return status;
}

int main(int argc, char **argv)
{
    common_options_init(&common);
    struct options_words function = options_parse(&command, argc, argv);
    check_options(&function);
    return options.show ? show() : run(&function);
}
