/*
 * source_poll.h: the changes of something that publishes none, found by looking again and again.
 *
 * A look (poll_look.h) gives a value; what has changed since it was last handed on (poll_list.h,
 * poll_state.h) are the events (poll_event.h). No look is made before all events of the one before
 * have ended, and what became of them is committed. What becomes of an event becomes of its change:
 *
 *     done, dropped      it is known from now on, and never comes again
 *     failed             it comes again with the next look, if it is still there then
 *     failed for good    its dead letter is written; then it is known, too, or it would come for
 *                        ever
 *     interrupted        it comes again
 *
 * A look that fails is no change, and moves nothing. The cursor and what a server said of the value
 * move when all events of a look are known. The engine ends when all this is committed.
 */
#ifndef FIT_ENGINE_SOURCE_POLL_H
#define FIT_ENGINE_SOURCE_POLL_H

#include "engine/engine.h"
#include "engine/poll_state.h"

struct source_poll_settings {
    const char *name; /* NULL: the check's text */
    struct poll_made_of made_of;
    const char *cursor; /* a jq program on the value; NULL: there is none */
    bool text;          /* the check prints lines of text */
    bool data;          /* an event is the new value itself */
    bool emit_first;    /* what the first look finds is new */
    bool durable;       /* what is known outlives the process */
    bool once;          /* one look */
    struct change_pace pace;
    size_t max_event;
};

/* Strings are borrowed. NULL: it was said why not, and *status is what to exit with. */
struct source *source_poll(struct engine *engine, const struct source_poll_settings *settings,
                           int *status);

/* What a run that has ended well should exit with: EXIT_AGAIN when something comes again with the
 * next look, EXIT_FITTING when --once could not look and would not the next time; else EXIT_OK. */
int source_poll_status(const struct source *source);

#endif
