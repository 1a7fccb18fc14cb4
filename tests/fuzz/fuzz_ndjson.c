/*
 * fuzz_ndjson.c: framing with random cuts gives the lines that a naive splitter gives.
 *
 * The first bytes of the input choose the limit and seed the cuts; the rest is the stream. Some of
 * the slices are kept while reading goes on, and must still hold their bytes at the end.
 */
#include "base/buf.h"
#include "base/rng.h"
#include "format/ndjson.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER = 4, KEPT = 64, MAX_REPEAT = 6000, MAX_STREAM = 300 * 1000 };

struct naive {
    struct str rest;
    uint64_t number;
    uint64_t offset;
};

static bool is_blank(struct str line)
{
    return str_trim(line).len == 0;
}

/* The next line that the reader should report, in the plainest way. */
static bool naive_next(struct naive *naive, struct str *line, uint64_t *offset)
{
    while (naive->rest.len) {
        const char *lf = memchr(naive->rest.data, '\n', naive->rest.len);
        size_t len = lf ? (size_t)(lf - naive->rest.data) : naive->rest.len;
        *line = (struct str){naive->rest.data, len};
        *offset = naive->offset;
        size_t used = len + (len < naive->rest.len);
        naive->rest.data += used;
        naive->rest.len -= used;
        naive->offset += used;
        naive->number++;
        if (line->len && line->data[line->len - 1] == '\r')
            line->len--;
        return true;
    }
    return false;
}

static void claim(bool holds)
{
    if (!holds)
        abort();
}

static void check_line(struct naive *naive, size_t limit, enum ndjson_status status,
                       const struct ndjson_line *got)
{
    struct str line;
    uint64_t offset;
    do
        claim(naive_next(naive, &line, &offset));
    while (line.len <= limit && is_blank(line));
    claim(got->number == naive->number && got->offset == offset && got->length == line.len);
    claim(status == (line.len > limit ? NDJSON_TOO_LARGE : NDJSON_LINE));
    if (status == NDJSON_TOO_LARGE && line.len > NDJSON_HEAD)
        line.len = NDJSON_HEAD;
    claim(str_eq(slice_str(got->bytes), line));
}

/* Some bytes of the input stand for long runs, so that blocks fill up and grow. */
static void spread(struct buf *stream, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size && stream->len < MAX_STREAM; i++) {
        size_t times = data[i] >= 0xF0 ? (size_t)(data[i] - 0xEF) * (MAX_REPEAT / 16) : 1;
        buf_reserve(stream, times);
        memset(stream->data + stream->len, data[i] >= 0xF0 ? "\n\r x"[data[i] & 3] : data[i],
               times);
        stream->len += times;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEADER)
        return 0;
    static const size_t limits[] = {0, 1, 7, 64, 4095, 4096, 4097, 70000, 200000, SIZE_MAX};
    size_t limit = limits[data[0] % (sizeof limits / sizeof *limits)];
    /* Long streams are not cut into single bytes: that would be all the fuzzer has time for. */
    size_t largest_cut =
        data[1] & 1 ? NDJSON_READ * 2 : (size_t)(data[1] >> 1) * (data[2] + 1u) + 1;
    struct rng rng;
    rng_seed(&rng, data[3]);
    struct buf stream = {0};
    if (data[2] % 16)
        buf_add(&stream, data + HEADER, size - HEADER);
    else
        spread(&stream, data + HEADER, size - HEADER);

    if (largest_cut < stream.len / 1000)
        largest_cut = stream.len / 1000;

    struct naive naive = {buf_str(&stream), 0, 0};
    if (str_starts(naive.rest, STR("\xEF\xBB\xBF")))
        naive = (struct naive){{stream.data + 3, stream.len - 3}, 0, 3};

    struct ndjson_reader *reader = ndjson_reader_new(limit);
    struct slice kept[KEPT] = {{0}};
    struct buf copies[KEPT] = {{0}};
    size_t count = 0, fed = 0;
    struct ndjson_line line;
    enum ndjson_status status;
    do {
        if (fed == stream.len) {
            ndjson_end(reader);
        } else {
            size_t room, part = 1 + rng_below(&rng, largest_cut);
            char *space = ndjson_space(reader, &room);
            claim(room >= NDJSON_MIN_ROOM);
            part = part < room ? part : room;
            part = part < stream.len - fed ? part : stream.len - fed;
            memcpy(space, stream.data + fed, part);
            ndjson_filled(reader, part);
            fed += part;
        }
        while ((status = ndjson_next(reader, &line)) == NDJSON_LINE || status == NDJSON_TOO_LARGE) {
            claim(limit > NDJSON_HEAD || line.bytes.len <= NDJSON_HEAD);
            claim(line.bytes.block->cap <= BLOCK_SIZE || limit > BLOCK_SIZE - NDJSON_MIN_ROOM * 2);
            check_line(&naive, limit, status, &line);
            if (count < KEPT && rng_next(&rng) & 1) {
                kept[count] = line.bytes;
                buf_add_str(&copies[count++], slice_str(line.bytes));
            } else {
                slice_drop(&line.bytes);
            }
        }
    } while (status != NDJSON_END);

    struct str rest;
    uint64_t offset;
    while (naive_next(&naive, &rest, &offset))
        claim(is_blank(rest) && rest.len <= limit);
    ndjson_reader_free(reader);
    for (size_t i = 0; i < count; i++) {
        claim(str_eq(slice_str(kept[i]), buf_str(&copies[i])));
        slice_drop(&kept[i]);
        buf_free(&copies[i]);
    }
    buf_free(&stream);
    return 0;
}
