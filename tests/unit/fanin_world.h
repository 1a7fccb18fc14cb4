/*
 * fanin_world.h: a store of groups for tests: on files or in memory, with an invented clock, whose
 * writes fail when told to, and processes that hold groups and can be killed.
 */
#ifndef FIT_TESTS_FANIN_WORLD_H
#define FIT_TESTS_FANIN_WORLD_H

#include "base/clock.h"
#include "base/mem.h"
#include "state/fanin.h"
#include "state/store_engine.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)

enum { MANY = 64 };

static char folder[64];
static struct err err;
static struct loop *loop;
static struct home *home;
static struct store *store;
static int64_t now, wall;
static bool in_memory;
static uint64_t map;         /* bytes that the store begins with; 0: plenty */
static unsigned writes_left; /* this write of a record fails, and all with it; 0: none */
static bool commits_fail;

/* ---- the store ---- */

static const struct table_ops *real_ops;
static struct table_ops own_ops;

static int put_or_fail(struct table_txn *txn, enum table_space space, struct str key,
                       struct str value)
{
    if (writes_left && --writes_left == 0)
        return table_fail(txn, ERR_LIMIT, "no more writes");
    return real_ops->put(txn, space, key, value);
}

static enum table_result remove_or_fail(struct table_txn *txn, enum table_space space,
                                        struct str key)
{
    if (writes_left && --writes_left == 0) {
        table_fail(txn, ERR_LIMIT, "no more writes");
        return TABLE_FAILED;
    }
    return real_ops->remove(txn, space, key);
}

static int commit_or_fail(struct table_txn *txn, struct err *why)
{
    if (!commits_fail)
        return real_ops->commit(txn, why);
    real_ops->abort(txn);
    return err_set(why, ERR_NOT_USABLE, "no more commits");
}

/* As store_open and store_open_memory do, but for what fails. */
static void open_store(void)
{
    loop = loop_new(&err);
    home = in_memory ? NULL : home_open(folder, &err);
    struct table *table =
        in_memory ? table_open_memory() : table_open_lmdb(folder, false, map, &err);
    if (!table)
        fail_msg("%s", err.text);
    real_ops = table->ops;
    own_ops = *real_ops;
    own_ops.put = put_or_fail;
    own_ops.remove = remove_or_fail;
    own_ops.commit = commit_or_fail;
    table->ops = &own_ops;
    store = store_embedded_new(table, home, loop, false);
}

static void close_store(void)
{
    store_free(store);
    home_free(home);
    loop_free(loop);
}

static int set_up(bool memory)
{
    in_memory = memory;
    snprintf(folder, sizeof folder, "/tmp/test_fanin.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    now = 1000 * SECOND;
    wall = 1700000000 * SECOND;
    map = 0;
    writes_left = 0;
    commits_fail = false;
    clock_invent(&now, &wall);
    open_store();
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return set_up(false);
}

static int setup_memory(void **state)
{
    (void)state;
    return set_up(true);
}

static int teardown(void **state)
{
    (void)state;
    close_store();
    clock_invent(NULL, NULL);
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-rf", folder, (char *)NULL);
        _exit(1);
    }
    waitpid(child, NULL, 0);
    return 0;
}

static inline void advance(int64_t time)
{
    now += time;
    wall += time;
}

/* ---- operations, ended before they return ---- */

static bool may_fail;

static void ended(struct store_op *op)
{
    if (op->status == STORE_NOT_APPLIED && !may_fail)
        fail_msg("%s", op->err->text);
    *(bool *)op->owner = true;
}

#define SUBMIT_TO(where, verb, what)     \
    do {                                 \
        bool is_done = false;            \
        (what)->own.op.done = ended;     \
        (what)->own.op.owner = &is_done; \
        (what)->own.name = STR("parts"); \
        verb(where, what);               \
        store_flush(where);              \
        assert_true(is_done);            \
    } while (0)
#define SUBMIT(verb, what) SUBMIT_TO(store, verb, what)

static inline enum group_verdict add_with(struct fanin_add *add, const char *group,
                                          const char *value)
{
    add->group = str_of(group);
    add->value = str_of(value);
    SUBMIT(fanin_add, add);
    return add->verdict;
}

static inline struct fanin_take take_with(struct fanin_take take)
{
    take.count = take.count ? take.count : MANY;
    take.bytes = take.bytes ? take.bytes : 1 << 20;
    SUBMIT(fanin_take, &take);
    return take;
}

static inline enum store_status end_with(const struct fanin_take *take, unsigned which,
                                         struct fanin_end end)
{
    end.token = take->token;
    end.seq = take->groups[which].seq;
    SUBMIT(fanin_end, &end);
    return end.own.op.status;
}

static inline struct fanin_show facts(void)
{
    struct fanin_show show = {0};
    SUBMIT(fanin_show, &show);
    return show;
}

/* ---- processes ---- */

struct process {
    pid_t pid;
    cell_holder holder;
};

/* One that does nothing until it is killed. */
static inline struct process process_begin(void)
{
    struct process own;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    own.pid = fork();
    if (own.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        cell_holder self = cell_self();
        if (write(fds[1], &self, sizeof self) != sizeof self)
            _exit(1);
        close(fds[1]);
        for (;;)
            pause();
    }
    assert_true(own.pid > 0);
    close(fds[1]);
    assert_int_equal(read(fds[0], &own.holder, sizeof own.holder), sizeof own.holder);
    close(fds[0]);
    return own;
}

static inline void process_kill(const struct process *process)
{
    kill(process->pid, SIGKILL);
    waitpid(process->pid, NULL, 0);
}

#define ON_DISK(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define CLAIM(name)                                             \
    ON_DISK(name),                                              \
    {                                                           \
        "in_memory: " #name, name, setup_memory, teardown, NULL \
    }

#endif
