/* warm_name.c: which process a warm pool's name belongs to. */
#include "engine/warm_name.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "fn/warm_link.h"
#include "format/json.h"
#include "sys/dir.h"
#include "sys/unix_socket.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAME_WAIT (NUM_SECOND * 10) /* for a holder that does not listen yet, or no more */
enum {
    NAME_LOOK = 20,   /* milliseconds: how often it is looked at meanwhile */
    HOLDER_MAX = 8192 /* bytes of a lock file: a name of HOME_NAME, escaped, and the rest */
};

struct warm_name {
    int run; /* the folder; the home's */
    int lock;
    char lock_file[WARM_FILE], socket_file[WARM_FILE];
    bool listens;
};

/* ---- the lock: of an open file description (F_OFD_SETLK), so that others can ask for it without
 * taking it ---- */

static bool take_lock(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

static bool is_locked(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* Is the file still the one at that name, or has its last holder just removed it? */
static bool is_in_place(int folder, const char *file, int fd)
{
    struct stat held, there;
    return fstat(fd, &held) == 0 && fstatat(folder, file, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           held.st_ino == there.st_ino && held.st_dev == there.st_dev;
}

/* ---- who has it ---- */

static void read_member(struct warm_holder *holder, struct str key, struct str value)
{
    struct buf text = {0};
    uint64_t pid;
    if (str_eq(key, STR("\"pid\""))) {
        buf_add_str(&text, value);
        if (!num_uint(buf_cstr(&text), 1, INT32_MAX, &pid))
            holder->pid = (pid_t)pid;
    } else if (str_eq(key, STR("\"since\"")) && json_type_of(value) == JSON_STRING) {
        json_decode(value, &holder->since);
    } else if (str_eq(key, STR("\"pool\"")) && json_type_of(value) == JSON_STRING) {
        json_decode(value, &text);
        free(holder->pool);
        holder->pool = buf_take(&text);
    }
    buf_free(&text);
}

static void read_holder(int fd, struct warm_holder *holder)
{
    char bytes[HOLDER_MAX];
    struct json_scan scan;
    struct json_iter iter;
    ssize_t len = pread(fd, bytes, sizeof bytes, 0);
    struct str object = str_trim((struct str){bytes, len > 0 ? (size_t)len : 0});
    *holder = (struct warm_holder){.alive = is_locked(fd)};
    if (json_scan(object, NULL, NULL, &scan) < 0 || json_type_of(object) != JSON_OBJECT)
        return;
    json_iter_init(&iter, object);
    while (json_iter_next(&iter))
        read_member(holder, iter.key, iter.value);
}

static int write_holder(int fd, const char *pool)
{
    char since[CLOCK_TEXT];
    struct buf line = {0};
    buf_puts(&line, "{\"pool\":");
    buf_add_json(&line, str_of(pool));
    buf_addf(&line, ",\"pid\":%ld,\"since\":\"%s\"}\n", (long)getpid(),
             clock_format(clock_wall(), since));
    int status = ftruncate(fd, 0) < 0 ? -1 : dir_write(fd, buf_str(&line));
    buf_free(&line);
    return status;
}

void warm_holder_free(struct warm_holder *holder)
{
    free(holder->pool);
    buf_free(&holder->since);
}

/* ---- taking it ---- */

static int refuse(int fd, const char *pool, struct err *err)
{
    struct warm_holder holder;
    read_holder(fd, &holder);
    if (holder.pid)
        err_set(err, ERR_STATE, "%s: process %ld runs it", pool, (long)holder.pid);
    else
        err_set(err, ERR_STATE, "%s: another process runs it", pool);
    err->sys_errno = EWOULDBLOCK;
    warm_holder_free(&holder);
    close(fd);
    return -1;
}

static bool is_listening(const struct warm_name *name)
{
    return faccessat(name->run, name->socket_file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Wait until the holder has ended, but only for so long that its socket may be looked for. */
static void wait_for_holder(int fd)
{
    struct warm_holder holder;
    read_holder(fd, &holder);
    int process = holder.pid ? (int)syscall(SYS_pidfd_open, holder.pid, 0) : -1;
    struct pollfd ended = {.fd = process, .events = POLLIN};
    poll(&ended, 1, NAME_LOOK);
    if (process >= 0)
        close(process);
    warm_holder_free(&holder);
}

/* The lock file, locked. */
static int open_lock(const struct warm_name *name, const char *pool, struct err *err)
{
    int64_t until = clock_now() + NAME_WAIT;
    for (;;) {
        int fd =
            openat(name->run, name->lock_file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return err_sys(err, "open the lock file of the pool %s", pool);
        if (take_lock(fd)) {
            if (is_in_place(name->run, name->lock_file, fd))
                return fd;
        } else if (errno == EAGAIN || errno == EACCES) {
            if (is_listening(name) || clock_now() > until)
                return refuse(fd, pool, err);
            wait_for_holder(fd);
        } else {
            err_sys(err, "lock the pool %s", pool);
            close(fd);
            return -1;
        }
        close(fd);
    }
}

struct warm_name *warm_name_take(const struct home *home, const char *pool, int *listener,
                                 struct err *err)
{
    struct warm_name *name = mem_zalloc(sizeof *name);
    name->run = home->run;
    warm_file(str_of(pool), WARM_LOCK, name->lock_file);
    warm_file(str_of(pool), WARM_SOCKET, name->socket_file);
    name->lock = open_lock(name, pool, err);
    if (name->lock < 0) {
        free(name);
        return NULL;
    }
    if (write_holder(name->lock, pool) < 0) {
        err_sys(err, "write the lock file of the pool %s", pool);
        goto fail;
    }
    *listener = unix_socket_listen(name->run, name->socket_file, err);
    if (*listener < 0)
        goto fail;
    name->listens = true;
    return name;

fail:
    warm_name_free(name);
    return NULL;
}

void warm_name_hide(struct warm_name *name)
{
    if (name->listens)
        unlinkat(name->run, name->socket_file, 0);
    name->listens = false;
}

void warm_name_free(struct warm_name *name)
{
    if (!name)
        return;
    warm_name_hide(name);
    unlinkat(name->run, name->lock_file, 0);
    close(name->lock);
    free(name);
}

bool warm_name_clear(const struct home *home, const char *pool)
{
    char lock_file[WARM_FILE], socket_file[WARM_FILE];
    warm_file(str_of(pool), WARM_LOCK, lock_file);
    warm_file(str_of(pool), WARM_SOCKET, socket_file);
    int fd = openat(home->run, lock_file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    bool dead = take_lock(fd) && is_in_place(home->run, lock_file, fd);
    if (dead) {
        unlinkat(home->run, socket_file, 0);
        unlinkat(home->run, lock_file, 0);
    }
    close(fd);
    return dead;
}

/* ---- listing ---- */

static bool is_lock_file(struct str file)
{
    return (str_starts(file, STR("warm-")) || str_starts(file, STR("warm="))) &&
           str_ends(file, STR(".lock"));
}

static int compare(const void *one, const void *other)
{
    const struct warm_holder *a = one, *b = other;
    return strcmp(a->pool, b->pool);
}

static void add(int folder, const char *file, struct warm_holder **holders, size_t *count)
{
    struct warm_holder holder;
    int fd = openat(folder, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) /* it has just gone */
        return;
    read_holder(fd, &holder);
    close(fd);
    if (!holder.pool) { /* just being written, or not one of ours */
        warm_holder_free(&holder);
        return;
    }
    *holders = mem_realloc(*holders, (*count + 1) * sizeof **holders);
    (*holders)[(*count)++] = holder;
}

int warm_name_list(const struct home *home, struct warm_holder **holders, size_t *count,
                   struct err *err)
{
    int fd = openat(home->run, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    *holders = NULL;
    *count = 0;
    if (!dir) {
        err_sys(err, "read %s/run", home->path);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (is_lock_file(str_of(entry->d_name)))
            add(home->run, entry->d_name, holders, count);
    }
    closedir(dir);
    if (*count)
        qsort(*holders, *count, sizeof **holders, compare);
    return 0;
}
