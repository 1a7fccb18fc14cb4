/* test_spawn.c: claims about sys/spawn.h. */
#include "sys/spawn.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static char *const plain_env[] = {(char[]){"LC_ALL=C"}, (char[]){"PATH=/usr/bin:/bin"}, NULL};

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_spawn.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static const char *in_folder(const char *name)
{
    static char path[4][128];
    static unsigned next;
    char *to = path[next++ % 4];
    snprintf(to, sizeof path[0], "%s/%s", folder, name);
    return to;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(in_folder(name), mode), 0);
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"script", "sub/tool", "sub",    "plain/tool",
                                        "plain",  "dir/tool", "dir",    "headless",
                                        "data",   "lost",     "-n odd", "tool"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        remove(in_folder(names[i]));
    return rmdir(folder);
}

/* The words of a command, ended by NULL; fds as in the header. */
static pid_t start(const int fds[3], struct err *err, const char *path, ...)
{
    char *argv[16];
    size_t count = 0;
    va_list words;
    struct spawn_spec spec = {path, argv, plain_env, {fds[0], fds[1], fds[2]}, NULL, false};
    va_start(words, path);
    do
        argv[count] = va_arg(words, char *);
    while (argv[count++]);
    va_end(words);
    return spawn_process(&spec, err);
}

static int wait_for(pid_t pid)
{
    int status = -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* Read until the end of fd, which is closed. */
static char *read_all(int fd)
{
    static char text[8192];
    size_t len = 0;
    ssize_t got;
    while ((got = read(fd, text + len, sizeof text - 1 - len)) > 0)
        len += (size_t)got;
    close(fd);
    text[len] = '\0';
    return text;
}

/* What `sh -c script` prints, with nothing on standard input. */
static char *output_of(const char *script)
{
    struct err err;
    int ends[2];
    assert_int_equal(spawn_pipe(ends, 0, 0), 0);
    pid_t pid = start((int[]){-1, ends[1], 2}, &err, "/bin/sh", "sh", "-c", script, NULL);
    assert_true(pid > 0);
    close(ends[1]);
    char *text = read_all(ends[0]);
    wait_for(pid);
    return text;
}

/* ---- starting ---- */

static void passes_arguments_and_environment(void **state)
{
    (void)state;
    assert_string_equal(output_of("echo \"$LC_ALL $0 $#\""), "C sh 0\n");
}

static void gives_a_process_a_group_of_its_own(void **state)
{
    (void)state;
    struct err err;
    pid_t pid = start((int[]){-1, -1, -1}, &err, "/bin/sh", "sh", "-c", "sleep 60", NULL);
    assert_true(pid > 0);
    assert_int_equal(getpgid(pid), pid);
    kill(-pid, SIGKILL);
    assert_true(WIFSIGNALED(wait_for(pid)));
}

static void leaves_only_three_descriptors_open(void **state)
{
    (void)state;
    struct err err;
    int ends[2], low = open("/dev/null", O_RDONLY), high = fcntl(low, F_DUPFD, 700);
    assert_true(low > 2 && high >= 700); /* not close-on-exec */
    assert_int_equal(spawn_pipe(ends, 0, 0), 0);
    pid_t pid = start((int[]){-1, ends[1], 2}, &err, "/bin/ls", "ls", "/proc/self/fd", NULL);
    close(ends[1]);
    assert_true(pid > 0);
    assert_string_equal(read_all(ends[0]), "0\n1\n2\n3\n"); /* 3: the folder that ls reads */
    wait_for(pid);
    close(low);
    close(high);
}

static void minus_one_is_dev_null(void **state)
{
    (void)state;
    assert_string_equal(output_of("readlink /proc/$$/fd/0"), "/dev/null\n");
}

/* Give the parent's own 0, 1 and 2 to the child in all orders; each must arrive in its place. */
static void places_descriptors_that_overlap(void **state)
{
    (void)state;
    struct err err;
    int kept[3], pipes[3][2];
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0},  {2, 0, 1},
                                    {2, 1, 0}, {1, 1, 1}, {2, 0, 0}, {-1, 0, 1}, {2, -1, -1}};
    for (size_t n = 0; n < sizeof orders / sizeof orders[0]; n++) {
        struct stat want[3], got;
        char inodes[3][32];
        fflush(stdout);
        for (int i = 0; i < 3; i++) {
            kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 100);
            assert_int_equal(pipe2(pipes[i], O_CLOEXEC), 0);
            dup3(pipes[i][1], i, O_CLOEXEC);
            fstat(i, &want[i]);
        }
        char script[256] = "sleep 60";
        pid_t pid = start(orders[n], &err, "/bin/sh", "sh", "-c", script, NULL);
        for (int i = 0; i < 3; i++) {
            char path[64];
            snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, i);
            memset(&got, 0, sizeof got);
            int failed = stat(path, &got);
            snprintf(inodes[i], sizeof inodes[i], "%lu", failed ? 0UL : (unsigned long)got.st_ino);
        }
        for (int i = 0; i < 3; i++) {
            dup2(kept[i], i);
            close(kept[i]);
            close(pipes[i][0]);
            close(pipes[i][1]);
        }
        assert_true(pid > 0);
        struct stat null;
        stat("/dev/null", &null);
        for (int i = 0; i < 3; i++) {
            char expected[32];
            int from = orders[n][i];
            snprintf(expected, sizeof expected, "%lu",
                     (unsigned long)(from < 0 ? null.st_ino : want[from].st_ino));
            assert_string_equal(inodes[i], expected);
        }
        kill(-pid, SIGKILL);
        wait_for(pid);
    }
}

static void works_when_standard_descriptors_are_closed(void **state)
{
    (void)state;
    struct err err;
    int ends[2], kept[3];
    fflush(stdout);
    for (int i = 0; i < 3; i++) {
        kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 100);
        close(i);
    }
    assert_int_equal(spawn_pipe(ends, 0, 0), 0); /* becomes 0 and 1 */
    pid_t pid = start((int[]){-1, ends[1], -1}, &err, "/bin/echo", "echo", "there", NULL);
    close(ends[1]);
    char *text = read_all(ends[0]);
    for (int i = 0; i < 3; i++) {
        dup2(kept[i], i);
        close(kept[i]);
    }
    assert_true(pid > 0);
    wait_for(pid);
    assert_string_equal(text, "there\n");
}

static void resets_ignored_and_blocked_signals(void **state)
{
    (void)state;
    sigset_t block, before;
    void (*old)(int) = signal(SIGPIPE, SIG_IGN);
    signal(SIGRTMIN + 3, SIG_IGN);
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, &before);
    char *text = output_of("grep -E '^Sig(Blk|Ign)' /proc/self/status");
    sigset_t after;
    sigprocmask(SIG_SETMASK, &before, &after);
    assert_true(sigismember(&after, SIGTERM)); /* the parent's own mask came back */
    assert_true(signal(SIGPIPE, old) == SIG_IGN);
    signal(SIGRTMIN + 3, SIG_DFL);
    assert_string_equal(text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

static void the_death_of_the_parent_ends_the_process(void **state)
{
    (void)state;
    int ends[2], stay[2];
    assert_int_equal(spawn_pipe(ends, 0, 0), 0);
    assert_int_equal(spawn_pipe(stay, 0, 0), 0);
    pid_t middle = fork();
    if (middle == 0) {
        struct err err;
        start((int[]){stay[0], ends[1], -1}, &err, "/bin/cat", "cat", NULL);
        raise(SIGKILL);
    }
    close(ends[1]);
    assert_true(WIFSIGNALED(wait_for(middle)));
    struct pollfd gone = {ends[0], POLLIN, 0};
    assert_int_equal(poll(&gone, 1, 20000), 1); /* the end of file that the death of cat gives */
    assert_string_equal(read_all(ends[0]), "");
    close(stay[0]);
    close(stay[1]);
}

static void runs_a_script_without_a_header_by_the_shell(void **state)
{
    (void)state;
    struct err err;
    int ends[2];
    write_file("headless", "echo \"got $# $1\"\n", 0755);
    assert_int_equal(spawn_pipe(ends, 0, 0), 0);
    pid_t pid = start((int[]){-1, ends[1], 2}, &err, in_folder("headless"), "x", "a b", "c", NULL);
    close(ends[1]);
    assert_true(pid > 0);
    assert_string_equal(read_all(ends[0]), "got 2 a b\n");
    assert_int_equal(wait_for(pid), 0);
}

/* ---- failing to start ---- */

static void expect_failure(const char *path, enum err_kind kind, const char *text)
{
    struct err err = {0};
    assert_int_equal(start((int[]){-1, -1, -1}, &err, path, "x", NULL), -1);
    assert_non_null(strstr(err.text, text));
    assert_int_equal(err.kind, kind);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie is left */
    assert_int_equal(errno, ECHILD);
}

static void says_why_a_program_cannot_be_executed(void **state)
{
    (void)state;
    write_file("data", "no program", 0644);
    write_file("lost", "#!/nonexistent/interpreter\n", 0755);
    expect_failure(in_folder("absent"), ERR_NOT_FOUND, "absent: not found");
    expect_failure(in_folder("data/below"), ERR_NOT_FOUND, "not found");
    expect_failure(in_folder("data"), ERR_NOT_USABLE, "data: Permission denied");
    expect_failure(in_folder("lost"), ERR_NOT_USABLE, "its interpreter does not exist");
    expect_failure(folder, ERR_NOT_USABLE, "Permission denied");
}

static void says_when_the_file_is_being_written(void **state)
{
    (void)state;
    write_file("tool", "#!/bin/sh\n", 0755);
    int writer = open(in_folder("tool"), O_WRONLY | O_CLOEXEC);
    expect_failure(in_folder("tool"), ERR_NOT_USABLE, "Text file busy");
    close(writer);
}

static void says_that_the_argument_list_is_too_long(void **state)
{
    (void)state;
    struct err err = {0};
    size_t len = 4u << 20;
    char *huge = mem_alloc(len + 1);
    memset(huge, 'x', len);
    huge[len] = '\0';
    assert_int_equal(start((int[]){-1, -1, -1}, &err, "/bin/true", "true", huge, NULL), -1);
    assert_int_equal(err.kind, ERR_NOT_USABLE);
    assert_string_equal(err.text, "/bin/true: argument list too long");
    free(huge);
}

static void says_when_a_descriptor_is_bad(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(start((int[]){-1, 999, -1}, &err, "/bin/true", "true", NULL), -1);
    assert_int_equal(err.kind, ERR_SYSTEM);
    assert_int_equal(err.sys_errno, EBADF);
}

/* ---- finding ---- */

static void expect_resolved(const char *name, const char *path, const char *want)
{
    struct err err = {0};
    char *got = spawn_resolve(name, path, &err);
    assert_non_null(got);
    assert_string_equal(got, want);
    free(got);
}

static void expect_unresolved(const char *name, const char *path, enum err_kind kind)
{
    struct err err = {0};
    assert_null(spawn_resolve(name, path, &err));
    assert_int_equal(err.kind, kind);
    assert_true(err.text[0] != '\0');
}

static void finds_programs_as_execvp_does(void **state)
{
    (void)state;
    char path[512], want[128];
    mkdir(in_folder("dir"), 0755);
    mkdir(in_folder("dir/tool"), 0755);
    mkdir(in_folder("plain"), 0755);
    mkdir(in_folder("sub"), 0755);
    write_file("plain/tool", "", 0644);
    write_file("sub/tool", "", 0755);
    write_file("tool", "", 0755);
    snprintf(want, sizeof want, "%s/sub/tool", folder);
    snprintf(path, sizeof path, "/nonexistent:%s/dir:%s/plain:%s/sub", folder, folder, folder);
    expect_resolved("tool", path, want);
    expect_resolved(want, "", want);

    char before[256];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    expect_resolved("tool", "", "./tool");
    expect_resolved("tool", ":/bin", "./tool");
    expect_resolved("tool", "/nonexistent:", "./tool");
    expect_resolved("tool", "/nonexistent::/bin", "./tool");
    expect_resolved("sub/tool", NULL, "sub/tool");
    expect_unresolved("tool", "/bin", ERR_NOT_FOUND);
    assert_int_equal(chdir(before), 0);

    struct err err;
    char *sh = spawn_resolve("sh", NULL, &err);
    assert_non_null(sh);
    free(sh);
}

static void tells_unusable_from_not_found(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s/dir:%s/plain:/nonexistent", folder, folder);
    expect_unresolved("tool", path, ERR_NOT_USABLE);
    expect_unresolved("absent", path, ERR_NOT_FOUND);
    expect_unresolved("", path, ERR_NOT_FOUND);
    expect_unresolved(in_folder("plain/tool"), path, ERR_NOT_USABLE);
    expect_unresolved(in_folder("dir"), path, ERR_NOT_USABLE);
    expect_unresolved(in_folder("none/tool"), path, ERR_NOT_FOUND);
    expect_unresolved("/dev/null", path, ERR_NOT_USABLE);
}

/* ---- ending ---- */

/* True once no process has fd's other end open, which every descendant has inherited. */
static bool all_gone(int fd)
{
    struct pollfd gone = {fd, POLLIN, 0};
    char rest[256];
    int64_t until = clock_now() + 20 * NUM_SECOND;
    while (clock_now() < until) {
        if (poll(&gone, 1, 1000) > 0 && read(fd, rest, sizeof rest) == 0)
            return true;
    }
    return false;
}

/* Start script and wait until it has written lines lines. */
static pid_t start_tree(const char *script, int lines, int *watch)
{
    struct err err;
    int ends[2];
    assert_int_equal(spawn_pipe(ends, 0, 0), 0);
    pid_t pid = start((int[]){-1, ends[1], -1}, &err, "/bin/sh", "sh", "-c", script, NULL);
    assert_true(pid > 0);
    close(ends[1]);
    while (lines) {
        char c;
        assert_int_equal(read(ends[0], &c, 1), 1);
        lines -= c == '\n';
    }
    *watch = ends[0];
    return pid;
}

static void kills_descendants_that_left_the_group(void **state)
{
    (void)state;
    int watch;
    pid_t pid = start_tree("setsid sh -c 'echo; setsid sh -c \"echo; sleep 60; :\"; :' & "
                           "sh -c 'echo; sleep 60; :' & echo; wait",
                           4, &watch);
    spawn_signal_tree(pid, SIGKILL);
    assert_true(all_gone(watch));
    assert_true(WIFSIGNALED(wait_for(pid)));
    close(watch);
}

static void kills_the_children_of_an_orphan_of_the_group(void **state)
{
    (void)state;
    int watch;
    pid_t pid = start_tree(
        "(sh -c 'setsid sh -c \"echo; sleep 60; :\" & echo; wait' &) ; echo; sleep 60; :", 3,
        &watch);
    spawn_signal_tree(pid, SIGKILL);
    assert_true(all_gone(watch));
    wait_for(pid);
    close(watch);
}

static void kills_a_tree_that_grows_meanwhile(void **state)
{
    (void)state;
    int watch;
    pid_t pid = start_tree(
        "echo; while :; do setsid sh -c 'setsid sleep 30 & sleep 30; :' & sleep 0.002; done", 1,
        &watch);
    for (int i = 0; i < 3; i++)
        poll(NULL, 0, 5); /* let it grow a little; how far does not matter */
    spawn_signal_tree(pid, SIGKILL);
    assert_true(WIFSIGNALED(wait_for(pid)));
    assert_true(all_gone(watch));
    close(watch);
}

static void a_gentle_signal_reaches_everybody_once(void **state)
{
    (void)state;
    int watch;
    pid_t pid = start_tree(
        "trap 'echo root; exit' TERM; "
        "setsid sh -c 'trap \"echo leaver; exit\" TERM; echo; while :; do sleep 0.01; done' & "
        "echo; while :; do sleep 0.01; done",
        2, &watch);
    spawn_signal_tree(pid, SIGTERM);
    const char *said = read_all(watch);
    assert_true(!strcmp(said, "root\nleaver\n") || !strcmp(said, "leaver\nroot\n"));
    wait_for(pid);
}

/* Both are gone from the tree when their parents died of the first signal. */
static void a_later_signal_reaches_whom_an_earlier_one_found(void **state)
{
    (void)state;
    int watch;
    struct spawn_tree tree = {0};
    tree.pid =
        start_tree("setsid sh -c 'trap \"\" TERM; (echo; sleep 60; :) & echo; sleep 60; :' & "
                   "echo; wait",
                   3, &watch);
    spawn_tree_signal(&tree, SIGTERM);
    assert_true(WIFSIGNALED(wait_for(tree.pid)));
    struct pollfd gone = {watch, POLLIN, 0};
    assert_int_equal(poll(&gone, 1, 0), 0);
    tree.pid = 0;
    spawn_tree_signal(&tree, SIGKILL);
    assert_true(all_gone(watch));
    spawn_tree_signal(&tree, SIGKILL);
    spawn_tree_free(&tree);
    spawn_tree_signal(&tree, SIGKILL);
    close(watch);
}

/* The search for the first one may serve the others. */
static void kills_all_that_were_stopped_together(void **state)
{
    enum { TREES = 3 };
    struct spawn_tree trees[TREES] = {0};
    int watches[TREES];
    (void)state;
    for (int i = 0; i < TREES; i++)
        trees[i].pid = start_tree(
            "setsid sh -c '(echo; sleep 60; :) & echo; sleep 60; :' & echo; wait", 3, &watches[i]);
    for (int i = 0; i < TREES; i++)
        spawn_tree_stop(&trees[i]);
    for (int i = 0; i < TREES; i++) {
        spawn_tree_signal(&trees[i], SIGKILL);
        assert_true(WIFSIGNALED(wait_for(trees[i].pid)));
        assert_true(all_gone(watches[i]));
        spawn_tree_free(&trees[i]);
        close(watches[i]);
    }
}

static void signalling_a_dead_process_does_nothing(void **state)
{
    (void)state;
    struct err err;
    siginfo_t info;
    pid_t pid = start((int[]){-1, -1, -1}, &err, "/bin/true", "true", NULL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    spawn_signal_tree(pid, SIGKILL);
    assert_int_equal(wait_for(pid), 0);
    spawn_signal_tree(1, SIGKILL);
    spawn_signal_tree(0, SIGKILL);
    spawn_signal_tree(-1, SIGKILL);
}

/* ---- pipes ---- */

static void the_two_ends_of_a_pipe_have_flags_of_their_own(void **state)
{
    (void)state;
    for (int want = 0; want < 4; want++) {
        int ends[2];
        int flags[2] = {want & 1 ? O_NONBLOCK : 0, want & 2 ? O_NONBLOCK : 0};
        assert_int_equal(spawn_pipe(ends, flags[0], flags[1]), 0);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(fcntl(ends[i], F_GETFL) & O_NONBLOCK, flags[i]);
            assert_int_equal(fcntl(ends[i], F_GETFD), FD_CLOEXEC);
            close(ends[i]);
        }
    }
}

static void limits_only_the_child(void **state)
{
    (void)state;
    struct err err;
    char *const argv[] = {(char[]){"sh"},
                          (char[]){"-c"},
                          (char[]){"test $(nice) = \"$1\" && test $(ulimit -v) = 131072"},
                          (char[]){"sh"},
                          (char[8]){""},
                          NULL};
    struct rlimit before, after;
    int nice = getpriority(PRIO_PROCESS, 0);
    const struct spawn_limits limits = {.address_space = 128 << 20, .nice = 1, .cgroup = -1};
    const struct spawn_spec spec = {"/bin/sh", argv, plain_env, {-1, -1, -1}, &limits, false};
    snprintf(argv[4], 16, "%d", nice < 19 ? nice + 1 : 19);
    getrlimit(RLIMIT_AS, &before);
    pid_t pid = spawn_process(&spec, &err);
    assert_true(pid > 0);
    assert_int_equal(wait_for(pid), 0);
    getrlimit(RLIMIT_AS, &after);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), nice);
    assert_true(after.rlim_cur == before.rlim_cur && after.rlim_max == before.rlim_max);
}

static void starts_what_outlives_it_in_a_session_of_its_own(void **state)
{
    (void)state;
    struct err err;
    char *const argv[] = {(char[]){"sleep"}, (char[]){"100"}, NULL};
    const struct spawn_spec spec = {"/bin/sleep", argv, plain_env, {-1, -1, -1}, NULL, true};
    pid_t pid = spawn_process(&spec, &err);
    assert_true(pid > 0);
    assert_int_equal(getsid(pid), pid);
    assert_int_equal(getpgid(pid), pid);
    kill(pid, SIGKILL);
    assert_int_equal(WTERMSIG(wait_for(pid)), SIGKILL);
}

static void moves_the_child_by_the_descriptor_of_its_group(void **state)
{
    (void)state;
    struct err err;
    int ends[2];
    char text[2] = "";
    char *const argv[] = {(char[]){"true"}, NULL};
    assert_int_equal(pipe(ends), 0);
    struct spawn_limits limits = {.cgroup = ends[1]};
    const struct spawn_spec spec = {"/bin/true", argv, plain_env, {-1, -1, -1}, &limits, false};
    pid_t pid = spawn_process(&spec, &err);
    assert_true(pid > 0);
    assert_int_equal(wait_for(pid), 0);
    assert_int_equal(read(ends[0], text, sizeof text), 1);
    assert_int_equal(text[0], '0');
    close(ends[0]);
    close(ends[1]);
    limits.cgroup = ends[1];
    assert_int_equal(spawn_process(&spec, &err), -1);
    assert_non_null(strstr(err.text, "limit what /bin/true may take"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* first, as rare signals are looked up at the first start */
        cmocka_unit_test(resets_ignored_and_blocked_signals),
        cmocka_unit_test(passes_arguments_and_environment),
        cmocka_unit_test(gives_a_process_a_group_of_its_own),
        cmocka_unit_test(leaves_only_three_descriptors_open),
        cmocka_unit_test(minus_one_is_dev_null),
        cmocka_unit_test(places_descriptors_that_overlap),
        cmocka_unit_test(works_when_standard_descriptors_are_closed),
        cmocka_unit_test(the_death_of_the_parent_ends_the_process),
        cmocka_unit_test(runs_a_script_without_a_header_by_the_shell),
        cmocka_unit_test(says_why_a_program_cannot_be_executed),
        cmocka_unit_test(says_when_the_file_is_being_written),
        cmocka_unit_test(says_that_the_argument_list_is_too_long),
        cmocka_unit_test(says_when_a_descriptor_is_bad),
        cmocka_unit_test(finds_programs_as_execvp_does),
        cmocka_unit_test(tells_unusable_from_not_found),
        cmocka_unit_test(kills_descendants_that_left_the_group),
        cmocka_unit_test(kills_the_children_of_an_orphan_of_the_group),
        cmocka_unit_test(kills_a_tree_that_grows_meanwhile),
        cmocka_unit_test(a_gentle_signal_reaches_everybody_once),
        cmocka_unit_test(a_later_signal_reaches_whom_an_earlier_one_found),
        cmocka_unit_test(kills_all_that_were_stopped_together),
        cmocka_unit_test(signalling_a_dead_process_does_nothing),
        cmocka_unit_test(the_two_ends_of_a_pipe_have_flags_of_their_own),
        cmocka_unit_test(limits_only_the_child),
        cmocka_unit_test(starts_what_outlives_it_in_a_session_of_its_own),
        cmocka_unit_test(moves_the_child_by_the_descriptor_of_its_group),
    };
    return cmocka_run_group_tests_name("spawn", tests, make_folder, remove_folder);
}
