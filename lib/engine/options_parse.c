/* options_parse.c: the command line of a main, which ends where it says something. */
#include "engine/options.h"

#include "base/buf.h"
#include "base/msg.h"
#include "engine/engine.h"
#include "engine/options_dump.h"
#include "engine/options_help.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *const no_words[] = {NULL};
static char *const *line = no_words;

void options_line_begins(char *const *words)
{
    line = words;
}

char *const *options_line(void)
{
    return line;
}

const char *options_find_taken(const struct command *command, char *const *words, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (words[i][0] != '-' || words[i][1] != '-')
            continue;
        struct str name = {words[i] + 2, strcspn(words[i] + 2, "=")};
        const struct option_group *group;
        for (size_t g = 0; (group = options_group(command, g)); g++) {
            for (const struct option_entry *entry = group->entries; entry->name; entry++) {
                if (str_eq(name, str_of(entry->name)))
                    return words[i];
            }
        }
    }
    return NULL;
}

_Noreturn static void fail_with(const struct command *command, const char *text)
{
    msg_error("%s", text);
    struct buf hint = {0};
    /* The bare name may be that of a command of the system: route(8). */
    const char *umbrella = strcmp(command->name, "fit") == 0 ? "" : "fit ";
    buf_addf(&hint, "try '%s%s --help'\n", umbrella, command->name);
    msg_raw(buf_str(&hint));
    exit(EXIT_USAGE);
}

void options_fail(const struct command *command, const char *format, ...)
{
    struct buf text = {0};
    va_list args;
    va_start(args, format);
    buf_addfv(&text, format, args);
    va_end(args);
    fail_with(command, buf_cstr(&text));
}

/* All of text on stdout, then the end of the process: 0, or 1 when it could not be written. */
_Noreturn static void show(struct buf *text)
{
    size_t done = 0;
    while (done < text->len) {
        ssize_t wrote = write(STDOUT_FILENO, text->data + done, text->len - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0) {
            msg_error("write to standard output: %s", strerror(errno));
            exit(EXIT_FITTING);
        }
        done += (size_t)wrote;
    }
    exit(EXIT_OK);
}

struct options_words options_parse(const struct command *command, int argc, char **argv)
{
    msg_init(command->name);
    line = argc > 0 ? argv + 1 : argv;
    struct options_words words;
    const char *dump = NULL;
    struct err err = {0};
    struct buf text = {0};
    switch (options_read(command, argc, argv, &words, &dump, &err)) {
    case OPTIONS_READ:
        break;
    case OPTIONS_HELP:
        options_help(command, &text);
        show(&text);
    case OPTIONS_VERSION:
        buf_addf(&text, "%s (fittings) %s\n", command->name, FIT_VERSION);
        show(&text);
    case OPTIONS_DUMP:
        options_dump(command, dump, &text);
        show(&text);
    case OPTIONS_WRONG:
        fail_with(command, err.text);
    }
    const char *taken = NULL;
    if (!words.separated && command->operand_arg && strcmp(command->operand_arg, "FUNCTION") == 0)
        taken = options_find_taken(command, words.words, words.count);
    if (taken)
        msg_warn("%s stands behind the function and is given to it; put -- before the function "
                 "to say that this is meant",
                 taken);
    return words;
}
