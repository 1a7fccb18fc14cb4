/*
 * every_look.h: what `every` says of a schedule without running anything: its next times, and the
 * entry that makes cron or systemd run it.
 */
#ifndef FIT_ENGINE_EVERY_LOOK_H
#define FIT_ENGINE_EVERY_LOOK_H

#include "engine/every_options.h"
#include "engine/ticks_setup.h"

/* --next: the exit status. With --name or --state, the times of that name: behind those that are
 * decided, and on the times of its interval. Else an interval is counted from now. */
int every_look_next(const struct ticks_setup *setup, const char *name);

/* --print: the exit status. What cannot be said there ends with 2. */
int every_look_print(const struct command *command, const struct ticks_setup *setup,
                     const struct options_words *function);

#endif
