/* unix_socket.c: stream sockets with a name in a folder, for processes of one user. */
#include "sys/unix_socket.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { ADDRESS_SUFFIX = 8 }; /* bytes of what a name is called until it listens */

static int address_of(struct sockaddr_un *address, int folder, const char *name, struct err *err)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int len =
        snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", folder, name);
    if (len < 0 || (size_t)len >= sizeof address->sun_path)
        return err_set(err, ERR_LIMIT, "%s: the name of the socket is too long", name);
    return 0;
}

static int new_socket(struct err *err)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? err_sys(err, "make a socket") : fd;
}

/* Bound under a name of its own, and put in place when it listens. */
static int bind_and_listen(int fd, int folder, const char *name, struct err *err)
{
    char fresh[sizeof((struct sockaddr_un *)0)->sun_path + ADDRESS_SUFFIX];
    struct sockaddr_un address;
    snprintf(fresh, sizeof fresh, "%s.new", name);
    if (address_of(&address, folder, fresh, err) < 0)
        return -1;
    unlinkat(folder, fresh, 0); /* of one that was killed here */
    /* Before bind the mode is the descriptor's, and bind gives it to the file. */
    if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return err_sys(err, "make the socket %s", name);
    if (listen(fd, SOMAXCONN) == 0 && renameat(folder, fresh, folder, name) == 0)
        return 0;
    err_sys(err, "listen at %s", name);
    unlinkat(folder, fresh, 0);
    return -1;
}

int unix_socket_listen(int folder, const char *name, struct err *err)
{
    int fd = new_socket(err);
    if (fd < 0 || bind_and_listen(fd, folder, name, err) == 0)
        return fd;
    close(fd);
    return -1;
}

int unix_socket_accept(int listener)
{
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static int check_listener(int fd, const char *name, struct err *err)
{
    struct unix_peer peer;
    if (unix_socket_peer(fd, &peer) < 0)
        return err_sys(err, "%s: ask who listens", name);
    if (unix_peer_is_trusted(&peer))
        return 0;
    return err_set(err, ERR_NOT_USABLE, "%s: process %ld of user %ld listens there", name,
                   (long)peer.pid, (long)peer.uid);
}

static int connect_to(int fd, int folder, const char *name, struct err *err)
{
    struct sockaddr_un address;
    if (address_of(&address, folder, name, err) < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return check_listener(fd, name, err);
    if (errno == ENOENT || errno == ECONNREFUSED)
        return err_set(err, ERR_NOT_FOUND, "%s: nobody listens there", name);
    return err_sys(err, "connect to %s", name);
}

int unix_socket_connect(int folder, const char *name, struct err *err)
{
    int fd = new_socket(err);
    if (fd < 0 || connect_to(fd, folder, name, err) == 0)
        return fd;
    close(fd);
    return -1;
}

int unix_socket_peer(int fd, struct unix_peer *peer)
{
    struct ucred cred;
    socklen_t len = sizeof cred;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
        return -1;
    *peer = (struct unix_peer){.pid = cred.pid, .uid = cred.uid};
    return 0;
}

bool unix_peer_is_trusted(const struct unix_peer *peer)
{
    return peer->uid == geteuid() || peer->uid == 0;
}
