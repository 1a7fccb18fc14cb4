/* test_topic.c: claims about state/topic.h, on the embedded store and on the one in memory. */
#include "state/store_engine.h"

#include "topic_store.h"

#include <signal.h>

/* ---- publishing and reading ---- */

static void numbers_publications_and_hands_them_out_in_order(void **state)
{
    (void)state;
    uint64_t token = open_from("a", 0);
    assert_int_equal(publish("1"), 1);
    advance(SECOND);
    assert_int_equal(publish("2"), 2);
    assert_int_equal(publish("3"), 3);
    struct topic_read read = read_some("a", token, 0, ANY);
    assert_string_equal(events_of(&read), "1 2 3");
    assert_int_equal(read.messages[1].seq, 2);
    assert_true(read.messages[1].published_at == wall);
    assert_true(read.messages[0].published_at == wall - SECOND);
    assert_int_equal(read.last, 3);
    assert_int_equal(read.through, 3);
    topic_read_clear(&read);
    reads("a", token, 2, "3");
    reads("a", token, 3, "");
    read = read_some("a", token, 9, ANY);
    assert_int_equal(read.got, 0);
    assert_int_equal(read.through, 9);
}

static void gives_each_subscriber_every_event(void **state)
{
    (void)state;
    uint64_t a = open_from("a", 0);
    publish("1");
    uint64_t b = open_from("b", 0);
    publish("2");
    assert_int_equal(ack("a", a, 1), STORE_OK);
    assert_int_equal(ack("a", a, 2), STORE_OK);
    reads("a", a, 0, "");
    reads("b", b, 0, "1 2");
    assert_int_equal(facts().last - facts().first, 1);
}

static void ends_a_read_at_its_count_and_bytes(void **state)
{
    (void)state;
    uint64_t token = open_from("a", 0);
    for (int i = 0; i < 5; i++)
        publish("1234567");
    struct topic_read read = read_some("a", token, 0, 2);
    assert_int_equal(read.got, 2);
    assert_int_equal(read.through, 2);
    topic_read_clear(&read);
    read.bytes = 9;
    read.count = 5;
    SUBMIT(topic_read(store, &read), &read);
    assert_int_equal(read.got, 2);
    topic_read_clear(&read);
    read.count = 0;
    SUBMIT(topic_read(store, &read), &read);
    assert_int_equal(read.got, 0);
    assert_int_equal(read.through, 0);
    topic_read_clear(&read);
}

static void keeps_events_byte_for_byte(void **state)
{
    struct buf large = {0};
    (void)state;
    buf_addc(&large, '"');
    for (int i = 0; i < 100000; i++)
        buf_addc(&large, (char)('a' + i % 26));
    buf_addc(&large, '"');
    publish(buf_cstr(&large));
    publish("{\"a\": 1.0 }");
    struct topic_read read = read_some("a", open_from("a", 0), 0, ANY);
    assert_true(str_eq(slice_str(read.messages[0].event), buf_str(&large)));
    assert_true(str_eq(slice_str(read.messages[1].event), STR("{\"a\": 1.0 }")));
    assert_int_equal(read.messages[1].event.data[read.messages[1].event.len], '\n');
    topic_read_clear(&read);
    buf_free(&large);
}

static void begins_where_a_new_subscriber_asks(void **state)
{
    (void)state;
    publish_numbers(1, 3);
    reads("start", open_from("start", 0), 0, "1 2 3");
    reads("behind", open_from("behind", 2), 0, "3");
    uint64_t last = open_from("now", UINT64_MAX);
    uint64_t beyond = open_from("beyond", 100);
    publish("4");
    reads("now", last, 0, "4");
    reads("beyond", beyond, 0, "4");
    struct topic_open known = open_as("behind", 0, 0);
    assert_false(known.is_new);
    assert_int_equal(known.position, 2);
    assert_true(open_as("other", 0, 0).is_new);
}

static void makes_a_topic_by_its_first_subscriber(void **state)
{
    (void)state;
    uint64_t token = open_from("a", UINT64_MAX);
    reads("a", token, 0, "");
    publish("1");
    reads("a", token, 0, "1");
}

/* ---- ending ---- */

static void moves_the_position_over_what_is_done(void **state)
{
    (void)state;
    uint64_t token = open_from("a", 0);
    publish_numbers(1, 5);
    assert_int_equal(ack("a", token, 2), STORE_OK);
    assert_int_equal(ack("a", token, 4), STORE_OK);
    assert_int_equal(reader_facts().position, 0);
    assert_int_equal(reader_facts().lag, 3);
    reads("a", token, 0, "1 3 5");
    assert_int_equal(ack("a", token, 1), STORE_OK);
    assert_int_equal(reader_facts().position, 2);
    assert_int_equal(ack("a", token, 3), STORE_OK);
    assert_int_equal(open_as("a", 0, 0).position, 4);
    assert_int_equal(reader_facts().done, 4);
}

static void forgives_an_event_that_ends_twice(void **state)
{
    (void)state;
    uint64_t token = open_from("a", 0);
    publish_numbers(1, 3);
    assert_int_equal(ack("a", token, 2), STORE_OK);
    assert_int_equal(ack("a", token, 2), STORE_OK);
    assert_int_equal(ack("a", token, 1), STORE_OK);
    assert_int_equal(ack("a", token, 1), STORE_OK);
    assert_int_equal(end_with("a", token, 1, TOPIC_BURY, "{}"), STORE_OK);
    assert_int_equal(reader_facts().done, 2);
    assert_int_equal(reader_facts().dead, 0);
    char *text = letters();
    assert_string_equal(text, "");
    free(text);
}

static void knows_no_event_that_was_not_handed_out(void **state)
{
    (void)state;
    uint64_t token = open_from("a", 0);
    publish("1");
    assert_int_equal(ack("a", token, 2), STORE_ABSENT);
    assert_int_equal(ack("a", token, UINT64_MAX), STORE_ABSENT);
    publish("2");
    reads("a", token, 0, "1 2");
}

static void buries_with_the_letter(void **state)
{
    (void)state;
    uint64_t token = open_from("a", 0);
    publish_numbers(1, 2);
    advance(SECOND);
    assert_int_equal(end_with("a", token, 1, TOPIC_BURY, "{\"event\":1,\"reason\":\"exit\"}"),
                     STORE_OK);
    reads("a", token, 0, "2");
    char *text = letters();
    assert_string_equal(text, "{\"event\":1,\"reason\":\"exit\"}\n");
    free(text);
    struct reader_facts own = reader_facts();
    assert_int_equal(own.dead, 1);
    assert_int_equal(own.done, 0);
    assert_true(own.last_at == wall);
}

static void publish_groups(unsigned count)
{
    static struct topic_publish all[STORE_GROUP];
    while (count--) {
        for (unsigned i = 0; i < STORE_GROUP; i++) {
            all[i] = (struct topic_publish){NEWS, .event = STR("1")};
            all[i].own.op.done = listed;
            topic_publish(store, &all[i]);
        }
        store_flush(store);
    }
}

static void reads_no_further_than_may_be_done_ahead(void **state)
{
    (void)state;
    uint64_t token = open_from("a", 0);
    publish_groups(TOPIC_AHEAD / STORE_GROUP + 1);
    struct topic_read read = read_some("a", token, 0, TOPIC_AHEAD);
    assert_int_equal(read.got, TOPIC_READ_MAX);
    topic_read_clear(&read);
    read = read_some("a", token, TOPIC_AHEAD - 1, ANY);
    assert_int_equal(read.got, 1);
    assert_int_equal(read.through, TOPIC_AHEAD);
    topic_read_clear(&read);
    assert_int_equal(ack("a", token, TOPIC_AHEAD + 1), STORE_ABSENT);
    assert_int_equal(ack("a", token, TOPIC_AHEAD), STORE_OK);
    read = read_some("a", token, TOPIC_AHEAD, ANY);
    assert_int_equal(read.got, 0);
    assert_true(read.through < read.last);
    assert_int_equal(ack("a", token, 1), STORE_OK);
    read = read_some("a", token, TOPIC_AHEAD, ANY);
    assert_int_equal(read.got, 1);
    topic_read_clear(&read);
}

/* ---- who reads ---- */

static void fences_off_who_read_before(void **state)
{
    (void)state;
    publish_numbers(1, 2);
    uint64_t old = open_from("a", 0);
    uint64_t young = open_from("a", 0);
    assert_true(young > old);
    struct topic_read read = read_some("a", old, 0, ANY);
    assert_int_equal(read.own.op.status, STORE_LOST);
    assert_int_equal(ack("a", old, 1), STORE_LOST);
    assert_int_equal(end_with("a", old, 1, TOPIC_BURY, "{}"), STORE_LOST);
    assert_int_equal(close_of("a", old), STORE_LOST);
    reads("a", young, 0, "1 2");
    assert_int_equal(ack("a", young, 1), STORE_OK);
}

static void has_nobody_read_after_a_close(void **state)
{
    (void)state;
    publish_numbers(1, 2);
    uint64_t token = open_from("a", 0);
    assert_int_equal(ack("a", token, 1), STORE_OK);
    assert_int_equal(close_of("a", token), STORE_OK);
    assert_int_equal(ack("a", token, 2), STORE_LOST);
    assert_int_equal(close_of("a", token), STORE_LOST);
    assert_int_equal(ack("a", 0, 2), STORE_LOST);
    assert_int_equal(ack("b", token, 2), STORE_LOST);
    reads("a", open_from("a", 0), 0, "2");
}

static void lets_one_living_process_read(void **state)
{
    (void)state;
    struct topic_open first = open_as("a", 0, cell_self());
    assert_int_equal(first.own.op.status, STORE_OK);
    assert_true(reader_facts().holder == cell_self());
    struct topic_open second = open_as("a", 0, 0);
    assert_int_equal(second.own.op.status, STORE_CONFLICT);
    assert_true(second.by == cell_self());
    assert_int_equal(ack("a", first.token, 1), STORE_ABSENT); /* not lost */
    assert_int_equal(open_as("b", 0, 0).own.op.status, STORE_OK);
    assert_int_equal(open_as("a", 0, cell_self()).own.op.status, STORE_OK);
    assert_int_equal(close_of("a", first.token), STORE_LOST);
    struct topic_open third = open_as("a", 0, cell_self());
    assert_int_equal(close_of("a", third.token), STORE_OK);
    assert_int_equal(open_as("a", 0, 0).own.op.status, STORE_OK);
}

/* A process that reads for "a", acknowledges event 2, and does not end. */
static pid_t reading_process(struct topic_open *opened)
{
    int ends[2];
    close_store();
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        open_store();
        struct topic_open open = open_as("a", 0, cell_self());
        bool fails = ack("a", open.token, 2) != STORE_OK ||
                     write(ends[1], &open, sizeof open) != sizeof open;
        while (!fails)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ends[0], opened, sizeof *opened), sizeof *opened);
    close(ends[0]);
    close(ends[1]);
    open_store();
    return child;
}

static void takes_over_from_a_process_that_was_killed(void **state)
{
    struct topic_open theirs;
    (void)state;
    publish_numbers(1, 3);
    pid_t child = reading_process(&theirs);
    struct topic_open own = open_as("a", 0, cell_self());
    assert_int_equal(own.own.op.status, STORE_CONFLICT);
    assert_int_equal(cell_holder_pid(own.by), child);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_true(reader_facts().holder == 0);
    own = open_as("a", 0, cell_self());
    assert_int_equal(own.own.op.status, STORE_OK);
    assert_int_equal(ack("a", theirs.token, 1), STORE_LOST);
    reads("a", own.token, 0, "1 3");
}

/* The tables of the store, which is closed. */
static struct table *open_table(void)
{
    char path[sizeof scratch + 8];
    snprintf(path, sizeof path, "%s/state", scratch);
    return table_open_lmdb(path, false, 0, &err);
}

/* The record of the only subscriber as it would be when the machine had been started anew. */
static void change_boot(void)
{
    enum { BOOT = 16 }; /* where it stands: topic_record.h */
    struct str key, record;
    struct buf own_key = {0}, own = {0};
    close_store();
    struct table *table = open_table();
    struct table_txn *txn = table_begin(table, true, &err);
    assert_int_equal(table_seek(txn, SPACE_READER, STR(""), false, &key, &record), TABLE_FOUND);
    buf_add_str(&own_key, key);
    buf_add_str(&own, record);
    own.data[BOOT] ^= 1;
    assert_int_equal(table_put(txn, SPACE_READER, buf_str(&own_key), buf_str(&own)), 0);
    assert_int_equal(table_commit(txn, &err), 0);
    table_close(table);
    buf_free(&own_key);
    buf_free(&own);
    open_store();
}

static void takes_over_from_a_process_before_a_reboot(void **state)
{
    (void)state;
    open_as("a", 0, cell_self());
    assert_int_equal(open_as("a", 0, 0).own.op.status, STORE_CONFLICT);
    change_boot();
    assert_true(reader_facts().holder == 0);
    assert_int_equal(open_as("a", 0, 0).own.op.status, STORE_OK);
}

static void keeps_everything_over_a_restart(void **state)
{
    (void)state;
    publish_numbers(1, 4);
    uint64_t token = open_from("a", 0);
    ack("a", token, 3);
    ack("a", token, 1);
    close_store();
    open_store();
    assert_int_equal(publish("5"), 5);
    reads("a", token, 0, "2 4 5");
    assert_int_equal(ack("a", token, 2), STORE_OK);
    assert_int_equal(open_as("a", 0, 0).position, 3);
}

/* A process that publishes its numbers, each after `mark`, and tells the pipe of each that is done.
 */
static pid_t publishing_process(char mark, unsigned count, int told)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    char event[32];
    open_store();
    for (unsigned i = 1; i <= count; i++) {
        snprintf(event, sizeof event, "\"%c%u\"", mark, i);
        uint64_t seq = publish(event);
        if (write(told, &seq, sizeof seq) != sizeof seq)
            _exit(1);
    }
    _exit(0);
}

static void keeps_what_a_killed_process_has_published(void **state)
{
    int ends[2];
    uint64_t seq = 0, told = 0;
    (void)state;
    close_store();
    assert_int_equal(pipe(ends), 0);
    pid_t child = publishing_process('a', 1000000, ends[1]);
    close(ends[1]);
    while (seq < 200)
        assert_int_equal(read(ends[0], &seq, sizeof seq), sizeof seq);
    kill(child, SIGKILL);
    while (read(ends[0], &told, sizeof told) == sizeof told)
        seq = told;
    waitpid(child, NULL, 0);
    close(ends[0]);
    open_store();
    assert_in_range(facts().last, seq, seq + 1);
    struct topic_read last = read_some("a", open_from("a", 0), facts().last - 1, ANY);
    assert_int_equal(last.got, 1);
    topic_read_clear(&last);
    assert_int_equal(publish("1"), last.last + 1);
}

/* The next event of each of two processes, as their marks say. */
static void take_in_order(const struct topic_message *message, unsigned next[2])
{
    unsigned which = (unsigned)(message->event.data[1] - 'a');
    assert_in_range(which, 0, 1);
    assert_int_equal(strtoul(message->event.data + 2, NULL, 10), next[which]);
    next[which]++;
}

static void puts_what_several_processes_publish_in_one_order(void **state)
{
    enum { EACH = 300 };
    int ends[2], ended_with;
    unsigned next[2] = {1, 1};
    pid_t children[2];
    (void)state;
    alarm(120); /* a reader that waits in vain */
    close_store();
    assert_int_equal(pipe(ends), 0);
    for (int i = 0; i < 2; i++)
        children[i] = publishing_process((char)('a' + i), EACH, ends[1]);
    open_store();
    uint64_t token = open_from("reader", 0), after = 0;
    while (after < 2 * EACH) {
        struct topic_read read = read_some("reader", token, after, ANY);
        for (unsigned i = 0; i < read.got; i++) {
            assert_int_equal(read.messages[i].seq, after + i + 1);
            take_in_order(&read.messages[i], next);
            assert_int_equal(ack("reader", token, read.messages[i].seq), STORE_OK);
        }
        after = read.through;
        topic_read_clear(&read);
    }
    for (int i = 0; i < 2; i++) {
        waitpid(children[i], &ended_with, 0);
        assert_int_equal(ended_with, 0);
    }
    alarm(0);
    assert_int_equal(reader_facts().position, 2 * EACH);
    close(ends[0]);
    close(ends[1]);
}

static void heard(void *owner)
{
    *(bool *)owner = true;
    loop_stop(loop);
}

static void ran_out(struct loop_timer *timer)
{
    (void)timer;
    loop_stop(loop);
}

static void is_rung(bool *rung)
{
    struct loop_timer patience = {.fire = ran_out};
    clock_invent(NULL, NULL);
    loop_timer_set(loop, &patience, clock_now() + 10 * SECOND);
    while (!*rung && clock_now() < patience.at)
        assert_int_equal(loop_run(loop, &err), 0);
    loop_timer_clear(loop, &patience);
    clock_invent(&now, &wall);
    assert_true(*rung);
    *rung = false;
}

static void rings_for_those_who_wait(void **state)
{
    bool rung = false;
    struct store_ear ear = {"topic", STR("news"), .heard = heard, .owner = &rung};
    (void)state;
    uint64_t token = open_from("a", 0);
    assert_int_equal(store_listen(store, &ear, &err), 0);
    publish("1");
    is_rung(&rung);
    token = open_from("a", 0); /* who had the old token has to learn of it */
    is_rung(&rung);
    close_of("a", token);
    is_rung(&rung);
    leave("a");
    is_rung(&rung);
    store_deafen(store, &ear);
}

/* ---- retention ---- */

static void keeps_a_week_unless_told(void **state)
{
    (void)state;
    uint64_t token = open_from("a", 0);
    publish("1");
    assert_true(facts().age == TOPIC_AGE);
    advance(TOPIC_AGE - 1);
    reads("a", token, 0, "1");
    advance(1);
    reads("a", token, 0, "");
    keep(0, 0);
    assert_int_equal(facts().age, 0);
    reads("a", token, 0, "");
}

/* It was handed out in time, and has failed; nobody else has the event any more. */
static void keeps_the_letter_of_what_is_past_its_age(void **state)
{
    (void)state;
    uint64_t token = open_from("a", 0);
    publish_numbers(1, 2);
    reads("a", token, 0, "1 2");
    advance(TOPIC_AGE);
    assert_int_equal(ack("a", token, 1), STORE_OK);
    assert_int_equal(end_with("a", token, 2, TOPIC_BURY, "{\"event\":2}"), STORE_OK);
    char *text = letters();
    assert_string_equal(text, "{\"event\":2}\n");
    free(text);
    assert_int_equal(reader_facts().dead, 1);
}

static void hands_out_nothing_past_its_age(void **state)
{
    (void)state;
    uint64_t token = open_from("a", 0);
    keep(10 * SECOND, 0);
    publish_numbers(1, 2);
    advance(5 * SECOND);
    publish_numbers(3, 4);
    assert_int_equal(ack("a", token, 2), STORE_OK);
    advance(5 * SECOND);
    struct topic_read read = read_some("a", token, 0, ANY);
    assert_string_equal(events_of(&read), "3 4");
    assert_int_equal(read.missed, 1);
    topic_read_clear(&read);
    assert_int_equal(facts().first, 3);
    assert_int_equal(reader_facts().lag, 2);
    assert_int_equal(reader_facts().missed, 1);
    assert_int_equal(ack("a", token, 1), STORE_OK); /* it had been handed out before */
    advance(5 * SECOND);
    assert_int_equal(facts().first, 5);
    assert_int_equal(facts().oldest, 0);
    struct topic_open again = open_as("a", 0, 0);
    assert_int_equal(again.position, 4);
    assert_int_equal(again.missed, 3);
    assert_int_equal(again.before, 1);
    assert_int_equal(open_as("a", 0, 0).before, 3);
    assert_int_equal(reader_facts().done, 1);
}

static void keeps_so_many_bytes(void **state)
{
    (void)state;
    uint64_t token = open_from("a", 0);
    keep(0, 30);
    for (int i = 0; i < 10; i++)
        publish("123456789"); /* 10 as it is stored */
    assert_int_equal(facts().bytes, 30);
    assert_int_equal(facts().first, 8);
    struct topic_read read = read_some("a", token, 0, ANY);
    assert_int_equal(read.got, 3);
    assert_int_equal(read.missed, 7);
    topic_read_clear(&read);
    publish("\"an event that is longer than all that may be kept\"");
    assert_int_equal(facts().first, 11);
    assert_int_equal(facts().last, 11);
}

static void removes_a_few_with_each_publication_and_all_when_asked(void **state)
{
    struct topic_remove asked;
    (void)state;
    publish_numbers(1, 100);
    keep(SECOND, 0);
    advance(SECOND);
    publish("101");
    assert_int_equal(facts().first, 101);
    assert_int_equal(facts().bytes, 83 * 3 + 2 * 4);
    assert_int_equal(remove_from("news", NULL, TOPIC_CLEAN, &asked), STORE_OK);
    assert_int_equal(asked.removed, 100 - TOPIC_SWEEP);
    assert_false(asked.more);
    assert_int_equal(facts().bytes, 4);
}

static void applies_a_retention_to_what_is_published_with_it(void **state)
{
    struct topic_publish first = {NEWS, .event = STR("10")}, second = {NEWS, .event = STR("11")};
    struct topic_keep shorter = {NEWS, .age = SECOND};
    (void)state;
    publish_numbers(1, 9);
    advance(SECOND);
    first.own.op.done = shorter.own.op.done = second.own.op.done = listed;
    topic_publish(store, &first);
    topic_keep(store, &shorter);
    topic_publish(store, &second);
    store_flush(store);
    assert_int_equal(facts().bytes, 2 * 3);
}

static void misses_nothing_that_went_before_it_began(void **state)
{
    (void)state;
    keep(SECOND, 0);
    publish_numbers(1, 5);
    advance(SECOND);
    publish("6");
    struct topic_open open = open_as("a", 0, 0);
    assert_int_equal(open.position, 5);
    assert_int_equal(open.missed, 0);
    reads("a", open.token, 0, "6");
}

static void never_lets_the_time_of_publication_decrease(void **state)
{
    (void)state;
    uint64_t token = open_from("a", 0);
    keep(10 * SECOND, 0);
    publish("1");
    int64_t first = wall;
    wall -= 5 * SECOND;
    publish("2");
    struct topic_read read = read_some("a", token, 0, ANY);
    assert_true(read.messages[1].published_at == first);
    topic_read_clear(&read);
    wall = first + 10 * SECOND - 1;
    reads("a", token, 0, "1 2");
    wall++;
    reads("a", token, 0, "");
}

/* ---- looking and removing ---- */

static void tells_how_far_subscribers_are(void **state)
{
    (void)state;
    uint64_t token = open_from("a", 0);
    publish("1");
    publish("2");
    advance(SECOND);
    publish("3");
    ack("a", token, 1);
    ack("a", token, 2);
    struct reader_facts own = reader_facts();
    assert_int_equal(own.position, 2);
    assert_int_equal(own.lag, 1);
    assert_true(own.oldest_undone == wall);
    struct topic_facts topic = facts();
    assert_int_equal(topic.first, 1);
    assert_int_equal(topic.last, 3);
    assert_true(topic.oldest == wall - SECOND);
    assert_int_equal(topic.subscribers, 1);
    assert_true(topic.rate > 0.04 && topic.rate < 0.06);
    ack("a", token, 3);
    assert_int_equal(reader_facts().oldest_undone, 0);
    assert_int_equal(reader_facts().lag, 0);
}

static void lists_topics_and_subscribers_whatever_their_names(void **state)
{
    struct seen seen;
    char name[1001];
    (void)state;
    memset(name, 'n', 1000);
    name[1000] = '\0';
    publish("1");
    publish_to(name, "1");
    publish_to("a/../b", "1");
    open_from("b", 0);
    open_from(name, 0);
    open_from("\xc3\xa9", 0);
    assert_int_equal(look((struct str){NULL, 0}, &seen), STORE_OK);
    assert_string_equal(buf_cstr(&seen.names), "n:1 a/../b:1 news:1 ");
    buf_free(&seen.names);
    assert_int_equal(look(STR("news"), &seen), STORE_OK);
    assert_string_equal(buf_cstr(&seen.names), "news:1 b \xc3\xa9 n ");
    buf_free(&seen.names);
    assert_int_equal(look(STR("olds"), &seen), STORE_ABSENT);
    assert_int_equal(leave(name), STORE_OK);
    assert_int_equal(look(STR("news"), &seen), STORE_OK);
    assert_string_equal(buf_cstr(&seen.names), "news:1 b \xc3\xa9 ");
    buf_free(&seen.names);
}

static void forgets_a_subscriber_that_leaves(void **state)
{
    (void)state;
    uint64_t token = open_from("a", 0);
    publish_numbers(1, 2);
    ack("a", token, 1);
    assert_int_equal(leave("a"), STORE_OK);
    assert_int_equal(leave("a"), STORE_ABSENT);
    assert_int_equal(facts().subscribers, 0);
    assert_int_equal(ack("a", token, 2), STORE_LOST);
    struct topic_open again = open_as("a", 0, 0);
    assert_true(again.is_new);
    assert_true(again.token > token);
    assert_int_equal(ack("a", token, 2), STORE_LOST);
    reads("a", again.token, 0, "1 2");
}

static void drops_a_topic_with_its_name(void **state)
{
    struct topic_remove asked;
    struct seen seen;
    (void)state;
    uint64_t token = open_from("a", 0);
    publish_numbers(1, 3);
    assert_int_equal(remove_from("news", NULL, TOPIC_DROP, &asked), STORE_OK);
    assert_int_equal(asked.removed, 3);
    assert_int_equal(look(STR("news"), &seen), STORE_ABSENT);
    assert_int_equal(remove_from("news", NULL, TOPIC_DROP, &asked), STORE_ABSENT);
    assert_int_equal(leave("a"), STORE_ABSENT);
    struct topic_read read = read_some("a", token, 0, ANY);
    assert_int_equal(read.own.op.status, STORE_LOST);
    clean(NULL);
    assert_int_equal(publish("10"), 1);
    assert_int_equal(ack("a", token, 1), STORE_LOST);
    reads("a", open_from("a", 0), 0, "10");
    assert_int_equal(ack("a", token, 1), STORE_LOST);
}

static void makes_room_free_in_steps(void **state)
{
    struct topic_remove asked;
    (void)state;
    publish_groups(3);
    open_from("a", 0);
    keep(SECOND, 0);
    advance(SECOND);
    assert_int_equal(clean("news"), 2); /* 10,000 of 12,288; the rest */
    publish_groups(3);
    remove_from("news", NULL, TOPIC_DROP, &asked);
    publish("2");
    assert_int_equal(clean(NULL), 3); /* the same; there is no more */
    reads("a", open_from("a", 0), 0, "2");
}

/* How many records there are in the space. */
static unsigned records_of(enum table_space space)
{
    struct str key = STR(""), record;
    struct buf last = {0};
    unsigned count = 0;
    close_store();
    struct table *table = open_table();
    struct table_txn *txn = table_begin(table, false, &err);
    while (table_seek(txn, space, buf_str(&last), count > 0, &key, &record) == TABLE_FOUND) {
        buf_clear(&last);
        buf_add_str(&last, key);
        count++;
    }
    table_abort(txn);
    table_close(table);
    buf_free(&last);
    open_store();
    return count;
}

static void leaves_nothing_of_what_is_removed(void **state)
{
    struct topic_remove asked;
    (void)state;
    publish("1");
    open_from("a", 0);
    leave("a");
    assert_int_equal(records_of(SPACE_READER), 0);
    open_from("b", 0);
    unsigned with = records_of(SPACE_META);
    remove_from("news", NULL, TOPIC_DROP, &asked);
    clean(NULL);
    assert_int_equal(records_of(SPACE_TOPIC), 0);
    assert_int_equal(records_of(SPACE_READER), 0);
    assert_int_equal(records_of(SPACE_META), with - 2); /* its name, its numbers */
}

/* ---- several in one commit ---- */

static void applies_a_group_in_the_order_of_submission(void **state)
{
    struct topic_publish first = {NEWS, .event = STR("1")}, second = {NEWS, .event = STR("2")};
    struct topic_open open = {NEWS, .subscriber = STR("a"), .from = UINT64_MAX};
    struct topic_remove drop = {NEWS};
    struct store_op *const ops[] = {&first.own.op, &open.own.op, &second.own.op, &drop.own.op};
    (void)state;
    publish_to("other", "1");
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        ops[i]->done = listed;
    topic_publish(store, &first);
    topic_open(store, &open);
    topic_publish(store, &second);
    store_flush(store);
    assert_int_equal(open.position, 1);
    reads("a", open.token, 0, "2");
    topic_publish(store, &first);
    topic_remove(store, &drop, TOPIC_DROP);
    topic_publish(store, &second);
    store_flush(store);
    assert_int_equal(first.seq, 3);
    assert_int_equal(second.seq, 1);
    assert_int_equal(facts().last, 1);
}

/* ---- commits that fail ---- */

static struct table_ops failing_ops;
static int (*real_put)(struct table_txn *txn, enum table_space space, struct str key,
                       struct str value);
static unsigned puts_left; /* before one fails; 0: none does */
static bool fails_full;

static int failing_put(struct table_txn *txn, enum table_space space, struct str key,
                       struct str value)
{
    if (puts_left && --puts_left == 0) {
        table_fail(txn, ERR_SYSTEM, "as the test wants it");
        txn->full = fails_full;
        return -1;
    }
    return real_put(txn, space, key, value);
}

static bool grow(struct table *table, struct err *cause)
{
    (void)table;
    (void)cause;
    return true;
}

static int setup_failing(void **state)
{
    int status = setup_memory(state);
    struct table *table = table_open_memory();
    failing_ops = *table->ops;
    real_put = failing_ops.put;
    failing_ops.put = failing_put;
    failing_ops.grow = grow;
    table->ops = &failing_ops;
    store_free(store);
    store = store_embedded_new(table, NULL, loop, false);
    return status;
}

static void remember(struct store_op *op)
{
    *(enum store_status *)op->owner = op->status;
}

/* A group that does everything; its statuses. */
struct everything {
    struct topic_publish publish;
    struct topic_end ack, bury;
    struct topic_open open;
    struct topic_keep keep;
    struct topic_remove leave;
    enum store_status status[6];
};

static void do_everything(struct everything *all, uint64_t token)
{
    *all = (struct everything){.publish = {NEWS, .event = STR("4")},
                               .ack = {NEWS, .subscriber = STR("a"), .token = token, .seq = 2},
                               .bury = {NEWS, .subscriber = STR("a"), .token = token, .seq = 1},
                               .open = {NEWS, .subscriber = STR("b")},
                               .keep = {NEWS, .age = 5 * SECOND, .bytes = 7},
                               .leave = {NEWS, .subscriber = STR("c")}};
    struct store_op *const ops[] = {&all->publish.own.op, &all->ack.own.op,  &all->bury.own.op,
                                    &all->open.own.op,    &all->keep.own.op, &all->leave.own.op};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        ops[i]->done = remember;
        ops[i]->owner = &all->status[i];
    }
    all->bury.letter = STR("{\"letter\":1}");
    topic_publish(store, &all->publish);
    topic_end(store, &all->ack, TOPIC_ACK);
    topic_end(store, &all->bury, TOPIC_BURY);
    topic_open(store, &all->open);
    topic_keep(store, &all->keep);
    topic_remove(store, &all->leave, TOPIC_LEAVE);
    store_flush(store);
}

static void all_is(const struct everything *all, enum store_status expected)
{
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(all->status[i], expected);
}

static void changes_nothing_by_a_commit_that_fails(void **state)
{
    struct everything all;
    (void)state;
    uint64_t token = open_from("a", 0);
    open_from("c", 0);
    publish_numbers(1, 3);
    for (unsigned at = 1;; at++) {
        puts_left = at;
        do_everything(&all, token);
        if (puts_left)
            break; /* more than there are */
        all_is(&all, STORE_NOT_APPLIED);
        reads("a", token, 0, "1 2 3");
        assert_int_equal(facts().subscribers, 2);
        assert_int_equal(facts().most, 0);
        char *text = letters();
        assert_string_equal(text, "");
        free(text);
    }
    puts_left = 0;
    all_is(&all, STORE_OK);
    assert_int_equal(all.publish.seq, 4);
    reads("a", token, 0, "3 4");
    assert_int_equal(facts().subscribers, 2);
    assert_int_equal(facts().most, 7);
}

static void applies_once_what_is_done_again_in_a_larger_map(void **state)
{
    struct everything all;
    unsigned at = 0;
    (void)state;
    fails_full = true;
    do {
        struct topic_remove asked;
        puts_left = 0;
        remove_from("news", NULL, TOPIC_DROP, &asked);
        uint64_t token = open_from("a", 0);
        open_from("c", 0);
        publish_numbers(1, 3);
        puts_left = ++at;
        do_everything(&all, token);
        all_is(&all, STORE_OK);
        assert_int_equal(all.publish.seq, 4);
        reads("a", token, 0, "3 4");
        assert_int_equal(facts().subscribers, 2);
        assert_true(all.open.is_new);
    } while (!puts_left);
    fails_full = false;
    puts_left = 0;
}

static int setup_small(void **state)
{
    map = 256 << 10;
    return setup(state);
}

static void grows_with_its_events(void **state)
{
    struct buf event = {0};
    (void)state;
    buf_addc(&event, '"');
    for (int i = 0; i < 3000; i++)
        buf_addc(&event, (char)('a' + i % 26));
    buf_addc(&event, '"');
    uint64_t token = open_from("a", 0);
    for (unsigned i = 1; i <= 1000; i++) {
        assert_int_equal(publish(buf_cstr(&event)), i);
        assert_int_equal(ack("a", token, i), STORE_OK);
    }
    assert_int_equal(reader_facts().position, 1000);
    struct topic_read read = read_some("b", open_from("b", 0), 0, ANY);
    assert_int_equal(read.got, 350); /* of 3003 bytes: those that fill a MB */
    topic_read_clear(&read);
    buf_free(&event);
}

#define BOTH(X)                                                                                    \
    X(numbers_publications_and_hands_them_out_in_order), X(gives_each_subscriber_every_event),     \
        X(ends_a_read_at_its_count_and_bytes), X(keeps_events_byte_for_byte),                      \
        X(begins_where_a_new_subscriber_asks), X(makes_a_topic_by_its_first_subscriber),           \
        X(moves_the_position_over_what_is_done), X(forgives_an_event_that_ends_twice),             \
        X(knows_no_event_that_was_not_handed_out), X(buries_with_the_letter),                      \
        X(reads_no_further_than_may_be_done_ahead), X(fences_off_who_read_before),                 \
        X(has_nobody_read_after_a_close), X(lets_one_living_process_read),                         \
        X(rings_for_those_who_wait), X(keeps_a_week_unless_told),                                  \
        X(keeps_the_letter_of_what_is_past_its_age), X(hands_out_nothing_past_its_age),            \
        X(keeps_so_many_bytes), X(removes_a_few_with_each_publication_and_all_when_asked),         \
        X(applies_a_retention_to_what_is_published_with_it),                                       \
        X(misses_nothing_that_went_before_it_began),                                               \
        X(never_lets_the_time_of_publication_decrease), X(tells_how_far_subscribers_are),          \
        X(lists_topics_and_subscribers_whatever_their_names), X(forgets_a_subscriber_that_leaves), \
        X(drops_a_topic_with_its_name), X(makes_room_free_in_steps),                               \
        X(applies_a_group_in_the_order_of_submission)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(CLAIM),
        CLAIM(takes_over_from_a_process_that_was_killed),
        CLAIM(takes_over_from_a_process_before_a_reboot),
        CLAIM(keeps_everything_over_a_restart),
        CLAIM(leaves_nothing_of_what_is_removed),
        CLAIM(keeps_what_a_killed_process_has_published),
        CLAIM(puts_what_several_processes_publish_in_one_order),
        cmocka_unit_test_setup_teardown(grows_with_its_events, setup_small, teardown),
        BOTH(IN_MEMORY),
        cmocka_unit_test_setup_teardown(changes_nothing_by_a_commit_that_fails, setup_failing,
                                        teardown),
        cmocka_unit_test_setup_teardown(applies_once_what_is_done_again_in_a_larger_map,
                                        setup_failing, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
