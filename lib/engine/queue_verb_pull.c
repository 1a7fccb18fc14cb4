/* queue_verb_pull.c: `queue pull`: leases for scripts, which end by time only. */
#include "base/clock.h"
#include "base/list.h"
#include "base/msg.h"
#include "engine/queue_verb.h"
#include "engine/queue_watch.h"

#include <inttypes.h>

static const struct option_use pull_uses[] = {{&queue_leasing, &queue_options},
                                              {&queue_counting, &queue_options},
                                              {&common_state, &queue_common},
                                              {0}};

static const struct command pull_command = {
    .name = "queue pull",
    .summary = "lease events, and print them with their receipts",
    .usage = (const char *const[]){"NAME [options]", NULL},
    .uses = pull_uses,
    .operands = OPTIONS_ANYWHERE,
};

struct pull {
    struct store *store;
    struct queue_watch *watch;
    struct loop_timer late;
    const char *name;
    bool is_late, woken;
};

static void print_messages(const struct queue_lease *lease, struct buf *text)
{
    for (unsigned i = 0; i < lease->got; i++) {
        const struct queue_message *message = &lease->messages[i];
        buf_addf(text, "{\"receipt\":\"%" PRIu64 "-%" PRIu32 "\",\"receives\":%u,%s\"event\":",
                 lease->token, message->slot, message->receives,
                 message->asks ? "\"asks\":true," : "");
        buf_add_str(text, slice_str(message->event));
        buf_puts(text, "}\n");
    }
}

static void too_late(struct loop_timer *timer)
{
    struct pull *pull = CONTAINER_OF(timer, struct pull, late);
    pull->is_late = true;
    loop_stop(store_loop(pull->store));
}

static void woken(void *owner)
{
    struct pull *pull = owner;
    pull->woken = true;
    loop_stop(store_loop(pull->store));
}

/* Lease once. 1: there is text; 0: nothing was there; -1: it failed, and that was said. */
static int pull_once(struct pull *pull, struct buf *text)
{
    uint64_t count = queue_options.count ? queue_options.count : 1;
    struct queue_lease lease = {
        .own.queue = str_of(pull->name),
        .count = count < QUEUE_LEASE_MAX ? (unsigned)count : QUEUE_LEASE_MAX,
        .bytes = SIZE_MAX,
        .visibility = queue_options.visibility,
        .max_receives = (unsigned)queue_options.max_receives,
        .look = true,
    };
    struct asking asking;
    int status;
    do {
        pull->woken = false;
        asking_expect(&asking, pull->store, &lease.own.op);
        queue_lease(pull->store, &lease);
        status = asking_wait(&asking);
    } while (status == 0 && !lease.got && lease.more);
    if (status == 0)
        print_messages(&lease, text);
    if (status == 0 && !lease.got && pull->watch)
        queue_watch_until(pull->watch, &lease);
    queue_lease_clear(&lease);
    return status < 0 ? -1 : text->len > 0;
}

/* As pull_once, after waiting if need be. */
static int pull_some(struct pull *pull, struct buf *text, struct err *err)
{
    struct loop *loop = store_loop(pull->store);
    int64_t wait = queue_options.wait;
    if (wait > 0) {
        pull->watch = queue_watch_new(pull->store, str_of(pull->name), woken, pull, err);
        if (!pull->watch) {
            msg_error("%s", err->text);
            return -1;
        }
        pull->late.fire = too_late;
        loop_timer_set(loop, &pull->late, clock_now() + wait);
    }
    int got = pull_once(pull, text);
    while (got == 0 && pull->watch && !pull->is_late) {
        if (!pull->woken && loop_run(loop, err) < 0) {
            msg_error("%s", err->text);
            return -1;
        }
        got = pull_once(pull, text);
    }
    return got;
}

int queue_verb_pull(int argc, char **argv)
{
    struct pull pull = {0};
    struct buf text = {0};
    struct err err;
    int status = EXIT_FITTING;
    queue_verb_parse(&pull_command, argc, argv, &pull.name);
    struct engine *engine;
    pull.store = asking_open(&queue_common, &engine, &status);
    if (pull.store) {
        int got = pull_some(&pull, &text, &err);
        status = got < 0 ? EXIT_FITTING : got ? EXIT_OK : EXIT_AGAIN;
        if (got > 0)
            status = asking_print(engine, buf_str(&text));
        loop_timer_clear(store_loop(pull.store), &pull.late);
        queue_watch_free(pull.watch);
    }
    buf_free(&text);
    engine_free(engine);
    return status;
}
