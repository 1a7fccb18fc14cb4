/* reporting.c: what a run tells about itself. */
#include "engine/reporting.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/msg.h"
#include "base/num.h"
#include "engine/internal.h"
#include "engine/metrics.h"
#include "engine/progress.h"
#include "engine/trace.h"
#include "sys/dir.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct reporting {
    struct engine *engine;
    struct attempt_log *logs;
    struct metrics metrics;
    struct loop_timer write_metrics;
    struct loop_timer draw;
    struct buf line;
    bool draws;         /* there is a terminal to draw on */
    bool shares_output; /* and results go there too */
    bool drawn;         /* the line stands there now */
    int64_t drawn_at;   /* last, with so many attempts */
    uint64_t drawn_attempts;
    double rate;
};

/* ---- --progress ---- */

static void say(struct reporting *reporting, struct str text)
{
    stream_add(&reporting->engine->err, text);
    stream_flush(&reporting->engine->err);
}

static void hide(struct reporting *reporting)
{
    if (!reporting->drawn)
        return;
    reporting->drawn = false;
    say(reporting, STR("\r\033[K"));
}

void reporting_hide(struct engine *engine)
{
    if (engine->reporting)
        hide(engine->reporting);
}

void reporting_hide_for_output(struct engine *engine)
{
    if (engine->reporting && engine->reporting->shares_output)
        hide(engine->reporting);
}

/* By the bytes read, less those of events that have not ended. */
static double fraction(struct engine *engine)
{
    const struct report *report = &engine->report;
    uint64_t read = 0, all = 0;
    if (engine->source->extent)
        engine->source->extent(engine->source, &read, &all);
    if (!all || !report->read)
        return -1;
    double ended = (double)(report->done + report->dead + report->dropped + report->returned);
    return (double)read / (double)all * ended / (double)report->read;
}

static unsigned columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
        return size.ws_col - 1u;
    return PROGRESS_COLUMNS - 1;
}

/* An event that is parked may have several jobs, or none. */
static uint64_t in_flight(const struct engine *engine)
{
    const struct report *report = &engine->report;
    return engine->parked
               ? report->read - report->done - report->dead - report->dropped - report->returned
               : engine->window;
}

/* The counts so far. */
static const struct report *report_of(struct engine *engine)
{
    engine->report.attempts = engine->context.attempts;
    engine->report.failed_attempts = engine->context.failed_attempts;
    return &engine->report;
}

static void draw(struct loop_timer *timer)
{
    struct reporting *reporting = CONTAINER_OF(timer, struct reporting, draw);
    struct engine *engine = reporting->engine;
    const struct report *report = report_of(engine);
    int64_t now = loop_now(engine->loop);
    reporting->rate = progress_rate(reporting->rate, report->attempts - reporting->drawn_attempts,
                                    now - reporting->drawn_at);
    reporting->drawn_attempts = report->attempts;
    reporting->drawn_at = now;
    struct progress_facts facts = {
        .done = report->done,
        .dead = report->dead,
        .in_flight = in_flight(engine),
        .rate = reporting->rate,
        .fraction = fraction(engine),
        .elapsed = now - report->started,
    };
    if (reporting->shares_output)
        stream_flush(&engine->out);
    buf_clear(&reporting->line);
    buf_addc(&reporting->line, '\r');
    progress_format(&reporting->line, &facts, columns());
    buf_puts(&reporting->line, "\033[K");
    if (!stream_pending(&engine->err)) /* a terminal that was stopped gets no more of it */
        say(reporting, buf_str(&reporting->line));
    reporting->drawn = true;
    loop_timer_set(engine->loop, timer, now + PROGRESS_EVERY);
}

/* ---- --metrics ---- */

static int write_metrics(struct reporting *reporting, struct err *err)
{
    struct engine *engine = reporting->engine;
    struct buf text = {0};
    metrics_format(&reporting->metrics, report_of(engine), engine->context.command, &text);
    int status = dir_replace(engine->options->metrics, buf_str(&text), err);
    buf_free(&text);
    return status;
}

static void metrics_due(struct loop_timer *timer)
{
    struct reporting *reporting = CONTAINER_OF(timer, struct reporting, write_metrics);
    struct loop *loop = reporting->engine->loop;
    struct err err;
    if (write_metrics(reporting, &err) < 0)
        reporting_failed(reporting->engine, &err);
    loop_timer_set(loop, timer, loop_now(loop) + METRICS_EVERY);
}

static void note_attempt(void *owner, const struct fn_attempt *attempt)
{
    struct reporting *reporting = owner;
    metrics_note(&reporting->metrics, attempt);
}

/* Written at once, so that a path that cannot be written shows before anything is done. */
static int open_metrics(struct reporting *reporting, struct err *err)
{
    reporting->metrics.started = clock_wall();
    if (write_metrics(reporting, err) < 0)
        return -1;
    engine_observe(reporting->engine, note_attempt, reporting);
    return 0;
}

/* ---- -v ---- */

static void say_failure(void *owner, const struct fn_attempt *attempt)
{
    const struct failure *failure = attempt->failure;
    char took[NUM_TEXT];
    (void)owner;
    if (failure)
        msg_verbose("%s: attempt %u at event %llu: %s (%s)", fn_name(attempt->call->fn),
                    attempt->number, (unsigned long long)attempt->call->number,
                    failure->message ? failure->message : failure_name(failure->reason),
                    num_format_duration(attempt->duration, took));
}

static void say_counts(const struct report *report)
{
    char took[NUM_TEXT];
    if (msg_level() < MSG_VERBOSE)
        return;
    msg_verbose("%llu events: %llu done, %llu dead, %llu dropped; %llu attempts, %llu failed; %s",
                (unsigned long long)report->read, (unsigned long long)report->done,
                (unsigned long long)report->dead, (unsigned long long)report->dropped,
                (unsigned long long)report->attempts, (unsigned long long)report->failed_attempts,
                num_format_duration(clock_now() - report->started, took));
}

/* ---- a run ---- */

struct attempt_log **reporting_logs(struct engine *engine)
{
    return &engine->reporting->logs;
}

void reporting_failed(struct engine *engine, const struct err *err)
{
    if (!engine->failed)
        msg_error("%s", err->text);
    engine->failed = true;
}

int reporting_open(struct engine *engine, struct err *err)
{
    const struct common_options *options = engine->options;
    struct reporting *reporting = mem_zalloc(sizeof *reporting);
    reporting->engine = engine;
    reporting->draw.fire = draw;
    reporting->write_metrics.fire = metrics_due;
    engine->reporting = reporting;
    if (msg_level() == MSG_VERBOSE)
        engine_observe(engine, say_failure, NULL);
    if (options->trace && trace_open(engine, options->trace, err) < 0)
        return -1;
    return options->metrics ? open_metrics(reporting, err) : 0;
}

void reporting_begin(struct engine *engine)
{
    struct reporting *reporting = engine->reporting;
    int64_t now = clock_now();
    reporting->draws = engine->options->progress && isatty(STDERR_FILENO);
    reporting->shares_output = reporting->draws && isatty(STDOUT_FILENO);
    reporting->drawn_at = now;
    if (reporting->draws)
        loop_timer_set(engine->loop, &reporting->draw, now + PROGRESS_EVERY);
    if (engine->options->metrics)
        loop_timer_set(engine->loop, &reporting->write_metrics, now + METRICS_EVERY);
}

void reporting_end(struct engine *engine)
{
    loop_timer_clear(engine->loop, &engine->reporting->draw);
    loop_timer_clear(engine->loop, &engine->reporting->write_metrics);
    hide(engine->reporting);
}

/* Letters that stand on stderr alone speak for themselves. */
static void say_dead(const struct engine *engine, uint64_t dead, uint64_t all, const char *what)
{
    const char *place = engine->options->dead ? engine->options->dead : "fit dead list";
    if (dead && (engine->options->dead || engine->letters_kept))
        msg_warn("%llu of %llu %s are dead: see %s%s", (unsigned long long)dead,
                 (unsigned long long)all, what, place, engine->letters_said ? ", and stderr" : "");
}

void reporting_tell(struct engine *engine)
{
    const struct report *report = report_of(engine);
    struct err err;
    reporting_close_logs(engine, clock_now() + engine->options->calling.grace);
    if (engine->options->metrics && write_metrics(engine->reporting, &err) < 0)
        reporting_failed(engine, &err);
    say_dead(engine, report->dead, report->read - report->returned, "events");
    say_dead(engine, report->made.dead, report->made.read - report->made.returned, report->makes);
    say_counts(report);
    if (engine->options->stats) {
        struct buf line = {0};
        report_format(report, clock_now(), &line);
        msg_raw(buf_str(&line));
        buf_free(&line);
    }
}

void reporting_free(struct reporting *reporting)
{
    if (!reporting)
        return;
    reporting_close_logs(reporting->engine, 0);
    buf_free(&reporting->line);
    free(reporting);
}
