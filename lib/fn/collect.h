/*
 * collect.h: what a function prints, gathered until it is known to be a result.
 *
 * Bytes come in as they are read; lines are validated as they become whole. Nothing of it is given
 * out before the call has succeeded, so it has to wait: up to FN_SPILL bytes in memory, beyond that
 * in an unlinked temporary file. Internal to lib/fn.
 */
#ifndef FIT_FN_COLLECT_H
#define FIT_FN_COLLECT_H

#include "base/block.h"
#include "base/buf.h"
#include "base/err.h"
#include "fn/failure.h"

#include <stdbool.h>

struct collect {
    struct buf bytes; /* gathered and not spilled; the lines before `checked` are valid */
    size_t checked;
    size_t searched; /* no LF stands between checked and it */
    size_t total;    /* bytes ever gathered */
    size_t lines;    /* whole lines that are results */
    size_t limit;
    bool text;
    bool document; /* set after collect_init: all of it may be one value, on any number of lines; it
                      stays in memory */
    bool clean;    /* the bytes are results as they are: no blank line, no CR so far */
    int spill;     /* the temporary file, -1: none */
    size_t spilled;
    bool in_long; /* a line begun is itself too long for memory: its start is in the file, at
                     long_at */
    size_t long_at;
    const char *temp_dir; /* borrowed */
    struct err bad;       /* kind is ERR_NONE while all is well */
};

void collect_init(struct collect *collect, size_t limit, bool text, const char *temp_dir);
void collect_free(struct collect *collect);

/* Where the next bytes go. */
char *collect_space(struct collect *collect, size_t *room);
/* -1 when the results became too large: collect->bad says so. Bad lines are only remembered; the
 * function may go on. */
int collect_filled(struct collect *collect, size_t count);

/*
 * No more comes. Sets *lines (the caller's reference; each line has its LF) and *count. -1 with err
 * when it is no result. In either case the collect is empty afterwards and begins anew.
 */
int collect_finish(struct collect *collect, struct slice *lines, size_t *count, struct err *err);

/* What collect_finish, collect_filled or collect_spill says, as the end of an attempt. A result
 * that is none is the function's fault, one that is too large for good; a temporary file that
 * cannot be written is ours. */
struct failure *collect_failure(const struct err *err);

/* If what was gathered is one JSON object with "errorType" and "errorMessage", its text (borrowed),
 * else {NULL, 0}. */
struct str collect_error_object(struct collect *collect);

/* Lines that are too large to wait in memory: copied to a temporary file and mapped. -1 with err.
 */
int collect_spill(struct str bytes, const char *temp_dir, struct slice *lines, struct err *err);

#endif
