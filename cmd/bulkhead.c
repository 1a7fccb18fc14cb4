/* bulkhead: a slow flow cannot sink the others. */
#include "base/num.h"
#include "engine/common_http.h"
#include "engine/common_policies.h"
#include "engine/filter.h"
#include "engine/limit_options.h"
#include "engine/plan_guarded.h"
#include "engine/showing.h"
#include "state/shared_slots.h"

#include <stdlib.h>

enum {
    KEYED_JOBS = 256,   /* calls at once of all keys together, unless --jobs says another number */
    WAITING = 64,       /* the default of --waiting with --on-full dead and drop */
    WAITING_MAX = 4096, /* more could not wait: the engine's window holds no more */
};
enum id { ID_SLOTS = 1, ID_NAME, ID_KEY, ID_WAITING, ID_WAIT, ID_ON_FULL, ID_SHOW };
enum on_full { FULL_WAIT, FULL_DEAD, FULL_DROP };

static struct common_options common;
static struct policy_settings *const policies = &common.policies;
static struct plan_guarded guarded;

static struct {
    const char *key;
    enum on_full on_full;
    bool chose_waiting, show;
} options;

static const struct option_entry entries[] = {
    {"slots", 0, ID_SLOTS, "N", "calls at once", NULL},
    {"name", 0, ID_NAME, "NAME", "share the slots by this name, with any process", NULL},
    {"key", 0, ID_KEY, "JQ", "each value of JQ has so many slots and its own queue",
     "The slots are this process's own. Results come as they finish, as with -u: in their order a "
     "key that hangs would hold up all behind it. --jobs bounds the calls of all keys [256]."},
    {"waiting", 0, ID_WAITING, "N", "how many may wait for a slot [64]",
     "Of each key, with --key. What comes then is dead or dropped. With --on-full wait reading "
     "stops instead, without a number not before the window (4096 events, 2 MiB) is full."},
    {"wait", 0, ID_WAIT, "DUR", "the longest wait for a slot; 0: any [0]",
     "Then the event is dead, or dropped with --on-full drop."},
    {"on-full", 0, ID_ON_FULL, "wait|dead|drop", "when no more may wait [wait]", NULL},
    {"show", 0, ID_SHOW, NULL, "print how many are held and wait, as JSON", NULL},
    {0},
};

static int set_on_full(const char *arg, struct err *err)
{
    static const char *const names[] = {
        [FULL_WAIT] = "wait", [FULL_DEAD] = "dead", [FULL_DROP] = "drop", NULL};
    int choice = options_choice(names, arg, err);
    if (choice < 0)
        return -1;
    options.on_full = (enum on_full)choice;
    return 0;
}

static int set_waiting(const char *arg, struct err *err)
{
    uint64_t waiting;
    const char *reason = num_uint(arg, 0, WAITING_MAX, &waiting);
    options.chose_waiting = true;
    if (!reason)
        policies->waiting = (unsigned)waiting;
    return options_check(reason, err);
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    (void)into;
    switch ((enum id)id) {
    case ID_SLOTS:
        return common_policies_slots(arg, &policies->slots, err);
    case ID_NAME:
        return common_policies_name(arg, &policies->slots_name, err);
    case ID_KEY:
        options.key = arg;
        return 0;
    case ID_WAITING:
        return set_waiting(arg, err);
    case ID_WAIT:
        return options_check(num_duration(arg, &policies->wait), err);
    case ID_ON_FULL:
        return set_on_full(arg, err);
    case ID_SHOW:
        options.show = true;
        return 0;
    }
    return 0;
}

static struct fn_limits limits;

static const struct option_group group = {"Bulkhead", entries, set};
static const struct option_use uses[] = {{&group, NULL},
                                         {&limit_options, &limits},
                                         {&common_calling, &common},
                                         {&common_policies_without_bulkhead, &common},
                                         {&common_http, &common},
                                         {&common_flow, &common},
                                         {&common_events, &common},
                                         {&common_reporting, &common},
                                         {0}};

static const struct command command = {
    .name = "bulkhead",
    .summary = "a slow flow cannot sink the others",
    .purpose = "State and availability",
    .usage = (const char *const[]){"--slots N [--name NAME | --key JQ] [options] [--] FUNCTION...",
                                   "[--name NAME] --show", NULL},
    .uses = uses,
    .operands = OPTIONS_STOP_AT_WORD,
    .operand_arg = "FUNCTION",
};

static void check_options(const struct options_words *function)
{
    if (options.show && function->count)
        options_fail(&command, "a function, and --show, which calls none");
    if (options.show)
        return;
    if (!policies->slots)
        options_fail(&command, "no --slots");
    if (!function->count)
        options_fail(&command, "no function");
    if (options.key && policies->slots_name)
        options_fail(&command, "--key: its slots are this process's own, and have no --name");
    if (options.chose_waiting && !policies->waiting && options.on_full == FULL_WAIT)
        options_fail(&command, "--waiting: 0: nothing could ever wait (--on-full dead or drop)");
}

static void settle_options(bool chose_jobs)
{
    policies->slots_keyed = options.key != NULL;
    policies->slots_refuse = options.on_full != FULL_WAIT;
    if (policies->slots_refuse && !options.chose_waiting)
        policies->waiting = WAITING;
    if (!policies->slots_refuse && !policies->slots_keyed)
        common.calling.buffer = policies->waiting;
    if (policies->slots_keyed)
        common.unordered = true;
    if (!chose_jobs)
        common.calling.jobs = policies->slots_keyed ? KEYED_JOBS : policies->slots;
}

static int describe(struct home *home, const char *name, struct buf *line, struct err *err)
{
    unsigned limit = policies->slots ? policies->slots : SLOTS_MAX;
    struct shared_slots *shared =
        shared_slots_open(home, str_of(name), limit, NULL, NULL, NULL, NULL, err);
    if (!shared)
        return -1;
    struct shared_slots_use use = shared_slots_look(shared);
    showing_begin(line, name);
    if (policies->slots)
        buf_addf(line, ",\"slots\":%u", policies->slots);
    buf_addf(line, ",\"held\":%u,\"waiting\":%u}", use.held, use.waiting);
    shared_slots_free(shared);
    return 0;
}

static int show(void)
{
    const struct showing showing = {.what = "bulkhead",
                                    .state = common.state,
                                    .name = policies->slots_name,
                                    .list = shared_slots_list,
                                    .describe = describe};
    return showing_run(&showing);
}

static int run(const struct options_words *function)
{
    enum guarded_refusal refusal = options.on_full == FULL_DROP ? GUARDED_DROP : GUARDED_DEAD;
    struct err err;
    int limited = limit_options_settle(&limits, &err);
    if (limited > 0)
        common.calling.limits = &limits;
    struct engine *engine = limited < 0 ? NULL : engine_new(&common, &err);
    struct fn *fn = filter_open(engine, function, &err);
    bool usable = fn && plan_guarded_init(&guarded, engine, fn, options.key, refusal, &err) == 0;
    int status = filter_run(engine, usable ? &guarded.plan : NULL, &err);
    plan_guarded_free(&guarded);
    engine_free(engine);
    free(limits.folder);
    return status;
}

int main(int argc, char **argv)
{
    common_options_init(&common);
    common.calling.jobs = 0;
    struct options_words function = options_parse(&command, argc, argv);
    bool chose_jobs = common.calling.jobs;
    check_options(&function);
    if (options.show)
        return show();
    settle_options(chose_jobs);
    return run(&function);
}
