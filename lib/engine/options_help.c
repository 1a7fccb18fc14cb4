/* options_help.c: the --help of a command, from its tables. */
#include "engine/options_help.h"

#include <ctype.h>

enum {
    WIDTH = 79,       /* longer help texts go on in the next line */
    NAME_COLUMN = 26, /* where the help texts begin; a longer name pushes its own text down */
};

static void pad_to(struct buf *out, size_t line_start, size_t column)
{
    if (out->len - line_start >= column) {
        buf_addc(out, '\n');
        line_start = out->len;
    }
    while (out->len - line_start < column)
        buf_addc(out, ' ');
}

/* Words of text from the current column on, wrapped at WIDTH and indented to column. */
static void add_wrapped(struct buf *out, size_t at, size_t column, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, " ");
        if (at + len > WIDTH && at > column) {
            out->len--; /* the blank before the word that does not fit */
            buf_addc(out, '\n');
            for (at = 0; at < column; at++)
                buf_addc(out, ' ');
        }
        buf_add(out, text, len);
        at += len;
        text += len;
        if (*text) {
            buf_addc(out, *text++);
            at++;
        }
    }
    buf_addc(out, '\n');
}

static void add_entry(struct buf *out, const struct option_entry *entry)
{
    size_t start = out->len;
    if (entry->letter)
        buf_addf(out, "  -%c, ", entry->letter);
    else
        buf_puts(out, "      ");
    buf_addf(out, "--%s", entry->name);
    if (entry->arg)
        buf_addf(out, " %s", entry->arg);
    pad_to(out, start, NAME_COLUMN);
    add_wrapped(out, NAME_COLUMN, NAME_COLUMN, entry->help);
}

static void add_usage(struct buf *out, const struct command *command)
{
    for (const char *const *form = command->usage; *form; form++) {
        size_t start = out->len;
        buf_addf(out, "%s %s ", form == command->usage ? "usage:" : "      ", command->name);
        size_t column = out->len - start;
        add_wrapped(out, column, column, *form);
    }
}

void options_help(const struct command *command, struct buf *out)
{
    add_usage(out, command);
    buf_addc(out, (char)toupper((unsigned char)command->summary[0]));
    add_wrapped(out, 1, 0, command->summary + 1);
    const struct option_group *group;
    for (size_t i = 0; (group = options_group(command, i)); i++) {
        buf_addf(out, "\n%s:\n", group->title);
        for (const struct option_entry *entry = group->entries; entry->name; entry++) {
            if (entry->help)
                add_entry(out, entry);
        }
    }
    if (command->notes)
        buf_addc(out, '\n');
    for (const char *const *note = command->notes; note && *note; note++)
        add_wrapped(out, 0, 0, *note);
    buf_addf(out, "\nMore: fit help %s\n", command->name);
}
