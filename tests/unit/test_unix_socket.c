/* test_unix_socket.c: claims about sys/unix_socket.h. */
#include "sys/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static int fd; /* of the folder */

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_unix_socket.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlinkat(fd, "name", 0);
    close(fd);
    return rmdir(folder);
}

static int listen_at(const char *name)
{
    struct err err;
    int listener = unix_socket_listen(fd, name, &err);
    assert_true(listener >= 0);
    return listener;
}

static int connect_to(const char *name)
{
    struct err err;
    int own = unix_socket_connect(fd, name, &err);
    assert_true(own >= 0);
    return own;
}

static void assert_is_usual(int socket)
{
    assert_true(fcntl(socket, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(socket, F_GETFL) & O_NONBLOCK);
}

static void carries_bytes_both_ways(void **state)
{
    (void)state;
    char byte = 0;
    int listener = listen_at("name");
    assert_int_equal(unix_socket_accept(listener), -1);
    assert_int_equal(errno, EAGAIN);
    int one = connect_to("name");
    int other = unix_socket_accept(listener);
    assert_true(other >= 0);
    assert_is_usual(listener);
    assert_is_usual(one);
    assert_is_usual(other);
    assert_int_equal(write(one, "a", 1), 1);
    assert_int_equal(read(other, &byte, 1), 1);
    assert_int_equal(byte, 'a');
    assert_int_equal(write(other, "b", 1), 1);
    assert_int_equal(read(one, &byte, 1), 1);
    assert_int_equal(byte, 'b');
    close(one);
    assert_int_equal(read(other, &byte, 1), 0);
    close(other);
    close(listener);
}

static void is_for_its_owner_whatever_the_umask(void **state)
{
    (void)state;
    struct stat info;
    mode_t before = umask(0);
    int listener = listen_at("name");
    umask(before);
    assert_int_equal(fstatat(fd, "name", &info, AT_SYMLINK_NOFOLLOW), 0);
    assert_true(S_ISSOCK(info.st_mode));
    assert_int_equal(info.st_mode & 0777, 0600);
    close(listener);
}

static void says_that_nobody_listens(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(unix_socket_connect(fd, "name", &err), -1);
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    close(listen_at("name")); /* as one that was killed leaves it */
    assert_int_equal(unix_socket_connect(fd, "name", &err), -1);
    assert_int_equal(err.kind, ERR_NOT_FOUND);
}

static void replaces_what_was_there(void **state)
{
    (void)state;
    int killed = listen_at("name");
    int listener = listen_at("name");
    int own = connect_to("name");
    assert_int_equal(unix_socket_accept(killed), -1);
    int other = unix_socket_accept(listener);
    assert_true(other >= 0);
    assert_int_equal(faccessat(fd, "name.new", F_OK, 0), -1);
    close(other);
    close(own);
    close(killed);
    close(listener);
}

static void refuses_a_name_that_does_not_fit(void **state)
{
    (void)state;
    char name[200];
    struct err err;
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(unix_socket_listen(fd, name, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_int_equal(unix_socket_connect(fd, name, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
}

static void knows_who_is_there_and_whom_to_trust(void **state)
{
    (void)state;
    struct unix_peer peer;
    int listener = listen_at("name");
    int one = connect_to("name");
    int other = unix_socket_accept(listener);
    int ends[] = {one, other};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(unix_socket_peer(ends[i], &peer), 0);
        assert_int_equal(peer.pid, getpid());
        assert_int_equal(peer.uid, geteuid());
        assert_true(unix_peer_is_trusted(&peer));
        close(ends[i]);
    }
    close(listener);
    peer.uid = 0;
    assert_true(unix_peer_is_trusted(&peer));
    peer.uid = geteuid() + 1;
    assert_false(unix_peer_is_trusted(&peer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(carries_bytes_both_ways, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(is_for_its_owner_whatever_the_umask, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(says_that_nobody_listens, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(replaces_what_was_there, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(refuses_a_name_that_does_not_fit, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(knows_who_is_there_and_whom_to_trust, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
