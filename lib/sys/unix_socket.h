/*
 * unix_socket.h: stream sockets with a name in a folder, for processes of one user.
 *
 * A folder is a descriptor, so that its path may be of any length (the kernel takes 107 bytes): the
 * name is reached through /proc/self/fd. A socket is for its owner only from its birth (mode 0600),
 * and both sides ask the kernel who the other one is (SO_PEERCRED): a process of another user than
 * this one, or root, is refused, also where the folder would let it in. All descriptors are
 * close-on-exec, non-blocking and the caller's.
 */
#ifndef FIT_SYS_UNIX_SOCKET_H
#define FIT_SYS_UNIX_SOCKET_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct unix_peer {
    pid_t pid; /* of the process that connected, or that listened */
    uid_t uid; /* its effective user then */
};

/*
 * Listen at name in folder. What was there is replaced at once: nobody finds a name that does not
 * listen yet. -1 with err.
 */
int unix_socket_listen(int folder, const char *name, struct err *err);

/* The next connection. -1 with errno, EAGAIN when there is none. */
int unix_socket_accept(int listener);

/* Connect to who listens there. -1 with ERR_NOT_FOUND: nobody does; ERR_NOT_USABLE: another user's
 * process does; ERR_SYSTEM, with EAGAIN when it does not accept in time. */
int unix_socket_connect(int folder, const char *name, struct err *err);

/* Who is at the other end? -1 with errno. */
int unix_socket_peer(int fd, struct unix_peer *peer);
bool unix_peer_is_trusted(const struct unix_peer *peer);

#endif
