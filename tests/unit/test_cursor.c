/* test_cursor.c: claims about state/cursor.h beyond one operation: killed processes, commits that
 * fail, connections that break, and random operations against a model. */
#include "state/cursor.h"

#include "base/rng.h"
#include "store_world.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

static int setup_small(void **state)
{
    map = 256 << 10;
    return setup(state);
}

/* ---- operations, ended before they return ---- */

static struct err why;

static void ended(struct store_op *op)
{
    if (op->err)
        why = *op->err;
    *(bool *)op->owner = true;
}

#define SUBMIT(call, what)               \
    do {                                 \
        bool is_done = false;            \
        (what)->own.op.done = ended;     \
        (what)->own.op.owner = &is_done; \
        (what)->own.kind = "poll";       \
        call(store, (what));             \
        store_flush(store);              \
        assert_true(is_done);            \
    } while (0)

static struct cursor_open open_as(const char *name, cell_holder holder)
{
    struct cursor_open open = {.own.name = str_of(name), .holder = holder};
    SUBMIT(cursor_open, &open);
    return open;
}

static enum store_status move(const char *name, uint64_t token, const struct cursor_change *changes,
                              size_t count)
{
    struct cursor_move move = {
        .own.name = str_of(name), .token = token, .changes = changes, .count = count};
    SUBMIT(cursor_move, &move);
    return move.own.op.status;
}

static enum store_status set(uint64_t token, const char *value)
{
    struct cursor_change change = {STR("key"), str_of(value)};
    return move("a", token, &change, 1);
}

static struct cursor_read read_all(const char *name)
{
    struct cursor_read read = {
        .own.name = str_of(name), .count = CURSOR_READ_MAX, .bytes = SIZE_MAX};
    SUBMIT(cursor_read, &read);
    assert_int_equal(read.own.op.status, STORE_OK);
    assert_false(read.more);
    return read;
}

static enum store_status forget(const char *name, uint64_t token)
{
    struct cursor_forget own = {.own.name = str_of(name), .token = token};
    SUBMIT(cursor_forget, &own);
    enum store_status first = own.own.op.status;
    while (own.more)
        SUBMIT(cursor_forget, &own);
    return first;
}

/* ---- moves of many records that all say the same number ---- */

enum { MANY = 300 };

/* Of every third one in turn there is no record. */
static enum store_status move_all(uint64_t token, unsigned number)
{
    static char keys[MANY][8], text[6000];
    struct cursor_change changes[MANY];
    memset(text, 'x', sizeof text);
    int len = snprintf(text, sizeof text, "%u ", number);
    text[len] = 'x';
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(keys[i], sizeof keys[i], "%03u", i);
        changes[i] = (struct cursor_change){str_of(keys[i]), {text, i % 50 ? 40 : sizeof text}};
        if (i % 3 == number % 3)
            changes[i].value = (struct str){NULL, 0};
    }
    return move("a", token, changes, MANY);
}

static unsigned number_of(struct slice key)
{
    unsigned number = 0;
    for (size_t i = 0; i < key.len; i++)
        number = number * 10 + (unsigned)(key.data[i] - '0');
    return number;
}

/* The number that all of them say; 0: there is none. */
static unsigned number_of_all(void)
{
    struct cursor_read read = read_all("a");
    unsigned number = 0;
    if (read.got)
        number = (unsigned)strtoul(read.records[0].value.data, NULL, 10);
    for (unsigned i = 0; i < read.got; i++) {
        assert_int_equal(strtoul(read.records[i].value.data, NULL, 10), number);
        assert_true(number_of(read.records[i].key) % 3 != number % 3);
    }
    assert_int_equal(read.got, number ? MANY - MANY / 3 : 0);
    cursor_read_clear(&read);
    return number;
}

/* ---- processes that are killed ---- */

/* Moves it until it is killed, and tells each number before and after. */
static pid_t start_mover(unsigned from, int *told)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid) {
        close(ends[1]);
        *told = ends[0];
        return pid;
    }
    open_store();
    struct cursor_open open = open_as("a", cell_self());
    for (unsigned number = from; open.own.op.status == STORE_OK; number++) {
        if (move_all(open.token, number) != STORE_OK ||
            write(ends[1], &number, sizeof number) != sizeof number)
            break;
    }
    _exit(1);
}

/* The last number that it was told was moved. */
static unsigned last_told(int told, unsigned last)
{
    unsigned number;
    while (read(told, &number, sizeof number) == sizeof number)
        last = number;
    close(told);
    return last;
}

static void moves_as_a_whole_or_not_at_all_when_killed(void **state)
{
    struct rng rng;
    unsigned last = 0;
    (void)state;
    rng_seed(&rng, 5);
    for (int round = 0; round < 12; round++) {
        int told;
        unsigned number;
        close_store();
        pid_t pid = start_mover(last + 1, &told);
        assert_int_equal(read(told, &number, sizeof number), sizeof number);
        for (uint64_t spin = rng_below(&rng, 3000000); spin; spin--)
            __asm__ volatile("");
        kill(pid, SIGKILL);
        last = last_told(told, number);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        open_store();
        number = number_of_all();
        assert_true(number == last || number == last + 1);
        last = number;
        struct cursor_open open = open_as("a", cell_self());
        assert_int_equal(open.own.op.status, STORE_OK);
        assert_int_equal(move_all(open.token, ++last), STORE_OK);
        struct cursor_close close = {.own.name = STR("a"), .token = open.token};
        SUBMIT(cursor_close, &close);
    }
}

static void is_kept_from_others_by_a_process_that_lives(void **state)
{
    int told;
    unsigned number;
    (void)state;
    close_store();
    pid_t pid = start_mover(1, &told);
    assert_int_equal(read(told, &number, sizeof number), sizeof number);
    open_store();
    struct cursor_open open = open_as("a", cell_self());
    assert_int_equal(open.own.op.status, STORE_CONFLICT);
    assert_int_equal(cell_holder_pid(open.by), pid);
    assert_int_equal(forget("a", 0), STORE_CONFLICT);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    last_told(told, 0);
    assert_true(number_of_all() > 0);
    assert_int_equal(forget("a", 0), STORE_OK);
    assert_int_equal(number_of_all(), 0);
}

/* ---- commits that fail ---- */

static void keeps_all_of_before_when_a_commit_fails(void **state)
{
    struct rlimit limit, low;
    (void)state;
    uint64_t token = open_as("a", cell_self()).token;
    assert_int_equal(move_all(token, 1), STORE_OK);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    low = (struct rlimit){4096, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    enum store_status failed = move_all(token, 2);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(failed, STORE_NOT_APPLIED);
    assert_int_equal(why.sys_errno, EFBIG);
    assert_int_equal(number_of_all(), 1);
    assert_int_equal(move_all(token, 2), STORE_OK); /* it is still had */
    assert_int_equal(number_of_all(), 2);
    close_store();
    open_store();
    assert_int_equal(number_of_all(), 2);
}

/* Each move is more than the map has room for at first: it is undone, the map grows, and it is done
 * again. */
static void does_again_what_the_map_had_no_room_for(void **state)
{
    enum { BIG = 100 };
    static char value[20000];
    struct cursor_change changes[BIG];
    static char keys[BIG][8];
    struct rng rng;
    (void)state;
    rng_seed(&rng, 2);
    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (char)rng_below(&rng, 256);
    uint64_t token = open_as("a", cell_self()).token;
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < BIG; i++) {
            snprintf(keys[i], sizeof keys[i], "%d.%d", round, i);
            changes[i] = (struct cursor_change){str_of(keys[i]), {value, sizeof value}};
        }
        assert_int_equal(move("a", token, changes, BIG), STORE_OK);
    }
    struct cursor_read read = read_all("a");
    assert_int_equal(read.got, 4 * BIG);
    for (unsigned i = 0; i < read.got; i++)
        assert_memory_equal(read.records[i].value.data, value, sizeof value);
    cursor_read_clear(&read);
    assert_int_equal(forget("a", token), STORE_OK);
    assert_int_equal(set(token, "1"), STORE_OK);
    read = read_all("a");
    assert_int_equal(read.got, 1);
    cursor_read_clear(&read);
}

/* ---- connections that break ---- */

static struct {
    enum cursor_verb verb;
    bool applied;
    unsigned times;
} fault;

static enum store_status judge(void *owner, const struct store_op *op, bool *applied)
{
    const struct cursor_op *own = (const struct cursor_op *)(const void *)op;
    (void)owner;
    if (op->kind != STORE_CURSOR || own->verb != fault.verb || !fault.times)
        return STORE_OK;
    fault.times--;
    *applied = fault.applied;
    return STORE_UNKNOWN;
}

static const struct store_faults faults = {.later = true, .judge = judge};

static void breaks(enum cursor_verb verb, bool applied)
{
    fault.verb = verb;
    fault.applied = applied;
    fault.times = 1;
}

static void settles_what_is_unknown_by_doing_it_again(void **state)
{
    (void)state;
    close_store();
    for (int applied = 0; applied < 2; applied++) {
        loop = loop_new(&err);
        store = store_open_memory(loop, &faults);
        breaks(CURSOR_OPEN, applied);
        assert_int_equal(open_as("a", cell_self()).own.op.status, STORE_UNKNOWN);
        struct cursor_open open = open_as("a", cell_self());
        assert_int_equal(open.own.op.status, STORE_OK);
        breaks(CURSOR_MOVE, applied);
        assert_int_equal(set(open.token, "1"), STORE_UNKNOWN);
        assert_int_equal(set(open.token, "1"), STORE_OK);
        breaks(CURSOR_FORGET, applied);
        assert_int_equal(forget("a", open.token), STORE_UNKNOWN);
        assert_int_equal(forget("a", open.token), applied ? STORE_ABSENT : STORE_OK);
        struct cursor_read read = read_all("a");
        assert_int_equal(read.got, 0);
        cursor_read_clear(&read);
        breaks(CURSOR_CLOSE, applied);
        struct cursor_close close = {.own.name = STR("a"), .token = open.token};
        SUBMIT(cursor_close, &close);
        assert_int_equal(close.own.op.status, STORE_UNKNOWN);
        SUBMIT(cursor_close, &close);
        assert_int_equal(close.own.op.status, applied ? STORE_LOST : STORE_OK);
        close_store();
    }
    open_store();
}

/* ---- forgetting many ---- */

/* What a killed process has left of it is not found, and is made free by the next who forgets. */
static void forgets_more_than_one_step_at_once(void **state)
{
    enum { RECORDS = 2 * CURSOR_STEP + CURSOR_STEP / 2 };
    (void)state;
    struct cursor_change *changes = mem_array(RECORDS, sizeof *changes);
    char(*keys)[8] = mem_array(RECORDS, sizeof *keys);
    for (int i = 0; i < RECORDS; i++) {
        snprintf(keys[i], sizeof keys[i], "%d", i);
        changes[i] = (struct cursor_change){str_of(keys[i]), STR("")};
    }
    uint64_t token = open_as("a", 0).token;
    assert_int_equal(move("a", token, changes, RECORDS), STORE_OK);
    struct cursor_forget first = {.own.name = STR("a")};
    SUBMIT(cursor_forget, &first);
    assert_int_equal(first.own.op.status, STORE_OK);
    assert_true(first.more);
    assert_true(open_as("a", 0).is_new);
    unsigned steps = 0;
    struct cursor_forget other = {.own.name = STR("b")};
    do {
        SUBMIT(cursor_forget, &other);
        steps++;
    } while (other.more);
    assert_true(steps >= 2 && steps <= 4);
    free(changes);
    free(keys);
}

/* ---- against a model ---- */

enum { NAMES = 3, KEYS = 12, STEPS = 4000, HOLDERS = 3 };

static struct model {
    bool has[KEYS];
    unsigned value[KEYS];
    uint64_t token;
    int holder; /* who has it; -1: nobody */
} model[NAMES];

static cell_holder holders[HOLDERS];
static pid_t pids[HOLDERS];
static uint64_t last_token;

/* A process that waits to be killed. */
static void start_holder(int which)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pids[which] = fork();
    if (pids[which] == 0) {
        cell_holder own = cell_self();
        if (write(ends[1], &own, sizeof own) == sizeof own)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ends[0], &holders[which], sizeof *holders), sizeof *holders);
    close(ends[0]);
    close(ends[1]);
}

static void end_holder(int which)
{
    kill(pids[which], SIGKILL);
    assert_int_equal(waitpid(pids[which], NULL, 0), pids[which]);
    for (int i = 0; i < NAMES; i++)
        model[i].holder = model[i].holder == which ? -1 : model[i].holder;
}

static const char *const names[NAMES] = {"a", "b", "c"};

static unsigned count_of(const struct model *one)
{
    unsigned count = 0;
    for (int i = 0; i < KEYS; i++)
        count += one->has[i];
    return count;
}

static void model_open(struct rng *rng, int name)
{
    struct model *one = &model[name];
    int who = (int)rng_below(rng, HOLDERS);
    struct cursor_open open = open_as(names[name], holders[who]);
    bool taken = one->holder >= 0 && one->holder != who;
    assert_int_equal(open.own.op.status, taken ? STORE_CONFLICT : STORE_OK);
    assert_true(open.by == (taken ? holders[one->holder] : 0));
    if (taken)
        return;
    assert_int_equal(open.is_new, !count_of(one));
    assert_true(open.token > last_token);
    last_token = one->token = open.token;
    one->holder = who;
}

/* The token that it has, or one that it has not. */
static uint64_t some_token(struct rng *rng, const struct model *one)
{
    return rng_below(rng, 8) ? one->token : rng_below(rng, last_token + 2);
}

static void model_move(struct rng *rng, int name)
{
    struct model *one = &model[name];
    struct cursor_change changes[8];
    char keys[8][8], values[8][16];
    unsigned which[8], value[8];
    size_t count = (size_t)rng_below(rng, 8);
    for (size_t i = 0; i < count; i++) {
        which[i] = (unsigned)rng_below(rng, KEYS);
        value[i] = (unsigned)rng_below(rng, 4) ? (unsigned)rng_below(rng, 1000000) : 0;
        snprintf(keys[i], sizeof keys[i], "%02u", which[i]);
        snprintf(values[i], sizeof values[i], "%u", value[i]);
        changes[i] = (struct cursor_change){str_of(keys[i]), str_of(value[i] ? values[i] : NULL)};
    }
    uint64_t token = some_token(rng, one);
    bool has = one->token && token == one->token;
    assert_int_equal(move(names[name], token, changes, count), has ? STORE_OK : STORE_LOST);
    for (size_t i = 0; has && i < count; i++) {
        one->has[which[i]] = value[i] != 0;
        one->value[which[i]] = value[i];
    }
}

static void model_close(struct rng *rng, int name)
{
    struct model *one = &model[name];
    struct cursor_close close = {.own.name = str_of(names[name]), .token = some_token(rng, one)};
    bool has = one->token && close.token == one->token;
    SUBMIT(cursor_close, &close);
    assert_int_equal(close.own.op.status, has ? STORE_OK : STORE_LOST);
    if (!has)
        return;
    one->token = 0;
    one->holder = -1;
}

static void model_forget(struct rng *rng, int name)
{
    struct model *one = &model[name];
    uint64_t token = rng_below(rng, 2) ? some_token(rng, one) : 0;
    enum store_status expected = STORE_OK;
    if (!token && one->holder >= 0)
        expected = STORE_CONFLICT;
    else if (token && token != one->token)
        expected = STORE_LOST;
    else if (!count_of(one))
        expected = STORE_ABSENT;
    assert_int_equal(forget(names[name], token), expected);
    if (expected != STORE_OK)
        return;
    memset(one->has, 0, sizeof one->has);
    if (!token) /* he who had it, and is gone, has it no more */
        one->token = 0;
}

static void model_check(int name)
{
    const struct model *one = &model[name];
    struct cursor_read read = read_all(names[name]);
    unsigned seen = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        char key[8], value[16];
        if (!one->has[i])
            continue;
        assert_true(seen < read.got);
        snprintf(key, sizeof key, "%02u", i);
        snprintf(value, sizeof value, "%u", one->value[i]);
        assert_true(str_eq(slice_str(read.records[seen].key), str_of(key)));
        assert_true(str_eq(slice_str(read.records[seen].value), str_of(value)));
        seen++;
    }
    assert_int_equal(read.got, seen);
    cursor_read_clear(&read);
}

static void check_listed(void *owner, struct str name, uint64_t records, cell_holder holder)
{
    const struct model *one = &model[name.data[0] - 'a'];
    ++*(unsigned *)owner;
    assert_int_equal(records, count_of(one));
    assert_true(holder == (one->holder < 0 ? 0 : holders[one->holder]));
    assert_true(records || holder);
}

static void model_list(void)
{
    unsigned seen = 0, expected = 0;
    struct cursor_list list = {.each = check_listed, .owner = &seen};
    SUBMIT(cursor_list, &list);
    for (int i = 0; i < NAMES; i++)
        expected += count_of(&model[i]) || model[i].holder >= 0;
    assert_int_equal(seen, expected);
}

static void model_step(struct rng *rng)
{
    int name = (int)rng_below(rng, NAMES);
    uint64_t dice = rng_below(rng, 100);
    if (dice < 15) {
        model_open(rng, name);
    } else if (dice < 60) {
        model_move(rng, name);
    } else if (dice < 68) {
        model_close(rng, name);
    } else if (dice < 76) {
        model_forget(rng, name);
    } else if (dice < 78) {
        int which = 1 + (int)rng_below(rng, HOLDERS - 1);
        end_holder(which);
        start_holder(which);
    } else if (dice < 80 && !in_memory) {
        close_store();
        open_store();
    } else if (dice < 88) {
        model_list();
    } else {
        model_check(name);
    }
}

static void behaves_like_its_model(void **state)
{
    struct rng rng;
    (void)state;
    last_token = 0;
    holders[0] = cell_self();
    for (int i = 0; i < NAMES; i++)
        model[i] = (struct model){.holder = -1};
    for (int i = 1; i < HOLDERS; i++)
        start_holder(i);
    rng_seed(&rng, in_memory ? 1 : 2);
    for (int i = 0; i < STEPS; i++)
        model_step(&rng);
    for (int i = 0; i < NAMES; i++)
        model_check(i);
    for (int i = 1; i < HOLDERS; i++)
        end_holder(i);
}

#define CLAIM(claim)                         \
    {                                        \
#claim, claim, setup, teardown, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(moves_as_a_whole_or_not_at_all_when_killed),
        CLAIM(is_kept_from_others_by_a_process_that_lives),
        CLAIM(keeps_all_of_before_when_a_commit_fails),
        {"does_again_what_the_map_had_no_room_for", does_again_what_the_map_had_no_room_for,
         setup_small, teardown, NULL},
        CLAIM(settles_what_is_unknown_by_doing_it_again),
        CLAIM(forgets_more_than_one_step_at_once),
        CLAIM(behaves_like_its_model),
        {"in memory: behaves_like_its_model", behaves_like_its_model, setup_memory, teardown, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
