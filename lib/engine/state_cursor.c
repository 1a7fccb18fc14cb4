/* state_cursor.c: `state cursor list` and `drop`: what every and poll keep of a name. */
#include "engine/poll_state.h"
#include "engine/state_verb.h"
#include "engine/ticks_record.h"

#include "base/msg.h"
#include "state/cursor.h"
#include "state/home.h"

#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {TICKS_RECORD_KIND, POLL_STATE_KIND, NULL};

static enum store_status finish(struct store *store, const struct cursor_op *own)
{
    store_flush(store);
    return own->op.status;
}

/* ---- list ---- */

struct lines {
    struct buf text;
    const char *kind;
};

static void add_line(void *owner, struct str name, uint64_t records, cell_holder holder)
{
    struct lines *lines = owner;
    buf_addf(&lines->text, "{\"kind\":\"%s\",\"name\":", lines->kind);
    buf_add_json(&lines->text, name);
    buf_addf(&lines->text, ",\"records\":%llu,\"pid\":", (unsigned long long)records);
    if (holder && !cell_holder_gone(holder))
        buf_addf(&lines->text, "%ld}\n", (long)cell_holder_pid(holder));
    else
        buf_puts(&lines->text, "null}\n");
}

static int list(struct store *store)
{
    struct lines lines = {0};
    struct err err = {0};
    int status = EXIT_OK;
    for (size_t i = 0; kinds[i] && status == EXIT_OK; i++) {
        struct cursor_list ask = {
            .own = {.op = {.done = store_keep_error, .owner = &err}, .kind = kinds[i]},
            .each = add_line,
            .owner = &lines};
        lines.kind = kinds[i];
        cursor_list(store, &ask);
        enum store_status answer = finish(store, &ask.own);
        if (answer != STORE_OK && answer != STORE_ABSENT)
            status = state_verb_failed("list", answer, err.kind ? &err : NULL);
    }
    if (status == EXIT_OK)
        status = state_verb_print(buf_str(&lines.text), NULL);
    buf_free(&lines.text);
    return status;
}

/* ---- drop ---- */

/* To make its room free may take further questions, whose answers say nothing of the first one. */
static int drop(struct store *store, const char *kind, const char *name)
{
    struct err err = {0};
    struct cursor_forget ask = {.own = {.op = {.done = store_keep_error, .owner = &err},
                                        .kind = kind,
                                        .name = str_of(name)}};
    cursor_forget(store, &ask);
    enum store_status answer = finish(store, &ask.own);
    while (ask.more && !err.kind) {
        cursor_forget(store, &ask);
        finish(store, &ask.own);
    }
    switch (answer) {
    case STORE_OK:
        return EXIT_OK;
    case STORE_ABSENT:
        msg_error("there is none of that name");
        return EXIT_FITTING;
    case STORE_CONFLICT:
        msg_warn("%s: process %ld has it", name, (long)cell_holder_pid(ask.by));
        return EXIT_AGAIN;
    default:
        return state_verb_failed(name, answer, err.kind ? &err : NULL);
    }
}

/* ---- the verb ---- */

static const struct option_use uses[] = {{&common_state, &state_common}, {0}};
static const struct command command = {
    .name = "state cursor",
    .summary = "list or drop what every and poll keep of a name",
    .usage = (const char *const[]){"list [options]", "drop every|poll NAME [options]", NULL},
    .uses = uses,
    .operands = OPTIONS_STOP_AT_WORD,
};

static bool is_kind(const char *word)
{
    for (size_t i = 0; kinds[i]; i++)
        if (strcmp(word, kinds[i]) == 0)
            return true;
    return false;
}

int state_cursor(int argc, char **argv)
{
    struct state_words words = state_verb_parse(&command, argc, argv, 1, 3, false);
    bool drops = strcmp(words.words[0], "drop") == 0;
    struct engine *engine = NULL;
    struct err err;
    int status = EXIT_OK;
    if (!drops && strcmp(words.words[0], "list") != 0)
        options_fail(&command, "%s: not list or drop", words.words[0]);
    if (words.count != (drops ? 3 : 1))
        options_fail(&command, drops ? "drop takes a kind and a name" : "list takes no name");
    if (drops && !is_kind(words.words[1]))
        options_fail(&command, "%s: not every or poll", words.words[1]);
    if (drops && home_check_name(words.words[2], &err) < 0)
        options_fail(&command, "%s: %s", words.words[2], err.text);
    struct store *store = drops || state_verb_exists() ? state_verb_open(&engine, &status) : NULL;
    if (store)
        status = drops ? drop(store, words.words[1], words.words[2]) : list(store);
    engine_free(engine);
    free(words.words);
    return status;
}
