/* ledger_index.c: where in the log of a ledger the record of a key stands. */
#include "state/ledger_index.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define INDEX_MAGIC UINT64_C(0x31786469746966ff) /* also tells the byte order */

enum { FILE_NAME = 16, OFFSET_BITS = 40 };

struct table_head {
    uint64_t magic;
    uint64_t boot;
    uint64_t places;
    uint64_t used;
    uint64_t covered; /* of all tables, kept in each as it was when it was the newest */
    uint64_t spare[3];
};

struct index_table {
    struct table_head *head; /* the mapping */
    uint64_t *places;
    size_t size;
};

struct ledger_index {
    int dir;
    uint64_t boot;
    uint64_t turn; /* how often the tables have been thrown away, in the upper half of marks */
    size_t count;
    struct index_table tables[INDEX_TABLES];
};

static uint64_t places_of(size_t number)
{
    uint64_t places = INDEX_FIRST;
    while (number--)
        places *= INDEX_GROWTH;
    return places;
}

static size_t size_of(size_t number)
{
    return sizeof(struct table_head) + (size_t)places_of(number) * sizeof(uint64_t);
}

static void name_of(char name[FILE_NAME], size_t number)
{
    snprintf(name, FILE_NAME, "index.%zu", number);
}

static int map(struct ledger_index *index, int fd, size_t size, struct err *err)
{
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        return err_sys(err, "map the index of the ledger");
    struct table_head *head = bytes;
    index->tables[index->count++] =
        (struct index_table){.head = head, .places = (uint64_t *)(head + 1), .size = size};
    return 0;
}

/* 1: the next table is there and good, and now mapped; 0: not; -1 with err. */
static int open_next(struct ledger_index *index, struct err *err)
{
    char name[FILE_NAME];
    struct stat stat;
    struct table_head head;
    size_t size = size_of(index->count);
    name_of(name, index->count);
    int fd = openat(index->dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_sys(err, "open %s of the ledger", name);
    bool good = fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && (size_t)stat.st_size == size &&
                pread(fd, &head, sizeof head, 0) == sizeof head && head.magic == INDEX_MAGIC &&
                head.boot == index->boot && head.places == places_of(index->count);
    int status = good ? map(index, fd, size, err) : 0;
    close(fd);
    return status < 0 ? -1 : good;
}

/* Its blocks are there before it is mapped: a full disk is an error here, not a signal later. */
static int make_next(struct ledger_index *index, struct err *err)
{
    char name[FILE_NAME];
    if (index->count == INDEX_TABLES)
        return err_set(err, ERR_LIMIT, "the ledger has too many records");
    size_t size = size_of(index->count);
    name_of(name, index->count);
    int fd = openat(index->dir, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_sys(err, "make %s of the ledger", name);
    int cause = posix_fallocate(fd, 0, (off_t)size);
    if (cause) {
        close(fd);
        unlinkat(index->dir, name, 0);
        errno = cause;
        return err_sys(err, "make %s of the ledger", name);
    }
    uint64_t covered = ledger_index_covered(index);
    int status = map(index, fd, size, err);
    close(fd);
    if (status < 0)
        return -1;
    struct table_head *head = index->tables[index->count - 1].head;
    *head = (struct table_head){
        .boot = index->boot, .places = places_of(index->count - 1), .covered = covered};
    __atomic_store_n(&head->magic, INDEX_MAGIC, __ATOMIC_RELEASE);
    return 0;
}

static void unmap(struct ledger_index *index)
{
    index->turn++;
    while (index->count) {
        struct index_table *table = &index->tables[--index->count];
        munmap(table->head, table->size);
    }
}

struct ledger_index *ledger_index_open(int dir, uint64_t boot, struct err *err)
{
    struct ledger_index *index = mem_zalloc(sizeof *index);
    index->dir = dir;
    index->boot = boot;
    if (ledger_index_refresh(index, err) == 0)
        return index;
    ledger_index_free(index);
    return NULL;
}

void ledger_index_free(struct ledger_index *index)
{
    if (!index)
        return;
    unmap(index);
    free(index);
}

int ledger_index_refresh(struct ledger_index *index, struct err *err)
{
    int found = 1;
    if (index->count && __atomic_load_n(&index->tables[0].head->magic, __ATOMIC_ACQUIRE) == 0)
        unmap(index); /* another process has thrown them away */
    while (found > 0 && index->count < INDEX_TABLES)
        found = open_next(index, err);
    return found < 0 ? -1 : 0;
}

uint64_t ledger_index_covered(const struct ledger_index *index)
{
    return index->count ? index->tables[index->count - 1].head->covered : 0;
}

void ledger_index_cover(struct ledger_index *index, uint64_t end)
{
    if (index->count)
        index->tables[index->count - 1].head->covered = end;
}

void ledger_index_reset(struct ledger_index *index)
{
    char name[FILE_NAME];
    for (size_t i = 0; i < index->count; i++)
        __atomic_store_n(&index->tables[i].head->magic, 0, __ATOMIC_RELEASE);
    unmap(index);
    for (size_t i = 0; i < INDEX_TABLES; i++) {
        name_of(name, i);
        unlinkat(index->dir, name, 0);
    }
}

/* ---- entries ---- */

static uint64_t entry_of(struct hash128 key, uint64_t offset)
{
    return key.high << OFFSET_BITS | offset / INDEX_ALIGN;
}

static uint64_t offset_of(uint64_t entry)
{
    return (entry & ((UINT64_C(1) << OFFSET_BITS) - 1)) * INDEX_ALIGN;
}

int ledger_index_add(struct ledger_index *index, struct hash128 key, uint64_t offset,
                     struct err *err)
{
    struct index_table *table = index->count ? &index->tables[index->count - 1] : NULL;
    if (!table || table->head->used >= table->head->places / 2) {
        if (make_next(index, err) < 0)
            return -1;
        table = &index->tables[index->count - 1];
    }
    uint64_t mask = table->head->places - 1, entry = entry_of(key, offset);
    uint64_t place = key.low & mask;
    while (table->places[place] && table->places[place] != entry)
        place = (place + 1) & mask;
    if (table->places[place])
        return 0;
    __atomic_store_n(&table->places[place], entry, __ATOMIC_RELEASE);
    table->head->used++;
    return 0;
}

static bool find_in(const struct index_table *table, struct hash128 key,
                    bool (*is)(void *context, uint64_t offset), void *context)
{
    uint64_t mask = table->head->places - 1, place = key.low & mask, entry;
    uint64_t tag = entry_of(key, 0) >> OFFSET_BITS;
    while ((entry = __atomic_load_n(&table->places[place], __ATOMIC_ACQUIRE))) {
        if (entry >> OFFSET_BITS == tag && is(context, offset_of(entry)))
            return true;
        place = (place + 1) & mask;
    }
    return false;
}

uint64_t ledger_index_mark(const struct ledger_index *index)
{
    return index->turn << 32 | (index->count ? index->count - 1 : 0);
}

bool ledger_index_find(const struct ledger_index *index, struct hash128 key, uint64_t since,
                       bool (*is)(void *context, uint64_t offset), void *context)
{
    size_t first = since >> 32 == index->turn ? (size_t)(uint32_t)since : 0;
    for (size_t i = index->count; i-- > first;) {
        if (find_in(&index->tables[i], key, is, context))
            return true;
    }
    return false;
}
