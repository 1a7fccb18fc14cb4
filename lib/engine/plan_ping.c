/* plan_ping.c: the plan that makes several marked calls of one function at once. */
#include "engine/plan_ping.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/msg.h"
#include "base/rng.h"
#include "format/cloudevent.h"

#include <inttypes.h>
#include <stdlib.h>

struct round;

struct ping {
    struct fn_call call; /* first */
    struct round *round;
    struct buf id;
};

struct round { /* the data of a job */
    struct plan_ping *plan;
    struct ping *pings;
    unsigned open, failed;
    struct latency all, cold, warm;
    struct failure *why; /* of the first that failed */
    int64_t at;          /* clock_wall */
};

static struct plan_ping *of(struct plan *plan)
{
    return (struct plan_ping *)(void *)plan;
}

void plan_ping_event(struct str id, unsigned concurrency, int64_t time, struct buf *event)
{
    struct buf mark = {0};
    buf_addf(&mark, ",\"warmer\":true,\"concurrency\":%u", concurrency);
    struct buf data = {0};
    buf_addf(&data, "{%s}", buf_cstr(&mark) + 1);
    cloudevent_write(&(struct cloudevent){.id = id,
                                          .source = STR("fit:warm"),
                                          .type = "fit.warm",
                                          .time = time,
                                          .members = buf_str(&mark),
                                          .data = buf_str(&data)},
                     event);
    buf_free(&mark);
    buf_free(&data);
}

/* ---- a round ---- */

static void add_latency(struct buf *line, const char *name, struct latency *latency, bool known)
{
    buf_addf(line, ",\"%s\":", name);
    if (known)
        latency_json(latency, line);
    else
        buf_puts(line, "null");
}

static void add_failure(struct buf *line, const struct failure *failure)
{
    buf_addf(line, ",\"error\":{\"reason\":\"%s\"", failure_name(failure->reason));
    if (failure->message) {
        buf_puts(line, ",\"message\":");
        buf_add_json(line, str_of(failure->message));
    }
    buf_addc(line, '}');
}

static void tell(struct job *job, struct round *round)
{
    const struct plan_ping *plan = round->plan;
    char at[CLOCK_TEXT];
    struct buf line = {0};
    buf_addf(&line, "{\"at\":\"%s\",\"function\":", clock_format(round->at, at));
    buf_add_json(&line, str_of(fn_name(plan->fn)));
    buf_addf(&line, ",\"sent\":%u,\"answered\":%u,\"failed\":%u", plan->concurrency,
             plan->concurrency - round->failed, round->failed);
    add_latency(&line, "latency", &round->all, true);
    add_latency(&line, "cold", &round->cold, plan->tells_cold);
    add_latency(&line, "warm", &round->warm, plan->tells_cold);
    if (round->why)
        add_failure(&line, round->why);
    buf_puts(&line, "}\n");
    size_t len = line.len;
    job_emit_take(job, slice_take(buf_take(&line), len), 1);
}

static void end_round(struct round *round)
{
    struct job *job = job_of_data(round);
    struct failure *why = round->why;
    tell(job, round);
    if (!why) {
        job_done(job);
        return;
    }
    msg_error("%s: %u of %u pings failed: %s%s%s", fn_name(round->plan->fn), round->failed,
              round->plan->concurrency, failure_name(why->reason), why->message ? ": " : "",
              why->message ? why->message : "");
    round->why = NULL;
    job_dead_take(job, why);
}

static void ended(struct fn_call *call)
{
    struct ping *ping = (struct ping *)(void *)call;
    struct round *round = ping->round;
    slice_drop(&call->lines);
    slice_drop(&call->event);
    if (call->failure) {
        round->failed++;
        round->plan->failed++;
    }
    if (!round->why)
        round->why = call->failure;
    else
        failure_free(call->failure);
    if (!--round->open)
        end_round(round);
}

static void begin(struct round *round, unsigned i, uint64_t number)
{
    struct plan_ping *plan = round->plan;
    struct ping *ping = &round->pings[i];
    struct buf event = {0};
    ping->round = round;
    buf_addf(&ping->id, "%016" PRIx64 "-%" PRIu64 "-%u", plan->run, number, i + 1);
    plan_ping_event(buf_str(&ping->id), plan->concurrency, round->at, &event);
    size_t len = event.len;
    ping->call = (struct fn_call){.event = slice_take(buf_take(&event), len),
                                  .id = buf_str(&ping->id),
                                  .number = number,
                                  .ping = true,
                                  .done = ended,
                                  .owner = ping};
    fn_call(plan->fn, &ping->call);
}

static void start(struct plan *base, struct job *job, const struct jq_input *input)
{
    struct plan_ping *plan = of(base);
    struct round *round = job_data(job);
    unsigned count = plan->concurrency;
    (void)input;
    round->plan = plan;
    round->at = clock_wall();
    round->pings = mem_array(count, sizeof *round->pings);
    round->open = count;
    uint64_t number = ++plan->rounds;
    plan->pings += count;
    for (unsigned i = 0; i < count; i++) /* the last may end the job, which stays until settled */
        begin(round, i, number);
}

static void release(struct plan *base, struct job *job)
{
    struct round *round = job_data(job);
    for (unsigned i = 0; round->pings && i < of(base)->concurrency; i++)
        buf_free(&round->pings[i].id);
    free(round->pings);
    latency_free(&round->all);
    latency_free(&round->cold);
    latency_free(&round->warm);
    failure_free(round->why);
}

/* A process per event starts cold each time; of a worker the first answer tells how long that
 * takes. */
static void attempted(void *owner, const struct fn_attempt *attempt)
{
    struct plan_ping *plan = owner;
    struct ping *ping = attempt->call->owner;
    if (attempt->failure || !ping)
        return;
    bool cold = attempt->init || attempt->usage;
    int64_t time = attempt->init ? attempt->init : attempt->duration;
    latency_add(&plan->all, time);
    latency_add(&ping->round->all, time);
    latency_add(cold ? &plan->cold : &plan->warm, time);
    latency_add(cold ? &ping->round->cold : &ping->round->warm, time);
}

/* ---- the plan ---- */

static bool has_room(struct plan *plan)
{
    (void)plan;
    return true; /* the source waits for the end of a round */
}

void plan_ping_init(struct plan_ping *ping, struct engine *engine, struct fn *fn,
                    unsigned concurrency)
{
    struct rng rng;
    rng_seed_random(&rng);
    *ping = (struct plan_ping){
        .plan = {.start = start,
                 .has_room = has_room,
                 .release = release,
                 .job_size = sizeof(struct round)},
        .fn = fn,
        .concurrency = concurrency,
        .tells_cold = !str_starts(str_of(fn_name(fn)), STR("http")),
        .run = rng_next(&rng),
    };
    engine_observe(engine, attempted, ping);
    engine_count(engine, &(struct report_count){"pings", "Pings sent.", &ping->pings});
    engine_count(engine,
                 &(struct report_count){"failed_pings", "Pings that failed.", &ping->failed});
}

void plan_ping_free(struct plan_ping *ping)
{
    latency_free(&ping->all);
    latency_free(&ping->cold);
    latency_free(&ping->warm);
}

void plan_ping_describe(struct plan_ping *ping, struct buf *text)
{
    buf_addf(text, "%s: %s: %" PRIu64 " round%s, %" PRIu64 " pings, %" PRIu64 " failed\n",
             msg_name(), fn_name(ping->fn), ping->rounds, ping->rounds == 1 ? "" : "s", ping->pings,
             ping->failed);
    if (!ping->tells_cold) {
        latency_describe(&ping->all, "answers", text);
        return;
    }
    latency_describe(&ping->cold, "cold", text);
    latency_describe(&ping->warm, "warm", text);
}
