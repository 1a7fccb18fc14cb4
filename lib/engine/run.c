/* run.c: a run from its first event to its exit status. */
#include "engine/internal.h"
#include "base/list.h"
#include "engine/recall.h"
#include "engine/reporting.h"
#include "engine/source_letters.h"

#include "base/clock.h"
#include "base/msg.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void run_out_progress(struct stream_out *out)
{
    struct engine *engine = CONTAINER_OF(out, struct engine, out);
    if (out->error && !engine->reader_gone && !engine->out_failed) {
        if (out->error == EPIPE) {
            engine->reader_gone = true;
            ending_drain(engine);
        } else {
            struct err err;
            errno = out->error;
            err_sys(&err, "write stdout");
            engine->out_failed = true;
            engine_fail(engine, &err);
        }
    }
    settle_progress(engine);
    if (engine->plan && engine->plan->room)
        engine->plan->room(engine->plan);
    admit_wake(engine);
}

static void send_on(struct engine *engine, struct fn *fn)
{
    if (engine->stopping || engine->source_ended || admit_window_full(engine))
        fn_press(fn);
    else
        fn_flush(fn);
}

/* Nothing is at hand: what was gathered goes out. */
void run_idle(struct loop_idle *idle)
{
    struct engine *engine = CONTAINER_OF(idle, struct engine, idle);
    if (engine->plan->flush)
        engine->plan->flush(engine->plan, engine->stopping || engine->source_ended);
    for (size_t i = 0; i < engine->fn_count; i++) {
        if (engine->fns[i] != engine->dead_sink)
            send_on(engine, engine->fns[i]);
    }
    settle_flush(engine);
    if (engine->dead_sink) /* last: what failed just now has its letters in it */
        send_on(engine, engine->dead_sink);
    stream_flush(&engine->err);
}

void run_turn(struct loop_task *task)
{
    (void)task;
}

static void source_ready(void *owner)
{
    admit_wake(owner);
    engine_check_end(owner);
}

static void source_failed(void *owner, const struct err *err)
{
    engine_fail(owner, err);
}

static void begin(struct engine *engine)
{
    engine->started = true;
    engine->report.started = clock_now();
    engine->report.returns = engine->source->releases;
    engine->report.makes = engine->source->makes;
    if (engine->source->bury && !engine->dead_sink)
        engine->letters_kept = true; /* by the source, whether or not a state was named */
    engine_fit_values(engine);
    engine->source->ready = source_ready;
    engine->source->fail = source_failed;
    engine->source->owner = engine;
    loop_idle_add(engine->loop, &engine->idle);
    if (engine->options->budget) {
        engine->budget.fire = ending_budget_over;
        loop_timer_set(engine->loop, &engine->budget, clock_now() + engine->options->budget);
    }
    reporting_begin(engine);
    admit_wake(engine);
}

static int exit_status(const struct engine *engine)
{
    if (engine->failed)
        return EXIT_FITTING;
    if (engine->signal)
        return EXIT_SIGNALLED + engine->signal;
    if (engine->budget_spent)
        return EXIT_AGAIN;
    return engine->report.dead || engine->report.made.dead ? EXIT_DEAD : EXIT_OK;
}

/* The letters that are redriven take the place of the source. 0, or an exit status. */
static int take_letters(struct engine *engine, const struct plan *plan)
{
    struct err err;
    struct store *store = engine_store(engine, &err);
    struct source *letters =
        store ? source_letters(store, STDIN_FILENO, plan->takes_letters, &err) : NULL;
    if (!letters) {
        int status = engine_refuse(&err);
        return err.sys_errno == EWOULDBLOCK ? EXIT_AGAIN : status;
    }
    if (engine->source->feed) {
        engine->source->feed(engine->source, letters);
        return EXIT_OK;
    }
    engine->source->free(engine->source);
    engine->source = letters;
    return EXIT_OK;
}

int engine_run(struct engine *engine, struct source *source, struct plan *plan)
{
    struct err err;
    engine->source = source;
    int status = engine->redrives ? take_letters(engine, plan) : EXIT_OK;
    if (status)
        return status;
    engine->plan = plan;
    begin(engine);
    if (ending_watch_signals(engine) < 0) {
        err_sys(&err, "watch signals");
        engine_fail(engine, &err);
    }
    ending_watch_reader(engine);
    if (loop_run(engine->loop, &err) < 0) {
        msg_error("%s", err.text);
        engine->failed = true;
    }
    recall_end(engine->recall);
    loop_idle_remove(engine->loop, &engine->idle);
    loop_timer_clear(engine->loop, &engine->budget);
    loop_timer_clear(engine->loop, &engine->grace);
    reader_watch_close(&engine->reader);
    if (stream_close(&engine->out, 0) < 0 && !engine->reader_gone && !engine->out_failed) {
        msg_error("write stdout: %s", strerror(errno));
        engine->failed = true;
    }
    reporting_end(engine);
    /* Only the exit status can tell that letters were lost. */
    if (stream_close(&engine->err, clock_now() + engine->options->calling.grace) < 0 &&
        engine->letters_said)
        engine->failed = true;
    msg_divert(NULL, NULL);
    reporting_tell(engine);
    return exit_status(engine);
}
