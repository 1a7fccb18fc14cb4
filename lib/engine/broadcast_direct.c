/* broadcast_direct.c: `broadcast FUNCTION...`: the functions are the subscribers. */
#include "base/num.h"
#include "engine/broadcast.h"
#include "engine/filter.h"
#include "engine/plan_broadcast.h"

enum { BUFFER_MAX = ENGINE_WINDOW, BUFFER = 1024 };
enum id { ID_RESULT = 1, ID_FULL, ID_BUFFER };

struct operands broadcast_subscribers;

static struct broadcast_settings settings = {.result = "all", .buffer = BUFFER};

static const struct option_entry entries[] = {
    {"result", 0, ID_RESULT, "all|none|NAME", "print the results of these subscribers [all]",
     "With all a line for each event, an object with a member for each subscriber. With the name "
     "of one its results as they are, which then wait for nobody else."},
    {"when-full", 0, ID_FULL, "block|spill|drop", "when a subscriber takes no more [block]",
     "With block nothing is read until it does. With spill its events wait in a file in TMPDIR, "
     "and with drop it does not get the event, while the others go on."},
    {"buffer", 0, ID_BUFFER, "N", "events that may wait for a subscriber [1024]",
     "They have been read and are handled before the end, also when --budget is spent."},
    {0},
};

static int set_full(const char *arg, struct err *err)
{
    static const char *const names[] = {[SUBSCRIBERS_BLOCK] = "block",
                                        [SUBSCRIBERS_SPILL] = "spill",
                                        [SUBSCRIBERS_DROP] = "drop",
                                        NULL};
    int choice = options_choice(names, arg, err);
    if (choice < 0)
        return -1;
    settings.full = (enum subscribers_full)choice;
    return 0;
}

static int set_buffer(const char *arg, struct err *err)
{
    uint64_t events;
    const char *reason = num_uint(arg, 1, BUFFER_MAX, &events);
    if (!reason)
        settings.buffer = (unsigned)events;
    return options_check(reason, err);
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    (void)into;
    switch ((enum id)id) {
    case ID_RESULT:
        settings.result = arg;
        return 0;
    case ID_FULL:
        return set_full(arg, err);
    case ID_BUFFER:
        return set_buffer(arg, err);
    }
    return err_set(err, ERR_USAGE, "not read by this command");
}

const struct option_group broadcast_giving = {"Subscribers", entries, set};

int broadcast_direct(void)
{
    struct common_options *common = &broadcast_common;
    common->calling.buffer = settings.buffer;
    settings.serial = common->serial_by;
    settings.subscribers = broadcast_subscribers.words;
    settings.count = broadcast_subscribers.count;
    struct err err;
    struct engine *engine = engine_new(common, &err);
    struct plan_broadcast *plan = engine ? plan_broadcast_new(engine, &settings, &err) : NULL;
    struct source *source = plan ? filter_lines(engine, &err) : NULL;
    int status =
        source ? engine_run(engine, source, plan_broadcast_plan(plan)) : engine_refuse(&err);
    if (source)
        plan_broadcast_tell(plan);
    plan_broadcast_free(plan);
    engine_free(engine);
    operands_free(&broadcast_subscribers);
    return status;
}
