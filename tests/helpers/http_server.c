/*
 * http_server.c: a web server that misbehaves on demand.
 *
 * http_server [PORT_FILE [LOG]]: listens on 127.0.0.1, writes its port (to stdout, or to a file
 * that appears whole), and serves until it is killed; it dies with its parent. LOG gets a line for
 * each request: method, target, bytes of the body, and If-None-Match if there is one. What it does
 * stands in the path, how in the query:
 *
 *   /ok /echo /count /headers /pretty /lines /text /html /empty /created /big?bytes=N /late?ms=N
 *   /status?code=N[&after=N|&date=N][&say=TEXT]   a status, with Retry-After, with a JSON error
 *   /fail?code=N&times=N[&after=N|&date=N]        so often for an idempotency key, then /echo
 *   /redirect?code=N&to=URL  /version?is=TEXT     302 and the like; an ETag, and 304 for who has it
 *   /version?file=NAME                            the same of what stands in a file
 *   /stall /stall-body /reset /close /half /half-error /chunk-cut /huge /drip /garbage /continue
 *   /early /close-after /endless-head /switch /blank /coded /function-error[?bytes=N]
 *   /worn                                         /echo, once for each connection; then it closes
 *   /file?name=FILE                               the bytes of a file as the whole answer
 *   /chaos?seed=N                                 one of them at random, or /echo
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "sys/loop.h"
#include "sys/slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ_SIZE = 64 * 1024, HUGE_PIECE = 256 * 1024, TRIES = 100000, DRIP_MS = 20 };
static const uint64_t HUGE_SIZE = UINT64_C(1) << 30;

struct connection {
    struct loop_fd watch;
    struct loop_timer timer; /* what is late */
    struct buf in, out;
    size_t sent;
    uint64_t huge;     /* bytes still to be made up, */
    const char *piece; /* of that */
    struct str head, body;
    char target[2048]; /* of the request that is answered */
    bool ends;         /* closed when all is sent */
    bool deaf;         /* reads no more: it stalls, or is late */
    bool worn;         /* has answered /worn */
    size_t request;    /* bytes of it */
};

static struct loop *loop;
static struct rng rng;
static int listener = -1, log_fd = -1;
static uint64_t connections, requests;
static struct tried {
    char key[40];
    uint64_t times;
} * tried; /* open addressing by key */

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- what was asked ---- */

/* The value of "name=" in the query, or NULL. Valid until the next call. */
static const char *parameter(const struct connection *connection, const char *name)
{
    static char value[1024];
    const char *at = strchr(connection->target, '?');
    size_t len = strlen(name);
    while (at) {
        at++;
        const char *end = strchr(at, '&');
        if (strncmp(at, name, len) == 0 && at[len] == '=') {
            size_t size = end ? (size_t)(end - at) - len - 1 : strlen(at + len + 1);
            size = size < sizeof value ? size : sizeof value - 1;
            memcpy(value, at + len + 1, size);
            value[size] = '\0';
            return value;
        }
        at = end;
    }
    return NULL;
}

static uint64_t number(const struct connection *connection, const char *name, uint64_t otherwise)
{
    const char *value = parameter(connection, name);
    return value ? strtoull(value, NULL, 10) : otherwise;
}

/* A field of the request's head, or {NULL, 0}. */
static struct str field(struct str head, const char *name)
{
    size_t len = strlen(name);
    const char *end = head.data + head.len;
    for (const char *at = head.data; at < end;) {
        const char *eol = memchr(at, '\n', (size_t)(end - at));
        eol = eol ? eol : end;
        if ((size_t)(eol - at) > len && at[len] == ':' && strncasecmp(at, name, len) == 0)
            return str_trim((struct str){at + len + 1, (size_t)(eol - at) - len - 1});
        at = eol + 1;
    }
    return (struct str){0};
}

/* How often that key was seen before. */
static uint64_t times_of(struct str key)
{
    uint64_t hash = 5381;
    for (size_t i = 0; i < key.len; i++)
        hash = hash * 33 + (unsigned char)key.data[i];
    for (size_t at = hash % TRIES;; at = (at + 1) % TRIES) {
        if (!tried[at].times)
            snprintf(tried[at].key, sizeof tried[at].key, "%.*s", (int)key.len, key.data);
        if (str_eq(str_of(tried[at].key), key))
            return tried[at].times++;
    }
}

/* ---- what is answered ---- */

static void answer(struct connection *connection, const char *head, struct str body)
{
    buf_addf(&connection->out, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", head, body.len);
    buf_add_str(&connection->out, body);
}

static void answer_json(struct connection *connection, struct str body)
{
    answer(connection, "200 OK\r\nContent-Type: application/json", body);
}

static const char *title_of(uint64_t code)
{
    switch (code) {
    case 200:
        return "OK";
    case 301:
        return "Moved Permanently";
    case 302:
        return "Found";
    case 307:
        return "Temporary Redirect";
    case 308:
        return "Permanent Redirect";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 429:
        return "Too Many Requests";
    case 500:
        return "Internal Server Error";
    case 503:
        return "Service Unavailable";
    default:
        return "Something";
    }
}

static void add_retry_after(const struct connection *connection, struct buf *head)
{
    uint64_t after = number(connection, "after", 0), date = number(connection, "date", 0);
    if (after)
        buf_addf(head, "\r\nRetry-After: %" PRIu64, after);
    if (date) {
        char text[64];
        struct tm tm;
        time_t at = (time_t)(clock_wall() / NUM_SECOND) + (time_t)date;
        gmtime_r(&at, &tm);
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        buf_addf(head, "\r\nRetry-After: %s", text);
    }
}

static void answer_status(struct connection *connection)
{
    uint64_t code = number(connection, "code", 500);
    const char *say = parameter(connection, "say");
    struct buf head = {0}, body = {0};
    if (say)
        buf_addf(&body, "{\"errorType\":\"Said\",\n \"errorMessage\":\"%s\"}", say);
    buf_addf(&head, "%" PRIu64 " %s\r\nContent-Type: application/json", code, title_of(code));
    add_retry_after(connection, &head);
    answer(connection, buf_cstr(&head), buf_str(&body));
    buf_free(&head);
    buf_free(&body);
}

static void answer_redirect(struct connection *connection)
{
    struct buf head = {0};
    uint64_t code = number(connection, "code", 302);
    buf_addf(&head, "%" PRIu64 " %s\r\nLocation: %s", code, title_of(code),
             parameter(connection, "to"));
    answer(connection, buf_cstr(&head), STR("{}"));
    buf_free(&head);
}

/* The first line of a file, or what is given. */
static const char *version_of(struct connection *connection, char text[64])
{
    const char *is = parameter(connection, "is");
    const char *name = is ? NULL : parameter(connection, "file");
    int fd = name ? open(name, O_RDONLY) : -1;
    ssize_t got = fd >= 0 ? read(fd, text, 63) : -1;
    if (fd >= 0)
        close(fd);
    if (got < 0)
        return is ? is : "1";
    text[got] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return text;
}

static void answer_version(struct connection *connection)
{
    struct buf head = {0}, tag = {0}, body = {0};
    char text[64];
    buf_addf(&tag, "\"%s\"", version_of(connection, text));
    bool known = str_eq(field(connection->head, "If-None-Match"), buf_str(&tag));
    buf_addf(&head, "%s\r\nETag: %s", known ? "304 Not Modified" : "200 OK", buf_cstr(&tag));
    if (known) {
        buf_addf(&connection->out, "HTTP/1.1 %s\r\n\r\n", buf_cstr(&head));
    } else {
        buf_addf(&body, "{\"version\":%s}", buf_cstr(&tag));
        answer(connection, buf_cstr(&head), buf_str(&body));
    }
    buf_free(&head);
    buf_free(&tag);
    buf_free(&body);
}

static void answer_file(struct connection *connection)
{
    struct err err;
    const char *name = parameter(connection, "name");
    int fd = open(name ? name : "", O_RDONLY);
    if (fd < 0 || slurp_fd(fd, name, READ_SIZE, &connection->out, &err) < 0)
        die("the file of an answer");
    close(fd);
}

/* The head as JSON: an array of its lines. */
static void answer_headers(struct connection *connection)
{
    struct buf body = {0};
    const char *end = connection->head.data + connection->head.len;
    for (const char *at = connection->head.data; at < end;) {
        const char *eol = memchr(at, '\n', (size_t)(end - at));
        eol = eol ? eol : end;
        buf_addc(&body, body.len ? ',' : '[');
        buf_add_json(&body, str_trim((struct str){at, (size_t)(eol - at)}));
        at = eol + 1;
    }
    buf_puts(&body, "]");
    answer_json(connection, buf_str(&body));
    buf_free(&body);
}

static void answer_count(struct connection *connection)
{
    struct buf body = {0};
    buf_addf(&body, "{\"connections\":%" PRIu64 ",\"requests\":%" PRIu64 "}", connections,
             requests);
    answer_json(connection, buf_str(&body));
    buf_free(&body);
}

static void answer_big(struct connection *connection)
{
    struct buf body = {0};
    uint64_t bytes = number(connection, "bytes", 1);
    buf_addc(&body, '"');
    while (body.len <= bytes)
        buf_addc(&body, 'x');
    buf_addc(&body, '"');
    answer_json(connection, buf_str(&body));
    buf_free(&body);
}

/* As AWS Lambda answers for a function that has failed. */
static void answer_function_error(struct connection *connection)
{
    struct buf body = {0};
    uint64_t bytes = number(connection, "bytes", 0);
    buf_puts(&body, "{\n  \"errorMessage\": \"");
    for (uint64_t i = 0; i < bytes; i++)
        buf_addc(&body, 'x');
    buf_puts(&body, "\"\n}\n");
    answer(connection, "200 OK\r\nX-Amz-Function-Error: Unhandled", buf_str(&body));
    buf_free(&body);
}

static void close_connection(struct connection *connection, bool reset)
{
    struct linger hard = {.l_onoff = 1};
    if (reset)
        setsockopt(connection->watch.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    loop_timer_clear(loop, &connection->timer);
    loop_fd_remove(loop, &connection->watch);
    close(connection->watch.fd);
    buf_free(&connection->in);
    buf_free(&connection->out);
    free(connection);
}

static void work(struct connection *connection);

/* The late answer, or the next piece of one. */
static void late(struct loop_timer *timer)
{
    struct connection *connection = CONTAINER_OF(timer, struct connection, timer);
    if (strncmp(connection->target, "/drip", 5) == 0 && connection->body.len) {
        buf_addf(&connection->out, "1\r\n%c\r\n", connection->body.data[0]);
        connection->body.data++;
        connection->body.len--;
        loop_timer_set(loop, timer, clock_now() + DRIP_MS * (NUM_SECOND / 1000));
    } else {
        if (strncmp(connection->target, "/drip", 5) == 0)
            buf_puts(&connection->out, "0\r\n\r\n");
        else
            answer_json(connection, connection->body);
        connection->deaf = false;
    }
    work(connection);
}

static void be_late(struct connection *connection, uint64_t ms)
{
    connection->deaf = true;
    connection->timer.fire = late;
    loop_timer_set(loop, &connection->timer, clock_now() + (int64_t)ms * (NUM_SECOND / 1000));
}

static bool is(const struct connection *connection, const char *path)
{
    size_t len = strlen(path);
    return strncmp(connection->target, path, len) == 0 && strchr("?", connection->target[len]);
}

/* Answers that end with the connection, or never. True: it was one. */
static bool misbehave(struct connection *connection)
{
    struct buf *out = &connection->out;
    const char *json = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    connection->ends = true;
    if (is(connection, "/half"))
        buf_addf(out, "%sContent-Length: 100\r\n\r\n{\"half\":true}", json);
    else if (is(connection, "/half-error"))
        buf_puts(out, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 100\r\n\r\n{}");
    else if (is(connection, "/chunk-cut"))
        buf_addf(out, "%sTransfer-Encoding: chunked\r\n\r\n9\r\n{\"cut\":1}\r\n", json);
    else if (is(connection, "/garbage"))
        buf_puts(out, "SSH-2.0-something\r\n");
    else if (is(connection, "/close-after"))
        buf_addf(out, "%s\r\n{\"open\":\"end\"}", json);
    else if (is(connection, "/switch"))
        buf_puts(out, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                      "Upgrade: other\r\n\r\nhello");
    else if (is(connection, "/endless-head")) {
        buf_puts(out, "HTTP/1.1 200 OK\r\n");
        connection->huge = HUGE_SIZE;
        connection->piece = "X-More: and more, and more, and more, and more\r\n";
    } else if (is(connection, "/huge")) {
        buf_addf(out, "%sContent-Length: %" PRIu64 "\r\n\r\n", json, HUGE_SIZE);
        connection->huge = HUGE_SIZE;
        connection->piece = " ";
    } else if (is(connection, "/stall-body")) {
        buf_addf(out, "%sContent-Length: 100\r\n\r\n{\"half\":", json);
        connection->ends = false;
        connection->deaf = true;
    } else if (is(connection, "/stall")) {
        connection->ends = false;
        connection->deaf = true;
    } else {
        connection->ends = is(connection, "/close") || is(connection, "/early") || connection->worn;
        return connection->ends;
    }
    return true;
}

static void behave(struct connection *connection)
{
    if (is(connection, "/worn"))
        connection->worn = true;
    if (is(connection, "/ok"))
        answer_json(connection, STR("{\"ok\":true}"));
    else if (is(connection, "/pretty"))
        answer_json(connection, STR("\r\n{\n  \"a\": 1.50,\r\n\n  \"b\": \"x\"\n}\n\n"));
    else if (is(connection, "/lines"))
        answer(connection, "200 OK\r\nContent-Type: application/x-ndjson; charset=utf-8",
               STR("{\"n\":1}\n\n{\"n\":2}\r\n3"));
    else if (is(connection, "/text"))
        answer(connection, "200 OK\r\nContent-Type: text/plain", STR("one\ntwo \"2\"\n"));
    else if (is(connection, "/html"))
        answer(connection, "200 OK\r\nContent-Type: text/html", STR("<html>\n</html>\n"));
    else if (is(connection, "/empty"))
        buf_puts(&connection->out, "HTTP/1.1 204 No Content\r\n\r\n");
    else if (is(connection, "/created"))
        answer(connection, "201 Created", STR(" \n"));
    else if (is(connection, "/blank"))
        answer_json(connection, STR(" \n \r\n\t\n"));
    else if (is(connection, "/coded"))
        answer(connection, "200 OK\r\nContent-Encoding: gzip", STR("\x1f\x8b..."));
    else if (is(connection, "/file"))
        answer_file(connection);
    else if (is(connection, "/function-error"))
        answer_function_error(connection);
    else if (is(connection, "/continue")) {
        buf_puts(&connection->out, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
                                   "Retry-After: 5\r\n\r\n");
        answer_json(connection, connection->body);
    } else if (is(connection, "/drip")) {
        buf_puts(&connection->out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        be_late(connection, DRIP_MS);
    } else if (is(connection, "/big"))
        answer_big(connection);
    else if (is(connection, "/late"))
        be_late(connection, number(connection, "ms", 100));
    else if (is(connection, "/status"))
        answer_status(connection);
    else if (is(connection, "/redirect"))
        answer_redirect(connection);
    else if (is(connection, "/version"))
        answer_version(connection);
    else if (is(connection, "/headers"))
        answer_headers(connection);
    else if (is(connection, "/count"))
        answer_count(connection);
    else if (is(connection, "/fail") &&
             times_of(field(connection->head, "Idempotency-Key")) < number(connection, "times", 1))
        answer_status(connection);
    else if (is(connection, "/echo") || is(connection, "/worn") || is(connection, "/fail"))
        answer_json(connection, connection->body);
    else
        answer(connection, "404 Not Found", STR("no such thing"));
}

/* One of the others, in its place. */
static void choose(struct connection *connection)
{
    static const char *const ways[] = {"/reset",      "/close",           "/half",
                                       "/half-error", "/chunk-cut",       "/stall",
                                       "/huge",       "/status?code=503", "/status?code=429"};
    size_t count = sizeof ways / sizeof *ways;
    uint64_t way = rng_next(&rng) % (3 * count);
    snprintf(connection->target, sizeof connection->target, "%s",
             way < count ? ways[way] : "/echo");
}

static void write_log(const struct connection *connection, struct str method)
{
    struct buf line = {0};
    if (log_fd < 0)
        return;
    struct str known = field(connection->head, "If-None-Match");
    buf_addf(&line, "%.*s %s %zu%s%.*s\n", (int)method.len, method.data, connection->target,
             connection->body.len, known.len ? " " : "", (int)known.len, known.data);
    if (write(log_fd, line.data, line.len) != (ssize_t)line.len)
        die("log");
    buf_free(&line);
}

/* A whole request in connection->in? Then it is answered. False: not yet, or the connection is
 * gone.
 */
static bool serve(struct connection *connection)
{
    struct buf *in = &connection->in;
    const char *end = in->len ? memmem(in->data, in->len, "\r\n\r\n", 4) : NULL;
    if (!end)
        return false;
    connection->head = (struct str){in->data, (size_t)(end + 2 - in->data)};
    struct str method = {in->data, (size_t)((char *)memchr(in->data, ' ', in->len) - in->data)};
    const char *target = in->data + method.len + 1;
    snprintf(connection->target, sizeof connection->target, "%.*s", (int)strcspn(target, " \r"),
             target);
    struct str length = field(connection->head, "Content-Length");
    size_t size = length.len ? strtoull(length.data, NULL, 10) : 0;
    size_t head = connection->head.len + 2;
    bool early = is(connection, "/early");
    if (in->len < head + size && !early)
        return false;
    connection->body = (struct str){in->data + head, size};
    connection->request = early ? in->len : head + size;
    requests++;
    write_log(connection, method);
    if (is(connection, "/chaos"))
        choose(connection);
    if (is(connection, "/reset")) {
        close_connection(connection, true);
        return false;
    }
    if (early)
        answer(connection, "413 Content Too Large", STR("{}"));
    if (!misbehave(connection))
        behave(connection);
    return true;
}

/* ---- bytes ---- */

/* False: the connection is gone. */
static bool send_out(struct connection *connection)
{
    struct buf *out = &connection->out;
    for (;;) {
        if (connection->sent == out->len && connection->huge) {
            buf_clear(out);
            connection->sent = 0;
            buf_reserve(out, HUGE_PIECE);
            while (out->len < HUGE_PIECE)
                buf_puts(out, connection->piece);
            connection->huge -= out->len < connection->huge ? out->len : connection->huge;
        }
        if (connection->sent == out->len)
            break;
        ssize_t sent = send(connection->watch.fd, out->data + connection->sent,
                            out->len - connection->sent, 0);
        if (sent < 0 && errno == EAGAIN) {
            loop_fd_change(loop, &connection->watch, EPOLLIN | EPOLLOUT);
            return true;
        }
        if (sent < 0) {
            close_connection(connection, false);
            return false;
        }
        connection->sent += (size_t)sent;
    }
    buf_clear(out);
    connection->sent = 0;
    loop_fd_change(loop, &connection->watch, EPOLLIN);
    if (!connection->ends)
        return true;
    close_connection(connection, false);
    return false;
}

/* Answer what is there, one request after the other. */
static void work(struct connection *connection)
{
    while (send_out(connection) && !connection->deaf && !connection->out.len) {
        if (connection->request) { /* it is answered */
            buf_consume(&connection->in, connection->request);
            connection->request = 0;
        }
        if (!serve(connection))
            return;
    }
}

static void ready(struct loop_fd *watch, uint32_t events)
{
    struct connection *connection = CONTAINER_OF(watch, struct connection, watch);
    if (events & EPOLLIN) {
        buf_reserve(&connection->in, READ_SIZE);
        ssize_t got = recv(watch->fd, connection->in.data + connection->in.len, READ_SIZE, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            close_connection(connection, false);
            return;
        }
        connection->in.len += got > 0 ? (size_t)got : 0;
    }
    work(connection);
}

static void accept_one(struct loop_fd *watch, uint32_t events)
{
    (void)events;
    int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct connection *connection = mem_zalloc(sizeof *connection);
    connection->watch.ready = ready;
    connections++;
    if (loop_fd_add(loop, &connection->watch, fd, EPOLLIN) < 0)
        die("watch");
}

/* ---- starting ---- */

static unsigned listen_somewhere(uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    socklen_t size = sizeof at;
    int one = 1;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&at, size) < 0 || listen(listener, 512) < 0 ||
        getsockname(listener, (struct sockaddr *)&at, &size) < 0)
        die("listen");
    return ntohs(at.sin_port);
}

static void tell_port(const char *path, unsigned port)
{
    struct buf made = {0};
    buf_addf(&made, "%s.new", path);
    FILE *file = fopen(buf_cstr(&made), "w");
    if (!file || fprintf(file, "%u\n", port) < 0 || fclose(file) ||
        rename(buf_cstr(&made), path) < 0)
        die(path);
    buf_free(&made);
}

int main(int argc, char **argv)
{
    struct err err;
    struct loop_fd watch = {.ready = accept_one};
    const char *again = getenv("HTTP_SERVER_PORT"); /* the one that it had before */
    const char *seed = getenv("HTTP_SERVER_SEED");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    tried = mem_array(TRIES, sizeof *tried);
    rng_seed(&rng, seed ? strtoull(seed, NULL, 10) : 1);
    unsigned port = listen_somewhere((uint16_t)(again ? strtoul(again, NULL, 10) : 0));
    if (argc > 2)
        log_fd = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    loop = loop_new(&err);
    if (!loop || loop_fd_add(loop, &watch, listener, EPOLLIN) < 0)
        die("loop");
    if (argc > 1)
        tell_port(argv[1], port);
    else if (printf("%u\n", port) < 0 || fflush(stdout))
        die("stdout");
    return loop_run(loop, &err) < 0;
}
