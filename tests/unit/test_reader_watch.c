/* test_reader_watch.c: claims about sys/reader_watch.h. */
#include "sys/reader_watch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop *loop;
static struct loop_idle idle;
static struct err err;
static unsigned left;

static void stop_loop(struct loop_idle *own)
{
    (void)own;
    loop_stop(loop);
}

static void gone(struct reader_watch *watch)
{
    (void)watch;
    left++;
}

static int set_up(void **state)
{
    (void)state;
    left = 0;
    loop = loop_new(&err);
    idle.run = stop_loop;
    loop_idle_add(loop, &idle);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

static void turn(void)
{
    for (int i = 0; i < 3; i++)
        assert_int_equal(loop_run(loop, &err), 0);
}

static void tells_once_that_the_last_reader_has_left(void **state)
{
    struct reader_watch watch = {.gone = gone};
    int ends[2], other;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    other = dup(ends[0]);
    reader_watch_open(&watch, loop, ends[1]);
    close(ends[0]);
    turn();
    assert_int_equal(left, 0);
    close(other);
    turn();
    assert_int_equal(left, 1);
    turn();
    assert_int_equal(left, 1);
    reader_watch_close(&watch);
    assert_int_equal(fcntl(ends[1], F_GETFD), 0); /* it stays the caller's */
    close(ends[1]);
}

static void says_nothing_of_a_full_pipe_or_after_it_is_closed(void **state)
{
    struct reader_watch watch = {.gone = gone};
    char page[4096] = "";
    int ends[2];
    (void)state;
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    reader_watch_open(&watch, loop, ends[1]);
    while (write(ends[1], page, sizeof page) > 0)
        ;
    turn();
    reader_watch_close(&watch);
    reader_watch_close(&watch);
    close(ends[0]);
    turn();
    assert_int_equal(left, 0);
    close(ends[1]);
}

static void tells_that_the_peer_of_a_socket_has_left_with_bytes_unread(void **state)
{
    struct reader_watch watch = {.gone = gone};
    int ends[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    reader_watch_open(&watch, loop, ends[0]);
    assert_int_equal(write(ends[0], "1", 1), 1);
    turn();
    assert_int_equal(left, 0);
    close(ends[1]);
    turn();
    assert_int_equal(left, 1);
    reader_watch_close(&watch);
    close(ends[0]);
}

static void a_peer_that_has_only_ended_its_own_writing_still_reads(void **state)
{
    struct reader_watch watch = {.gone = gone};
    int ends[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    reader_watch_open(&watch, loop, ends[0]);
    assert_int_equal(shutdown(ends[1], SHUT_WR), 0);
    turn();
    assert_int_equal(left, 0);
    reader_watch_close(&watch);
    close(ends[0]);
    close(ends[1]);
}

static void leaves_alone_what_has_no_reader_to_lose(void **state)
{
    struct reader_watch watch = {.gone = gone};
    int ends[2], null = open("/dev/null", O_WRONLY);
    (void)state;
    reader_watch_open(&watch, loop, null);
    reader_watch_close(&watch);
    close(null);
    reader_watch_open(&watch, loop, null);
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    reader_watch_open(&watch, loop, ends[0]);
    close(ends[1]);
    turn();
    reader_watch_close(&watch);
    close(ends[0]);
    assert_int_equal(left, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_once_that_the_last_reader_has_left, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(says_nothing_of_a_full_pipe_or_after_it_is_closed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(tells_that_the_peer_of_a_socket_has_left_with_bytes_unread,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_peer_that_has_only_ended_its_own_writing_still_reads,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_alone_what_has_no_reader_to_lose, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
