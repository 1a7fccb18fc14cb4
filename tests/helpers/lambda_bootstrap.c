/*
 * lambda_bootstrap.c: a runtime for the AWS Lambda Runtime API that does what its event says.
 *
 * lambda_bootstrap [-d MILLISECONDS]: answers an event {"do":WHAT,...} so:
 *   "error"    with an error            "nothing"  with an empty body
 *   "bad"      with what is no JSON     "exit"     not: it exits with status 3
 *   "kill"     not: SIGKILL             "hang"     not: it sleeps
 *   "last"     and exits                "again"    after asking for it twice
 *   "rude"     without waiting for the reply
 * and any other with {"r":EVENT}. It takes MILLISECONDS to be initialised. One connection is kept.
 */
#include "base/buf.h"
#include "base/mem.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define API "/2018-06-01/runtime/"

static int connection = -1;
static struct buf input; /* read and not used */
static struct buf body;  /* of the last reply */
static char id[64];      /* of the last event */

__attribute__((noreturn)) static void die(const char *what)
{
    fprintf(stderr, "lambda_bootstrap: %s: %s\n", what, strerror(errno));
    _exit(1);
}

static void connect_to_api(void)
{
    const char *address = getenv("AWS_LAMBDA_RUNTIME_API");
    const char *colon = address ? strchr(address, ':') : NULL;
    int one = 1;
    if (!colon)
        die("AWS_LAMBDA_RUNTIME_API");
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection < 0 || connect(connection, (struct sockaddr *)&to, sizeof to) < 0)
        die("connect");
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    buf_clear(&input);
}

static void put(struct str bytes)
{
    while (bytes.len) {
        ssize_t sent = send(connection, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (sent < 0)
            die("send");
        bytes.data += sent;
        bytes.len -= (size_t)sent;
    }
}

static void read_more(void)
{
    buf_reserve(&input, 64 * 1024);
    ssize_t got = recv(connection, input.data + input.len, 64 * 1024, 0);
    if (got <= 0)
        die("receive");
    input.len += (size_t)got;
}

/* The value of a header of the head at the start of the input; up to size bytes. */
static void header(const char *name, char *value, size_t size)
{
    size_t len = strlen(name);
    *value = '\0';
    for (const char *line = buf_cstr(&input); line && strncmp(line, "\r\n", 2) != 0;) {
        if (strncasecmp(line, name, len) == 0 && line[len] == ':')
            snprintf(value, size, "%.*s", (int)strcspn(line + len + 2, "\r"), line + len + 2);
        line = strstr(line, "\r\n");
        line = line ? line + 2 : NULL;
    }
}

/* Read a reply: its status, with the body in body. */
static int reply(void)
{
    char length[32];
    const char *end;
    while (!(end = strstr(buf_cstr(&input), "\r\n\r\n")))
        read_more();
    size_t head = (size_t)(end - input.data) + 4;
    int status = (int)strtol(input.data + strlen("HTTP/1.1 "), NULL, 10);
    header("Content-Length", length, sizeof length);
    size_t len = strtoul(length, NULL, 10);
    if (status == 200)
        header("Lambda-Runtime-Aws-Request-Id", id, sizeof id);
    while (input.len < head + len)
        read_more();
    buf_clear(&body);
    buf_add(&body, input.data + head, len);
    buf_consume(&input, head + len);
    return status;
}

static void ask(void)
{
    put(STR("GET " API "invocation/next HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    if (reply() != 200)
        die("no event");
}

static void post(const char *what, struct str text)
{
    struct buf request = {0};
    buf_addf(&request,
             "POST " API
             "invocation/%s/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n",
             id, what, text.len);
    buf_add_str(&request, text);
    put(buf_str(&request));
    buf_free(&request);
}

static void answer(const char *what, struct str text)
{
    post(what, text);
    int status = reply();
    if (status != 202)
        die("the answer was refused");
}

static bool says(const char *what)
{
    struct buf member = {0};
    buf_addf(&member, "\"do\":\"%s\"", what);
    bool found = memmem(body.data, body.len, member.data, member.len);
    buf_free(&member);
    return found;
}

static void echo(bool wait)
{
    struct buf result = {0};
    buf_puts(&result, "{\"r\":");
    buf_add_str(&result, buf_str(&body));
    buf_addc(&result, '}');
    if (wait)
        answer("response", buf_str(&result));
    else
        post("response", buf_str(&result));
    buf_free(&result);
}

static void handle(void)
{
    if (!memmem(body.data, body.len, "\"do\"", 4)) {
        echo(true);
    } else if (says("error")) {
        answer("error", STR("{\"errorType\":\"Asked\",\"errorMessage\":\"as it was told\"}"));
    } else if (says("nothing")) {
        answer("response", STR(""));
    } else if (says("bad")) {
        answer("response", STR("[1,"));
    } else if (says("exit")) {
        _exit(3);
    } else if (says("kill")) {
        kill(getpid(), SIGKILL);
    } else if (says("hang")) {
        for (;;)
            pause();
    } else if (says("last")) {
        echo(true);
        _exit(0);
    } else if (says("rude")) {
        echo(false);
        _exit(0);
    } else {
        if (says("again"))
            ask();
        echo(true);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "-d") == 0) {
        long milliseconds = strtol(argv[2], NULL, 10);
        struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
        while (nanosleep(&left, &left) < 0)
            ;
    }
    connect_to_api();
    for (;;) {
        ask();
        handle();
    }
}
