/* pack.c: a value as it is stored. */
#include "state/pack.h"

#include "format/zst.h"
#include "state/store.h"

enum { PACK_PLAIN, PACK_ZST, PACK_ROOM = 64 * 1024 };

void pack_add(struct buf *record, struct str value)
{
    struct err err;
    struct buf frame = {0};
    if (value.len > STORE_COMPRESS && zst_frame(value, &frame, &err) == 0 &&
        frame.len < value.len) {
        buf_addc(record, PACK_ZST);
        buf_add_str(record, buf_str(&frame));
    } else {
        buf_addc(record, PACK_PLAIN);
        buf_add_str(record, value);
    }
    buf_free(&frame);
}

static int read_frame(struct str frame, struct buf *out, struct err *err)
{
    struct zst_decoder *decoder = zst_decoder_new();
    ssize_t got;
    do {
        buf_reserve(out, PACK_ROOM);
        got = zst_decode(decoder, &frame, out->data + out->len, PACK_ROOM, err);
        if (got > 0)
            out->len += (size_t)got;
    } while (got > 0);
    int status = got < 0 ? -1 : zst_decode_end(decoder, err);
    zst_decoder_free(decoder);
    return status;
}

int pack_read(struct str packed, struct buf *out, struct err *err)
{
    struct str body = {packed.data + 1, packed.len - 1};
    struct err cause;
    if (packed.len && packed.data[0] == PACK_PLAIN) {
        buf_add_str(out, body);
        return 0;
    }
    if (packed.len && packed.data[0] == PACK_ZST && read_frame(body, out, &cause) == 0)
        return 0;
    return err_set(err, ERR_STATE, "a stored value is damaged");
}
