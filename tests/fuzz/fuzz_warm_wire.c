/*
 * fuzz_warm_wire.c: a stream of frames gives the same frames wherever its reads end, and none that
 * reaches beyond what was read.
 *
 * The first byte of the input chooses the length of a read, the second the limit. Its corpus holds
 * frames, as their magic is not found by chance.
 */
#include "fn/warm_wire.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER = 2, MAX_STREAM = 32 * 1024, MAX_FRAMES = 1024 };

struct seen {
    uint64_t ids[MAX_FRAMES], lengths[MAX_FRAMES], sums[MAX_FRAMES];
    size_t count;
    int ended; /* what warm_next said last */
};

static uint64_t sum_of(const struct warm_frame *frame)
{
    uint64_t sum = frame->type;
    for (int i = 0; i < WARM_PARTS; i++) {
        for (size_t at = 0; at < frame->parts[i].len; at++)
            sum = sum * 31 + (unsigned char)frame->parts[i].data[at];
    }
    return sum;
}

static void take(struct warm_reader *reader, struct seen *seen)
{
    struct warm_frame frame;
    struct err err;
    while (seen->count < MAX_FRAMES && (seen->ended = warm_next(reader, &frame, &err)) > 0) {
        seen->ids[seen->count] = frame.id;
        seen->lengths[seen->count] = frame.length;
        seen->sums[seen->count++] = sum_of(&frame);
        if (!frame.too_large && frame.length > reader->limit)
            abort();
    }
}

static void read_all(const uint8_t *bytes, size_t size, size_t piece, size_t limit,
                     struct seen *seen)
{
    int ends[2];
    struct warm_reader reader = {.limit = limit};
    *seen = (struct seen){0};
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        abort();
    for (size_t at = 0; at < size && seen->ended >= 0; at += piece) {
        size_t now = size - at < piece ? size - at : piece;
        if (write(ends[1], bytes + at, now) != (ssize_t)now ||
            warm_read(&reader, ends[0]) != (ssize_t)now)
            abort();
        take(&reader, seen);
    }
    close(ends[0]);
    close(ends[1]);
    warm_reader_free(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct seen whole, cut;
    if (size < HEADER || size > MAX_STREAM)
        return 0;
    size_t piece = (size_t)data[0] + 1, limit = (size_t)data[1] * 4;
    data += HEADER;
    size -= HEADER;
    read_all(data, size, MAX_STREAM, limit, &whole);
    read_all(data, size, piece, limit, &cut);
    if (whole.count != cut.count || whole.ended != cut.ended)
        abort();
    for (size_t i = 0; i < whole.count; i++) {
        if (whole.ids[i] != cut.ids[i] || whole.lengths[i] != cut.lengths[i] ||
            whole.sums[i] != cut.sums[i])
            abort();
    }
    return 0;
}
