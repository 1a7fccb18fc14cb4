/* options_form.c: commands whose command line has one of several forms. */
#include "engine/options_form.h"

static const struct option_entry *find(const struct option_use *uses, struct str name, char letter)
{
    for (; uses && uses->group; uses++) {
        for (const struct option_entry *entry = uses->group->entries; entry->name; entry++) {
            if (name.len ? str_eq(name, str_of(entry->name)) : letter && entry->letter == letter)
                return entry;
        }
    }
    return NULL;
}

bool options_elsewhere(const struct command *command, struct str name, char letter)
{
    return find(command->elsewhere, name, letter);
}

/* Does the value of the last of bundled letters stand in the next word? */
static bool wants_next(const struct option_use *uses, const char *letters)
{
    const struct option_entry *entry = NULL;
    for (; *letters; letters++) {
        entry = find(uses, (struct str){0}, *letters);
        if (!entry || entry->arg)
            break;
    }
    return entry && entry->arg && *letters && !letters[1];
}

size_t options_span(const struct command *command, char *const *words, size_t count,
                    const char **name)
{
    const char *word = words[0];
    *name = NULL;
    if (word[0] != '-' || !word[1])
        return 1;
    if (word[1] != '-')
        return 1 + (count > 1 && wants_next(command->uses, word + 1));
    struct str written = {word + 2, strcspn(word + 2, "=")};
    const struct option_entry *entry = find(command->uses, written, 0);
    if (!entry)
        return 1;
    *name = entry->name;
    return 1 + (count > 1 && entry->arg && !word[2 + written.len]);
}

const struct option_verb *options_form(const struct command *command,
                                       const struct option_verb *forms, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (word[0] != '-' || !word[1] || strcmp(word, "--") == 0)
            break;
        if (word[1] != '-') {
            i += wants_next(command->uses, word + 1);
            continue;
        }
        struct str name = {word + 2, strcspn(word + 2, "=")};
        for (const struct option_verb *form = forms; form->name; form++) {
            if (str_eq(name, str_of(form->name)))
                return form;
        }
        const struct option_entry *entry = find(command->uses, name, 0);
        i += entry && entry->arg && !word[2 + name.len];
    }
    return NULL;
}
