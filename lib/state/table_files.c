/* table_files.c: the files of records on disk, before LMDB has them open. */
#include "state/table_files.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* LMDB rounds the file up to pages, which hold a head and so many bytes for each reader. */
enum { PAGE = 4096, READER = 64 };

static void name_file(struct buf *name, const char *path, const char *file)
{
    buf_addf(name, "%s/%s", path, file);
}

bool table_files_were_made(const char *path)
{
    struct buf mark = {0};
    name_file(&mark, path, "data.made");
    bool made = access(buf_cstr(&mark), F_OK) == 0;
    buf_free(&mark);
    return made;
}

int table_files_check(const char *path, struct err *err)
{
    struct buf data = {0};
    struct stat file;
    name_file(&data, path, "data.mdb");
    bool lost = stat(buf_cstr(&data), &file) < 0 ? errno == ENOENT : file.st_size == 0;
    buf_free(&data);
    if (!lost)
        return 0;
    return err_set(err, ERR_STATE,
                   "%s/data.mdb: it was there, and is lost or empty now (remove data.made to begin "
                   "anew)",
                   path);
}

int table_files_mark(const char *path, struct err *err)
{
    struct buf mark = {0};
    name_file(&mark, path, "data.made");
    int fd = open(buf_cstr(&mark), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int status = fd < 0 || close(fd) < 0 ? err_sys(err, "make %s", buf_cstr(&mark)) : 0;
    buf_free(&mark);
    return status;
}

int table_files_reserve(const char *path, int readers, struct err *err)
{
    struct buf name = {0};
    struct stat file;
    name_file(&name, path, "lock.mdb");
    int fd = open(buf_cstr(&name), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int status = fd < 0 || fstat(fd, &file) < 0 ? err_sys(err, "open %s", buf_cstr(&name)) : 0;
    if (status == 0) {
        off_t size = file.st_size ? file.st_size : (off_t)readers * READER + PAGE;
        if (fallocate(fd, 0, 0, size) < 0 && errno != EOPNOTSUPP)
            status = err_sys(err, "make room for %s", buf_cstr(&name));
    }
    if (fd >= 0)
        close(fd);
    buf_free(&name);
    return status;
}
