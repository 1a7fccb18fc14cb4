/*
 * socket_client.h: one client of a warm pool, seen from its supervisor. Internal to lib/engine: for
 * source_socket.c.
 *
 * A client is a connection (fn/warm_wire.h). It reads requests and writes answers; in which order
 * requests of several clients are begun, and what becomes of them, is the source's. A request is in
 * one of three places: it waits with its client, it has been begun and belongs to the source, or it
 * is answered and waits to be written. When a client goes, what waits goes with it, and what has
 * begun goes on without it.
 *
 * Answers that a client does not read wait here, a few bytes of them in the stream and the rest
 * where they came from; with more than SOCKET_CLIENT_UNREAD bytes of them, heads included, nothing
 * of this client is begun any more, and nothing more is read of it.
 */
#ifndef FIT_ENGINE_SOCKET_CLIENT_H
#define FIT_ENGINE_SOCKET_CLIENT_H

#include "base/block.h"
#include "fn/failure.h"
#include "fn/warm_wire.h"

enum {
    SOCKET_CLIENT_OUTPUT = 256 * 1024,  /* bytes of answers that are copied to be written */
    SOCKET_CLIENT_UNREAD = 1024 * 1024, /* bytes of answers; then it and its requests wait */
};

struct socket_request {
    struct socket_client *client; /* NULL: it has gone */
    struct socket_request *next, *prev;
    uint64_t id; /* the client's */
    struct slice event;
    struct buf text; /* identity and scope */
    size_t id_len;
    int64_t deadline; /* clock_now; 0: none */
    int64_t came;     /* clock_now */
    bool ping;        /* it counts in nothing */
    bool ahead;       /* it does not count as waiting */
    /* The answer. */
    bool failed;
    enum failure_class class;
    int64_t retry_after, init;
    struct slice lines; /* results, or the object that tells of the failure */
    size_t count;
    size_t sent; /* of them */
    bool begun;  /* its head is written */
};

struct socket_requests {
    struct socket_request *first, *last;
    size_t count;
};

struct socket_turn {
    struct socket_turn *next, *prev;
};

struct socket_client {
    struct loop *loop;
    const struct socket_client_calls *calls;
    void *owner;
    /* To be read. */
    struct socket_requests waiting;
    struct socket_requests answered;
    size_t waiting_bytes, waiting_ahead; /* of these, events, and requests that were sent ahead */
    size_t unread;                       /* bytes of answers that are not written */
    /* The owner's. */
    struct socket_client *next, *prev;
    /* Of socket_turns.c. */
    struct socket_turn turn;
    bool has_turn;
    size_t counted, counted_ahead, counted_bytes; /* of what waits */
    /* Private. */
    struct warm_reader reader;
    struct loop_fd in;
    struct stream_out out;
    struct loop_task flush, leave;
    bool paused; /* by the owner */
    bool deaf;   /* it has to read answers first */
    bool gone;
};

struct socket_client_calls {
    /* A request has come: the owner lets it wait (socket_client_wait) or answers it. */
    void (*asked)(void *owner, struct socket_request *request);
    /* How many wait, or are unread, has changed. */
    void (*changed)(void *owner, struct socket_client *client);
    /* A frame that is no request: STATUS, STOP. */
    void (*told)(void *owner, struct socket_client *client, const struct warm_frame *frame);
    /* A request that waited is forgotten: its client has gone, or has taken it back. */
    void (*dropped)(void *owner, const struct socket_request *request);
    /* It has gone, and is freed afterwards. */
    void (*left)(void *owner, struct socket_client *client);
};

/* Takes over the connected descriptor, and sends hello. max_event: bytes. NULL with err. */
struct socket_client *socket_client_new(struct loop *loop, int fd, size_t max_event,
                                        const struct warm_frame *hello,
                                        const struct socket_client_calls *calls, void *owner,
                                        struct err *err);
/* Without a word to the owner. */
void socket_client_free(struct socket_client *client);

/* Something is still to be written to it. */
bool socket_client_is_busy(const struct socket_client *client);

/* Read no more requests for now; whether it goes is still noticed. */
void socket_client_pause(struct socket_client *client, bool pause);

/* ---- requests ---- */

void socket_client_wait(struct socket_request *request);
struct socket_request *socket_client_take(struct socket_client *client); /* the oldest */

/* The results (the reference is taken), or why there are none; then the request is written and
 * freed. */
void socket_request_answer(struct socket_request *request, struct slice lines, size_t count);
void socket_request_refuse(struct socket_request *request, const struct failure *failure);
void socket_request_end(struct socket_request *request);
/* Both, for a failure that is made for it (taken over). */
void socket_request_fail(struct socket_request *request, struct failure *failure);

/* A line of JSON for a frame that was no request. */
void socket_client_tell(struct socket_client *client, uint64_t id, struct str line);

#endif
