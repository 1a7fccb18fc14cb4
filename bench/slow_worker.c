/*
 * slow_worker.c: a line worker that gives each line back, and takes 300 ms to start.
 *
 * It waits before it reads, as an interpreter does that loads its modules, but without using
 * the processor: so what is measured beside it is not slowed by it.
 */
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { SLOW_ROOM = 1 << 18, SLOW_START_MS = 300 };

static char bytes[SLOW_ROOM];

/* 0; 1: nobody reads. */
static int answer(size_t whole)
{
    for (size_t at = 0; at < whole;) {
        size_t len = (size_t)((char *)memchr(bytes + at, '\n', whole - at) - bytes) + 1 - at;
        if (write(1, bytes + at, len) != (ssize_t)len)
            return 1;
        at += len;
    }
    return 0;
}

int main(void)
{
    size_t len = 0;
    ssize_t got;
    poll(NULL, 0, SLOW_START_MS);
    while ((got = read(0, bytes + len, sizeof bytes - len)) > 0) {
        len += (size_t)got;
        char *end = memrchr(bytes, '\n', len);
        size_t whole = end ? (size_t)(end - bytes) + 1 : 0;
        if (answer(whole) != 0)
            return 1;
        memmove(bytes, bytes + whole, len -= whole);
    }
    return 0;
}
