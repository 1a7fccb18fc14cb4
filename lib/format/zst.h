/*
 * zst.h: zstd streams in, independent zstd frames out. The only file that sees zstd.h is zst.c.
 *
 * Input may be any concatenation of frames, skippable ones too. Output is cut into independent
 * frames with checksums, each written with one write, so that a torn tail costs at most the last
 * frame.
 */
#ifndef FIT_FORMAT_ZST_H
#define FIT_FORMAT_ZST_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <sys/types.h>

enum {
    ZST_FRAME = 256 * 1024, /* content bytes that make a frame worth writing */
    ZST_LEVEL = 3,
    ZST_WINDOW_LOG = 27, /* the largest window that is accepted: 128 MiB; beyond it ERR_LIMIT */
    ZST_MAGIC_LEN = 4,
    ZST_CUT_FOREIGN =
        1024 * 1024,     /* zst_recover cuts at most so much off a file that others wrote */
    ZST_CUT_FRAMES = 64, /* and at most so many frames that are whole but do not decode */
};

/* Do the first bytes (at least ZST_MAGIC_LEN) start a zstd or a skippable frame? */
bool zst_is_magic(struct str bytes);
/* Could they still be, when there are fewer of them (at least one)? Not if they begin JSON. */
bool zst_may_be_magic(struct str bytes);
/* Does the name end in .zst? */
bool zst_is_name(const char *path);

struct zst_decoder;
struct zst_decoder *zst_decoder_new(void);
void zst_decoder_free(struct zst_decoder *decoder);

/*
 * Decompress from *in (advanced past what was used) into out, room > 0. Returns the bytes produced;
 * 0 means that more input is wanted, and *in is empty then. -1 with err: everything before the
 * damage has been produced by earlier calls, and the decoder is of no further use. ERR_INPUT for
 * damage, ERR_LIMIT for a window over ZST_WINDOW_LOG, ERR_NOT_USABLE for a frame that needs a
 * dictionary.
 */
ssize_t zst_decode(struct zst_decoder *decoder, struct str *in, char *out, size_t room,
                   struct err *err);
/* At the end of the input: 0, or -1 with ERR_INPUT when it ended inside a frame. */
int zst_decode_end(struct zst_decoder *decoder, struct err *err);
/* Forget the stream and begin a new one; cheaper than a new decoder. */
void zst_decode_reset(struct zst_decoder *decoder);

/* Append content as one frame. Not thread-safe: one compressor serves all calls. */
int zst_frame(struct str content, struct buf *out, struct err *err);

/*
 * Make a file fit for appending frames: an appended frame behind a torn one could not be read.
 * Walks the frames of fd (open for reading and writing; its offset is not used), decompresses the
 * last one to verify it, and cuts off what a crash leaves at the end: a torn frame, whole frames
 * that do not decode, zeros. *cut is the number of bytes removed; an empty file is fine. Memory
 * does not grow with the file. The caller holds the lock on the file.
 *
 * -1 with err and the file unchanged: it cannot be read or cut; is not a zstd file at all; has
 * something else than zstd behind its frames; is damaged with good frames after the damage; ends in
 * a torn frame of another writer larger than ZST_CUT_FOREIGN (much of which could be salvaged); in
 * a frame this build cannot decode (dictionary, window).
 */
int zst_recover(int fd, uint64_t *cut, struct err *err);

#endif
