/* test_queue.c: claims about state/queue.h, on the embedded store and on the one in memory. */
#include "state/queue.h"

#include "base/rng.h"
#include "state/dead.h"
#include "store_world.h"

#include <string.h>
#include <sys/wait.h>

enum { SLOTS = 64 };

/* ---- operations, ended before they return ---- */

static void ended(struct store_op *op)
{
    if (op->status == STORE_NOT_APPLIED)
        fail_msg("%s", op->err->text);
    *(bool *)op->owner = true;
}

static enum store_status wait_for(struct queue_op *own, const bool *is_done)
{
    store_flush(store);
    assert_true(*is_done);
    return own->op.status;
}

#define SUBMIT(call, what)                   \
    do {                                     \
        bool is_done = false;                \
        (what)->own.op.done = ended;         \
        (what)->own.op.owner = &is_done;     \
        if (!(what)->own.queue.data)         \
            (what)->own.queue = STR("work"); \
        call;                                \
        wait_for(&(what)->own, &is_done);    \
    } while (0)

static enum store_status push_with(struct queue_push *push, const char *event)
{
    push->event = str_of(event);
    SUBMIT(queue_push(store, push), push);
    return push->own.op.status;
}

static uint64_t push(const char *event)
{
    struct queue_push plain = {.priority = QUEUE_PRIORITY};
    assert_int_equal(push_with(&plain, event), STORE_OK);
    return plain.seq;
}

static void push_to_group(const char *group, const char *event)
{
    struct queue_push grouped = {.priority = QUEUE_PRIORITY, .group = str_of(group)};
    assert_int_equal(push_with(&grouped, event), STORE_OK);
}

static void lease_with(struct queue_lease *lease, unsigned count)
{
    lease->count = count;
    lease->bytes = 1 << 20;
    if (!lease->visibility)
        lease->visibility = 30 * SECOND;
    SUBMIT(queue_lease(store, lease), lease);
}

static struct queue_lease lease_some(unsigned count)
{
    struct queue_lease lease = {0};
    lease_with(&lease, count);
    return lease;
}

/* The events of a lease, joined. */
static const char *events_of(const struct queue_lease *lease)
{
    static char text[4096];
    size_t len = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < lease->got; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s", i ? " " : "",
                                (int)lease->messages[i].event.len, lease->messages[i].event.data);
    return text;
}

static void takes(const char *expected)
{
    struct queue_lease lease = lease_some(SLOTS);
    assert_string_equal(events_of(&lease), expected);
    queue_lease_clear(&lease);
}

static enum store_status end_with(const struct queue_lease *lease, uint32_t slot,
                                  enum queue_verb verb, struct queue_end *end)
{
    end->token = lease->token;
    end->slot = slot;
    SUBMIT(queue_end(store, end, verb), end);
    return end->own.op.status;
}

static enum store_status ack(const struct queue_lease *lease, uint32_t slot)
{
    struct queue_end end = {0};
    return end_with(lease, slot, QUEUE_ACK, &end);
}

static enum store_status nack(const struct queue_lease *lease, uint32_t slot, int64_t delay)
{
    struct queue_end end = {.delay = delay, .failure = STR("no luck")};
    return end_with(lease, slot, QUEUE_NACK, &end);
}

static struct queue_facts facts(void)
{
    struct queue_show show = {0};
    SUBMIT(queue_show(store, &show), &show);
    return show.facts;
}

static bool keep_letter(void *owner, uint64_t number, struct str letter)
{
    (void)number;
    buf_add_str(owner, letter);
    buf_addc(owner, '\n');
    return true;
}

static void read_ended(struct store_op *op)
{
    assert_int_equal(op->status, STORE_OK);
}

static char *letters(void)
{
    struct buf text = {0};
    struct dead_op list = {.verb = DEAD_LIST, .each = keep_letter, .owner = &text};
    list.op.done = read_ended;
    dead_submit(store, &list);
    return buf_take(&text);
}

/* ---- order ---- */

static void hands_out_in_the_order_of_pushing(void **state)
{
    (void)state;
    push("1");
    push("2");
    push("3");
    struct queue_lease lease = lease_some(2);
    assert_string_equal(events_of(&lease), "1 2");
    assert_int_equal(lease.ready, 1);
    assert_int_equal(lease.in_flight, 2);
    queue_lease_clear(&lease);
    takes("3");
    takes("");
}

static void hands_out_a_higher_priority_first(void **state)
{
    static const unsigned priorities[] = {0, 9, 4, 9, 5};
    static const char *const texts[] = {"0", "9", "4", "90", "5"};
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct queue_push one = {.priority = priorities[i]};
        push_with(&one, texts[i]);
    }
    takes("9 90 5 4 0");
}

static void stops_a_lease_at_its_bytes(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        push("1234567");
    struct queue_lease lease = {.own.queue = STR("work"), .count = 5, .bytes = 15};
    lease.visibility = SECOND;
    SUBMIT(queue_lease(store, &lease), &lease);
    assert_int_equal(lease.got, 2);
    queue_lease_clear(&lease);
}

static void keeps_events_byte_for_byte(void **state)
{
    struct buf large = {0};
    (void)state;
    buf_addc(&large, '"');
    for (int i = 0; i < 100000; i++)
        buf_addc(&large, (char)('a' + i % 26));
    buf_addc(&large, '"');
    push(buf_cstr(&large));
    push("{\"a\": 1.0 }");
    struct queue_lease lease = lease_some(2);
    assert_true(str_eq(slice_str(lease.messages[0].event), buf_str(&large)));
    assert_true(str_eq(slice_str(lease.messages[1].event), STR("{\"a\": 1.0 }")));
    assert_int_equal(lease.messages[1].event.data[lease.messages[1].event.len], '\n');
    queue_lease_clear(&lease);
    buf_free(&large);
}

/* ---- ends ---- */

static void forgets_what_was_acknowledged(void **state)
{
    (void)state;
    push("1");
    struct queue_lease lease = lease_some(1);
    assert_int_equal(ack(&lease, 0), STORE_OK);
    assert_int_equal(ack(&lease, 0), STORE_LOST);
    queue_lease_clear(&lease);
    advance(3600 * SECOND);
    takes("");
    struct queue_facts after = facts();
    assert_int_equal(after.done, 1);
    assert_int_equal(after.in_flight + after.ready, 0);
}

static void gives_back_to_the_old_place_and_counts_receives(void **state)
{
    (void)state;
    for (int i = 1; i <= 4; i++)
        push((const char *const[]){"1", "2", "3", "4"}[i - 1]);
    struct queue_lease lease = lease_some(3);
    assert_int_equal(nack(&lease, 2, 0), STORE_OK);
    assert_int_equal(nack(&lease, 0, 0), STORE_OK);
    assert_int_equal(nack(&lease, 0, 0), STORE_LOST);
    queue_lease_clear(&lease);
    lease = lease_some(SLOTS);
    assert_string_equal(events_of(&lease), "1 3 4");
    assert_int_equal(lease.messages[0].receives, 2);
    assert_int_equal(lease.messages[2].receives, 1);
    queue_lease_clear(&lease);
}

static void does_not_count_a_receive_that_was_not_begun(void **state)
{
    (void)state;
    push("1");
    struct queue_lease lease = lease_some(1);
    struct queue_end end = {.uncounted = true};
    assert_int_equal(end_with(&lease, 0, QUEUE_NACK, &end), STORE_OK);
    queue_lease_clear(&lease);
    lease = lease_some(1);
    assert_int_equal(lease.messages[0].receives, 1);
    queue_lease_clear(&lease);
}

static void holds_back_what_was_given_back_with_a_delay(void **state)
{
    (void)state;
    push("1");
    struct queue_lease lease = lease_some(1);
    assert_int_equal(nack(&lease, 0, 10 * SECOND), STORE_OK);
    queue_lease_clear(&lease);
    lease = lease_some(1);
    assert_int_equal(lease.got, 0);
    assert_int_equal(lease.next_due, wall + 10 * SECOND);
    queue_lease_clear(&lease);
    advance(10 * SECOND);
    takes("1");
}

static void buries_with_the_letter_of_the_worker(void **state)
{
    (void)state;
    push("1");
    struct queue_lease lease = lease_some(1);
    struct queue_end end = {.letter = STR("{\"event\":1,\"reason\":\"exit\"}")};
    assert_int_equal(end_with(&lease, 0, QUEUE_BURY, &end), STORE_OK);
    queue_lease_clear(&lease);
    char *text = letters();
    assert_string_equal(text, "{\"event\":1,\"reason\":\"exit\"}\n");
    free(text);
    assert_int_equal(facts().dead, 1);
    struct dead_op remove = {.verb = DEAD_REMOVE, .number = 1};
    remove.op.done = read_ended;
    dead_submit(store, &remove);
    store_flush(store);
    assert_int_equal(facts().dead, 0);
}

/* ---- leases ---- */

static void gives_back_what_was_not_done_in_time(void **state)
{
    (void)state;
    push("1");
    struct queue_lease old = lease_some(1);
    assert_int_equal(old.next_deadline, now + 30 * SECOND);
    advance(29 * SECOND);
    takes("");
    advance(SECOND);
    struct queue_lease young = lease_some(1);
    assert_int_equal(young.got, 1);
    assert_int_equal(young.messages[0].receives, 2);
    assert_int_equal(ack(&old, 0), STORE_LOST);
    assert_int_equal(nack(&old, 0, 0), STORE_LOST);
    assert_int_equal(ack(&young, 0), STORE_OK);
    queue_lease_clear(&old);
    queue_lease_clear(&young);
}

static void extends_a_lease(void **state)
{
    (void)state;
    push("1");
    struct queue_lease lease = lease_some(1);
    advance(20 * SECOND);
    struct queue_extend extend = {.token = lease.token, .visibility = 30 * SECOND};
    SUBMIT(queue_extend(store, &extend), &extend);
    assert_int_equal(extend.own.op.status, STORE_OK);
    advance(29 * SECOND);
    takes("");
    advance(SECOND);
    takes("1");
    SUBMIT(queue_extend(store, &extend), &extend);
    assert_int_equal(extend.own.op.status, STORE_LOST);
    queue_lease_clear(&lease);
}

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

static void gives_back_at_once_what_a_dead_process_held(void **state)
{
    (void)state;
    push("1");
    push("2");
    push("3");
    struct queue_lease dead = {.holder = gone_holder()};
    lease_with(&dead, 2);
    assert_int_equal(dead.got, 2);
    takes("3");
    struct queue_lease look = {.look = true, .holder = cell_self()};
    lease_with(&look, SLOTS);
    assert_string_equal(events_of(&look), "1 2");
    assert_int_equal(look.messages[0].receives, 2);
    assert_int_equal(ack(&dead, 0), STORE_LOST);
    queue_lease_clear(&dead);
    queue_lease_clear(&look);
}

static void names_the_living_holders(void **state)
{
    (void)state;
    push("1");
    struct queue_lease own = {.holder = cell_self()};
    lease_with(&own, 1);
    struct queue_lease look = {.look = true, .holder = cell_self()};
    lease_with(&look, 1);
    assert_int_equal(look.holder_count, 0);
    queue_lease_clear(&look);
    look.holder = 0;
    lease_with(&look, 1);
    assert_int_equal(look.holder_count, 1);
    assert_true(look.holders[0] == cell_self());
    queue_lease_clear(&look);
    queue_lease_clear(&own);
}

static void keeps_everything_over_a_restart(void **state)
{
    (void)state;
    push("1");
    push("2");
    push_to_group("g", "3");
    struct queue_lease lease = lease_some(1);
    close_store();
    open_store();
    takes("2 3");
    assert_int_equal(ack(&lease, 0), STORE_OK);
    queue_lease_clear(&lease);
}

/* ---- groups ---- */

static void hands_out_one_of_a_group_at_a_time(void **state)
{
    (void)state;
    push_to_group("a", "1");
    push_to_group("a", "2");
    push_to_group("b", "10");
    push("5");
    assert_int_equal(facts().blocked, 1);
    struct queue_lease lease = lease_some(SLOTS);
    assert_string_equal(events_of(&lease), "1 10 5");
    takes("");
    assert_int_equal(ack(&lease, 0), STORE_OK);
    takes("2");
    queue_lease_clear(&lease);
}

static void blocks_only_the_group_of_what_fails(void **state)
{
    (void)state;
    push_to_group("a", "1");
    push_to_group("a", "2");
    push_to_group("b", "10");
    push_to_group("b", "11");
    struct queue_lease lease = lease_some(SLOTS);
    assert_int_equal(nack(&lease, 0, 60 * SECOND), STORE_OK);
    assert_int_equal(ack(&lease, 1), STORE_OK);
    queue_lease_clear(&lease);
    takes("11");
    advance(60 * SECOND);
    struct queue_lease again = {.visibility = 3600 * SECOND};
    lease_with(&again, 1);
    assert_string_equal(events_of(&again), "1");
    assert_int_equal(ack(&again, 0), STORE_OK);
    queue_lease_clear(&again);
    lease = lease_some(1);
    assert_string_equal(events_of(&lease), "2");
    queue_lease_clear(&lease);
}

static void holds_a_group_up_by_its_delayed_head(void **state)
{
    (void)state;
    struct queue_push head = {.group = STR("a"), .delay = 10 * SECOND, .priority = 4};
    push_with(&head, "1");
    push_to_group("a", "2");
    takes("");
    advance(10 * SECOND);
    struct queue_lease lease = lease_some(SLOTS);
    assert_string_equal(events_of(&lease), "1");
    ack(&lease, 0);
    queue_lease_clear(&lease);
    takes("2");
}

/* ---- time ---- */

static void holds_back_what_was_pushed_with_a_delay(void **state)
{
    (void)state;
    struct queue_push later = {.delay = 5 * SECOND, .priority = 9};
    push_with(&later, "1");
    push("2");
    assert_int_equal(facts().delayed, 1);
    takes("2");
    advance(5 * SECOND);
    takes("1");
    assert_int_equal(facts().delayed, 0);
}

static void buries_what_expired_before_its_turn(void **state)
{
    (void)state;
    struct queue_push soon = {.expire = 5 * SECOND, .priority = 4};
    push_with(&soon, "{\"n\":1}");
    push("2");
    advance(5 * SECOND);
    takes("2");
    char *text = letters();
    assert_non_null(strstr(text, "{\"event\":{\"n\":1},\"reason\":\"expired\""));
    assert_non_null(strstr(text, "\"queue\":\"work\""));
    free(text);
}

static void buries_what_was_received_too_often(void **state)
{
    (void)state;
    push("1");
    for (unsigned i = 1; i <= 3; i++) {
        struct queue_lease lease = {.max_receives = 3};
        lease_with(&lease, 1);
        assert_int_equal(lease.got, 1);
        assert_int_equal(lease.messages[0].receives, i);
        if (i == 1)
            nack(&lease, 0, 0);
        else
            advance(30 * SECOND);
        queue_lease_clear(&lease);
    }
    struct queue_lease lease = {.max_receives = 3};
    lease_with(&lease, 1);
    assert_int_equal(lease.got, 0);
    assert_int_equal(lease.in_flight + lease.ready, 0);
    queue_lease_clear(&lease);
    char *text = letters();
    assert_non_null(strstr(text, "\"reason\":\"poison\""));
    assert_non_null(strstr(text, "\"receives\":3"));
    assert_non_null(strstr(text, "\"last_failure\":\"no luck\""));
    free(text);
}

static void moves_up_the_group_of_what_it_buries(void **state)
{
    (void)state;
    struct queue_push head = {.group = STR("a"), .expire = SECOND, .priority = 4};
    push_with(&head, "1");
    push_to_group("a", "2");
    advance(SECOND);
    takes("2");
}

/* ---- what is pushed twice, and how much ---- */

static void adds_a_key_once_within_its_window(void **state)
{
    (void)state;
    struct queue_push first = {.dedup = STR("k"), .dedup_window = 60 * SECOND, .priority = 4};
    struct queue_push second = first, third = first;
    push_with(&first, "1");
    advance(59 * SECOND);
    assert_int_equal(push_with(&second, "2"), STORE_OK);
    assert_true(second.is_duplicate);
    assert_int_equal(second.seq, first.seq);
    takes("1");
    advance(SECOND);
    push_with(&third, "3");
    assert_false(third.is_duplicate);
    takes("3");
}

static void applies_a_repeated_push_once(void **state)
{
    (void)state;
    struct queue_push one = {.id = STR("me-1"), .priority = 4}, again = one, other = one;
    other.id = STR("me-2");
    push_with(&one, "1");
    push_with(&again, "1");
    push_with(&other, "1");
    assert_true(again.is_duplicate);
    assert_int_equal(again.seq, one.seq);
    takes("1 1");
}

static void refuses_what_does_not_fit(void **state)
{
    (void)state;
    struct queue_push more = {.max_length = 2, .priority = 4};
    push("1");
    push("2");
    assert_int_equal(push_with(&more, "3"), STORE_FULL);
    struct queue_lease lease = lease_some(1);
    queue_lease_clear(&lease);
    assert_int_equal(push_with(&more, "3"), STORE_OK);
    assert_int_equal(facts().ready, 2);
}

static void drops_the_oldest_for_the_newest(void **state)
{
    (void)state;
    struct queue_push newest = {.max_length = 2, .drop_oldest = true, .priority = 9};
    push("1");
    push_to_group("g", "2");
    push_with(&newest, "3");
    assert_true(newest.dropped);
    push_with(&newest, "4");
    takes("3 4");
    assert_int_equal(facts().dropped, 2);
}

/* ---- looking and removing ---- */

static void add_peeked(void *owner, const struct queue_message *message, struct str event)
{
    buf_addf(owner, "%llu:%.*s ", (unsigned long long)message->seq, (int)event.len, event.data);
}

static void peeks_in_order_without_taking(void **state)
{
    struct buf text = {0};
    (void)state;
    push("1");
    push_to_group("g", "2");
    struct queue_push high = {.priority = 9};
    push_with(&high, "3");
    push("4");
    struct queue_peek peek = {.count = 3, .each = add_peeked, .owner = &text};
    SUBMIT(queue_peek(store, &peek), &peek);
    assert_string_equal(buf_cstr(&text), "3:3 1:1 2:2 ");
    buf_free(&text);
    takes("3 1 2 4");
}

static void add_name(void *owner, struct str name, const struct queue_facts *its)
{
    buf_addf(owner, "%zu/%llu ", name.len, (unsigned long long)its->ready);
}

static void lists_queues_whatever_their_names(void **state)
{
    struct buf text = {0};
    char name[1001];
    (void)state;
    memset(name, 'n', 1000);
    name[1000] = '\0';
    push("1");
    push("2");
    struct queue_push one = {.own.queue = str_of(name), .priority = 4};
    push_with(&one, "1");
    struct queue_show list = {.each = add_name, .owner = &text};
    SUBMIT(queue_list(store, &list), &list);
    assert_string_equal(buf_cstr(&text), "1000/1 4/2 ");
    buf_free(&text);
}

static void clean(void)
{
    struct queue_remove cleaning = {0};
    do
        SUBMIT(queue_remove(store, &cleaning, QUEUE_CLEAN), &cleaning);
    while (cleaning.more);
}

static void empties_a_queue(void **state)
{
    (void)state;
    push("1");
    push("2");
    push_to_group("g", "3");
    struct queue_lease lease = lease_some(1);
    struct queue_remove purge = {0};
    SUBMIT(queue_remove(store, &purge, QUEUE_PURGE), &purge);
    assert_int_equal(purge.removed, 3);
    clean();
    assert_int_equal(ack(&lease, 0), STORE_LOST);
    queue_lease_clear(&lease);
    takes("");
    push("4");
    takes("4");
    assert_int_equal(facts().pushed, 4);
}

static void drops_a_queue_with_its_name(void **state)
{
    (void)state;
    push("1");
    struct queue_remove drop = {0};
    SUBMIT(queue_remove(store, &drop, QUEUE_DROP), &drop);
    clean();
    struct queue_show show = {0};
    SUBMIT(queue_show(store, &show), &show);
    assert_int_equal(show.own.op.status, STORE_ABSENT);
    SUBMIT(queue_remove(store, &drop, QUEUE_DROP), &drop);
    assert_int_equal(drop.own.op.status, STORE_ABSENT);
    push("2");
    takes("2");
}

/* ---- against a model ---- */

enum { MODEL_MESSAGES = 400, MODEL_STEPS = 4000 };

enum model_place { MODEL_READY, MODEL_LEASED, MODEL_DELAYED, MODEL_GONE };

struct model_message {
    enum model_place place;
    unsigned priority, group, receives; /* group 0: none */
    int64_t until;                      /* due, or the end of its lease */
    uint64_t token;
    uint32_t slot;
};

static struct model_message model[MODEL_MESSAGES + 1]; /* by seq */
static unsigned model_count;

static bool model_blocked(unsigned seq)
{
    for (unsigned i = 1; model[seq].group && i < seq; i++) {
        if (model[i].group == model[seq].group && model[i].place != MODEL_GONE)
            return true;
    }
    return false;
}

static unsigned model_next(void)
{
    unsigned best = 0;
    for (unsigned i = 1; i <= model_count; i++) {
        struct model_message *one = &model[i];
        if (one->place == MODEL_READY && !model_blocked(i) &&
            (!best || one->priority > model[best].priority))
            best = i;
    }
    return best;
}

static void model_tick(void)
{
    for (unsigned i = 1; i <= model_count; i++) {
        struct model_message *one = &model[i];
        if ((one->place == MODEL_DELAYED || one->place == MODEL_LEASED) && one->until <= now)
            one->place = MODEL_READY;
    }
}

static void model_push(struct rng *rng)
{
    char group[16], event[16];
    if (model_count == MODEL_MESSAGES)
        return;
    struct model_message *one = &model[++model_count];
    *one = (struct model_message){.priority = (unsigned)rng_below(rng, 3) * 4,
                                  .group = (unsigned)rng_below(rng, 6)};
    struct queue_push each = {.priority = one->priority};
    if (rng_below(rng, 4) == 0) {
        each.delay = (int64_t)(1 + rng_below(rng, 20)) * SECOND;
        one->place = MODEL_DELAYED;
        one->until = now + each.delay;
    }
    snprintf(group, sizeof group, "g%u", one->group);
    if (one->group)
        each.group = str_of(group);
    snprintf(event, sizeof event, "%u", model_count);
    assert_int_equal(push_with(&each, event), STORE_OK);
    assert_int_equal(each.seq, model_count);
}

static void model_lease(struct rng *rng)
{
    struct queue_lease lease = {.visibility = (int64_t)(1 + rng_below(rng, 30)) * SECOND};
    lease_with(&lease, (unsigned)(1 + rng_below(rng, 5)));
    for (unsigned i = 0; i < lease.count; i++) {
        unsigned next = model_next();
        assert_int_equal(i < lease.got ? lease.messages[i].seq : 0, next);
        if (!next)
            break;
        struct model_message *one = &model[next];
        one->place = MODEL_LEASED;
        one->until = now + lease.visibility;
        one->token = lease.token;
        one->slot = lease.messages[i].slot;
        assert_int_equal(lease.messages[i].receives, ++one->receives);
    }
    queue_lease_clear(&lease);
}

static void model_end(struct rng *rng)
{
    unsigned seq = model_count ? (unsigned)(1 + rng_below(rng, model_count)) : 0;
    struct model_message *one = &model[seq];
    struct queue_lease lease = {.token = one->token};
    if (!seq || one->place != MODEL_LEASED)
        return;
    if (rng_below(rng, 3)) {
        assert_int_equal(ack(&lease, one->slot), STORE_OK);
        one->place = MODEL_GONE;
        return;
    }
    int64_t delay = (int64_t)rng_below(rng, 10) * SECOND;
    assert_int_equal(nack(&lease, one->slot, delay), STORE_OK);
    one->place = delay ? MODEL_DELAYED : MODEL_READY;
    one->until = now + delay;
}

static void model_check(void)
{
    uint64_t places[4] = {0}, blocked = 0;
    for (unsigned i = 1; i <= model_count; i++) {
        bool behind = model[i].place != MODEL_GONE && model_blocked(i);
        blocked += behind;
        places[model[i].place] += !behind;
    }
    struct queue_facts own = facts();
    assert_int_equal(own.in_flight, places[MODEL_LEASED]);
    assert_int_equal(own.blocked, blocked);
    assert_int_equal(own.ready + own.delayed, places[MODEL_READY] + places[MODEL_DELAYED]);
}

static void behaves_like_its_model(void **state)
{
    struct rng rng;
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct queue_remove drop = {0};
        SUBMIT(queue_remove(store, &drop, QUEUE_DROP), &drop);
        clean();
        rng_seed(&rng, seed);
        model_count = 0;
        for (int i = 0; i < MODEL_STEPS; i++) {
            uint64_t dice = rng_below(&rng, 10);
            if (dice < 2)
                model_push(&rng);
            else if (dice < 4)
                model_lease(&rng);
            else if (dice < 9)
                model_end(&rng);
            else
                advance((int64_t)rng_below(&rng, 3) * SECOND / 2);
            model_tick();
            if (i % 50 == 0 && model_count) {
                struct queue_lease look = {.count = 0}; /* so that what is over comes back */
                lease_with(&look, 0);
                queue_lease_clear(&look);
                model_check();
            }
        }
    }
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define IN_MEMORY(name)                                         \
    {                                                           \
        "in_memory: " #name, name, setup_memory, teardown, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(hands_out_in_the_order_of_pushing),
        CLAIM(hands_out_a_higher_priority_first),
        CLAIM(stops_a_lease_at_its_bytes),
        CLAIM(keeps_events_byte_for_byte),
        CLAIM(forgets_what_was_acknowledged),
        CLAIM(gives_back_to_the_old_place_and_counts_receives),
        CLAIM(does_not_count_a_receive_that_was_not_begun),
        CLAIM(holds_back_what_was_given_back_with_a_delay),
        CLAIM(buries_with_the_letter_of_the_worker),
        CLAIM(gives_back_what_was_not_done_in_time),
        CLAIM(extends_a_lease),
        CLAIM(gives_back_at_once_what_a_dead_process_held),
        CLAIM(names_the_living_holders),
        CLAIM(keeps_everything_over_a_restart),
        CLAIM(hands_out_one_of_a_group_at_a_time),
        CLAIM(blocks_only_the_group_of_what_fails),
        CLAIM(holds_a_group_up_by_its_delayed_head),
        CLAIM(holds_back_what_was_pushed_with_a_delay),
        CLAIM(buries_what_expired_before_its_turn),
        CLAIM(buries_what_was_received_too_often),
        CLAIM(moves_up_the_group_of_what_it_buries),
        CLAIM(adds_a_key_once_within_its_window),
        CLAIM(applies_a_repeated_push_once),
        CLAIM(refuses_what_does_not_fit),
        CLAIM(drops_the_oldest_for_the_newest),
        CLAIM(peeks_in_order_without_taking),
        CLAIM(lists_queues_whatever_their_names),
        CLAIM(empties_a_queue),
        CLAIM(drops_a_queue_with_its_name),
        CLAIM(behaves_like_its_model),
        IN_MEMORY(hands_out_in_the_order_of_pushing),
        IN_MEMORY(hands_out_a_higher_priority_first),
        IN_MEMORY(stops_a_lease_at_its_bytes),
        IN_MEMORY(keeps_events_byte_for_byte),
        IN_MEMORY(forgets_what_was_acknowledged),
        IN_MEMORY(gives_back_to_the_old_place_and_counts_receives),
        IN_MEMORY(does_not_count_a_receive_that_was_not_begun),
        IN_MEMORY(holds_back_what_was_given_back_with_a_delay),
        IN_MEMORY(buries_with_the_letter_of_the_worker),
        IN_MEMORY(gives_back_what_was_not_done_in_time),
        IN_MEMORY(extends_a_lease),
        IN_MEMORY(gives_back_at_once_what_a_dead_process_held),
        IN_MEMORY(names_the_living_holders),
        IN_MEMORY(hands_out_one_of_a_group_at_a_time),
        IN_MEMORY(blocks_only_the_group_of_what_fails),
        IN_MEMORY(holds_a_group_up_by_its_delayed_head),
        IN_MEMORY(holds_back_what_was_pushed_with_a_delay),
        IN_MEMORY(buries_what_expired_before_its_turn),
        IN_MEMORY(buries_what_was_received_too_often),
        IN_MEMORY(moves_up_the_group_of_what_it_buries),
        IN_MEMORY(adds_a_key_once_within_its_window),
        IN_MEMORY(applies_a_repeated_push_once),
        IN_MEMORY(refuses_what_does_not_fit),
        IN_MEMORY(drops_the_oldest_for_the_newest),
        IN_MEMORY(peeks_in_order_without_taking),
        IN_MEMORY(lists_queues_whatever_their_names),
        IN_MEMORY(empties_a_queue),
        IN_MEMORY(drops_a_queue_with_its_name),
        IN_MEMORY(behaves_like_its_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
