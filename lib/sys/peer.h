/*
 * peer.h: whose the other end of a TCP connection of this machine is.
 *
 * A loopback port has no permissions: any user can connect to it. The kernel knows whose socket is
 * at the other end; it is asked through sock_diag(7), for that one socket, or where that is not to
 * be had through /proc/net/tcp and tcp6, which list all.
 */
#ifndef FIT_SYS_PEER_H
#define FIT_SYS_PEER_H

#include <netinet/in.h>
#include <sys/types.h>

/*
 * The user who holds the socket at peer that is connected to own, both IPv4 addresses of this
 * machine. -1 when that is not to be found out, and for a socket that nobody holds any more.
 */
int peer_user(const struct sockaddr_in *peer, const struct sockaddr_in *own, uid_t *user);

/* Only by the list: for tests. */
int peer_user_listed(const struct sockaddr_in *peer, const struct sockaddr_in *own, uid_t *user);

#endif
