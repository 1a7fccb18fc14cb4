/*
 * test_ticks_model.c: pattern/ticks.h against a model that has a fate for each minute: all short
 * histories of time passing, runs ending, the clock being set back, and kills, under all policies.
 */
#include "pattern/ticks.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)

enum { MINUTES = 64, LENGTH = 6, FIRST = 2 };
#define BEGIN ((int64_t)FIRST * MINUTE)

enum fate { FUTURE, LISTED, IN_RANGE, RUNS, OVER, MISSED, SKIPPED };

struct fates {
    enum fate of[MINUTES];
    bool again[MINUTES]; /* listed by a process before */
};

static const struct ticks_policy *policy;
static struct fates fates, kept;
static int64_t now;
static bool looked;
static uint64_t missed, skipped; /* since the last that began */

static char history[64]; /* so far, for who looks into a failure */
static struct schedule schedule;
static struct ticks ticks;
static int64_t kept_through, kept_open[MINUTES];
static size_t kept_count;

/* ---- the model ---- */

static int count_of(enum fate fate)
{
    int count = 0;
    for (int i = 0; i < MINUTES; i++)
        count += fates.of[i] == fate;
    return count;
}

static int first_of(enum fate fate)
{
    int i = 0;
    while (i < MINUTES && fates.of[i] != fate)
        i++;
    return i;
}

static bool is_late(int minute, int64_t limit)
{
    return limit && now - minute * MINUTE > limit;
}

static void miss(int minute)
{
    fates.of[minute] = MISSED;
    missed++;
}

static void meet(int minute)
{
    int running = count_of(RUNS), listed = count_of(LISTED);
    bool begins = true;
    if (policy->overlap == TICKS_FORBID)
        begins = running + listed == 0;
    if (policy->overlap == TICKS_ALLOW)
        begins = running + listed < (int)policy->at_once;
    for (int i = 0; policy->overlap == TICKS_REPLACE && i < MINUTES; i++) {
        if (fates.of[i] == LISTED) {
            fates.of[i] = SKIPPED;
            skipped++;
        }
    }
    fates.of[minute] = begins ? LISTED : SKIPPED;
    fates.again[minute] = false;
    skipped += !begins;
}

/* A minute that nobody has seen yet. Those before one that was seen are seen: none comes twice. */
static bool is_new(int minute)
{
    for (int i = minute; i < MINUTES; i++) {
        if (fates.of[i] != FUTURE)
            return false;
    }
    return minute * MINUTE <= now;
}

static void look(void)
{
    int new[MINUTES], count = 0;
    bool fresh = !looked;
    bool backlog = count_of(LISTED) + count_of(IN_RANGE) > 0;
    int64_t limit = policy->deadline               ? policy->deadline
                    : policy->missed == TICKS_NONE ? TICKS_PROMPT
                                                   : 0;
    looked = true;
    for (int i = FIRST; i < MINUTES; i++) {
        if (is_new(i))
            new[count++] = i;
    }
    if (policy->missed == TICKS_ALL && (count > 1 || fresh || backlog)) {
        for (int i = 0; i < count; i++)
            fates.of[new[i]] = IN_RANGE;
        for (int i = 0; count && i < MINUTES; i++) {
            if (fates.of[i] == IN_RANGE && is_late(i, policy->deadline))
                miss(i);
        }
        return;
    }
    if (policy->missed != TICKS_ALL) {
        for (int i = 0; fresh && i < MINUTES; i++) {
            bool last = !count && count_of(LISTED) == 1;
            if (fates.of[i] == LISTED && (!last || is_late(i, limit)))
                miss(i);
        }
        for (int i = 0; i < count - 1; i++)
            miss(new[i]);
        if (count && is_late(new[count - 1], limit)) {
            miss(new[count - 1]);
            return;
        }
    }
    if (count)
        meet(new[count - 1]);
}

/* The minute that begins; MINUTES: none. */
static int next_minute(void)
{
    for (;;) {
        int minute = first_of(LISTED), running = count_of(RUNS);
        bool made_up = minute == MINUTES || fates.again[minute];
        if (minute == MINUTES)
            minute = first_of(IN_RANGE);
        bool may = !running || (policy->overlap == TICKS_ALLOW && running < (int)policy->at_once) ||
                   (policy->overlap == TICKS_REPLACE && !made_up);
        if (minute == MINUTES || !may)
            return MINUTES;
        if (!is_late(minute, policy->deadline)) {
            fates.of[minute] = RUNS;
            return minute;
        }
        miss(minute);
    }
}

/* ---- both ---- */

static void keep(void)
{
    kept = fates;
    kept_through = ticks.through;
    kept_count = 0;
    for (size_t i = 0; i < ticks.count; i++) {
        if (ticks.open[i].state != TICK_ENDED)
            kept_open[kept_count++] = ticks.open[i].tick.scheduled;
    }
}

static void resume(void)
{
    ticks_init(&ticks, &schedule, &zone_utc, policy);
    ticks_resume(&ticks, kept_through, kept_open, kept_count);
    fates = kept;
    looked = false;
    missed = skipped = 0;
    for (int i = 0; i < MINUTES; i++) {
        if (fates.of[i] == IN_RANGE)
            fates.of[i] = FUTURE;
        fates.again[i] = fates.of[i] == RUNS || fates.of[i] == LISTED;
        if (fates.again[i])
            fates.of[i] = LISTED;
    }
}

static void compare_begins(void)
{
    struct tick tick;
    int64_t when;
    enum ticks_answer answer;
    while ((answer = ticks_next(&ticks, now, &tick, &when)) == TICKS_RUN) {
        look();
        int minute = next_minute();
        if (minute * MINUTE != tick.scheduled)
            print_error("history %s: %d begins, not %d\n", history, (int)(tick.scheduled / MINUTE),
                        minute);
        assert_int_equal(minute * MINUTE, tick.scheduled);
        assert_int_equal(tick.missed, missed);
        assert_int_equal(tick.skipped, skipped);
        missed = skipped = 0;
    }
    look();
    assert_int_equal(next_minute(), MINUTES);
    assert_int_equal(answer, TICKS_LATER);
    assert_true(when > now);
    assert_int_equal(ticks_wait(&ticks), count_of(LISTED) + count_of(IN_RANGE) > 0);
}

enum action { PASS_ONE, PASS_SOME, SET_BACK, END_FIRST, KILL, ACTIONS };

static void act(enum action action)
{
    int running = first_of(RUNS);
    snprintf(history + strlen(history), sizeof history - strlen(history), " %d", action);
    switch (action) {
    case PASS_ONE:
        now += MINUTE;
        break;
    case PASS_SOME:
        now += 11 * MINUTE / 2;
        break;
    case SET_BACK:
        now -= 2 * MINUTE;
        break;
    case END_FIRST:
        if (running == MINUTES)
            break;
        fates.of[running] = OVER;
        ticks_end(&ticks, running * MINUTE);
        keep();
        ticks_settle(&ticks);
        break;
    case KILL:
        ticks_free(&ticks);
        resume();
        break;
    case ACTIONS:
        break;
    }
}

static void try_history(unsigned code)
{
    snprintf(history, sizeof history, "%d %d %d:", policy->missed, policy->overlap,
             policy->deadline != 0);
    memset(&fates, 0, sizeof fates);
    kept = fates;
    kept_through = BEGIN - 1;
    kept_count = 0;
    now = BEGIN;
    resume();
    compare_begins();
    for (int i = 0; i < LENGTH; i++, code /= ACTIONS) {
        act(code % ACTIONS);
        compare_begins();
    }
    ticks_free(&ticks);
}

static void does_as_the_model_in_all_short_histories(void **state)
{
    struct err err;
    unsigned histories = 1;
    (void)state;
    assert_int_equal(schedule_parse(&schedule, "* * * * *", &zone_utc, 0, &err), 0);
    for (int i = 0; i < LENGTH; i++)
        histories *= ACTIONS;
    for (unsigned kind = 0; kind < 3 * 4 * 2; kind++) {
        const struct ticks_policy tried = {.missed = kind % 3,
                                           .overlap = kind / 3 % 4,
                                           .deadline = kind / 12 ? 3 * MINUTE : 0,
                                           .at_once = 2};
        policy = &tried;
        for (unsigned code = 0; code < histories; code++)
            try_history(code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(does_as_the_model_in_all_short_histories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
