/* ordinals.c: how often each content has come, of all contents since the beginning. */
#include "engine/ordinals.h"

#include "base/mem.h"
#include "sys/dir.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct sighting {
    uint64_t content; /* 96 bits of the hash, with check */
    uint32_t check;
    uint32_t count; /* 0: free */
};

struct ordinals {
    const char *temp_dir;
    struct sighting *places;
    uint64_t size, used;
};

/* Its blocks are there before it is mapped: a full disk is no signal later. NULL: not to be had. */
static void *map_file(const char *temp_dir, size_t bytes)
{
    struct err err;
    int fd = dir_temp_file(temp_dir, &err);
    if (fd < 0)
        return NULL;
    void *map = posix_fallocate(fd, 0, (off_t)bytes) == 0
                    ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                    : MAP_FAILED;
    close(fd);
    return map == MAP_FAILED ? NULL : map;
}

static void map(struct ordinals *ordinals, uint64_t size)
{
    size_t bytes = (size_t)size * sizeof *ordinals->places;
    ordinals->places = map_file(ordinals->temp_dir, bytes);
    if (!ordinals->places) {
        void *memory =
            mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            mem_exhausted(bytes);
        ordinals->places = memory;
    }
    ordinals->size = size;
}

static void unmap(struct sighting *places, uint64_t size)
{
    munmap(places, (size_t)size * sizeof *places);
}

static struct sighting *place_of(const struct ordinals *ordinals, uint64_t content, uint32_t check)
{
    uint64_t mask = ordinals->size - 1, at = content & mask;
    while (ordinals->places[at].count &&
           (ordinals->places[at].content != content || ordinals->places[at].check != check))
        at = (at + 1) & mask;
    return &ordinals->places[at];
}

static void grow(struct ordinals *ordinals)
{
    struct sighting *old = ordinals->places;
    uint64_t size = ordinals->size;
    map(ordinals, size * 2);
    for (uint64_t i = 0; i < size; i++) {
        if (old[i].count)
            *place_of(ordinals, old[i].content, old[i].check) = old[i];
    }
    unmap(old, size);
}

struct ordinals *ordinals_new(const char *temp_dir)
{
    struct ordinals *ordinals = mem_zalloc(sizeof *ordinals);
    ordinals->temp_dir = temp_dir;
    map(ordinals, ORDINALS_FIRST);
    return ordinals;
}

void ordinals_free(struct ordinals *ordinals)
{
    if (!ordinals)
        return;
    unmap(ordinals->places, ordinals->size);
    free(ordinals);
}

uint32_t ordinals_count(struct ordinals *ordinals, struct hash128 content)
{
    if (ordinals->used >= ordinals->size / 4 * 3)
        grow(ordinals);
    uint32_t check = (uint32_t)content.high;
    struct sighting *place = place_of(ordinals, content.low, check);
    if (!place->count) {
        *place = (struct sighting){.content = content.low, .check = check};
        ordinals->used++;
    }
    return ++place->count;
}
