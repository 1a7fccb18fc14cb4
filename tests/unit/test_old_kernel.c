/* test_old_kernel.c: claims about lib/sys where the kernel lacks, or a sandbox forbids, newer
 * calls. */
#include "base/clock.h"
#include "base/num.h"
#include "sys/loop.h"
#include "sys/spawn.h"
#include "sys/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* From here on these calls fail with ENOSYS in this process and its children. */
static int forbid_newer_calls(void **state)
{
    (void)state;
#define FORBID(call)                                       \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS)
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        FORBID(close_range),
        FORBID(epoll_pwait2),
        FORBID(preadv2),
        FORBID(pwritev2),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
#undef FORBID
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        print_message("# no filters here: the newer calls are used\n");
    return 0;
}

static struct loop *the_loop;

static void stop(struct loop_timer *timer)
{
    (void)timer;
    loop_stop(the_loop);
}

static void timers_are_never_early(void **state)
{
    (void)state;
    struct err err;
    the_loop = loop_new(&err);
    struct loop_timer timer = {.fire = stop};
    for (int i = 0; i < 5; i++) {
        int64_t at = clock_now() + 300 * 1000 + i;
        loop_timer_set(the_loop, &timer, at);
        assert_int_equal(loop_run(the_loop, &err), 0);
        assert_true(clock_now() >= at);
    }
    loop_free(the_loop);
}

static void a_child_has_only_three_descriptors(void **state)
{
    (void)state;
    struct err err;
    int ends[2], low = open("/dev/null", O_RDONLY), high = fcntl(low, F_DUPFD, 700);
    char *argv[] = {(char[]){"ls"}, (char[]){"/proc/self/fd"}, NULL}, *envp[] = {NULL};
    char names[256];
    size_t len = 0;
    ssize_t got;
    assert_int_equal(spawn_pipe(ends, 0, 0), 0);
    struct spawn_spec spec = {
        .path = "/bin/ls", .argv = argv, .envp = envp, .fds = {-1, ends[1], 2}};
    pid_t pid = spawn_process(&spec, &err);
    assert_true(pid > 0);
    close(ends[1]);
    while ((got = read(ends[0], names + len, sizeof names - 1 - len)) > 0)
        len += (size_t)got;
    names[len] = '\0';
    assert_string_equal(names, "0\n1\n2\n3\n"); /* 3: the folder that ls reads */
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(ends[0]);
    close(low);
    close(high);
}

static void count_progress(struct stream_out *out)
{
    if (!stream_pending(out))
        loop_stop(the_loop);
}

static void drain(struct loop_fd *watch, uint32_t events)
{
    (void)events;
    char bytes[65536];
    assert_true(stream_read(watch->fd, bytes, sizeof bytes) > 0);
}

/* A pipe of somebody else cannot be opened anew: PIPE_BUF bytes at a time, when poll says so. */
static void a_shared_pipe_that_cannot_be_reopened_is_written_to_its_end(void **state)
{
    (void)state;
    static char bytes[300 * 1000];
    struct err err;
    int ends[2];
    uid_t me = geteuid();
    the_loop = loop_new(&err);
    assert_int_equal(pipe(ends), 0);
    if (me == 0)
        assert_int_equal(fchown(ends[0], 1, 1), 0);
    assert_int_equal(fchmod(ends[0], 0), 0);
    assert_int_equal(seteuid(me ? me : 65534), 0);
    struct stream_out out = {.progress = count_progress};
    struct loop_fd reader = {.ready = drain};
    stream_open(&out, the_loop, ends[1], false);
    assert_int_equal(seteuid(me), 0);
    assert_int_equal(out.target, ends[1]);
    assert_int_equal(loop_fd_add(the_loop, &reader, ends[0], EPOLLIN), 0);
    alarm(20);
    stream_add(&out, (struct str){bytes, sizeof bytes});
    assert_true(out.waiting);
    assert_int_equal(loop_run(the_loop, &err), 0);
    alarm(0);
    assert_int_equal(out.written, sizeof bytes);
    assert_false(fcntl(ends[1], F_GETFL) & O_NONBLOCK);
    assert_int_equal(stream_close(&out, 0), 0);
    loop_fd_remove(the_loop, &reader);
    loop_free(the_loop);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_are_never_early),
        cmocka_unit_test(a_child_has_only_three_descriptors),
        cmocka_unit_test(a_shared_pipe_that_cannot_be_reopened_is_written_to_its_end),
    };
    return cmocka_run_group_tests_name("old_kernel", tests, forbid_newer_calls, NULL);
}
