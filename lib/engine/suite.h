/*
 * suite.h: the fittings that are installed, as a folder shows them.
 *
 * The suite is whatever executables stand in the exec path: there is no list of names. Each says
 * itself what it is for (--dump-options=summary). An installation may be moved as a whole: folders
 * are first looked for beside the running program's own.
 */
#ifndef FIT_ENGINE_SUITE_H
#define FIT_ENGINE_SUITE_H

#include "base/err.h"

#include <stddef.h>

enum {
    SUITE_SUMMARY_MAX = 512,   /* bytes of a summary; what is longer is cut */
    SUITE_SUMMARY_WAIT = 2000, /* milliseconds for a command to say its summary, else it has none */
};

struct suite_command {
    char *name;
    char *purpose; /* the heading it stands under; "" when it says none */
    char *summary;
};

struct suite {
    char *exec_path;
    struct suite_command *commands; /* sorted by name; with summaries by purpose, then name */
    size_t count;
};

/*
 * Where the commands are: exec_path (the value of FIT_EXEC_PATH, or NULL or "" for none), else
 * ../libexec/fittings or ../fittings beside the running program, else where make install puts them.
 * -1 with ERR_NOT_FOUND when that folder cannot be read.
 */
int suite_open(struct suite *suite, const char *exec_path, struct err *err);
void suite_close(struct suite *suite);

/* Ask each command for its purpose and summary, and sort by them. */
void suite_summarise(struct suite *suite, char *const *environment);

/* The path of a command, the caller's to free, or NULL when there is no such command. */
char *suite_find(const struct suite *suite, const char *name);

/* The command whose name is nearest to a mistyped one, or NULL when none is near. */
const char *suite_nearest(const struct suite *suite, const char *name);

/* The file of a manual page of any section, the caller's to free, or NULL. */
char *suite_page(const char *name);

#endif
