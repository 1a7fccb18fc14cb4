/* http_multi.c: transfers of libcurl in our loop (its multi_socket interface). */
#include "fn/http_multi.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"

#include <errno.h>
#include <stdlib.h>

struct http_multi {
    const struct http_curl *curl;
    CURLM *handle;
    CURLSH *share; /* sessions of TLS, which libcurl keeps with each easy handle otherwise */
    struct loop *loop;
    struct loop_timer timer;
    struct {
        struct socket *first, *last;
    } sockets; /* all that are watched */
    struct {
        struct http_transfer *first, *last;
    } transfers;           /* all that are under way */
    struct loop_task lost; /* ends those that cannot be watched */
};

struct socket {
    struct loop_fd watch;
    struct http_multi *multi;
    struct socket *next, *prev;
};

static void end(struct http_multi *multi, struct http_transfer *transfer)
{
    multi->curl->multi_remove_handle(multi->handle, transfer->easy);
    LIST_REMOVE(&multi->transfers, transfer);
    transfer->active = false;
}

static struct http_transfer *transfer_of(struct http_multi *multi, CURL *easy)
{
    char *private = NULL;
    multi->curl->easy_getinfo(easy, CURLINFO_PRIVATE, &private);
    return (struct http_transfer *)(void *)private;
}

/* Tell of all transfers that have ended. What is told may start and drop others: libcurl forgets
 * the messages of a handle that is removed. */
static void tell(struct http_multi *multi)
{
    int left;
    for (CURLMsg *message; (message = multi->curl->multi_info_read(multi->handle, &left));) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode result = message->data.result; /* it is gone with its handle */
        struct http_transfer *transfer = transfer_of(multi, message->easy_handle);
        end(multi, transfer);
        transfer->ended(transfer, result);
    }
}

static void act(struct http_multi *multi, curl_socket_t fd, int events)
{
    int running;
    multi->curl->multi_socket_action(multi->handle, fd, events, &running);
    tell(multi);
}

static void timer_fired(struct loop_timer *timer)
{
    act(CONTAINER_OF(timer, struct http_multi, timer), CURL_SOCKET_TIMEOUT, 0);
}

static void socket_ready(struct loop_fd *watch, uint32_t events)
{
    struct socket *socket = CONTAINER_OF(watch, struct socket, watch);
    int seen = (events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
               (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (events & EPOLLERR ? CURL_CSELECT_ERR : 0);
    act(socket->multi, watch->fd, seen);
}

static void forget(struct http_multi *multi, struct socket *socket)
{
    loop_fd_remove(multi->loop, &socket->watch);
    LIST_REMOVE(&multi->sockets, socket);
    free(socket);
}

/* The kernel watches no more: libcurl could only fail all transfers. */
static void lose(struct http_multi *multi, CURL *easy)
{
    struct http_transfer *transfer = transfer_of(multi, easy);
    if (!transfer)
        return;
    transfer->lost = true;
    loop_defer(multi->loop, &multi->lost);
}

static void end_lost(struct loop_task *task)
{
    struct http_multi *multi = CONTAINER_OF(task, struct http_multi, lost);
    struct http_transfer *transfer = multi->transfers.first;
    while (transfer && !transfer->lost)
        transfer = transfer->next;
    if (!transfer)
        return;
    loop_defer(multi->loop, &multi->lost); /* there may be others */
    end(multi, transfer);
    transfer->ended(transfer, CURLE_ABORTED_BY_CALLBACK);
}

/* CURLMOPT_SOCKETFUNCTION. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *owner, void *assigned)
{
    struct http_multi *multi = owner;
    struct socket *socket = assigned;
    if (what == CURL_POLL_REMOVE) {
        if (socket)
            forget(multi, socket);
        return 0;
    }
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
    if (socket) {
        if (loop_fd_change(multi->loop, &socket->watch, events) < 0)
            lose(multi, easy);
        return 0;
    }
    socket = mem_zalloc(sizeof *socket);
    socket->multi = multi;
    socket->watch.ready = socket_ready;
    LIST_APPEND(&multi->sockets, socket);
    multi->curl->multi_assign(multi->handle, fd, socket);
    if (loop_fd_add(multi->loop, &socket->watch, fd, events) < 0)
        lose(multi, easy);
    return 0;
}

/* CURLMOPT_TIMERFUNCTION; it must not act at once. */
static int set_timer(CURLM *handle, long milliseconds, void *owner)
{
    struct http_multi *multi = owner;
    (void)handle;
    if (milliseconds < 0)
        loop_timer_clear(multi->loop, &multi->timer);
    else
        loop_timer_set(multi->loop, &multi->timer,
                       clock_now() + milliseconds * (NUM_SECOND / 1000));
    return 0;
}

struct http_multi *http_multi_new(const struct http_curl *curl, struct loop *loop,
                                  unsigned connections, struct err *err)
{
    CURLM *handle = curl->multi_init();
    if (!handle) {
        err_set(err, ERR_NOT_USABLE, "libcurl cannot be used");
        return NULL;
    }
    struct http_multi *multi = mem_zalloc(sizeof *multi);
    *multi = (struct http_multi){
        .curl = curl,
        .handle = handle,
        .share = curl->share_init(), /* NULL does without */
        .loop = loop,
        .timer.fire = timer_fired,
        .lost.run = end_lost,
    };
    curl->share_setopt(multi->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl->multi_setopt(handle, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl->multi_setopt(handle, CURLMOPT_SOCKETDATA, multi);
    curl->multi_setopt(handle, CURLMOPT_TIMERFUNCTION, set_timer);
    curl->multi_setopt(handle, CURLMOPT_TIMERDATA, multi);
    curl->multi_setopt(handle, CURLMOPT_MAXCONNECTS, (long)connections);
    /* one call a connection, so that to end one leaves the others alone */
    curl->multi_setopt(handle, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    return multi;
}

void http_multi_free(struct http_multi *multi)
{
    if (!multi)
        return;
    multi->curl->multi_cleanup(multi->handle);
    multi->curl->share_cleanup(multi->share);
    while (multi->sockets.first)
        forget(multi, multi->sockets.first);
    loop_timer_clear(multi->loop, &multi->timer);
    loop_undefer(multi->loop, &multi->lost);
    free(multi);
}

int http_multi_start(struct http_multi *multi, struct http_transfer *transfer, struct err *err)
{
    multi->curl->easy_setopt(transfer->easy, CURLOPT_PRIVATE, (void *)transfer);
    multi->curl->easy_setopt(transfer->easy, CURLOPT_SHARE, multi->share);
    CURLMcode code = multi->curl->multi_add_handle(multi->handle, transfer->easy);
    if (code)
        return err_set(err, ERR_SYSTEM, "libcurl: %s", multi->curl->multi_strerror(code));
    transfer->active = true;
    transfer->lost = false;
    LIST_APPEND(&multi->transfers, transfer);
    return 0;
}

void http_multi_drop(struct http_multi *multi, struct http_transfer *transfer)
{
    if (transfer->active)
        end(multi, transfer);
}
