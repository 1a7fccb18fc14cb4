/* test_dir.c: claims about sys/dir.h. */
#include "sys/dir.h"

#include "base/buf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static struct err err;

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_dir.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static const char *in_folder(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* How many names are in the folder. With empty they are removed. */
static int names(bool empty)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int count = 0;
    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        count++;
        if (empty)
            remove(in_folder(entry->d_name));
    }
    closedir(dir);
    return count;
}

static int teardown(void **state)
{
    (void)state;
    names(true);
    return rmdir(folder);
}

static void expect_content(const char *name, const char *text)
{
    char bytes[256];
    int fd = open(in_folder(name), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t got = read(fd, bytes, sizeof bytes);
    assert_int_equal(got, strlen(text));
    assert_memory_equal(bytes, text, strlen(text));
    close(fd);
}

static mode_t mode_of(const char *name)
{
    struct stat info;
    assert_int_equal(lstat(in_folder(name), &info), 0);
    return info.st_mode & (S_IFMT | 0777);
}

/* ---- replacing ---- */

static void makes_and_replaces_a_file(void **state)
{
    (void)state;
    mode_t mask = umask(027);
    assert_int_equal(dir_replace(in_folder("f"), STR("one\n"), &err), 0);
    umask(mask);
    expect_content("f", "one\n");
    assert_int_equal(mode_of("f"), S_IFREG | 0640);
    assert_int_equal(dir_replace(in_folder("f"), STR(""), &err), 0);
    expect_content("f", "");
    assert_int_equal(names(false), 1);
}

static void replacing_keeps_mode_and_link(void **state)
{
    (void)state;
    char link[512];
    assert_int_equal(dir_replace(in_folder("f"), STR("one"), &err), 0);
    assert_int_equal(chmod(in_folder("f"), 0604), 0);
    snprintf(link, sizeof link, "%s", in_folder("link"));
    assert_int_equal(symlink("f", link), 0);
    assert_int_equal(dir_replace(link, STR("two"), &err), 0);
    expect_content("f", "two");
    assert_int_equal(mode_of("f"), S_IFREG | 0604);
    assert_true(S_ISLNK(mode_of("link")));
}

static void a_reader_of_the_old_file_is_undisturbed(void **state)
{
    (void)state;
    char bytes[8];
    assert_int_equal(dir_replace(in_folder("f"), STR("old"), &err), 0);
    int fd = open(in_folder("f"), O_RDONLY | O_CLOEXEC);
    assert_int_equal(dir_replace(in_folder("f"), STR("newer"), &err), 0);
    assert_int_equal(read(fd, bytes, sizeof bytes), 3);
    assert_memory_equal(bytes, "old", 3);
    close(fd);
}

static void replaces_a_name_without_a_slash(void **state)
{
    (void)state;
    char before[256];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(dir_replace("f", STR("here"), &err), 0);
    assert_int_equal(chdir(before), 0);
    expect_content("f", "here");
}

static void passes_by_what_a_crash_left_behind(void **state)
{
    (void)state;
    char name[64];
    for (int n = 0; n < 3; n++) {
        snprintf(name, sizeof name, ".fit-%d-%d.tmp", (int)getpid(), n);
        close(open(in_folder(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    }
    assert_int_equal(dir_replace(in_folder("f"), STR("x"), &err), 0);
    expect_content("f", "x");
    assert_int_equal(names(false), 4);
}

static void a_failed_write_leaves_the_old_file_and_nothing_else(void **state)
{
    (void)state;
    struct rlimit limit, old;
    char large[3000];
    memset(large, 'x', sizeof large);
    assert_int_equal(dir_replace(in_folder("f"), STR("old"), &err), 0);
    getrlimit(RLIMIT_FSIZE, &old);
    limit = old;
    limit.rlim_cur = 1000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    int result = dir_replace(in_folder("f"), (struct str){large, sizeof large}, &err);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, handler);
    assert_int_equal(result, -1);
    assert_int_equal(err.sys_errno, EFBIG);
    expect_content("f", "old");
    assert_int_equal(names(false), 1);
}

static void refuses_to_replace_what_is_no_file(void **state)
{
    (void)state;
    assert_int_equal(dir_replace(folder, STR("x"), &err), -1);
    assert_int_equal(err.kind, ERR_NOT_USABLE);
    assert_int_equal(dir_replace("/dev/null", STR("x"), &err), -1);
    assert_int_equal(err.kind, ERR_NOT_USABLE);
    assert_int_equal(dir_replace(in_folder("absent/f"), STR("x"), &err), -1);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_non_null(strstr(err.text, "absent/f"));
    assert_int_equal(dir_replace("", STR("x"), &err), -1);
    assert_int_equal(dir_replace(in_folder(""), STR("x"), &err), -1);
    assert_int_equal(names(false), 0);
}

/* ---- appending ---- */

static void appends_behind_what_others_append(void **state)
{
    (void)state;
    int a = dir_append_open(in_folder("log"), false, &err);
    int b = dir_append_open(in_folder("log"), false, &err);
    assert_true(a >= 0 && b >= 0);
    assert_int_equal(write(a, "1\n", 2), 2);
    assert_int_equal(write(b, "2\n", 2), 2);
    assert_int_equal(write(a, "3\n", 2), 2);
    expect_content("log", "1\n2\n3\n");
    assert_int_equal(fcntl(a, F_GETFD), FD_CLOEXEC);
    close(a);
    close(b);
}

static void reads_back_what_it_appends_to(void **state)
{
    (void)state;
    char byte;
    int fd = dir_append_open(in_folder("log"), true, &err);
    assert_int_equal(write(fd, "1\n", 2), 2);
    assert_int_equal(pread(fd, &byte, 1, 0), 1);
    close(fd);
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_int_equal(dir_append_open(in_folder("fifo"), true, &err), -1);
    assert_int_equal(err.kind, ERR_NOT_USABLE);
}

static void does_not_wait_for_the_reader_of_a_fifo(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_int_equal(dir_append_open(in_folder("fifo"), false, &err), -1);
    assert_int_equal(err.kind, ERR_NOT_USABLE);
    int reader = open(in_folder("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int fd = dir_append_open(in_folder("fifo"), false, &err);
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    close(fd);
    close(reader);
}

static void says_what_cannot_be_appended_to(void **state)
{
    (void)state;
    assert_int_equal(dir_append_open(folder, false, &err), -1);
    assert_int_equal(err.sys_errno, EISDIR);
    assert_int_equal(dir_append_open(in_folder("absent/log"), false, &err), -1);
    assert_int_equal(err.sys_errno, ENOENT);
}

/* ---- locking ---- */

static void one_holder_at_a_time(void **state)
{
    (void)state;
    int a = dir_append_open(in_folder("lock"), false, &err);
    int b = dir_append_open(in_folder("lock"), false, &err);
    assert_int_equal(dir_lock(a), 0);
    assert_int_equal(dir_lock(a), 0);
    assert_int_equal(dir_lock(b), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    close(a);
    assert_int_equal(dir_lock(b), 0);
    close(b);
}

static void the_death_of_the_holder_frees_the_lock(void **state)
{
    (void)state;
    int ends[2];
    char c;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = dir_append_open(in_folder("lock"), false, &err);
        _exit(dir_lock(fd) || write(ends[1], "x", 1) != 1 || pause());
    }
    assert_int_equal(read(ends[0], &c, 1), 1);
    int fd = dir_append_open(in_folder("lock"), false, &err);
    assert_int_equal(dir_lock(fd), -1);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(dir_lock(fd), 0);
    close(fd);
    close(ends[0]);
    close(ends[1]);
}

/* ---- without a name ---- */

static void a_temporary_file_has_no_name(void **state)
{
    (void)state;
    char bytes[8];
    struct stat info;
    int fd = dir_temp_file(folder, &err);
    assert_true(fd >= 0);
    assert_int_equal(names(false), 0);
    assert_int_equal(write(fd, "data", 4), 4);
    assert_int_equal(pread(fd, bytes, sizeof bytes, 0), 4);
    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
    assert_int_equal(dir_temp_file(in_folder("absent"), &err), -1);
    assert_int_equal(err.sys_errno, ENOENT);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(makes_and_replaces_a_file),
        CLAIM(replacing_keeps_mode_and_link),
        CLAIM(a_reader_of_the_old_file_is_undisturbed),
        CLAIM(replaces_a_name_without_a_slash),
        CLAIM(passes_by_what_a_crash_left_behind),
        CLAIM(a_failed_write_leaves_the_old_file_and_nothing_else),
        CLAIM(refuses_to_replace_what_is_no_file),
        CLAIM(appends_behind_what_others_append),
        CLAIM(reads_back_what_it_appends_to),
        CLAIM(does_not_wait_for_the_reader_of_a_fifo),
        CLAIM(says_what_cannot_be_appended_to),
        CLAIM(one_holder_at_a_time),
        CLAIM(the_death_of_the_holder_frees_the_lock),
        CLAIM(a_temporary_file_has_no_name),
    };
    return cmocka_run_group_tests_name("dir", tests, NULL, NULL);
}
