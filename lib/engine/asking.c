/* asking.c: commands that only ask the store. */
#include "engine/asking.h"

#include "base/msg.h"
#include "engine/state_dir.h"
#include "state/home.h"

#include <stdlib.h>

struct store *asking_open(const struct common_options *options, struct engine **engine, int *status)
{
    struct err err;
    *engine = engine_new(options, &err);
    struct store *store = *engine ? engine_store(*engine, &err) : NULL;
    if (!store)
        *status = engine_refuse(&err);
    return store;
}

bool asking_has_state(const struct common_options *options, int *status)
{
    struct err err;
    char *path = state_dir_path(options->state, &err);
    bool there = path && home_exists(path);
    *status = path ? EXIT_OK : engine_refuse(&err);
    free(path);
    return there;
}

static void answered(struct store_op *op)
{
    struct asking *asking = op->owner;
    asking->done = true;
    if (op->err)
        asking->err = *op->err;
    if (asking->waited)
        loop_stop(store_loop(asking->store));
}

void asking_expect(struct asking *asking, struct store *store, struct store_op *op)
{
    *asking = (struct asking){.store = store, .op = op};
    op->done = answered;
    op->owner = asking;
}

int asking_wait(struct asking *asking)
{
    struct err err;
    if (!asking->done)
        store_flush(asking->store);
    asking->waited = true;
    while (!asking->done) { /* something else may stop the loop too */
        if (loop_run(store_loop(asking->store), &err) == 0)
            continue;
        msg_error("%s", err.text);
        return -1;
    }
    enum store_status status = asking->op->status;
    if (status != STORE_NOT_APPLIED && status != STORE_UNKNOWN && status != STORE_UNSUPPORTED)
        return 0;
    msg_error("%s: %s", store_status_name(status), asking->err.text);
    return -1;
}

int asking_print(struct engine *engine, struct str text)
{
    struct err err;
    return engine_print(engine, text, &err) == 0 ? EXIT_OK : engine_refuse(&err);
}
