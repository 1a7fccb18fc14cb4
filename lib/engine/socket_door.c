/* socket_door.c: where the clients of a warm pool come in. */
#include "engine/socket_door.h"

#include "base/list.h"
#include "base/num.h"
#include "sys/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#define DOOR_PAUSE (NUM_SECOND / 10) /* without descriptors for another client */
enum {
    DOOR_TURN = 64, /* clients let in before others are looked at */
    DOOR_SPARE = 10 /* descriptors that are left: for what a client and a worker need */
};

static void refused(struct socket_door *door, uid_t user)
{
    struct buf text = {0};
    buf_addf(&text, "%s: refused a client of user %ld", door->pool, (long)user);
    door->warn(door->warned, buf_cstr(&text));
    buf_free(&text);
}

static void let_in(struct socket_door *door, int fd)
{
    struct unix_peer peer = {0};
    bool known = unix_socket_peer(fd, &peer) == 0;
    if (known && unix_peer_is_trusted(&peer)) {
        door->came(door->owner, fd);
        return;
    }
    close(fd);
    if (known)
        refused(door, peer.uid);
}

/*
 * Are there descriptors for another client, and for a worker besides? The lowest that is free is
 * given out first.
 */
static bool has_room(const struct socket_door *door)
{
    struct rlimit limit;
    int lowest = fcntl(door->listener.fd, F_DUPFD_CLOEXEC, 0);
    if (lowest < 0)
        return false;
    close(lowest);
    return getrlimit(RLIMIT_NOFILE, &limit) < 0 || (rlim_t)lowest + DOOR_SPARE < limit.rlim_cur;
}

/* They wait in the kernel. */
static void pause_listening(struct socket_door *door)
{
    loop_fd_change(door->loop, &door->listener, 0);
    loop_timer_set(door->loop, &door->again, loop_now(door->loop) + DOOR_PAUSE);
}

static void crowded(struct socket_door *door)
{
    struct buf text = {0};
    if (door->crowded)
        return;
    door->crowded = true;
    buf_addf(&text, "%s: a client has to wait, as there is no descriptor for it (ulimit -n)",
             door->pool);
    door->warn(door->warned, buf_cstr(&text));
    buf_free(&text);
}

static void listen_again(struct loop_timer *timer)
{
    struct socket_door *door = CONTAINER_OF(timer, struct socket_door, again);
    loop_fd_change(door->loop, &door->listener, EPOLLIN);
}

static void ready(struct loop_fd *watch, uint32_t events)
{
    struct socket_door *door = CONTAINER_OF(watch, struct socket_door, listener);
    (void)events;
    if (!has_room(door))
        crowded(door);
    for (int i = 0; i < DOOR_TURN && has_room(door); i++) {
        int fd = unix_socket_accept(watch->fd);
        if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
            return;
        if (fd < 0) { /* none in the whole system, or no memory */
            crowded(door);
            pause_listening(door);
            return;
        }
        let_in(door, fd);
    }
    if (!has_room(door))
        pause_listening(door);
}

int socket_door_open(struct socket_door *door, const struct home *home, const char *pool,
                     struct err *err)
{
    int fd = -1;
    door->pool = pool;
    door->name = warm_name_take(home, pool, &fd, err);
    if (!door->name)
        return -1;
    door->listener.ready = ready;
    door->again.fire = listen_again;
    if (loop_fd_add(door->loop, &door->listener, fd, EPOLLIN) == 0)
        return 0;
    err_sys(err, "watch the socket of the pool %s", pool);
    close(fd);
    warm_name_free(door->name);
    door->name = NULL;
    return -1;
}

void socket_door_shut(struct socket_door *door)
{
    loop_timer_clear(door->loop, &door->again);
    if (!door->listener.active)
        return;
    warm_name_hide(door->name);
    int fd = door->listener.fd;
    loop_fd_remove(door->loop, &door->listener);
    close(fd);
}

void socket_door_free(struct socket_door *door)
{
    socket_door_shut(door);
    warm_name_free(door->name);
    door->name = NULL;
}
