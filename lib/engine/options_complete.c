/* options_complete.c: completion scripts for bash, zsh and fish from a command's tables. */
#include "engine/options_complete.h"

enum kind { KIND_OTHER, KIND_FILE, KIND_DIR, KIND_FUNCTION, KIND_WORDS };

/* The parts of "now|soon|N" that are words to be typed as they are, separated by blanks. */
static void add_choices(struct buf *out, const char *arg)
{
    size_t start = out->len;
    while (*arg) {
        size_t len = strcspn(arg, "|");
        if (len && strspn(arg, "abcdefghijklmnopqrstuvwxyz0123456789-") >= len) {
            if (out->len > start)
                buf_addc(out, ' ');
            buf_add(out, arg, len);
        }
        arg += len + (arg[len] == '|');
    }
}

static enum kind kind_of(const char *arg)
{
    if (!arg)
        return KIND_OTHER;
    struct str text = str_of(arg);
    if (str_starts(text, STR("FILE")))
        return KIND_FILE;
    if (str_starts(text, STR("DIR")))
        return KIND_DIR;
    if (str_starts(text, STR("FUNCTION")))
        return KIND_FUNCTION;
    struct buf choices = {0};
    add_choices(&choices, arg);
    enum kind kind = choices.len ? KIND_WORDS : KIND_OTHER;
    buf_free(&choices);
    return kind;
}

typedef void add_entry_fn(struct buf *out, const struct command *command,
                          const struct option_entry *entry);

static void each_entry(struct buf *out, const struct command *command, add_entry_fn *add)
{
    const struct option_group *group;
    for (size_t i = 0; (group = options_group(command, i)); i++) {
        for (const struct option_entry *entry = group->entries; entry->name; entry++) {
            if (entry->help)
                add(out, command, entry);
        }
    }
}

/* "fan-out" as a part of a shell function's name. */
static void add_identifier(struct buf *out, const char *name)
{
    for (; *name; name++)
        buf_addc(out, *name == '-' ? '_' : *name);
}

static void add_bash_names(struct buf *out, const struct command *command,
                           const struct option_entry *entry)
{
    (void)command;
    buf_addf(out, " --%s", entry->name);
}

static void add_bash_pattern(struct buf *out, const struct option_entry *entry)
{
    buf_addf(out, "--%s", entry->name);
    if (entry->letter)
        buf_addf(out, " | -%c", entry->letter);
}

static void add_bash_valued(struct buf *out, const struct command *command,
                            const struct option_entry *entry)
{
    (void)command;
    if (!entry->arg)
        return;
    buf_puts(out, " | ");
    add_bash_pattern(out, entry);
}

static void add_bash_action(struct buf *out, const char *arg)
{
    static const char *const actions[] = {
        [KIND_OTHER] = "",
        [KIND_FILE] = " -A file",
        [KIND_DIR] = " -A directory",
        [KIND_FUNCTION] = " -A command -A file",
        [KIND_WORDS] = "",
    };
    buf_puts(out, "reply");
    buf_puts(out, actions[kind_of(arg)]);
    if (kind_of(arg) == KIND_WORDS) {
        buf_puts(out, " -W '");
        add_choices(out, arg);
        buf_addc(out, '\'');
    }
}

static void add_bash_case(struct buf *out, const struct command *command,
                          const struct option_entry *entry)
{
    (void)command;
    if (kind_of(entry->arg) == KIND_OTHER)
        return;
    buf_puts(out, "    ");
    add_bash_pattern(out, entry);
    buf_puts(out, ") _fit_");
    add_bash_action(out, entry->arg);
    buf_puts(out, " ;;\n");
}

static void add_verbs(struct buf *out, const struct command *command)
{
    for (const struct option_verb *verb = command->verbs; verb->name; verb++)
        buf_addf(out, "%s%s", verb == command->verbs ? "" : " ", verb->name);
}

/* The verb comes first, then what it is about: neither ends the options. */
static void add_bash_verb(struct buf *out, const struct command *command)
{
    buf_puts(out, "    if ((i == COMP_CWORD)) && [[ $cur != -* ]]; then\n"
                  "        _fit_reply -W '");
    add_verbs(out, command);
    buf_puts(out, "'\n"
                  "        return\n"
                  "    fi\n"
                  "    [[ ${COMP_WORDS[i]} != -* ]] && ((++i))\n"
                  "    ((i < COMP_CWORD)) && [[ ${COMP_WORDS[i]} != -* ]] && ((++i))\n");
}

/* What follows the options: behind a verb a function where "--" says so, else perhaps a file. */
static void add_bash_operand(struct buf *out, const struct command *command)
{
    bool stops = command->operands == OPTIONS_STOP_AT_WORD;
    if (command->verbs) {
        buf_puts(out, "if [[ ${COMP_WORDS[i - 1]} == -- ]]; then _fit_");
        add_bash_action(out, "FUNCTION");
        buf_puts(out, "; else _fit_reply -A file; fi ;;\n");
        return;
    }
    buf_puts(out, stops ? "if ((i < COMP_CWORD)); then _fit_reply -A file; else _fit_" : "_fit_");
    add_bash_action(out, command->operand_arg);
    buf_puts(out, stops ? "; fi ;;\n" : " ;;\n");
}

void options_complete_bash(const struct command *command, struct buf *out)
{
    bool stops = command->operands == OPTIONS_STOP_AT_WORD;
    buf_addf(out, "# bash completion for %s, generated from its option tables\n", command->name);
    buf_puts(out, "_fit_reply() {\n"
                  "    compopt -o filenames 2>/dev/null\n"
                  "    (($#)) && mapfile -t COMPREPLY < <(compgen \"$@\" -- \"$cur\")\n"
                  "}\n"
                  "_fit_");
    add_identifier(out, command->name);
    buf_puts(out, "() {\n"
                  "    local cur=${COMP_WORDS[COMP_CWORD]} kind=word i=${FIT_COMPLETE_FROM:-1}\n");
    if (command->verbs)
        add_bash_verb(out, command);
    buf_puts(out, "    while ((i < COMP_CWORD)); do\n"
                  "        case ${COMP_WORDS[i]} in\n"
                  "        --)\n"
                  "            kind=operand\n"
                  "            ((++i))\n"
                  "            break\n"
                  "            ;;\n"
                  "        --=");
    each_entry(out, command, add_bash_valued);
    buf_puts(out, ")\n"
                  "            kind=${COMP_WORDS[i]}\n"
                  "            ((++i))\n"
                  "            [[ ${COMP_WORDS[i]} == = ]] && ((++i))\n"
                  "            ((i >= COMP_CWORD)) && break\n"
                  "            kind=word\n"
                  "            ;;\n");
    if (stops)
        buf_puts(out, "        -*) ;;\n"
                      "        *)\n"
                      "            kind=operand\n"
                      "            break\n"
                      "            ;;\n");
    buf_puts(out, "        esac\n"
                  "        ((++i))\n"
                  "    done\n"
                  "    [[ $cur == = ]] && cur=\n"
                  "    [[ $kind == word && $cur != -* ]] && kind=operand\n"
                  "    case $kind in\n");
    each_entry(out, command, add_bash_case);
    buf_puts(out, "    word) _fit_reply -W '");
    size_t start = out->len;
    each_entry(out, command, add_bash_names);
    memmove(out->data + start, out->data + start + 1, out->len - start - 1);
    out->len--;
    buf_puts(out, "' ;;\n    operand) ");
    add_bash_operand(out, command);
    buf_puts(out, "    esac\n}\ncomplete -F _fit_");
    add_identifier(out, command->name);
    buf_addf(out, " %s\n", command->name);
}

/* Text inside '...' of a shell; in brackets of zsh's _arguments ] and : are special. */
static void add_quoted(struct buf *out, const char *text, const char *special)
{
    for (; *text; text++) {
        if (*text == '\'')
            buf_puts(out, "'\\''");
        else if (strchr(special, *text))
            buf_addf(out, "\\%c", *text);
        else
            buf_addc(out, *text);
    }
}

static void add_zsh_action(struct buf *out, const char *arg)
{
    static const char *const actions[] = {
        [KIND_OTHER] = " ",       [KIND_FILE] = "_files",
        [KIND_DIR] = "_files -/", [KIND_FUNCTION] = "{ _command_names -e; _files }",
        [KIND_WORDS] = "",
    };
    buf_puts(out, actions[kind_of(arg)]);
    if (kind_of(arg) == KIND_WORDS) {
        buf_addc(out, '(');
        add_choices(out, arg);
        buf_addc(out, ')');
    }
}

static void add_zsh_entry(struct buf *out, const struct command *command,
                          const struct option_entry *entry)
{
    (void)command;
    buf_puts(out, " \\\n    ");
    if (entry->letter)
        buf_addf(out, "'(-%c --%s)'{-%c%s,--%s%s}", entry->letter, entry->name, entry->letter,
                 entry->arg ? "+" : "", entry->name, entry->arg ? "=" : "");
    else
        buf_addf(out, "--%s%s", entry->name, entry->arg ? "=" : "");
    buf_puts(out, "'[");
    add_quoted(out, entry->help, "[]:\\");
    buf_addc(out, ']');
    if (entry->arg) {
        buf_addc(out, ':');
        add_quoted(out, entry->arg, ":\\");
        buf_addc(out, ':');
        add_zsh_action(out, entry->arg);
    }
    buf_addc(out, '\'');
}

void options_complete_zsh(const struct command *command, struct buf *out)
{
    buf_addf(out, "#compdef %s\n", command->name);
    bool stops = command->operands == OPTIONS_STOP_AT_WORD && !command->verbs;
    buf_puts(out, stops ? "_arguments -s -S -A '-*'" : "_arguments -s -S");
    each_entry(out, command, add_zsh_entry);
    if (command->verbs) {
        buf_puts(out, " \\\n    '1:verb:(");
        add_verbs(out, command);
        buf_puts(out, ")' \\\n    '*:file:_files'");
    }
    if (command->operand_arg) {
        bool function = kind_of(command->operand_arg) == KIND_FUNCTION;
        buf_puts(out, " \\\n    '*:");
        if (function && stops)
            buf_puts(out, ":function:_normal");
        else {
            add_quoted(out, command->operand_arg, ":\\");
            buf_addc(out, ':');
            add_zsh_action(out, command->operand_arg);
        }
        buf_addc(out, '\'');
    }
    buf_addc(out, '\n');
}

static void add_fish_entry(struct buf *out, const struct command *command,
                           const struct option_entry *entry)
{
    static const char *const actions[] = {
        [KIND_OTHER] = " -x",
        [KIND_FILE] = " -r -F",
        [KIND_DIR] = " -x -a '(__fish_complete_directories)'",
        [KIND_FUNCTION] = " -x -a '(__fish_complete_command)'",
        [KIND_WORDS] = " -x -a '",
    };
    buf_addf(out, "complete -c %s", command->name);
    if (entry->letter)
        buf_addf(out, " -s %c", entry->letter);
    buf_addf(out, " -l %s", entry->name);
    if (entry->arg)
        buf_puts(out, actions[kind_of(entry->arg)]);
    if (kind_of(entry->arg) == KIND_WORDS) {
        add_choices(out, entry->arg);
        buf_addc(out, '\'');
    }
    buf_puts(out, " -d '");
    /* fish knows \' and \\ inside single quotes */
    for (const char *p = entry->help; *p; p++)
        buf_addf(out, "%s%c", *p == '\'' || *p == '\\' ? "\\" : "", *p);
    buf_puts(out, "'\n");
}

void options_complete_fish(const struct command *command, struct buf *out)
{
    buf_addf(out, "# fish completion for %s, generated from its option tables\n", command->name);
    if (command->verbs) {
        buf_addf(out, "complete -c %s -n 'not __fish_seen_subcommand_from ", command->name);
        add_verbs(out, command);
        buf_puts(out, "' -f -a '");
        add_verbs(out, command);
        buf_puts(out, "'\n");
    }
    if (kind_of(command->operand_arg) == KIND_FUNCTION)
        buf_addf(out, "complete -c %s -x -a '(__fish_complete_subcommand)'\n", command->name);
    each_entry(out, command, add_fish_entry);
}
