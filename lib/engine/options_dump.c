/* options_dump.c: a command's tables in the forms that other programs read. */
#include "engine/options_dump.h"

#include "engine/options_complete.h"

#include <ctype.h>

enum { MDOC_WIDTH = 78 }; /* a longer source line of a page is a warning of mandoc -Tlint */

/* Words of a sentence as lines of a page; a word that looks like a macro is protected. */
static void add_mdoc_sentence(struct buf *out, struct str text)
{
    size_t column = 0;
    while (text.len) {
        const char *blank = memchr(text.data, ' ', text.len);
        size_t len = blank ? (size_t)(blank - text.data) : text.len;
        if (column && column + 1 + len > MDOC_WIDTH) {
            buf_addc(out, '\n');
            column = 0;
        }
        if (column++)
            buf_addc(out, ' ');
        if (text.data[0] == '.' || text.data[0] == '\'')
            buf_puts(out, "\\&");
        for (size_t i = 0; i < len; i++) {
            if (text.data[i] == '\\')
                buf_puts(out, "\\e");
            else if (text.data[i] == '-' && len > 1)
                buf_puts(out, "\\-");
            else
                buf_addc(out, text.data[i]);
        }
        column += len;
        text = (struct str){text.data + len, text.len - len};
        while (text.len && text.data[0] == ' ')
            text = (struct str){text.data + 1, text.len - 1};
    }
    buf_addc(out, '\n');
}

static void add_mdoc_sentences(struct buf *out, const char *text)
{
    while (*text) {
        const char *end = strstr(text, ". ");
        size_t len = end ? (size_t)(end - text) + 1 : strlen(text);
        add_mdoc_sentence(out, (struct str){text, len});
        text += len;
        text += strspn(text, " ");
    }
}

/* "a few words [default]" as sentences: "A few words. The default is default." */
static void add_mdoc_help(struct buf *out, const char *help)
{
    struct str text = str_of(help), value = {0};
    const char *open = strrchr(help, '[');
    if (open && open > help && str_ends(text, STR("]"))) {
        value = (struct str){open + 1, text.len - (size_t)(open - help) - 2};
        text = str_trim((struct str){help, (size_t)(open - help)});
    }
    struct buf sentence = {0};
    buf_add_str(&sentence, text);
    sentence.data[0] = (char)toupper((unsigned char)sentence.data[0]);
    buf_addc(&sentence, '.');
    add_mdoc_sentence(out, buf_str(&sentence));
    if (value.len) {
        buf_clear(&sentence);
        buf_puts(&sentence, "The default is ");
        buf_add_str(&sentence, value);
        buf_addc(&sentence, '.');
        add_mdoc_sentence(out, buf_str(&sentence));
    }
    buf_free(&sentence);
}

static void add_mdoc_entry(struct buf *out, const struct option_entry *entry)
{
    buf_puts(out, ".It ");
    if (entry->letter)
        buf_addf(out, "Fl %c , ", entry->letter);
    buf_puts(out, "Fl \\-");
    for (const char *p = entry->name; *p; p++)
        buf_addf(out, "%s%c", *p == '-' ? "\\" : "", *p);
    if (entry->arg)
        buf_addf(out, " Ar %s", entry->arg);
    buf_addc(out, '\n');
    add_mdoc_help(out, entry->help);
    if (entry->more)
        add_mdoc_sentences(out, entry->more);
}

static void dump_mdoc(const struct command *command, struct buf *out)
{
    const struct option_group *group;
    for (size_t i = 0; (group = options_group(command, i)); i++) {
        buf_addf(out, ".Ss %s\n.Bl -tag -width Ds\n", group->title);
        for (const struct option_entry *entry = group->entries; entry->name; entry++) {
            if (entry->help)
                add_mdoc_entry(out, entry);
        }
        buf_puts(out, ".El\n");
    }
}

static void add_json_member(struct buf *out, const char *name, const char *text)
{
    buf_addf(out, ",\"%s\":", name);
    if (text)
        buf_add_json(out, str_of(text));
    else
        buf_puts(out, "null");
}

static void add_json_entry(struct buf *out, const struct option_entry *entry)
{
    const char letter[2] = {entry->letter, 0};
    buf_puts(out, "{\"name\":");
    buf_add_json(out, str_of(entry->name));
    add_json_member(out, "letter", entry->letter ? letter : NULL);
    add_json_member(out, "arg", entry->arg);
    add_json_member(out, "help", entry->help);
    add_json_member(out, "more", entry->more);
    buf_addc(out, '}');
}

static void dump_json(const struct command *command, struct buf *out)
{
    buf_puts(out, "{\"name\":");
    buf_add_json(out, str_of(command->name));
    add_json_member(out, "version", FIT_VERSION);
    add_json_member(out, "summary", command->summary);
    add_json_member(out, "purpose", command->purpose);
    buf_puts(out, ",\"usage\":[");
    for (const char *const *form = command->usage; *form; form++) {
        buf_puts(out, form == command->usage ? "" : ",");
        buf_add_json(out, str_of(*form));
    }
    buf_puts(out, "]");
    add_json_member(out, "options_end",
                    command->operands == OPTIONS_STOP_AT_WORD ? "first-word" : "never");
    add_json_member(out, "operand", command->operand_arg);
    buf_puts(out, ",\"groups\":[");
    const struct option_group *group;
    for (size_t i = 0; (group = options_group(command, i)); i++) {
        buf_puts(out, i ? ",{\"title\":" : "{\"title\":");
        buf_add_json(out, str_of(group->title));
        buf_puts(out, ",\"options\":[");
        bool first = true;
        for (const struct option_entry *entry = group->entries; entry->name; entry++) {
            if (!entry->help)
                continue;
            buf_puts(out, first ? "" : ",");
            add_json_entry(out, entry);
            first = false;
        }
        buf_puts(out, "]}");
    }
    buf_puts(out, "]}\n");
}

static void dump_summary(const struct command *command, struct buf *out)
{
    buf_addf(out, "%s\t%s\n", command->purpose, command->summary);
}

static const struct {
    const char *name;
    void (*dump)(const struct command *command, struct buf *out);
} formats[] = {
    {"mdoc", dump_mdoc},           {"bash", options_complete_bash},
    {"zsh", options_complete_zsh}, {"fish", options_complete_fish},
    {"json", dump_json},           {"summary", dump_summary},
};

bool options_dump_knows(const char *format)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (strcmp(format, formats[i].name) == 0)
            return true;
    }
    return false;
}

void options_dump(const struct command *command, const char *format, struct buf *out)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (strcmp(format, formats[i].name) == 0)
            formats[i].dump(command, out);
    }
}
