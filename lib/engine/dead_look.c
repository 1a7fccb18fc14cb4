/* dead_look.c: `dead list`, `show`, `count` and `drop`. */
#include "engine/dead_verb.h"

#include "base/mem.h"
#include "engine/engine.h"
#include "state/dead.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LOOK_TEXT = 256 * 1024, /* bytes gathered before they are printed: nothing is printed while the
                               store is being read */
    LOOK_ROUND = STORE_GROUP, /* letters removed by one commit */
};

static const struct option_use uses[] = {
    {&dead_selecting, &dead_options}, {&common_state, &dead_common}, {0}};

/* ---- printing ---- */

struct print {
    struct buf text;
    void (*add)(struct buf *text, const struct letter_seen *seen);
    uint64_t count;
    bool reader_gone;
};

static bool add_letter(void *owner, const struct letter_seen *seen)
{
    struct print *print = owner;
    print->count++;
    if (print->add)
        print->add(&print->text, seen);
    return print->text.len < LOOK_TEXT;
}

static int print_text(void *owner, struct err *err)
{
    struct print *print = owner;
    if (print->text.len && !print->reader_gone &&
        (fwrite(print->text.data, 1, print->text.len, stdout) < print->text.len ||
         fflush(stdout) != 0)) {
        if (errno != EPIPE)
            return err_sys(err, "write to standard output");
        print->reader_gone = true;
    }
    buf_clear(&print->text);
    return 0;
}

static int print_letters(struct print *print)
{
    int status = EXIT_OK;
    struct letters *letters = dead_verb_open(&dead_options.filter, &status);
    if (letters)
        status = dead_verb_each(letters, add_letter, print_text, print);
    letters_close(letters);
    return status;
}

/* ---- list ---- */

static const struct command list_command = {
    .name = "dead list",
    .summary = "one line of JSON for each dead letter",
    .usage = (const char *const[]){"[options] [NUMBER...]", NULL},
    .uses = uses,
    .operands = OPTIONS_ANYWHERE,
    .operand_arg = "NUMBER",
    .operand = dead_verb_operand,
    .operand_into = &dead_options.filter,
};

static void add_short(struct buf *text, const struct letter_seen *seen)
{
    static const enum letters_member shown[] = {LETTER_COMMAND, LETTER_REASON,  LETTER_FUNCTION,
                                                LETTER_STAGE,   LETTER_LAST_AT, LETTER_MESSAGE};
    buf_addf(text, "{\"letter\":%llu", (unsigned long long)seen->number);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        if (!seen->members[shown[i]].len)
            continue;
        buf_addf(text, ",\"%s\":", letters_names[shown[i]]);
        buf_add_str(text, seen->members[shown[i]]);
    }
    buf_puts(text, "}\n");
}

int dead_verb_list(int argc, char **argv)
{
    struct print print = {.add = add_short};
    dead_verb_parse(&list_command, argc, argv);
    int status = print_letters(&print);
    buf_free(&print.text);
    return status;
}

/* ---- show ---- */

static const struct command show_command = {
    .name = "dead show",
    .summary = "whole dead letters",
    .usage = (const char *const[]){"[options] [NUMBER...]", NULL},
    .uses = uses,
    .operands = OPTIONS_ANYWHERE,
    .operand_arg = "NUMBER",
    .operand = dead_verb_operand,
    .operand_into = &dead_options.filter,
};

/* The number stands last: who reads the event's own bytes looks for them in front (redrive.h). */
static void add_whole(struct buf *text, const struct letter_seen *seen)
{
    buf_add(text, seen->text.data, seen->text.len - 1);
    buf_addf(text, ",\"letter\":%llu}\n", (unsigned long long)seen->number);
}

int dead_verb_show(int argc, char **argv)
{
    struct print print = {.add = add_whole};
    dead_verb_parse(&show_command, argc, argv);
    int status = print_letters(&print);
    buf_free(&print.text);
    return status;
}

/* ---- count ---- */

static const struct command count_command = {
    .name = "dead count",
    .summary = "how many dead letters there are",
    .usage = (const char *const[]){"[options] [NUMBER...]", NULL},
    .uses = uses,
    .operands = OPTIONS_ANYWHERE,
    .operand_arg = "NUMBER",
    .operand = dead_verb_operand,
    .operand_into = &dead_options.filter,
};

int dead_verb_count(int argc, char **argv)
{
    struct print print = {0}, total = {0};
    struct err err;
    dead_verb_parse(&count_command, argc, argv);
    int status = print_letters(&print);
    if (status == EXIT_OK) {
        buf_addf(&total.text, "%llu\n", (unsigned long long)print.count);
        if (print_text(&total, &err) < 0)
            status = engine_refuse(&err);
    }
    buf_free(&total.text);
    return status;
}

/* ---- drop ---- */

static const struct option_use drop_uses[] = {{&dead_selecting, &dead_options},
                                              {&dead_dropping, &dead_options},
                                              {&common_state, &dead_common},
                                              {0}};

static const struct command drop_command = {
    .name = "dead drop",
    .summary = "remove dead letters, and the events in them",
    .usage = (const char *const[]){"[options] [NUMBER...]", NULL},
    .uses = drop_uses,
    .operands = OPTIONS_ANYWHERE,
    .operand_arg = "NUMBER",
    .operand = dead_verb_operand,
    .operand_into = &dead_options.filter,
};

struct drop {
    struct letters *letters;
    struct dead_op *removals;
    size_t count;
    struct err err;
    bool failed;
};

static void removed(struct store_op *op)
{
    struct drop *drop = op->owner;
    if (!op->err || drop->failed)
        return;
    drop->failed = true;
    drop->err = *op->err;
}

static bool gather(void *owner, const struct letter_seen *seen)
{
    struct drop *drop = owner;
    drop->removals[drop->count++] = (struct dead_op){
        .op = {.done = removed, .owner = drop}, .verb = DEAD_REMOVE, .number = seen->number};
    return drop->count < LOOK_ROUND;
}

static int remove_gathered(void *owner, struct err *err)
{
    struct drop *drop = owner;
    for (size_t i = 0; i < drop->count; i++)
        dead_submit(letters_store(drop->letters), &drop->removals[i]);
    if (drop->count)
        store_flush(letters_store(drop->letters));
    drop->count = 0;
    if (drop->failed)
        *err = drop->err;
    return drop->failed ? -1 : 0;
}

int dead_verb_drop(int argc, char **argv)
{
    int status = EXIT_OK;
    dead_verb_parse(&drop_command, argc, argv);
    const struct letters_filter *filter = &dead_options.filter;
    bool picks =
        filter->command || filter->reason || filter->match || filter->since || filter->count;
    if (!picks && !dead_options.all)
        options_fail(&drop_command, "drop which letters? (all of them: --all)");
    if (picks && dead_options.all)
        options_fail(&drop_command, "--all, and something that picks some");
    struct drop drop = {.letters = dead_verb_open(&dead_options.filter, &status),
                        .removals = mem_array(LOOK_ROUND, sizeof *drop.removals)};
    if (drop.letters)
        status = dead_verb_each(drop.letters, gather, remove_gathered, &drop);
    letters_close(drop.letters);
    free(drop.removals);
    return status;
}
