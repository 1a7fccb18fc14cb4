/*
 * dir.h: files in folders: replaced as a whole, appended to, locked, or without a name.
 *
 * All descriptors are close-on-exec and the caller's. Only a disk is waited for, never a reader or
 * a lock.
 */
#ifndef FIT_SYS_DIR_H
#define FIT_SYS_DIR_H

#include "base/err.h"
#include "base/str.h"

/*
 * Give the file at path these bytes, or leave it as it was: they are written to a new file in the
 * same folder, synced, renamed over path, and the folder is synced. Mode and (as far as allowed)
 * owner of an existing file stay; a symbolic link is followed; what is not a regular file is
 * refused. A crash can leave ".fit-PID-N.tmp" behind. 0 or -1.
 */
int dir_replace(const char *path, struct str bytes, struct err *err);

/*
 * Open path for appending; a file that is not there is made (0666 less the umask). The descriptor
 * is non-blocking where that means something; a FIFO that nobody reads is an error. With read_back
 * a regular file can be read through it too. -1 on failure.
 */
int dir_append_open(const char *path, bool read_back, struct err *err);

/* Write all of it to a file, which does not make a writer wait. 0, or -1 with errno. */
int dir_write(int fd, struct str bytes);

/*
 * Lock the open file exclusively, for as long as the description is open. -1 with errno,
 * EWOULDBLOCK when another one holds the lock. Children must not inherit fd, or they hold the lock
 * too.
 */
int dir_lock(int fd);

/* The same, waiting for the others: only where all hold it briefly. fd may be a folder's. */
int dir_lock_wait(int fd);

/*
 * A file without a name in folder, open for reading and writing, gone when it is closed. -1 on
 * failure.
 */
int dir_temp_file(const char *folder, struct err *err);

#endif
