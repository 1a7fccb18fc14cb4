/*
 * warm.c: the function that a warm pool is.
 *
 * "warm:NAME" hands each event to the supervisor of that pool (`warm start`), over one connection
 * for all calls, and gets the answers back in any order. The workers, and all that concerns them,
 * are the supervisor's; here are a timer for each call, and what becomes of calls when it goes.
 *
 * A call that is ended, or whose time is over, is taken back: what has not begun there is
 * forgotten, what has begun goes on, and nobody waits for it. When the supervisor has gone, the
 * calls that it had fail with FAILURE_CONNECTION, as nobody knows what became of them; later ones
 * connect anew, at growing intervals.
 */
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "fn/collect.h"
#include "fn/kind.h"
#include "fn/warm_link.h"
#include "fn/warm_slots.h"
#include "format/json.h"
#include "pattern/retry.h"

#include <errno.h>
#include <stdlib.h>

enum {
    WARM_UNGREETED = 1,    /* calls at once before the pool has said how many it lets wait */
    WARM_FAILED_LIMIT = 16 /* failed attempts to connect beyond it no longer lengthen the pause */
};
static const struct retry_policy connect_policy = {.base = NUM_SECOND / 10, .cap = NUM_SECOND * 10};

struct warm {
    struct fn *fn;
    struct home *home;
    struct warm_link link;
    struct warm_slots slots;
    unsigned answers; /* since it was last seen how quickly they come */
    unsigned failed;  /* to connect, since it last went well */
    bool paused;      /* no attempt to connect before the timer fires */
    struct loop_timer again;
};

static struct loop *loop_of(const struct warm *all)
{
    return all->fn->context->loop;
}

static struct warm *all_of(const struct warm_slot *slot)
{
    return CONTAINER_OF(slot->all, struct warm, slots);
}

/* ---- a call ---- */

static void watch_time(struct warm_slot *slot)
{
    struct warm *all = all_of(slot);
    int64_t timeout = all->fn->settings.timeout;
    if (timeout)
        loop_timer_set(loop_of(all), &slot->late, loop_now(loop_of(all)) + timeout);
}

/* Its place is free: the time of those that were sent ahead begins. */
static struct fn_call *give_back(struct warm_slot *slot)
{
    struct warm_slots *slots = slot->all;
    struct warm_slot *next;
    struct fn_call *call = warm_slots_give_back(slot);
    while ((next = warm_slots_advance(slots)))
        watch_time(next);
    return call;
}

static void end(struct warm_slot *slot, struct failure *failure, int64_t init)
{
    unsigned number = (unsigned)(slot - slot->all->slots) + 1;
    struct fn_call *call = give_back(slot);
    struct attempt_report report = {.slot = number,
                                    .init = init,
                                    .bytes_in = call->event.len + 1,
                                    .bytes_out = call->lines.len};
    attempt_end(call, failure, &report);
}

static void take_back(struct warm_slot *slot)
{
    struct warm_link *link = &all_of(slot)->link;
    if (link->open)
        warm_link_send(link, &(struct warm_frame){.type = WARM_CANCEL, .id = slot->id});
}

static void too_late(struct loop_timer *timer)
{
    struct warm_slot *slot = CONTAINER_OF(timer, struct warm_slot, late);
    struct warm *all = all_of(slot);
    char after[NUM_TEXT];
    take_back(slot);
    end(slot,
        failure_new(FAILURE_TIMEOUT, FAILURE_ORDINARY, "no answer after %s",
                    num_format_duration(all->fn->settings.timeout, after)),
        0);
    attempt_pump(all->fn);
}

/* ---- connecting ---- */

static void try_again(struct loop_timer *timer)
{
    struct warm *all = CONTAINER_OF(timer, struct warm, again);
    all->paused = false;
    attempt_pump(all->fn);
}

static void pause_connecting(struct warm *all)
{
    if (all->failed < WARM_FAILED_LIMIT)
        all->failed++;
    all->paused = true;
    loop_timer_set(loop_of(all), &all->again,
                   loop_now(loop_of(all)) +
                       retry_delay(&connect_policy, all->failed, rng_unit(all->fn->context->rng)));
}

static int not_running(const struct fn *fn, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "no pool '%s' is running (warm start %s)", fn->words[0],
                   fn->words[0]);
}

static int connect_to(struct warm *all, struct err *err)
{
    all->slots.most = WARM_UNGREETED;
    all->slots.workers = 0;
    if (warm_link_open(&all->link, all->home, str_of(all->fn->words[0]), err) == 0)
        return 0;
    return err->kind == ERR_NOT_FOUND ? not_running(all->fn, err) : -1;
}

/* Those that were sent ahead go back, in their order, as if they had not been sent. */
static void call_back(struct warm *all)
{
    for (struct warm_slot *slot; (slot = all->slots.ahead.last);)
        attempt_return(warm_slots_give_back(slot));
}

/* What it had was given to a process that is gone. */
static void lost(void *owner, const char *why)
{
    struct warm *all = owner;
    struct fn *fn = all->fn;
    pause_connecting(all);
    call_back(all);
    for (unsigned i = 0; i < all->slots.made; i++) {
        if (all->slots.slots[i].call)
            end(&all->slots.slots[i],
                failure_new(FAILURE_CONNECTION, FAILURE_TEMPORARY, "%s: %s", fn->name, why), 0);
    }
    attempt_pump(fn);
}

/* ---- answers ---- */

/* Lines of JSON, each with its LF, as many as it says. */
static bool are_results(struct str lines, int64_t count)
{
    struct json_scan scan;
    while (lines.len) {
        const char *lf = memchr(lines.data, '\n', lines.len);
        if (!lf)
            return false;
        size_t len = (size_t)(lf - lines.data);
        if (json_scan((struct str){lines.data, len}, NULL, NULL, &scan) < 0)
            return false;
        lines = (struct str){lf + 1, lines.len - len - 1};
        count--;
    }
    return count == 0;
}

static struct failure *too_large(const struct fn *fn)
{
    char limit[NUM_TEXT];
    return failure_new(FAILURE_BAD_RESULT, FAILURE_PERMANENT, "more than %s (--max-result)",
                       num_format_size(fn->settings.max_result, limit));
}

static struct failure *read_answer(const struct fn *fn, const struct warm_frame *frame,
                                   struct fn_call *call)
{
    struct str lines = frame->parts[0];
    struct err err;
    if (frame->too_large || lines.len > fn->settings.max_result)
        return too_large(fn);
    if (!are_results(lines, frame->values[0]))
        return failure_new(FAILURE_BAD_RESULT, FAILURE_ORDINARY,
                           "what the pool has answered is not lines of JSON");
    call->count = (size_t)frame->values[0];
    if (lines.len <= FN_SPILL)
        call->lines = slice_dup(lines);
    else if (collect_spill(lines, fn->context->temp_dir, &call->lines, &err) < 0)
        return collect_failure(&err);
    return NULL;
}

/* The letter names the function of this fitting, not that of the pool. */
static struct failure *read_failure(const struct fn *fn, const struct warm_frame *frame)
{
    if (frame->too_large)
        return too_large(fn);
    struct failure *failure = failure_read(frame->parts[0]);
    int64_t class = frame->values[0];
    if (class >= FAILURE_ORDINARY && class <= FAILURE_PERMANENT)
        failure->class = (enum failure_class) class;
    failure->retry_after = frame->values[1] > 0 ? frame->values[1] : 0;
    free(failure->function);
    failure->function = NULL;
    return failure;
}

static void heard(void *owner, const struct warm_frame *frame)
{
    struct warm *all = owner;
    struct fn *fn = all->fn;
    struct warm_slot *slot = warm_slots_find(&all->slots, frame->id);
    if (frame->type == WARM_HELLO) {
        all->failed = 0;
        all->slots.most = frame->values[0] > 0 ? (uint64_t)frame->values[0] : 1;
        all->slots.workers = frame->values[1] > 0 ? (uint64_t)frame->values[1] : 0;
        return;
    }
    if (!slot || (frame->type != WARM_ANSWER && frame->type != WARM_FAILURE))
        return;
    struct failure *failure =
        frame->type == WARM_ANSWER ? read_answer(fn, frame, slot->call) : read_failure(fn, frame);
    all->answers++;
    end(slot, failure, frame->values[frame->type == WARM_ANSWER ? 1 : 2]);
}

static void heard_all(void *owner)
{
    struct warm *all = owner;
    if (all->answers)
        warm_slots_heard(&all->slots, all->answers);
    all->answers = 0;
    attempt_pump(all->fn);
}

/* ---- the kind ---- */

static int warm_open(struct fn *fn, struct err *err)
{
    const struct fn_context *context = fn->context;
    struct err cause;
    if (fn->word_count > 1)
        return err_set(err, ERR_USAGE, "'%s': takes no further words", fn->name);
    if (home_check_name(fn->words[0], &cause) < 0)
        return err_set(err, ERR_USAGE, "'%s': %s", fn->name, cause.text);
    if (!context->home)
        return err_set(err, ERR_USAGE, "'%s': there are no pools here", fn->name);
    struct home *home = context->home(context->owner, err);
    if (!home)
        return err->kind == ERR_NOT_FOUND ? not_running(fn, err) : -1;
    struct warm *all = mem_zalloc(sizeof *all);
    all->fn = fn;
    all->home = home;
    all->again.fire = try_again;
    all->link = (struct warm_link){.loop = context->loop,
                                   .heard = heard,
                                   .paused = heard_all,
                                   .lost = lost,
                                   .owner = all,
                                   .reader.limit = fn->settings.max_result + WARM_SLACK};
    if (connect_to(all, err) < 0 && err->sys_errno != EAGAIN) {
        free(all);
        return -1;
    }
    warm_slots_init(&all->slots, fn, too_late);
    fn->state = all;
    return 0;
}

static bool warm_has_slot(const struct fn *fn)
{
    const struct warm *all = fn->state;
    return !all->paused && warm_slots_has_room(&all->slots);
}

/* True: there is a connection. False: the call has been ended, or put back. */
static bool reach(struct warm *all, struct fn_call *call)
{
    struct err err;
    if (all->link.open || connect_to(all, &err) == 0)
        return true;
    pause_connecting(all);
    if (err.sys_errno == EAGAIN) /* it is there, and busy */
        attempt_return(call);
    else
        attempt_end(
            call,
            failure_new(FAILURE_CONNECTION, FAILURE_TEMPORARY, "%s: %s", all->fn->name, err.text),
            &(struct attempt_report){0});
    return false;
}

static void warm_begin(struct fn *fn, struct fn_call *call)
{
    struct warm *all = fn->state;
    int64_t timeout = fn->settings.timeout;
    if (!reach(all, call))
        return;
    struct warm_slot *slot = warm_slots_take(&all->slots, call);
    call->run = slot;
    struct warm_frame frame = {
        .type = WARM_REQUEST,
        .id = slot->id,
        .parts = {slice_str(call->event), call->id, call->scope},
        .values = {timeout && !slot->ahead ? clock_now() + timeout : 0, call->attempts, call->ping,
                   slot->ahead},
    };
    if (!slot->ahead)
        watch_time(slot);
    warm_link_send(&all->link, &frame);
}

/* The stand-in hears of it at once if it has not begun, else when it is answered. */
static void warm_forsake(struct fn *fn, struct fn_call *call, struct fn_call *instead,
                         enum failure_reason reason)
{
    struct warm_slot *slot = call->run;
    (void)fn;
    (void)reason;
    slot->call = instead;
    take_back(slot);
}

static void warm_cancel(struct fn *fn, enum failure_reason reason, bool now)
{
    struct warm *all = fn->state;
    (void)now;
    for (unsigned i = 0; i < all->slots.made; i++) {
        struct warm_slot *slot = &all->slots.slots[i];
        if (!slot->call)
            continue;
        take_back(slot);
        end(slot,
            failure_new(reason, FAILURE_PERMANENT, "ended before it was done: %s",
                        failure_name(reason)),
            0);
    }
}

/* The end of the connection takes back what nobody waits for. */
static void warm_close(struct fn *fn)
{
    struct warm *all = fn->state;
    warm_cancel(fn, FAILURE_NOT_NEEDED, false);
    loop_timer_clear(loop_of(all), &all->again);
    warm_link_close(&all->link);
    fn_closed(fn);
}

static void warm_free(struct fn *fn)
{
    struct warm *all = fn->state;
    warm_link_close(&all->link);
    loop_timer_clear(loop_of(all), &all->again);
    warm_slots_free(&all->slots);
    free(all);
}

const struct fn_kind warm_kind = {
    .scheme = "warm:",
    .wants_id = true,
    .open = warm_open,
    .has_slot = warm_has_slot,
    .begin = warm_begin,
    .forsake = warm_forsake,
    .cancel = warm_cancel,
    .close = warm_close,
    .free = warm_free,
};
