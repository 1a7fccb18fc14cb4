/* socket_client.c: one client of a warm pool, seen from its supervisor. */
#include "engine/socket_client.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "engine/deadletter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void append(struct socket_requests *list, struct socket_request *request)
{
    LIST_APPEND(list, request);
    list->count++;
}

static void take_off(struct socket_requests *list, struct socket_request *request)
{
    LIST_REMOVE(list, request);
    list->count--;
}

static void free_request(struct socket_request *request)
{
    slice_drop(&request->event);
    slice_drop(&request->lines);
    buf_free(&request->text);
    free(request);
}

/* ---- the client goes ---- */

static void close_connection(struct socket_client *client)
{
    loop_undefer(client->loop, &client->flush);
    loop_undefer(client->loop, &client->leave);
    stream_close(&client->out, 0);
    int fd = client->in.fd;
    loop_fd_remove(client->loop, &client->in);
    close(fd);
    warm_reader_free(&client->reader);
}

void socket_client_free(struct socket_client *client)
{
    close_connection(client);
    while (client->waiting.first)
        free_request(socket_client_take(client));
    while (client->answered.first) {
        struct socket_request *request = client->answered.first;
        take_off(&client->answered, request);
        free_request(request);
    }
    free(client);
}

static void left(struct loop_task *task)
{
    struct socket_client *client = CONTAINER_OF(task, struct socket_client, leave);
    for (const struct socket_request *request = client->waiting.first; request;
         request = request->next)
        client->calls->dropped(client->owner, request);
    client->calls->left(client->owner, client);
    socket_client_free(client);
}

/* Not from here: whoever called may still hold it. */
static void leave(struct socket_client *client)
{
    if (client->gone)
        return;
    client->gone = true;
    loop_fd_change(client->loop, &client->in, 0);
    loop_defer(client->loop, &client->leave);
}

/* ---- reading or not ---- */

static bool is_read(const struct socket_client *client)
{
    return !client->paused && !client->deaf;
}

static void hold(struct socket_client *client, bool paused, bool deaf)
{
    bool was_read = is_read(client);
    client->paused = paused;
    client->deaf = deaf;
    if (!client->gone && is_read(client) != was_read)
        loop_fd_change(client->loop, &client->in, was_read ? EPOLLRDHUP : EPOLLIN);
}

static void count_unread(struct socket_client *client)
{
    bool deaf = client->unread > SOCKET_CLIENT_UNREAD ||
                stream_pending(&client->out) > SOCKET_CLIENT_UNREAD;
    hold(client, client->paused, deaf);
}

/* ---- answers ---- */

static struct str answer_head(struct socket_client *client, struct socket_request *request)
{
    struct str lines = slice_str(request->lines);
    struct warm_frame frame = {
        .type = request->failed ? WARM_FAILURE : WARM_ANSWER, .id = request->id, .parts = {lines}};
    if (request->failed) {
        frame.values[0] = request->class;
        frame.values[1] = request->retry_after;
        frame.values[2] = request->init;
    } else {
        frame.values[0] = (int64_t)request->count;
        frame.values[1] = request->init;
    }
    if (!request->begun)
        warm_send_head(&client->out, &frame);
    request->begun = true;
    return (struct str){lines.data + request->sent, lines.len - request->sent};
}

/* Answers go into the stream as far as it takes them. */
static void write_answers(struct socket_client *client)
{
    struct socket_request *request;
    while (!client->gone && (request = client->answered.first) &&
           stream_pending(&client->out) < SOCKET_CLIENT_OUTPUT) {
        struct str rest = answer_head(client, request);
        if (rest.len > SOCKET_CLIENT_OUTPUT)
            rest.len = SOCKET_CLIENT_OUTPUT;
        if (rest.len)
            stream_add(&client->out, rest);
        request->sent += rest.len;
        client->unread -= rest.len;
        if (request->sent < request->lines.len)
            continue;
        client->unread -= WARM_HEAD;
        take_off(&client->answered, request);
        free_request(request);
    }
}

static void flush(struct loop_task *task)
{
    struct socket_client *client = CONTAINER_OF(task, struct socket_client, flush);
    write_answers(client);
    stream_flush(&client->out);
    count_unread(client);
    client->calls->changed(client->owner, client);
}

static void written(struct stream_out *out)
{
    struct socket_client *client = CONTAINER_OF(out, struct socket_client, out);
    if (out->error)
        leave(client);
    else
        flush(&client->flush);
}

bool socket_client_is_busy(const struct socket_client *client)
{
    return !client->gone && (client->answered.first || stream_pending(&client->out));
}

void socket_request_end(struct socket_request *request)
{
    struct socket_client *client = request->client;
    if (!client || client->gone) {
        free_request(request);
        return;
    }
    slice_drop(&request->event);
    append(&client->answered, request);
    client->unread += WARM_HEAD + request->lines.len;
    count_unread(client);
    loop_defer(client->loop, &client->flush);
}

void socket_request_answer(struct socket_request *request, struct slice lines, size_t count)
{
    slice_drop(&request->lines);
    request->lines = lines;
    request->count = count;
}

void socket_request_refuse(struct socket_request *request, const struct failure *failure)
{
    struct buf object = {0};
    buf_addc(&object, '{');
    deadletter_failure(&object, failure);
    buf_addc(&object, '}');
    slice_drop(&request->lines);
    size_t len = object.len;
    request->lines = slice_take(buf_take(&object), len);
    request->failed = true;
    request->class = failure->class;
    request->retry_after = failure->retry_after;
}

void socket_request_fail(struct socket_request *request, struct failure *failure)
{
    failure->last_at = failure->first_at = clock_wall();
    socket_request_refuse(request, failure);
    failure_free(failure);
    socket_request_end(request);
}

void socket_client_tell(struct socket_client *client, uint64_t id, struct str line)
{
    warm_send(&client->out, &(struct warm_frame){.type = WARM_TEXT, .id = id, .parts = {line}});
    count_unread(client);
    loop_defer(client->loop, &client->flush);
}

/* ---- requests ---- */

void socket_client_wait(struct socket_request *request)
{
    struct socket_client *client = request->client;
    append(&client->waiting, request);
    client->waiting_bytes += request->event.len;
    client->waiting_ahead += request->ahead;
    client->calls->changed(client->owner, client);
}

static void stop_waiting(struct socket_request *request)
{
    struct socket_client *client = request->client;
    take_off(&client->waiting, request);
    client->waiting_bytes -= request->event.len;
    client->waiting_ahead -= request->ahead;
}

struct socket_request *socket_client_take(struct socket_client *client)
{
    struct socket_request *request = client->waiting.first;
    stop_waiting(request);
    return request;
}

static void ask(struct socket_client *client, const struct warm_frame *frame)
{
    struct socket_request *request = mem_zalloc(sizeof *request);
    size_t max_event = client->reader.limit - WARM_SLACK;
    request->client = client;
    request->id = frame->id;
    request->came = loop_now(client->loop);
    request->deadline = frame->values[0];
    request->ping = frame->values[2];
    request->ahead = frame->values[3] && client->waiting_ahead < WARM_AHEAD;
    request->id_len = frame->parts[1].len;
    if (frame->too_large || frame->parts[0].len > max_event) {
        char limit[NUM_TEXT];
        socket_request_fail(request,
                            failure_new(FAILURE_TOO_LARGE, FAILURE_PERMANENT,
                                        "more than the %s that the pool takes (--max-event)",
                                        num_format_size(max_event, limit)));
        return;
    }
    request->event = slice_dup(frame->parts[0]);
    buf_add_str(&request->text, frame->parts[1]);
    buf_add_str(&request->text, frame->parts[2]);
    client->calls->asked(client->owner, request);
}

static void take_back(struct socket_client *client, uint64_t id)
{
    for (struct socket_request *request = client->waiting.last; request; request = request->prev) {
        if (request->id != id)
            continue;
        stop_waiting(request);
        client->calls->dropped(client->owner, request);
        socket_request_fail(request, failure_new(FAILURE_NOT_NEEDED, FAILURE_PERMANENT,
                                                 "taken back before it was begun"));
        client->calls->changed(client->owner, client);
        return;
    }
}

static void hear(struct socket_client *client)
{
    struct warm_frame frame;
    struct err err;
    int got = 0;
    while (!client->gone && (got = warm_next(&client->reader, &frame, &err)) > 0) {
        if (frame.type == WARM_REQUEST)
            ask(client, &frame);
        else if (frame.type == WARM_CANCEL)
            take_back(client, frame.id);
        else
            client->calls->told(client->owner, client, &frame);
    }
    if (got < 0)
        leave(client);
}

static void ready(struct loop_fd *watch, uint32_t events)
{
    struct socket_client *client = CONTAINER_OF(watch, struct socket_client, in);
    if (!is_read(client)) { /* nobody is left who could read an answer */
        if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP))
            leave(client);
        return;
    }
    ssize_t got = warm_read(&client->reader, watch->fd);
    if (got > 0)
        hear(client);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        leave(client);
}

void socket_client_pause(struct socket_client *client, bool pause)
{
    hold(client, pause, client->deaf);
}

struct socket_client *socket_client_new(struct loop *loop, int fd, size_t max_event,
                                        const struct warm_frame *hello,
                                        const struct socket_client_calls *calls, void *owner,
                                        struct err *err)
{
    struct socket_client *client = mem_zalloc(sizeof *client);
    *client = (struct socket_client){.loop = loop,
                                     .calls = calls,
                                     .owner = owner,
                                     .reader.limit = max_event + WARM_SLACK,
                                     .in.ready = ready,
                                     .out.progress = written,
                                     .flush.run = flush,
                                     .leave.run = left};
    int again = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* the loop knows a descriptor once */
    if (again < 0 || loop_fd_add(loop, &client->in, fd, EPOLLIN) < 0) {
        err_sys(err, "watch a client");
        if (again >= 0)
            close(again);
        close(fd);
        free(client);
        return NULL;
    }
    stream_open(&client->out, loop, again, true);
    warm_send(&client->out, hello);
    loop_defer(loop, &client->flush);
    return client;
}
