/* zst_recover.c: make a file of zstd frames fit for appending after a crash. */
#include "format/zst.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The layout of frames is that of RFC 8878, section 3.1. */
enum {
    HEADER_MAX = 18,
    SKIPPABLE_HEADER = 8,
    BLOCK_HEADER = 3,
    BLOCK_RLE = 1,
    BLOCK_RESERVED = 3,
    BLOCK_MAX = 128 * 1024,
    CHECKSUM = 4,
    PIECE = 64 * 1024, /* bytes read at a time */
};
static const char MAGIC[] = "\x28\xB5\x2F\xFD";

enum frame_state {
    FRAME_WHOLE,  /* as far as its headers say */
    FRAME_TORN,   /* the file ends inside it */
    FRAME_BROKEN, /* its headers cannot be true */
    FRAME_NONE,   /* something else stands here */
    FRAME_UNREAD, /* the system refused, see err */
};

struct frame {
    uint64_t start;
    uint64_t end; /* of a whole frame */
    bool is_data; /* not skippable */
    bool is_ours; /* made as by zst_frame: content size known, one segment, checksum */
};

struct recovery {
    int fd;
    uint64_t size;
    struct zst_decoder *decoder;
    char *in;  /* PIECE bytes */
    char *out; /* PIECE bytes */
    /* The last frames with data that are whole. */
    struct frame last[ZST_CUT_FRAMES];
    uint64_t count; /* of all such frames; the n-th is last[n % ZST_CUT_FRAMES] */
};

/* Up to len bytes at a place, less only at the end of the file. */
static ssize_t read_at(const struct recovery *recovery, uint64_t at, void *bytes, size_t len,
                       struct err *err)
{
    size_t have = 0;
    while (have < len) {
        ssize_t got = pread(recovery->fd, (char *)bytes + have, len - have, (off_t)(at + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_sys(err, "read");
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

/* Where the frame's blocks and its checksum end. */
static enum frame_state walk_blocks(const struct recovery *recovery, uint64_t at, bool has_checksum,
                                    struct frame *frame, struct err *err)
{
    bool is_last = false;
    while (!is_last) {
        unsigned char header[BLOCK_HEADER];
        ssize_t have = read_at(recovery, at, header, sizeof header, err);
        if (have < 0)
            return FRAME_UNREAD;
        if (have < BLOCK_HEADER)
            return FRAME_TORN;
        unsigned bits = header[0] | (unsigned)header[1] << 8 | (unsigned)header[2] << 16;
        unsigned type = bits >> 1 & 3, size = bits >> 3;
        if (type == BLOCK_RESERVED || size > BLOCK_MAX)
            return FRAME_BROKEN;
        is_last = bits & 1;
        at += BLOCK_HEADER + (type == BLOCK_RLE ? 1 : size);
    }
    frame->end = at + (has_checksum ? CHECKSUM : 0);
    return frame->end > recovery->size ? FRAME_TORN : FRAME_WHOLE;
}

static bool may_become_magic(const unsigned char *bytes, size_t len)
{
    static const unsigned char skippable[ZST_MAGIC_LEN] = {0x50, 0x2A, 0x4D, 0x18};
    return memcmp(bytes, MAGIC, len) == 0 ||
           ((bytes[0] & 0xF0) == 0x50 && memcmp(bytes + 1, skippable + 1, len - 1) == 0);
}

static enum frame_state walk_frame(const struct recovery *recovery, uint64_t at,
                                   struct frame *frame, struct err *err)
{
    static const unsigned char dictionary_sizes[] = {0, 1, 2, 4};
    static const unsigned char content_sizes[] = {0, 2, 4, 8};
    unsigned char header[HEADER_MAX];
    *frame = (struct frame){.start = at};
    ssize_t have = read_at(recovery, at, header, sizeof header, err);
    if (have < 0)
        return FRAME_UNREAD;
    if (have < ZST_MAGIC_LEN)
        return have && may_become_magic(header, (size_t)have) ? FRAME_TORN : FRAME_NONE;
    if (!zst_is_magic((struct str){(const char *)header, (size_t)have}))
        return FRAME_NONE;
    frame->is_data = memcmp(header, MAGIC, ZST_MAGIC_LEN) == 0;
    if (!frame->is_data) {
        if (have < SKIPPABLE_HEADER)
            return FRAME_TORN;
        frame->end = at + SKIPPABLE_HEADER +
                     (header[4] | (uint64_t)header[5] << 8 | (uint64_t)header[6] << 16 |
                      (uint64_t)header[7] << 24);
        return frame->end > recovery->size ? FRAME_TORN : FRAME_WHOLE;
    }
    if (have <= ZST_MAGIC_LEN)
        return FRAME_TORN;
    unsigned bits = header[ZST_MAGIC_LEN];
    bool is_single = bits >> 5 & 1, has_checksum = bits >> 2 & 1;
    if (bits & 8) /* reserved */
        return FRAME_BROKEN;
    frame->is_ours = is_single && has_checksum;
    ssize_t len = ZST_MAGIC_LEN + 1 + !is_single + dictionary_sizes[bits & 3] +
                  content_sizes[bits >> 6] + (is_single && bits >> 6 == 0);
    if (have < len)
        return FRAME_TORN;
    return walk_blocks(recovery, at + (uint64_t)len, has_checksum, frame, err);
}

/* 0 when the bytes from start to end decode, -1 with err when not (ERR_INPUT: they are damaged). */
static int verify(const struct recovery *recovery, uint64_t start, uint64_t end, struct err *err)
{
    zst_decode_reset(recovery->decoder);
    while (start < end) {
        ssize_t have =
            read_at(recovery, start, recovery->in, end - start < PIECE ? end - start : PIECE, err);
        if (have < 0)
            return -1;
        if (have == 0)
            return err_set(err, ERR_LIMIT, "became shorter while it was verified");
        start += (uint64_t)have;
        struct str in = {recovery->in, (size_t)have};
        ssize_t produced;
        while ((produced = zst_decode(recovery->decoder, &in, recovery->out, PIECE, err)) > 0)
            continue;
        if (produced < 0)
            return -1;
    }
    return zst_decode_end(recovery->decoder, err);
}

/* Is there a whole frame that decodes? 1, 0, or -1 with err. */
static int is_good_frame(const struct recovery *recovery, uint64_t at, struct err *err)
{
    struct frame frame;
    enum frame_state state = walk_frame(recovery, at, &frame, err);
    if (state != FRAME_WHOLE)
        return state == FRAME_UNREAD ? -1 : 0;
    if (verify(recovery, frame.start, frame.end, err) == 0)
        return 1;
    return err->kind == ERR_SYSTEM ? -1 : 0;
}

/* Does a frame that decodes begin behind start? 1, 0, or -1 with err. */
static int find_good_frame(const struct recovery *recovery, uint64_t start, struct err *err)
{
    char *piece = mem_alloc(PIECE);
    int found = 0;
    for (uint64_t at = start + 1; at < recovery->size && !found;
         at += PIECE - (ZST_MAGIC_LEN - 1)) {
        ssize_t have = read_at(recovery, at, piece, PIECE, err);
        if (have < 0)
            found = -1;
        const char *magic = piece, *end = piece + (have < 0 ? 0 : have);
        while (!found && (magic = memmem(magic, (size_t)(end - magic), MAGIC, ZST_MAGIC_LEN))) {
            found = is_good_frame(recovery, at + (uint64_t)(magic - piece), err);
            magic++;
        }
    }
    free(piece);
    return found;
}

/* Only NUL bytes from start on: 1, 0, or -1 with err. */
static int is_zeros(const struct recovery *recovery, uint64_t start, struct err *err)
{
    static const char zeros[512];
    while (start < recovery->size) {
        ssize_t have = read_at(recovery, start, recovery->in, PIECE, err);
        if (have < 0)
            return -1;
        for (ssize_t i = 0; i < have; i += (ssize_t)sizeof zeros) {
            size_t len = have - i < (ssize_t)sizeof zeros ? (size_t)(have - i) : sizeof zeros;
            if (memcmp(recovery->in + i, zeros, len) != 0)
                return 0;
        }
        start += PIECE;
    }
    return 1;
}

/* Walk to the end of the whole frames, *end. -1 with err if what stands there may not be cut. */
static int walk(struct recovery *recovery, uint64_t *end, bool *cuts_foreign, struct err *err)
{
    struct frame frame = {0};
    enum frame_state state = FRAME_WHOLE;
    *end = 0;
    *cuts_foreign = false;
    while (*end < recovery->size &&
           (state = walk_frame(recovery, *end, &frame, err)) == FRAME_WHOLE) {
        if (frame.is_data)
            recovery->last[recovery->count++ % ZST_CUT_FRAMES] = frame;
        *end = frame.end;
    }
    if (state == FRAME_UNREAD)
        return -1;
    if (state == FRAME_NONE && *end == 0)
        return err_set(err, ERR_INPUT, "not a zstd file");
    if (state == FRAME_NONE) {
        int zeros = is_zeros(recovery, *end, err);
        if (zeros == 0)
            err_set(err, ERR_INPUT, "not zstd data at byte %llu", (unsigned long long)*end);
        return zeros > 0 ? 0 : -1;
    }
    *cuts_foreign = *end < recovery->size && !frame.is_ours;
    return 0;
}

/* Step back from *end over whole frames that do not decode. -1 with err if they may not be cut. */
static int drop_bad_frames(struct recovery *recovery, uint64_t *end, bool *cuts_foreign,
                           struct err *err)
{
    for (uint64_t i = 0; i < recovery->count; i++) {
        if (i == ZST_CUT_FRAMES)
            return err_set(err, ERR_INPUT, "the last %d zstd frames are damaged", ZST_CUT_FRAMES);
        const struct frame *frame = &recovery->last[(recovery->count - 1 - i) % ZST_CUT_FRAMES];
        if (verify(recovery, frame->start, *end, err) == 0)
            return 0;
        if (err->kind != ERR_INPUT)
            return -1;
        *end = frame->start;
        *cuts_foreign |= !frame->is_ours;
    }
    return 0;
}

static int recover(struct recovery *recovery, uint64_t *cut, struct err *err)
{
    uint64_t end;
    bool cuts_foreign;
    if (walk(recovery, &end, &cuts_foreign, err) ||
        drop_bad_frames(recovery, &end, &cuts_foreign, err))
        return -1;
    if (end == recovery->size)
        return 0;
    if (cuts_foreign && recovery->size - end > ZST_CUT_FOREIGN)
        return err_set(err, ERR_INPUT, "torn zstd frame at byte %llu, too large to be given up",
                       (unsigned long long)end);
    int found = find_good_frame(recovery, end, err);
    if (found > 0)
        err_set(err, ERR_INPUT, "damaged at byte %llu, with good zstd frames behind it",
                (unsigned long long)end);
    if (found)
        return -1;
    if (ftruncate(recovery->fd, (off_t)end) != 0)
        return err_sys(err, "truncate");
    *cut = recovery->size - end;
    return 0;
}

int zst_recover(int fd, uint64_t *cut, struct err *err)
{
    struct stat stat;
    *cut = 0;
    if (fstat(fd, &stat) != 0)
        return err_sys(err, "stat");
    if (stat.st_size == 0)
        return 0;
    struct recovery recovery = {.fd = fd, .size = (uint64_t)stat.st_size};
    recovery.decoder = zst_decoder_new();
    recovery.in = mem_alloc(PIECE);
    recovery.out = mem_alloc(PIECE);
    int status = recover(&recovery, cut, err);
    zst_decoder_free(recovery.decoder);
    free(recovery.in);
    free(recovery.out);
    return status;
}
