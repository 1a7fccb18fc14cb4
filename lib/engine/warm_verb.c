/* warm_verb.c: what the verbs of `warm` share. */
#include "engine/warm_verb.h"

#include "base/mem.h"
#include "base/msg.h"
#include "base/num.h"
#include "engine/state_dir.h"
#include "format/json.h"
#include "state/home.h"

#include <stdlib.h>

struct common_options warm_common;
struct warm_options warm_options = {.queue = WARM_QUEUE, .min = 1, .idle = WARM_IDLE};

enum id {
    ID_MIN,
    ID_MAX,
    ID_IDLE,
    ID_PING,
    ID_QUEUE,
    ID_MAX_EVENT,
    ID_DETACH,
    ID_DETACHED,
    ID_WAIT_READY,
    ID_WAIT_GONE,
};

static const struct option_entry pooling_entries[] = {
    {"min", 0, ID_MIN, "N", "workers kept running, with or without calls [1]",
     "With 0 the first call starts the first worker."},
    {"max", 0, ID_MAX, "N", "workers at most [cores]", "The same as --jobs."},
    {"idle", 0, ID_IDLE, "DUR", "end one beyond --min without a call for so long [5m]",
     "With 0 they stay."},
    {"ping", 0, ID_PING, "JSON", "a worker kept by --min is ready when it has answered this",
     "It gets this event first, and no other before it has answered. Without it a worker is ready "
     "when it runs."},
    {"queue", 0, ID_QUEUE, "N", "calls that may wait; more are refused [1000]",
     "The client's call fails with pool_full, and is tried again while it has --retries left."},
    {"max-event", 0, ID_MAX_EVENT, "SIZE", "a larger event is refused [16M]", NULL},
    {"detach", 0, ID_DETACH, NULL, "run in the background; return when it listens",
     "It has a session of its own, and what it and its workers say goes to a file in the state "
     "directory."},
    {"wait-ready", 0, ID_WAIT_READY, NULL, "with --detach: return when --min workers are ready",
     "Each of them is sent an event first, that of --ping, or "
     "{\"warmer\":true,\"concurrency\":N}. It waits as long as that takes, with --timeout so long "
     "for "
     "each; but when five starts in a row have come to nothing, the pool ends with status 1."},
    {"detached", 0, ID_DETACHED, NULL, NULL, NULL},
    {0},
};

static const struct option_entry stopping_entries[] = {
    {"wait-gone", 0, ID_WAIT_GONE, NULL, "return when the pool has ended", NULL},
    {0},
};

static int set_count(const char *arg, uint64_t least, uint64_t most, uint64_t *count,
                     struct err *err)
{
    return options_check(num_uint(arg, least, most, count), err);
}

static int set_max(const char *arg, struct err *err)
{
    uint64_t max;
    if (set_count(arg, 1, FN_MAX_JOBS, &max, err) < 0)
        return -1;
    warm_common.calling.jobs = (unsigned)max;
    warm_common.chose_jobs = true;
    return 0;
}

static int set_ping(const char *arg, struct err *err)
{
    struct json_scan scan;
    struct buf event = {0};
    if (json_scan(str_of(arg), NULL, NULL, &scan) < 0)
        return err_set(err, ERR_USAGE, "%s at byte %zu", scan.reason, scan.at + 1);
    json_compact(str_of(arg), &event); /* one line */
    free(warm_options.ping);
    warm_options.ping = buf_take(&event);
    return 0;
}

static int set_max_event(const char *arg, struct err *err)
{
    const char *reason = num_size(arg, &warm_common.max_event);
    return options_check(reason ? reason : warm_common.max_event ? NULL : "must not be 0", err);
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    struct warm_options *options = into;
    switch ((enum id)id) {
    case ID_MIN:
        return set_count(arg, 0, FN_MAX_JOBS, &options->min, err);
    case ID_MAX:
        return set_max(arg, err);
    case ID_IDLE:
        return options_check(num_duration(arg, &options->idle), err);
    case ID_PING:
        return set_ping(arg, err);
    case ID_QUEUE:
        return set_count(arg, 1, WARM_QUEUE_MAX, &options->queue, err);
    case ID_MAX_EVENT:
        return set_max_event(arg, err);
    case ID_DETACH:
        options->detach = true;
        return 0;
    case ID_DETACHED:
        options->detached = true;
        return 0;
    case ID_WAIT_READY:
        options->wait_ready = true;
        return 0;
    case ID_WAIT_GONE:
        options->wait_gone = true;
        return 0;
    }
    return 0;
}

const struct option_group warm_pooling = {"Pool (start)", pooling_entries, set};
const struct option_group warm_stopping = {"Ending (stop)", stopping_entries, set};

struct options_words warm_verb_parse(const struct command *command, int argc, char **argv,
                                     const char **name)
{
    return options_parse_named(command, argc, argv, "warm", "pool", name);
}

/* ---- for those who only look ---- */

struct engine *warm_verb_look(struct home **home, int *status)
{
    struct err err;
    struct engine *engine = NULL;
    char *path = state_dir_path(warm_common.state, &err);
    *home = NULL;
    *status = EXIT_OK;
    if (path && !home_is_url(path) && !home_exists(path)) { /* nobody has started one */
        free(path);
        return NULL;
    }
    if (path)
        engine = engine_new(&warm_common, &err);
    free(path);
    if (engine)
        *home = engine_home(engine, &err);
    if (*home)
        return engine;
    *status = engine_refuse(&err);
    engine_free(engine);
    return NULL;
}
