/*
 * poll_state.h: what a poll knows of what it has seen, and of what it has handed on.
 *
 * A cursor of the kind "poll" (state/cursor.h) holds a record for each item whose last change was
 * handed on, and a head: how far looks have come as a whole. In memory are only the hashes; values
 * are read when a change needs the old one. What changes is moved at once, and kept in memory as if
 * it were on disk: should the store fail, the run ends.
 *
 * Each has a stamp, nanoseconds since 1970, which only grows: of an item's last change, of the head
 * of the last look that was handed on as a whole. The identity of a change is made of both, so it
 * is the same while the change comes again, and another one when the same happens anew.
 */
#ifndef FIT_ENGINE_POLL_STATE_H
#define FIT_ENGINE_POLL_STATE_H

#include "engine/cursor_hold.h"
#include "engine/poll_list.h"
#include "engine/poll_record.h"

#define POLL_STATE_KIND "poll" /* of the cursor */
#define POLL_NONE       SIZE_MAX

struct poll_known {
    int64_t at;
    bool gone;   /* deleted; the stamp is kept till the look is over */
    bool unseen; /* not in the last list, and that is no change */
};

struct poll_state {
    /* Set by the owner. */
    struct cursor_hold hold;
    const struct poll_form *form;
    struct poll_made_of made_of;
    bool keeps_unseen; /* an item that is missing is not deleted (--cursor) */
    /* The answer. */
    bool is_new;   /* nothing has been recorded */
    bool restarts; /* what is recorded is of another form, and goes with poll_state_begin */
    struct poll_head head;
    struct change_item *items;
    struct poll_known *known;
    size_t count, room;
    int64_t last_at;
    struct err bad; /* while reading */
    bool rehash;    /* the head that is recorded has another --ignore */
};

struct poll_change {
    enum change_kind kind;
    size_t before; /* place in items; POLL_NONE: it was not known */
    size_t after;  /* place in the list; POLL_NONE: it is not there */
};

/* As cursor_hold_open, and then what is known is read. -1 with err, whose text is empty when it was
 * said. poll_state_free in any case. */
int poll_state_open(struct poll_state *state, struct err *err);
void poll_state_free(struct poll_state *state);

/* What has changed, in the order of change_diff. The caller frees it. */
struct poll_change *poll_state_diff(struct poll_state *state, const struct poll_list *list,
                                    size_t *count);

/* An identity for a change: 128 bits as text, the same until it is settled. */
const char *poll_state_identify(const struct poll_state *state, const struct poll_list *list,
                                const struct poll_change *change, char text[HASH_TEXT]);

/* The change has been handed on. */
void poll_state_settle(struct poll_state *state, const struct poll_list *list,
                       const struct poll_change *change);

/* All items of the list are known, and have been handed on, or need not be; with the head. */
void poll_state_begin(struct poll_state *state, const struct poll_list *list);

/* The look is over. The head, changed by the owner, is recorded. forget: what it has not seen, or
 * with all everything, is forgotten. */
enum poll_forget { POLL_FORGET_NOTHING, POLL_FORGET_UNSEEN, POLL_FORGET_ALL };
void poll_state_finish(struct poll_state *state, enum poll_forget forget);

#endif
