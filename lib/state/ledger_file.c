/* ledger_file.c: the files of one ledger: where they are, how they begin. */
#include "state/ledger_file.h"

#include "state/ledger_index.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_MAGIC UINT64_C(0x31676f6c746966ff) /* also tells the byte order */

struct log_head {
    uint64_t magic;
    uint32_t name_len;
    uint32_t spare;
}; /* the name follows, padded */

static size_t padded(size_t len)
{
    return (len + INDEX_ALIGN - 1) / INDEX_ALIGN * INDEX_ALIGN;
}

int ledger_file_err(const struct ledger_file *file, const char *what, struct err *err)
{
    return err_sys(err, "ledger '%.*s': %s", (int)file->name.len, file->name.data, what);
}

int ledger_file_lock(struct ledger_file *file, struct err *err)
{
    while (flock(file->log, LOCK_EX) < 0) {
        if (errno != EINTR)
            return ledger_file_err(file, "lock the log", err);
    }
    return 0;
}

void ledger_file_unlock(struct ledger_file *file)
{
    if (file->log >= 0)
        flock(file->log, LOCK_UN);
}

/* ---- opening ---- */

static int make_folder(struct home *home, const char *name, struct err *err)
{
    if ((mkdirat(home->fd, "ledger", 0700) < 0 && errno != EEXIST) ||
        (mkdirat(home->fd, name, 0700) < 0 && errno != EEXIST))
        return err_sys(err, "make %s/%s", home->path, name);
    return 0;
}

static int write_head(struct ledger_file *file, struct err *err)
{
    struct buf bytes = {0};
    struct log_head head = {.magic = LOG_MAGIC, .name_len = (uint32_t)file->name.len};
    buf_add(&bytes, &head, sizeof head);
    buf_add_str(&bytes, buf_str(&file->name));
    while (bytes.len % INDEX_ALIGN)
        buf_addc(&bytes, '\0');
    ssize_t put = pwrite(file->log, bytes.data, bytes.len, 0);
    bool written = put == (ssize_t)bytes.len && fsync(file->log) == 0 && fsync(file->dir) == 0;
    buf_free(&bytes);
    return written ? 0 : ledger_file_err(file, "write the log", err);
}

static int check_head(struct ledger_file *file, struct err *err)
{
    struct stat stat;
    struct log_head head;
    file->start = sizeof head + padded(file->name.len);
    if (fstat(file->log, &stat) < 0)
        return ledger_file_err(file, "stat the log", err);
    if (stat.st_size < (off_t)file->start) {
        if (stat.st_size && pread(file->log, &head, sizeof head, 0) == sizeof head &&
            head.magic != LOG_MAGIC)
            return err_set(err, ERR_STATE, "ledger '%.*s': its log is of another kind",
                           (int)file->name.len, file->name.data);
        return write_head(file, err);
    }
    if (pread(file->log, &head, sizeof head, 0) != sizeof head || head.magic != LOG_MAGIC ||
        head.name_len != file->name.len)
        return err_set(err, ERR_STATE, "ledger '%.*s': its log is of another kind, or damaged",
                       (int)file->name.len, file->name.data);
    return 0;
}

static int open_files(struct ledger_file *file, const char *folder, bool make, struct err *err)
{
    int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (make ? O_CREAT : 0);
    if (make && make_folder(file->home, folder, err) < 0)
        return -1;
    file->dir = openat(file->home->fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file->dir < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "no ledger '%.*s'", (int)file->name.len,
                       file->name.data);
    if (file->dir < 0 || (file->log = openat(file->dir, "log", flags, 0600)) < 0 ||
        (file->runs = openat(file->dir, "runs", flags, 0600)) < 0)
        return ledger_file_err(file, "open its files", err);
    if (ledger_file_lock(file, err) < 0)
        return -1;
    return check_head(file, err);
}

static void folder_name(struct str name, struct buf *folder)
{
    char file[HOME_FILE];
    buf_addf(folder, "ledger/%s", home_file("ledger", name, file));
}

int ledger_file_open(struct ledger_file *file, struct home *home, struct str name, bool make,
                     struct err *err)
{
    struct buf folder = {0};
    *file = (struct ledger_file){.home = home, .dir = -1, .log = -1, .runs = -1};
    buf_add_str(&file->name, name);
    folder_name(name, &folder);
    int status = open_files(file, buf_cstr(&folder), make, err);
    buf_free(&folder);
    return status;
}

static void close_file(int fd)
{
    if (fd >= 0)
        close(fd);
}

void ledger_file_close(struct ledger_file *file)
{
    close_file(file->runs);
    close_file(file->log);
    close_file(file->dir);
    buf_free(&file->name);
}

static int remove_file(int dir, const char *name)
{
    return unlinkat(dir, name, 0) < 0 && errno != ENOENT ? -1 : 0;
}

int ledger_file_remove(struct ledger_file *file, struct err *err)
{
    struct buf folder = {0};
    folder_name(buf_str(&file->name), &folder);
    bool removed =
        remove_file(file->dir, "runs") == 0 && remove_file(file->dir, "log") == 0 &&
        (unlinkat(file->home->fd, buf_cstr(&folder), AT_REMOVEDIR) == 0 || errno == ENOENT);
    buf_free(&folder);
    return removed ? 0 : ledger_file_err(file, "remove its files", err);
}

/* The name that the head of a log holds, and the log's size. False: it is none. */
static bool read_name(int folders, const char *folder, struct buf *name, uint64_t *size)
{
    struct buf path = {0};
    struct log_head head;
    struct stat stat;
    buf_addf(&path, "%s/log", folder);
    int fd = openat(folders, buf_cstr(&path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    buf_free(&path);
    buf_clear(name);
    bool good = fd >= 0 && fstat(fd, &stat) == 0 &&
                pread(fd, &head, sizeof head, 0) == sizeof head && head.magic == LOG_MAGIC &&
                head.name_len <= HOME_NAME;
    if (good) {
        buf_reserve(name, head.name_len);
        good = pread(fd, name->data, head.name_len, sizeof head) == (ssize_t)head.name_len;
        name->len = head.name_len;
        *size = (uint64_t)stat.st_size;
    }
    if (fd >= 0)
        close(fd);
    return good;
}

int ledger_file_list(struct home *home, void (*each)(void *owner, struct str name, uint64_t bytes),
                     void *owner, struct err *err)
{
    int folders = openat(home->fd, "ledger", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folders < 0 && errno == ENOENT)
        return 0;
    DIR *dir = folders < 0 ? NULL : fdopendir(folders);
    if (!dir) {
        err_sys(err, "open %s/ledger", home->path);
        if (folders >= 0)
            close(folders);
        return -1;
    }
    struct buf name = {0};
    uint64_t bytes;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] != '.' && read_name(folders, entry->d_name, &name, &bytes))
            each(owner, buf_str(&name), bytes);
    }
    buf_free(&name);
    closedir(dir);
    return 0;
}
