/*
 * source_letters.h: dead letters that are kept, as events: what `dead redrive` gives to a fitting.
 *
 * `dead redrive` starts the fitting that failed with FIT_REDRIVE set to the state directory and
 * with the numbers of the letters (8 bytes each, of this machine's order) as its standard input.
 * The engine then takes its events from here instead, whatever the command's own source is. A
 * letter goes away in the commit that follows the end of its event as done; if the event has died
 * again, the new letters take its place in one step; else (interrupted, dropped, results that
 * nobody read) it stays as it was. So a kill at any moment loses nothing and removes nothing too
 * early.
 *
 * Only one process at a time redrives the letters of a directory: it holds the lock of run/redrive.
 */
#ifndef FIT_ENGINE_SOURCE_LETTERS_H
#define FIT_ENGINE_SOURCE_LETTERS_H

#include "engine/source.h"
#include "state/store.h"

/*
 * fd holds the numbers and is not closed. whole: the events are the letters themselves, for who
 * goes on where they failed; letters whose bytes were no event are given as these bytes even so.
 * NULL with err; its sys_errno is EWOULDBLOCK when another process has the lock.
 */
struct source *source_letters(struct store *store, int fd, bool whole, struct err *err);

#endif
