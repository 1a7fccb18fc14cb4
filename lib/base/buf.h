/*
 * buf.h: a growable string of bytes.
 *
 * A struct buf owns its bytes; the zero value is an empty one. Growth doubles and never fails
 * (mem.h). The bytes are not NUL-terminated unless buf_cstr is called.
 */
#ifndef FIT_BASE_BUF_H
#define FIT_BASE_BUF_H

#include "base/str.h"

#include <stdarg.h>
#include <stdint.h>

struct buf {
    char *data;
    size_t len;
    size_t cap;
};

void buf_free(struct buf *buf);                  /* leaves an empty, usable buf */
void buf_reserve(struct buf *buf, size_t extra); /* room for extra more bytes */
void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_str(struct buf *buf, struct str text);
void buf_puts(struct buf *buf, const char *text);
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_addfv(struct buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
void buf_consume(struct buf *buf, size_t count); /* drop count bytes at the front */
char *buf_cstr(struct buf *buf);                 /* NUL after the bytes; still owned by buf */
char *buf_take(struct buf *buf);                 /* NUL-terminated, the caller's; buf is empty */

static inline void buf_clear(struct buf *buf)
{
    buf->len = 0;
}

static inline void buf_addc(struct buf *buf, char c)
{
    if (buf->len == buf->cap)
        buf_reserve(buf, 1);
    buf->data[buf->len++] = c;
}

static inline struct str buf_str(const struct buf *buf)
{
    return (struct str){buf->data, buf->len};
}

/* The bytes as a JSON string with its quotes. Well-formed UTF-8 is required and kept as it is. */
void buf_add_json(struct buf *buf, struct str text);

/* RFC 4648 base64 with padding. */
void buf_add_base64(struct buf *buf, struct str bytes);
bool buf_add_from_base64(struct buf *buf, struct str text); /* back; false: it is none */

#endif
