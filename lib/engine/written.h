/*
 * written.h: what this process has written to its standard output, so that another one can know it
 * after a kill.
 *
 * Who works on something, writes a line about it, and then says so in the store, may be killed in
 * between: the line is there, and nobody knows. Where the output is a regular file that this
 * process alone appends to, it can be known: the process leaves a note beside what it works on (the
 * file, and up to where its lines have been acknowledged), and who takes that over looks into the
 * file (written_past.h). It acknowledges in the order of its lines.
 *
 * Alone means that the file is locked (flock) by a description of our own; who cannot have the lock
 * says in the list of sessions that from here on nobody is alone. Others than fittings are not
 * noticed.
 *
 * A file that is appended to may end in a torn line, of a session that was killed: it is cut off.
 * If there was no session, or the line is JSON, it only gets its end.
 */
#ifndef FIT_ENGINE_WRITTEN_H
#define FIT_ENGINE_WRITTEN_H

#include "base/buf.h"
#include "base/rng.h"
#include "state/home.h"

#include <stddef.h>

enum {
    WRITTEN_PATH = 400, /* bytes of a path; what is written to a longer one cannot be known */
};

struct written;

/* What is written to fd, before the first write. NULL: it cannot be known. */
struct written *written_open(const struct home *home, int fd, struct rng *rng);
void written_free(struct written *written); /* NULL is a no-op */

/* All is acknowledged, and nobody has taken anything over: nothing need be known of the file. */
void written_end(const struct written *written, const struct home *home);

/* So many bytes more are acknowledged. */
void written_acknowledge(struct written *written, size_t bytes);

/* Append an entry of a note: no control characters. */
void written_add_entry(const struct written *written, struct buf *note);

#endif
