/*
 * socket_turns.h: whose request is begun next. Internal to lib/engine: for source_socket.c.
 *
 * Clients that have something to begin take turns, one request each. Who does not read its answers
 * has no turn, and what it has asked does not count as waiting: it must not fill the queue of
 * others.
 */
#ifndef FIT_ENGINE_SOCKET_TURNS_H
#define FIT_ENGINE_SOCKET_TURNS_H

#include "engine/socket_client.h"

struct socket_turns { /* zeroed */
    struct socket_turn *first, *last;
    /* Of those who have a turn: requests, those of them that were sent ahead, and bytes of events
     */
    size_t waiting, ahead, bytes;
};

/* What waits with the client, or is not read by it, has changed. True: it has got a turn. */
bool socket_turns_look(struct socket_turns *turns, struct socket_client *client);
/* It has none any more. */
void socket_turns_leave(struct socket_turns *turns, struct socket_client *client);

/* The oldest request of the client whose turn it is, which then stands behind the others. NULL:
 * nobody has a turn. */
struct socket_request *socket_turns_next(struct socket_turns *turns);

#endif
