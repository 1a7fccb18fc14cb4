/* test_store_damage.c: claims about the embedded store: damaged files, full disks, killed
 * processes.
 */
#include "state/store.h"

#include "base/mem.h"
#include "state/home.h"
#include "state/kv.h"
#include "state/table.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];

struct opened {
    struct loop *loop;
    struct home *home;
    struct store *store;
};

static int setup(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/fit-damage.XXXXXX");
    return mkdtemp(path) ? 0 : -1;
}

static int remove_entry(const char *name, const struct stat *stat, int kind, struct FTW *place)
{
    (void)stat;
    (void)kind;
    (void)place;
    return remove(name);
}

static int teardown(void **state)
{
    (void)state;
    umount2(path, MNT_DETACH);
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static int try_open(struct opened *opened, uint64_t map, struct err *err)
{
    struct store_settings settings = {.unsynced = true, .map = map};
    opened->loop = loop_new(err);
    opened->store = NULL;
    opened->home = home_open(path, err);
    if (opened->home)
        opened->store = store_open(opened->home, opened->loop, &settings, err);
    return opened->store ? 0 : -1;
}

static void close_all(struct opened *opened)
{
    store_free(opened->store);
    home_free(opened->home);
    loop_free(opened->loop);
}

static void open_all(struct opened *opened)
{
    struct err err;
    if (try_open(opened, 0, &err) < 0)
        fail_msg("%s", err.text);
}

static void answered(struct store_op *op)
{
    if (op->err && op->owner)
        *(struct err *)op->owner = *op->err;
}

static enum store_status put(struct opened *opened, const char *key, struct str value,
                             struct err *err)
{
    struct kv_op op = {.verb = KV_PUT, .key = str_of(key), .value = value};
    op.op.done = answered;
    op.op.owner = err;
    kv_submit(opened->store, &op);
    store_flush(opened->store);
    kv_op_free(&op);
    return op.op.status;
}

static void assert_value(struct opened *opened, const char *key, struct str value)
{
    struct kv_op op = {.verb = KV_GET, .key = str_of(key)};
    op.op.done = answered;
    kv_submit(opened->store, &op);
    assert_int_equal(op.op.status, STORE_OK);
    assert_true(str_eq(buf_str(&op.answer), value));
    kv_op_free(&op);
}

/* Bytes that no compression makes shorter. */
static void add_noise(struct buf *value, size_t len, uint64_t seed)
{
    buf_addc(value, '"');
    for (size_t i = 0; i < len; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        buf_addc(value, (char)('#' + (seed >> 58) % 56));
    }
    buf_addc(value, '"');
}

/* ---- damaged files ---- */

static void make_store(void)
{
    struct opened opened;
    struct err err;
    struct buf value = {0};
    open_all(&opened);
    add_noise(&value, 100000, 1);
    assert_int_equal(put(&opened, "a", buf_str(&value), &err), STORE_OK);
    close_all(&opened);
    buf_free(&value);
}

static char *name_of(const char *file)
{
    struct buf name = {0};
    buf_addf(&name, "%s/%s", path, file);
    return buf_take(&name);
}

static void read_whole(const char *file, struct buf *bytes)
{
    char *name = name_of(file);
    char part[4096];
    ssize_t got;
    int fd = open(name, O_RDONLY);
    assert_true(fd >= 0);
    while ((got = read(fd, part, sizeof part)) > 0)
        buf_add(bytes, part, (size_t)got);
    close(fd);
    free(name);
}

static void write_whole(const char *file, struct str bytes)
{
    char *name = name_of(file);
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, bytes.data, bytes.len), bytes.len);
    close(fd);
    free(name);
}

/* It does not open, says which file it is about, and the file stays as it is. */
static void assert_refused(const char *file)
{
    struct buf before = {0}, after = {0};
    struct opened opened;
    struct err err;
    read_whole(file, &before);
    assert_int_equal(try_open(&opened, 0, &err), -1);
    if (!strstr(err.text, path) || !strstr(err.text, file))
        fail_msg("%s", err.text);
    close_all(&opened);
    read_whole(file, &after);
    assert_true(str_eq(buf_str(&before), buf_str(&after)));
    buf_free(&before);
    buf_free(&after);
}

static void refuses_a_data_file_that_was_cut_off(void **state)
{
    (void)state;
    make_store();
    struct buf whole = {0};
    read_whole("data.mdb", &whole);
    for (size_t part = 1; part < 8; part++) {
        write_whole("data.mdb", (struct str){whole.data, whole.len * part / 8});
        assert_refused("data.mdb");
    }
    write_whole("data.mdb", (struct str){whole.data, 100});
    assert_refused("data.mdb");
    write_whole("data.mdb", buf_str(&whole));
    struct opened opened;
    open_all(&opened);
    close_all(&opened);
    buf_free(&whole);
}

static void refuses_a_foreign_data_file(void **state)
{
    (void)state;
    make_store();
    struct buf foreign = {0};
    for (int i = 0; i < 10000; i++)
        buf_puts(&foreign, "this is something else\n");
    write_whole("data.mdb", buf_str(&foreign));
    assert_refused("data.mdb");
    buf_free(&foreign);
}

static void refuses_a_data_file_that_was_emptied_or_removed(void **state)
{
    (void)state;
    make_store();
    write_whole("data.mdb", STR(""));
    assert_refused("data.mdb");
    char *name = name_of("data.mdb");
    assert_int_equal(unlink(name), 0);
    struct opened opened;
    struct err err;
    assert_int_equal(try_open(&opened, 0, &err), -1);
    assert_non_null(strstr(err.text, "data.mdb"));
    close_all(&opened);
    assert_int_equal(access(name, F_OK), -1);
    free(name);
}

static void refuses_a_format_that_it_does_not_know(void **state)
{
    (void)state;
    make_store();
    static const char *const formats[] = {"", "fittings-state 2\n", "fittings-state\n", "other\n",
                                          "fittings-state 1"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        write_whole("format", str_of(formats[i]));
        assert_refused("format");
    }
}

/* It holds nothing that must last: it is made anew when nobody has it open. */
static void goes_on_after_the_lock_file_was_damaged(void **state)
{
    (void)state;
    static const char *const damages[] = {"", "this is something else"};
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct opened opened;
        struct err err;
        struct buf value = {0};
        make_store();
        write_whole("lock.mdb", str_of(damages[i]));
        open_all(&opened);
        add_noise(&value, 100000, 1);
        assert_value(&opened, "a", buf_str(&value));
        assert_int_equal(put(&opened, "b", STR("1"), &err), STORE_OK);
        close_all(&opened);
        buf_free(&value);
    }
}

/* ---- room ---- */

static void grows_when_its_map_is_full(void **state)
{
    enum { MAP = 256 * 1024, VALUES = 100, LEN = 30000 };
    (void)state;
    struct opened opened;
    struct err err;
    assert_int_equal(try_open(&opened, MAP, &err), 0);
    for (unsigned i = 0; i < VALUES; i++) {
        struct buf value = {0};
        char key[16];
        snprintf(key, sizeof key, "%u", i);
        add_noise(&value, LEN, i);
        if (put(&opened, key, buf_str(&value), &err) != STORE_OK)
            fail_msg("%s", err.text);
        buf_free(&value);
    }
    for (unsigned i = 0; i < VALUES; i++) {
        struct buf value = {0};
        char key[16];
        snprintf(key, sizeof key, "%u", i);
        add_noise(&value, LEN, i);
        assert_value(&opened, key, buf_str(&value));
        buf_free(&value);
    }
    close_all(&opened);
}

/* Versions that a transaction had given before it was undone are not seen by the next try. */
static void does_a_group_again_as_it_was_when_the_map_is_full(void **state)
{
    enum { MAP = 256 * 1024, COUNT = 64, LEN = 30000 };
    (void)state;
    struct opened opened;
    struct err err;
    struct kv_op ops[COUNT] = {0};
    struct buf values[COUNT] = {0};
    assert_int_equal(try_open(&opened, MAP, &err), 0);
    assert_int_equal(put(&opened, "n", STR("0"), &err), STORE_OK);
    for (unsigned i = 0; i < COUNT; i++) {
        ops[i].op.done = answered;
        if (i % 2) {
            add_noise(&values[i], LEN, i);
            ops[i].verb = KV_PUT;
            ops[i].key = STR("large");
            ops[i].value = buf_str(&values[i]);
        } else {
            ops[i].verb = i ? KV_CAS : KV_INCR;
            ops[i].key = STR("n");
            ops[i].number = 1;
            ops[i].expected = i + 1; /* each write takes the next version */
            ops[i].value = STR("7");
        }
        kv_submit(opened.store, &ops[i]);
    }
    store_flush(opened.store);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(ops[i].op.status, i % 2 || i < 2 ? STORE_OK : STORE_CONFLICT);
        kv_op_free(&ops[i]);
        buf_free(&values[i]);
    }
    assert_value(&opened, "n", STR("1"));
    close_all(&opened);
}

static void keeps_the_old_value_when_the_disk_is_full(void **state)
{
    enum { LEN = 20000, TRIES = 100 };
    (void)state;
    struct opened opened;
    struct err err;
    struct buf value = {0}, filler = {0};
    if (mount("tmpfs", path, "tmpfs", 0, "size=1m") < 0)
        skip();
    open_all(&opened);
    assert_int_equal(put(&opened, "kept", STR("\"old\""), &err), STORE_OK);
    add_noise(&value, LEN, 1);
    unsigned put_there = 0;
    enum store_status status = STORE_OK;
    while (status == STORE_OK && put_there < TRIES) {
        char key[16];
        snprintf(key, sizeof key, "%u", put_there);
        status = put(&opened, key, buf_str(&value), &err);
        put_there += status == STORE_OK;
    }
    assert_int_equal(status, STORE_NOT_APPLIED);
    assert_int_equal(err.kind, ERR_SYSTEM);
    assert_int_equal(err.sys_errno, ENOSPC);
    assert_int_equal(put(&opened, "kept", buf_str(&value), &err), STORE_NOT_APPLIED);
    assert_value(&opened, "kept", STR("\"old\""));
    close_all(&opened);
    open_all(&opened); /* another process sees the same */
    assert_value(&opened, "kept", STR("\"old\""));
    for (unsigned i = 0; i < put_there; i++) {
        char key[16];
        snprintf(key, sizeof key, "%u", i);
        assert_value(&opened, key, buf_str(&value));
    }
    assert_int_equal(mount("tmpfs", path, "tmpfs", MS_REMOUNT, "size=8m"), 0);
    assert_int_equal(put(&opened, "kept", buf_str(&value), &err), STORE_OK);
    assert_value(&opened, "kept", buf_str(&value));
    close_all(&opened);
    buf_free(&value);
    buf_free(&filler);
}

/* ---- killed processes ---- */

/* Puts values whose bytes are all alike, until it is killed. */
static void write_for_ever(int letter)
{
    struct opened opened;
    struct err err;
    struct buf value = {0};
    open_all(&opened);
    for (;; letter = letter == 'z' ? 'a' : letter + 1) {
        buf_clear(&value);
        buf_addc(&value, '"');
        for (int i = 0; i < 3000; i++)
            buf_addc(&value, (char)letter);
        buf_addc(&value, '"');
        put(&opened, "a", buf_str(&value), &err);
    }
}

static pid_t begin(void (*run)(int argument), int argument)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        run(argument);
        _exit(0);
    }
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The version of a value that is one of those that were written; 0: there is none. */
static uint64_t look(struct opened *opened)
{
    struct kv_op op = {.verb = KV_GET, .key = STR("a")};
    op.op.done = answered;
    kv_submit(opened->store, &op);
    if (op.op.status == STORE_OK) {
        assert_int_equal(op.answer.len, 3002);
        for (size_t i = 2; i < 3001; i++)
            assert_int_equal(op.answer.data[i], op.answer.data[1]);
    } else {
        assert_int_equal(op.op.status, STORE_ABSENT);
    }
    kv_op_free(&op);
    return op.version;
}

static void shows_the_old_value_or_the_new_one_while_writers_are_killed(void **state)
{
    enum { KILLS = 60 };
    (void)state;
    struct opened opened;
    open_all(&opened);
    uint64_t version = 0;
    for (int i = 0; i < KILLS; i++) {
        pid_t pid = begin(write_for_ever, 'a' + i % 26);
        uint64_t before = version;
        unsigned left = (unsigned)i * 37 % 200; /* other moments */
        while (version == before || left) {
            uint64_t now = look(&opened);
            assert_true(now >= version);
            left -= left && now > version;
            version = now;
        }
        end(pid);
        uint64_t now = look(&opened);
        assert_true(now >= version);
        version = now;
    }
    close_all(&opened);
}

static void read_for_ever(int ready)
{
    struct err err;
    struct table *table = table_open_lmdb(path, false, 0, &err);
    if (table && table_begin(table, false, &err) && write(ready, "x", 1) == 1) {
        for (;;)
            pause();
    }
    _exit(1);
}

/* A snapshot that is held keeps all pages that were replaced since. */
static void uses_pages_again_though_a_reader_was_killed(void **state)
{
    enum { WRITES = 300, LEN = 100000, MOST = 10 * 1024 * 1024 };
    (void)state;
    int ends[2];
    char byte;
    struct opened opened;
    struct err err;
    struct stat file;
    make_store();
    assert_int_equal(pipe(ends), 0);
    pid_t pid = begin(read_for_ever, ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    end(pid);
    close(ends[0]);
    close(ends[1]);
    open_all(&opened);
    for (unsigned i = 0; i < WRITES; i++) {
        struct buf value = {0};
        add_noise(&value, LEN, i);
        assert_int_equal(put(&opened, "a", buf_str(&value), &err), STORE_OK);
        buf_free(&value);
    }
    close_all(&opened);
    char *name = name_of("data.mdb");
    assert_int_equal(stat(name, &file), 0);
    assert_true(file.st_size < MOST);
    free(name);
}

/* One transaction puts so many records and removes so many, the last ones first. */
static void change(struct table *table, uint64_t puts, uint64_t removes)
{
    struct err err;
    unsigned char key[8];
    char record[512] = "";
    struct str at = {(const char *)key, sizeof key};
    struct table_txn *txn = table_begin(table, true, &err);
    for (uint64_t i = 0; i < puts; i++) {
        table_put_u64(key, i);
        table_put(txn, SPACE_PART, at, (struct str){record, sizeof record});
    }
    for (uint64_t i = removes; i-- > 0;) {
        table_put_u64(key, i);
        table_remove(txn, SPACE_PART, at);
    }
    assert_int_equal(table_commit(txn, &err), 0);
}

static off_t size_of(const char *name)
{
    struct stat file;
    char *whole = name_of(name);
    assert_int_equal(stat(whole, &file), 0);
    free(whole);
    return file.st_size;
}

/* Pages that one transaction takes and frees again are never written, also at the end of the file.
 */
static void opens_a_file_without_pages_that_were_never_written(void **state)
{
    (void)state;
    struct err err;
    struct opened opened;
    make_store();
    bool was_short = false;
    for (uint64_t most = 100; most < 2000 && !was_short; most += 7) {
        struct table *table = table_open_lmdb(path, false, 0, &err);
        if (!table)
            fail_msg("%s", err.text);
        change(table, most / 2, 0);
        change(table, 0, most / 2);
        change(table, 1, 1);
        change(table, most, most);
        table_close(table);
        off_t size = size_of("data.mdb");
        open_all(&opened);
        close_all(&opened);
        was_short = size_of("data.mdb") > size;
    }
    assert_true(was_short); /* else this has shown nothing */
    open_all(&opened);
    assert_int_equal(put(&opened, "l", STR("2"), &err), STORE_OK);
    close_all(&opened);
    open_all(&opened);
    assert_value(&opened, "l", STR("2"));
    close_all(&opened);
}

int main(void)
{
#define DAMAGE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        DAMAGE(opens_a_file_without_pages_that_were_never_written),
        DAMAGE(refuses_a_data_file_that_was_cut_off),
        DAMAGE(refuses_a_foreign_data_file),
        DAMAGE(refuses_a_data_file_that_was_emptied_or_removed),
        DAMAGE(refuses_a_format_that_it_does_not_know),
        DAMAGE(goes_on_after_the_lock_file_was_damaged),
        DAMAGE(grows_when_its_map_is_full),
        DAMAGE(does_a_group_again_as_it_was_when_the_map_is_full),
        DAMAGE(keeps_the_old_value_when_the_disk_is_full),
        DAMAGE(shows_the_old_value_or_the_new_one_while_writers_are_killed),
        DAMAGE(uses_pages_again_though_a_reader_was_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
