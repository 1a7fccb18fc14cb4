/* cell.c: a small state that processes share in memory: hot, and lost without harm. */
#include "state/cell.h"

#include "base/mem.h"
#include "base/num.h"
#include "state/cell_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

enum { CELL_LOCK_NAP = 20 * 1000 * 1000 }; /* nanoseconds, of the sleep in a lock */

struct cell {
    struct cell_map *map;
    struct cell_file file; /* its home NULL: private, and map is memory of ours */
    struct stat mapped;    /* which file */
    unsigned moves;
};

static void unmap(struct cell *cell)
{
    if (cell->map && cell->file.home)
        munmap(cell->map, cell_file_size(cell->file.kind));
    else
        free(cell->map);
    cell->map = NULL;
}

static void make_private(struct cell *cell)
{
    const struct cell_kind *kind = cell->file.kind;
    unmap(cell);
    cell->file.home = NULL;
    cell->map = mem_zalloc(cell_file_size(kind));
    cell_file_init_lock(cell->map, false);
    if (kind->init)
        kind->init(cell->map->payload, cell->file.context);
}

struct cell *cell_open(struct home *home, const struct cell_kind *kind, struct str name,
                       const void *context, bool *reset, struct err *err)
{
    bool replaced = false;
    struct cell *cell = mem_zalloc(sizeof *cell);
    if (cell_file_init(&cell->file, home, kind, name, err) < 0)
        goto fail;
    cell->file.context = context;
    if (!home)
        make_private(cell);
    else
        cell->map = cell_file_open(&cell->file, NULL, &cell->mapped, &replaced, err);
    if (!cell->map)
        goto fail;
    if (reset)
        *reset = replaced;
    return cell;

fail:
    free(cell);
    return NULL;
}

void cell_free(struct cell *cell)
{
    if (!cell)
        return;
    unmap(cell);
    free(cell);
}

int cell_remove(struct home *home, const struct cell_kind *kind, struct str name, struct err *err)
{
    struct cell_file file;
    if (cell_file_init(&file, home, kind, name, err) < 0)
        return -1;
    return cell_file_remove(&file, err);
}

/* ---- use ---- */

static bool is_retired(const struct cell *cell)
{
    return __atomic_load_n(&cell->map->retired, __ATOMIC_ACQUIRE);
}

/* To the file that stands at the name now. `spoiled`: to any other than this one. */
static void move_over(struct cell *cell, bool spoiled)
{
    bool reset;
    struct err err;
    struct stat old = cell->mapped;
    struct cell_map *map = NULL;
    cell->moves++;
    if (cell->file.home)
        map = cell_file_open(&cell->file, spoiled ? &old : NULL, &cell->mapped, &reset, &err);
    if (!map) {
        make_private(cell);
        return;
    }
    unmap(cell);
    cell->map = map;
}

static int timed_lock(pthread_mutex_t *mutex, const struct timespec *until)
{
    int error = pthread_mutex_timedlock(mutex, until);
#ifdef __SANITIZE_THREAD__ /* which does not know that this has locked it too */
    if (error == EOWNERDEAD) {
        __tsan_mutex_pre_lock(mutex, __tsan_mutex_try_lock);
        __tsan_mutex_post_lock(mutex, __tsan_mutex_try_lock, 0);
    }
#endif
    return error;
}

/*
 * A wake-up is lost when it goes to a waiter that is killed just then (glibc 2.36, robust and
 * shared mutexes): the lock is free, and the others would sleep on. So nobody sleeps in it for
 * long. As pthread_mutex_lock.
 */
static int lock(pthread_mutex_t *mutex)
{
    int error = pthread_mutex_trylock(mutex);
    while (error == EBUSY || error == ETIMEDOUT) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += CELL_LOCK_NAP;
        if (until.tv_nsec >= NUM_SECOND) {
            until.tv_sec++;
            until.tv_nsec -= NUM_SECOND;
        }
        error = timed_lock(mutex, &until);
    }
    return error;
}

void *cell_lock(struct cell *cell)
{
    for (;;) {
        int error = lock(&cell->map->lock);
        if (error == EOWNERDEAD) {
            if (cell->file.kind->repair)
                cell->file.kind->repair(cell->map->payload, cell->file.context);
            error = pthread_mutex_consistent(&cell->map->lock);
        }
        if (error) {
            move_over(cell, true);
            continue;
        }
        if (!is_retired(cell))
            return cell->map->payload;
        pthread_mutex_unlock(&cell->map->lock);
        move_over(cell, false);
    }
}

void cell_unlock(struct cell *cell)
{
    pthread_mutex_unlock(&cell->map->lock);
}

const void *cell_peek(struct cell *cell)
{
    if (is_retired(cell))
        move_over(cell, false);
    return cell->map->payload;
}

unsigned cell_moves(const struct cell *cell)
{
    return cell->moves;
}

/* ---- listing ---- */

struct names {
    struct str *list;
    size_t count, room;
};

static void add_name(struct names *names, const struct cell_header *header)
{
    if (names->count == names->room) {
        names->room = names->room ? 2 * names->room : 16;
        names->list = mem_realloc(names->list, names->room * sizeof *names->list);
    }
    names->list[names->count++] =
        (struct str){mem_strndup(header->name, header->name_len), header->name_len};
}

static int by_bytes(const void *left, const void *right)
{
    const struct str *a = left, *b = right;
    int order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* Names of files that only look like one of the kind are passed over: "rate-" is not "ratio-". */
static bool is_of_kind(const char *file, const struct cell_kind *kind)
{
    size_t len = strlen(kind->name);
    return strncmp(file, kind->name, len) == 0 && (file[len] == '-' || file[len] == '=');
}

int cell_list(struct home *home, const struct cell_kind *kind,
              void (*each)(void *owner, struct str name), void *owner, struct err *err)
{
    struct names names = {0};
    struct cell_header header;
    int fd = openat(home->run, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        err_sys(err, "list %s/run", home->path);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (is_of_kind(entry->d_name, kind) && cell_file_read(home, entry->d_name, kind, &header))
            add_name(&names, &header);
    }
    closedir(dir);
    if (names.count)
        qsort(names.list, names.count, sizeof *names.list, by_bytes);
    for (size_t i = 0; i < names.count; i++)
        each(owner, names.list[i]);
    for (size_t i = 0; i < names.count; i++)
        free((char *)(uintptr_t)names.list[i].data);
    free(names.list);
    return 0;
}
