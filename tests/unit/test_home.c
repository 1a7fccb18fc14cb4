/* test_home.c: claims about state/home.h. */
#include "state/home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static struct err err;

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_home.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static void remove_in(int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_in(fd, entry->d_name);
    }
    if (dir)
        closedir(dir);
    unlinkat(at, name, dir ? AT_REMOVEDIR : 0);
}

static int teardown(void **state)
{
    (void)state;
    remove_in(AT_FDCWD, folder);
    return 0;
}

static const char *in_folder(const char *name)
{
    static char path[4][192];
    static unsigned next;
    char *to = path[next++ % 4];
    snprintf(to, sizeof path[0], "%s/%s", folder, name);
    return to;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static const char *read_file(const char *name)
{
    static char text[256];
    FILE *file = fopen(in_folder(name), "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static int count_files(const char *name)
{
    int count = 0;
    DIR *dir = opendir(in_folder(name));
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

static void expect_home(const char *name)
{
    struct home *home = home_open(in_folder(name), &err);
    if (!home)
        fail_msg("%s", err.text);
    home_free(home);
}

static void expect_refusal(const char *path, enum err_kind kind, const char *why)
{
    err = (struct err){0};
    assert_null(home_open(path, &err));
    assert_int_equal(err.kind, kind);
    if (!strstr(err.text, why))
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

/* ---- the directory ---- */

static void makes_what_is_missing_and_finds_it_again(void **state)
{
    (void)state;
    struct stat status;
    assert_false(home_exists(in_folder("deep/er/home")));
    for (int i = 0; i < 3; i++) {
        expect_home("deep/er/home");
        assert_true(home_exists(in_folder("deep/er/home")));
        assert_string_equal(read_file("deep/er/home/format"), "fittings-state 1\n");
        assert_int_equal(count_files("deep/er/home"), 2);
    }
    assert_int_equal(stat(in_folder("deep"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    assert_int_equal(stat(in_folder("deep/er/home/run"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    home_free(NULL);
}

static void makes_an_empty_directory_its_own(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("empty"), 0755), 0);
    assert_false(home_exists(in_folder("empty")));
    expect_home("empty");
    assert_true(home_exists(in_folder("empty")));
}

static void goes_on_with_one_that_a_killed_process_began(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("begun"), 0700), 0);
    assert_int_equal(mkdir(in_folder("begun/run"), 0700), 0);
    write_file("begun/format.12345", "fitt");
    expect_home("begun");
}

static void refuses_a_directory_of_other_files_and_leaves_it(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("photos"), 0755), 0);
    write_file("photos/cat.jpg", "meow");
    expect_refusal(in_folder("photos"), ERR_STATE, "not a state directory");
    assert_int_equal(count_files("photos"), 1);
    assert_string_equal(read_file("photos/cat.jpg"), "meow");
}

static void refuses_a_newer_format_and_leaves_it(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("newer"), 0755), 0);
    write_file("newer/format", "fittings-state 2\n");
    expect_refusal(in_folder("newer"), ERR_STATE, "format 2");
    assert_true(home_exists(in_folder("newer")));
    assert_int_equal(count_files("newer"), 1);
    assert_string_equal(read_file("newer/format"), "fittings-state 2\n");
}

static void refuses_a_format_that_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "1\n",
        "fittings-state\n",
        "fittings-state \n",
        "fittings-state 1",
        "fittings-state one\n",
        "fittings-state -1\n",
        "fittings-state 1 2\n",
        "fittings-state 99999999999999999999\n",
        "PK\3\4",
    };
    assert_int_equal(mkdir(in_folder("odd"), 0755), 0);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_file("odd/format", texts[i]);
        expect_refusal(in_folder("odd"), ERR_STATE, "file format");
        assert_string_equal(read_file("odd/format"), texts[i]);
        assert_int_equal(count_files("odd"), 1);
    }
}

static void refuses_what_is_no_directory(void **state)
{
    (void)state;
    write_file("file", "x");
    expect_refusal(in_folder("file"), ERR_SYSTEM, "file");
    assert_int_equal(err.sys_errno, ENOTDIR);
    expect_refusal(in_folder("file/below"), ERR_SYSTEM, "file/below");
    expect_refusal("", ERR_USAGE, "empty");
    assert_string_equal(read_file("file"), "x");
}

static void refuses_a_url(void **state)
{
    (void)state;
    static const char *const urls[] = {"nats://localhost:4222", "redis+tls://h", "file:///tmp/x"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        expect_refusal(urls[i], ERR_USAGE, urls[i]);
    assert_false(home_exists("nats://localhost:4222"));
}

static void says_so_where_it_may_not_write(void **state)
{
    (void)state;
    int status;
    assert_int_equal(mkdir(in_folder("others"), 0755), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (getuid() == 0 && (setgid(65534) || setuid(65534)))
            _exit(3);
        if (getuid() != 65534)
            chmod(in_folder("others"), 0555);
        expect_refusal(in_folder("others"), ERR_SYSTEM, "others");
        expect_refusal(in_folder("others/deep/er"), ERR_SYSTEM, "others/deep");
        _exit(err.sys_errno == EACCES ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(count_files("others"), 0);
}

static void is_made_once_by_twenty_processes_at_once(void **state)
{
    (void)state;
    enum { PROCESSES = 20, ROUNDS = 5 };
    for (int round = 0; round < ROUNDS; round++) {
        pid_t pids[PROCESSES];
        int gate[2], status;
        char name[24];
        snprintf(name, sizeof name, "new%d/home", round);
        assert_int_equal(pipe(gate), 0);
        for (int i = 0; i < PROCESSES; i++) {
            pids[i] = fork();
            if (pids[i] == 0) {
                char go;
                close(gate[1]);
                if (read(gate[0], &go, 1) != 0)
                    _exit(2);
                struct home *home = home_open(in_folder(name), &err);
                _exit(home ? 0 : 1);
            }
        }
        close(gate[0]);
        close(gate[1]);
        for (int i = 0; i < PROCESSES; i++) {
            assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
            assert_int_equal(status, 0);
        }
        assert_int_equal(count_files(name), 2);
    }
}

/* ---- names ---- */

static void tells_names_from_what_is_none(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "geo coder", "../x", ".", "ä", "a/b", "\"'$(x)", " "};
    static const char *const bad[] = {"", "a\nb", "a\tb", "\x7f", "\xff", "a\xc3"};
    char longest[HOME_NAME + 2];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(home_check_name(good[i], &err), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(home_check_name(bad[i], &err), -1);
        assert_int_equal(err.kind, ERR_USAGE);
    }
    memset(longest, 'x', sizeof longest - 1);
    longest[HOME_NAME + 1] = '\0';
    assert_int_equal(home_check_name(longest, &err), -1);
    longest[HOME_NAME] = '\0';
    assert_int_equal(home_check_name(longest, &err), 0);
}

static void names_files_plainly_where_that_is_safe(void **state)
{
    (void)state;
    char file[HOME_FILE];
    assert_string_equal(home_file("breaker", STR("geocoder"), file), "breaker-geocoder");
    assert_string_equal(home_file("rate", STR("A_1-b.c"), file), "rate-A_1-b.c");
    assert_string_equal(home_file("rate", STR("12345678901234567890123456789012"), file),
                        "rate-12345678901234567890123456789012");
}

static void names_files_by_a_hash_elsewhere_and_none_twice(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        ".",
        "..",
        ".a",
        "../x",
        "a/b",
        "a b",
        "ä",
        "a\nb",
        "=",
        "a=b",
        "~",
        "-/",
        "123456789012345678901234567890123",
        "1234567890123456789012345678901234",
    };
    enum { NAMES = sizeof names / sizeof names[0] };
    char files[NAMES][HOME_FILE];
    for (size_t i = 0; i < NAMES; i++) {
        home_file("queue", str_of(names[i]), files[i]);
        assert_int_equal(strlen(files[i]), strlen("queue=") + 32);
        assert_memory_equal(files[i], "queue=", 6);
        assert_int_equal(strspn(files[i] + 6, "0123456789abcdef"), 32);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(files[i], files[j]);
    }
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(makes_what_is_missing_and_finds_it_again),
        CLAIM(makes_an_empty_directory_its_own),
        CLAIM(goes_on_with_one_that_a_killed_process_began),
        CLAIM(refuses_a_directory_of_other_files_and_leaves_it),
        CLAIM(refuses_a_newer_format_and_leaves_it),
        CLAIM(refuses_a_format_that_is_none),
        CLAIM(refuses_what_is_no_directory),
        CLAIM(refuses_a_url),
        CLAIM(says_so_where_it_may_not_write),
        CLAIM(is_made_once_by_twenty_processes_at_once),
        CLAIM(tells_names_from_what_is_none),
        CLAIM(names_files_plainly_where_that_is_safe),
        CLAIM(names_files_by_a_hash_elsewhere_and_none_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
