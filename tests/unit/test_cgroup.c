/* test_cgroup.c: claims about sys/cgroup.h, on folders that look like control groups. */
#include "sys/cgroup.h"

#include "base/buf.h"

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

static char mount[64];
static char path[4][256];

static const char *at(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *at(const char *format, ...)
{
    static unsigned next;
    char *text = path[next++ % 4];
    va_list args;
    int begun = snprintf(text, sizeof path[0], "%s/", mount);
    va_start(args, format);
    vsnprintf(text + begun, sizeof path[0] - (size_t)begun, format, args);
    va_end(args);
    return text;
}

static int make_mount(void **state)
{
    (void)state;
    snprintf(mount, sizeof mount, "/tmp/test_cgroup.XXXXXX");
    if (!mkdtemp(mount))
        return -1;
    return mkdir(at("user.slice"), 0755) || mkdir(at("user.slice/app.scope"), 0755);
}

static int remove_mount(void **state)
{
    (void)state;
    rmdir(at("user.slice/app.scope"));
    rmdir(at("user.slice"));
    return rmdir(mount);
}

static void make_file(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    close(fd);
}

static void has(const char *name, const char *expected)
{
    char text[64] = "";
    int fd = open(name, O_RDONLY);
    assert_true(fd >= 0);
    assert_true(read(fd, text, sizeof text - 1) >= 0);
    close(fd);
    assert_string_equal(text, expected);
}

static void finds_the_folder_above_the_own_group(void **state)
{
    (void)state;
    struct err err;
    char *folder = cgroup_folder_of(mount, "0::/user.slice/app.scope\n", &err);
    assert_non_null(folder);
    assert_string_equal(folder, at("user.slice/"));
    free(folder);
    folder = cgroup_folder_of(mount, "4:memory:/x\n0::/user.slice\n", &err);
    assert_non_null(folder);
    assert_string_equal(folder, at("%s", ""));
    free(folder);
}

static void says_why_there_is_none(void **state)
{
    (void)state;
    struct err err;
    assert_null(cgroup_folder_of(mount, "4:memory:/x\n3:cpu:/\n", &err));
    assert_int_equal(err.kind, ERR_NOT_USABLE);
    assert_string_equal(err.text, "this process is in no group of cgroup v2");
    assert_null(cgroup_folder_of(mount, "0::/\n", &err));
    assert_string_equal(err.text, "this process is in the root of its control groups");
    assert_null(cgroup_folder_of(mount, "0::/gone/app\n", &err));
    assert_int_equal(err.kind, ERR_NOT_USABLE);
    assert_non_null(strstr(err.text, "/gone/"));
}

static void sets_the_limits_of_a_group(void **state)
{
    (void)state;
    struct err err;
    const struct cgroup_limits limits = {.memory = 256 << 20, .cpu = 0.5};
    int pid = (int)getpid();
    assert_int_equal(mkdir(at("user.slice/fit-%d-3", pid), 0755), 0);
    make_file(at("user.slice/fit-%d-3/memory.max", pid));
    make_file(at("user.slice/fit-%d-3/cpu.max", pid));
    make_file(at("user.slice/fit-%d-3/cgroup.procs", pid));
    int procs = cgroup_open(at("user.slice/"), 3, &limits, &err);
    assert_true(procs >= 0);
    assert_int_equal(write(procs, "0", 1), 1);
    close(procs);
    has(at("user.slice/fit-%d-3/memory.max", pid), "268435456");
    has(at("user.slice/fit-%d-3/cpu.max", pid), "50000 100000");
    has(at("user.slice/fit-%d-3/cgroup.procs", pid), "0");
    unlink(at("user.slice/fit-%d-3/memory.max", pid));
    unlink(at("user.slice/fit-%d-3/cpu.max", pid));
    unlink(at("user.slice/fit-%d-3/cgroup.procs", pid));
    cgroup_remove(at("user.slice"), 3);
    assert_int_not_equal(access(at("user.slice/fit-%d-3", pid), F_OK), 0);
}

static void leaves_nothing_where_a_controller_is_not_handed_down(void **state)
{
    (void)state;
    struct err err;
    const struct cgroup_limits limits = {.memory = 1 << 20};
    assert_int_equal(cgroup_open(at("user.slice"), 1, &limits, &err), -1);
    assert_non_null(strstr(err.text, "memory.max"));
    assert_int_not_equal(access(at("user.slice/fit-%d-1", (int)getpid()), F_OK), 0);
}

static void removes_the_groups_of_those_that_are_gone(void **state)
{
    (void)state;
    struct err err;
    const struct cgroup_limits limits = {.memory = 1 << 20};
    const char *gone = "user.slice/fit-999999999-1"; /* no system has a pid of that size */
    assert_int_equal(mkdir(at("%s", gone), 0755), 0);
    assert_int_equal(mkdir(at("user.slice/fit-1-1"), 0755), 0);
    cgroup_open(at("user.slice"), 1, &limits, &err);
    assert_int_not_equal(access(at("%s", gone), F_OK), 0);
    assert_int_equal(access(at("user.slice/fit-1-1"), F_OK), 0);
    rmdir(at("user.slice/fit-1-1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_folder_above_the_own_group),
        cmocka_unit_test(says_why_there_is_none),
        cmocka_unit_test(sets_the_limits_of_a_group),
        cmocka_unit_test(leaves_nothing_where_a_controller_is_not_handed_down),
        cmocka_unit_test(removes_the_groups_of_those_that_are_gone),
    };
    return cmocka_run_group_tests(tests, make_mount, remove_mount);
}
