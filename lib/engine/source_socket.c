/* source_socket.c: requests from a socket as events, each answered with what has become of it. */
#include "engine/source_socket.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "engine/socket_client.h"
#include "engine/socket_counts.h"
#include "engine/socket_door.h"
#include "engine/socket_turns.h"

#include <stdlib.h>
#include <unistd.h>

struct source_socket {
    struct source source; /* first */
    struct loop *loop;
    struct source_socket_settings settings;
    struct socket_door door;
    char *title; /* of the source */
    struct loop_timer enough;
    struct {
        struct socket_client *first, *last;
    } clients;
    size_t client_count;
    struct socket_turns turns;
    struct socket_requests begun;
    struct socket_counts counts;
    uint64_t number;
    int64_t since;      /* clock_wall */
    bool full;          /* too many bytes wait: nothing is read */
    bool is_warm;       /* the pool is ready */
    bool stopped, over; /* nothing more is asked; nothing more is handed out */
    bool hasty;         /* clients have had their time to read */
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

static void check_full(struct source_socket *own)
{
    bool full = own->turns.bytes > SOURCE_SOCKET_BYTES;
    if (full != own->full)
        pause_clients(own, full);
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

/* The failure is taken over. */
static void refuse(struct source_socket *own, struct socket_request *request,
                   struct failure *failure)
{
    own->counts.refused += !request->ping;
    socket_request_fail(request, failure);
}

static struct failure *is_ended(const char *text)
{
    return failure_new(FAILURE_CONNECTION, FAILURE_TEMPORARY, "%s", text);
}

/* Do too many wait? Also of a client that has no turn. */
static bool is_full(const struct source_socket *own, const struct socket_client *client)
{
    size_t most = own->settings.most;
    return own->turns.waiting - own->turns.ahead >= most ||
           client->waiting.count - client->waiting_ahead >= most;
}

static void asked(void *owner, struct socket_request *request)
{
    struct source_socket *own = owner;
    own->counts.pings += request->ping;
    if (own->stopped) {
        refuse(own, request, is_ended("the pool is being ended"));
    } else if (!request->ahead && is_full(own, request->client)) {
        refuse(own, request,
               failure_new(FAILURE_POOL_FULL, FAILURE_TEMPORARY,
                           "%zu requests wait for the pool (--queue)", own->settings.most));
    } else {
        socket_client_wait(request);
        wake(own);
    }
}

static void changed(void *owner, struct socket_client *client)
{
    struct source_socket *own = owner;
    bool has_turn = socket_turns_look(&own->turns, client);
    check_full(own);
    if (has_turn || (own->over && !busy(&own->source)))
        wake(own);
}

static void tell_status(struct source_socket *own, struct socket_client *client, uint64_t id)
{
    char since[CLOCK_TEXT];
    struct buf text = {0};
    buf_puts(&text, "{\"pool\":");
    buf_add_json(&text, str_of(own->settings.pool));
    buf_addf(&text, ",\"alive\":true,\"pid\":%ld,\"since\":\"%s\"", (long)getpid(),
             clock_format(own->since, since));
    own->settings.describe(own->settings.owner, &text);
    buf_addf(&text, ",\"ready\":%s,\"clients\":%zu,\"waiting\":%zu,\"in_flight\":%zu",
             own->is_warm ? "true" : "false", own->client_count - 1, own->turns.waiting,
             own->begun.count);
    socket_counts_describe(&own->counts, &text);
    buf_puts(&text, "}\n");
    socket_client_tell(client, id, buf_str(&text));
    buf_free(&text);
}

static void told(void *owner, struct socket_client *client, const struct warm_frame *frame)
{
    struct source_socket *own = owner;
    if (frame->type == WARM_STATUS) {
        tell_status(own, client, frame->id);
    } else if (frame->type == WARM_STOP) {
        socket_client_tell(client, frame->id, STR("{\"stopping\":true}\n"));
        own->settings.stop(own->settings.owner);
    }
}

void source_socket_ready(struct source_socket *own)
{
    own->is_warm = true;
}

static void dropped(void *owner, const struct socket_request *request)
{
    struct source_socket *own = owner;
    own->counts.dropped += !request->ping;
}

static void left(void *owner, struct socket_client *client)
{
    struct source_socket *own = owner;
    socket_turns_leave(&own->turns, client);
    check_full(own);
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

static void came(void *owner, int fd)
{
    struct source_socket *own = owner;
    struct err err;
    struct warm_frame hello = {.type = WARM_HELLO,
                               .values = {(int64_t)own->settings.most, own->settings.workers}};
    struct socket_client *client =
        socket_client_new(own->loop, fd, own->settings.max_event, &hello, &calls, own, &err);
    if (!client) {
        own->settings.warn(own->settings.owner, err.text);
        return;
    }
    LIST_APPEND(&own->clients, client);
    own->client_count++;
    if (own->full)
        socket_client_pause(client, true);
}

/* ---- events and outcomes ---- */

static void end_request(struct source_socket *own, struct socket_request *request)
{
    if (!request->ping)
        socket_counts_end(&own->counts, request->failed, loop_now(own->loop) - request->came);
    socket_request_end(request);
}

/* What nobody has begun, and nobody will. */
static void refuse_waiting(struct source_socket *own)
{
    for (struct socket_client *client = own->clients.first; client; client = client->next) {
        while (client->waiting.first)
            refuse(own, socket_client_take(client),
                   is_ended("the pool was ended before it was begun"));
        socket_turns_leave(&own->turns, client);
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

/* The next one for which somebody still waits. NULL: there is none. */
static struct socket_request *next_request(struct source_socket *own)
{
    struct socket_request *request;
    while ((request = socket_turns_next(&own->turns))) {
        check_full(own);
        if (!request->deadline || clock_now() < request->deadline)
            break;
        dropped(own, request);
        socket_request_fail(request, failure_new(FAILURE_TIMEOUT, FAILURE_ORDINARY,
                                                 "its time was over before it was begun"));
    }
    return request;
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
        .made = request->ping,
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
    if (!request->client) {
        dropped(own, request);
        socket_request_end(request);
    } else if (outcome == SOURCE_RELEASED) {
        refuse(own, request, is_ended("the pool was ended before it had answered"));
    } else {
        end_request(own, request);
    }
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
    struct socket_request *request = request_of(token);
    request->init = init;
    own->counts.cold += !request->ping;
}

bool source_socket_is_ping(uint64_t token)
{
    return request_of(token)->ping;
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
    socket_door_shut(&own->door);
    loop_timer_set(own->loop, &own->enough, loop_now(own->loop) + own->settings.grace + NUM_SECOND);
}

static void free_source(struct source *source)
{
    struct source_socket *own = of(source);
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
    socket_door_free(&own->door);
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
    struct buf title = {0};
    struct source_socket *own = mem_zalloc(sizeof *own);
    *own = (struct source_socket){.loop = loop,
                                  .settings = *settings,
                                  .since = clock_wall(),
                                  .door = {.loop = loop,
                                           .came = came,
                                           .owner = own,
                                           .warn = settings->warn,
                                           .warned = settings->owner},
                                  .enough.fire = waited_enough};
    buf_addf(&title, "warm:%s", settings->pool);
    own->title = buf_take(&title);
    own->source = (struct source){.name = own->title,
                                  .makes = "pings",
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
    if (socket_door_open(&own->door, home, settings->pool, err) == 0)
        return own;
    free_source(&own->source);
    return NULL;
}
