/* warm_wire.c: what a fitting and the supervisor of a warm pool say to each other. */
#include "fn/warm_wire.h"

#include <sys/socket.h>

#define WARM_MAGIC UINT32_C(0x46571001) /* the last byte is the version of the protocol */

struct warm_head {
    uint32_t magic;
    uint32_t type;
    uint64_t id;
    uint32_t sizes[WARM_PARTS];
    uint32_t zero;
    int64_t values[WARM_VALUES];
};

_Static_assert(sizeof(struct warm_head) == WARM_HEAD, "a head has holes");

/* ---- writing ---- */

void warm_send_head(struct stream_out *out, const struct warm_frame *frame)
{
    struct warm_head head = {.magic = WARM_MAGIC, .type = frame->type, .id = frame->id};
    for (int i = 0; i < WARM_PARTS; i++)
        head.sizes[i] = (uint32_t)frame->parts[i].len;
    memcpy(head.values, frame->values, sizeof head.values);
    stream_add(out, (struct str){(const char *)&head, sizeof head});
}

void warm_send(struct stream_out *out, const struct warm_frame *frame)
{
    warm_send_head(out, frame);
    for (int i = 0; i < WARM_PARTS; i++)
        stream_add(out, frame->parts[i]);
}

/* ---- reading ---- */

void warm_reader_free(struct warm_reader *reader)
{
    buf_free(&reader->bytes);
    reader->from = 0;
    reader->skip = 0;
}

ssize_t warm_read(struct warm_reader *reader, int fd)
{
    struct buf *bytes = &reader->bytes;
    buf_consume(bytes, reader->from);
    reader->from = 0;
    if (!bytes->len && bytes->cap > WARM_READ)
        buf_free(bytes);
    buf_reserve(bytes, WARM_READ);
    ssize_t got = recv(fd, bytes->data + bytes->len, WARM_READ, MSG_DONTWAIT);
    if (got > 0)
        bytes->len += (size_t)got;
    else if (!bytes->len) /* most connections have nothing to say most of the time */
        buf_free(bytes);
    return got;
}

static void skip(struct warm_reader *reader)
{
    size_t there = reader->bytes.len - reader->from;
    size_t now = reader->skip < there ? (size_t)reader->skip : there;
    reader->from += now;
    reader->skip -= now;
}

int warm_next(struct warm_reader *reader, struct warm_frame *frame, struct err *err)
{
    struct warm_head head;
    skip(reader);
    size_t there = reader->bytes.len - reader->from;
    if (there < sizeof head)
        return 0;
    memcpy(&head, reader->bytes.data + reader->from, sizeof head);
    if (head.magic != WARM_MAGIC)
        return err_set(err, ERR_INPUT,
                       "it is of another version of fittings: stop it, and start it again");
    if (!head.type || head.type >= WARM_TYPES || head.zero)
        return err_set(err, ERR_INPUT, "a frame of an unknown kind");
    *frame = (struct warm_frame){.type = (enum warm_type)head.type, .id = head.id};
    for (int i = 0; i < WARM_PARTS; i++)
        frame->length += head.sizes[i];
    memcpy(frame->values, head.values, sizeof head.values);
    frame->too_large = frame->length > reader->limit;
    if (!frame->too_large && there < sizeof head + frame->length)
        return 0;
    reader->from += sizeof head;
    if (frame->too_large) {
        reader->skip = frame->length;
        skip(reader);
        return 1;
    }
    for (int i = 0; i < WARM_PARTS; i++) {
        frame->parts[i] = (struct str){reader->bytes.data + reader->from, head.sizes[i]};
        reader->from += head.sizes[i];
    }
    return 1;
}
