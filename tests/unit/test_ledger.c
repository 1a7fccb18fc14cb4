/* test_ledger.c: claims about ledgers as logs: what is kept, found, refused, cut off and indexed.
 */
#include "base/buf.h"
#include "state/ledger_file.h"
#include "state/ledger_index.h"
#include "state/ledger_log.h"
#include "sys/boot.h"

#include "../helpers/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { MANY = 60000, NAMED = 64 };

static struct hash128 key_of(uint64_t number)
{
    return hash_128((struct str){(const char *)&number, sizeof number});
}

static struct ledger_log *open_log(const char *name)
{
    struct err err;
    struct ledger_log *log = ledger_log_open(scratch_home, str_of(name), true, &err);
    if (!log)
        fail_msg("%s", err.text);
    return log;
}

static struct ledger_op op_of(enum ledger_verb verb, uint64_t number, const char *lines)
{
    return (struct ledger_op){.op = {.kind = STORE_LEDGER},
                              .verb = verb,
                              .ledger = STR("a"),
                              .key = key_of(number),
                              .lines = str_of(lines),
                              .count = lines ? 1 : 0};
}

static void commit(struct ledger_log *log, struct ledger_op *op)
{
    struct err err;
    assert_int_equal(ledger_log_commit(log, &op->op, true, &err), 0);
}

static enum store_status add(struct ledger_log *log, uint64_t number, const char *lines)
{
    struct ledger_op op = op_of(LEDGER_ADD, number, lines);
    commit(log, &op);
    buf_free(&op.answer);
    return op.op.status;
}

/* The lines of a record, valid until the next call; NULL: there is none. */
static const char *find(struct ledger_log *log, uint64_t number)
{
    static struct buf kept;
    struct err err;
    struct ledger_op op = op_of(LEDGER_FIND, number, NULL);
    assert_int_equal(ledger_log_find(log, &op, &err), 0);
    if (op.op.status == STORE_ABSENT)
        return NULL;
    buf_free(&kept);
    kept = op.answer;
    return buf_cstr(&kept);
}

static void keeps_what_it_was_given(void **state)
{
    (void)state;
    struct ledger_log *log = open_log("a");
    assert_null(find(log, 1));
    assert_int_equal(add(log, 1, "{\"one\":1}\n"), STORE_OK);
    assert_int_equal(add(log, 2, ""), STORE_OK);
    assert_string_equal(find(log, 1), "{\"one\":1}\n");
    assert_string_equal(find(log, 2), "");
    ledger_log_free(log);
    log = open_log("a");
    assert_string_equal(find(log, 1), "{\"one\":1}\n");
    assert_null(find(log, 3));
    ledger_log_free(log);
}

static void keeps_the_first_record_of_a_key(void **state)
{
    (void)state;
    struct ledger_log *log = open_log("a");
    assert_int_equal(add(log, 1, "first\n"), STORE_OK);
    struct ledger_op second = op_of(LEDGER_ADD, 1, "second\n");
    commit(log, &second);
    assert_int_equal(second.op.status, STORE_CONFLICT);
    assert_string_equal(buf_cstr(&second.answer), "first\n");
    buf_free(&second.answer);
    ledger_log_free(log);
}

static void keeps_the_first_record_of_a_key_within_one_commit(void **state)
{
    (void)state;
    struct ledger_log *log = open_log("a");
    struct ledger_op first = op_of(LEDGER_ADD, 1, "first\n");
    struct ledger_op second = op_of(LEDGER_ADD, 1, "second\n");
    first.op.next = &second.op;
    commit(log, &first);
    assert_int_equal(first.op.status, STORE_OK);
    assert_int_equal(second.op.status, STORE_CONFLICT);
    assert_string_equal(buf_cstr(&second.answer), "first\n");
    buf_free(&second.answer);
    ledger_log_free(log);
}

static void sees_what_another_process_has_added(void **state)
{
    (void)state;
    struct ledger_log *one = open_log("a"), *two = open_log("a");
    assert_int_equal(add(one, 1, "one\n"), STORE_OK);
    assert_int_equal(add(two, 1, "two\n"), STORE_CONFLICT);
    assert_int_equal(add(two, 2, "two\n"), STORE_OK);
    assert_string_equal(find(one, 2), "two\n"); /* the index is shared */
    for (uint64_t i = 10; i < MANY; i++) {      /* over several tables, in turns */
        char line[NAMED];
        snprintf(line, sizeof line, "%llu\n", (unsigned long long)i);
        struct ledger_op op = op_of(LEDGER_ADD, i, line);
        struct err err;
        assert_int_equal(ledger_log_commit(i % 3 ? one : two, &op.op, false, &err), 0);
        assert_int_equal(op.op.status, STORE_OK);
    }
    assert_int_equal(add(one, MANY - 1, "x\n"), STORE_CONFLICT);
    assert_int_equal(add(two, MANY - 2, "x\n"), STORE_CONFLICT);
    assert_string_equal(find(two, 11), "11\n");
    assert_null(find(two, MANY));
    ledger_log_free(one);
    ledger_log_free(two);
}

static void tells_what_was_printed(void **state)
{
    (void)state;
    struct err err;
    struct ledger_log *log = open_log("a");
    struct ledger_op begin = op_of(LEDGER_BEGIN, 0, NULL), again = begin;
    commit(log, &begin);
    commit(log, &again);
    assert_int_equal(again.run, begin.run + 1);
    for (uint64_t place = 0; place < 4; place++) {
        struct ledger_op op = op_of(LEDGER_ADD, place, "x\n");
        op.run = begin.run;
        op.place = place;
        commit(log, &op);
    }
    struct ledger_op show = op_of(LEDGER_SHOW, 0, NULL);
    show.run = begin.run;
    show.place = 2; /* 0 and 1 have been printed */
    commit(log, &show);
    struct ledger_op claim = op_of(LEDGER_CLAIM, 1, NULL); /* and 1 belongs to the next run now */
    claim.run = again.run;
    commit(log, &claim);
    ledger_log_free(log);
    log = open_log("a");
    static const bool shown[] = {true, false, false, false};
    for (uint64_t place = 0; place < 4; place++) {
        struct ledger_op op = op_of(LEDGER_FIND, place, NULL);
        assert_int_equal(ledger_log_find(log, &op, &err), 0);
        assert_int_equal(op.shown, shown[place]);
        buf_free(&op.answer);
    }
    ledger_log_free(log);
}

/* The file of ledger a. */
static const char *file_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/state/ledger/ledger-a/%s", scratch, name);
    return path;
}

static off_t size_of(const char *path)
{
    struct stat stat;
    assert_int_equal(lstat(path, &stat), 0);
    return stat.st_size;
}

static void cuts_off_a_torn_record_and_nothing_else(void **state)
{
    (void)state;
    struct ledger_log *log = open_log("a");
    off_t start = size_of(file_of("log"));
    add(log, 1, "a record\n");
    off_t one = size_of(file_of("log"));
    add(log, 2, "another record, which is longer\n");
    off_t two = size_of(file_of("log"));
    ledger_log_free(log);
    for (off_t size = two - 1; size >= start; size--) {
        unlink(file_of("index.0"));
        assert_int_equal(truncate(file_of("log"), size), 0);
        log = open_log("a");
        assert_int_equal(size_of(file_of("log")), size >= one ? one : start);
        if (size >= one)
            assert_string_equal(find(log, 1), "a record\n");
        else
            assert_null(find(log, 1));
        assert_null(find(log, 2));
        ledger_log_free(log);
    }
}

static void refuses_a_log_that_is_damaged_far_from_its_end(void **state)
{
    (void)state;
    struct err err;
    static char large[4 * 1024 * 1024];
    struct ledger_log *log = open_log("a");
    uint32_t noise = 1;
    for (size_t i = 0; i < sizeof large; i++) { /* nothing that could be compressed */
        noise = noise * 1664525 + 1013904223;
        large[i] = (char)(noise >> 24);
    }
    add(log, 1, "first\n");
    for (uint64_t i = 2; i < 24; i++) {
        struct ledger_op op = op_of(LEDGER_ADD, i, NULL);
        op.lines = (struct str){large, sizeof large};
        commit(log, &op);
    }
    ledger_log_free(log);
    int fd = open(file_of("log"), O_RDWR);
    assert_int_equal(pwrite(fd, "X", 1, 60), 1);
    close(fd);
    off_t size = size_of(file_of("log"));
    unlink(file_of("index.0"));
    assert_null(ledger_log_open(scratch_home, STR("a"), true, &err));
    assert_int_equal(err.kind, ERR_STATE);
    assert_int_equal(size_of(file_of("log")), size);
}

static void makes_a_foreign_or_torn_index_anew(void **state)
{
    (void)state;
    static const char other[] = "something else that is no index at all, but "
                                "longer than the head of one would be, by far";
    static const char *const contents[] = {"", "x", other};
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        struct ledger_log *log = open_log("a");
        add(log, 1, "kept\n");
        ledger_log_free(log);
        int fd = open(file_of("index.0"), O_WRONLY | O_TRUNC);
        assert_true(write(fd, contents[i], strlen(contents[i])) >= 0);
        close(fd);
        log = open_log("a");
        assert_string_equal(find(log, 1), "kept\n");
        assert_int_equal(add(log, 1, "other\n"), STORE_CONFLICT);
        ledger_log_free(log);
    }
}

/* A process that is killed before it has written its records leaves entries to nowhere, which soon
 * is the middle of others. */
static void is_not_misled_by_an_index_that_is_ahead_of_the_log(void **state)
{
    (void)state;
    enum { OTHERS = 8, AHEAD = 512 };
    struct err err;
    struct ledger_log *log = open_log("a");
    add(log, 1, "one\n");
    uint64_t end = (uint64_t)size_of(file_of("log"));
    int dir = open(file_of("."), O_RDONLY | O_DIRECTORY);
    struct ledger_index *index = ledger_index_open(dir, boot_number(), &err);
    assert_non_null(index);
    for (uint64_t at = 0; at < AHEAD; at += INDEX_ALIGN)
        assert_int_equal(ledger_index_add(index, key_of(9), end + at, &err), 0);
    ledger_index_free(index);
    close(dir);

    struct ledger_op others[OTHERS], op = op_of(LEDGER_ADD, 9, "nine\n");
    for (uint64_t i = 0; i < OTHERS; i++) {
        others[i] = op_of(LEDGER_ADD, 100 + i, "99999999999999999999999999999999\n");
        others[i].op.next = i + 1 < OTHERS ? &others[i + 1].op : &op.op;
    }
    commit(log, others);
    assert_int_equal(op.op.status, STORE_OK);
    assert_string_equal(find(log, 9), "nine\n");
    assert_string_equal(find(log, 103), "99999999999999999999999999999999\n");
    ledger_log_free(log);
}

static void finds_by_the_whole_key(void **state)
{
    (void)state;
    struct ledger_log *log = open_log("a");
    struct hash128 key = key_of(1);
    add(log, 1, "one\n");
    for (unsigned bit = 0; bit < 128; bit++) {
        struct err err;
        struct ledger_op op = op_of(LEDGER_FIND, 1, NULL);
        op.key = key;
        if (bit < 64)
            op.key.low ^= UINT64_C(1) << bit;
        else
            op.key.high ^= UINT64_C(1) << (bit - 64);
        assert_int_equal(ledger_log_find(log, &op, &err), 0);
        assert_int_equal(op.op.status, STORE_ABSENT);
    }
    ledger_log_free(log);
}

static void loses_nothing_on_a_full_disk(void **state)
{
    (void)state;
    char small[80];
    struct err err;
    snprintf(small, sizeof small, "%s/small", scratch);
    assert_int_equal(mkdir(small, 0700), 0);
    if (mount("tmpfs", small, "tmpfs", 0, "size=512k") < 0)
        skip();
    struct home *own = home_open(small, &err);
    struct ledger_log *log = ledger_log_open(own, STR("a"), true, &err);
    static char line[20001];
    uint64_t added = 0;
    memset(line, 'x', sizeof line - 1);
    for (;; added++) {
        struct ledger_op op = op_of(LEDGER_ADD, added, line);
        for (size_t i = 0; i < sizeof line - 1; i++) /* not to be compressed away */
            line[i] = (char)('a' + (hash_64((struct str){(char *)&i, sizeof i}) ^ added * i) % 26);
        if (ledger_log_commit(log, &op.op, true, &err) < 0)
            break;
    }
    assert_int_equal(err.kind, ERR_SYSTEM);
    assert_int_equal(err.sys_errno, ENOSPC);
    assert_true(added > 3);
    assert_null(find(log, added));
    assert_int_equal(strlen(find(log, added - 1)), sizeof line - 1);
    ledger_log_free(log);
    log = ledger_log_open(own, STR("a"), true, &err);
    for (uint64_t i = 0; i < added; i++)
        assert_non_null(find(log, i));
    ledger_log_free(log);
    home_free(own);
    assert_int_equal(umount(small), 0);
}

static void note(void *owner, struct str name, uint64_t bytes)
{
    struct buf *names = owner;
    assert_true(bytes > 0);
    buf_addc(names, '<');
    buf_add_str(names, name);
    buf_addc(names, '>');
}

static void lists_and_drops_by_name(void **state)
{
    (void)state;
    struct err err;
    struct buf names = {0};
    assert_int_equal(ledger_file_list(scratch_home, note, &names, &err), 0);
    assert_int_equal(names.len, 0);
    assert_int_equal(ledger_log_drop(scratch_home, STR("../a b"), &err), 0);
    ledger_log_free(open_log("../a b"));
    assert_int_equal(ledger_file_list(scratch_home, note, &names, &err), 0);
    assert_string_equal(buf_cstr(&names), "<../a b>");
    assert_int_equal(ledger_log_drop(scratch_home, STR("../a b"), &err), 1);
    assert_null(ledger_log_open(scratch_home, STR("../a b"), false, &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    buf_free(&names);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(keeps_what_it_was_given),
        CLAIM(keeps_the_first_record_of_a_key),
        CLAIM(keeps_the_first_record_of_a_key_within_one_commit),
        CLAIM(sees_what_another_process_has_added),
        CLAIM(tells_what_was_printed),
        CLAIM(cuts_off_a_torn_record_and_nothing_else),
        CLAIM(refuses_a_log_that_is_damaged_far_from_its_end),
        CLAIM(makes_a_foreign_or_torn_index_anew),
        CLAIM(is_not_misled_by_an_index_that_is_ahead_of_the_log),
        CLAIM(finds_by_the_whole_key),
        CLAIM(loses_nothing_on_a_full_disk),
        CLAIM(lists_and_drops_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
