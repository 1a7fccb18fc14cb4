/* buf.c: a growable string of bytes. */
#include "base/buf.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

enum { BUF_FIRST = 64 }; /* bytes of the first allocation; doubled from there */

void buf_free(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){0};
}

void buf_reserve(struct buf *buf, size_t extra)
{
    if (buf->cap - buf->len >= extra)
        return;
    size_t cap = buf->cap ? buf->cap : BUF_FIRST;
    while (cap - buf->len < extra)
        cap *= 2;
    buf->data = mem_realloc(buf->data, cap);
    buf->cap = cap;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
    if (!len)
        return;
    buf_reserve(buf, len);
    memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
}

void buf_add_str(struct buf *buf, struct str text)
{
    buf_add(buf, text.data, text.len);
}

void buf_puts(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_addf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_addfv(buf, format, args);
    va_end(args);
}

void buf_addfv(struct buf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int need = vsnprintf(NULL, 0, format, args);
    if (need > 0) {
        buf_reserve(buf, (size_t)need + 1);
        vsnprintf(buf->data + buf->len, (size_t)need + 1, format, again);
        buf->len += (size_t)need;
    }
    va_end(again);
}

void buf_consume(struct buf *buf, size_t count)
{
    buf->len -= count;
    if (buf->len && count)
        memmove(buf->data, buf->data + count, buf->len);
}

char *buf_cstr(struct buf *buf)
{
    buf_reserve(buf, 1);
    buf->data[buf->len] = '\0';
    return buf->data;
}

char *buf_take(struct buf *buf)
{
    char *text = buf_cstr(buf);
    *buf = (struct buf){0};
    return text;
}

void buf_add_json(struct buf *buf, struct str text)
{
    static const char hex[] = "0123456789abcdef";
    static const char *const shorts[32] = {
        ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r"};
    buf_reserve(buf, text.len + 2);
    buf_addc(buf, '"');
    size_t plain = 0; /* where the run of bytes that need no escape began */
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(buf, text.data + plain, i - plain);
        plain = i + 1;
        if (c >= 0x20) {
            buf_addc(buf, '\\');
            buf_addc(buf, (char)c);
        } else if (shorts[c]) {
            buf_puts(buf, shorts[c]);
        } else {
            buf_puts(buf, "\\u00");
            buf_addc(buf, hex[c >> 4]);
            buf_addc(buf, hex[c & 15]);
        }
    }
    if (plain < text.len) /* the string may be {NULL, 0} */
        buf_add(buf, text.data + plain, text.len - plain);
    buf_addc(buf, '"');
}

void buf_add_base64(struct buf *buf, struct str bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)bytes.data;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t have = bytes.len - i;
        uint32_t three = (uint32_t)p[i] << 16;
        three |= have > 1 ? (uint32_t)p[i + 1] << 8 : 0;
        three |= have > 2 ? p[i + 2] : 0;
        buf_addc(buf, digits[three >> 18]);
        buf_addc(buf, digits[three >> 12 & 63]);
        buf_addc(buf, have > 1 ? digits[three >> 6 & 63] : '=');
        buf_addc(buf, have > 2 ? digits[three & 63] : '=');
    }
}

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four digits as three bytes. How many of them count, or 0. */
static unsigned read_digits(const char *four, bool last, unsigned char three[3])
{
    uint32_t bits = 0;
    unsigned padding = last ? (four[3] == '=') + (four[2] == '=' && four[3] == '=') : 0;
    for (unsigned i = 0; i < 4; i++) {
        int digit = i >= 4 - padding ? 0 : digit_of(four[i]);
        if (digit < 0)
            return 0;
        bits = bits << 6 | (uint32_t)digit;
    }
    three[0] = (unsigned char)(bits >> 16);
    three[1] = (unsigned char)(bits >> 8);
    three[2] = (unsigned char)bits;
    return 3 - padding;
}

bool buf_add_from_base64(struct buf *buf, struct str text)
{
    size_t before = buf->len;
    bool valid = text.len % 4 == 0;
    for (size_t i = 0; valid && i < text.len; i += 4) {
        unsigned char three[3];
        unsigned count = read_digits(text.data + i, i + 4 == text.len, three);
        valid = count;
        buf_add(buf, three, count);
    }
    if (!valid)
        buf->len = before;
    return valid;
}
