/* zst.c: zstd streams in, independent zstd frames out, by libzstd. */
#include "format/zst.h"

#include "base/mem.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

struct zst_decoder {
    ZSTD_DCtx *context; /* NULL until the first input */
    size_t wanted;      /* input bytes that complete the next piece of the frame (libzstd's hint) */
    bool in_frame;
    bool
        may_hold; /* the last call filled the room in mid-frame: decoded bytes may be left inside */
};

bool zst_is_magic(struct str bytes)
{
    if (bytes.len < ZST_MAGIC_LEN)
        return false;
    const unsigned char *p = (const unsigned char *)bytes.data;
    uint32_t magic = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    return magic == ZSTD_MAGICNUMBER ||
           (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
}

bool zst_may_be_magic(struct str bytes)
{
    unsigned char first = (unsigned char)bytes.data[0];
    return first == (ZSTD_MAGICNUMBER & 0xFF) ||
           (first & 0xF0) == (ZSTD_MAGIC_SKIPPABLE_START & 0xF0);
}

bool zst_is_name(const char *path)
{
    return str_ends(str_of(path), STR(".zst"));
}

struct zst_decoder *zst_decoder_new(void)
{
    struct zst_decoder *decoder = mem_zalloc(sizeof *decoder);
    decoder->wanted = ZST_MAGIC_LEN;
    return decoder;
}

void zst_decoder_free(struct zst_decoder *decoder)
{
    if (!decoder)
        return;
    ZSTD_freeDCtx(decoder->context);
    free(decoder);
}

void zst_decode_reset(struct zst_decoder *decoder)
{
    if (decoder->context)
        ZSTD_DCtx_reset(decoder->context, ZSTD_reset_session_only);
    decoder->wanted = ZST_MAGIC_LEN;
    decoder->in_frame = decoder->may_hold = false;
}

static int fail(size_t code, struct err *err)
{
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_prefix_unknown:
    case ZSTD_error_version_unsupported:
        return err_set(err, ERR_INPUT, "not zstd data");
    case ZSTD_error_frameParameter_windowTooLarge:
        return err_set(err, ERR_LIMIT, "zstd window over %d MiB", 1 << (ZST_WINDOW_LOG - 20));
    case ZSTD_error_dictionary_wrong:
    case ZSTD_error_dictionary_corrupted:
        return err_set(err, ERR_NOT_USABLE, "zstd frame that needs a dictionary");
    case ZSTD_error_memory_allocation:
        return err_set(err, ERR_LIMIT, "no memory for a zstd window");
    case ZSTD_error_checksum_wrong:
        return err_set(err, ERR_INPUT, "damaged zstd frame (wrong checksum)");
    default:
        return err_set(err, ERR_INPUT, "damaged zstd frame (%s)", ZSTD_getErrorName(code));
    }
}

/*
 * One call of libzstd. When it fails it does not say what it has produced in that call, so it is
 * given at most the piece of input that it asked for (a block), and none while it may hold decoded
 * bytes: then a call that fails has produced nothing that was good.
 */
static ssize_t step(struct zst_decoder *decoder, struct str *in, char *out, size_t room,
                    struct err *err)
{
    size_t len = decoder->may_hold ? 0 : in->len < decoder->wanted ? in->len : decoder->wanted;
    ZSTD_inBuffer input = {len ? in->data : "", len, 0};
    ZSTD_outBuffer output = {out, room, 0};
    size_t code = ZSTD_decompressStream(decoder->context, &output, &input);
    if (ZSTD_isError(code))
        return fail(code, err);
    in->data += input.pos;
    in->len -= input.pos;
    decoder->in_frame = code != 0;
    decoder->wanted = code ? code : ZST_MAGIC_LEN;
    decoder->may_hold = code && output.pos == room;
    return (ssize_t)output.pos;
}

ssize_t zst_decode(struct zst_decoder *decoder, struct str *in, char *out, size_t room,
                   struct err *err)
{
    if (!decoder->context) {
        decoder->context = ZSTD_createDCtx();
        if (!decoder->context)
            return err_set(err, ERR_LIMIT, "no memory to decompress zstd");
        ZSTD_DCtx_setParameter(decoder->context, ZSTD_d_windowLogMax, ZST_WINDOW_LOG);
    }
    ssize_t produced = 0;
    while (!produced && (in->len || decoder->may_hold))
        produced = step(decoder, in, out, room, err);
    return produced;
}

int zst_decode_end(struct zst_decoder *decoder, struct err *err)
{
    if (decoder->in_frame)
        return err_set(err, ERR_INPUT, "ended inside a zstd frame");
    return 0;
}

int zst_frame(struct str content, struct buf *out, struct err *err)
{
    static ZSTD_CCtx *context; /* its tables cost more to make than a small frame to compress */
    if (!context) {
        context = ZSTD_createCCtx();
        if (!context)
            return err_set(err, ERR_LIMIT, "no memory to compress zstd");
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, ZST_LEVEL);
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
        /* Shrunk to the content: makes every frame a single segment, by which zst_recover knows
         * ours. */
        ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, ZST_WINDOW_LOG);
    }
    size_t bound = ZSTD_compressBound(content.len);
    if (ZSTD_isError(bound))
        return err_set(err, ERR_LIMIT, "%zu bytes are too many for a zstd frame", content.len);
    buf_reserve(out, bound);
    size_t len = ZSTD_compress2(context, out->data + out->len, bound, content.data, content.len);
    if (ZSTD_isError(len))
        return err_set(err, ERR_LIMIT, "compress %zu bytes: %s", content.len,
                       ZSTD_getErrorName(len));
    out->len += len;
    return 0;
}
