/* cell_file.c: the file of a cell: how it is laid out, made, checked, replaced and removed. */
#include "state/cell_file.h"

#include "base/hash.h"
#include "sys/dir.h"
#include "sys/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAGIC "fittings cell"
#define NEW   ".new" /* a file that is being made; one at a time, under the folder's lock */

enum { HEADER_LAYOUT = 1 }; /* raised with every change of struct cell_header or cell_map */

_Static_assert(offsetof(struct cell_map, lock) % CELL_LINE == 0, "the lock has its own line");
_Static_assert(offsetof(struct cell_map, payload) % CELL_LINE == 0, "and the payload begins one");

/* What stands at the name of a cell. */
enum found {
    FOUND_GOOD,
    FOUND_NOTHING,
    FOUND_STALE,   /* of another boot */
    FOUND_DAMAGED, /* torn, foreign, of another layout */
    FOUND_FAILED,  /* it cannot be told; err says why */
};

/* ---- the header ---- */

uint64_t cell_file_checksum(const struct cell_header *header)
{
    return hash_64((struct str){(const char *)header, offsetof(struct cell_header, checksum)});
}

static struct cell_header header_of(const struct cell_file *file)
{
    struct cell_header header = {.magic = MAGIC,
                                 .layout = HEADER_LAYOUT,
                                 .lock_size = sizeof(pthread_mutex_t),
                                 .kind_layout = file->kind->layout,
                                 .name_len = (uint32_t)file->name_len,
                                 .size = file->kind->size,
                                 .boot = boot_number()};
    memcpy(header.kind, file->kind->name, strlen(file->kind->name));
    memcpy(header.name, file->name, file->name_len);
    header.checksum = cell_file_checksum(&header);
    return header;
}

/* Of another boot only: all else is as it should be. */
static bool is_stale(const struct cell_header *found, const struct cell_header *wanted)
{
    struct cell_header same = *wanted;
    same.boot = found->boot;
    same.checksum = cell_file_checksum(&same);
    return memcmp(found, &same, sizeof same) == 0;
}

int cell_file_init(struct cell_file *file, struct home *home, const struct cell_kind *kind,
                   struct str name, struct err *err)
{
    if (name.len > HOME_NAME)
        return err_set(err, ERR_USAGE, "the name is longer than %d bytes", HOME_NAME);
    *file = (struct cell_file){.home = home, .kind = kind, .name_len = name.len};
    if (name.len)
        memcpy(file->name, name.data, name.len);
    home_file(kind->name, name, file->file);
    return 0;
}

int cell_file_init_lock(struct cell_map *map, bool shared)
{
    pthread_mutexattr_t attributes;
    int error = pthread_mutexattr_init(&attributes);
    if (error)
        return error;
    if (shared) {
        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    }
    error = pthread_mutex_init(&map->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return error;
}

/* ---- looking ---- */

static int fail(const struct cell_file *file, const char *what, struct err *err)
{
    return err_sys(err, "%s %s/run/%s", what, file->home->path, file->file);
}

/* Read exactly so much; false when it cannot be read, or the file ends before. */
static bool read_at(int fd, void *to, size_t size, size_t offset)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(fd, (char *)to + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

static bool has_size(const struct stat *status, const struct cell_kind *kind)
{
    return S_ISREG(status->st_mode) && status->st_size == (off_t)cell_file_size(kind);
}

/* Before anything is mapped: a torn file must not kill. *fd is the caller's, -1 for none. */
static enum found look(const struct cell_file *file, int *fd, struct stat *status, struct err *err)
{
    struct cell_header found, wanted = header_of(file);
    *fd = openat(file->home->run, file->file,
                 O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0 && errno == ENOENT)
        return FOUND_NOTHING;
    if (*fd < 0 && (errno == ELOOP || errno == ENXIO))
        return FOUND_DAMAGED; /* a symbolic link, a socket */
    if (*fd < 0 || fstat(*fd, status) < 0) {
        fail(file, "open", err);
        return FOUND_FAILED;
    }
    if (!has_size(status, file->kind) || !read_at(*fd, &found, sizeof found, 0))
        return FOUND_DAMAGED;
    if (memcmp(&found, &wanted, sizeof found) == 0)
        return FOUND_GOOD;
    return is_stale(&found, &wanted) ? FOUND_STALE : FOUND_DAMAGED;
}

bool cell_file_read(const struct home *home, const char *name, const struct cell_kind *kind,
                    struct cell_header *header)
{
    struct stat status;
    int fd = openat(home->run, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return false;
    bool whole = fstat(fd, &status) == 0 && has_size(&status, kind) &&
                 read_at(fd, header, sizeof *header, 0) &&
                 header->checksum == cell_file_checksum(header) &&
                 strncmp(header->kind, kind->name, CELL_KIND) == 0 && header->name_len <= HOME_NAME;
    close(fd);
    return whole;
}

/* ---- making and replacing ---- */

static struct cell_map *map_file(const struct cell_file *file, int fd)
{
    void *map = mmap(NULL, cell_file_size(file->kind), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return map == MAP_FAILED ? NULL : map;
}

/* Fill the new file. Of a stale one (-1: none) the payload is kept. */
static int fill(const struct cell_file *file, int fd, int stale, struct err *err)
{
    const struct cell_kind *kind = file->kind;
    int error = posix_fallocate(fd, 0, (off_t)cell_file_size(kind));
    errno = error;
    if (error)
        return fail(file, "make", err);
    struct cell_map *map = map_file(file, fd);
    if (!map)
        return fail(file, "map", err);
    bool kept =
        stale >= 0 && read_at(stale, map->payload, kind->size, offsetof(struct cell_map, payload));
    if (kept && kind->rebase)
        kind->rebase(map->payload, file->context);
    if (!kept && stale >= 0)
        memset(map->payload, 0, kind->size);
    if (!kept && kind->init)
        kind->init(map->payload, file->context);
    error = cell_file_init_lock(map, true);
    map->header = header_of(file);
    munmap(map, cell_file_size(kind));
    errno = error;
    return error ? fail(file, "make the lock of", err) : 0;
}

/* Put a new file into its place. Under the folder's lock. */
static int make_file(const struct cell_file *file, int stale, struct err *err)
{
    int run = file->home->run;
    unlinkat(run, NEW, 0); /* of one who was killed */
    int fd = openat(run, NEW, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail(file, "make", err);
    int status = fill(file, fd, stale, err);
    if (status == 0 && renameat(run, NEW, run, file->file) < 0)
        status = fail(file, "make", err);
    close(fd);
    if (status < 0)
        unlinkat(run, NEW, 0);
    return status;
}

/* Those who have it mapped are to leave it. A file of another layout is left to the processes of
 * that version: they and we would only drive each other out, again and again. */
static void retire(const struct cell_file *file, int fd, const struct stat *status)
{
    struct cell_map *map = fd >= 0 && has_size(status, file->kind) ? map_file(file, fd) : NULL;
    if (!map)
        return;
    if (memcmp(map->header.magic, MAGIC, sizeof MAGIC) == 0 &&
        map->header.layout == HEADER_LAYOUT && map->header.kind_layout == file->kind->layout)
        __atomic_store_n(&map->retired, 1, __ATOMIC_RELEASE);
    munmap(map, cell_file_size(file->kind));
}

static int lock_folder(const struct home *home, struct err *err)
{
    int fd = openat(home->run, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && dir_lock_wait(fd) == 0)
        return fd;
    err_sys(err, "lock %s/run", home->path);
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a && a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* See to it that a good file stands there, which of all that find none only the first one has to
 * make. Under the folder's lock. */
static int repair_name(const struct cell_file *file, const struct stat *spoiled, bool *reset,
                       struct err *err)
{
    struct stat status = {0};
    int fd, made = 0;
    enum found found = look(file, &fd, &status, err);
    if (found == FOUND_GOOD && is_same(spoiled, &status))
        found = FOUND_DAMAGED;
    if (found == FOUND_FAILED)
        made = -1;
    else if (found != FOUND_GOOD)
        made = make_file(file, found == FOUND_STALE ? fd : -1, err);
    *reset = made == 0 && found == FOUND_DAMAGED;
    if (*reset)
        retire(file, fd, &status);
    if (fd >= 0)
        close(fd);
    return made;
}

/* The good file that stands there; NULL with FOUND_NOTHING and the like in *found, or with err. */
static struct cell_map *use_file(const struct cell_file *file, const struct stat *spoiled,
                                 struct stat *opened, enum found *found, struct err *err)
{
    struct cell_map *map = NULL;
    int fd;
    *found = look(file, &fd, opened, err);
    if (*found == FOUND_GOOD && is_same(spoiled, opened))
        *found = FOUND_DAMAGED;
    if (*found == FOUND_GOOD && !(map = map_file(file, fd))) {
        fail(file, "map", err);
        *found = FOUND_FAILED;
    }
    if (fd >= 0)
        close(fd);
    return map;
}

struct cell_map *cell_file_open(const struct cell_file *file, const struct stat *spoiled,
                                struct stat *opened, bool *reset, struct err *err)
{
    enum found found;
    *reset = false;
    struct cell_map *map = use_file(file, spoiled, opened, &found, err);
    if (map || found == FOUND_FAILED)
        return map;
    int folder = lock_folder(file->home, err);
    if (folder < 0)
        return NULL;
    if (repair_name(file, spoiled, reset, err) == 0) {
        map = use_file(file, NULL, opened, &found, err);
        if (!map && found != FOUND_FAILED)
            err_set(err, ERR_STATE, "%s/run/%s: somebody else changes it", file->home->path,
                    file->file);
    }
    close(folder);
    return map;
}

int cell_file_remove(const struct cell_file *file, struct err *err)
{
    struct stat status = {0};
    int fd, removed = -1;
    int folder = lock_folder(file->home, err);
    if (folder < 0)
        return -1;
    enum found found = look(file, &fd, &status, err);
    if (found == FOUND_NOTHING)
        err_set(err, ERR_NOT_FOUND, "%s/run/%s does not exist", file->home->path, file->file);
    else if (found != FOUND_FAILED)
        removed = unlinkat(file->home->run, file->file, 0);
    if (removed < 0 && found != FOUND_NOTHING && found != FOUND_FAILED)
        fail(file, "remove", err);
    if (removed == 0)
        retire(file, fd, &status);
    if (fd >= 0)
        close(fd);
    close(folder);
    return removed;
}
