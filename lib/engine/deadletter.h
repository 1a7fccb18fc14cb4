/*
 * deadletter.h: what is written about an event that died, and where.
 *
 * A dead letter is one line of JSON (DESIGN.md 1.3). It holds the event so that redriving is
 * lossless: as "event", byte for byte, if it is JSON; else as "raw", a string, if it is UTF-8; else
 * as "base64". Of an oversized line only the head is there, with its offset and length.
 *
 * Letters go to a function that takes them (file:, queue:), or into a store, which the first of
 * them opens. One that its place refuses is said on standard error instead: never lost silently.
 */
#ifndef FIT_ENGINE_DEADLETTER_H
#define FIT_ENGINE_DEADLETTER_H

#include "base/buf.h"
#include "fn/function.h"
#include "state/dead.h"

/* One letter on its way. The writer owns it. */
struct letter {
    struct letter *next;
    void *owner;         /* the job */
    struct fn_call call; /* its line is call.event */
    struct dead_op keep; /* in a store */
    struct str line;
    struct deadletter *writer;
};

/* What a letter of a chain says of the way on (redrive.h). Borrowed; zeroed where it says nothing.
 */
struct letter_way {
    struct str scope;  /* of the call that comes next (fn_call.scope) */
    bool undo;         /* that is one of the stage's undo, and event is what it is given */
    struct str undone; /* stages that were undone, in that order: "2,1" */
    struct str left;   /* stages that are still to be undone */
    struct str again;  /* the event of the stage that was undone last, where all begins again */
    unsigned others;   /* sub-events that failed too and have no letter: they begin again with it */
};

struct letter_facts {
    struct str event; /* the bytes */
    bool is_json;
    struct str id; /* {NULL, 0}: none */
    const char *command;
    struct str members; /* what else is to be said (",\"queue\":..."); may be empty */
    const char *source; /* "stdin"; with line, where the event stood; NULL: not said */
    uint64_t line;
    uint64_t length;              /* of the whole line, when the bytes are only its head; else 0 */
    const struct letter_way *way; /* NULL: not of a chain's call */
    struct str origin;            /* deadletter_origin; {NULL, 0}: not said */
};

/* Append what a letter says of a failure: the members of an object, without braces. */
void deadletter_failure(struct buf *line, const struct failure *failure);
/* The first of them, for who has to act on it rather than to find out: reason, exit, signal,
 * message, error. */
void deadletter_cause(struct buf *line, const struct failure *failure);

/*
 * Append, as members, the command line that the letters are of (without options that say where its
 * events come from), and the folder that it ran in. Nothing when a word is not UTF-8, as what a
 * letter says must be what was said.
 */
void deadletter_origin(struct buf *members, const char *command, char *const *words);

/* Append the letter with its LF. */
void deadletter_format(struct buf *line, const struct letter_facts *facts,
                       const struct failure *failure);

struct deadletter;

struct deadletter_place {
    struct fn *sink;                                      /* the function that takes them; NULL: */
    struct store *(*store)(void *owner, struct err *err); /* opens what keeps them; NULL: say */
    void (*say)(void *owner, struct str line);            /* the last place of all */
    void (*failed)(void *owner, const struct err *err);   /* the store; told once */
    void (*written)(void *letter_owner);                  /* told of each letter */
    void *owner;
};

struct deadletter *deadletter_new(const struct deadletter_place *place);
void deadletter_free(struct deadletter *deadletter);

struct letter *deadletter_letter(struct buf *line, void *owner); /* takes the bytes of line */
/* Write it; written may be called before this returns. A letter that its sink refuses is said
 * instead. */
void deadletter_write(struct deadletter *deadletter, struct letter *letter);

#endif
