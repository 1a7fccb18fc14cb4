/* test_answers.c: claims about messages that ask for an answer (state/reply.h, state/queue.h), on
 * the embedded store and on the one in memory. */
#include "state/queue.h"

#include "base/rng.h"
#include "state/dead.h"
#include "store_world.h"

#include <string.h>
#include <sys/wait.h>

/* ---- operations, ended before they return ---- */

static void ended(struct store_op *op)
{
    if (op->status == STORE_NOT_APPLIED)
        fail_msg("%s", op->err->text);
    *(bool *)op->owner = true;
}

#define SUBMIT(call, what, named)            \
    do {                                     \
        bool is_done = false;                \
        (what)->own.op.done = ended;         \
        (what)->own.op.owner = &is_done;     \
        if (!(what)->own.named.data)         \
            (what)->own.named = STR("work"); \
        call;                                \
        store_flush(store);                  \
        assert_true(is_done);                \
    } while (0)

static struct hash128 key_of(uint64_t number)
{
    return (struct hash128){.low = number};
}

/* The event is the request's number. */
static struct queue_push ask_with(uint64_t request, cell_holder asker, struct queue_push push)
{
    char event[24];
    snprintf(event, sizeof event, "%llu", (unsigned long long)request);
    push.event = str_of(event);
    push.priority = QUEUE_PRIORITY;
    push.reply = STR("work");
    push.request = key_of(request);
    push.asker = asker;
    SUBMIT(queue_push(store, &push), &push, queue);
    return push;
}

static struct queue_push ask(uint64_t request)
{
    return ask_with(request, cell_self(), (struct queue_push){0});
}

static struct queue_lease lease_with(unsigned count, unsigned max_receives)
{
    struct queue_lease lease = {
        .count = count, .bytes = 1 << 20, .visibility = 30 * SECOND, .max_receives = max_receives};
    SUBMIT(queue_lease(store, &lease), &lease, queue);
    return lease;
}

static void end_with(const struct queue_lease *lease, uint32_t slot, enum queue_verb verb,
                     const char *text)
{
    struct queue_end end = {.token = lease->token, .slot = slot};
    if (verb == QUEUE_ACK) {
        end.answer = str_of(text);
        for (size_t i = 0; i < end.answer.len; i++)
            end.results += text[i] == '\n';
    } else {
        end.letter = str_of(text);
    }
    SUBMIT(queue_end(store, &end, verb), &end, queue);
}

/* The next message is done, and answered with the text. */
static void work(const char *event, const char *text)
{
    struct queue_lease lease = lease_with(1, 0);
    assert_int_equal(lease.got, 1);
    assert_true(str_eq(slice_str(lease.messages[0].event), str_of(event)));
    end_with(&lease, 0, QUEUE_ACK, text);
    queue_lease_clear(&lease);
}

static void forget_as(cell_holder asker, uint64_t request)
{
    struct hash128 key = key_of(request);
    struct reply_forget forget = {.asker = asker, .requests = &key, .count = 1};
    SUBMIT(reply_forget(store, &forget), &forget, set);
}

static void forget(uint64_t request)
{
    forget_as(cell_self(), request);
}

static struct queue_facts facts(void)
{
    struct queue_show show = {0};
    SUBMIT(queue_show(store, &show), &show, queue);
    return show.facts;
}

static void add_answer(struct buf *text, const struct reply_answer *answer)
{
    buf_addf(text, "%llu%c%llu:%.*s;", (unsigned long long)answer->request.low,
             answer->failed ? '!' : '=', (unsigned long long)answer->count, (int)answer->lines.len,
             answer->lines.data);
}

static uint64_t read_answers(uint64_t after, struct buf *text)
{
    struct reply_read read = {.after = after, .count = REPLY_READ_MAX, .bytes = 1 << 20};
    SUBMIT(reply_read(store, &read), &read, set);
    for (unsigned i = 0; i < read.got; i++)
        add_answer(text, &read.answers[i]);
    assert_false(read.more);
    reply_read_clear(&read);
    return read.through;
}

/* All that are kept: "1=1:a\n;2!0:{};". */
static void answers_are(const char *expected)
{
    struct buf text = {0};
    read_answers(0, &text);
    assert_string_equal(buf_cstr(&text), expected);
    buf_free(&text);
}

/* What the push was told at once. */
static void was_answered(struct queue_push *push, const char *expected)
{
    struct buf text = {0};
    assert_true(push->is_answered && push->is_duplicate);
    add_answer(&text, &push->answer);
    assert_string_equal(buf_cstr(&text), expected);
    buf_free(&text);
    slice_drop(&push->answer.lines);
}

static void clean(void)
{
    struct queue_remove cleaning = {0};
    do
        SUBMIT(queue_remove(store, &cleaning, QUEUE_CLEAN), &cleaning, queue);
    while (cleaning.more);
}

static void remove_queue(enum queue_verb verb)
{
    struct queue_remove remove = {0};
    SUBMIT(queue_remove(store, &remove, verb), &remove, queue);
}

/* ---- askers ---- */

/* A process that has ended. */
static cell_holder gone_holder(void)
{
    int ends[2];
    cell_holder holder;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        holder = cell_self();
        _exit(write(ends[1], &holder, sizeof holder) != sizeof holder);
    }
    assert_int_equal(read(ends[0], &holder, sizeof holder), sizeof holder);
    waitpid(child, NULL, 0);
    close(ends[0]);
    close(ends[1]);
    return holder;
}

enum { NOBODY = 0 }; /* an asker that is no process: never gone */

/* ---- one request ---- */

static void brings_the_answer_with_the_acknowledgement(void **state)
{
    (void)state;
    struct queue_push push = ask(1);
    assert_false(push.is_duplicate);
    assert_int_equal(push.last, 0);
    ask(2);
    answers_are("");
    struct queue_lease lease = lease_with(2, 0);
    assert_true(lease.messages[0].asks);
    assert_int_equal(lease.messages[0].request.low, 1);
    end_with(&lease, 1, QUEUE_ACK, "\"b\"\n\"c\"\n");
    answers_are("2=2:\"b\"\n\"c\"\n;");
    end_with(&lease, 0, QUEUE_ACK, "");
    answers_are("2=2:\"b\"\n\"c\"\n;1=0:;");
    queue_lease_clear(&lease);
    assert_int_equal(facts().answers, 2);
    assert_int_equal(facts().done, 2);
    assert_int_equal(ask(3).last, 2);
}

static void keeps_an_answer_until_it_is_forgotten(void **state)
{
    (void)state;
    ask(1);
    work("1", "1\n");
    struct queue_push push = ask(1);
    was_answered(&push, "1=1:1\n;");
    assert_int_equal(facts().pushed, 1);
    forget(1);
    answers_are("");
    assert_int_equal(facts().answers, 0);
    push = ask(1);
    assert_false(push.is_duplicate);
    work("1", "2\n");
    answers_are("1=1:2\n;");
}

static void adds_nothing_to_what_is_under_way(void **state)
{
    (void)state;
    struct queue_push first = ask(1), again = ask(1);
    assert_true(again.is_duplicate && !again.is_answered);
    assert_int_equal(again.seq, first.seq);
    struct queue_lease lease = lease_with(5, 0);
    assert_int_equal(lease.got, 1);
    assert_true(ask(1).is_duplicate); /* also while it is worked on, */
    advance(31 * SECOND);
    assert_true(ask(1).is_duplicate); /* and when its worker was lost */
    queue_lease_clear(&lease);
    work("1", "1\n");
    answers_are("1=1:1\n;");
}

static void reads_on_from_where_it_was_and_passes_others_by(void **state)
{
    struct buf text = {0};
    (void)state;
    for (uint64_t i = 1; i <= 3; i++)
        ask(i);
    work("1", "1\n");
    uint64_t through = read_answers(0, &text);
    work("2", "2\n");
    work("3", "3\n");
    assert_int_equal(read_answers(through, &text), 3);
    assert_int_equal(read_answers(3, &text), 3);
    assert_string_equal(buf_cstr(&text), "1=1:1\n;2=1:2\n;3=1:3\n;");
    buf_free(&text);
}

static bool wants_two(void *owner, struct hash128 request)
{
    (void)owner;
    return request.low == 2;
}

static void stops_a_read_at_its_count_and_bytes(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 3; i++) {
        ask(i);
        work((const char *const[]){"1", "2", "3"}[i - 1], "123456\n");
    }
    struct reply_read read = {.count = 2, .bytes = 1 << 20};
    SUBMIT(reply_read(store, &read), &read, set);
    assert_int_equal(read.got, 2);
    assert_int_equal(read.through, 2);
    assert_true(read.more);
    reply_read_clear(&read);
    read = (struct reply_read){.count = 5, .bytes = 8};
    SUBMIT(reply_read(store, &read), &read, set);
    assert_int_equal(read.got, 2);
    assert_true(read.more);
    reply_read_clear(&read);
    read = (struct reply_read){.count = 5, .bytes = 1 << 20, .wants = wants_two};
    SUBMIT(reply_read(store, &read), &read, set);
    assert_int_equal(read.got, 1);
    assert_int_equal(read.answers[0].request.low, 2);
    assert_int_equal(read.through, 3);
    reply_read_clear(&read);
}

static void keeps_sets_apart(void **state)
{
    (void)state;
    struct queue_push other = {.event = STR("7"), .priority = QUEUE_PRIORITY};
    ask(1);
    other.reply = STR("other");
    other.request = key_of(1);
    SUBMIT(queue_push(store, &other), &other, queue);
    assert_false(other.is_duplicate);
    work("1", "1\n");
    work("7", "7\n");
    answers_are("1=1:1\n;");
}

static void keeps_large_answers_byte_for_byte(void **state)
{
    struct buf large = {0};
    (void)state;
    for (int i = 0; i < 100000; i++)
        buf_addc(&large, (char)('a' + i % 26));
    buf_addc(&large, '\n');
    ask(1);
    work("1", buf_cstr(&large));
    struct queue_push push = ask(1);
    assert_true(str_eq(slice_str(push.answer.lines), buf_str(&large)));
    slice_drop(&push.answer.lines);
    struct reply_read read = {.count = 1, .bytes = 1};
    SUBMIT(reply_read(store, &read), &read, set);
    assert_true(str_eq(slice_str(read.answers[0].lines), buf_str(&large)));
    reply_read_clear(&read);
    buf_free(&large);
}

/* ---- failures ---- */

static void answers_with_the_failure_and_keeps_no_letter(void **state)
{
    (void)state;
    ask(1);
    struct queue_lease lease = lease_with(1, 0);
    end_with(&lease, 0, QUEUE_BURY, "{\"reason\":\"exit\"}");
    queue_lease_clear(&lease);
    answers_are("1!0:{\"reason\":\"exit\"};");
    assert_int_equal(facts().dead, 0);
    assert_int_equal(facts().done, 1);
    struct queue_push push = ask(1); /* as for who was killed before he had it */
    was_answered(&push, "1!0:{\"reason\":\"exit\"};");
    push = ask_with(1, cell_self(), (struct queue_push){.again = true});
    assert_false(push.is_duplicate);
    answers_are("");
    work("1", "1\n");
    push = ask_with(1, cell_self(), (struct queue_push){.again = true}); /* only failures */
    was_answered(&push, "1=1:1\n;");
}

static void starts_with(const char *expected)
{
    struct buf text = {0};
    read_answers(0, &text);
    assert_true(str_starts(buf_str(&text), str_of(expected)));
    assert_int_equal(facts().dead, 0);
    buf_free(&text);
}

static void answers_what_expired_or_was_received_too_often(void **state)
{
    (void)state;
    ask_with(1, cell_self(), (struct queue_push){.expire = SECOND});
    advance(SECOND);
    struct queue_lease lease = lease_with(1, 1);
    assert_int_equal(lease.got, 0);
    queue_lease_clear(&lease);
    starts_with("1!0:{\"reason\":\"expired\",");
    forget(1);
    ask(1);
    lease = lease_with(1, 1);
    queue_lease_clear(&lease);
    advance(31 * SECOND);
    lease = lease_with(1, 1);
    assert_int_equal(lease.got, 0);
    queue_lease_clear(&lease);
    starts_with("1!0:{\"reason\":\"poison\",");
}

static void answers_what_is_removed(void **state)
{
    (void)state;
    ask(1);
    ask_with(2, cell_self(), (struct queue_push){.delay = SECOND});
    ask_with(3, cell_self(), (struct queue_push){.group = STR("g")});
    struct queue_lease lease = lease_with(1, 0);
    remove_queue(QUEUE_PURGE);
    answers_are("");
    assert_false(ask(1).is_duplicate); /* though it is not cleaned yet: that one will not be done */
    clean();
    end_with(&lease, 0, QUEUE_ACK, "0\n"); /* too late */
    queue_lease_clear(&lease);
    starts_with("2!0:{\"reason\":\"purged\",");
    assert_int_equal(facts().answers, 2);
    work("1", "1\n");
    forget(2);
    forget(3);
    answers_are("1=1:1\n;");
    ask(4);
    remove_queue(QUEUE_DROP);
    clean();
    ask(5); /* the queue is made anew */
    assert_int_equal(facts().answers, 2);
    struct queue_push push = ask(4);
    assert_true(push.is_answered && push.answer.failed);
    slice_drop(&push.answer.lines);
}

static void answers_what_is_dropped_for_another(void **state)
{
    (void)state;
    ask(1);
    struct queue_push full = {.max_length = 1};
    full = ask_with(2, cell_self(), full);
    assert_int_equal(full.own.op.status, STORE_FULL);
    full = ask_with(2, cell_self(), (struct queue_push){.max_length = 1, .drop_oldest = true});
    assert_true(full.dropped);
    starts_with("1!0:{\"reason\":\"queue_full\",");
    work("2", "2\n");
}

/* ---- several askers ---- */

static void shares_an_answer_until_all_have_forgotten_it(void **state)
{
    (void)state;
    ask(1);
    assert_true(ask_with(1, NOBODY, (struct queue_push){0}).is_duplicate);
    work("1", "1\n");
    forget(1);
    forget(1);
    answers_are("1=1:1\n;");
    struct queue_push push = ask(1);
    was_answered(&push, "1=1:1\n;");
    forget_as(NOBODY, 1);
    answers_are("1=1:1\n;");
    forget(1);
    answers_are("");
}

static void does_not_wait_for_who_is_gone(void **state)
{
    (void)state;
    ask_with(1, gone_holder(), (struct queue_push){0});
    work("1", "1\n");
    answers_are("1=1:1\n;"); /* he may come again */
    struct queue_push push = ask(1);
    was_answered(&push, "1=1:1\n;");
    forget(1);
    answers_are("");
}

static void hands_out_nothing_that_all_have_forgotten(void **state)
{
    (void)state;
    ask(1);
    ask(2);
    ask_with(2, NOBODY, (struct queue_push){0});
    ask(3);
    ask_with(4, cell_self(), (struct queue_push){.group = STR("g")});
    ask_with(5, cell_self(), (struct queue_push){.group = STR("g")});
    for (uint64_t i = 1; i <= 4; i++)
        forget(i);
    struct queue_lease lease = lease_with(10, 0);
    assert_int_equal(lease.got, 2);
    assert_int_equal(lease.messages[0].request.low, 2);
    assert_int_equal(lease.messages[1].request.low, 5);
    assert_int_equal(facts().dropped, 3);
    forget(5); /* it is worked on already */
    end_with(&lease, 1, QUEUE_ACK, "5\n");
    end_with(&lease, 0, QUEUE_ACK, "2\n");
    queue_lease_clear(&lease);
    answers_are("2=1:2\n;");
}

static void takes_no_answer_from_a_message_of_before(void **state)
{
    (void)state;
    ask(1);
    struct queue_lease old = lease_with(1, 0);
    forget(1);
    assert_false(ask(1).is_duplicate);
    end_with(&old, 0, QUEUE_BURY, "{\"reason\":\"exit\"}");
    queue_lease_clear(&old);
    answers_are("");
    work("1", "1\n");
    answers_are("1=1:1\n;");
}

/* ---- time ---- */

static void removes_answers_past_their_time(void **state)
{
    (void)state;
    ask(1);
    work("1", "1\n");
    advance(REPLY_KEEP / 2);
    ask(2);
    work("2", "2\n");
    ask(3); /* is not answered, and stays */
    advance(REPLY_KEEP / 2 + 1);
    struct queue_lease look = {.look = true};
    SUBMIT(queue_lease(store, &look), &look, queue);
    answers_are("2=1:2\n;");
    advance(REPLY_KEEP);
    SUBMIT(queue_lease(store, &look), &look, queue);
    answers_are("");
    work("3", "3\n");
    answers_are("3=1:3\n;");
    queue_lease_clear(&look);
}

/* Whoever has to do with any set removes what is past its time in all of them, and the sets. */
static void leaves_nothing_for_ever(void **state)
{
    char name[16];
    (void)state;
    for (int i = 0; i < 1500; i++) {
        snprintf(name, sizeof name, "set%d", i);
        struct queue_push push = {.event = STR("1"), .priority = QUEUE_PRIORITY};
        push.reply = str_of(name);
        push.request = key_of(1);
        SUBMIT(queue_push(store, &push), &push, queue);
        work("1", "1\n");
    }
    advance(REPLY_KEEP + SECOND);
    for (int i = 0; i < 4; i++) { /* one sweep looks at REPLY_SWEEP of them */
        struct queue_push push = ask_with(1, cell_self(), (struct queue_push){0});
        slice_drop(&push.answer.lines);
        advance(i == 1 ? 2 * REPLY_KEEP : SECOND);
    }
    for (int i = 0; i < 1500; i += 100) {
        snprintf(name, sizeof name, "set%d", i);
        struct reply_read read = {.own.set = str_of(name), .count = 1, .bytes = 1};
        SUBMIT(reply_read(store, &read), &read, set);
        assert_int_equal(read.got, 0);
        reply_read_clear(&read);
        struct queue_push push = {.event = STR("1"), .priority = QUEUE_PRIORITY};
        push.reply = str_of(name);
        push.request = key_of(1);
        SUBMIT(queue_push(store, &push), &push, queue);
        assert_int_equal(push.last, 0); /* it is made anew */
    }
}

static void keeps_answers_over_a_restart(void **state)
{
    (void)state;
    ask(1);
    ask(2);
    work("1", "1\n");
    close_store();
    open_store();
    struct queue_push push = ask(1);
    was_answered(&push, "1=1:1\n;");
    assert_true(ask(2).is_duplicate);
    work("2", "2\n");
    answers_are("1=1:1\n;2=1:2\n;");
}

static void rang(void *owner)
{
    *(bool *)owner = true;
}

static void stop(struct loop_timer *timer)
{
    (void)timer;
    loop_stop(loop);
}

static bool rings_within(bool *rung)
{
    struct loop_timer late = {.fire = stop};
    clock_invent(NULL, NULL);
    *rung = false;
    for (int i = 0; i < 100 && !*rung; i++) {
        loop_timer_set(loop, &late, clock_now() + 1000000);
        loop_run(loop, &err);
    }
    clock_invent(&now, &wall);
    return *rung;
}

static void rings_for_who_waits(void **state)
{
    bool rung = false;
    struct store_ear ear = {.kind = "reply", .name = STR("work"), .heard = rang, .owner = &rung};
    (void)state;
    assert_int_equal(store_listen(store, &ear, &err), 0);
    ask(1);
    work("1", "1\n");
    assert_true(rings_within(&rung));
    store_deafen(store, &ear);
}

/* ---- against a model ---- */

enum { MODEL_KEYS = 6, MODEL_ASKERS = 3, MODEL_MESSAGES = 4000, MODEL_STEPS = 3000 };

static struct model {
    enum { ABSENT, WAITS, ANSWERED, FAILED } state;
    bool asks[MODEL_ASKERS]; /* the process itself, nobody's, and one that is gone */
    uint64_t seq, number;    /* of the message it waits for; of its answer, as it was given */
} model[MODEL_KEYS];

static struct {
    enum { READY, LEASED, GONE } place;
    unsigned key;
    uint64_t token;
    uint32_t slot;
} messages[MODEL_MESSAGES + 1];
static uint64_t pushed, numbers;
static cell_holder askers[MODEL_ASKERS];

/* Whenever its askers are written, who is gone is left out. */
static void model_ask(struct rng *rng)
{
    unsigned key = (unsigned)rng_below(rng, MODEL_KEYS), who = (unsigned)rng_below(rng, 3);
    struct model *one = &model[key];
    bool again = rng_below(rng, 3) == 0;
    struct queue_push push = ask_with(key, askers[who], (struct queue_push){.again = again});
    bool anew = one->state == ABSENT || (one->state == FAILED && again);
    assert_int_equal(push.is_duplicate, !anew);
    assert_int_equal(push.is_answered, !anew && one->state != WAITS);
    slice_drop(&push.answer.lines);
    if (anew || !one->asks[who])
        one->asks[2] = false;
    one->asks[who] = true;
    if (!anew)
        return;
    assert_int_equal(push.seq, ++pushed);
    one->state = WAITS;
    one->seq = pushed;
    messages[pushed].place = READY;
    messages[pushed].key = key;
}

static void model_lease(struct rng *rng)
{
    struct queue_lease lease = lease_with(1 + (unsigned)rng_below(rng, 3), 0);
    unsigned got = 0;
    for (uint64_t seq = 1; seq <= pushed && got < lease.count; seq++) {
        if (messages[seq].place != READY)
            continue;
        const struct model *one = &model[messages[seq].key];
        if (one->state != WAITS || one->seq != seq) {
            messages[seq].place = GONE;
            continue;
        }
        assert_true(got < lease.got);
        assert_int_equal(lease.messages[got].seq, seq);
        messages[seq].place = LEASED;
        messages[seq].token = lease.token;
        messages[seq].slot = lease.messages[got++].slot;
    }
    assert_int_equal(got, lease.got);
    queue_lease_clear(&lease);
}

static void model_end(struct rng *rng)
{
    uint64_t seq = pushed ? 1 + rng_below(rng, pushed) : 0;
    for (uint64_t i = 0; seq && i < pushed && messages[seq].place != LEASED; i++)
        seq = seq % pushed + 1;
    if (!seq || messages[seq].place != LEASED)
        return;
    struct model *one = &model[messages[seq].key];
    struct queue_lease lease = {.token = messages[seq].token};
    bool fails = rng_below(rng, 3) == 0;
    char text[32];
    snprintf(text, sizeof text, fails ? "{\"seq\":%llu}" : "%llu\n", (unsigned long long)seq);
    end_with(&lease, messages[seq].slot, fails ? QUEUE_BURY : QUEUE_ACK, text);
    messages[seq].place = GONE;
    if (one->state != WAITS || one->seq != seq)
        return;
    one->state = fails ? FAILED : ANSWERED;
    one->number = ++numbers;
}

static void model_forget(struct rng *rng)
{
    struct model *one = &model[rng_below(rng, MODEL_KEYS)];
    unsigned who = (unsigned)rng_below(rng, 2);
    forget_as(askers[who], (uint64_t)(one - model));
    if (one->state == ABSENT || !one->asks[who])
        return;
    one->asks[who] = one->asks[2] = false;
    if (!one->asks[0] && !one->asks[1])
        one->state = ABSENT;
}

static void model_check(void)
{
    struct buf expected = {0};
    for (uint64_t number = 1; number <= numbers; number++) {
        for (unsigned key = 0; key < MODEL_KEYS; key++) {
            const struct model *one = &model[key];
            if (one->state < ANSWERED || one->number != number)
                continue;
            buf_addf(&expected, one->state == FAILED ? "%u!0:{\"seq\":%llu};" : "%u=1:%llu\n;", key,
                     (unsigned long long)one->seq);
        }
    }
    answers_are(buf_cstr(&expected));
    buf_free(&expected);
}

static void behaves_like_its_model(void **state)
{
    struct rng rng;
    (void)state;
    askers[0] = cell_self();
    askers[1] = NOBODY;
    askers[2] = gone_holder();
    rng_seed(&rng, 7);
    memset(model, 0, sizeof model);
    pushed = numbers = 0;
    for (int i = 0; i < MODEL_STEPS; i++) {
        uint64_t dice = rng_below(&rng, 10);
        if (dice < 3)
            model_ask(&rng);
        else if (dice < 5)
            model_lease(&rng);
        else if (dice < 7)
            model_end(&rng);
        else
            model_forget(&rng);
        model_check();
    }
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define BOTH(name)                                              \
    CLAIM(name),                                                \
    {                                                           \
        "in_memory: " #name, name, setup_memory, teardown, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(brings_the_answer_with_the_acknowledgement),
        BOTH(keeps_an_answer_until_it_is_forgotten),
        BOTH(adds_nothing_to_what_is_under_way),
        BOTH(reads_on_from_where_it_was_and_passes_others_by),
        BOTH(stops_a_read_at_its_count_and_bytes),
        BOTH(keeps_sets_apart),
        BOTH(keeps_large_answers_byte_for_byte),
        BOTH(answers_with_the_failure_and_keeps_no_letter),
        BOTH(answers_what_expired_or_was_received_too_often),
        BOTH(answers_what_is_removed),
        BOTH(answers_what_is_dropped_for_another),
        BOTH(shares_an_answer_until_all_have_forgotten_it),
        BOTH(does_not_wait_for_who_is_gone),
        BOTH(hands_out_nothing_that_all_have_forgotten),
        BOTH(takes_no_answer_from_a_message_of_before),
        BOTH(removes_answers_past_their_time),
        BOTH(leaves_nothing_for_ever),
        CLAIM(keeps_answers_over_a_restart),
        BOTH(rings_for_who_waits),
        BOTH(behaves_like_its_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
