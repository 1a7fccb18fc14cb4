/*
 * slurp.h: all bytes of a descriptor or file at once, up to a limit. Blocks: for use before the
 * loop runs.
 */
#ifndef FIT_SYS_SLURP_H
#define FIT_SYS_SLURP_H

#include "base/buf.h"
#include "base/err.h"

/* Append everything up to the end; name is for the error. 0, or -1 (ERR_LIMIT beyond limit bytes).
 */
int slurp_fd(int fd, const char *name, size_t limit, struct buf *bytes, struct err *err);
int slurp_file(const char *path, size_t limit, struct buf *bytes, struct err *err);

#endif
