/*
 * http_connections.h: which connections of a server may stay.
 *
 * A connection whose first request does not come in time is cut off. When there are as many as may
 * be, and none of them owes its first request, the one that is idle for longest goes: a client that
 * leaves its connections open, without using them again, would shut itself out. What is cut off is
 * closed by who reads the socket. Internal to lib/sys.
 */
#ifndef FIT_SYS_HTTP_CONNECTIONS_H
#define FIT_SYS_HTTP_CONNECTIONS_H

#include "sys/loop.h"

#include <stdint.h>

struct http_connection;

struct http_connections { /* zeroed, but for the first three */
    struct loop *loop;
    unsigned most;
    int64_t patience;      /* for the first request, nanoseconds */
    unsigned count, fresh; /* of those that are not cut off; that owe their first request */
    struct {
        struct http_connection *first, *last;
    } idle; /* since longest first */
};

/* A client has connected; the descriptor is borrowed. */
struct http_connection *http_connection_open(struct http_connections *connections, int fd);
/* It has a request; that has ended. NULL is a no-op. */
void http_connection_begin(struct http_connection *connection);
void http_connection_end(struct http_connection *connection);
/* It is closed. NULL is a no-op. */
void http_connection_close(struct http_connection *connection);

#endif
