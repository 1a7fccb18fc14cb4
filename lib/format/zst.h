/*
 * zst.h: zstd streams in, independent zstd frames out. The only file that sees zstd.h is zst.c.
 *
 * Input may be any concatenation of frames, skippable ones too. Output is cut into independent frames with
 * checksums, each written with one write, so that a torn tail costs at most the last frame.
 */
#ifndef FIT_FORMAT_ZST_H
#define FIT_FORMAT_ZST_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

enum {
    ZST_FRAME = 256 * 1024, /* content bytes that make a frame worth writing */
    ZST_LEVEL = 3,
    ZST_WINDOW_LOG = 27,    /* the largest window that is accepted: 128 MiB */
    ZST_MAGIC_LEN = 4,
};

/* Do the first bytes (at least ZST_MAGIC_LEN) start a zstd or a skippable frame? */
bool zst_is_magic(struct str bytes);
/* Does the name end in .zst? */
bool zst_is_name(const char *path);

struct zst_decoder;
struct zst_decoder *zst_decoder_new(void);
void zst_decoder_free(struct zst_decoder *decoder);

/*
 * Decompress from *in (advanced past what was used) into out. Returns the bytes produced; 0 means that more input is
 * wanted; -1 with ERR_INPUT: everything before the damage has been produced by earlier calls.
 */
ptrdiff_t zst_decode(struct zst_decoder *decoder, struct str *in, char *out, size_t room, struct err *err);
/* At the end of the input: 0, or -1 with ERR_INPUT when it ended inside a frame. */
int zst_decode_end(struct zst_decoder *decoder, struct err *err);

/* Append content as one frame. */
int zst_frame(struct str content, struct buf *out, struct err *err);

/*
 * Make a file fit for appending frames: verify it (an empty one is fine), and cut off a torn last frame. *cut is
 * the number of bytes removed. -1 with err when the file is not a zstd file at all (nothing is changed then) or cannot be read. The
 * caller holds the lock on the file.
 */
int zst_recover(int fd, uint64_t *cut, struct err *err);

#endif
