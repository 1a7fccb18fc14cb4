/*
 * fuzz_zst.c: garbage and damaged frames through the decoder and the recovery.
 *
 * The first byte chooses what the rest is: a stream as it stands, or content that is compressed in
 * two frames and then damaged in one place.
 */
#include "base/buf.h"
#include "format/zst.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    HEADER = 4,
    OUT_MAX = 4 * 1024 * 1024
}; /* a few bytes can decode to gigabytes: enough is enough */

static void claim(bool holds)
{
    if (!holds)
        abort();
}

/* Decode in parts; 0, -1, or 1 when OUT_MAX was reached. */
static int decode(struct zst_decoder *decoder, struct str file, size_t part, size_t room,
                  struct buf *out)
{
    struct err err;
    zst_decode_reset(decoder);
    while (file.len) {
        struct str in = {file.data, part < file.len ? part : file.len};
        file.data += in.len;
        file.len -= in.len;
        ssize_t produced;
        do {
            buf_reserve(out, room);
            produced = zst_decode(decoder, &in, out->data + out->len, room, &err);
            if (produced < 0) {
                claim(err.kind == ERR_INPUT || err.kind == ERR_LIMIT || err.kind == ERR_NOT_USABLE);
                return -1;
            }
            out->len += (size_t)produced;
            if (out->len > OUT_MAX)
                return 1;
        } while (produced);
        claim(in.len == 0);
    }
    return zst_decode_end(decoder, &err);
}

static void check_recovery(struct str file)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    claim(fd >= 0 && write(fd, file.data, file.len) == (ssize_t)file.len);
    struct err err = {0};
    uint64_t cut = 1;
    int status = zst_recover(fd, &cut, &err);
    off_t left = lseek(fd, 0, SEEK_END);
    claim(left >= 0 && (uint64_t)left + cut == file.len);
    if (status == 0) {
        claim(zst_recover(fd, &cut, &err) == 0 && cut == 0);
    } else {
        claim(cut == 0 && err.kind != ERR_NONE && err.kind != ERR_SYSTEM);
    }
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct zst_decoder *decoder; /* reused, as the reader of many files would */
    if (!decoder)
        decoder = zst_decoder_new();
    if (size < HEADER)
        return 0;
    struct buf file = {0}, content = {0}, once = {0}, parts = {0};
    struct err err;
    bool intact = false;
    buf_add(&content, data + HEADER, size - HEADER);
    if (data[0] & 1) {
        buf_add_str(&file, buf_str(&content));
    } else {
        claim(zst_frame(buf_str(&content), &file, &err) == 0);
        size_t first = file.len;
        claim(zst_frame((struct str){content.data, content.len / 2}, &file, &err) == 0);
        size_t at = (data[1] | (size_t)data[2] << 8) % file.len;
        if (data[0] & 2) {
            file.len = at;
        } else {
            file.data[at] ^= (char)data[3];
            intact = data[3] == 0 || at >= first;
        }
        buf_reserve(&content, content.len); /* its own bytes are appended to it */
        if (intact && data[3] == 0)
            buf_add(&content, content.data, content.len / 2);
    }
    int status = decode(decoder, buf_str(&file), file.len + 1, 1 << 20, &once);
    int again = decode(decoder, buf_str(&file), 1 + data[1] % 64u, 1 + data[2] * 16u, &parts);
    if (status != 1 && again != 1) {
        claim(status == again);
        claim(str_starts(buf_str(&once), buf_str(&parts)) ||
              str_starts(buf_str(&parts), buf_str(&once)));
        claim(status != 0 || str_eq(buf_str(&once), buf_str(&parts)));
    }
    if (intact)
        claim(str_starts(buf_str(&once), buf_str(&content)));
    check_recovery(buf_str(&file));
    buf_free(&file);
    buf_free(&content);
    buf_free(&once);
    buf_free(&parts);
    return 0;
}
