/*
 * poll_round.h: the changes that one look has found, handed out one by one as events.
 *
 * The look's value stays until all of them have ended. The old value of a change is read from the
 * state when its turn comes.
 */
#ifndef FIT_ENGINE_POLL_ROUND_H
#define FIT_ENGINE_POLL_ROUND_H

#include "engine/poll_state.h"

/* Bytes of a cursor: it has to fit in a variable of the check, of which Linux takes 128 KiB. A look
 * that gives a longer one fails: were it kept, no check could be called any more. */
enum { POLL_CURSOR_MAX = 64 * 1024 };

struct poll_round {
    /* Set by the owner. */
    struct poll_state *state;
    const struct poll_form *form;
    struct jq_program *cursor;  /* on the value; NULL: there is none */
    struct str source;          /* of the CloudEvents */
    bool data;                  /* an event is the new value itself */
    void (*ready)(void *owner); /* what poll_round_next waited for has come */
    void (*fail)(void *owner, const struct err *err);
    void *owner;
    /* The look. */
    struct poll_list list;
    struct buf next_cursor; /* which it has led to: JSON; empty: none */
    int64_t time;           /* clock_wall */
    struct poll_change *changes;
    size_t count, handed, ended;
    size_t released; /* of the ended ones: they come again */
    bool warned;     /* of digits that jq has changed */
    /* Private: the old value of the next change. */
    struct cursor_read old;
    char key[POLL_RECORD_KEY];
    bool reading, has_old;
};

/* Read a value (taken over) that was looked at then. -1 with err, and it is cleared. */
int poll_round_read(struct poll_round *round, struct slice value, int64_t time, struct err *err);

/* Will its end, or poll_round_begin, forget its items? Then the same value is new once more. */
bool poll_round_forgets(const struct poll_round *round);

/* It is the first one, and only says where to begin; then it is cleared. Takes the validators. */
void poll_round_begin(struct poll_round *round, struct fn_validators *validators);

/* What has changed? */
void poll_round_diff(struct poll_round *round);

/*
 * The next change as an event: its number and its line, the caller's reference. False: there is
 * none now; ready is called when it is only read. A change without an event (of deleted items with
 * data) is settled, and ended, at once: look at ended then.
 */
bool poll_round_next(struct poll_round *round, size_t *number, struct slice *event);

/* All its changes have ended, or it has none: as poll_round_begin, but that the validators are left
 * alone when some come again. */
void poll_round_finish(struct poll_round *round, struct fn_validators *validators);

void poll_round_clear(struct poll_round *round); /* nothing is out any more, nor reading */

#endif
