/*
 * request.c: the function that asks workers elsewhere, through a durable queue.
 *
 * "queue:NAME" with a reply set: each call is a message of that queue that asks for an answer
 * (state/reply.h), and ends with what a worker of the queue gives for it, or with its failure. What
 * is asked is named by the queue, the event and which part of it the call is about. So a run that
 * was killed finds what it had asked, and calls of the same name share an answer.
 *
 * An answer is forgotten when the caller has made use of it (fn_kept_end), many at a time. A call
 * that is ended from here, since its time is over, is forgotten at once, and is not done unless a
 * worker has it. What is cancelled is not: who cancels a run may run it again.
 *
 * Answers are read when the bell of the set has rung. The number up to which all were looked at
 * begins with what a push was told: answers to it come behind that.
 */
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "fn/asked.h"
#include "fn/forgetting.h"
#include "fn/kind.h"
#include "state/home.h"
#include "state/queue.h"
#include "state/reply.h"

#include <stdlib.h>

enum {
    REQUEST_MOST = STORE_GROUP,        /* asked and not answered; then there is no room */
    REQUEST_BYTES = STORE_GROUP_BYTES, /* their bytes; the same */
    REQUEST_READ = 256 * 1024,         /* bytes of answers that are read at once */
};

struct request {
    struct queue_push push; /* first */
    struct requests *all;
    struct fn_call *call; /* NULL: it ended while its push was on its way */
    struct slice event;
    struct asked asked; /* while its call has not ended */
    struct loop_timer late;
    bool pushing;
    struct request *next; /* free */
};

struct requests {
    struct fn *fn;
    struct store *store;
    struct str set;
    struct store_ear ear;
    struct asked_table asked;
    size_t bytes; /* of their events */
    struct request *free;
    size_t pushing;
    struct reply_read read;
    struct loop_task look; /* reads */
    uint64_t after;        /* answers up to there were looked at */
    bool begun;            /* which is known */
    bool reading, rung;    /* rung meanwhile */
    struct forgetting used;
    bool failed; /* said so once */
    bool closing, closed, dying;
};

struct request_kept {
    struct fn_kept kept; /* first */
    struct hash128 key;
};

static void say_failed(struct requests *all, const struct store_op *op)
{
    const struct fn_context *context = all->fn->context;
    if (all->failed || all->dying || !op->err || !context->fatal)
        return;
    all->failed = true;
    context->fatal(context->owner, op->err);
}

static void check_closed(struct requests *all)
{
    if (!all->closing || all->closed || all->pushing || !forgetting_is_over(&all->used))
        return;
    all->closed = true;
    fn_closed(all->fn);
}

static struct request *find(const struct requests *all, struct hash128 key)
{
    struct asked *asked = asked_find(&all->asked, key);
    return asked ? CONTAINER_OF(asked, struct request, asked) : NULL;
}

/* ---- what becomes of answers ---- */

static void request_unkeep(struct fn *fn, struct fn_kept *kept, bool used)
{
    struct request_kept *own = (struct request_kept *)(void *)kept;
    if (used)
        forgetting_add(&((struct requests *)fn->state)->used, own->key);
    free(own);
}

static void keep(struct request *request)
{
    struct fn_kept **list = request->call->kept;
    if (!list) {
        forgetting_add(&request->all->used, request->asked.key);
        return;
    }
    struct request_kept *own = mem_alloc(sizeof *own);
    *own = (struct request_kept){.kept = {.next = *list, .fn = request->all->fn},
                                 .key = request->asked.key};
    *list = &own->kept;
}

/* ---- a request ---- */

static void give_back(struct request *request)
{
    struct requests *all = request->all;
    slice_drop(&request->event);
    request->next = all->free;
    all->free = request;
}

/* failure NULL: call->lines are set. */
static void end(struct request *request, struct failure *failure)
{
    struct requests *all = request->all;
    struct fn *fn = all->fn;
    struct fn_call *call = request->call;
    struct attempt_report report = {.bytes_in = request->event.len + 1,
                                    .bytes_out = call->lines.len};
    loop_timer_clear(fn->context->loop, &request->late);
    asked_remove(&all->asked, &request->asked);
    all->bytes -= request->event.len;
    if (!all->asked.count)
        all->begun = false; /* what is asked next is answered behind what is there then */
    request->call = NULL;
    if (!request->pushing)
        give_back(request);
    attempt_end(call, failure, &report);
    attempt_pump(fn);
}

static void answer(struct request *request, const struct reply_answer *given)
{
    struct fn_call *call = request->call;
    size_t most = request->all->fn->settings.max_result;
    struct failure *failure = NULL;
    if (given->failed) {
        failure = failure_read(slice_str(given->lines));
    } else if (given->lines.len > most) {
        char limit[NUM_TEXT];
        failure = failure_new(FAILURE_BAD_RESULT, FAILURE_PERMANENT, "more than %s (--max-result)",
                              num_format_size(most, limit));
    } else {
        call->lines = slice_hold(given->lines);
        call->count = (size_t)given->count;
    }
    keep(request);
    end(request, failure);
}

static void too_late(struct loop_timer *timer)
{
    struct request *request = CONTAINER_OF(timer, struct request, late);
    struct requests *all = request->all;
    struct hash128 key = request->asked.key;
    char after[NUM_TEXT];
    end(request, failure_new(FAILURE_TIMEOUT, FAILURE_ORDINARY, "no answer after %s",
                             num_format_duration(all->fn->settings.timeout, after)));
    forgetting_add(&all->used, key);
}

static void pushed(struct store_op *op)
{
    struct request *request = (struct request *)(void *)op;
    struct requests *all = request->all;
    struct queue_push *push = &request->push;
    struct reply_answer given = push->answer;
    request->pushing = false;
    all->pushing--;
    if (op->status == STORE_OK && (!all->begun || push->last < all->after)) {
        all->after = push->last; /* below what was: the set was removed, and made anew */
        all->begun = true;
    }
    if (!request->call || all->dying) {
        if (!request->call)
            give_back(request);
        check_closed(all);
    } else if (op->status != STORE_OK) {
        say_failed(all, op);
        end(request,
            failure_new(FAILURE_WRITE, FAILURE_PERMANENT, "ask %s: %s: %s", all->fn->name,
                        store_status_name(op->status), op->err ? op->err->text : "refused"));
    } else if (push->is_answered) {
        answer(request, &given);
    }
    slice_drop(&given.lines);
}

static void request_begin(struct fn *fn, struct fn_call *call)
{
    struct requests *all = fn->state;
    struct request *request = all->free;
    if (request)
        all->free = request->next;
    else
        request = mem_alloc(sizeof *request);
    *request = (struct request){.all = all,
                                .call = call,
                                .event = slice_hold(call->event),
                                .asked.key = asked_key(call, fn->words[0]),
                                .late.fire = too_late,
                                .pushing = true};
    asked_add(&all->asked, &request->asked);
    all->bytes += request->event.len;
    all->pushing++;
    if (fn->settings.timeout)
        loop_timer_set(fn->context->loop, &request->late,
                       loop_now(fn->context->loop) + fn->settings.timeout);
    request->push = (struct queue_push){
        .own.op.done = pushed,
        .own.queue = str_of(fn->words[0]),
        .event = slice_str(request->event),
        .priority = QUEUE_PRIORITY,
        .reply = all->set,
        .request = request->asked.key,
        .asker = cell_self(),
        .again = call->attempts > 1,
    };
    queue_push(all->store, &request->push);
}

/* ---- answers ---- */

static bool is_asked(void *owner, struct hash128 key)
{
    return find(owner, key) != NULL;
}

static void give_answers(struct requests *all)
{
    const struct reply_read *read = &all->read;
    struct request *request;
    all->after = read->through;
    for (unsigned i = 0; i < read->got; i++) {
        while ((request = find(all, read->answers[i].request)))
            answer(request, &read->answers[i]);
    }
    if (read->more || all->rung)
        loop_defer(all->fn->context->loop, &all->look);
}

static void answers_read(struct store_op *op)
{
    struct requests *all = op->owner;
    all->reading = false;
    if (op->status != STORE_OK)
        say_failed(all, op);
    else if (!all->dying)
        give_answers(all);
    reply_read_clear(&all->read);
}

static void look(struct loop_task *task)
{
    struct requests *all = CONTAINER_OF(task, struct requests, look);
    all->rung = all->reading;
    if (all->reading || !all->begun)
        return;
    all->reading = true;
    all->read = (struct reply_read){
        .own.op.done = answers_read,
        .own.op.owner = all,
        .own.set = all->set,
        .after = all->after,
        .count = REPLY_READ_MAX,
        .bytes = REQUEST_READ,
        .wants = is_asked,
        .owner = all,
    };
    reply_read(all->store, &all->read);
}

static void heard(void *owner)
{
    struct requests *all = owner;
    loop_defer(all->fn->context->loop, &all->look);
}

/* ---- the kind ---- */

static void some_forgotten(void *owner, const struct store_op *op)
{
    struct requests *all = owner;
    if (op->status != STORE_OK)
        say_failed(all, op);
    if (!all->dying)
        check_closed(all);
}

static int request_open(struct fn *fn, struct err *err)
{
    const struct fn_context *context = fn->context;
    struct err cause;
    if (home_check_name(fn->words[0], &cause) < 0)
        return err_set(err, ERR_USAGE, "'%s': %s", fn->name, cause.text);
    if (home_check_name(fn->settings.replies, &cause) < 0)
        return err_set(err, ERR_USAGE, "reply set: %s", cause.text);
    struct store *store = context->store(context->owner, err);
    if (!store)
        return -1;
    struct requests *all = mem_zalloc(sizeof *all);
    *all = (struct requests){
        .fn = fn,
        .store = store,
        .set = str_of(fn->settings.replies),
        .ear = {.kind = "reply", .heard = heard, .owner = all},
        .look.run = look,
    };
    all->ear.name = all->set;
    all->used = (struct forgetting){.store = store,
                                    .set = all->set,
                                    .is_asked = is_asked,
                                    .ended = some_forgotten,
                                    .owner = all};
    fn->state = all;
    if (store_listen(store, &all->ear, err) == 0)
        return 0;
    free(all);
    return -1;
}

static bool request_has_slot(const struct fn *fn)
{
    const struct requests *all = fn->state;
    return all->asked.count < fn->settings.jobs && all->asked.count < REQUEST_MOST &&
           all->bytes < REQUEST_BYTES;
}

static void request_flush(struct fn *fn)
{
    forgetting_flush(&((struct requests *)fn->state)->used);
}

/* What was asked stays asked, and is found by the next run. */
static void request_cancel(struct fn *fn, enum failure_reason reason, bool now)
{
    struct requests *all = fn->state;
    (void)now;
    store_flush(all->store);
    for (struct asked *asked; (asked = asked_any(&all->asked));)
        end(CONTAINER_OF(asked, struct request, asked),
            failure_new(reason, FAILURE_PERMANENT, "ended before it was answered: %s",
                        failure_name(reason)));
}

static void request_close(struct fn *fn)
{
    struct requests *all = fn->state;
    all->closing = all->used.hasty = true;
    forgetting_flush(&all->used);
    store_flush(all->store);
    check_closed(all);
}

static void request_free(struct fn *fn)
{
    struct requests *all = fn->state;
    all->dying = true;
    if (all->pushing || all->used.busy) /* the run ended badly: operations point here */
        store_flush(all->store);
    store_deafen(all->store, &all->ear);
    loop_undefer(fn->context->loop, &all->look);
    for (struct asked *asked; (asked = asked_any(&all->asked));) {
        struct request *request = CONTAINER_OF(asked, struct request, asked);
        asked_remove(&all->asked, asked);
        loop_timer_clear(fn->context->loop, &request->late);
        give_back(request);
    }
    while (all->free) {
        struct request *request = all->free;
        all->free = request->next;
        free(request);
    }
    asked_free(&all->asked);
    forgetting_free(&all->used);
    free(all);
}

const struct fn_kind request_kind = {
    .scheme = "queue:",
    .wants_id = true,
    .open = request_open,
    .has_slot = request_has_slot,
    .begin = request_begin,
    .unkeep = request_unkeep,
    .flush = request_flush,
    .cancel = request_cancel,
    .close = request_close,
    .free = request_free,
};
