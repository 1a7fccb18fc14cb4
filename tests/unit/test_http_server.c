/* test_http_server.c: a server in our loop, with clients that behave and clients that do not. */
#include "sys/http_server.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "sys/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE    (60 * NUM_SECOND) /* far beyond what anything here takes */
#define MILLISECOND (NUM_SECOND / 1000)
#define PATIENCE    (500 * MILLISECOND)
enum { LIMIT = 1000000, MOST = 100 };

static struct loop *loop;
static struct http_server *server;
static struct http_request *held[MOST]; /* of paths that begin with "/later" */
static unsigned held_count, served, left;
static struct buf seen; /* the body of the last request, and what else was asked for */
static bool refuse_all;
static struct err err;

/* ---- the owner of the server ---- */

static size_t limit(void *owner, const struct http_request *request)
{
    assert_ptr_equal(owner, &served);
    return strcmp(request->path, "/small") == 0 ? 10 : LIMIT;
}

static void answer_plainly(struct http_request *request)
{
    char text[64];
    const struct http_header header = {"X-Thing", "a thing"};
    snprintf(text, sizeof text, "%s %s %llu", request->method, request->path,
             (unsigned long long)request->size);
    http_request_answer(request, request->too_large ? 413 : 200, &header, 1, str_of(text));
}

static void requested(void *owner, struct http_request *request)
{
    const char *header = http_request_header(request, "x-asked");
    const char *trailer = http_request_trailer(request, "X-Behind");
    assert_ptr_equal(owner, &served);
    served++;
    buf_clear(&seen);
    buf_add_str(&seen, buf_str(&request->body));
    buf_addf(&seen, "|%s|%s", header ? header : "", trailer ? trailer : "");
    if (strncmp(request->path, "/later", 6) == 0)
        held[held_count++] = request;
    else
        answer_plainly(request);
}

static void gone(void *owner, struct http_request *request)
{
    (void)owner;
    for (unsigned i = 0; i < held_count; i++) {
        if (held[i] == request)
            held[i] = NULL;
    }
    left++;
}

static bool admit(void *owner, uid_t user)
{
    (void)owner;
    assert_int_equal(user, geteuid());
    return !refuse_all;
}

static int setup(void **state)
{
    (void)state;
    const struct http_server_settings settings = {.owner = &served,
                                                  .limit = limit,
                                                  .request = requested,
                                                  .gone = gone,
                                                  .admit = admit,
                                                  .patience = PATIENCE};
    loop = loop_new(&err);
    server = loop ? http_server_open(loop, &settings, &err) : NULL;
    served = left = held_count = 0;
    refuse_all = false;
    return server ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    http_server_close(server);
    loop_free(loop);
    buf_free(&seen);
    return 0;
}

/* ---- turning the loop until something holds ---- */

static bool (*holds)(void);

static void look(struct loop_timer *timer)
{
    if (holds())
        loop_stop(loop);
    else
        loop_timer_set(loop, timer, loop_now(loop) + MILLISECOND);
}

static void too_late(struct loop_timer *timer)
{
    (void)timer;
    fail_msg("nothing happened");
}

static void until(bool (*condition)(void))
{
    struct loop_timer looking = {.fire = look}, late = {.fire = too_late};
    holds = condition;
    loop_timer_set(loop, &looking, clock_now());
    loop_timer_set(loop, &late, clock_now() + DEADLINE);
    assert_int_equal(loop_run(loop, &err), 0);
    loop_timer_clear(loop, &looking);
    loop_timer_clear(loop, &late);
}

/* ---- clients ---- */

static int client;
static struct buf reply;

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static bool client_closed;

static void read_reply(void)
{
    char bytes[4096];
    ssize_t got = recv(client, bytes, sizeof bytes, 0);
    if (got > 0)
        buf_add(&reply, bytes, (size_t)got);
    client_closed = got == 0 || (got < 0 && errno != EAGAIN);
}

/* A whole answer: its head, and as many bytes as its Content-Length says. */
static bool has_reply(void)
{
    read_reply();
    const char *end = strstr(buf_cstr(&reply), "\r\n\r\n");
    const char *len = strstr(buf_cstr(&reply), "Content-Length: ");
    return end && len && strlen(end + 4) >= strtoul(len + 16, NULL, 10);
}

static bool is_closed(void)
{
    read_reply();
    return client_closed;
}

static bool was_served(void)
{
    return served > 0;
}

static bool has_left(void)
{
    return left > 0;
}

static void begin(void)
{
    client = connect_to(http_server_port(server));
    buf_clear(&reply);
}

static void end(void)
{
    close(client);
    buf_free(&reply);
}

static void expect_reply(const char *status, const char *body)
{
    until(has_reply);
    const char *text = buf_cstr(&reply);
    assert_int_equal(strncmp(text, "HTTP/1.1 ", 9), 0);
    assert_memory_equal(text + 9, status, strlen(status));
    assert_string_equal(strstr(text, "\r\n\r\n") + 4, body);
    buf_clear(&reply);
}

/* ---- what works ---- */

static void answers_a_request(void **state)
{
    (void)state;
    begin();
    say(client, "GET /a%20b?c=d HTTP/1.1\r\nHost: x\r\nX-Asked: yes\r\n\r\n");
    until(has_reply);
    assert_non_null(strstr(buf_cstr(&reply), "X-Thing: a thing\r\n"));
    expect_reply("200", "GET /a b 0");
    assert_true(str_eq(buf_str(&seen), STR("|yes|")));
    end();
}

static void takes_a_body_and_keeps_the_connection(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 3; i++) {
        say(client, "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe");
        say(client, "llo");
        expect_reply("200", "POST /p 5");
        assert_true(str_eq(buf_str(&seen), STR("hello||")));
    }
    assert_int_equal(served, 3);
    end();
}

static void takes_a_chunked_body_with_a_trailer(void **state)
{
    (void)state;
    begin();
    say(client, "POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Behind\r\n"
                "\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nX-Behind: it\r\n\r\n");
    expect_reply("200", "POST /p 7");
    assert_true(str_eq(buf_str(&seen), STR("abcdefg||it")));
    end();
}

static void takes_a_body_of_a_megabyte(void **state)
{
    (void)state;
    enum { SIZE = LIMIT };
    char *body = mem_alloc(SIZE);
    size_t sent = 0;
    begin();
    memset(body, 'x', SIZE);
    say(client, "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
    while (sent < SIZE) {
        ssize_t more = send(client, body + sent, SIZE - sent, MSG_NOSIGNAL);
        if (more > 0)
            sent += (size_t)more;
        else
            http_server_drain(server);
    }
    expect_reply("200", "POST /p 1000000");
    assert_int_equal(seen.len, SIZE + 2);
    free(body);
    end();
}

static void answers_later(void **state)
{
    (void)state;
    begin();
    say(client, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    until(was_served);
    read_reply();
    assert_int_equal(reply.len, 0);
    http_request_answer(held[0], 503, NULL, 0, (struct str){0});
    expect_reply("503", "");
    say(client, "GET /now HTTP/1.1\r\nHost: x\r\n\r\n"); /* on the same connection */
    expect_reply("200", "GET /now 0");
    assert_int_equal(left, 0);
    end();
}

static bool all_are_held(void)
{
    return held_count == 20;
}

static void keeps_requests_apart_that_wait(void **state)
{
    (void)state;
    int fds[20];
    for (int i = 0; i < 20; i++) {
        char text[64];
        fds[i] = connect_to(http_server_port(server));
        snprintf(text, sizeof text, "GET /later/%d HTTP/1.1\r\nHost: x\r\n\r\n", i);
        say(fds[i], text);
    }
    until(all_are_held);
    for (int i = 19; i >= 0; i--)
        answer_plainly(held[i]);
    for (int i = 0; i < 20; i++) {
        char text[64];
        client = fds[i];
        snprintf(text, sizeof text, "GET /later/%d 0", i);
        expect_reply("200", text);
        close(fds[i]);
    }
    buf_free(&reply);
}

static void tells_that_a_client_has_left(void **state)
{
    (void)state;
    begin();
    say(client, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    until(was_served);
    close(client);
    until(has_left);
    assert_null(held[0]);
    assert_int_equal(left, 1);
    begin(); /* and goes on */
    say(client, "GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_reply("200", "GET /now 0");
    end();
}

static void takes_what_a_dead_client_has_sent(void **state)
{
    (void)state;
    begin();
    say(client, "GET /fine HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_reply("200", "GET /fine 0");
    served = 0;
    say(client, "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    close(client);
    http_server_drain(server);
    assert_int_equal(served, 1);
    assert_true(str_eq(buf_str(&seen), STR("hello||")));
    buf_free(&reply);
}

static void closes_with_requests_that_wait(void **state)
{
    (void)state;
    begin();
    say(client, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    until(was_served);
    http_server_close(server);
    server = NULL;
    until(is_closed);
    assert_int_equal(left, 0);
    end();
}

/* ---- what does not ---- */

static void keeps_nothing_of_a_body_that_is_too_large(void **state)
{
    (void)state;
    begin();
    say(client, "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello world");
    expect_reply("413", "POST /small 11");
    assert_true(str_eq(buf_str(&seen), STR("||")));
    say(client, "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello worl");
    expect_reply("200", "POST /small 10"); /* the connection lives */
    say(client, "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                "6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n");
    expect_reply("413", "POST /small 11");
    assert_true(str_eq(buf_str(&seen), STR("||")));
    end();
}

static void refuses_before_it_is_sent_what_will_be_too_large(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "POST /small HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n",
        "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
    };
    for (size_t i = 0; i < 2; i++) {
        begin();
        say(client, heads[i]);
        until(has_reply);
        assert_int_equal(strncmp(buf_cstr(&reply), "HTTP/1.1 413", 12), 0);
        end();
    }
}

static void closes_on_a_body_without_end(void **state)
{
    (void)state;
    static char chunk[1 << 20];
    begin();
    say(client, "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                "FFFFFFF\r\n");
    while (!served) {
        (void)send(client, chunk, sizeof chunk, MSG_NOSIGNAL);
        http_server_drain(server);
    }
    until(is_closed);
    assert_int_equal(served, 1);
    assert_true(str_eq(buf_str(&seen), STR("||")));
    end();
}

static bool is_refused_or_closed(void)
{
    return is_closed() || has_reply();
}

static void survives_garbage(void **state)
{
    (void)state;
    static const char *const garbage[] = {
        "\r\n\r\n\r\n\r\n",
        "hello\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5x\r\n\r\nhello",
        "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        begin();
        say(client, garbage[i]);
        shutdown(client, SHUT_WR);
        until(is_refused_or_closed);
        end();
    }
    begin();
    say(client, "GET /fine HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_reply("200", "GET /fine 0");
    end();
}

static bool all_have_left(void)
{
    return left >= held_count;
}

/* Requests with bytes changed, taken out and put in, cut anywhere: no answer is checked, only that
 * the server goes on. */
static void survives_mutated_requests(void **state)
{
    (void)state;
    static const char *const seeds[] = {
        "GET /a HTTP/1.1\r\nHost: x\r\nX-Asked: y\r\n\r\n",
        "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
        "POST /small HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 50\r\n\r\n",
        "POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-B: z\r\n\r\n",
        "GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n",
    };
    struct rng rng;
    rng_seed(&rng, 7);
    for (int i = 0; i < 500; i++) {
        struct buf text = {0};
        buf_puts(&text, seeds[rng_below(&rng, sizeof seeds / sizeof seeds[0])]);
        for (uint64_t changes = rng_below(&rng, 6); changes && text.len; changes--) {
            size_t at = (size_t)rng_below(&rng, text.len);
            if (rng_below(&rng, 3))
                text.data[at] = (char)rng_next(&rng);
            else
                text.len = at + 1;
        }
        client = connect_to(http_server_port(server));
        (void)send(client, text.data, text.len, MSG_NOSIGNAL);
        http_server_drain(server);
        close(client);
        http_server_drain(server);
        until(all_have_left); /* those that wait for an answer */
        held_count = left = 0;
        buf_free(&text);
    }
    begin();
    say(client, "GET /fine HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_reply("200", "GET /fine 0");
    end();
}

static void refuses_a_head_without_end(void **state)
{
    (void)state;
    begin();
    say(client, "GET /");
    client_closed = false;
    for (int i = 0; i < 1000000 && !client_closed && !reply.len; i++) {
        if (send(client, "aaaaaaaaaaaaaaaa", 16, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
            break;
        http_server_drain(server);
        read_reply();
    }
    assert_int_equal(served, 0);
    end();
    begin();
    say(client, "GET /fine HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_reply("200", "GET /fine 0");
    end();
}

static int64_t began;

static bool patience_is_over(void)
{
    return is_closed();
}

/* All connections are taken by clients that never come to the point. */
static void outlasts_clients_that_say_nothing(void **state)
{
    (void)state;
    int fds[HTTP_SERVER_CONNECTIONS];
    began = clock_now();
    for (int i = 0; i < HTTP_SERVER_CONNECTIONS; i++) {
        fds[i] = connect_to(http_server_port(server));
        say(fds[i], i % 2 ? "GET / HTTP/1.1\r\nX" : "G");
    }
    begin();
    say(client, "GET /fine HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_reply("200", "GET /fine 0");
    assert_true(clock_now() - began >= PATIENCE / 2);
    end();
    client = fds[0];
    until(patience_is_over);
    for (int i = 0; i < HTTP_SERVER_CONNECTIONS; i++)
        close(fds[i]);
    buf_free(&reply);
}

/* More connections than there may be, each left open after its request. */
static void lets_go_of_what_is_idle_for_longest(void **state)
{
    (void)state;
    enum { MANY = 3 * HTTP_SERVER_CONNECTIONS };
    int fds[MANY];
    char byte;
    begin();
    int kept = client; /* is used again and again */
    for (int i = 0; i < MANY; i++) {
        fds[i] = client = connect_to(http_server_port(server));
        say(client, "GET /fine HTTP/1.1\r\nHost: x\r\n\r\n");
        expect_reply("200", "GET /fine 0");
        client = kept;
        say(client, "GET /fine HTTP/1.1\r\nHost: x\r\n\r\n");
        expect_reply("200", "GET /fine 0");
    }
    assert_int_equal(recv(fds[0], &byte, 1, 0), 0);
    assert_int_equal(recv(fds[MANY - 2], &byte, 1, 0), -1);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    end();
}

/* ---- who is at the other end ---- */

static void admits_nobody_who_is_refused(void **state)
{
    (void)state;
    refuse_all = true;
    begin();
    (void)send(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, MSG_NOSIGNAL);
    until(is_closed);
    assert_int_equal(reply.len, 0);
    assert_int_equal(served, 0);
    end();
}

static void finds_the_user_in_both_ways(void **state)
{
    (void)state;
    struct sockaddr_in own = {0}, peer = {0};
    socklen_t len = sizeof own;
    uid_t user = 12345;
    begin();
    assert_int_equal(getpeername(client, (struct sockaddr *)&own, &len), 0);
    len = sizeof peer;
    assert_int_equal(getsockname(client, (struct sockaddr *)&peer, &len), 0);
    assert_int_equal(peer_user(&peer, &own, &user), 0);
    assert_int_equal(user, geteuid());
    user = 12345;
    assert_int_equal(peer_user_listed(&peer, &own, &user), 0);
    assert_int_equal(user, geteuid());
    end();
    peer.sin_port = 0;
    assert_int_equal(peer_user(&peer, &own, &user), -1);
    assert_int_equal(peer_user_listed(&peer, &own, &user), -1);
}

/* As Java does where there is IPv6: the kernel lists such a socket elsewhere. */
static void finds_the_user_of_a_socket_that_could_speak_ipv6(void **state)
{
    (void)state;
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                              .sin_port = htons(http_server_port(server))};
    struct sockaddr_in peer = own;
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = own.sin_port}, from;
    socklen_t len = sizeof from;
    uid_t user = 12345;
    to.sin6_addr.s6_addr[10] = to.sin6_addr.s6_addr[11] = 0xFF;
    memcpy(to.sin6_addr.s6_addr + 12, &own.sin_addr, 4);
    client = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client < 0)
        skip();
    assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(getsockname(client, (struct sockaddr *)&from, &len), 0);
    peer.sin_port = from.sin6_port;
    assert_int_equal(peer_user(&peer, &own, &user), 0);
    assert_int_equal(user, geteuid());
    user = 12345;
    assert_int_equal(peer_user_listed(&peer, &own, &user), 0);
    assert_int_equal(user, geteuid());
    end();
}

static void opens_many_servers_on_ports_of_their_own(void **state)
{
    (void)state;
    const struct http_server_settings settings = {
        .owner = &served, .limit = limit, .request = requested, .gone = gone};
    struct http_server *others[10];
    for (int i = 0; i < 10; i++) {
        others[i] = http_server_open(loop, &settings, &err);
        assert_non_null(others[i]);
        client = connect_to(http_server_port(others[i]));
        say(client, "GET /fine HTTP/1.1\r\nHost: x\r\n\r\n");
        expect_reply("200", "GET /fine 0");
        close(client);
    }
    struct http_server_settings taken = settings;
    taken.port = http_server_port(others[0]);
    assert_null(http_server_open(loop, &taken, &err));
    assert_int_equal(err.kind, ERR_SYSTEM);
    assert_int_equal(err.sys_errno, EADDRINUSE);
    for (int i = 0; i < 10; i++)
        http_server_close(others[i]);
    buf_free(&reply);
}

#define SCENE(name) cmocka_unit_test_setup_teardown(name, setup, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(answers_a_request),
        SCENE(takes_a_body_and_keeps_the_connection),
        SCENE(takes_a_chunked_body_with_a_trailer),
        SCENE(takes_a_body_of_a_megabyte),
        SCENE(answers_later),
        SCENE(keeps_requests_apart_that_wait),
        SCENE(tells_that_a_client_has_left),
        SCENE(takes_what_a_dead_client_has_sent),
        SCENE(closes_with_requests_that_wait),
        SCENE(keeps_nothing_of_a_body_that_is_too_large),
        SCENE(refuses_before_it_is_sent_what_will_be_too_large),
        SCENE(closes_on_a_body_without_end),
        SCENE(survives_garbage),
        SCENE(survives_mutated_requests),
        SCENE(refuses_a_head_without_end),
        SCENE(outlasts_clients_that_say_nothing),
        SCENE(lets_go_of_what_is_idle_for_longest),
        SCENE(admits_nobody_who_is_refused),
        SCENE(finds_the_user_in_both_ways),
        SCENE(finds_the_user_of_a_socket_that_could_speak_ipv6),
        SCENE(opens_many_servers_on_ports_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
