/*
 * watch.h: hear in the loop of what others do: that a process has ended, that a file is removed.
 *
 * Watches are embedded in their owner's struct (zeroed before first use). Callbacks may remove the
 * watch and free its owner. It knows nothing of what the process or the file is for.
 */
#ifndef FIT_SYS_WATCH_H
#define FIT_SYS_WATCH_H

#include "sys/loop.h"

struct watch_process {
    void (*ended)(struct watch_process *watch); /* once; it is removed before */
    struct loop *loop;
    struct loop_fd fd;
};

/*
 * Any process, not only a child; it is not reaped. It has ended when it is a zombie, too. -1 with
 * errno: ESRCH, there is none of that number.
 */
int watch_process_add(struct loop *loop, struct watch_process *watch, pid_t pid);
void watch_process_remove(struct watch_process *watch);      /* no-op when not active */
bool watch_process_ended(const struct watch_process *watch); /* ask now, without the loop */

struct watch_removal {
    void (*removed)(struct watch_removal *watch); /* or only linked, or its mode changed: look */
    struct loop *loop;
    struct loop_fd fd;
};

/*
 * The open file, by whatever name. -1 with errno; a user may have no more than some hundred of
 * these (fs.inotify.max_user_instances), so whoever can do without must.
 */
int watch_removal_add(struct loop *loop, struct watch_removal *watch, int file);
void watch_removal_remove(struct watch_removal *watch); /* no-op when not active */

#endif
