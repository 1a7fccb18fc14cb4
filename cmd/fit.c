/* fit.c: the umbrella command: finds the fittings, runs them, and shows what they are for. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/msg.h"
#include "engine/engine.h"
#include "engine/options.h"
#include "engine/suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ID_EXEC_PATH = 1, WIDTH = 79 };

static bool exec_path_asked;

static int set_option(void *into, int id, const char *arg, struct err *err)
{
    (void)into;
    (void)arg;
    (void)err;
    exec_path_asked = id == ID_EXEC_PATH;
    return 0;
}

static const struct option_entry entries[] = {
    {"exec-path", 0, ID_EXEC_PATH, NULL, "print the folder of the commands",
     "With PATH=\"$(fit --exec-path):$PATH\" a script calls the commands by their bare names."},
    {0},
};
static const struct option_group group = {"Options", entries, set_option};
static const struct command command = {
    .name = "fit",
    .summary = "pipe fittings for functions: run one of them, or list them all",
    .purpose = "",
    .usage =
        (const char *const[]){"[--exec-path] [COMMAND [ARGUMENT...]]", "help [COMMAND|PAGE]", NULL},
    .notes = (const char *const[]){"Without a command: a list of the commands.", NULL},
    .uses = (const struct option_use[]){{&group, NULL}, {0}},
    .operand_arg = "COMMAND",
};

/* All of text on stdout; text is freed. */
static int print_take(struct buf *text)
{
    bool written = fwrite(text->data, 1, text->len, stdout) == text->len && fflush(stdout) == 0;
    if (!written)
        msg_error("write to standard output: %s", strerror(errno));
    buf_free(text);
    return written ? EXIT_OK : EXIT_FITTING;
}

static int show_exec_path(const struct suite *suite)
{
    struct buf text = {0};
    buf_addf(&text, "%s\n", suite->exec_path);
    return print_take(&text);
}

static int show_overview(struct suite *suite)
{
    suite_summarise(suite, environ);
    size_t widest = 0;
    for (size_t i = 0; i < suite->count; i++) {
        size_t len = strlen(suite->commands[i].name);
        widest = len > widest ? len : widest;
    }
    struct buf text = {0};
    buf_puts(&text, "fittings: pipe fittings for functions\n"
                    "usage: fit COMMAND [ARGUMENT...]\n");
    const char *purpose = NULL;
    for (size_t i = 0; i < suite->count; i++) {
        const struct suite_command *each = &suite->commands[i];
        if (!purpose || strcmp(purpose, each->purpose) != 0)
            buf_addf(&text, "\n%s:\n", *each->purpose ? each->purpose : "Other");
        purpose = each->purpose;
        if (!*each->summary)
            buf_addf(&text, "  %s\n", each->name);
        else
            buf_addf(&text, "  %-*s  %.*s\n", (int)widest, each->name, (int)(WIDTH - widest - 4),
                     each->summary);
    }
    buf_puts(&text, "\nfit COMMAND --help   its options, on one screen\n"
                    "fit help COMMAND     its page; also of fittings, fit-function, fit-state\n"
                    "PATH=\"$(fit --exec-path):$PATH\" gives a script the bare names\n");
    return print_take(&text);
}

static int refuse(const struct suite *suite, const char *name, const char *what)
{
    const char *nearest = suite_nearest(suite, name);
    if (nearest)
        msg_error("%s: %s (did you mean %s?)", name, what, nearest);
    else
        msg_error("%s: %s; 'fit' lists the commands", name, what);
    return EXIT_NOT_FOUND;
}

static int run(const struct suite *suite, char **words)
{
    char *path = suite_find(suite, words[0]);
    if (!path)
        return refuse(suite, words[0], "no such command");
    execv(path, words);
    msg_error("execute %s: %s", path, strerror(errno));
    free(path);
    return EXIT_CANNOT_EXECUTE;
}

/* Show a page with whatever reader there is: these return only when the reader is missing. */
static void read_page(char *page)
{
    char manual[] = "man", mandoc[] = "mandoc", local[] = "-l", pager[] = "-a";
    execvp(manual, (char *[]){manual, local, page, NULL});
    execvp(mandoc, (char *[]){mandoc, pager, page, NULL});
}

static int show_help(struct suite *suite, char *name)
{
    char *page = suite_page(name);
    if (page)
        read_page(page);
    char *path = suite_find(suite, name);
    bool has_page = page, has_command = path;
    free(page);
    free(path);
    char help[] = "--help";
    if (has_command)
        return run(suite, (char *[]){name, help, NULL});
    if (strcmp(name, "fit") == 0 || strcmp(name, "help") == 0)
        return show_overview(suite);
    if (!has_page)
        return refuse(suite, name, "no such command or page");
    msg_error("%s: a page needs man or mandoc to be shown, and neither is installed", name);
    return EXIT_FITTING;
}

static int act(struct suite *suite, const struct options_words *words)
{
    if (exec_path_asked)
        return show_exec_path(suite);
    if (!words->count)
        return show_overview(suite);
    if (strcmp(words->words[0], "help") != 0)
        return run(suite, words->words);
    return words->count > 1 ? show_help(suite, words->words[1]) : show_overview(suite);
}

int main(int argc, char **argv)
{
    struct options_words words = options_parse(&command, argc, argv);
    struct suite suite;
    struct err err;
    int status = EXIT_FITTING;
    if (suite_open(&suite, getenv("FIT_EXEC_PATH"), &err) < 0)
        msg_error("%s", err.text);
    else
        status = act(&suite, &words);
    suite_close(&suite);
    return status;
}
