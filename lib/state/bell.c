/* bell.c: wake those who sleep, in any process that shares the state directory. */
#include "state/bell.h"

#include "base/list.h"
#include "base/mem.h"
#include "sys/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KIND_TEXT = 32, PART = 4096 /* of the 64 KiB of a FIFO */ };

struct bell {
    struct home *home;
    char file[HOME_FILE];
    int fd; /* -1: not open */
    bool listening;
    struct loop *loop;
    struct loop_fd watch;
    struct watch_removal removal;
    void (*heard)(void *owner);
    void *owner;
};

struct bell *bell_open(struct home *home, const char *kind, struct str name)
{
    char text[KIND_TEXT];
    struct bell *bell = mem_zalloc(sizeof *bell);
    bell->home = home;
    bell->fd = -1;
    snprintf(text, sizeof text, "bell.%s", kind);
    home_file(text, name, bell->file);
    return bell;
}

static void unwatch(struct bell *bell)
{
    if (bell->loop)
        loop_fd_remove(bell->loop, &bell->watch);
    watch_removal_remove(&bell->removal);
}

/* Who listens makes it. For reading too, so that it has a reader whoever else listens, and so that
 * to open it waits for nobody. Who only rings, and finds none, has nobody to wake: -1 without an
 * error. */
static int open_fifo(const struct bell *bell, bool make, struct err *err)
{
    struct stat file;
    err->kind = ERR_NONE;
    if (make && mkfifoat(bell->home->run, bell->file, 0600) < 0 && errno != EEXIST)
        return err_sys(err, "make %s/run/%s", bell->home->path, bell->file);
    int fd = openat(bell->home->run, bell->file, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT && !make)
        return -1;
    if (fd < 0)
        return err_sys(err, "open %s/run/%s", bell->home->path, bell->file);
    if (fstat(fd, &file) == 0 && S_ISFIFO(file.st_mode))
        return fd;
    close(fd);
    return err_set(err, ERR_STATE, "%s/run/%s is no FIFO", bell->home->path, bell->file);
}

static bool is_removed(const struct bell *bell)
{
    struct stat file;
    return fstat(bell->fd, &file) < 0 || file.st_nlink == 0;
}

/* -1 with errno. Full after some ten thousand rings: then a part is taken out, never all. */
static int strike(int fd)
{
    char old[PART];
    ssize_t written;
    while ((written = write(fd, "", 1)) < 0 && (errno == EAGAIN || errno == EINTR)) {
        if (errno == EAGAIN && read(fd, old, sizeof old) < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
    }
    return written == 1 ? 0 : -1;
}

static int watch_fifo(struct bell *bell, struct err *err);

/* Open it, or open it anew. What listened to the old one listens to the new one. */
static int refresh(struct bell *bell, bool make, struct err *err)
{
    if (bell->fd >= 0 && !is_removed(bell))
        return 0;
    int fd = open_fifo(bell, make, err);
    if (fd < 0 && err->kind)
        return -1;
    unwatch(bell);
    if (bell->fd >= 0) {
        strike(bell->fd); /* others may listen to the old one, without a note of its removal */
        close(bell->fd);
    }
    bell->fd = fd;
    return bell->listening ? watch_fifo(bell, err) : 0;
}

int bell_ring(struct bell *bell, struct err *err)
{
    if (refresh(bell, bell->listening, err) < 0)
        return -1;
    if (bell->fd >= 0 && strike(bell->fd) < 0)
        return err_sys(err, "ring %s/run/%s", bell->home->path, bell->file);
    return 0;
}

/* When a new one cannot be made, whoever is woken finds out with its next ring. */
static void tell(struct bell *bell)
{
    struct err err;
    refresh(bell, bell->listening, &err);
    if (bell->listening)
        bell->heard(bell->owner);
}

static void was_rung(struct loop_fd *watch, uint32_t events)
{
    (void)events;
    tell(CONTAINER_OF(watch, struct bell, watch));
}

static void was_removed(struct watch_removal *removal)
{
    tell(CONTAINER_OF(removal, struct bell, removal));
}

static int watch_fifo(struct bell *bell, struct err *err)
{
    bell->watch.ready = was_rung;
    if (loop_fd_add(bell->loop, &bell->watch, bell->fd, EPOLLIN | EPOLLET) < 0)
        return err_sys(err, "wait for %s/run/%s", bell->home->path, bell->file);
    bell->removal.removed = was_removed;
    watch_removal_add(bell->loop, &bell->removal, bell->fd);
    return 0;
}

int bell_listen(struct bell *bell, struct loop *loop, void (*heard)(void *owner), void *owner,
                struct err *err)
{
    bell->heard = heard;
    bell->owner = owner;
    if (bell->listening)
        return 0;
    if (refresh(bell, true, err) < 0)
        return -1;
    bell->listening = true;
    if (bell->watch.active && bell->loop == loop) {
        if (loop_fd_change(loop, &bell->watch, EPOLLIN | EPOLLET) == 0)
            return 0;
        unwatch(bell);
    }
    bell->loop = loop;
    if (watch_fifo(bell, err) == 0)
        return 0;
    bell->listening = false;
    return -1;
}

void bell_deafen(struct bell *bell)
{
    if (!bell->listening)
        return;
    bell->listening = false;
    if (loop_fd_change(bell->loop, &bell->watch, 0) < 0)
        unwatch(bell);
}

void bell_free(struct bell *bell)
{
    if (!bell)
        return;
    unwatch(bell);
    if (bell->fd >= 0)
        close(bell->fd);
    free(bell);
}
