/* worker_lines.c: what a line worker prints, line by line. */
#include "fn/worker_lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { WORKER_ROOM = 4096 }; /* a block with less room left is exchanged for a new one */

void worker_lines_free(struct worker_lines *lines)
{
    block_drop(lines->block);
}

/* Make room to read into: the same block while it lasts, then a new one with what is left of a
 * line. */
static void make_room(struct worker_lines *lines)
{
    struct block *block = lines->block;
    if (block && block->cap - block->len >= WORKER_ROOM)
        return;
    size_t begun = worker_lines_begun(lines);
    if (block && block->refs == 1 && lines->from >= block->cap / 2) {
        memmove(block->data, block->data + lines->from, begun);
        block->len = begun;
    } else {
        size_t size = begun * 2 > BLOCK_SIZE ? begun * 2 : BLOCK_SIZE;
        struct block *fresh = block_new(size);
        if (begun)
            memcpy(fresh->data, block->data + lines->from, begun);
        fresh->len = begun;
        block_drop(block);
        lines->block = fresh;
    }
    lines->searched -= lines->from;
    lines->from = 0;
}

ssize_t worker_lines_read(struct worker_lines *lines, int fd)
{
    make_room(lines);
    struct block *block = lines->block;
    ssize_t got = read(fd, block->data + block->len, block->cap - block->len);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0)
        return -1;
    block->len += (size_t)got;
    return got;
}

bool worker_lines_next(struct worker_lines *lines, struct slice *line)
{
    struct block *block = lines->block;
    size_t rest = block->len - lines->searched;
    const char *lf = rest ? memchr(block->data + lines->searched, '\n', rest) : NULL;
    if (!lf) {
        lines->searched = block->len;
        return false;
    }
    const char *start = block->data + lines->from;
    *line = (struct slice){block, start, (size_t)(lf - start)};
    lines->from = lines->searched = (size_t)(lf - block->data) + 1;
    return true;
}

size_t worker_lines_begun(const struct worker_lines *lines)
{
    return lines->block ? lines->block->len - lines->from : 0;
}
