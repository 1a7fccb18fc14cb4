/* msg.c: what a fitting says to people, on stderr. */
#include "base/msg.h"

#include "base/buf.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <unistd.h>

static const char *name = "fit";
static enum msg_level level = MSG_NORMAL;
static void (*diverted)(void *owner, struct str lines);
static void *diverted_owner;

void msg_init(const char *command)
{
    name = command;
}

const char *msg_name(void)
{
    return name;
}

void msg_set_level(enum msg_level wanted)
{
    level = wanted;
}

enum msg_level msg_level(void)
{
    return level;
}

void msg_divert(void (*output)(void *owner, struct str lines), void *owner)
{
    diverted = output;
    diverted_owner = owner;
}

int msg_raw(struct str lines)
{
    while (lines.len) {
        ssize_t wrote = write(STDERR_FILENO, lines.data, lines.len);
        if (wrote < 0 && errno == EAGAIN) {
            struct pollfd writable = {.fd = STDERR_FILENO, .events = POLLOUT};
            poll(&writable, 1, -1);
            continue;
        }
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return -1;
        lines.data += wrote;
        lines.len -= (size_t)wrote;
    }
    return 0;
}

__attribute__((format(printf, 1, 0))) static void say(const char *format, va_list args)
{
    struct buf line = {0};
    buf_addf(&line, "%s: ", name);
    buf_addfv(&line, format, args);
    bool utf8 = str_is_utf8(buf_str(&line));
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.data[i];
        if (c < 0x20 || c == 0x7F || (c >= 0x80 && !utf8))
            line.data[i] = '?';
    }
    buf_addc(&line, '\n');
    if (diverted)
        diverted(diverted_owner, buf_str(&line));
    else
        msg_raw(buf_str(&line));
    buf_free(&line);
}

void msg_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
}

void msg_warn(const char *format, ...)
{
    if (level < MSG_NORMAL)
        return;
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
}

void msg_verbose(const char *format, ...)
{
    if (level < MSG_VERBOSE)
        return;
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
}
