/* every_run.c: a run of `every`, by its options. */
#include "engine/every_run.h"

#include "base/clock.h"
#include "engine/filter.h"
#include "engine/plan_calls.h"
#include "engine/plan_ticks.h"
#include "engine/source_ticks.h"
#include "engine/state_dir.h"
#include "engine/tick_event.h"
#include "engine/ticks_kept.h"

#include <stdlib.h>

struct every {
    const struct ticks_setup *setup;
    char *source_name;
    struct engine *engine;
    struct fn *fn;
    struct cursor_hold hold;
    struct ticks_record record;
    struct plan_ticks plan;
    struct plan_calls calls;
};

/* FIT_STATE alone does not mean that this is to be kept: pipelines inherit it, and would share it.
 */
static bool is_kept(void)
{
    return every_options.name || every_options.once || every_common.state;
}

/* What keeps its times keeps its dead letters, too. */
static int name_state(struct err *err)
{
    if (!state_dir_is_named(every_common.state))
        every_common.state = state_dir_path(NULL, err);
    return state_dir_is_named(every_common.state) ? 0 : -1;
}

static int open_engine(struct every *every, const struct options_words *function, struct err *err)
{
    every->engine = engine_new(&every_common, err);
    every->fn = filter_open(every->engine, function, err);
    return every->fn ? 0 : -1;
}

static int close_engine(struct every *every, int status)
{
    engine_free(every->engine);
    ticks_record_free(&every->record);
    free(every->source_name);
    return status;
}

/* ---- what is kept ---- */

/* Of --once: is there anything to do? It takes no lock, and writes nothing, to find out. */
static bool is_due(struct every *every, int *status)
{
    if (!every->setup->once)
        return true;
    *status = EXIT_OK;
    return ticks_kept_read(&every->hold, &every->record, status) &&
           ticks_setup_is_due(every->setup, &every->record, clock_wall());
}

static bool take_cursor(struct every *every, int *status)
{
    if (!is_due(every, status))
        return false;
    int had = cursor_hold_open(&every->hold);
    *status = had == 0 ? EXIT_AGAIN : EXIT_FITTING;
    return had > 0 && ticks_kept_read(&every->hold, &every->record, status);
}

/* ---- running ---- */

static void count_left_out(struct engine *engine, const struct ticks *ticks)
{
    const struct report_count counts[] = {
        {"missed", "Times that nobody was there for, or that were too late.", &ticks->missed},
        {"skipped", "Times that came while a run was under way.", &ticks->skipped},
    };
    engine_count(engine, &counts[0]);
    engine_count(engine, &counts[1]);
}

static int run_schedule(struct every *every, bool kept)
{
    const struct source_ticks_settings settings = {
        .setup = every->setup,
        .source = every->source_name,
        .data = every_options.data,
        .count = every_options.count,
        .hold = kept ? &every->hold : NULL,
        .record = &every->record,
        .rng = engine_functions(every->engine)->rng,
    };
    struct err err;
    struct source *source = source_ticks(engine_loop(every->engine), &settings, &err);
    if (!source)
        return engine_refuse(&err);
    count_left_out(every->engine, source_ticks_of(source));
    plan_ticks_init(&every->plan, every->fn, every->setup->policy.overlap == TICKS_REPLACE);
    return engine_run(every->engine, source, &every->plan.plan);
}

/* Given events, each of which is run: letters that are redriven, or one that is made up. */
static int run_events(struct every *every, struct slice event, uint64_t count)
{
    plan_calls_init(&every->calls, every->fn, 0);
    return engine_run(every->engine, source_repeat(event, count), &every->calls.plan);
}

static int run_kept(struct every *every, const char *name)
{
    struct err err;
    struct store *store = engine_store(every->engine, &err);
    int status = EXIT_OK;
    if (!store)
        return engine_refuse(&err);
    every->hold =
        (struct cursor_hold){.store = store, .kind = TICKS_RECORD_KIND, .name = str_of(name)};
    return take_cursor(every, &status) ? run_schedule(every, true) : status;
}

int every_run(const struct ticks_setup *setup, const char *name,
              const struct options_words *function)
{
    static struct every every;
    struct err err;
    every = (struct every){.setup = setup, .source_name = tick_event_source(name)};
    if ((is_kept() && name_state(&err) < 0) || open_engine(&every, function, &err) < 0)
        return close_engine(&every, engine_refuse(&err));
    if (engine_redrives(every.engine))
        return close_engine(&every, run_events(&every, (struct slice){0}, 0));
    return close_engine(&every, is_kept() ? run_kept(&every, name) : run_schedule(&every, false));
}

int every_run_test(const char *name, const struct options_words *function, int64_t at)
{
    static struct every every;
    struct err err;
    every = (struct every){.source_name = tick_event_source(name)};
    every_common.says_letters = true;
    if (open_engine(&every, function, &err) < 0)
        return close_engine(&every, engine_refuse(&err));
    const struct tick_event facts = {
        .source = every.source_name,
        .scheduled = at,
        .started = at,
        .run = rng_next(engine_functions(every.engine)->rng),
        .test = true,
        .data = every_options.data,
    };
    struct slice line = tick_event_line(&facts);
    struct slice event = slice_of(line.block, line.data, line.len - 1);
    slice_drop(&line);
    return close_engine(&every, run_events(&every, event, 1));
}
