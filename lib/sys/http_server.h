/*
 * http_server.h: an HTTP/1.1 server on the loopback address, in our loop.
 *
 * A request is handed over when it has come in full; its answer is given at once or at any later
 * time, and until then it costs nothing. Keep-alive, chunked bodies and trailers are
 * libmicrohttpd's work, which only this module sees, without threads: its epoll is one descriptor
 * of our loop.
 *
 * The server knows nothing of what it serves. A client cannot disturb it: a first request that does
 * not come in time is cut off, a body that is too large is not kept, what is no HTTP is answered by
 * the library.
 */
#ifndef FIT_SYS_HTTP_SERVER_H
#define FIT_SYS_HTTP_SERVER_H

#include "base/buf.h"
#include "base/err.h"
#include "sys/loop.h"

#include <stdint.h>
#include <sys/types.h>

enum {
    HTTP_SERVER_BUFFER = 64 * 1024, /* of a connection: a larger head is refused (431) */
    /* At once; for more, one that is idle makes room (http_connections.h). */
    HTTP_SERVER_CONNECTIONS = 64,
    /* Bytes of a body that is too large which are read and thrown away, so that the client, still
     * sending, lives to read the answer; beyond them the connection is closed. */
    HTTP_SERVER_DISCARD = 64 * 1024 * 1024,
};
/* For the head of the first request of a connection, nanoseconds. */
#define HTTP_SERVER_PATIENCE INT64_C(10000000000)

struct http_server;

struct http_request {
    const char *method; /* as it came: "GET" */
    const char *path;   /* without the query, decoded */
    struct buf body;
    uint64_t size;  /* bytes of the body; of one that is too large at least those that came */
    bool too_large; /* than the limit, so that it was not kept */
    void *data;     /* the owner's */
    /* Private. */
    struct http_server *server;
    struct MHD_Connection *connection;
    struct MHD_Response *answer;
    unsigned status;
    size_t limit;
    bool handed, waiting, answered, lost;
    struct http_request *next, *prev; /* of those that wait */
    struct loop_fd watch;             /* of the socket, while it waits: has the client left? */
};

struct http_header {
    const char *name, *value;
};

struct http_server_settings {
    void *owner;      /* for the callbacks */
    uint16_t port;    /* 0: any that is free */
    int64_t patience; /* 0: HTTP_SERVER_PATIENCE */
    /* How large may the body of this request be? Its head is there. */
    size_t (*limit)(void *owner, const struct http_request *request);
    /* It is there. It is answered here or later, with http_request_answer. One that is too large
     * has to be answered here; the answer may not reach the client, which is still sending. */
    void (*request)(void *owner, struct http_request *request);
    /* The client has left before it was answered: the request is over. */
    void (*gone)(void *owner, struct http_request *request);
    /* May this user, whose socket is at the other end, connect? NULL: everybody. With it, nobody
     * connects whose user is not to be found out (peer.h). */
    bool (*admit)(void *owner, uid_t user);
};

/* Load the library now, which opening a server does too: 0, or -1 with ERR_NOT_USABLE. */
int http_server_load(struct err *err);

/* Listen on 127.0.0.1. NULL with err; ERR_NOT_USABLE if the library is not there. */
struct http_server *http_server_open(struct loop *loop, const struct http_server_settings *settings,
                                     struct err *err);
uint16_t http_server_port(const struct http_server *server);
/* Take what has arrived by now, without waiting: the client may have died after sending it. */
void http_server_drain(struct http_server *server);
/* Connections are closed, unanswered requests are over without gone. Not within a callback of the
 * same server. NULL is a no-op. */
void http_server_close(struct http_server *server);

/* The value of a header, or of a trailer behind a chunked body; NULL: there is none. */
const char *http_request_header(const struct http_request *request, const char *name);
const char *http_request_trailer(const struct http_request *request, const char *name);

/* Answer it, once; headers and body are copied. The request is not the owner's any more. */
void http_request_answer(struct http_request *request, unsigned status,
                         const struct http_header *headers, size_t count, struct str body);

#endif
