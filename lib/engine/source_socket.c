/* source_socket.c: requests from a socket as events, each answered with what has become of it. */
#include "engine/source_socket.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "engine/latency.h"
#include "engine/socket_client.h"
#include "engine/warm_name.h"
#include "sys/unix_socket.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define ACCEPT_PAUSE (NUM_SECOND / 10) /* without descriptors for another client */
enum { ACCEPT_TURN = 64 };             /* clients taken before others are looked at */

struct source_socket {
    struct source source; /* first */
    struct loop *loop;
    struct source_socket_settings settings;
    struct warm_name *name;
    char *title; /* of the source */
    struct loop_fd listener;
    struct loop_timer accept_again, enough;
    struct {
        struct socket_client *first, *last;
    } clients;
    struct {
        struct socket_turn *first, *last;
    } turns;
    size_t client_count;
    struct socket_requests begun;
    size_t waiting, waiting_bytes; /* of clients that have a turn */
    uint64_t number;
    int64_t since;      /* clock_wall */
    bool full;          /* too many bytes wait: nothing is read */
    bool is_warm;       /* the pool is ready */
    bool stopped, over; /* nothing more is asked; nothing more is handed out */
    bool hasty;         /* clients have had their time to read */
    uint64_t done, failed, dropped, refused, cold;
    int64_t latencies[SOURCE_SOCKET_LATENCIES];
    uint64_t measured;
};

static struct source_socket *of(struct source *source)
{
    return (struct source_socket *)(void *)source;
}

static struct socket_request *request_of(uint64_t token)
{
    return (struct socket_request *)(uintptr_t)token;
}

/* ---- whose turn it is ---- */

static void wake(struct source_socket *own)
{
    own->source.ready(own->source.owner);
}

static void pause_clients(struct source_socket *own, bool pause)
{
    own->full = pause;
    for (struct socket_client *client = own->clients.first; client; client = client->next)
        socket_client_pause(client, pause);
}

/* Who does not read its answers has none made for it; and does not fill the queue of others. */
static bool has_work(const struct socket_client *client)
{
    return client->waiting.count && client->unread <= SOCKET_CLIENT_UNREAD;
}

static void count_again(struct source_socket *own, struct socket_client *client, bool counts)
{
    own->waiting -= client->counted;
    own->waiting_bytes -= client->counted_bytes;
    client->counted = counts ? client->waiting.count : 0;
    client->counted_bytes = counts ? client->waiting_bytes : 0;
    own->waiting += client->counted;
    own->waiting_bytes += client->counted_bytes;
    bool full = own->waiting_bytes > SOURCE_SOCKET_BYTES;
    if (full != own->full)
        pause_clients(own, full);
}

static void set_turn(struct source_socket *own, struct socket_client *client, bool has_turn)
{
    count_again(own, client, has_turn);
    if (has_turn == client->has_turn)
        return;
    client->has_turn = has_turn;
    if (has_turn)
        LIST_APPEND(&own->turns, &client->turn);
    else
        LIST_REMOVE(&own->turns, &client->turn);
}

static bool busy(struct source *source)
{
    struct source_socket *own = of(source);
    for (struct socket_client *client = own->clients.first; client && !own->hasty;
         client = client->next) {
        if (socket_client_is_busy(client))
            return true;
    }
    return false;
}

/* ---- what clients say ---- */

static void refuse(struct source_socket *own, struct socket_request *request,
                   enum failure_reason reason, const char *text)
{
    own->refused++;
    socket_request_fail(request, failure_new(reason, FAILURE_TEMPORARY, "%s", text));
}

static void refuse_full(struct source_socket *own, struct socket_request *request)
{
    own->refused++;
    socket_request_fail(request, failure_new(FAILURE_POOL_FULL, FAILURE_TEMPORARY,
                                             "%zu requests wait for the pool (--queue)",
                                             own->settings.most));
}

static void asked(void *owner, struct socket_request *request)
{
    struct source_socket *own = owner;
    if (own->stopped) {
        refuse(own, request, FAILURE_CONNECTION, "the pool is being ended");
        return;
    }
    if (own->waiting >= own->settings.most ||
        request->client->waiting.count >= own->settings.most) {
        refuse_full(own, request);
        return;
    }
    socket_client_wait(request);
    wake(own);
}

static void changed(void *owner, struct socket_client *client)
{
    struct source_socket *own = owner;
    bool had_turn = client->has_turn;
    set_turn(own, client, has_work(client));
    if ((client->has_turn && !had_turn) || (own->over && !busy(&own->source)))
        wake(own);
}

static void tell_status(struct source_socket *own, struct socket_client *client, uint64_t id)
{
    char since[CLOCK_TEXT];
    struct latency latency = {.samples = own->latencies,
                              .count = own->measured < SOURCE_SOCKET_LATENCIES
                                           ? (size_t)own->measured
                                           : SOURCE_SOCKET_LATENCIES};
    struct buf text = {0};
    buf_puts(&text, "{\"pool\":");
    buf_add_json(&text, str_of(own->settings.pool));
    buf_addf(&text, ",\"alive\":true,\"pid\":%ld,\"since\":\"%s\"", (long)getpid(),
             clock_format(own->since, since));
    own->settings.describe(own->settings.owner, &text);
    buf_addf(&text,
             ",\"ready\":%s,\"clients\":%zu,\"waiting\":%zu,\"in_flight\":%zu,\"done\":%" PRIu64
             ",\"failed\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"refused\":%" PRIu64
             ",\"cold\":%" PRIu64,
             own->is_warm ? "true" : "false", own->client_count - 1, own->waiting, own->begun.count,
             own->done, own->failed, own->dropped, own->refused, own->cold);
    buf_puts(&text, ",\"latency\":");
    int64_t *copy = mem_array(latency.count + 1, sizeof *copy); /* percentiles sort them */
    memcpy(copy, own->latencies, latency.count * sizeof *copy);
    latency.samples = copy;
    latency_json(&latency, &text);
    free(copy);
    buf_puts(&text, "}\n");
    socket_client_tell(client, id, buf_str(&text));
    buf_free(&text);
}

static void tell_ready(struct socket_client *client, uint64_t id)
{
    client->asks_ready = false;
    socket_client_tell(client, id, STR("{\"ready\":true}\n"));
}

static void told(void *owner, struct socket_client *client, const struct warm_frame *frame)
{
    struct source_socket *own = owner;
    switch (frame->type) {
    case WARM_STATUS:
        tell_status(own, client, frame->id);
        break;
    case WARM_READY:
        client->asks_ready = true;
        client->ready_id = frame->id;
        if (own->is_warm)
            tell_ready(client, frame->id);
        break;
    case WARM_STOP:
        socket_client_tell(client, frame->id, STR("{\"stopping\":true}\n"));
        own->settings.stop(own->settings.owner);
        break;
    default:
        break;
    }
}

void source_socket_ready(struct source_socket *own)
{
    own->is_warm = true;
    for (struct socket_client *client = own->clients.first; client; client = client->next) {
        if (client->asks_ready)
            tell_ready(client, client->ready_id);
    }
}

static void dropped(void *owner, size_t count)
{
    struct source_socket *own = owner;
    own->dropped += count;
}

static void left(void *owner, struct socket_client *client)
{
    struct source_socket *own = owner;
    set_turn(own, client, false);
    LIST_REMOVE(&own->clients, client);
    own->client_count--;
    for (struct socket_request *request = own->begun.first; request; request = request->next) {
        if (request->client == client)
            request->client = NULL;
    }
    if (own->over)
        wake(own);
}

/* ---- connections ---- */

static const struct socket_client_calls calls = {asked, changed, told, dropped, left};

static bool is_trusted(struct source_socket *own, int fd)
{
    struct unix_peer peer;
    struct buf text = {0};
    if (unix_socket_peer(fd, &peer) == 0 && unix_peer_is_trusted(&peer))
        return true;
    buf_addf(&text, "%s: refused a client of user %ld", own->settings.pool, (long)peer.uid);
    own->settings.warn(own->settings.owner, buf_cstr(&text));
    buf_free(&text);
    return false;
}

static void take_client(struct source_socket *own, int fd)
{
    struct err err;
    if (!is_trusted(own, fd)) {
        close(fd);
        return;
    }
    struct socket_client *client = socket_client_new(own->loop, fd, own->settings.max_event,
                                                     own->settings.most, &calls, own, &err);
    if (!client) {
        own->settings.warn(own->settings.owner, err.text);
        return;
    }
    LIST_APPEND(&own->clients, client);
    own->client_count++;
    if (own->full)
        socket_client_pause(client, true);
}

static void accept_again(struct loop_timer *timer)
{
    struct source_socket *own = CONTAINER_OF(timer, struct source_socket, accept_again);
    if (own->listener.active)
        loop_fd_change(own->loop, &own->listener, EPOLLIN);
}

static void accept_clients(struct loop_fd *watch, uint32_t events)
{
    struct source_socket *own = CONTAINER_OF(watch, struct source_socket, listener);
    (void)events;
    for (int i = 0; i < ACCEPT_TURN; i++) {
        int fd = unix_socket_accept(watch->fd);
        if (fd >= 0) {
            take_client(own, fd);
            continue;
        }
        if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
            return;
        loop_fd_change(own->loop, watch, 0); /* EMFILE and the like: they wait in the kernel */
        loop_timer_set(own->loop, &own->accept_again, loop_now(own->loop) + ACCEPT_PAUSE);
        return;
    }
}

static void stop_listening(struct source_socket *own)
{
    loop_timer_clear(own->loop, &own->accept_again);
    if (!own->listener.active)
        return;
    warm_name_hide(own->name);
    int fd = own->listener.fd;
    loop_fd_remove(own->loop, &own->listener);
    close(fd);
}

/* ---- events and outcomes ---- */

static void end_request(struct source_socket *own, struct socket_request *request)
{
    own->latencies[own->measured++ % SOURCE_SOCKET_LATENCIES] = loop_now(own->loop) - request->came;
    *(request->failed ? &own->failed : &own->done) += 1;
    socket_request_end(request);
}

/* What nobody has begun, and nobody will. */
static void refuse_waiting(struct source_socket *own)
{
    for (struct socket_client *client = own->clients.first; client; client = client->next) {
        while (client->waiting.first)
            refuse(own, socket_client_take(client), FAILURE_CONNECTION,
                   "the pool was ended before it was begun");
        set_turn(own, client, false);
    }
}

static enum source_status end_events(struct source_socket *own)
{
    if (!own->over) {
        own->over = true;
        refuse_waiting(own);
    }
    return SOURCE_END;
}

/* The oldest request of the client whose turn it is. NULL: nobody waits. */
static struct socket_request *next_request(struct source_socket *own)
{
    while (own->turns.first) {
        struct socket_client *client = CONTAINER_OF(own->turns.first, struct socket_client, turn);
        struct socket_request *request = socket_client_take(client);
        set_turn(own, client, false);
        set_turn(own, client, has_work(client)); /* behind the others */
        if (!request->deadline || clock_now() < request->deadline)
            return request;
        own->dropped++;
        socket_request_fail(request, failure_new(FAILURE_TIMEOUT, FAILURE_ORDINARY,
                                                 "its time was over before it was begun"));
    }
    return NULL;
}

static enum source_status next(struct source *source, struct source_event *event, struct err *err)
{
    struct source_socket *own = of(source);
    (void)err;
    struct socket_request *request = next_request(own);
    if (!request)
        return own->stopped ? end_events(own) : SOURCE_LATER;
    LIST_APPEND(&own->begun, request);
    own->begun.count++;
    *event = (struct source_event){
        .bytes = slice_hold(request->event),
        .number = ++own->number,
        .length = request->event.len,
        .token = (uintptr_t)request,
        .asks = true,
    };
    return SOURCE_EVENT;
}

static void answer(struct source *source, uint64_t token, struct slice lines, size_t count)
{
    (void)source;
    socket_request_answer(request_of(token), lines, count);
}

static void refuse_event(struct source *source, uint64_t token, const struct failure *failure)
{
    (void)source;
    socket_request_refuse(request_of(token), failure);
}

/* It is not the event that failed. */
static bool keeps(struct source *source, uint64_t token, const struct failure *failure)
{
    (void)source;
    (void)token;
    return failure->reason == FAILURE_INTERRUPTED || failure->reason == FAILURE_HALTED;
}

static void outcome(struct source *source, uint64_t token, enum source_outcome outcome)
{
    struct source_socket *own = of(source);
    struct socket_request *request = request_of(token);
    LIST_REMOVE(&own->begun, request);
    own->begun.count--;
    if (!request->client)
        own->dropped++;
    if (outcome == SOURCE_RELEASED)
        refuse(own, request, FAILURE_CONNECTION, "the pool was ended before it had answered");
    else
        end_request(own, request);
}

static void identify(struct source *source, uint64_t token, struct buf *id)
{
    (void)source;
    buf_add_str(id, source_socket_id(token, NULL));
}

struct str source_socket_id(uint64_t token, struct str *scope)
{
    const struct socket_request *request = request_of(token);
    struct str text = buf_str(&request->text);
    if (scope)
        *scope = (struct str){text.data + request->id_len, text.len - request->id_len};
    return (struct str){text.data, request->id_len};
}

void source_socket_note(struct source_socket *own, uint64_t token, int64_t init)
{
    request_of(token)->init = init;
    own->cold += init > 0;
}

/* ---- the source ---- */

static void waited_enough(struct loop_timer *timer)
{
    struct source_socket *own = CONTAINER_OF(timer, struct source_socket, enough);
    own->hasty = true;
    wake(own);
}

static void stop(struct source *source)
{
    struct source_socket *own = of(source);
    own->stopped = true;
    stop_listening(own);
    loop_timer_set(own->loop, &own->enough, loop_now(own->loop) + own->settings.grace + NUM_SECOND);
}

static void free_source(struct source *source)
{
    struct source_socket *own = of(source);
    stop_listening(own);
    loop_timer_clear(own->loop, &own->enough);
    for (struct socket_request *request; (request = own->begun.first);) {
        LIST_REMOVE(&own->begun, request);
        request->client = NULL; /* the run ended badly: its client sees the end */
        socket_request_end(request);
    }
    for (struct socket_client *client; (client = own->clients.first);) {
        LIST_REMOVE(&own->clients, client);
        socket_client_free(client);
    }
    warm_name_free(own->name);
    free(own->title);
    free(own);
}

struct source *source_socket_source(struct source_socket *own)
{
    return &own->source;
}

struct source_socket *source_socket_new(struct loop *loop, struct home *home,
                                        const struct source_socket_settings *settings,
                                        struct err *err)
{
    int fd = -1;
    struct buf title = {0};
    struct warm_name *name = warm_name_take(home, settings->pool, &fd, err);
    if (!name)
        return NULL;
    struct source_socket *own = mem_zalloc(sizeof *own);
    *own = (struct source_socket){.loop = loop,
                                  .settings = *settings,
                                  .name = name,
                                  .since = clock_wall(),
                                  .listener.ready = accept_clients,
                                  .accept_again.fire = accept_again,
                                  .enough.fire = waited_enough};
    buf_addf(&title, "warm:%s", settings->pool);
    own->title = buf_take(&title);
    own->source = (struct source){.name = own->title,
                                  .releases = true,
                                  .drains = true,
                                  .next = next,
                                  .outcome = outcome,
                                  .stop = stop,
                                  .free = free_source,
                                  .busy = busy,
                                  .keeps = keeps,
                                  .answer = answer,
                                  .refuse = refuse_event,
                                  .identify = identify};
    if (loop_fd_add(loop, &own->listener, fd, EPOLLIN) == 0)
        return own;
    err_sys(err, "watch the socket of the pool %s", settings->pool);
    close(fd);
    free_source(&own->source);
    return NULL;
}
