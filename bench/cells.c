/*
 * cells.c: what shared state costs: cells DIR
 *
 * In a state directory DIR, times each operation alone and beside a second process that does the
 * same without a pause. A line each: the operation, the median of the rounds alone and that beside
 * the other, in nanoseconds. The clock is read once a round, and is measured by itself.
 */
#include "base/clock.h"
#include "base/num.h"
#include "state/bell.h"
#include "state/shared_breaker.h"
#include "state/shared_rate.h"
#include "state/shared_slots.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 51, SLOTS = 64, HOLDERS = 5 };

static struct home *home;
static struct cell *cell;
static struct shared_breaker *closed, *opened;
static struct shared_rate *rate;
static struct shared_slots *slots, *full;
static struct bell *bell;
static struct err err;
static int64_t now;

/* So high that it never refuses. */
static const struct gcra_limit limit = {UINT64_C(1000000000), NUM_SECOND, UINT64_C(1000000000)};

/* ---- what is measured ---- */

static void read_clock(void)
{
    now = clock_now();
}

static void lock_and_unlock(void)
{
    ++*(uint64_t *)cell_lock(cell);
    cell_unlock(cell);
}

static uint64_t seen;

static void peek(void)
{
    const uint64_t *word = cell_peek(cell);
    seen += __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void admit(void)
{
    struct breaker_ticket ticket;
    seen += shared_breaker_admit(closed, now, &ticket);
}

static void admit_and_record(void)
{
    struct breaker_ticket ticket;
    if (shared_breaker_admit(closed, now, &ticket))
        shared_breaker_record(closed, &ticket, BREAKER_SUCCESS, 0, now);
}

static void deny(void)
{
    struct breaker_ticket ticket;
    seen += shared_breaker_admit(opened, now, &ticket);
}

static void take_of_rate(void)
{
    seen += shared_rate_take(rate, 0, &limit, now, 1).limited;
}

static void take_of_key(void)
{
    static uint64_t key;
    key += UINT64_C(0x9e3779b97f4a7c15);
    seen += shared_rate_take(rate, key | 1, &limit, now, 1).limited;
}

static void take_and_give_slot(void)
{
    int slot = shared_slots_take(slots);
    if (slot >= 0)
        shared_slots_give(slots, slot);
}

static void find_no_slot(void)
{
    seen += (uint64_t)shared_slots_take(full);
}

/* What a call costs that all three stand around. */
static void pass_all_three(void)
{
    struct breaker_ticket ticket;
    if (!shared_breaker_admit(closed, now, &ticket))
        return;
    seen += shared_rate_take(rate, 0, &limit, now, 1).limited;
    int slot = shared_slots_take(slots);
    if (slot >= 0)
        shared_slots_give(slots, slot);
    shared_breaker_record(closed, &ticket, BREAKER_SUCCESS, 0, now);
}

static void look_for_holder(void)
{
    seen += cell_holder_gone(cell_self());
}

static void ring(void)
{
    bell_ring(bell, &err);
}

static const struct operation {
    const char *name;
    void (*run)(void);
    int times; /* in a round */
} operations[] = {
    {"clock", read_clock, 20000},
    {"cell: peek", peek, 20000},
    {"cell: lock, unlock", lock_and_unlock, 20000},
    {"breaker: check", admit, 20000},
    {"breaker: check, record", admit_and_record, 20000},
    {"breaker: deny", deny, 20000},
    {"rate: take", take_of_rate, 20000},
    {"rate: take of one key of many", take_of_key, 20000},
    {"slots: take, give", take_and_give_slot, 20000},
    {"breaker, rate and slots", pass_all_three, 20000},
    {"slots: none free", find_no_slot, 200},
    {"holder: is it gone", look_for_holder, 200},
    {"bell: ring", ring, 2000},
};

/* ---- measuring ---- */

static int by_value(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static double measure(const struct operation *operation)
{
    static double rounds[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        now = clock_now();
        int64_t begin = clock_now();
        for (int i = 0; i < operation->times; i++)
            operation->run();
        rounds[round] = (double)(clock_now() - begin) / operation->times;
    }
    qsort(rounds, ROUNDS, sizeof *rounds, by_value);
    return rounds[ROUNDS / 2];
}

/* A process that does it for ever, or (NULL) takes one of the slots that are all held. */
static pid_t start(const struct operation *operation)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (operation) {
        now = clock_now();
        for (int i = 0; i < operation->times; i++)
            operation->run();
    }
    shared_slots_take(full);
    for (;;)
        pause();
}

static void stop(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static double measure_beside_another(const struct operation *operation)
{
    pid_t pid = start(operation);
    double time = measure(operation);
    stop(pid);
    return time;
}

/* ---- the state ---- */

static void *need(void *opened_or_null)
{
    if (opened_or_null)
        return opened_or_null;
    fprintf(stderr, "cells: %s\n", err.text);
    exit(1);
}

static const struct cell_kind word = {.name = "word", .layout = 1, .size = sizeof(uint64_t)};

static void open_all(const char *path)
{
    struct loop *loop = need(loop_new(&err));
    home = need(home_open(path, &err));
    cell = need(cell_open(home, &word, STR("bench"), NULL, NULL, &err));
    closed = need(shared_breaker_open(home, STR("closed"), NULL, NULL, &err));
    opened = need(shared_breaker_open(home, STR("open"), NULL, NULL, &err));
    rate = need(shared_rate_open(home, STR("bench"), NULL, &err));
    slots = need(shared_slots_open(home, STR("bench"), SLOTS, NULL, NULL, NULL, NULL, &err));
    full = need(shared_slots_open(home, STR("full"), HOLDERS, loop, NULL, NULL, NULL, &err));
    bell = need(bell_open(home, "bench", STR("bench")));
    shared_breaker_set(opened, BREAKER_FORCED_OPEN, clock_now());
}

/* Processes that hold all slots of one name. */
static void fill_up(pid_t *holders)
{
    for (int i = 0; i < HOLDERS; i++) {
        holders[i] = start(NULL);
        if (holders[i] < 0)
            need(NULL);
    }
    while (shared_slots_look(full).held < HOLDERS)
        ;
}

int main(int argc, char **argv)
{
    pid_t holders[HOLDERS];
    if (argc != 2) {
        fputs("usage: cells DIR\n", stderr);
        return 2;
    }
    open_all(argv[1]);
    fill_up(holders);
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        double alone = measure(&operations[i]);
        printf("%-32s %10.1f %10.1f\n", operations[i].name, alone,
               measure_beside_another(&operations[i]));
    }
    for (int i = 0; i < HOLDERS; i++)
        stop(holders[i]);
    return fflush(stdout) == 0 && seen ? 0 : 1;
}
