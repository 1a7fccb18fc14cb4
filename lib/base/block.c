/* block.c: shared blocks of bytes, and slices of them. */
#include "base/block.h"

#include "base/mem.h"

#include <stdlib.h>
#include <sys/mman.h>

static struct block *kept;
static unsigned kept_count;

static void release_heap(struct block *block)
{
    if (block->cap == BLOCK_SIZE && kept_count < BLOCK_KEEP) {
        block->next_free = kept;
        kept = block;
        kept_count++;
        return;
    }
    free(block);
}

struct block *block_new(size_t size)
{
    struct block *block = kept;
    if (size <= BLOCK_SIZE && size > BLOCK_SIZE / 8 && block) {
        kept = block->next_free;
        kept_count--;
    } else {
        if (size > BLOCK_SIZE / 8 && size < BLOCK_SIZE)
            size = BLOCK_SIZE;
        block = mem_alloc(sizeof *block + size);
        block->data = (char *)(block + 1);
        block->cap = size;
        block->release = release_heap;
    }
    block->len = 0;
    block->refs = 1;
    block->next_free = NULL;
    return block;
}

static void release_map(struct block *block)
{
    munmap(block->data, block->cap);
    free(block);
}

struct block *block_map(int fd, size_t len)
{
    void *data = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return NULL;
    struct block *block = mem_zalloc(sizeof *block);
    block->data = data;
    block->cap = block->len = len;
    block->refs = 1;
    block->release = release_map;
    return block;
}

void block_drop(struct block *block)
{
    if (block && --block->refs == 0)
        block->release(block);
}

void block_drop_kept(void)
{
    while (kept) {
        struct block *next = kept->next_free;
        free(kept);
        kept = next;
    }
    kept_count = 0;
}

struct slice slice_dup(struct str bytes)
{
    struct block *block = block_new(bytes.len);
    if (bytes.len)
        memcpy(block->data, bytes.data, bytes.len);
    block->len = bytes.len;
    return (struct slice){block, block->data, bytes.len};
}

static void release_taken(struct block *block)
{
    free(block->data);
    free(block);
}

struct slice slice_take(char *bytes, size_t len)
{
    struct block *block = mem_alloc(sizeof *block);
    *block = (struct block){.data = bytes, .cap = len, .len = len, .refs = 1};
    block->release = release_taken;
    return (struct slice){block, bytes, len};
}

struct slice slice_line(struct slice slice)
{
    const struct block *block = slice.block;
    if (block && slice.data + slice.len < block->data + block->len && slice.data[slice.len] == '\n')
        return slice_of(slice.block, slice.data, slice.len + 1);
    struct block *copy = block_new(slice.len + 1);
    if (slice.len)
        memcpy(copy->data, slice.data, slice.len);
    copy->data[slice.len] = '\n';
    copy->len = slice.len + 1;
    return (struct slice){copy, copy->data, copy->len};
}
