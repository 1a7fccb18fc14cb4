/* state_update.c: `state update`: a value changed by a program. */
#include "engine/state_verb.h"

#include "base/rng.h"
#include "state/kv_update.h"

#include <stdlib.h>

static const struct option_use update_uses[] = {{&state_writing, &state_options},
                                                {&state_receipts, &state_options},
                                                {&common_state, &state_common},
                                                {0}};
static const struct command update_command = {
    .name = "state update",
    .summary = "change a value by a program",
    .usage = (const char *const[]){"KEY JQ [options]", NULL},
    .uses = update_uses,
    .operands = OPTIONS_STOP_AT_WORD,
};

struct updating {
    struct kv_update update;
    struct jq_program *program;
    struct loop *loop;
    bool done;
};

/* The first output of the program; null where there is no value, no output: leave it. */
static int transform(void *owner, struct str old, struct buf *value, struct err *err)
{
    struct updating *updating = owner;
    struct json_scan scan;
    struct jq_input input = {.text = old.data ? old : STR("null")};
    if (json_scan(input.text, NULL, NULL, &scan) < 0)
        return err_set(err, ERR_STATE, "a stored value is no JSON");
    input.depth = scan.depth;
    int found = jq_first(updating->program, &input, value, err);
    return found < 0 ? -1 : !found;
}

static void updated(struct kv_update *update)
{
    struct updating *updating = update->owner;
    updating->done = true;
    loop_stop(updating->loop);
}

static int run_update(struct store *store, struct updating *updating, const char *key)
{
    struct rng rng;
    struct err err = {0};
    int status = EXIT_OK;
    rng_seed_random(&rng);
    updating->loop = store_loop(store);
    updating->update = (struct kv_update){.key = str_of(key),
                                          .deadline = state_verb_deadline(),
                                          .change = transform,
                                          .done = updated,
                                          .owner = updating};
    kv_update_start(store, &updating->update, rng_next(&rng) | 1);
    while (!updating->done && status == EXIT_OK)
        status = loop_run(updating->loop, &err) < 0 ? engine_refuse(&err) : EXIT_OK;
    struct kv_update *update = &updating->update;
    if (status == EXIT_OK && update->status != STORE_OK)
        status = state_verb_failed(key, update->status, update->err);
    else if (status == EXIT_OK && state_options.receipt)
        status = state_verb_print_version(update->version);
    else if (status == EXIT_OK && update->value.len)
        status = state_verb_print_line(buf_str(&update->value));
    kv_update_free(update);
    return status;
}

int state_update(int argc, char **argv)
{
    struct state_words words = state_verb_parse(&update_command, argc, argv, 2, 2, false);
    struct updating updating = {0};
    struct err err;
    struct engine *engine = NULL;
    struct store *store = NULL;
    int status = EXIT_FITTING;
    updating.program = jq_compile(words.words[1], NULL, &err);
    if (!updating.program)
        status = engine_refuse(&err);
    else
        store = state_verb_open(&engine, &status);
    if (store)
        status = run_update(store, &updating, words.words[0]);
    jq_free(updating.program);
    engine_free(engine);
    free(words.words);
    return status;
}
