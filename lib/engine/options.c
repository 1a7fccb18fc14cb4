/* options.c: a command line, read from tables; the only file that sees popt.h. */
#include "engine/options.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/options_dump.h"
#include "engine/options_form.h"

#include <popt.h>
#include <stdlib.h>

/*
 * popt puts the next operand in the place of this text inside a value, and deletes that operand.
 * While popt reads, the text's first byte is therefore replaced by one that no word contains.
 */
static const char POPT_SUBSTITUTION[] = "!#:+";

enum { ID_HELP = 1, ID_VERSION, ID_DUMP };

static const struct option_entry builtin_entries[] = {
    {"help", 'h', ID_HELP, NULL, "show this help", NULL},
    {"version", 0, ID_VERSION, NULL, "show the version", NULL},
    {"dump-options", 0, ID_DUMP, "mdoc|bash|zsh|fish|json|summary", NULL, NULL},
    {0},
};

static const struct option_group builtin = {"Help", builtin_entries, NULL};

/* What popt calls option number i + 1. */
struct place {
    const struct option_use *use;
    const struct option_entry *entry;
};

struct reading {
    const struct command *command;
    const char **words; /* argv for popt, with the substitution masked */
    char mask;          /* the byte in place of its '!', or 0 when no word holds it */
    struct poptOption *options;
    struct place *places;
    const char **dump;
};

static struct {
    char **strings;
    size_t count;
} kept;

static char *keep_take(char *text)
{
    kept.strings = mem_realloc(kept.strings, (kept.count + 1) * sizeof *kept.strings);
    kept.strings[kept.count++] = text;
    return text;
}

int options_check(const char *reason, struct err *err)
{
    return reason ? err_set(err, ERR_USAGE, "%s", reason) : 0;
}

int options_choice(const char *const *words, const char *arg, struct err *err)
{
    struct buf wrong = {0};
    for (int i = 0; words[i]; i++) {
        if (strcmp(arg, words[i]) == 0) {
            buf_free(&wrong);
            return i;
        }
        buf_addf(&wrong, "%s%s", !i ? "not " : words[i + 1] ? ", " : " or ", words[i]);
    }
    err_set(err, ERR_USAGE, "%s", buf_cstr(&wrong));
    buf_free(&wrong);
    return -1;
}

const struct option_group *options_group(const struct command *command, size_t i)
{
    for (size_t at = 0;; at++) {
        if (!command->uses[at].group)
            return i == at ? &builtin : NULL;
        if (i == at)
            return command->uses[at].group;
    }
}

/* A control byte that stands in no word, so that what was masked is known again. */
static char unused_byte(int argc, char **argv)
{
    for (char byte = 1; byte < ' '; byte++) {
        int i = 1;
        while (i < argc && !strchr(argv[i], byte))
            i++;
        if (i == argc)
            return byte;
    }
    return 0;
}

static void mask_words(struct reading *reading, int argc, char **argv)
{
    reading->words = mem_array((size_t)argc + 1, sizeof *reading->words);
    reading->words[0] = reading->command->name;
    for (int i = 1; i < argc; i++) {
        reading->words[i] = argv[i];
        if (!strstr(argv[i], POPT_SUBSTITUTION))
            continue;
        if (!reading->mask)
            reading->mask = unused_byte(argc, argv);
        char *masked = keep_take(mem_strdup(argv[i]));
        for (char *p = masked; reading->mask && (p = strstr(p, POPT_SUBSTITUTION)); p++)
            *p = reading->mask;
        reading->words[i] = masked;
    }
}

static void add_option(struct reading *reading, size_t i, struct place place)
{
    const struct option_entry *entry = place.entry;
    reading->places[i] = place;
    reading->options[i] = (struct poptOption){
        .longName = entry->name,
        .shortName = entry->letter,
        .argInfo = entry->arg ? POPT_ARG_STRING : POPT_ARG_NONE,
        .val = (int)i + 1,
    };
}

static void build_tables(struct reading *reading)
{
    static const struct option_use builtin_use = {&builtin, NULL};
    size_t count = 0;
    for (const struct option_use *use = reading->command->uses; use->group; use++) {
        for (const struct option_entry *entry = use->group->entries; entry->name; entry++)
            count++;
    }
    count += sizeof builtin_entries / sizeof *builtin_entries;
    reading->options = mem_array(count, sizeof *reading->options);
    reading->places = mem_array(count, sizeof *reading->places);
    size_t at = 0;
    for (const struct option_use *use = reading->command->uses; use->group; use++) {
        for (const struct option_entry *entry = use->group->entries; entry->name; entry++)
            add_option(reading, at++, (struct place){use, entry});
    }
    for (const struct option_entry *entry = builtin_entries; entry->name; entry++)
        add_option(reading, at++, (struct place){&builtin_use, entry});
}

/* popt reads POSIXLY_CORRECT when its context is made. Functions still inherit it. */
static poptContext open_context(const struct reading *reading, int argc)
{
    unsigned flags = POPT_CONTEXT_NO_EXEC | POPT_CONTEXT_ARG_OPTS;
    if (reading->command->operands == OPTIONS_STOP_AT_WORD)
        flags |= POPT_CONTEXT_POSIXMEHARDER;
    const char *value = getenv("POSIXLY_CORRECT");
    char *saved = value ? mem_strdup(value) : NULL;
    unsetenv("POSIXLY_CORRECT");
    poptContext context = poptGetContext(NULL, argc, reading->words, reading->options, flags);
    if (saved)
        setenv("POSIXLY_CORRECT", saved, 1);
    free(saved);
    return context;
}

/* The value of the option or the operand that popt just returned; kept. */
static const char *next_value(const struct reading *reading, poptContext context)
{
    char *value = poptGetOptArg(context);
    if (!value)
        value = mem_strdup("");
    for (char *p = value; reading->mask && (p = strchr(p, reading->mask)); p++)
        *p = POPT_SUBSTITUTION[0];
    return keep_take(value);
}

static const char *shown(const char *value, char text[OPTIONS_VALUE_SHOWN + 4])
{
    size_t len = strlen(value);
    if (len <= OPTIONS_VALUE_SHOWN)
        return value;
    memcpy(text, value, OPTIONS_VALUE_SHOWN);
    size_t end = OPTIONS_VALUE_SHOWN;
    while (end && ((unsigned char)text[end] & 0xC0) == 0x80)
        end--;
    memcpy(text + end, "...", 4);
    return text;
}

static int wrong_value(const char *name, const char *value, struct err *err)
{
    struct err cause = *err;
    char text[OPTIONS_VALUE_SHOWN + 4];
    if (value && !*value)
        return err_set(err, ERR_USAGE, "%s: the value is empty", name);
    if (!value || cause.kind == ERR_SYSTEM || cause.kind == ERR_NOT_USABLE)
        return err_set(err, ERR_USAGE, "%s: %s", name, cause.text);
    return err_set(err, ERR_USAGE, "%s: %s: %s", name, shown(value, text), cause.text);
}

static const struct option_entry *entry_of_letter(const struct reading *reading, char letter)
{
    for (size_t i = 0; reading->places[i].entry; i++) {
        if (reading->places[i].entry->letter == letter)
            return reading->places[i].entry;
    }
    return NULL;
}

static const char *nearest_name(const struct reading *reading, const char *name)
{
    const char *best = NULL;
    size_t best_distance = strlen(name) / 3 + 2;
    for (size_t i = 0; reading->places[i].entry; i++) {
        const struct option_entry *entry = reading->places[i].entry;
        size_t distance = entry->help ? str_distance(name, entry->name) : best_distance;
        if (entry->help && name[0] && str_starts(str_of(entry->name), str_of(name)))
            distance = 1; /* cut short, as other programs would take it */
        if (distance < best_distance) {
            best = entry->name;
            best_distance = distance;
        }
    }
    return best;
}

static int unknown_option(const struct reading *reading, const char *word, struct err *err)
{
    char text[OPTIONS_VALUE_SHOWN + 4];
    if (word[1] != '-') {
        const char *letter = word + 1;
        while (letter[0] && letter[1] && entry_of_letter(reading, *letter))
            letter++;
        if (options_elsewhere(reading->command, (struct str){0}, *letter))
            return err_set(err, ERR_USAGE, "-%c: not with %s", *letter, reading->command->form);
        return err_set(err, ERR_USAGE, "-%c: unknown option", *letter);
    }
    struct buf name = {0};
    buf_add(&name, word + 2, strcspn(word + 2, "="));
    const char *nearest = nearest_name(reading, buf_cstr(&name));
    if (options_elsewhere(reading->command, buf_str(&name), 0))
        err_set(err, ERR_USAGE, "--%s: not with %s", buf_cstr(&name), reading->command->form);
    else if (nearest)
        err_set(err, ERR_USAGE, "--%s: unknown option (did you mean --%s?)",
                shown(buf_cstr(&name), text), nearest);
    else
        err_set(err, ERR_USAGE, "--%s: unknown option", shown(buf_cstr(&name), text));
    buf_free(&name);
    return -1;
}

static int popt_error(const struct reading *reading, int code, const char *word, struct err *err)
{
    if (code == POPT_ERROR_BADOPT)
        return unknown_option(reading, word, err);
    int name_len = (int)strcspn(word, "=");
    if (code == POPT_ERROR_NOARG)
        return err_set(err, ERR_USAGE, "%.*s: a value must follow", name_len, word);
    if (code == POPT_ERROR_UNWANTEDARG)
        return err_set(err, ERR_USAGE, "%.*s: takes no value", name_len, word);
    return err_set(err, ERR_USAGE, "%.*s: %s", name_len, word, poptStrerror(code));
}

static enum options_outcome take_builtin(struct reading *reading, int id, const char *value,
                                         struct err *err)
{
    if (id == ID_HELP)
        return OPTIONS_HELP;
    if (id == ID_VERSION)
        return OPTIONS_VERSION;
    *reading->dump = value;
    if (options_dump_knows(value))
        return OPTIONS_DUMP;
    err_set(err, ERR_USAGE, "unknown format");
    wrong_value("--dump-options", value, err);
    return OPTIONS_WRONG;
}

static enum options_outcome take_option(struct reading *reading, const struct place *place,
                                        const char *value, struct err *err)
{
    const struct option_group *group = place->use->group;
    if (group == &builtin)
        return take_builtin(reading, place->entry->id, value, err);
    if (value && !*value)
        err_set(err, ERR_USAGE, "empty");
    else if (group->set(place->use->into, place->entry->id, value, err) == 0)
        return OPTIONS_READ;
    struct buf name = {0};
    buf_addf(&name, "--%s", place->entry->name);
    wrong_value(buf_cstr(&name), value, err);
    buf_free(&name);
    return OPTIONS_WRONG;
}

static enum options_outcome take_operand(const struct command *command, const char *word,
                                         struct err *err)
{
    if (command->operands == OPTIONS_STOP_AT_WORD)
        return OPTIONS_READ;
    if (command->operand && command->operand(command->operand_into, word, err) == 0)
        return OPTIONS_READ;
    char text[OPTIONS_VALUE_SHOWN + 4];
    struct err cause = *err;
    err_set(err, ERR_USAGE, "%s: %s", shown(word, text),
            command->operand ? cause.text : "not an option, and operands are not taken");
    return OPTIONS_WRONG;
}

enum options_outcome options_read(const struct command *command, int argc, char **argv,
                                  struct options_words *words, const char **dump, struct err *err)
{
    struct reading reading = {.command = command, .dump = dump};
    mask_words(&reading, argc, argv);
    build_tables(&reading);
    poptContext context = open_context(&reading, argc);
    enum options_outcome outcome = OPTIONS_READ;
    size_t operands = 0;
    int code = -1;
    while (outcome == OPTIONS_READ && (code = poptGetNextOpt(context)) >= 0) {
        if (code == 0) {
            operands++;
            outcome = take_operand(command, next_value(&reading, context), err);
            continue;
        }
        const struct place *place = &reading.places[code - 1];
        const char *value = place->entry->arg ? next_value(&reading, context) : NULL;
        outcome = take_option(&reading, place, value, err);
    }
    if (outcome == OPTIONS_READ && code < -1) {
        popt_error(&reading, code, poptBadOption(context, POPT_BADOPTION_NOALIAS), err);
        outcome = OPTIONS_WRONG;
    }
    if (command->operands == OPTIONS_ANYWHERE)
        operands = 0;
    words->words = argv + argc - operands;
    words->count = operands;
    words->separated = operands && strcmp(words->words[-1], "--") == 0;
    poptFreeContext(context);
    free(reading.places);
    free(reading.options);
    free(reading.words);
    return outcome;
}
