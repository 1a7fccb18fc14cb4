/* breaker.c: a circuit breaker: stop calling what is down. */
#include "pattern/breaker.h"

#include "base/num.h"
#include "base/power.h"

#include <string.h>

enum verdict { TOO_FEW, GOOD, TOO_MANY_FAILED, TOO_MANY_SLOW };

static uint32_t between(uint32_t number, uint32_t least, uint32_t most)
{
    return number < least ? least : number > most ? most : number;
}

static int64_t later(int64_t now, int64_t wait)
{
    int64_t then;
    return __builtin_add_overflow(now, wait, &then) ? INT64_MAX : then;
}

static uint32_t probes_wanted(const struct breaker_settings *settings)
{
    return between(settings->probes, 1, BREAKER_PROBES_MAX);
}

static void window_clear(struct breaker *breaker, const struct breaker_settings *settings,
                         int64_t now)
{
    breaker_window_init(&breaker->window, settings->window_calls, settings->window_time, now);
}

static void window_fit(struct breaker *breaker, const struct breaker_settings *settings,
                       int64_t now)
{
    if (!breaker_window_fits(&breaker->window, settings->window_calls, settings->window_time))
        window_clear(breaker, settings, now);
}

/* Judging. */

/* The quotient of two whole numbers is the double nearest to it: a rate that is written as what it
 * comes to is reached by it. */
static double percent(uint32_t part, uint32_t calls)
{
    return 100.0 * part / calls;
}

static enum verdict judge(const struct breaker_settings *settings,
                          const struct breaker_counts *counts, uint32_t least)
{
    if (counts->calls < least)
        return TOO_FEW;
    if (percent(counts->failed, counts->calls) >= settings->failure_rate)
        return TOO_MANY_FAILED;
    if (percent(counts->slow, counts->calls) >= settings->slow_rate)
        return TOO_MANY_SLOW;
    return GOOD;
}

/* The fewest results that are judged now. */
static uint32_t least_results(const struct breaker *breaker,
                              const struct breaker_settings *settings)
{
    if (breaker->state == BREAKER_HALF_OPEN)
        return probes_wanted(settings);
    uint32_t most = breaker->window.seconds ? UINT32_MAX : breaker->window.calls;
    return between(settings->min_calls, 1, most);
}

/* Transitions. */

static int64_t open_time(const struct breaker_settings *settings, uint32_t openings)
{
    int64_t time = settings->open_for;
    if (openings > 1 && settings->open_growth != 1) {
        double grown = (double)time * power_of(settings->open_growth, openings - 1);
        time = grown < (double)INT64_MAX ? (int64_t)grown : INT64_MAX;
    }
    if (settings->open_max > 0 && time > settings->open_max)
        time = settings->open_max;
    return time > 0 ? time : 0;
}

/* When the open time ends. What is farther away than all of it was set by a clock that has gone
 * back since, or by longer settings. */
static int64_t open_until(const struct breaker *breaker, const struct breaker_settings *settings,
                          int64_t now)
{
    int64_t longest = later(now, open_time(settings, breaker->openings));
    return breaker->until < longest ? breaker->until : longest;
}

static void move(struct breaker *breaker, const struct breaker_settings *settings,
                 enum breaker_state to, enum breaker_cause cause, int64_t now)
{
    breaker->generation++;
    breaker->log[breaker->transitions++ % BREAKER_LOG] = (struct breaker_transition){
        .at = now,
        .generation = breaker->generation,
        .from = (uint8_t)breaker->state,
        .to = (uint8_t)to,
        .cause = (uint8_t)cause,
    };
    breaker->state = to;
    breaker->since = now;
    breaker->consecutive = 0;
    breaker->probes = 0;
    breaker->probed = (struct breaker_counts){0};
    memset(breaker->held, 0, sizeof breaker->held);
    if (to == BREAKER_CLOSED || to == BREAKER_DISABLED) {
        breaker->openings = 0;
        window_clear(breaker, settings, now);
    }
    if (to == BREAKER_OPEN) {
        breaker->openings += breaker->openings < UINT32_MAX;
        breaker->until = later(now, open_time(settings, breaker->openings));
    }
}

/* True: it has tripped. */
static bool judge_window(struct breaker *breaker, const struct breaker_settings *settings,
                         int64_t now)
{
    enum breaker_cause cause;
    switch (judge(settings, &breaker->window.counts, least_results(breaker, settings))) {
    case TOO_MANY_FAILED:
        cause = BREAKER_BY_FAILURES;
        break;
    case TOO_MANY_SLOW:
        cause = BREAKER_BY_SLOWNESS;
        break;
    default:
        if (!settings->consecutive || breaker->consecutive < settings->consecutive)
            return false;
        cause = BREAKER_BY_CONSECUTIVE;
    }
    move(breaker, settings, BREAKER_OPEN, cause, now);
    return true;
}

static bool judge_probes(struct breaker *breaker, const struct breaker_settings *settings,
                         int64_t now)
{
    switch (judge(settings, &breaker->probed, least_results(breaker, settings))) {
    case TOO_FEW:
        return false;
    case GOOD:
        move(breaker, settings, BREAKER_CLOSED, BREAKER_BY_PROBES, now);
        return true;
    case TOO_MANY_FAILED:
        move(breaker, settings, BREAKER_OPEN, BREAKER_BY_FAILURES, now);
        return true;
    case TOO_MANY_SLOW:
        move(breaker, settings, BREAKER_OPEN, BREAKER_BY_SLOWNESS, now);
        return true;
    }
    return false;
}

/* Probes: `probes` admissions, each held until it has a result or is given back. As no more than
 * BREAKER_PROBES_MAX are admitted, there is a place. */

static uint64_t probe_hold(struct breaker *breaker, uint64_t holder)
{
    struct breaker_probe *place = breaker->held;
    while (place->holder)
        place++;
    *place = (struct breaker_probe){.holder = holder, .number = ++breaker->probes_ever};
    breaker->probes++;
    return place->number;
}

/* The probe stops being held. False: it was not, as it has a result, was given back, or is of an
 * older generation. */
static bool probe_let_go(struct breaker *breaker, const struct breaker_ticket *ticket)
{
    for (uint32_t i = 0; i < BREAKER_PROBES_MAX; i++) {
        struct breaker_probe *probe = &breaker->held[i];
        if (!probe->holder || probe->number != ticket->probe)
            continue;
        probe->holder = 0;
        return true;
    }
    return false;
}

static bool record_probe(struct breaker *breaker, const struct breaker_settings *settings,
                         const struct breaker_ticket *ticket, bool failed, bool slow, int64_t now)
{
    if (!probe_let_go(breaker, ticket))
        return false;
    breaker_counts_add(&breaker->probed, failed, slow);
    return judge_probes(breaker, settings, now);
}

void breaker_init(struct breaker *breaker, const struct breaker_settings *settings, int64_t now)
{
    memset(breaker, 0, sizeof *breaker);
    breaker->generation = 1;
    breaker->state = BREAKER_CLOSED;
    breaker->since = now;
    window_clear(breaker, settings, now);
}

void breaker_fit(struct breaker *breaker, const struct breaker_settings *settings, int64_t now)
{
    window_fit(breaker, settings, now);
    if (breaker->state == BREAKER_OPEN)
        breaker->until = open_until(breaker, settings, now);
    else if (breaker->state == BREAKER_HALF_OPEN)
        judge_probes(breaker, settings, now); /* if fewer are wanted now: no result may come */
}

bool breaker_admit(struct breaker *breaker, const struct breaker_settings *settings, int64_t now,
                   uint64_t holder, struct breaker_ticket *ticket)
{
    bool admitted = breaker_would_admit(breaker, settings, now);
    if (breaker->state == BREAKER_OPEN && admitted)
        move(breaker, settings, BREAKER_HALF_OPEN, BREAKER_BY_TIME, now);
    else
        breaker_fit(breaker, settings, now);
    *ticket = (struct breaker_ticket){.generation = breaker->generation};
    if (admitted && breaker->state == BREAKER_HALF_OPEN)
        ticket->probe = probe_hold(breaker, holder);
    breaker->denied += !admitted;
    return admitted;
}

bool breaker_would_admit(const struct breaker *breaker, const struct breaker_settings *settings,
                         int64_t now)
{
    switch ((enum breaker_state)breaker->state) {
    case BREAKER_CLOSED:
    case BREAKER_DISABLED:
        return true;
    case BREAKER_OPEN:
        return open_until(breaker, settings, now) <= now;
    case BREAKER_HALF_OPEN:
        return breaker->probes < probes_wanted(settings) ||
               judge(settings, &breaker->probed, probes_wanted(settings)) == GOOD;
    case BREAKER_FORCED_OPEN:
        break;
    }
    return false;
}

int64_t breaker_next_chance(const struct breaker *breaker, const struct breaker_settings *settings,
                            int64_t now)
{
    if (breaker_would_admit(breaker, settings, now))
        return now;
    return breaker->state == BREAKER_OPEN ? open_until(breaker, settings, now) : INT64_MAX;
}

bool breaker_record(struct breaker *breaker, const struct breaker_settings *settings,
                    const struct breaker_ticket *ticket, enum breaker_outcome outcome,
                    int64_t duration, int64_t now)
{
    if (outcome == BREAKER_IGNORED) {
        breaker_release(breaker, ticket);
        return false;
    }
    bool failed = outcome == BREAKER_FAILURE;
    bool slow = duration > settings->slow;
    if (breaker->state == BREAKER_HALF_OPEN)
        return record_probe(breaker, settings, ticket, failed, slow, now);
    if (breaker->state != BREAKER_CLOSED || ticket->generation != breaker->generation)
        return false;
    window_fit(breaker, settings, now);
    breaker_window_add(&breaker->window, failed, slow, now);
    breaker->consecutive = failed ? breaker->consecutive + (breaker->consecutive < UINT32_MAX) : 0;
    return judge_window(breaker, settings, now);
}

void breaker_release(struct breaker *breaker, const struct breaker_ticket *ticket)
{
    breaker->probes -= probe_let_go(breaker, ticket);
}

uint32_t breaker_reap(struct breaker *breaker, bool (*gone)(void *context, uint64_t holder),
                      void *context)
{
    uint32_t reaped = 0;
    for (uint32_t i = 0; i < BREAKER_PROBES_MAX; i++) {
        struct breaker_probe *probe = &breaker->held[i];
        if (!probe->holder || !gone(context, probe->holder))
            continue;
        probe->holder = 0;
        reaped++;
    }
    breaker->probes -= reaped;
    return reaped;
}

void breaker_set(struct breaker *breaker, const struct breaker_settings *settings,
                 enum breaker_state state, int64_t now)
{
    move(breaker, settings, state, BREAKER_BY_HAND, now);
}

void breaker_rebase(struct breaker *breaker, const struct breaker_settings *settings, int64_t now)
{
    breaker->since = now;
    breaker_window_rebase(&breaker->window, now);
    if (breaker->state == BREAKER_OPEN)
        breaker->until = later(now, open_time(settings, breaker->openings));
}

struct breaker_counts breaker_counts(const struct breaker *breaker, int64_t now)
{
    if (breaker->state == BREAKER_HALF_OPEN)
        return breaker->probed;
    return breaker_window_counts(&breaker->window, now);
}

double breaker_failure_rate(const struct breaker *breaker, const struct breaker_settings *settings,
                            int64_t now)
{
    struct breaker_counts counts = breaker_counts(breaker, now);
    bool judged = counts.calls >= least_results(breaker, settings);
    return judged ? percent(counts.failed, counts.calls) : -1;
}

double breaker_slow_rate(const struct breaker *breaker, const struct breaker_settings *settings,
                         int64_t now)
{
    struct breaker_counts counts = breaker_counts(breaker, now);
    bool judged = counts.calls >= least_results(breaker, settings);
    return judged ? percent(counts.slow, counts.calls) : -1;
}

const char *breaker_state_name(enum breaker_state state)
{
    static const char *const names[] = {
        [BREAKER_CLOSED] = "closed",       [BREAKER_OPEN] = "open",
        [BREAKER_HALF_OPEN] = "half_open", [BREAKER_FORCED_OPEN] = "forced_open",
        [BREAKER_DISABLED] = "disabled",
    };
    return names[state];
}

const char *breaker_cause_name(enum breaker_cause cause)
{
    static const char *const names[] = {
        [BREAKER_BY_FAILURES] = "failure_rate",   [BREAKER_BY_SLOWNESS] = "slow_rate",
        [BREAKER_BY_CONSECUTIVE] = "consecutive", [BREAKER_BY_TIME] = "time",
        [BREAKER_BY_PROBES] = "probes",           [BREAKER_BY_HAND] = "hand",
    };
    return names[cause];
}
