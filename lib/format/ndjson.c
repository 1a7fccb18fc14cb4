/* ndjson.c: lines out of blocks of bytes, in bounded memory. */
#include "format/ndjson.h"

#include "base/mem.h"

#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static const char BOM[] = "\xEF\xBB\xBF";
enum {
    BOM_LEN = 3,
    STEP = 64,   /* bytes looked at together; at most so many LF are found at once */
    FOUND = 256, /* LF that are looked up ahead */
};

/* So many last bytes of a block are looked through without SSE2. */
#ifdef __SSE2__
#define PLAIN (STEP - 1)
#else
#define PLAIN SIZE_MAX
#endif

struct ndjson_reader {
    struct block *block;
    size_t start;   /* of the current line in block */
    size_t scanned; /* the LF from start up to here are those in found */
    size_t max_line;
    size_t max_kept;  /* bytes of an unfinished line that are kept: its CR and its head fit in */
    size_t last_read; /* bytes of the last ndjson_filled: tells a slow source from a fast one */
    uint64_t origin;  /* offset in the stream of the block's first byte */
    uint64_t number;  /* lines that have ended */
    bool at_bom;      /* nothing of the stream was looked at yet */
    bool ended;
    unsigned found_next; /* the first of found that has not ended a line yet */
    unsigned found_count;
    /* A line over the limit that has not ended yet. */
    bool skipping;
    bool skipped_cr;     /* its last byte so far is CR */
    uint64_t skipped;    /* its bytes so far, no longer in block */
    struct slice head;   /* its first ones */
    size_t found[FOUND]; /* where LF stand in block */
};

struct ndjson_reader *ndjson_reader_new(size_t max_line)
{
    struct ndjson_reader *reader = mem_zalloc(sizeof *reader);
    reader->block = block_new(BLOCK_SIZE);
    /* Bounded so that sums with it cannot overflow. */
    reader->max_line = max_line < SIZE_MAX / 4 ? max_line : SIZE_MAX / 4;
    reader->max_kept = reader->max_line + 1 > NDJSON_HEAD ? reader->max_line + 1 : NDJSON_HEAD;
    reader->at_bom = true;
    return reader;
}

void ndjson_reader_free(struct ndjson_reader *reader)
{
    if (!reader)
        return;
    block_drop(reader->block);
    slice_drop(&reader->head);
    free(reader);
}

/* Blocks double, but the largest is what the longest line and one read need. */
static size_t size_for(const struct ndjson_reader *reader, size_t need)
{
    size_t size = BLOCK_SIZE;
    while (size < need)
        size *= 2;
    size_t largest = reader->max_kept + NDJSON_MIN_ROOM;
    if (size > BLOCK_SIZE && size > largest)
        size = need > largest ? need : largest;
    return size;
}

/* Carry what is not yet handed out to the start of a block with at least NDJSON_MIN_ROOM more. */
static void carry(struct ndjson_reader *reader)
{
    struct block *old = reader->block;
    size_t kept = old->len - reader->start;
    size_t size = size_for(reader, kept + NDJSON_MIN_ROOM);
    if (old->refs > 1 || old->cap < size || (old->cap > BLOCK_SIZE && size == BLOCK_SIZE)) {
        reader->block = block_new(size);
        memcpy(reader->block->data, old->data + reader->start, kept);
        block_drop(old);
    } else if (reader->start) {
        memmove(old->data, old->data + reader->start, kept);
    }
    reader->block->len = kept;
    reader->origin += reader->start;
    if (reader->found_next < reader->found_count) /* lines were left: they are found again */
        reader->scanned = reader->start;
    reader->found_next = reader->found_count = 0;
    reader->scanned -= reader->start;
    reader->start = 0;
}

char *ndjson_space(struct ndjson_reader *reader, size_t *room)
{
    const struct block *block = reader->block;
    size_t left = block->cap - block->len;
    size_t kept = block->len - reader->start;
    bool has_room =
        left >= NDJSON_READ || (left >= NDJSON_MIN_ROOM && reader->last_read < NDJSON_MIN_ROOM);
    bool is_wasteful = block->cap > BLOCK_SIZE && kept + NDJSON_MIN_ROOM <= BLOCK_SIZE;
    bool is_free = kept == 0 && block->refs == 1 && block->len;
    if (!has_room || is_wasteful || is_free)
        carry(reader);
    *room = reader->block->cap - reader->block->len;
    return reader->block->data + reader->block->len;
}

void ndjson_filled(struct ndjson_reader *reader, size_t count)
{
    reader->block->len += count;
    reader->last_read = count;
}

void ndjson_end(struct ndjson_reader *reader)
{
    reader->ended = true;
}

/* False while the bytes so far could still become a BOM. */
static bool pass_bom(struct ndjson_reader *reader)
{
    size_t have = reader->block->len;
    size_t look = have < BOM_LEN ? have : BOM_LEN;
    bool matches = memcmp(reader->block->data, BOM, look) == 0;
    if (matches && look < BOM_LEN && !reader->ended)
        return false;
    if (matches && look == BOM_LEN)
        reader->start = reader->scanned = BOM_LEN;
    reader->at_bom = false;
    return true;
}

static bool is_blank(const char *bytes, size_t len)
{
    while (len && (bytes[len - 1] == ' ' || bytes[len - 1] == '\t' || bytes[len - 1] == '\r'))
        len--;
    return len == 0;
}

static void start_skipping(struct ndjson_reader *reader)
{
    reader->skipping = true;
    reader->head = slice_dup((struct str){reader->block->data + reader->start, NDJSON_HEAD});
    reader->skipped = 0;
}

/* Let go of the next bytes of an oversized line. */
static void skip(struct ndjson_reader *reader, size_t end)
{
    size_t len = end - reader->start;
    if (!len)
        return;
    reader->skipped += len;
    reader->skipped_cr = reader->block->data[end - 1] == '\r';
    reader->start = end;
}

static enum ndjson_status end_skipped(struct ndjson_reader *reader, struct ndjson_line *line)
{
    line->bytes = reader->head;
    line->number = reader->number;
    line->offset = reader->origin + reader->start - reader->skipped;
    line->length = reader->skipped - reader->skipped_cr;
    reader->head = (struct slice){0};
    reader->skipping = false;
    return NDJSON_TOO_LARGE;
}

/*
 * The line from start to end has ended, and the next begins at next. NDJSON_MORE when it was blank.
 * Inlined into the loop over the lines of a block, which is all that most lines ever see.
 */
static inline enum ndjson_status end_line(struct ndjson_reader *reader, size_t end, size_t next,
                                          struct ndjson_line *line)
{
    reader->number++;
    if (__builtin_expect(reader->skipping, false)) {
        skip(reader, end);
        enum ndjson_status status = end_skipped(reader, line);
        reader->start = next;
        return status;
    }
    const char *text = reader->block->data + reader->start;
    size_t len = end - reader->start;
    uint64_t offset = reader->origin + reader->start;
    reader->start = next;
    if (len && text[len - 1] == '\r')
        len--;
    enum ndjson_status status = NDJSON_LINE;
    size_t shown = len;
    if (__builtin_expect(len > reader->max_line, false)) {
        status = NDJSON_TOO_LARGE;
        shown = len < NDJSON_HEAD ? len : NDJSON_HEAD;
    } else if (len == 0 || (*text <= ' ' && is_blank(text, len))) {
        return NDJSON_MORE;
    }
    line->bytes = slice_of(reader->block, text, shown);
    line->number = reader->number;
    line->offset = offset;
    line->length = len;
    return status;
}

#ifdef __SSE2__
static inline uint64_t lf_among_16(const char *bytes)
{
    __m128i some = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(some, _mm_set1_epi8('\n')));
}

/* Bit i: bytes[i] is LF. */
static inline uint64_t lf_among(const char *bytes)
{
    return lf_among_16(bytes) | lf_among_16(bytes + 16) << 16 | lf_among_16(bytes + 32) << 32 |
           lf_among_16(bytes + 48) << 48;
}
#endif

/*
 * Look ahead for LF; false when the block holds no more. Looking up many at once halves the cost of
 * calling memchr for each line, most of which is the mispredicted end of its loop: here the only
 * branch that depends on the bytes is for two LF within STEP.
 */
static bool find_lf(struct ndjson_reader *reader)
{
    const char *data = reader->block->data;
    size_t at = reader->scanned, len = reader->block->len;
    unsigned count = 0;
#ifdef __SSE2__
    for (; len - at >= STEP && count <= FOUND - STEP; at += STEP) {
        uint64_t bits = lf_among(data + at);
        reader->found[count] = at + (unsigned)__builtin_ctzll(bits | UINT64_C(1) << 63);
        count += bits != 0;
        for (bits &= bits - 1; __builtin_expect(bits != 0, false); bits &= bits - 1)
            reader->found[count++] = at + (unsigned)__builtin_ctzll(bits);
    }
#endif
    while (at < len && len - at <= PLAIN && count < FOUND) {
        const char *lf = memchr(data + at, '\n', len - at);
        if (lf)
            reader->found[count++] = (size_t)(lf - data);
        at = lf ? (size_t)(lf - data) + 1 : len;
    }
    reader->scanned = at;
    reader->found_next = 0;
    reader->found_count = count;
    return count > 0;
}

enum ndjson_status ndjson_next(struct ndjson_reader *reader, struct ndjson_line *line)
{
    const struct block *block = reader->block;
    if (__builtin_expect(reader->at_bom, false) && !pass_bom(reader))
        return NDJSON_MORE;
    while (reader->found_next < reader->found_count || find_lf(reader)) {
        size_t end = reader->found[reader->found_next++];
        enum ndjson_status status = end_line(reader, end, end + 1, line);
        if (status != NDJSON_MORE)
            return status;
    }
    if (!reader->skipping && block->len - reader->start > reader->max_kept)
        start_skipping(reader);
    if (reader->skipping)
        skip(reader, block->len);
    if (!reader->ended)
        return NDJSON_MORE;
    if (reader->start == block->len && !reader->skipping)
        return NDJSON_END;
    enum ndjson_status status = end_line(reader, block->len, block->len, line);
    return status == NDJSON_MORE ? NDJSON_END : status;
}
