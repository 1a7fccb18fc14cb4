/*
 * block.h: shared blocks of bytes, and slices of them.
 *
 * Input is read into blocks and a worker's output too; events and results are slices of them, so
 * that a byte that needs no change is never copied on its way. A block lives as long as somebody
 * holds a reference: who reads into it holds one, each slice holds one. Blocks of the common size
 * are kept for reuse, because fresh memory costs a page fault for each 4 KiB.
 *
 * Single-threaded. A slice without a block ({NULL, data, len}) points to static or otherwise
 * outliving bytes; holding and dropping it does nothing.
 */
#ifndef FIT_BASE_BLOCK_H
#define FIT_BASE_BLOCK_H

#include "base/str.h"

#include <stdint.h>

enum {
    /*
     * The common size: a whole pipe (64 KiB) behind the unfinished line that is carried from the
     * last block. With 64 KiB in all each pipe would be emptied by two reads, which costs a quarter
     * of the throughput. Larger blocks are made for larger lines and not kept.
     */
    BLOCK_SIZE = 80 * 1024,
    BLOCK_KEEP = 16, /* free blocks of the common size that are kept for reuse */
};

struct block {
    char *data;
    size_t cap; /* bytes at data */
    size_t len; /* bytes filled in, by whoever reads into it */
    uint32_t refs;
    void (*release)(struct block *block); /* frees a block of another making (a mapped file) */
    struct block *next_free;
};

struct slice {
    struct block *block;
    const char *data;
    size_t len;
};

struct block *block_new(size_t size);        /* one reference, the caller's; cap >= size */
struct block *block_map(int fd, size_t len); /* maps len > 0 bytes of fd privately, read only; NULL
                                                with errno; fd stays the caller's */
void block_drop(struct block *block);        /* give a reference back; NULL is a no-op */
void block_drop_kept(void);                  /* free what is kept for reuse (for leak checks) */

static inline struct block *block_hold(struct block *block)
{
    if (block)
        block->refs++;
    return block;
}

/* A new reference to bytes of the block that the slice points into. */
static inline struct slice slice_hold(struct slice slice)
{
    block_hold(slice.block);
    return slice;
}

static inline struct slice slice_of(struct block *block, const char *data, size_t len)
{
    return (struct slice){block_hold(block), data, len};
}

static inline void slice_drop(struct slice *slice)
{
    if (slice->block)
        block_drop(slice->block);
    *slice = (struct slice){0};
}

static inline struct str slice_str(struct slice slice)
{
    return (struct str){slice.data, slice.len};
}

/* A slice of its own with a copy of the bytes. */
struct slice slice_dup(struct str bytes);

/* A slice of bytes from the heap (of buf_take), which are freed with their last reference. */
struct slice slice_take(char *bytes, size_t len);

/* The bytes and a LF behind them: the same bytes of the block if a LF follows there, else a copy. A
 * new reference. */
struct slice slice_line(struct slice slice);

#endif
