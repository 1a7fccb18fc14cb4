/* state_ledger.c: `state ledger list` and `drop`. */
#include "engine/state_verb.h"

#include "base/msg.h"
#include "state/home.h"
#include "state/ledger.h"

#include <stdlib.h>
#include <string.h>

/* Absent: there is no such ledger. */
static int run(struct store *store, struct ledger_op *op)
{
    struct err err = {0};
    op->op.done = store_keep_error;
    op->op.owner = &err;
    ledger_submit(store, op);
    store_flush(store);
    if (op->op.status == STORE_OK)
        return state_verb_print(buf_str(&op->answer), NULL);
    if (op->op.status != STORE_ABSENT)
        return state_verb_failed(op->ledger.data ? op->ledger.data : "list", op->op.status,
                                 err.kind ? &err : NULL);
    msg_error("there is none of that name");
    return EXIT_FITTING;
}

static const struct option_use ledger_uses[] = {{&common_state, &state_common}, {0}};
static const struct command ledger_command = {
    .name = "state ledger",
    .summary = "list or drop what --ledger has recorded",
    .usage = (const char *const[]){"list [options]", "drop NAME [options]", NULL},
    .uses = ledger_uses,
    .operands = OPTIONS_STOP_AT_WORD,
};

int state_ledger(int argc, char **argv)
{
    struct state_words words = state_verb_parse(&ledger_command, argc, argv, 1, 2, false);
    bool drops = strcmp(words.words[0], "drop") == 0;
    struct ledger_op op = {.verb = drops ? LEDGER_DROP : LEDGER_LIST};
    struct engine *engine = NULL;
    struct err err;
    int status = EXIT_OK;
    if (!drops && strcmp(words.words[0], "list") != 0)
        options_fail(&ledger_command, "%s: not list or drop", words.words[0]);
    if ((words.count == 2) != drops)
        options_fail(&ledger_command, drops ? "no name" : "list takes no name");
    if (drops && home_check_name(words.words[1], &err) < 0)
        options_fail(&ledger_command, "%s: %s", words.words[1], err.text);
    if (drops)
        op.ledger = str_of(words.words[1]);
    struct store *store = drops || state_verb_exists() ? state_verb_open(&engine, &status) : NULL;
    if (store)
        status = run(store, &op);
    buf_free(&op.answer);
    engine_free(engine);
    free(words.words);
    return status;
}
