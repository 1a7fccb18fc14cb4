/*
 * source_socket.h: requests from a socket as events, each answered with what has become of it.
 *
 * It is the supervisor's side of a warm pool: it listens at the pool's name in the state directory,
 * and takes requests of any number of clients (socket_client.h). They wait here until the function
 * has room, those of different clients in turn, so that who asks much does not hold up who asks
 * once; beyond a limit they are refused (FAILURE_POOL_FULL). What becomes of an event becomes of
 * its request:
 *
 *     done            answered with its results
 *     dead            answered with its failure; there is no letter, which is the client's affair
 *     released        answered with FAILURE_CONNECTION: the pool was ended before
 *
 * A ping (`warm ping`) takes its turn as the others do, and counts in nothing but a number of its
 * own: not in what is told of the pool's calls, and for the engine it is none of the events.
 *
 * A request whose client has gone, or has taken it back, or whose deadline has passed, is dropped
 * if it has not begun; else its answer is thrown away.
 *
 * A name has one supervisor: it holds the lock of a file beside the socket, in which it says who it
 * is. After it was killed the next one takes its place. When it stops, nobody can connect any more;
 * what waits is still begun, and what is still there when the engine cancels is released.
 */
#ifndef FIT_ENGINE_SOURCE_SOCKET_H
#define FIT_ENGINE_SOURCE_SOCKET_H

#include "base/rng.h"
#include "engine/source.h"
#include "fn/warm_link.h"
#include "state/home.h"

enum {
    SOURCE_SOCKET_BYTES = 16 * 1024 * 1024, /* of events that wait; then nothing more is read */
};

struct source_socket_settings {
    const char *pool; /* its name */
    size_t most;      /* requests that may wait */
    unsigned workers; /* that the function has at most */
    size_t max_event; /* bytes */
    int64_t grace;    /* for clients to read their answers at the end, nanoseconds */
    /* What is told of the pool beside: members of an object (",\"running\":2"). */
    void (*describe)(void *owner, struct buf *members);
    /* A client has asked to end it. */
    void (*stop)(void *owner);
    /* Somebody refused, and the like, for people. */
    void (*warn)(void *owner, const char *text);
    void *owner;
};

struct source_socket;

/*
 * Listen. settings are copied; home is borrowed. NULL with err; ERR_STATE with EWOULDBLOCK in
 * sys_errno: another process has the name.
 */
struct source_socket *source_socket_new(struct loop *loop, struct home *home,
                                        const struct source_socket_settings *settings,
                                        struct err *err);
struct source *source_socket_source(struct source_socket *own);

/* Of an event that it has handed out: identity, and what of the event it is. */
struct str source_socket_id(uint64_t token, struct str *scope);
/* It counts in nothing. */
bool source_socket_is_ping(uint64_t token);
/* A cold worker took so long for it. */
void source_socket_note(struct source_socket *own, uint64_t token, int64_t init);

/* From now on it is said that the pool is ready. */
void source_socket_ready(struct source_socket *own);

#endif
