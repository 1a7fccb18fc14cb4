/*
 * holder_watch.h: hear in the loop that a process which holds a part of a cell has ended.
 *
 * A set of holders (cell.h), each watched through a pidfd. It does not know what they hold.
 */
#ifndef FIT_STATE_HOLDER_WATCH_H
#define FIT_STATE_HOLDER_WATCH_H

#include "state/cell.h"
#include "sys/loop.h"

/* Holders that are watched at once: descriptors of this process. The end of others is not heard. */
enum { HOLDER_WATCH_MAX = 256 };

struct holder_watched;

struct holder_watch {
    struct loop *loop;
    void (*ended)(void *owner); /* one of them */
    void *owner;
    struct holder_watched *first;
    unsigned count;
};

void holder_watch_init(struct holder_watch *watch, struct loop *loop, void (*ended)(void *owner),
                       void *owner);
void holder_watch_free(struct holder_watch *watch);

/* Drop what is 0 or this process from the list, and sort it, each holder once. The number left. */
size_t holder_watch_sort(cell_holder *list, size_t len);

/* Watch these and no others. The list is sorted. False: one of them has ended meanwhile. */
bool holder_watch_set(struct holder_watch *watch, const cell_holder *list, size_t len);

/* cell_holder_gone, but a short system call for those that are watched. */
bool holder_watch_gone(const struct holder_watch *watch, cell_holder holder);

/* Is the holder in the sorted list? */
bool holder_watch_has(const cell_holder *list, size_t len, cell_holder holder);

#endif
