/* test_breaker_random.c: the circuit breaker beside a model that recomputes all from a list. */
#include "pattern/breaker.h"

#include "base/num.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 400, STEPS = 1500, HOLDERS = 5 };

struct result {
    int64_t second;
    bool failed, slow;
};

struct admission {
    struct breaker_ticket ticket;
    uint64_t holder, generation;
    bool probe, over; /* it has a result, or was given back */
};

/* What happened, and next to nothing else. */
struct model {
    enum breaker_state state;
    uint64_t generation, denied;
    uint32_t openings;
    int64_t opened;
    int64_t newest;               /* second of a result */
    struct result results[STEPS]; /* since it was closed, or the window changed */
    size_t result_count;
    size_t row_from; /* results that can be of a row of failures */
    struct result probed[STEPS];
    size_t probed_count;
    uint32_t given_back, admitted; /* probes of this half-open period */
};

static struct breaker breaker;
static struct breaker_settings settings;
static struct model model;
static struct admission admissions[STEPS];
static size_t admission_count;
static int64_t now;
static struct rng rng;

static struct breaker_counts sum(const struct result *results, size_t count)
{
    struct breaker_counts counts = {0};
    for (size_t i = 0; i < count; i++) {
        counts.calls++;
        counts.failed += results[i].failed;
        counts.slow += results[i].slow;
        counts.slow_failed += results[i].failed && results[i].slow;
    }
    return counts;
}

static struct breaker_counts model_counts(void)
{
    if (model.state == BREAKER_HALF_OPEN)
        return sum(model.probed, model.probed_count);
    size_t from = 0;
    if (!settings.window_time && model.result_count > settings.window_calls)
        from = model.result_count - settings.window_calls;
    int64_t second = now / NUM_SECOND > model.newest ? now / NUM_SECOND : model.newest;
    while (settings.window_time && from < model.result_count &&
           model.results[from].second <= second - settings.window_time)
        from++;
    return sum(model.results + from, model.result_count - from);
}

static uint32_t model_least(void)
{
    if (model.state == BREAKER_HALF_OPEN)
        return settings.probes;
    bool capped = !settings.window_time && settings.min_calls > settings.window_calls;
    return capped ? settings.window_calls : settings.min_calls;
}

static bool model_exceeds(struct breaker_counts counts)
{
    return counts.failed * 100.0 / counts.calls >= settings.failure_rate ||
           counts.slow * 100.0 / counts.calls >= settings.slow_rate;
}

static bool model_row(void)
{
    if (!settings.consecutive || model.result_count - model.row_from < settings.consecutive)
        return false;
    for (size_t i = model.result_count - settings.consecutive; i < model.result_count; i++)
        if (!model.results[i].failed)
            return false;
    return true;
}

static void model_move(enum breaker_state to)
{
    model.state = to;
    model.generation++;
    model.probed_count = model.given_back = model.admitted = 0;
    model.row_from = model.result_count;
    if (to == BREAKER_CLOSED || to == BREAKER_DISABLED)
        model.openings = model.result_count = model.row_from = 0;
    model.openings += to == BREAKER_OPEN;
    if (to == BREAKER_OPEN)
        model.opened = now;
}

static int64_t model_open_time(void)
{
    double time = (double)settings.open_for;
    for (uint32_t i = 1; i < model.openings; i++)
        time *= settings.open_growth;
    return time < (double)settings.open_max ? (int64_t)time : settings.open_max;
}

static bool model_admit(void)
{
    if (model.state == BREAKER_OPEN && now >= model.opened + model_open_time())
        model_move(BREAKER_HALF_OPEN);
    bool admitted =
        model.state == BREAKER_CLOSED || model.state == BREAKER_DISABLED ||
        (model.state == BREAKER_HALF_OPEN && model.admitted - model.given_back < settings.probes);
    model.admitted += admitted && model.state == BREAKER_HALF_OPEN;
    model.denied += !admitted;
    return admitted;
}

static void model_give_back(struct admission *admission)
{
    if (admission->probe && !admission->over && admission->generation == model.generation)
        model.given_back++;
    admission->over = true;
}

static void model_record(struct admission *admission, bool failed, bool slow)
{
    bool over = admission->over;
    admission->over = true;
    if (over || admission->generation != model.generation)
        return;
    if (now / NUM_SECOND > model.newest)
        model.newest = now / NUM_SECOND;
    struct result result = {model.newest, failed, slow};
    if (model.state == BREAKER_HALF_OPEN)
        model.probed[model.probed_count++] = result;
    else if (model.state == BREAKER_CLOSED)
        model.results[model.result_count++] = result;
    else
        return;
    struct breaker_counts counts = model_counts();
    bool judged = counts.calls >= model_least();
    if (model.state == BREAKER_CLOSED && ((judged && model_exceeds(counts)) || model_row()))
        model_move(BREAKER_OPEN);
    else if (model.state == BREAKER_HALF_OPEN && judged)
        model_move(model_exceeds(counts) ? BREAKER_OPEN : BREAKER_CLOSED);
}

static bool is_holder(void *context, uint64_t holder)
{
    return *(uint64_t *)context == holder;
}

static void admit(void)
{
    struct admission *admission = &admissions[admission_count];
    *admission = (struct admission){.holder = 1 + rng_below(&rng, HOLDERS)};
    bool would = breaker_would_admit(&breaker, &settings, now);
    bool admitted = breaker_admit(&breaker, &settings, now, admission->holder, &admission->ticket);
    assert_int_equal(admitted, model_admit());
    assert_int_equal(admitted, would);
    if (!admitted)
        return;
    admission->generation = model.generation;
    admission->probe = model.state == BREAKER_HALF_OPEN;
    assert_int_equal(admission->ticket.generation, model.generation);
    assert_int_equal(admission->ticket.probe != 0, admission->probe);
    admission_count++;
}

static void end_one(unsigned failures_in_ten)
{
    if (!admission_count)
        return;
    /* mostly one of the last, at times a very late one; some are over already */
    uint64_t back = rng_below(&rng, rng_below(&rng, 8) ? 4 : admission_count);
    struct admission *admission =
        &admissions[admission_count - 1 - (back < admission_count ? back : 0)];
    if (admission->over && !admission->probe)
        return; /* only probes are known to be over */
    bool failed = rng_below(&rng, 10) < failures_in_ten, slow = rng_below(&rng, 4) == 0;
    uint64_t way = rng_below(&rng, 20);
    if (way == 0) {
        breaker_release(&breaker, &admission->ticket);
        model_give_back(admission);
        return;
    }
    uint64_t generation = model.generation;
    enum breaker_outcome outcome = way == 1 ? BREAKER_IGNORED
                                   : failed ? BREAKER_FAILURE
                                            : BREAKER_SUCCESS;
    bool changed =
        breaker_record(&breaker, &settings, &admission->ticket, outcome, settings.slow + slow, now);
    if (way == 1)
        model_give_back(admission);
    else
        model_record(admission, failed, slow);
    assert_int_equal(changed, model.generation != generation);
}

static void reap(void)
{
    uint64_t gone = 1 + rng_below(&rng, HOLDERS);
    uint32_t before = model.given_back;
    uint32_t reaped = breaker_reap(&breaker, is_holder, &gone);
    for (size_t i = 0; i < admission_count; i++)
        if (admissions[i].holder == gone && admissions[i].probe)
            model_give_back(&admissions[i]);
    assert_int_equal(reaped, model.given_back - before);
}

static void change(void)
{
    enum breaker_state to = (enum breaker_state)rng_below(&rng, 5);
    breaker_set(&breaker, &settings, to, now);
    model_move(to);
}

static void compare(void)
{
    assert_int_equal(breaker.state, model.state);
    assert_int_equal(breaker.generation, model.generation);
    assert_int_equal(breaker.transitions, model.generation - 1);
    assert_int_equal(breaker.denied, model.denied);
    assert_int_equal(breaker.openings, model.openings);
    struct breaker_counts counts = model_counts(), told = breaker_counts(&breaker, now);
    assert_memory_equal(&told, &counts, sizeof counts);
    bool judged = counts.calls >= model_least();
    assert_true(breaker_failure_rate(&breaker, &settings, now) ==
                (judged ? counts.failed * 100.0 / counts.calls : -1));
    assert_true(breaker_slow_rate(&breaker, &settings, now) ==
                (judged ? counts.slow * 100.0 / counts.calls : -1));
    if (model.state == BREAKER_HALF_OPEN)
        assert_int_equal(breaker.probes, model.admitted - model.given_back);
    int64_t chance = breaker_next_chance(&breaker, &settings, now);
    int64_t until = model.opened + model_open_time();
    if (model.state == BREAKER_OPEN)
        assert_int_equal(chance, until > now ? until : now);
    else
        assert_int_equal(chance, breaker_would_admit(&breaker, &settings, now) ? now : INT64_MAX);
}

static void begin_a_round(void)
{
    settings = (struct breaker_settings){
        .failure_rate = 1 + (double)rng_below(&rng, 100),
        .slow_rate = 1 + (double)rng_below(&rng, 100),
        .slow = 100,
        .window_calls = 1 + (uint32_t)rng_below(&rng, 30),
        .window_time = rng_below(&rng, 2) ? 1 + (uint32_t)rng_below(&rng, 30) : 0,
        .min_calls = 1 + (uint32_t)rng_below(&rng, 40),
        .consecutive = rng_below(&rng, 2) ? 1 + (uint32_t)rng_below(&rng, 10) : 0,
        .probes = 1 + (uint32_t)rng_below(&rng, 8),
        .open_for = 1 + (int64_t)rng_below(&rng, 20 * NUM_SECOND),
        .open_growth = 1 + (double)rng_below(&rng, 2), /* a power of 2: exact in any order */
        .open_max = 60 * NUM_SECOND,
    };
    now = (int64_t)rng_below(&rng, 1000 * NUM_SECOND);
    admission_count = 0;
    memset(&model, 0, sizeof model);
    model.generation = 1;
    model.newest = now / NUM_SECOND;
    breaker_init(&breaker, &settings, now);
}

static void does_what_its_model_does(void **state)
{
    (void)state;
    rng_seed(&rng, 8);
    for (int round = 0; round < ROUNDS; round++) {
        begin_a_round();
        unsigned failures_in_ten = (unsigned)rng_below(&rng, 11);
        for (int step = 0; step < STEPS; step++) {
            uint64_t what = rng_below(&rng, 100);
            if (what < 40)
                admit();
            else if (what < 85)
                end_one(failures_in_ten);
            else if (what < 98)
                now += (int64_t)rng_below(&rng, rng_below(&rng, 8) ? NUM_SECOND : 20 * NUM_SECOND);
            else if (what < 99)
                reap();
            else if (rng_below(&rng, 3) == 0)
                change();
            if (rng_below(&rng, 100) == 0)
                failures_in_ten = (unsigned)rng_below(&rng, 11);
            compare();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(does_what_its_model_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
