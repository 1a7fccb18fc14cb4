/*
 * cursor_hold.h: a cursor that this process has: read before the run, moved as outcomes come, given
 * back at the end.
 *
 * Moves go to the store in the order of their calls, each as a whole; several may be on their way.
 * None is tried again: when one does not end well the owner is told, once, and later ones are not
 * sent. The end of this process gives the cursor back, too.
 */
#ifndef FIT_ENGINE_CURSOR_HOLD_H
#define FIT_ENGINE_CURSOR_HOLD_H

#include "state/cursor.h"

struct cursor_hold {
    /* Set by the owner. */
    struct store *store;
    const char *kind; /* borrowed, as the name */
    struct str name;
    void (*settled)(void *owner); /* it has become idle */
    void (*failed)(void *owner, const struct err *err);
    void *owner;
    /* The answer of cursor_hold_open. */
    bool is_new;    /* it has no records */
    cell_holder by; /* who has it instead */
    /* Private. */
    uint64_t token;
    struct cursor_close close;
    size_t pending; /* operations on their way */
    bool broken;    /* a move has failed: that was told */
};

/* 1: had; 0: another process has it, which was said as a warning (exit with EXIT_AGAIN); -1: it
 * failed, which was said. Turns the loop meanwhile. */
int cursor_hold_open(struct cursor_hold *hold);

/* Each record, in the order of the keys; of its bytes, slices are held as the callee likes. 0, or
 * -1: said. Turns the loop meanwhile. */
int cursor_hold_read(struct cursor_hold *hold,
                     void (*each)(void *owner, const struct cursor_record *record), void *owner);

/* Move it; the changes and their bytes are copied. */
void cursor_hold_move(struct cursor_hold *hold, const struct cursor_change *changes, size_t count);

/* Give it back, after the moves on their way; no-op when it is not had. */
void cursor_hold_close(struct cursor_hold *hold);

/* Is nothing on its way? */
bool cursor_hold_is_idle(const struct cursor_hold *hold);

#endif
