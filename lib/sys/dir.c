/* dir.c: files in folders: replaced as a whole, appended to, locked, or without a name. */
#include "sys/dir.h"

#include "base/buf.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names tried for a new file. More leftovers of crashed processes of our pid than this are an
 * error. */
enum { DIR_NAMES = 100 };

enum { DIR_NAME_BYTES = 64 };

int dir_write(int fd, struct str bytes)
{
    while (bytes.len) {
        ssize_t put = write(fd, bytes.data, bytes.len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        bytes.data += put;
        bytes.len -= (size_t)put;
    }
    return 0;
}

/* Some file systems cannot sync a folder, and say EINVAL: there is nothing that could be done
 * better. */
static int sync_folder(int folder)
{
    return fsync(folder) && errno != EINVAL ? -1 : 0;
}

static int create_beside(int folder, char name[DIR_NAME_BYTES])
{
    for (unsigned n = 0; n < DIR_NAMES; n++) {
        snprintf(name, DIR_NAME_BYTES, ".fit-%d-%u.tmp", (int)getpid(), n);
        int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

/* Owner and mode of the file that is replaced. Only root can give a file away. */
static int keep_owner_and_mode(int fd, const struct stat *old)
{
    struct stat now;
    if (fstat(fd, &now))
        return -1;
    if ((now.st_uid != old->st_uid || now.st_gid != old->st_gid) &&
        fchown(fd, old->st_uid, old->st_gid) && errno != EPERM)
        return -1;
    return fchmod(fd, old->st_mode & 0777);
}

static int replace_in(int folder, const char *name, struct str bytes)
{
    char temporary[DIR_NAME_BYTES];
    struct stat old;
    bool exists = fstatat(folder, name, &old, 0) == 0;
    int fd = create_beside(folder, temporary);
    if (fd < 0)
        return -1;
    bool written =
        (!exists || !keep_owner_and_mode(fd, &old)) && !dir_write(fd, bytes) && !fsync(fd);
    int cause = errno;
    bool closed = !close(fd);
    if (written && closed && !renameat(folder, temporary, folder, name))
        return sync_folder(folder);
    cause = written ? errno : cause;
    unlinkat(folder, temporary, 0);
    errno = cause;
    return -1;
}

static int open_folder_of(const char *path, const char *slash)
{
    char *folder =
        slash ? mem_strndup(path, slash == path ? 1 : (size_t)(slash - path)) : mem_strdup(".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    return fd;
}

int dir_replace(const char *path, struct str bytes, struct err *err)
{
    struct stat info;
    char *real = realpath(path, NULL); /* NULL: not there yet */
    int result = -1;
    if (real && stat(real, &info) == 0 && !S_ISREG(info.st_mode)) {
        free(real);
        return err_set(err, ERR_NOT_USABLE, "replace %s: not a regular file", path);
    }
    char *whole = real ? real : mem_strdup(path);
    const char *slash = strrchr(whole, '/');
    int folder = open_folder_of(whole, slash);
    if (folder >= 0)
        result = replace_in(folder, slash ? slash + 1 : whole, bytes);
    if (result)
        err_sys(err, "replace %s", path);
    if (folder >= 0)
        close(folder);
    free(whole);
    return result;
}

int dir_append_open(const char *path, bool read_back, struct err *err)
{
    struct stat info;
    /* Who opens a FIFO for both would be its reader. */
    bool both = read_back && (stat(path, &info) < 0 || S_ISREG(info.st_mode));
    int flags = O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    int fd = open(path, flags | (both ? O_RDWR : O_WRONLY), 0666);
    if (fd >= 0)
        return fd;
    int cause = errno;
    if (cause == ENXIO && stat(path, &info) == 0 && S_ISFIFO(info.st_mode))
        return err_set(err, ERR_NOT_USABLE, "open %s: nobody reads from this FIFO", path);
    errno = cause;
    return err_sys(err, "open %s", path);
}

int dir_lock(int fd)
{
    int result;
    do
        result = flock(fd, LOCK_EX | LOCK_NB);
    while (result && errno == EINTR);
    return result;
}

int dir_lock_wait(int fd)
{
    int result;
    do
        result = flock(fd, LOCK_EX);
    while (result < 0 && errno == EINTR);
    return result;
}

int dir_temp_file(const char *folder, struct err *err)
{
    int fd = open(folder, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    /* File systems and kernels that do not know O_TMPFILE say so in various ways. */
    struct buf path = {0};
    buf_puts(&path, folder);
    buf_puts(&path, "/fit.XXXXXX");
    fd = mkostemp(buf_cstr(&path), O_CLOEXEC);
    if (fd >= 0)
        unlink(buf_cstr(&path));
    else
        err_sys(err, "make a temporary file in %s", folder);
    buf_free(&path);
    return fd;
}
