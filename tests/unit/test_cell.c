/* test_cell.c: claims about state/cell.h. */
#include "state/cell.h"

#include "base/mem.h"
#include "state/cell_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What lies in the cells of these tests. Big enough for several pages. */
struct ledger {
    uint64_t seen; /* read without the lock */
    uint64_t left, right;
    uint64_t repaired, rebased, made;
    char rest[16384];
};

static void init_ledger(void *payload, const void *context)
{
    struct ledger *ledger = payload;
    assert_string_equal(context, "context");
    ledger->made++;
}

static void rebase_ledger(void *payload, const void *context)
{
    (void)context;
    ((struct ledger *)payload)->rebased++;
}

/* left is written first: it says how far the change had come. */
static void repair_ledger(void *payload, const void *context)
{
    (void)context;
    struct ledger *ledger = payload;
    ledger->right = ledger->left;
    ledger->repaired++;
}

static const struct cell_kind kind = {
    "ledger", 1, sizeof(struct ledger), init_ledger, rebase_ledger, repair_ledger,
};

static const char context[] = "context";
static char folder[64];
static struct home *home;
static struct err err;

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_cell.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    home = home_open(folder, &err);
    return home ? 0 : -1;
}

static void remove_in(int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        remove_in(fd, entry->d_name);
    }
    if (dir)
        closedir(dir);
    unlinkat(at, name, dir ? AT_REMOVEDIR : 0);
}

static int teardown(void **state)
{
    (void)state;
    home_free(home);
    remove_in(AT_FDCWD, folder);
    return 0;
}

static struct cell *open_cell(const char *name, bool *reset)
{
    struct cell *cell = cell_open(home, &kind, str_of(name), context, reset, &err);
    if (!cell)
        fail_msg("%s", err.text);
    return cell;
}

static const char *path_of(const char *name)
{
    static char path[256];
    char file[HOME_FILE];
    snprintf(path, sizeof path, "%s/run/%s", folder, home_file("ledger", str_of(name), file));
    return path;
}

static void write_bytes(const char *path, const char *bytes, size_t len)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static int files_in_run(void)
{
    char path[128];
    int count = 0;
    snprintf(path, sizeof path, "%s/run", folder);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

static void expect_exit(pid_t pid, int status)
{
    int ended;
    assert_int_equal(waitpid(pid, &ended, 0), pid);
    assert_int_equal(ended, status);
}

static void add(struct cell *cell, uint64_t number)
{
    struct ledger *ledger = cell_lock(cell);
    ledger->left += number;
    ledger->right += number;
    __atomic_store_n(&ledger->seen, ledger->left, __ATOMIC_RELAXED);
    cell_unlock(cell);
}

static struct ledger *look(struct cell *cell)
{
    static struct ledger copy;
    copy = *(const struct ledger *)cell_lock(cell);
    cell_unlock(cell);
    return &copy;
}

/* ---- sharing ---- */

static void gives_two_that_open_it_one_payload(void **state)
{
    (void)state;
    bool reset = true;
    struct cell *one = open_cell("a", &reset), *two = open_cell("a", NULL);
    assert_false(reset);
    add(one, 3);
    add(two, 4);
    assert_int_equal(look(one)->left, 7);
    const struct ledger *seen = cell_peek(two);
    assert_int_equal(__atomic_load_n(&seen->seen, __ATOMIC_RELAXED), 7);
    assert_int_equal(look(two)->made, 1);
    cell_free(one);
    cell_free(two);
    two = open_cell("a", &reset);
    assert_false(reset);
    assert_int_equal(look(two)->left, 7);
    cell_free(two);
}

static void keeps_names_and_kinds_apart(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "A", "a.b", ".", "..", "../a", "a/b", "ä"};
    enum { NAMES = sizeof names / sizeof names[0] };
    for (unsigned i = 0; i < NAMES; i++) {
        struct cell *cell = open_cell(names[i], NULL);
        assert_int_equal(look(cell)->left, 0);
        add(cell, i + 1);
        cell_free(cell);
    }
    for (unsigned i = 0; i < NAMES; i++) {
        struct cell *cell = open_cell(names[i], NULL);
        assert_int_equal(look(cell)->left, i + 1);
        cell_free(cell);
    }
    assert_int_equal(files_in_run(), NAMES);
}

static void refuses_a_name_that_is_too_long(void **state)
{
    (void)state;
    char name[HOME_NAME + 2];
    memset(name, 'n', sizeof name - 1);
    name[HOME_NAME + 1] = '\0';
    assert_null(cell_open(home, &kind, str_of(name), context, NULL, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    name[HOME_NAME] = '\0';
    struct cell *cell = open_cell(name, NULL);
    cell_free(cell);
}

static void keeps_a_private_one_to_itself(void **state)
{
    (void)state;
    struct cell *one = cell_open(NULL, &kind, STR("a"), context, NULL, &err);
    struct cell *two = cell_open(NULL, &kind, STR("a"), context, NULL, &err);
    add(one, 1);
    assert_int_equal(look(one)->left, 1);
    assert_int_equal(look(one)->made, 1);
    assert_int_equal(look(two)->left, 0);
    assert_int_equal(files_in_run(), 0);
    cell_free(one);
    cell_free(two);
    cell_free(NULL);
}

static void makes_a_file_for_the_owner_alone(void **state)
{
    (void)state;
    struct stat status;
    mode_t mask = umask(0);
    cell_free(open_cell("a", NULL));
    umask(mask);
    assert_int_equal(stat(path_of("a"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_true(status.st_blocks * 512 >= status.st_size);
}

static void gives_twenty_processes_that_make_it_at_once_one_cell(void **state)
{
    (void)state;
    enum { PROCESSES = 20, ROUNDS = 10 };
    for (int round = 0; round < ROUNDS; round++) {
        char name[24];
        pid_t pids[PROCESSES];
        int gate[2];
        snprintf(name, sizeof name, "round%d", round);
        assert_int_equal(pipe(gate), 0);
        for (int i = 0; i < PROCESSES; i++) {
            pids[i] = fork();
            if (pids[i] == 0) {
                char go;
                close(gate[1]);
                if (read(gate[0], &go, 1) != 0)
                    _exit(2);
                bool reset;
                struct cell *cell = cell_open(home, &kind, str_of(name), context, &reset, &err);
                if (!cell || reset)
                    _exit(3);
                add(cell, 1);
                _exit(0);
            }
        }
        close(gate[0]);
        close(gate[1]);
        for (int i = 0; i < PROCESSES; i++)
            expect_exit(pids[i], 0);
        struct cell *cell = open_cell(name, NULL);
        assert_int_equal(look(cell)->left, PROCESSES);
        assert_int_equal(look(cell)->made, 1);
        cell_free(cell);
    }
    assert_int_equal(files_in_run(), ROUNDS);
}

/* ---- the lock ---- */

static void loses_no_change_of_eight_processes(void **state)
{
    (void)state;
    enum { PROCESSES = 8, CHANGES = 20000 };
    pid_t pids[PROCESSES];
    struct cell *cell = open_cell("a", NULL);
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            struct cell *own = cell_open(home, &kind, STR("a"), context, NULL, &err);
            for (int n = 0; own && n < CHANGES; n++)
                add(own, 1);
            _exit(own ? 0 : 1);
        }
    }
    for (int i = 0; i < PROCESSES; i++)
        expect_exit(pids[i], 0);
    assert_int_equal(look(cell)->left, PROCESSES * CHANGES);
    assert_int_equal(look(cell)->right, PROCESSES * CHANGES);
    cell_free(cell);
}

static pid_t die_within_the_lock(struct cell *cell, bool open_own)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    if (open_own)
        cell = cell_open(home, &kind, STR("a"), context, NULL, &err);
    struct ledger *ledger = cell_lock(cell);
    ledger->left++;
    kill(getpid(), SIGKILL);
    _exit(1);
}

static void repairs_what_a_killed_holder_of_the_lock_left(void **state)
{
    (void)state;
    struct cell *cell = open_cell("a", NULL);
    for (int i = 1; i <= 4; i++) {
        expect_exit(die_within_the_lock(cell, i % 2), SIGKILL);
        assert_int_equal(look(cell)->repaired, i);
        assert_int_equal(look(cell)->left, i);
        assert_int_equal(look(cell)->right, i);
    }
    add(cell, 1);
    assert_int_equal(look(cell)->repaired, 4);
    cell_free(cell);
}

#ifdef __GLIBC__
/* Free it as a process does that is killed before it has woken the next one. */
static void free_without_a_wake_up(const void *payload)
{
    char *at = (char *)(uintptr_t)payload - offsetof(struct cell_map, payload);
    struct cell_map *map = (struct cell_map *)(void *)at;
    __atomic_store_n(&map->lock.__data.__lock, 0, __ATOMIC_RELEASE);
}

static bool sleeps(pid_t pid)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    int fd = open(path, O_RDONLY);
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    return got > 0 && strstr(text, ") S ");
}

/* Holds the lock until another process sleeps in it. */
static void hold_and_wake_nobody(struct cell *cell, int held, int waiter)
{
    pid_t pid;
    const void *payload = cell_lock(cell);
    if (write(held, "h", 1) != 1 || read(waiter, &pid, sizeof pid) != sizeof pid)
        _exit(1);
    while (!sleeps(pid))
        sched_yield();
    free_without_a_wake_up(payload);
    _exit(0);
}

static void outlives_a_wake_up_that_was_lost(void **state)
{
    (void)state;
    int held[2], waiter[2];
    char byte;
    struct cell *cell = open_cell("a", NULL);
    assert_int_equal(pipe(held) | pipe(waiter), 0);
    pid_t holder = fork();
    if (holder == 0)
        hold_and_wake_nobody(cell, held[1], waiter[0]);
    assert_int_equal(read(held[0], &byte, 1), 1);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(30); /* far beyond what it takes */
        cell_lock(cell);
        cell_unlock(cell);
        _exit(0);
    }
    assert_int_equal(write(waiter[1], &pid, sizeof pid), sizeof pid);
    expect_exit(holder, 0);
    expect_exit(pid, 0);
    for (int i = 0; i < 2; i++) {
        close(held[i]);
        close(waiter[i]);
    }
    cell_free(cell);
}

#endif

static void survives_processes_that_are_killed_at_any_moment(void **state)
{
    (void)state;
    enum { PROCESSES = 4, KILLS = 100 };
    pid_t pids[PROCESSES] = {0};
    struct cell *cell = open_cell("a", NULL);
    for (int i = 0; i < KILLS; i++) {
        pid_t *pid = &pids[i % PROCESSES];
        if (*pid) {
            kill(*pid, SIGKILL);
            expect_exit(*pid, SIGKILL);
            struct ledger *ledger = cell_lock(cell);
            assert_int_equal(ledger->left, ledger->right);
            cell_unlock(cell);
        }
        *pid = fork();
        if (*pid == 0) {
            for (;;)
                add(cell, 1);
        }
        uint64_t before = look(cell)->left;
        while (look(cell)->left == before)
            ;
    }
    for (int i = 0; i < PROCESSES; i++) {
        kill(pids[i], SIGKILL);
        expect_exit(pids[i], SIGKILL);
    }
    struct ledger *ledger = look(cell);
    assert_int_equal(ledger->left, ledger->right);
    cell_free(cell);
}

struct thread {
    pthread_t id;
    struct cell *cell;
    bool own; /* a mapping of its own */
};

enum { THREADS = 4, THREAD_CHANGES = 5000 };

static void *change_in_a_thread(void *argument)
{
    struct thread *thread = argument;
    struct err failure;
    struct cell *cell = thread->cell;
    if (thread->own)
        cell = cell_open(home, &kind, STR("a"), context, NULL, &failure);
    uint64_t last = 0;
    for (int i = 0; cell && i < THREAD_CHANGES; i++) {
        add(cell, 1);
        const struct ledger *ledger = cell_peek(cell);
        uint64_t seen = __atomic_load_n(&ledger->seen, __ATOMIC_RELAXED);
        if (seen <= last)
            return NULL;
        last = seen;
    }
    if (thread->own)
        cell_free(cell);
    return cell ? thread : NULL;
}

/* Under ThreadSanitizer: threads with one mapping, where it sees all accesses, and threads with a
 * mapping each, as processes have. */
static void lets_threads_take_turns(void **state)
{
    (void)state;
    struct cell *cell = open_cell("a", NULL);
    for (int own = 0; own < 2; own++) {
        struct thread threads[THREADS];
        for (int i = 0; i < THREADS; i++) {
            threads[i] = (struct thread){.cell = cell, .own = own};
            assert_int_equal(pthread_create(&threads[i].id, NULL, change_in_a_thread, &threads[i]),
                             0);
        }
        for (int i = 0; i < THREADS; i++) {
            void *result;
            pthread_join(threads[i].id, &result);
            assert_ptr_equal(result, &threads[i]);
        }
    }
    assert_int_equal(look(cell)->left, 2 * THREADS * THREAD_CHANGES);
    cell_free(cell);
}

/* ---- files that are not as they should be ---- */

/* Put something at the name; the next one to open is told, and gets a fresh cell. */
static void expect_fresh(const char *name)
{
    bool reset = false;
    struct cell *cell = open_cell(name, &reset);
    assert_true(reset);
    assert_int_equal(look(cell)->left, 0);
    assert_int_equal(look(cell)->made, 1);
    add(cell, 5);
    cell_free(cell);
    cell = open_cell(name, &reset);
    assert_false(reset);
    assert_int_equal(look(cell)->left, 5);
    cell_free(cell);
}

static void make_used(const char *name)
{
    struct cell *cell = open_cell(name, NULL);
    add(cell, 9);
    cell_free(cell);
}

static void replaces_a_torn_file_of_any_length(void **state)
{
    (void)state;
    struct stat status;
    make_used("a");
    assert_int_equal(stat(path_of("a"), &status), 0);
    static const off_t cuts[] = {0, 1, 100, sizeof(struct cell_header) - 1, 4096, 8192};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        assert_int_equal(truncate(path_of("a"), cuts[i]), 0);
        expect_fresh("a");
    }
    assert_int_equal(truncate(path_of("a"), status.st_size - 1), 0);
    expect_fresh("a");
    assert_int_equal(truncate(path_of("a"), status.st_size + 1), 0);
    expect_fresh("a");
    /* as long as it should be, and a hole */
    assert_int_equal(truncate(path_of("a"), 0), 0);
    assert_int_equal(truncate(path_of("a"), status.st_size), 0);
    expect_fresh("a");
    assert_int_equal(files_in_run(), 1);
}

static void replaces_a_foreign_file(void **state)
{
    (void)state;
    struct stat status;
    write_bytes(path_of("a"), "breaker: open\n", 14);
    expect_fresh("a");
    assert_int_equal(stat(path_of("a"), &status), 0);
    char *noise = mem_alloc((size_t)status.st_size);
    memset(noise, 0xa5, (size_t)status.st_size);
    write_bytes(path_of("a"), noise, (size_t)status.st_size);
    free(noise);
    expect_fresh("a");
}

static void replaces_a_file_whose_header_is_damaged_anywhere(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof(struct cell_header); at += 7) {
        char byte;
        make_used("a");
        int fd = open(path_of("a"), O_RDWR);
        assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
        close(fd);
        expect_fresh("a");
        assert_int_equal(cell_remove(home, &kind, STR("a"), &err), 0);
    }
}

static void replaces_a_file_of_another_layout(void **state)
{
    (void)state;
    struct cell_kind newer = kind;
    newer.layout = 2;
    bool reset = false;
    make_used("a");
    struct cell *old = open_cell("a", NULL);
    struct cell *cell = cell_open(home, &newer, STR("a"), context, &reset, &err);
    assert_non_null(cell);
    assert_true(reset);
    assert_int_equal(look(cell)->left, 0);
    add(cell, 1);
    /* who has the old one mapped goes on with it */
    assert_int_equal(look(old)->left, 9);
    add(old, 1);
    assert_int_equal(look(old)->left, 10);
    assert_int_equal(look(cell)->left, 1);
    cell_free(cell);
    cell_free(old);
    expect_fresh("a");
}

static void replaces_a_file_of_another_size_or_name(void **state)
{
    (void)state;
    struct cell_kind bigger = kind;
    bigger.size += 64;
    bool reset = false;
    make_used("a");
    struct cell *cell = cell_open(home, &bigger, STR("a"), context, &reset, &err);
    assert_non_null(cell);
    assert_true(reset);
    cell_free(cell);
    make_used("b");
    char from[256];
    snprintf(from, sizeof from, "%s", path_of("b"));
    assert_int_equal(rename(from, path_of("c")), 0);
    expect_fresh("c");
}

static void does_not_follow_a_link(void **state)
{
    (void)state;
    char other[128], text[16] = "";
    snprintf(other, sizeof other, "%s/other", folder);
    write_bytes(other, "precious", 8);
    assert_int_equal(symlink(other, path_of("a")), 0);
    expect_fresh("a");
    FILE *file = fopen(other, "r");
    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof text, file), 8);
    fclose(file);
    assert_string_equal(text, "precious");
}

static void replaces_a_fifo_without_waiting_for_it(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path_of("a"), 0600), 0);
    expect_fresh("a");
}

static void refuses_a_directory_in_its_place_and_leaves_it(void **state)
{
    (void)state;
    struct stat status;
    assert_int_equal(mkdir(path_of("a"), 0700), 0);
    assert_null(cell_open(home, &kind, STR("a"), context, NULL, &err));
    assert_int_equal(err.kind, ERR_SYSTEM);
    assert_int_equal(err.sys_errno, EISDIR);
    assert_non_null(strstr(err.text, path_of("a")));
    assert_int_equal(stat(path_of("a"), &status), 0);
    assert_true(S_ISDIR(status.st_mode));
    make_used("b");
    assert_int_equal(files_in_run(), 2);
}

static void refuses_a_file_that_it_may_not_open_and_leaves_it(void **state)
{
    (void)state;
    make_used("a");
    assert_int_equal(chmod(path_of("a"), 0400), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char run[128];
        snprintf(run, sizeof run, "%s/run", folder);
        if (getuid() == 0 && (chown(folder, 65534, 65534) || chown(run, 65534, 65534) ||
                              chown(path_of("a"), 65534, 65534) || setgid(65534) || setuid(65534)))
            _exit(3);
        bool refused = !cell_open(home, &kind, STR("a"), context, NULL, &err);
        _exit(refused && err.kind == ERR_SYSTEM && err.sys_errno == EACCES ? 0 : 1);
    }
    expect_exit(pid, 0);
    assert_int_equal(chmod(path_of("a"), 0600), 0);
    struct cell *cell = open_cell("a", NULL);
    assert_int_equal(look(cell)->left, 9);
    cell_free(cell);
}

static void says_so_when_the_disk_is_full_and_leaves_nothing(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit none = {4096, 4096};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &none);
        bool refused = !cell_open(home, &kind, STR("a"), context, NULL, &err);
        _exit(refused && err.kind == ERR_SYSTEM && err.sys_errno == EFBIG ? 0 : 1);
    }
    expect_exit(pid, 0);
    assert_int_equal(files_in_run(), 0);
}

/* As it would look after a new start: another boot, and a lock that somebody held. */
static void pretend_reboot(struct cell *cell)
{
    pid_t pid = fork();
    if (pid == 0) {
        cell_lock(cell);
        struct cell_header header;
        int fd = open(path_of("a"), O_RDWR);
        if (pread(fd, &header, sizeof header, 0) != (ssize_t)sizeof header)
            _exit(1);
        header.boot ^= 1;
        header.checksum = cell_file_checksum(&header);
        if (pwrite(fd, &header, sizeof header, 0) != (ssize_t)sizeof header)
            _exit(1);
        kill(getpid(), SIGSTOP);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));
    bool reset = true;
    struct cell *after = open_cell("a", &reset);
    assert_false(reset);
    assert_int_equal(look(after)->left, 9);
    assert_int_equal(look(after)->rebased, 1);
    assert_int_equal(look(after)->made, 1);
    cell_free(after);
    after = open_cell("a", NULL);
    assert_int_equal(look(after)->rebased, 1);
    cell_free(after);
    kill(pid, SIGKILL);
    expect_exit(pid, SIGKILL);
}

static void moves_what_it_holds_over_a_reboot_but_not_the_lock(void **state)
{
    (void)state;
    struct cell *cell = open_cell("a", NULL);
    add(cell, 9);
    pretend_reboot(cell);
    cell_free(cell);
}

/* ---- removing ---- */

static void lets_those_who_have_it_move_over_when_it_is_removed(void **state)
{
    (void)state;
    struct cell *one = open_cell("a", NULL), *two = open_cell("a", NULL);
    add(one, 9);
    assert_int_equal(cell_moves(one), 0);
    assert_int_equal(cell_remove(home, &kind, STR("a"), &err), 0);
    add(one, 1);
    assert_int_equal(cell_moves(one), 1);
    const struct ledger *seen = cell_peek(two);
    assert_int_equal(__atomic_load_n(&seen->seen, __ATOMIC_RELAXED), 1);
    add(two, 1);
    assert_int_equal(look(one)->left, 2);
    cell_free(one);
    cell_free(two);
    assert_int_equal(cell_remove(home, &kind, STR("a"), &err), 0);
    assert_int_equal(cell_remove(home, &kind, STR("a"), &err), -1);
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_int_equal(files_in_run(), 0);
}

static void goes_on_alone_where_it_cannot_move_over(void **state)
{
    (void)state;
    struct cell *cell = open_cell("a", NULL);
    add(cell, 9);
    assert_int_equal(cell_remove(home, &kind, STR("a"), &err), 0);
    assert_int_equal(mkdir(path_of("a"), 0700), 0);
    add(cell, 1);
    assert_int_equal(look(cell)->left, 1);
    assert_int_equal(look(cell)->made, 1);
    cell_free(cell);
}

static void ends_up_in_one_cell_whoever_removes_it_meanwhile(void **state)
{
    (void)state;
    enum { PROCESSES = 6, CHANGES = 3000, REMOVALS = 50 };
    pid_t pids[PROCESSES];
    struct cell *cell = open_cell("a", NULL);
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            for (int n = 0; n < CHANGES; n++)
                add(cell, 1);
            _exit(0);
        }
    }
    for (int i = 0; i < REMOVALS; i++)
        cell_remove(home, &kind, STR("a"), &err);
    for (int i = 0; i < PROCESSES; i++)
        expect_exit(pids[i], 0);
    struct cell *other = open_cell("a", NULL);
    uint64_t before = look(other)->left;
    add(cell, 1);
    assert_int_equal(look(other)->left, before + 1);
    assert_int_equal(look(other)->left, look(other)->right);
    cell_free(cell);
    cell_free(other);
}

/* ---- listing ---- */

struct listed {
    char text[256];
};

static void note_name(void *owner, struct str name)
{
    struct listed *listed = owner;
    size_t used = strlen(listed->text);
    snprintf(listed->text + used, sizeof listed->text - used, "%.*s,", (int)name.len, name.data);
}

static void lists_the_names_as_they_were_given(void **state)
{
    (void)state;
    struct listed listed = {""};
    assert_int_equal(cell_list(home, &kind, note_name, &listed, &err), 0);
    assert_string_equal(listed.text, "");
    make_used("b");
    make_used("a/../b");
    make_used("ä");
    make_used("a");
    write_bytes(path_of("torn"), "no", 2);
    struct cell_kind other = kind;
    other.name = "ledgers";
    cell_free(cell_open(home, &other, STR("not"), context, NULL, &err));
    assert_int_equal(cell_list(home, &kind, note_name, &listed, &err), 0);
    assert_string_equal(listed.text, "a,a/../b,b,ä,");
}

/* ---- holders ---- */

static void knows_itself_and_its_children(void **state)
{
    (void)state;
    cell_holder self = cell_self();
    assert_int_equal(cell_holder_pid(self), getpid());
    assert_true(self == cell_self());
    assert_false(cell_holder_gone(self));
    assert_true(cell_holder_gone(0));
    pid_t pid = fork();
    if (pid == 0)
        _exit(cell_self() != self && cell_holder_pid(cell_self()) == getpid() &&
                      !cell_holder_gone(cell_self()) && !cell_holder_gone(self)
                  ? 0
                  : 1);
    expect_exit(pid, 0);
    assert_true(self == cell_self());
}

static cell_holder holder_of_child(pid_t *pid)
{
    int ends[2];
    cell_holder holder = 0;
    assert_int_equal(pipe(ends), 0);
    *pid = fork();
    if (*pid == 0) {
        holder = cell_self();
        if (write(ends[1], &holder, sizeof holder) != (ssize_t)sizeof holder)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ends[0], &holder, sizeof holder), sizeof holder);
    close(ends[0]);
    close(ends[1]);
    return holder;
}

static void takes_a_zombie_and_a_reused_number_for_gone(void **state)
{
    (void)state;
    pid_t pid;
    siginfo_t info;
    cell_holder holder = holder_of_child(&pid);
    assert_int_equal(cell_holder_pid(holder), pid);
    assert_false(cell_holder_gone(holder));
    assert_true(cell_holder_gone(holder + 1)); /* that number, begun at another time */
    kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_true(cell_holder_gone(holder));
    expect_exit(pid, SIGKILL);
    assert_true(cell_holder_gone(holder));
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(gives_two_that_open_it_one_payload),
        CLAIM(keeps_names_and_kinds_apart),
        CLAIM(refuses_a_name_that_is_too_long),
        CLAIM(keeps_a_private_one_to_itself),
        CLAIM(makes_a_file_for_the_owner_alone),
        CLAIM(gives_twenty_processes_that_make_it_at_once_one_cell),
        CLAIM(loses_no_change_of_eight_processes),
        CLAIM(repairs_what_a_killed_holder_of_the_lock_left),
#ifdef __GLIBC__
        CLAIM(outlives_a_wake_up_that_was_lost),
#endif
        CLAIM(survives_processes_that_are_killed_at_any_moment),
        CLAIM(lets_threads_take_turns),
        CLAIM(replaces_a_torn_file_of_any_length),
        CLAIM(replaces_a_foreign_file),
        CLAIM(replaces_a_file_whose_header_is_damaged_anywhere),
        CLAIM(replaces_a_file_of_another_layout),
        CLAIM(replaces_a_file_of_another_size_or_name),
        CLAIM(does_not_follow_a_link),
        CLAIM(replaces_a_fifo_without_waiting_for_it),
        CLAIM(refuses_a_directory_in_its_place_and_leaves_it),
        CLAIM(refuses_a_file_that_it_may_not_open_and_leaves_it),
        CLAIM(says_so_when_the_disk_is_full_and_leaves_nothing),
        CLAIM(moves_what_it_holds_over_a_reboot_but_not_the_lock),
        CLAIM(lets_those_who_have_it_move_over_when_it_is_removed),
        CLAIM(goes_on_alone_where_it_cannot_move_over),
        CLAIM(ends_up_in_one_cell_whoever_removes_it_meanwhile),
        CLAIM(lists_the_names_as_they_were_given),
        CLAIM(knows_itself_and_its_children),
        CLAIM(takes_a_zombie_and_a_reused_number_for_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
