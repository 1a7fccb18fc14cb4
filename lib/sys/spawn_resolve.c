/* spawn_resolve.c: find a program where execvp would. */
#include "sys/spawn.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_PATH "/bin:/usr/bin" /* when there is no PATH, as execvp */

/* 0, or why path cannot be executed. Asked with the effective ids, as execve does. */
static int why_not(const char *path)
{
    struct stat info;
    if (stat(path, &info))
        return errno;
    if (S_ISDIR(info.st_mode))
        return EISDIR;
    if (!S_ISREG(info.st_mode))
        return EACCES;
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) ? errno : 0;
}

static void refuse(const char *path, int cause, struct err *err)
{
    if (cause == ENOENT || cause == ENOTDIR)
        err_set(err, ERR_NOT_FOUND, "%s: not found", path);
    else if (cause == EISDIR)
        err_set(err, ERR_NOT_USABLE, "%s: is a directory", path);
    else if (cause == EACCES)
        err_set(err, ERR_NOT_USABLE, "%s: not executable", path);
    else
        err_set(err, ERR_NOT_USABLE, "%s: %s", path, strerror(cause));
}

char *spawn_resolve(const char *name, const char *path, struct err *err)
{
    struct buf found = {0};
    struct err unusable = {0}; /* about the first that was there, but could not be used */
    if (!*name) {
        err_set(err, ERR_NOT_FOUND, "the name of the command is empty");
        return NULL;
    }
    if (strchr(name, '/')) {
        int cause = why_not(name);
        if (cause) {
            refuse(name, cause, err);
            return NULL;
        }
        buf_puts(&found, name);
        return buf_take(&found);
    }
    for (const char *from = path ? path : DEFAULT_PATH, *next; from; from = next) {
        size_t len = strcspn(from, ":");
        next = from[len] ? from + len + 1 : NULL;
        buf_clear(&found);
        buf_add(&found, len ? from : ".", len ? len : 1); /* an empty element: where we are */
        buf_addc(&found, '/');
        buf_puts(&found, name);
        int cause = why_not(buf_cstr(&found));
        if (!cause)
            return buf_take(&found);
        if (cause != ENOENT && cause != ENOTDIR && unusable.kind == ERR_NONE)
            refuse(buf_cstr(&found), cause, &unusable);
    }
    buf_free(&found);
    if (unusable.kind == ERR_NONE)
        refuse(name, ENOENT, &unusable);
    *err = unusable;
    return NULL;
}
