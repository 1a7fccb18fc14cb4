/* state_filter.c: `state put`, `get` and `seen` over a stream of events (--key). */
#include "engine/state_filter.h"

#include "engine/options.h"
#include "engine/state_verb.h"

#include <stdlib.h>
#include <unistd.h>

static const struct option_use put_uses[] = {
    {&state_keying, &state_options},    {&state_writing, &state_options},
    {&common_flow, &state_common},      {&common_input, &state_common},
    {&common_reporting, &state_common}, {0}};
static const struct option_use get_uses[] = {{&state_keying, &state_options},
                                             {&state_enriching, &state_options},
                                             {&state_answering, &state_options},
                                             {&common_flow, &state_common},
                                             {&common_input, &state_common},
                                             {&common_reporting, &state_common},
                                             {0}};

static const struct command commands[] = {
    [PLAN_STATE_PUT] = {.name = "state put",
                        .summary = "keep each event as the value of its key",
                        .usage = (const char *const[]){"--key JQ [options]", NULL},
                        .uses = put_uses,
                        .operands = OPTIONS_STOP_AT_WORD},
    [PLAN_STATE_GET] = {.name = "state get",
                        .summary = "enrich events with the values of their keys",
                        .usage = (const char *const[]){"--key JQ [--into NAME] [options]", NULL},
                        .uses = get_uses,
                        .operands = OPTIONS_STOP_AT_WORD},
    [PLAN_STATE_SEEN] = {.name = "state seen",
                         .summary = "pass events whose key has not passed before",
                         .usage = (const char *const[]){"--key JQ [--ttl DUR] [options]", NULL},
                         .uses = put_uses,
                         .operands = OPTIONS_STOP_AT_WORD},
};

int state_filter_lines(const struct plan_state_settings *settings, int fd, const char *name,
                       bool *complete)
{
    static struct plan_state state;
    struct plan_state_settings own = *settings;
    struct err err;
    struct engine *engine = engine_new(&state_common, &err);
    struct store *store = engine ? engine_store(engine, &err) : NULL;
    struct source *source = NULL;
    if (store && state_options.key)
        own.key = jq_compile(state_options.key, engine_paths(engine), &err);
    if (store && (own.key || !state_options.key))
        source = source_lines(engine_loop(engine), fd, name, state_common.max_event, &err);
    if (source)
        plan_state_init(&state, engine, store, &own);
    int status = source ? engine_run(engine, source, &state.plan) : engine_refuse(&err);
    *complete = source && state.complete;
    engine_free(engine);
    jq_free(own.key);
    return status;
}

int state_filter_run(enum plan_state_kind kind, int argc, char **argv)
{
    struct buf otherwise = {0};
    bool complete;
    int status = EXIT_USAGE;
    struct state_words words = state_verb_parse(&commands[kind], argc, argv, 0, 0, false);
    if (!state_options.key)
        options_fail(&commands[kind], "no --key");
    const char *prefix = kind == PLAN_STATE_SEEN ? "seen/" : "";
    struct plan_state_settings settings = {
        .kind = kind,
        .prefix = str_of(state_options.prefix ? state_options.prefix : prefix),
        .ttl = state_options.ttl,
        .into = str_of(state_options.into),
        .record = state_options.record,
    };
    if (!state_options.otherwise ||
        state_verb_json(state_options.otherwise, "--default", &otherwise) == 0) {
        if (state_options.otherwise)
            settings.otherwise = buf_str(&otherwise);
        status = state_filter_lines(&settings, STDIN_FILENO, "stdin", &complete);
    }
    buf_free(&otherwise);
    free(words.words);
    return status;
}

int state_seen(int argc, char **argv)
{
    return state_filter_run(PLAN_STATE_SEEN, argc, argv);
}
