/* state_values.c: `state get`, `put`, `add`, `cas`, `del`, `incr`, `merge`: one key. */
#include "engine/state_verb.h"

#include "base/msg.h"
#include "base/num.h"
#include "engine/state_filter.h"
#include "engine/state_record.h"

#include <stdlib.h>

static const struct option_use write_uses[] = {{&state_writing, &state_options},
                                               {&state_receipts, &state_options},
                                               {&common_state, &state_common},
                                               {0}};

#define WRITE_COMMAND(verb, form, what)                                              \
    {                                                                                \
        .name = "state " verb, .summary = what,                                      \
        .usage = (const char *const[]){form " [options]", NULL}, .uses = write_uses, \
        .operands = OPTIONS_STOP_AT_WORD                                             \
    }

static const struct command put_command =
    WRITE_COMMAND("put", "KEY [JSON]", "set the value of a key");
static const struct command add_command =
    WRITE_COMMAND("add", "KEY [JSON]", "set the value of a key that has none");
static const struct command merge_command =
    WRITE_COMMAND("merge", "KEY [JSON]", "merge a patch into a value");
static const struct command cas_command =
    WRITE_COMMAND("cas", "KEY VERSION [JSON]", "set a value if its version is still that");
static const struct command incr_command = WRITE_COMMAND("incr", "KEY [N]", "add to a number");

/* Do the write; *status says how the command ends unless it was applied. True: it was. */
static bool do_write(struct kv_op *op, const char *what, int *status)
{
    struct engine *engine;
    struct store *store = state_verb_open(&engine, status);
    if (!store)
        return false;
    enum store_status ended = state_verb_do(store, op);
    *status = EXIT_OK;
    if (ended == STORE_ABSENT || ended == STORE_CONFLICT)
        *status = EXIT_FITTING;
    else if (ended != STORE_OK)
        *status = state_verb_failed(what, ended, op->op.err);
    engine_free(engine);
    return ended == STORE_OK;
}

static int write_key(struct kv_op *op, const char *what)
{
    int status;
    bool written = do_write(op, what, &status);
    if (written && state_options.receipt)
        status = state_verb_print_version(op->version);
    else if (written && op->verb == KV_INCR)
        status = state_verb_print_line(buf_str(&op->answer));
    else if (op->op.status == STORE_CONFLICT)
        status = state_verb_print_version(op->version) == EXIT_OK ? status : EXIT_FITTING;
    kv_op_free(op);
    return status;
}

/* ---- reading ---- */

static int print_found(const struct kv_op *op)
{
    if (!state_options.record)
        return state_verb_print_line(buf_str(&op->answer));
    struct buf line = {0};
    struct kv_record record = {.key = op->key,
                               .value = buf_str(&op->answer),
                               .version = op->version,
                               .deadline = op->expires};
    state_record_add(&line, &record);
    int status = state_verb_print(buf_str(&line), NULL);
    buf_free(&line);
    return status;
}

static int get_key(const char *key, struct str otherwise)
{
    struct kv_op op = {.verb = KV_GET, .key = str_of(key)};
    struct engine *engine = NULL;
    int status = EXIT_FITTING;
    enum store_status ended = STORE_ABSENT;
    if (state_verb_exists()) {
        struct store *store = state_verb_open(&engine, &status);
        if (!store)
            return status;
        ended = state_verb_do(store, &op);
    }
    if (ended == STORE_OK)
        status = print_found(&op);
    else if (ended != STORE_ABSENT)
        status = state_verb_failed(key, ended, op.op.err);
    else if (otherwise.data)
        status = state_verb_print_line(otherwise);
    else
        msg_verbose("%s: no value", key);
    kv_op_free(&op);
    engine_free(engine);
    return status;
}

static const struct option_use get_uses[] = {
    {&state_answering, &state_options}, {&common_state, &state_common}, {0}};
static const struct command get_command = {
    .name = "state get",
    .summary = "print the value of a key",
    .usage = (const char *const[]){"KEY [options]", "--key JQ [options]", NULL},
    .uses = get_uses,
    .operands = OPTIONS_STOP_AT_WORD,
};

int state_get(int argc, char **argv)
{
    if (state_verb_is_filter(argc, argv))
        return state_filter_run(PLAN_STATE_GET, argc, argv);
    struct state_words words = state_verb_parse(&get_command, argc, argv, 1, 1, false);
    struct buf otherwise = {0};
    int status = EXIT_USAGE;
    if (!state_options.otherwise ||
        state_verb_json(state_options.otherwise, "--default", &otherwise) == 0)
        status = get_key(words.words[0],
                         state_options.otherwise ? buf_str(&otherwise) : (struct str){NULL, 0});
    buf_free(&otherwise);
    free(words.words);
    return status;
}

/* ---- writing ---- */

/* put, add, merge: a key and a value. */
static int write_value(const struct command *command, enum kv_verb verb, int argc, char **argv)
{
    struct state_words words = state_verb_parse(command, argc, argv, 1, 2, false);
    struct buf value = {0};
    int status = EXIT_USAGE;
    if (state_verb_json(words.count > 1 ? words.words[1] : NULL, "the value", &value) == 0) {
        struct kv_op op = {.verb = verb,
                           .key = str_of(words.words[0]),
                           .value = buf_str(&value),
                           .deadline = state_verb_deadline()};
        status = write_key(&op, words.words[0]);
    }
    buf_free(&value);
    free(words.words);
    return status;
}

int state_put(int argc, char **argv)
{
    if (state_verb_is_filter(argc, argv))
        return state_filter_run(PLAN_STATE_PUT, argc, argv);
    return write_value(&put_command, KV_PUT, argc, argv);
}

int state_add(int argc, char **argv)
{
    return write_value(&add_command, KV_ADD, argc, argv);
}

int state_merge(int argc, char **argv)
{
    return write_value(&merge_command, KV_MERGE, argc, argv);
}

static void read_version(const struct command *command, const char *word, uint64_t *version)
{
    const char *reason = num_uint(word, 0, KV_NOW - 1, version);
    if (reason)
        options_fail(command, "the version %s: %s", word, reason);
}

int state_cas(int argc, char **argv)
{
    struct state_words words = state_verb_parse(&cas_command, argc, argv, 2, 3, false);
    struct buf value = {0};
    struct kv_op op = {
        .verb = KV_CAS, .key = str_of(words.words[0]), .deadline = state_verb_deadline()};
    int status = EXIT_USAGE;
    read_version(&cas_command, words.words[1], &op.expected);
    if (state_verb_json(words.count > 2 ? words.words[2] : NULL, "the value", &value) == 0) {
        op.value = buf_str(&value);
        status = write_key(&op, words.words[0]);
    }
    buf_free(&value);
    free(words.words);
    return status;
}

static const struct option_use del_uses[] = {
    {&state_receipts, &state_options}, {&common_state, &state_common}, {0}};
static const struct command del_command = {
    .name = "state del",
    .summary = "remove the value of a key",
    .usage = (const char *const[]){"KEY [VERSION] [options]", NULL},
    .uses = del_uses,
    .operands = OPTIONS_STOP_AT_WORD,
};

int state_del(int argc, char **argv)
{
    struct state_words words = state_verb_parse(&del_command, argc, argv, 1, 2, false);
    struct kv_op op = {.verb = KV_DEL, .key = str_of(words.words[0])};
    if (words.count > 1)
        read_version(&del_command, words.words[1], &op.expected);
    int status = write_key(&op, words.words[0]);
    free(words.words);
    return status;
}

/* A whole number with or without a sign. */
static const char *read_amount(const char *word, int64_t *number)
{
    uint64_t amount;
    bool negative = word[0] == '-';
    const char *reason = num_uint(word + negative, 0, INT64_MAX, &amount);
    if (!reason)
        *number = negative ? -(int64_t)amount : (int64_t)amount;
    return reason;
}

int state_incr(int argc, char **argv)
{
    struct state_words words = state_verb_parse(&incr_command, argc, argv, 1, 2, false);
    struct kv_op op = {.verb = KV_INCR,
                       .key = str_of(words.words[0]),
                       .number = 1,
                       .deadline = state_verb_deadline()};
    const char *reason = words.count > 1 ? read_amount(words.words[1], &op.number) : NULL;
    if (reason)
        options_fail(&incr_command, "%s: %s", words.words[1], reason);
    int status = write_key(&op, words.words[0]);
    free(words.words);
    return status;
}
