/*
 * cell_file.h: the file of a cell: how it is laid out, made, checked, replaced and removed.
 *
 * The lowest part of cell.h, which says what goes wrong and what is done. It does not know who
 * locks a cell or what lies in it.
 */
#ifndef FIT_STATE_CELL_FILE_H
#define FIT_STATE_CELL_FILE_H

#include "state/cell.h"

#include <pthread.h>
#include <stddef.h>
#include <sys/stat.h>

enum { CELL_LINE = 64 }; /* bytes of a line of the cache */

/* What never changes once the file stands at its name. */
struct cell_header {
    char magic[16];
    uint32_t layout;      /* of the header */
    uint32_t lock_size;   /* sizeof(pthread_mutex_t): another one is another architecture */
    uint32_t kind_layout; /* of the payload */
    uint32_t name_len;
    uint64_t size; /* of the payload */
    uint64_t boot;
    char kind[CELL_KIND];
    char name[HOME_NAME];
    uint64_t checksum; /* of the above */
};

/* The file as it is mapped. Lock and payload begin lines of the cache. */
struct cell_map {
    struct cell_header header;
    uint32_t retired; /* it no longer stands at its name */
    char gap[2 * CELL_LINE - (sizeof(struct cell_header) + sizeof(uint32_t)) % CELL_LINE];
    pthread_mutex_t lock;
    char gap_behind[CELL_LINE - sizeof(pthread_mutex_t) % CELL_LINE];
    unsigned char payload[];
};

/* Which one. */
struct cell_file {
    struct home *home;
    const struct cell_kind *kind;
    const void *context;
    size_t name_len;
    char file[HOME_FILE]; /* in run/ */
    char name[HOME_NAME];
};

/* -1 with ERR_USAGE: the name is too long. */
int cell_file_init(struct cell_file *file, struct home *home, const struct cell_kind *kind,
                   struct str name, struct err *err);

static inline size_t cell_file_size(const struct cell_kind *kind)
{
    return offsetof(struct cell_map, payload) + kind->size;
}

uint64_t cell_file_checksum(const struct cell_header *header);

/* Initialise the lock in new memory. An errno, or 0. */
int cell_file_init_lock(struct cell_map *map, bool shared);

/*
 * Map it, make it, or replace it. spoiled (may be NULL): a file whose lock cannot be used, though
 * it looks good. *opened says which file was mapped, *reset that a damaged one was replaced. The
 * mapping is the caller's, of cell_file_size. NULL with err.
 */
struct cell_map *cell_file_open(const struct cell_file *file, const struct stat *spoiled,
                                struct stat *opened, bool *reset, struct err *err);

/* As cell_remove. */
int cell_file_remove(const struct cell_file *file, struct err *err);

/* The header of a file in run/, if it is whole and of that kind. */
bool cell_file_read(const struct home *home, const char *name, const struct cell_kind *kind,
                    struct cell_header *header);

#endif
