/* http_connections.c: which connections of a server may stay. */
#include "sys/http_connections.h"

#include "base/list.h"
#include "base/mem.h"

#include <stdlib.h>
#include <sys/socket.h>

enum stage {
    FRESH, /* it owes its first request */
    BUSY,
    IDLE,
    OVER, /* it is cut off */
};

struct http_connection {
    struct loop_timer patience; /* for its first request */
    struct http_connections *connections;
    enum stage stage;
    int fd;
    struct http_connection *next, *prev; /* of those that are idle */
};

static void enter(struct http_connection *connection, enum stage stage)
{
    struct http_connections *connections = connection->connections;
    if (connection->stage == FRESH)
        loop_timer_clear(connections->loop, &connection->patience);
    if (connection->stage == IDLE)
        LIST_REMOVE(&connections->idle, connection);
    connections->fresh -= connection->stage == FRESH && stage != FRESH;
    connections->count -= connection->stage != OVER && stage == OVER;
    connection->stage = stage;
    if (stage == IDLE)
        LIST_APPEND(&connections->idle, connection);
}

static void cut_off(struct http_connection *connection)
{
    enter(connection, OVER);
    shutdown(connection->fd, SHUT_RDWR); /* who reads it sees its end, and closes it */
}

static void patience_ends(struct loop_timer *timer)
{
    cut_off(CONTAINER_OF(timer, struct http_connection, patience));
}

/* Those that owe a request make room by themselves, or come to be idle. */
static void make_room(struct http_connections *connections)
{
    if (connections->count >= connections->most && !connections->fresh && connections->idle.first)
        cut_off(connections->idle.first);
}

struct http_connection *http_connection_open(struct http_connections *connections, int fd)
{
    struct http_connection *connection = mem_zalloc(sizeof *connection);
    connection->connections = connections;
    connection->fd = fd;
    connection->patience.fire = patience_ends;
    loop_timer_set(connections->loop, &connection->patience,
                   loop_now(connections->loop) + connections->patience);
    connections->count++;
    make_room(connections);
    connections->fresh++;
    return connection;
}

void http_connection_begin(struct http_connection *connection)
{
    if (!connection || connection->stage == OVER)
        return;
    enter(connection, BUSY);
    make_room(connection->connections);
}

void http_connection_end(struct http_connection *connection)
{
    if (!connection || connection->stage == OVER)
        return;
    make_room(connection->connections); /* it is none of those that go */
    enter(connection, IDLE);
}

void http_connection_close(struct http_connection *connection)
{
    if (!connection)
        return;
    enter(connection, OVER);
    free(connection);
}
