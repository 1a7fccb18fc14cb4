/*
 * letters.h: the dead letters that are kept, and which of them are meant.
 *
 * A letter has a number, by which it is named. A filter picks letters by what they say, or by their
 * numbers; what it does not ask for does not matter. Nothing is made: without a state directory
 * there are no letters.
 */
#ifndef FIT_ENGINE_LETTERS_H
#define FIT_ENGINE_LETTERS_H

#include "base/err.h"
#include "format/jq.h"
#include "state/store.h"

#include <stdbool.h>
#include <stdint.h>

struct letters_filter {
    const char *command; /* NULL: any; so with the next */
    const char *reason;
    const char *match;       /* a program that selects the letter */
    int64_t since;           /* clock_wall: died then or later; 0: ever */
    const uint64_t *numbers; /* these; NULL: all */
    size_t count;
};

/* Members that are often asked for; JSON text, {NULL, 0} where the letter has none. */
enum letters_member {
    LETTER_COMMAND,
    LETTER_REASON,
    LETTER_FUNCTION,
    LETTER_STAGE,
    LETTER_LAST_AT,
    LETTER_MESSAGE,
    LETTER_QUEUE,
    LETTER_ARGV,
    LETTER_CWD,
    LETTER_TRUNCATED,
    LETTER_MEMBERS
};
extern const char *const letters_names[LETTER_MEMBERS];

struct letters;

struct letter_seen {
    uint64_t number;
    struct str text; /* the whole, without LF */
    struct str members[LETTER_MEMBERS];
};

/*
 * Open the store of the state directory (--state, or NULL for the default). The filter outlives it.
 * NULL with err.
 */
struct letters *letters_open(const char *state, const struct letters_filter *filter,
                             struct err *err);
void letters_close(struct letters *letters); /* what was submitted is committed; NULL is a no-op */

struct store *letters_store(struct letters *letters);    /* NULL: there is no state directory */
const char *letters_path(const struct letters *letters); /* of the directory */

/*
 * Hand each letter that is meant to each, by rising numbers (or in the order of the filter's),
 * until it says no: then a further call goes on behind that letter. Nothing may be submitted, or
 * waited for, meanwhile. 1: there may be more; 0: that was all; -1 with err: the letters cannot be
 * read, or the filter's program fails.
 */
int letters_each(struct letters *letters, bool (*each)(void *owner, const struct letter_seen *seen),
                 void *owner, struct err *err);

/* How many of the filter's numbers have no letter; known when letters_each is through. The first of
 * them in *number. */
size_t letters_missing(const struct letters *letters, uint64_t *number);

#endif
