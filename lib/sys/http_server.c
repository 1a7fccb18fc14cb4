/* http_server.c: an HTTP/1.1 server on the loopback address, in our loop. */
#include "sys/http_server.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "sys/http_connections.h"
#include "sys/http_library.h"
#include "sys/peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HTTP_SERVER_BACKLOG = 64,
    HTTP_SERVER_DRAIN = 10000, /* turns at most; each takes some KiB of what a socket holds */
};

struct http_server {
    struct loop *loop;
    struct http_server_settings settings;
    const struct http_library *library;
    struct MHD_Daemon *daemon;
    struct sockaddr_in address;
    struct loop_fd watch;    /* the library's epoll */
    struct loop_timer timer; /* when the library wants to be called again */
    struct loop_task again;  /* it has more to do at once */
    struct {
        struct http_request *first, *last;
    } waiting; /* requests */
    struct http_connections connections;
    bool closing;
};

/* ---- turning the library ---- */

static void run(struct http_server *server)
{
    MHD_UNSIGNED_LONG_LONG milliseconds;
    server->library->run(server->daemon);
    if (server->library->get_timeout(server->daemon, &milliseconds) != MHD_YES)
        loop_timer_clear(server->loop, &server->timer);
    else if (!milliseconds)
        loop_defer(server->loop, &server->again);
    else
        loop_timer_set(server->loop, &server->timer,
                       loop_now(server->loop) + (int64_t)milliseconds * (NUM_SECOND / 1000));
}

/* Is there anything to be done now? */
static bool is_busy(struct http_server *server)
{
    MHD_UNSIGNED_LONG_LONG milliseconds;
    struct pollfd ready = {.fd = server->watch.fd, .events = POLLIN};
    return poll(&ready, 1, 0) > 0 ||
           (server->library->get_timeout(server->daemon, &milliseconds) == MHD_YES &&
            !milliseconds);
}

void http_server_drain(struct http_server *server)
{
    for (size_t turns = 0; turns < HTTP_SERVER_DRAIN && is_busy(server); turns++)
        run(server);
}

static void has_events(struct loop_fd *watch, uint32_t events)
{
    (void)events;
    run(CONTAINER_OF(watch, struct http_server, watch));
}

static void is_due(struct loop_timer *timer)
{
    run(CONTAINER_OF(timer, struct http_server, timer));
}

static void has_more(struct loop_task *task)
{
    run(CONTAINER_OF(task, struct http_server, again));
}

/* ---- a request that waits for its answer ---- */

static void stop_waiting(struct http_request *request)
{
    struct http_server *server = request->server;
    request->waiting = false;
    LIST_REMOVE(&server->waiting, request);
    loop_fd_remove(server->loop, &request->watch);
    server->library->resume_connection(request->connection);
    loop_defer(server->loop, &server->again);
}

/* The library does not look at a connection that it has suspended, so this does. */
static void client_left(struct loop_fd *watch, uint32_t events)
{
    (void)events;
    struct http_request *request = CONTAINER_OF(watch, struct http_request, watch);
    request->lost = true;
    stop_waiting(request);
    request->server->settings.gone(request->server->settings.owner, request);
}

static void wait_for_answer(struct http_request *request)
{
    struct http_server *server = request->server;
    const union MHD_ConnectionInfo *info = server->library->get_connection_info(
        request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    request->waiting = true;
    LIST_APPEND(&server->waiting, request);
    request->watch.ready = client_left;
    server->library->suspend_connection(request->connection);
    if (info) /* if it cannot be watched, its leaving shows when it is answered */
        (void)loop_fd_add(server->loop, &request->watch, info->connect_fd, EPOLLRDHUP);
}

static enum MHD_Result send_answer(struct http_request *request)
{
    const struct http_library *library = request->server->library;
    enum MHD_Result queued =
        library->queue_response(request->connection, request->status, request->answer);
    library->destroy_response(request->answer);
    request->answer = NULL;
    return queued;
}

void http_request_answer(struct http_request *request, unsigned status,
                         const struct http_header *headers, size_t count, struct str body)
{
    const struct http_library *library = request->server->library;
    request->answered = true;
    request->status = status;
    /* The library copies; it only takes the bytes as not constant. */
    request->answer = library->create_response_from_buffer(
        body.len, (void *)(uintptr_t)(body.len ? body.data : ""), MHD_RESPMEM_MUST_COPY);
    if (!request->answer)
        mem_exhausted(body.len);
    for (size_t i = 0; i < count; i++)
        library->add_response_header(request->answer, headers[i].name, headers[i].value);
    if (request->waiting)
        stop_waiting(request);
}

/* ---- taking a request ---- */

static const char *value_of(const struct http_request *request, enum MHD_ValueKind kind,
                            const char *name)
{
    return request->server->library->lookup_connection_value(request->connection, kind, name);
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    return value_of(request, MHD_HEADER_KIND, name);
}

const char *http_request_trailer(const struct http_request *request, const char *name)
{
    return value_of(request, MHD_FOOTER_KIND, name);
}

/* What it says of the size of its body; 0 if it says nothing. */
static uint64_t declared_size(const struct http_request *request)
{
    uint64_t size = 0;
    const char *text = http_request_header(request, "Content-Length");
    if (text && num_uint(text, 0, UINT64_MAX, &size))
        return UINT64_MAX; /* as many digits as that are too large in any case */
    return size;
}

static void hand_over(struct http_request *request)
{
    request->handed = true;
    request->server->settings.request(request->server->settings.owner, request);
}

/* The head is there. A client that waits for leave to send (Expect), or would send more than is
 * worth reading, is told at once. */
static enum MHD_Result begin(struct http_request *request)
{
    struct http_server *server = request->server;
    uint64_t size = declared_size(request);
    request->limit = server->settings.limit(server->settings.owner, request);
    request->too_large = size > request->limit;
    if (!request->too_large ||
        (size <= HTTP_SERVER_DISCARD && !http_request_header(request, "Expect")))
        return MHD_YES;
    request->size = size;
    hand_over(request);
    return request->answer ? send_answer(request) : MHD_NO;
}

/* A piece of the body. */
static enum MHD_Result take(struct http_request *request, const char *bytes, size_t len)
{
    request->size += len;
    if (request->size > request->limit)
        request->too_large = true;
    if (request->too_large)
        buf_free(&request->body);
    else
        buf_add(&request->body, bytes, len);
    if (request->size <= request->limit + (uint64_t)HTTP_SERVER_DISCARD)
        return MHD_YES;
    hand_over(request); /* an answer cannot be sent from here */
    return MHD_NO;
}

static struct http_connection *connection_of(struct http_server *server,
                                             struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        server->library->get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* Called by the library for the head, for each piece of the body, at the end, and again for a
 * request that was suspended. */
static enum MHD_Result handle(void *own, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *bytes,
                              size_t *len, void **place)
{
    struct http_server *server = own;
    struct http_request *request = *place;
    (void)version;
    if (!request) {
        http_connection_begin(connection_of(server, connection));
        *place = request = mem_zalloc(sizeof *request);
        request->server = server;
        request->connection = connection;
        request->method = method;
        request->path = path;
        return begin(request);
    }
    if (request->lost)
        return MHD_NO;
    if (*len) {
        enum MHD_Result result = take(request, bytes, *len);
        *len = 0;
        return result;
    }
    if (!request->handed)
        hand_over(request);
    if (request->answer)
        return send_answer(request);
    wait_for_answer(request);
    return MHD_YES;
}

static void completed(void *own, struct MHD_Connection *connection, void **place,
                      enum MHD_RequestTerminationCode why)
{
    struct http_server *server = own;
    struct http_request *request = *place;
    (void)why;
    if (!request)
        return;
    http_connection_end(connection_of(server, connection));
    *place = NULL;
    loop_fd_remove(server->loop, &request->watch);
    if (request->handed && !request->answered && !request->lost && !server->closing)
        server->settings.gone(server->settings.owner, request);
    if (request->answer)
        server->library->destroy_response(request->answer);
    buf_free(&request->body);
    free(request);
}

/* ---- connections ---- */

static void connected(void *own, struct MHD_Connection *connection, void **place,
                      enum MHD_ConnectionNotificationCode what)
{
    struct http_server *server = own;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        http_connection_close(*place);
        *place = NULL;
        /* The library looks only when it is called whether it may listen again. */
        if (!server->closing)
            loop_defer(server->loop, &server->again);
        return;
    }
    const union MHD_ConnectionInfo *info =
        server->library->get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info)
        *place = http_connection_open(&server->connections, info->connect_fd);
}

static enum MHD_Result admit(void *own, const struct sockaddr *address, socklen_t len)
{
    const struct http_server *server = own;
    struct sockaddr_in peer;
    uid_t user;
    if (!server->settings.admit)
        return MHD_YES;
    if (address->sa_family != AF_INET || len < (socklen_t)sizeof peer)
        return MHD_NO;
    memcpy(&peer, address, sizeof peer);
    return peer_user(&peer, &server->address, &user) == 0 &&
                   server->settings.admit(server->settings.owner, user)
               ? MHD_YES
               : MHD_NO;
}

/* ---- opening and closing ---- */

/* A socket that listens; sets server->address. -1 with err. */
static int listen_on(struct http_server *server, uint16_t port, struct err *err)
{
    struct sockaddr_in *address = &server->address;
    socklen_t len = sizeof *address;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    *address = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd >= 0 && (!port || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0) &&
        bind(fd, (struct sockaddr *)address, len) == 0 && listen(fd, HTTP_SERVER_BACKLOG) == 0 &&
        getsockname(fd, (struct sockaddr *)address, &len) == 0)
        return fd;
    err_sys(err, "listen on 127.0.0.1:%u", (unsigned)port);
    if (fd >= 0)
        close(fd);
    return -1;
}

static int start(struct http_server *server, int fd, struct err *err)
{
    const struct http_library *library = server->library;
    server->daemon = library->start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, admit, server, handle, server,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)HTTP_SERVER_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, 0U,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_SERVER_BUFFER, MHD_OPTION_NOTIFY_COMPLETED,
        completed, server, MHD_OPTION_NOTIFY_CONNECTION, connected, server, MHD_OPTION_END);
    if (!server->daemon) {
        close(fd);
        return err_sys(err, "start a server");
    }
    const union MHD_DaemonInfo *info =
        library->get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    server->watch.ready = has_events;
    server->timer.fire = is_due;
    server->again.run = has_more;
    if (!info || loop_fd_add(server->loop, &server->watch, info->epoll_fd, EPOLLIN) < 0) {
        library->stop_daemon(server->daemon);
        return err_sys(err, "watch a server");
    }
    return 0;
}

int http_server_load(struct err *err)
{
    return http_library(err) ? 0 : -1;
}

struct http_server *http_server_open(struct loop *loop, const struct http_server_settings *settings,
                                     struct err *err)
{
    const struct http_library *library = http_library(err);
    if (!library)
        return NULL;
    struct http_server *server = mem_zalloc(sizeof *server);
    server->loop = loop;
    server->settings = *settings;
    server->connections = (struct http_connections){
        .loop = loop,
        .most = HTTP_SERVER_CONNECTIONS,
        .patience = settings->patience ? settings->patience : HTTP_SERVER_PATIENCE,
    };
    server->library = library;
    int fd = listen_on(server, settings->port, err);
    if (fd >= 0 && start(server, fd, err) == 0)
        return server;
    free(server);
    return NULL;
}

uint16_t http_server_port(const struct http_server *server)
{
    return ntohs(server->address.sin_port);
}

void http_server_close(struct http_server *server)
{
    if (!server)
        return;
    server->closing = true;
    while (server->waiting.first) { /* the library must not be stopped with any suspended */
        server->waiting.first->lost = true;
        stop_waiting(server->waiting.first);
    }
    loop_fd_remove(server->loop, &server->watch);
    loop_timer_clear(server->loop, &server->timer);
    loop_undefer(server->loop, &server->again);
    server->library->stop_daemon(server->daemon);
    free(server);
}
