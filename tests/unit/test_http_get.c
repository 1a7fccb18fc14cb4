/* test_http_get.c: a URL that is looked at, and calls that are ended, against a server in the loop.
 */
#include "fn/http.h"

#include "base/buf.h"
#include "base/list.h"
#include "base/mem.h"
#include "fn_world.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { CONNECTIONS = 16 };

struct connection {
    struct loop_fd watch;
    struct buf in;
};

static struct fn_http http;
static struct fn_validators validators;
static struct loop_fd listening;
static unsigned port;
static struct connection connections[CONNECTIONS];
static unsigned accepted;
static struct buf asked; /* the first lines of all requests, and their validators */
static char other[128];  /* a place on another server */
static const char *odd;  /* the head of an answer */

/* ---- the server ---- */

static void reply(struct connection *connection, const char *head, const char *body)
{
    struct buf text = {0};
    buf_addf(&text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", head, strlen(body), body);
    assert_int_equal(send(connection->watch.fd, text.data, text.len, 0), text.len);
    buf_free(&text);
}

static void answer(struct connection *connection, const char *request)
{
    char head[256];
    if (strncmp(request, "GET /value ", 11) == 0 && strstr(request, "If-None-Match: \"1\"\r\n"))
        reply(connection, "304 Not Modified", "");
    else if (strncmp(request, "GET /value ", 11) == 0)
        reply(connection, "200 OK\r\nETag: \"1\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT",
              "{\n \"a\": 1\n}");
    else if (strncmp(request, "GET /odd ", 9) == 0)
        reply(connection, odd, "1");
    else if (strncmp(request, "GET /here ", 10) == 0)
        reply(connection, "302 Found\r\nLocation: /value", "{}");
    else if (strncmp(request, "GET /round ", 11) == 0)
        reply(connection, "301 Moved\r\nLocation: round", "");
    else if (strncmp(request, "GET /away ", 10) == 0) {
        snprintf(head, sizeof head, "302 Found\r\nLocation: %s", other);
        reply(connection, head, "");
    } else if (strncmp(request, "POST /late ", 11) != 0)
        reply(connection, "500 Broken\r\nETag: \"2\"", "");
}

static void note(const char *request)
{
    const char *know = strstr(request, "If-None-Match");
    buf_add(&asked, request, strcspn(request, "\r") - strlen(" HTTP/1.1"));
    buf_puts(&asked, know ? " again\n" : "\n");
}

static void readable(struct loop_fd *watch, uint32_t events)
{
    struct connection *connection = CONTAINER_OF(watch, struct connection, watch);
    char bytes[4096];
    (void)events;
    ssize_t got = recv(watch->fd, bytes, sizeof bytes, 0);
    if (got <= 0) {
        loop_fd_remove(loop, watch);
        close(watch->fd);
        return;
    }
    buf_add(&connection->in, bytes, (size_t)got);
    if (!strstr(buf_cstr(&connection->in), "\r\n\r\n"))
        return;
    note(buf_cstr(&connection->in));
    answer(connection, buf_cstr(&connection->in));
    buf_clear(&connection->in);
}

static void acceptable(struct loop_fd *watch, uint32_t events)
{
    struct connection *connection = &connections[accepted];
    (void)events;
    int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(fd >= 0 && accepted++ < CONNECTIONS);
    connection->watch.ready = readable;
    assert_int_equal(loop_fd_add(loop, &connection->watch, fd, EPOLLIN), 0);
}

static void serve(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(fd, CONNECTIONS), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    port = ntohs(at.sin_port);
    listening.ready = acceptable;
    assert_int_equal(loop_fd_add(loop, &listening, fd, EPOLLIN), 0);
}

/* ---- the scene ---- */

static int setup(void **state)
{
    if (world_make(state) < 0)
        return -1;
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    http = (struct fn_http){.get = true, .validators = &validators};
    settings.http = &http;
    memset(connections, 0, sizeof connections);
    accepted = 0;
    serve();
    snprintf(other, sizeof other, "http://127.0.0.2:%u/value", port);
    return 0;
}

static int tear_down(void **state)
{
    for (unsigned i = 0; i < accepted; i++) {
        if (connections[i].watch.active) {
            loop_fd_remove(loop, &connections[i].watch);
            close(connections[i].watch.fd);
        }
        buf_free(&connections[i].in);
    }
    loop_fd_remove(loop, &listening);
    close(listening.fd);
    buf_free(&asked);
    free(validators.etag);
    free(validators.modified);
    validators = (struct fn_validators){0};
    return world_remove(state);
}

static struct fn *open_url(const char *path)
{
    char url[128];
    char *words[] = {url, NULL};
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", port, path);
    struct fn *fn = fn_open(&context, &settings, words, 1, &err);
    if (!fn)
        fail_msg("%s: %s", url, err.text);
    return fn;
}

struct
try {
    struct fn_call call; /* first */
    unsigned ended;
};

static void done(struct fn_call *call)
{
    ((struct try *)(void *)call)->ended++;
    loop_stop(loop);
}

static void too_long(struct loop_timer *timer)
{
    (void)timer;
    fail_msg("nothing happened");
}

static void turn(void)
{
    struct loop_timer alarm = {.fire = too_long};
    loop_timer_set(loop, &alarm, loop_now(loop) + DEADLINE);
    assert_int_equal(loop_run(loop, &err), 0);
    loop_timer_clear(loop, &alarm);
}

static void begin(struct fn *fn, struct try *try)
{
    *try = (struct try){.call = {.event = {NULL, "{}", 2}, .id = STR("id"), .done = done}};
    fn_call(fn, &try->call);
}

static void closed(void *owner)
{
    *(bool *)owner = true;
}

static void end(struct fn *fn)
{
    bool is_closed = false;
    fn_close(fn, closed, &is_closed);
    assert_true(is_closed);
    fn_free(fn);
}

/* One look: the status of its failure, 0 if it succeeded; lines must be that. */
static int look(const char *path, const char *lines)
{
    struct try try;
    struct fn *fn = open_url(path);
    begin(fn, &try);
    while (!try.ended)
        turn();
    assert_int_equal(try.ended, 1);
    int status = try.call.failure ? try.call.failure->status : 0;
    if (!try.call.failure)
        assert_true(str_eq(slice_str(try.call.lines), str_of(lines)));
    failure_free(try.call.failure);
    slice_drop(&try.call.lines);
    end(fn);
    return status;
}

/* ---- the claims ---- */

static void hears_that_nothing_has_changed(void **state)
{
    (void)state;
    assert_int_equal(look("/value", "{\"a\":1}\n"), 0);
    assert_string_equal(validators.etag, "\"1\"");
    assert_string_equal(validators.modified, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_false(validators.unchanged);
    assert_int_equal(look("/value", ""), 0);
    assert_true(validators.unchanged);
    assert_string_equal(validators.etag, "\"1\"");
    assert_string_equal(buf_cstr(&asked), "GET /value\nGET /value again\n");
}

static void learns_nothing_from_a_failure(void **state)
{
    (void)state;
    assert_int_equal(look("/value", "{\"a\":1}\n"), 0);
    assert_int_equal(look("/broken", ""), 500);
    assert_string_equal(validators.etag, "\"1\"");
    assert_int_equal(look("/value", ""), 0);
    assert_true(validators.unchanged);
}

/* It is stored as text, and sent back. */
static void keeps_no_validator_that_is_no_text(void **state)
{
    static const char *const etags[] = {"\"\xFF\"", "\"\xC3\"", "\"a\rX-Evil: 1\"", "\"\x01\"",
                                        "\"\x7F\""};
    char head[64];
    (void)state;
    for (size_t i = 0; i < sizeof etags / sizeof *etags; i++) {
        assert_int_equal(look("/value", "{\"a\":1}\n"), 0);
        assert_non_null(validators.etag);
        snprintf(head, sizeof head, "200 OK\r\nETag: %s\r\nLast-Modified: once", etags[i]);
        odd = head;
        assert_int_equal(look("/odd", "1\n"), 0);
        assert_null(validators.etag);
        assert_string_equal(validators.modified, "once");
    }
    odd = "200 OK\r\nETag: \"\xC3\xA9\t\"";
    assert_int_equal(look("/odd", "1\n"), 0);
    assert_string_equal(validators.etag, "\"\xC3\xA9\t\"");
    assert_null(validators.modified);
}

static void follows_a_redirect_on_the_same_server(void **state)
{
    (void)state;
    assert_int_equal(look("/here", "{\"a\":1}\n"), 0);
    assert_string_equal(buf_cstr(&asked), "GET /here\nGET /value\n");
}

static void follows_no_more_than_five(void **state)
{
    (void)state;
    assert_int_equal(look("/round", ""), 301);
    assert_string_equal(buf_cstr(&asked), "GET /round\nGET /round\nGET /round\nGET /round\n"
                                          "GET /round\nGET /round\n");
}

static void follows_none_to_another_server(void **state)
{
    (void)state;
    assert_int_equal(look("/away", ""), 302);
    assert_string_equal(buf_cstr(&asked), "GET /away\n");
}

/* The second call waits for the slot of the first. */
static void gives_up_a_call_at_once(void **state)
{
    struct try tries[2];
    (void)state;
    http.get = false;
    struct fn *fn = open_url("/late");
    begin(fn, &tries[0]);
    begin(fn, &tries[1]);
    assert_true(fn_end(&tries[0].call, FAILURE_NOT_NEEDED));
    assert_int_equal(tries[0].ended, 1);
    assert_int_equal(tries[0].call.failure->reason, FAILURE_NOT_NEEDED);
    assert_true(fn_end(&tries[1].call, FAILURE_NOT_NEEDED));
    assert_int_equal(tries[1].ended, 1);
    for (int i = 0; i < 2; i++)
        failure_free(tries[i].call.failure);
    end(fn);
}

static void until_asked(struct loop_timer *timer)
{
    if (asked.len)
        loop_stop(loop);
    else
        loop_timer_set(loop, timer, loop_now(loop) + NUM_SECOND / 1000);
}

/* Turn until the server has been asked. */
static void reach_the_server(void)
{
    struct loop_timer poll = {.fire = until_asked};
    buf_clear(&asked);
    loop_timer_set(loop, &poll, loop_now(loop));
    turn();
    loop_timer_clear(loop, &poll);
}

static void gives_up_a_call_that_waits_for_its_answer(void **state)
{
    struct try tries[2];
    (void)state;
    http.get = false;
    struct fn *fn = open_url("/late");
    begin(fn, &tries[0]);
    begin(fn, &tries[1]);
    reach_the_server();
    assert_true(fn_end(&tries[0].call, FAILURE_NOT_NEEDED));
    reach_the_server(); /* of the second */
    fn_cancel(fn, FAILURE_INTERRUPTED, false);
    assert_int_equal(tries[1].ended, 1);
    assert_int_equal(tries[1].call.failure->reason, FAILURE_INTERRUPTED);
    for (int i = 0; i < 2; i++)
        failure_free(tries[i].call.failure);
    end(fn);
}

static void can_be_freed_in_the_middle_of_a_call(void **state)
{
    struct try try;
    (void)state;
    http.get = false;
    struct fn *fn = open_url("/late");
    begin(fn, &try);
    reach_the_server();
    fn_free(fn);
    assert_int_equal(try.ended, 0);
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, tear_down)
    const struct CMUnitTest tests[] = {
        CLAIM(hears_that_nothing_has_changed),
        CLAIM(learns_nothing_from_a_failure),
        CLAIM(keeps_no_validator_that_is_no_text),
        CLAIM(follows_a_redirect_on_the_same_server),
        CLAIM(follows_no_more_than_five),
        CLAIM(follows_none_to_another_server),
        CLAIM(gives_up_a_call_at_once),
        CLAIM(gives_up_a_call_that_waits_for_its_answer),
        CLAIM(can_be_freed_in_the_middle_of_a_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
