/*
 * socket_door.h: where the clients of a warm pool come in. Internal to lib/engine: for
 * source_socket.c.
 *
 * It listens at the pool's name (warm_name.h), and lets in processes of this user and of root. When
 * there is no descriptor left for another client, those who come wait in the kernel.
 */
#ifndef FIT_ENGINE_SOCKET_DOOR_H
#define FIT_ENGINE_SOCKET_DOOR_H

#include "engine/warm_name.h"
#include "sys/loop.h"

struct socket_door {
    /* Set by the owner before socket_door_open. */
    struct loop *loop;
    void (*came)(void *owner, int fd); /* the owner's from here on */
    void *owner;
    void (*warn)(void *warned, const char *text); /* who was refused, or has to wait */
    void *warned;
    /* Private. */
    struct warm_name *name;
    struct loop_fd listener;
    struct loop_timer again;
    const char *pool;
    bool crowded; /* somebody had to wait: that is told once */
};

/* As warm_name_take. */
int socket_door_open(struct socket_door *door, const struct home *home, const char *pool,
                     struct err *err);
void socket_door_shut(struct socket_door *door); /* nobody comes in, or finds it, any more */
void socket_door_free(struct socket_door *door); /* and the name is free for others */

#endif
