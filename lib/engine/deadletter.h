/*
 * deadletter.h: what is written about an event that died, and where.
 *
 * A dead letter is one line of JSON (DESIGN.md 1.3). It holds the event so that redriving is
 * lossless: as "event", byte for byte, if it is JSON; else as "raw", a string, if it is UTF-8; else
 * as "base64". Of an oversized line only the head is there, with its offset and length.
 */
#ifndef FIT_ENGINE_DEADLETTER_H
#define FIT_ENGINE_DEADLETTER_H

#include "base/buf.h"
#include "fn/function.h"

/* One letter on its way. The writer owns it. */
struct letter {
    struct letter *next;
    void *owner;         /* the job */
    struct fn_call call; /* its line is call.event */
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
    const char *source; /* "stdin"; with line, where a malformed line stood; NULL: not said */
    uint64_t line;
    uint64_t length;              /* of the whole line, when the bytes are only its head; else 0 */
    const struct letter_way *way; /* NULL: not of a chain's call */
};

/* Append what a letter says of a failure: the members of an object, without braces. */
void deadletter_failure(struct buf *line, const struct failure *failure);

/* Append the letter with its LF. */
void deadletter_format(struct buf *line, const struct letter_facts *facts,
                       const struct failure *failure);

struct deadletter;

/* sink is a function that takes the letters (file:, later queue:); NULL: they go to say. written is
 * told of each letter, with its owner. */
struct deadletter *deadletter_new(struct fn *sink, void (*say)(void *owner, struct str line),
                                  void *say_owner, void (*written)(void *owner));
void deadletter_free(struct deadletter *deadletter);

struct letter *deadletter_letter(struct buf *line, void *owner); /* takes the bytes of line */
/* Write it; written may be called before this returns. A letter that its sink refuses is said
 * instead. */
void deadletter_write(struct deadletter *deadletter, struct letter *letter);

#endif
