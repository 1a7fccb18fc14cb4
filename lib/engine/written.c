/* written.c: what this process has written to its standard output. */
#include "engine/written.h"

#include "base/mem.h"
#include "base/msg.h"
#include "engine/written_sessions.h"
#include "format/json.h"
#include "sys/dir.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct written {
    int fd; /* of our own, and locked */
    struct stat info;
    char *path;
    uint64_t id;     /* of the session */
    uint64_t offset; /* up to which it is acknowledged */
};

/* ---- the file ---- */

/* By a description of our own: locks are those of descriptions. */
static int open_again(int fd)
{
    char name[32];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return open(name, O_RDWR | O_CLOEXEC);
}

/* The path by which others find it, or NULL. */
static char *path_of(int fd, const struct stat *info)
{
    char name[32], path[WRITTEN_PATH + 1];
    struct stat found;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(name, path, sizeof path);
    if (len <= 0 || len == sizeof path)
        return NULL;
    path[len] = '\0';
    for (ssize_t i = 0; i < len; i++) {
        if ((unsigned char)path[i] < 0x20)
            return NULL;
    }
    if (stat(path, &found) < 0 || found.st_dev != info->st_dev || found.st_ino != info->st_ino)
        return NULL;
    return mem_strdup(path);
}

static bool is_same_file(int fd, const struct stat *info)
{
    struct stat other;
    return fstat(fd, &other) == 0 && other.st_dev == info->st_dev && other.st_ino == info->st_ino;
}

/* ---- a torn line ---- */

/* Where the last line begins that has no end; the size: there is none. -1. */
static off_t torn_line(int fd, off_t size)
{
    char bytes[4096];
    for (off_t end = size; end > 0;) {
        size_t len = end < (off_t)sizeof bytes ? (size_t)end : sizeof bytes;
        if (pread(fd, bytes, len, end - (off_t)len) != (ssize_t)len)
            return -1;
        const char *lf = memrchr(bytes, '\n', len);
        if (lf)
            return end - (off_t)len + (lf - bytes) + 1;
        end -= (off_t)len;
    }
    return 0;
}

static bool is_json(int fd, off_t from, off_t to)
{
    struct buf text = {0};
    struct json_scan scan;
    size_t len = (size_t)(to - from);
    buf_reserve(&text, len);
    bool valid = pread(fd, text.data, len, from) == (ssize_t)len &&
                 json_scan((struct str){text.data, len}, NULL, NULL, &scan) == 0;
    buf_free(&text);
    return valid;
}

/* The size after that, or -1. */
static off_t mend(int fd, off_t size, bool has_sessions)
{
    off_t from = torn_line(fd, size);
    if (from < 0 || from == size)
        return from;
    if (!has_sessions || is_json(fd, from, size))
        return pwrite(fd, "\n", 1, size) == 1 ? size + 1 : -1;
    msg_warn("a torn line of %lld bytes is cut off the output", (long long)(size - from));
    return ftruncate(fd, from) == 0 ? from : -1;
}

/* ---- a session ---- */

/* Where this session begins, with the list locked. False: it cannot be known, or not alone. */
static bool find_start(struct written *own, int fd, const struct written_sessions *sessions)
{
    off_t size;
    if (dir_lock(own->fd) < 0 || fstat(own->fd, &own->info) < 0)
        return false;
    if (fcntl(fd, F_GETFL) & O_APPEND)
        size = mend(own->fd, own->info.st_size, sessions->count > 0);
    else
        size = lseek(fd, 0, SEEK_CUR) == own->info.st_size ? own->info.st_size : -1;
    own->offset = (uint64_t)size;
    return size >= 0;
}

static bool begin(struct written *own, const struct home *home, int fd)
{
    struct written_sessions sessions;
    if (written_sessions_open(&sessions, home, &own->info) < 0)
        return false;
    bool alone = find_start(own, fd, &sessions);
    if (!alone && fstat(own->fd, &own->info) == 0)
        own->offset = (uint64_t)own->info.st_size;
    alone = written_sessions_add(&sessions, own->id, own->offset) == 0 && alone;
    written_sessions_close(&sessions);
    return alone;
}

struct written *written_open(const struct home *home, int fd, struct rng *rng)
{
    struct stat info;
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || is_same_file(STDERR_FILENO, &info))
        return NULL;
    struct written *own = mem_zalloc(sizeof *own);
    own->info = info;
    own->id = rng_next(rng);
    own->fd = open_again(fd);
    own->path = path_of(fd, &info);
    if (own->fd >= 0 && own->path && begin(own, home, fd))
        return own;
    written_free(own);
    return NULL;
}

void written_free(struct written *written)
{
    if (!written)
        return;
    if (written->fd >= 0)
        close(written->fd);
    free(written->path);
    free(written);
}

void written_end(const struct written *written, const struct home *home)
{
    struct written_sessions sessions;
    if (written_sessions_open(&sessions, home, &written->info) < 0)
        return;
    if (written_sessions_end(&sessions, written->id) == UINT64_MAX)
        written_sessions_remove(&sessions, home);
    written_sessions_close(&sessions);
}

void written_acknowledge(struct written *written, size_t bytes)
{
    written->offset += bytes;
}

void written_add_entry(const struct written *written, struct buf *note)
{
    buf_addf(note, "%" PRIx64 " %llx %llx %" PRIu64 " %s", written->id,
             (unsigned long long)written->info.st_dev, (unsigned long long)written->info.st_ino,
             written->offset, written->path);
}
