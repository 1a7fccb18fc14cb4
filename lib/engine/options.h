/*
 * options.h: a command line, read from tables that are also its help, its page and its completions.
 *
 * A command describes itself once, in a struct command: what it is for, its operands, and groups of
 * options. options_parse reads the words from left to right and hands each option and operand to
 * the callback of its group in the order in which they stand, so that an option may belong to the
 * operand before it. Values arrive as text; the callbacks read them with base/num.h. Nothing in the
 * environment changes how options are read (POSIXLY_CORRECT and popt's files are not heeded).
 *
 * Long options take "--name value" and "--name=value", letters "-n value" and "-nvalue", flags may
 * be bundled ("-uv"); "--" ends the options. Every option stands in a table: --help, -h, --version
 * and the hidden --dump-options (options_dump.h) are built in, and added everywhere.
 *
 * options.c alone sees popt.h. Strings that callbacks and options_words receive live as long as the
 * process (a process has one command line), so they may be kept without a copy.
 */
#ifndef FIT_ENGINE_OPTIONS_H
#define FIT_ENGINE_OPTIONS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * One option. arg says what kind of value follows, and so what is completed: FILE and DIR paths,
 * FUNCTION a command, words with a bar ("now|soon") themselves; DUR, SIZE, RATE, N, JQ, NAME and
 * others nothing.
 */
struct option_entry {
    const char *name; /* without its dashes; NULL ends a table */
    char letter;      /* the short form, or 0 */
    int id;           /* what the group's set receives */
    const char *arg;  /* NULL: a flag */
    const char *help; /* a few words, the default in brackets at the end; NULL: hidden */
    const char *more; /* further sentences for the page, or NULL */
};

struct option_group {
    const char *title; /* "Calling functions" */
    const struct option_entry *entries;
    /* Take one option; arg is NULL for a flag. The text of err is only the cause ("too large");
     * with ERR_SYSTEM and ERR_NOT_USABLE it is all that is said, and the value is not repeated. */
    int (*set)(void *into, int id, const char *arg, struct err *err);
};

/* A group that a command takes, and the struct that the group's set fills. */
struct option_use {
    const struct option_group *group; /* NULL ends a list */
    void *into;
};

/* A verb of a command that has several, each with a command line of its own ("queue push"). */
struct option_verb {
    const char *name;                  /* NULL ends a list */
    int (*run)(int argc, char **argv); /* argv[0] is the verb */
};

enum option_operands {
    OPTIONS_STOP_AT_WORD, /* options end at the first operand: a function's words follow */
    OPTIONS_ANYWHERE,     /* options and operands may be mixed; each operand goes to operand() */
};

struct command {
    const char *name;
    const char *summary;      /* one line, lower case, no full stop: as on the page */
    const char *purpose;      /* the heading under which `fit` lists it: "Composition" */
    const char *const *usage; /* what follows the name, one form each, ended by NULL */
    const char *const *notes; /* lines at the end of the help, ended by NULL; or NULL */
    const struct option_use *uses;
    const struct option_verb *verbs; /* NULL: it has none */
    /* For one of several forms of a command (options_form.h), else NULL: its option ("--topic"),
     * and the groups of all forms. */
    const char *form;
    const struct option_use *elsewhere;
    enum option_operands operands;
    const char *operand_arg; /* what an operand is, as option_entry.arg: FUNCTION, FILE; or NULL */
    /* For OPTIONS_ANYWHERE: take one operand. As option_group.set. */
    int (*operand)(void *into, const char *word, struct err *err);
    void *operand_into;
};

enum {
    OPTIONS_VALUE_SHOWN = 60, /* bytes of a value that an error repeats; the rest becomes "..." */
};

/* What stood behind the options (OPTIONS_STOP_AT_WORD): part of argv, ended by NULL. */
struct options_words {
    char **words;
    size_t count;
    bool separated; /* a "--" stood before them */
};

enum options_outcome { OPTIONS_READ, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_DUMP, OPTIONS_WRONG };

/*
 * Read argv[1..]. Stops at the first error, --help, --version or --dump-options; *dump then holds
 * the format's name. OPTIONS_WRONG fills err with ERR_USAGE: "--jobs: 010: a leading zero".
 */
enum options_outcome options_read(const struct command *command, int argc, char **argv,
                                  struct options_words *words, const char **dump, struct err *err);

/*
 * The same for a main: names the command in messages (msg_init), shows help, version and dumps on
 * stdout and exits 0 (1 when stdout fails), reports an error and exits 2. Warns when the words are
 * a FUNCTION's, hold one of the command's own long options, and no "--" stood before them.
 */
struct options_words options_parse(const struct command *command, int argc, char **argv);

/* The words behind the name, as options_parse was given them; none before. */
char *const *options_line(void);
/* They begin there: operands stood before what options_parse was given. */
void options_line_begins(char *const *words);

/* Say what is wrong with the operands and how to get help, and exit 2. */
_Noreturn void options_fail(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The main of a command with verbs: the verb's exit status. Without one the command's own help,
 * version and dumps are at hand, and everything else is said to lack a verb (exit 2).
 */
int options_run_verb(const struct command *command, int argc, char **argv);

/*
 * A verb's command line: the name of what it is about (thing: "queue"), then its options. As
 * options_parse; says what is wrong with the name and exits 2. Functions, letters and messages are
 * told of the command `owner` from then on. name NULL: the verb takes none.
 */
struct options_words options_parse_named(const struct command *command, int argc, char **argv,
                                         const char *owner, const char *thing, const char **name);

/* The i-th group of the command: those it uses, then the built-in one, then NULL. */
const struct option_group *options_group(const struct command *command, size_t i);

/* The first of words[1..] that is a long option of the command, or NULL. */
const char *options_find_taken(const struct command *command, char *const *words, size_t count);

/* For set callbacks: 0 when reason (of a function of base/num.h) is NULL, else -1 with it in err.
 */
int options_check(const char *reason, struct err *err);
/* For them, too: which of the words (ended by NULL) arg is; -1 with "not a, b or c" in err. */
int options_choice(const char *const *words, const char *arg, struct err *err);

#endif
