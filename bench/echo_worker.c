/*
 * echo_worker.c: a line worker that gives each line back: echo_worker batch|flush|stall
 *
 * batch answers all lines of a read with one write; flush writes each answer on its own, as a
 * program does that flushes each line; stall is batch, but answers the very first event of the
 * input ({"id":0,...) only after two seconds.
 */
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { ECHO_ROOM = 1 << 18, ECHO_STALL_MS = 2000 };

static char bytes[ECHO_ROOM];

/* 0; 1: nobody reads. */
static int answer(size_t whole, int flush)
{
    for (size_t at = 0; at < whole;) {
        size_t piece = whole - at;
        if (flush)
            piece = (size_t)((char *)memchr(bytes + at, '\n', piece) - bytes) + 1 - at;
        ssize_t wrote = write(1, bytes + at, piece);
        if (wrote <= 0)
            return 1;
        at += (size_t)wrote;
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "batch";
    const char first[] = "{\"id\":0,";
    size_t len = 0;
    ssize_t got;
    while ((got = read(0, bytes + len, sizeof bytes - len)) > 0) {
        len += (size_t)got;
        char *end = memrchr(bytes, '\n', len);
        size_t whole = end ? (size_t)(end - bytes) + 1 : 0;
        if (*way == 's' && strncmp(bytes, first, strlen(first)) == 0)
            poll(NULL, 0, ECHO_STALL_MS);
        if (answer(whole, *way == 'f') != 0)
            return 1;
        memmove(bytes, bytes + whole, len -= whole);
    }
    return 0;
}
