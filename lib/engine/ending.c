/*
 * ending.c: why a run ends before its input does, and how.
 *
 * A signal, --budget, --halt, a sink that fails or a reader that leaves: reading stops, what is in
 * flight gets the grace to end, and then its calls are ended. Nothing is forgotten on the way: each
 * job still ends with its outcome.
 */
#include "engine/internal.h"

#include "base/list.h"
#include "base/msg.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

/* Take no more events; go on with those in the window. */
static void stop(struct engine *engine)
{
    if (engine->stopping || engine->source_ended)
        return;
    engine->stopping = true;
    engine->source->stop(engine->source);
    if (engine_takes(engine)) /* it has something to give back */
        admit_wake(engine);
    else
        engine_ended(engine);
}

void engine_ended(struct engine *engine)
{
    if (engine->plan->flush)
        engine->plan->flush(engine->plan, true);
    engine_check_end(engine);
}

static void cancel(struct engine *engine, enum failure_reason reason, bool now)
{
    stop(engine);
    for (size_t i = 0; i < engine->fn_count; i++) {
        if (engine->fns[i] != engine->dead_sink) /* which has still to take the letters about it */
            fn_cancel(engine->fns[i], reason, now);
    }
    if (engine->plan->cancel)
        engine->plan->cancel(engine->plan, reason);
}

static void grace_over(struct loop_timer *timer)
{
    struct engine *engine = CONTAINER_OF(timer, struct engine, grace);
    cancel(engine, FAILURE_INTERRUPTED, false);
}

/* Stop reading, and give what is in flight the grace to end. */
void ending_drain(struct engine *engine)
{
    stop(engine);
    if (engine->grace.place)
        return;
    engine->grace.fire = grace_over;
    loop_timer_set(engine->loop, &engine->grace,
                   loop_now(engine->loop) + engine->options->calling.grace);
}

void engine_drain(struct engine *engine)
{
    ending_drain(engine);
    engine_check_end(engine);
}

static void signalled(void *owner, int signo)
{
    struct engine *engine = owner;
    if (signo == SIGHUP && engine->plan->reload) {
        engine->plan->reload(engine->plan);
        engine_fit_values(engine);
        return;
    }
    if (engine->signal) {
        cancel(engine, FAILURE_INTERRUPTED, true);
        return;
    }
    engine->signal = signo;
    ending_drain(engine);
    engine_check_end(engine);
}

void ending_budget_over(struct loop_timer *timer)
{
    struct engine *engine = CONTAINER_OF(timer, struct engine, budget);
    engine->budget_spent = !engine->source_ended;
    stop(engine);
}

void engine_check_halt(struct engine *engine)
{
    const struct common_halt *halt = &engine->options->halt;
    uint64_t died = engine->died, ended = engine->finished;
    bool many = halt->failures && died >= halt->failures;
    bool often = halt->fraction > 0 && ended >= COMMON_HALT_EVENTS &&
                 (double)died >= halt->fraction * (double)ended;
    if (engine->halted || (!many && !often))
        return;
    engine->halted = true;
    msg_warn("halted: %llu of %llu events are dead", (unsigned long long)died,
             (unsigned long long)ended);
    if (halt->now)
        cancel(engine, FAILURE_HALTED, false);
    else
        stop(engine);
}

/* What fails all operations of a group is said once. */
void engine_fail(struct engine *engine, const struct err *err)
{
    if (strcmp(err->text, engine->failure.text) != 0)
        msg_error("%s", err->text);
    engine->failure = *err;
    engine->failed = true;
    if (engine->started)
        ending_drain(engine);
}

int ending_watch_signals(struct engine *engine)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction action;
        sigaction(signals[i], NULL, &action);
        bool reloads = signals[i] == SIGHUP && engine->plan->reload;
        if (action.sa_handler == SIG_IGN && !reloads) /* nohup, or a background job of a shell */
            continue;
        if (loop_signal(engine->loop, signals[i], signalled, engine) < 0)
            return -1;
    }
    return 0;
}

/* ---- the reader of stdout ---- */

/*
 * Is it run for results that nobody would read? So what waits for times and events, and what has
 * printed something. Else the functions may be called for what they do, and their work goes on as
 * long as there is any that has been done.
 */
static bool is_in_vain(const struct engine *engine)
{
    const struct report *report = &engine->report;
    if (engine->plan->silent)
        return false;
    return engine->source->waits || engine->out.accepted || (report->dead && !report->done);
}

void ending_check_reader(struct engine *engine)
{
    if (is_in_vain(engine))
        stream_fail(&engine->out, EPIPE);
}

static void reader_has_left(struct reader_watch *watch)
{
    struct engine *engine = CONTAINER_OF(watch, struct engine, reader);
    engine->unread = true;
    ending_check_reader(engine);
}

void ending_watch_reader(struct engine *engine)
{
    engine->reader.gone = reader_has_left;
    reader_watch_open(&engine->reader, engine->loop, STDOUT_FILENO);
}
