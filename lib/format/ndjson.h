/*
 * ndjson.h: lines out of blocks of bytes, in bounded memory.
 *
 * A push parser: the caller asks where to read into, fills it, says how much came, and takes lines
 * until NDJSON_MORE. Lines are slices of the blocks that were read into. LF ends a line, CR before
 * it is not part of it, blank lines (ASCII blanks only) are skipped, a UTF-8 BOM at the start of
 * the stream too; the end of the stream ends a line as LF does. A line over the limit, blank or
 * not, is skipped without being kept, and reported with its first bytes. Knows nothing of JSON or
 * descriptors.
 *
 * Blocks: a line is contiguous, so the unfinished line at the end of a block is carried to the
 * start of the next. A block is filled further as long as that is worthwhile, and reused from its
 * start when no slice of it is left outside; bytes under a slice are never written again. It grows
 * (doubling) only for a longer line, to max_line and little more.
 */
#ifndef FIT_FORMAT_NDJSON_H
#define FIT_FORMAT_NDJSON_H

#include "base/block.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    NDJSON_READ =
        64 * 1024, /* a fast source is offered this many bytes: a whole pipe, see BLOCK_SIZE */
    NDJSON_MIN_ROOM = 16 * 1024, /* a read is offered at least this many, whatever was carried */
    NDJSON_HEAD = 4096,          /* bytes of an oversized line that are reported */
};

enum ndjson_status {
    NDJSON_MORE,      /* no whole line is left: read more */
    NDJSON_LINE,      /* line->bytes is the next line */
    NDJSON_TOO_LARGE, /* a line over the limit has ended: bytes are its first NDJSON_HEAD, length is
                         all */
    NDJSON_END,       /* after ndjson_end, nothing is left */
};

struct ndjson_line {
    struct slice bytes; /* holds a reference that the caller drops; without CR and LF */
    uint64_t number;    /* 1 for the first line of the stream, blank ones counted */
    uint64_t offset;    /* of the line's first byte in the (decompressed) stream */
    uint64_t length;    /* of the whole line without CR and LF, also of an oversized one */
};

struct ndjson_reader;

struct ndjson_reader *ndjson_reader_new(size_t max_line);
void ndjson_reader_free(struct ndjson_reader *reader); /* slices that were handed out stay valid */

/* Where the next bytes go; *room >= NDJSON_MIN_ROOM. Valid until the next call. */
char *ndjson_space(struct ndjson_reader *reader, size_t *room);
void ndjson_filled(struct ndjson_reader *reader, size_t count);
void ndjson_end(struct ndjson_reader *reader); /* the stream is over */

/* line is filled with NDJSON_LINE and NDJSON_TOO_LARGE only, and holds a reference only then. */
enum ndjson_status ndjson_next(struct ndjson_reader *reader, struct ndjson_line *line);

#endif
