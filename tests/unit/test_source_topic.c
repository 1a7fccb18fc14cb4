/* test_source_topic.c: claims about engine/source_topic.h and engine/subscription.h, on stores that
 * answer at once and on ones that answer later. */
#include "engine/source_topic.h"

#include "source_world.h"
#include "state/dead.h"

#include <stdlib.h>
#include <unistd.h>

static struct source *source;

static enum store_status judge(void *owner, const struct store_op *op, bool *applied)
{
    (void)owner;
    (void)applied;
    const struct topic_op *own = (const struct topic_op *)(const void *)op;
    return op->kind == STORE_TOPIC && own->verb == TOPIC_ACK ? wrong : STORE_OK;
}

static int setup(void **state)
{
    world_make(state, "broadcast", judge);
    return 0;
}

static int teardown(void **state)
{
    return world_remove(state);
}

static void nothing(struct store_op *op)
{
    (void)op;
}

static void publish(const char *event)
{
    struct topic_publish own = {
        .own.op.done = nothing, .own.topic = STR("t"), .event = str_of(event)};
    topic_publish(store, &own);
    turn();
    assert_int_equal(own.own.op.status, STORE_OK);
}

static void keep(int64_t age)
{
    struct topic_keep own = {.own.op.done = nothing, .own.topic = STR("t"), .age = age};
    topic_keep(store, &own);
    turn();
}

static struct subscription open_as(const char *name)
{
    struct subscription sub = {.store = store, .topic = STR("t"), .subscriber = str_of(name)};
    assert_int_equal(subscription_open(&sub, &err), 1);
    return sub;
}

static void begin_at(const struct subscription *sub, bool until_empty)
{
    const struct source_topic_settings settings = {.max_event = 100, .until_empty = until_empty};
    source = source_topic(sub, &settings, &err);
    assert_non_null(source);
    source->ready = is_ready;
    source->fail = has_failed;
}

static void begin(const char *name, bool until_empty)
{
    struct subscription sub = open_as(name);
    begin_at(&sub, until_empty);
}

/* Its next answer that is not "later", if it says in between that it is ready. */
static enum source_status next(struct source_event *event)
{
    for (;;) {
        unsigned before = readies;
        enum source_status status = source->next(source, event, &err);
        turn();
        if (status != SOURCE_LATER || readies == before)
            return status;
    }
}

static uint64_t gives(const char *text)
{
    struct source_event event;
    assert_int_equal(next(&event), SOURCE_EVENT);
    assert_int_equal(event.bytes.len, strlen(text));
    assert_memory_equal(event.bytes.data, text, event.bytes.len);
    slice_drop(&event.bytes);
    return event.token;
}

static void gives_nothing(enum source_status as)
{
    struct source_event event;
    assert_int_equal(next(&event), as);
}

static void tell(uint64_t token, enum source_outcome outcome)
{
    source->outcome(source, token, outcome);
    turn();
}

static void end(void)
{
    source->stop(source);
    turn();
    assert_false(source->busy(source));
    source->free(source);
    source = NULL;
}

static struct reader_facts facts;

static void take_facts(void *owner, const struct reader_facts *own)
{
    (void)owner;
    facts = *own;
}

static struct reader_facts facts_of_the_one(void)
{
    struct topic_list list = {.own.op.done = nothing, .own.topic = STR("t"), .each = take_facts};
    topic_list(store, &list);
    turn();
    return facts;
}

/* ---- claims ---- */

static void hands_out_in_order_and_acknowledges(void **state)
{
    (void)state;
    open_as("a");
    publish("1");
    publish("2");
    publish("3");
    begin("a", false);
    uint64_t one = gives("1"), two = gives("2");
    tell(two, SOURCE_DONE);
    assert_int_equal(facts_of_the_one().position, 0);
    assert_int_equal(facts.lag, 2);
    tell(one, SOURCE_DROPPED);
    assert_int_equal(facts_of_the_one().position, 2);
    tell(gives("3"), SOURCE_DONE);
    gives_nothing(SOURCE_LATER);
    assert_int_equal(facts_of_the_one().lag, 0);
    end();
    assert_int_equal(failed.len, 0);
}

static void ends_when_all_is_handed_out_and_is_busy_until_it_is_kept(void **state)
{
    (void)state;
    open_as("a");
    publish("1");
    begin("a", true);
    uint64_t one = gives("1");
    gives_nothing(SOURCE_END);
    assert_int_not_equal(facts_of_the_one().holder, 0);
    unsigned before = readies;
    source->outcome(source, one, SOURCE_DONE);
    assert_true(source->busy(source));
    turn();
    assert_false(source->busy(source));
    assert_true(readies > before);
    assert_int_equal(facts_of_the_one().position, 1);
    assert_int_equal(facts.holder, 0); /* given back, although this process lives */
    source->free(source);
}

static void ends_at_once_when_nothing_is_there(void **state)
{
    (void)state;
    begin("a", true);
    gives_nothing(SOURCE_END);
    assert_false(source->busy(source));
    source->free(source);
    assert_int_equal(facts_of_the_one().holder, 0);
}

static void is_woken_by_a_publication(void **state)
{
    (void)state;
    begin("a", false);
    gives_nothing(SOURCE_LATER);
    unsigned before = readies;
    publish("1");
    assert_true(readies > before);
    tell(gives("1"), SOURCE_DONE);
    gives_nothing(SOURCE_LATER);
    end();
}

static void hands_out_again_what_was_released(void **state)
{
    (void)state;
    open_as("a");
    publish("1");
    publish("2");
    begin("a", false);
    uint64_t one = gives("1"), two = gives("2");
    source->stop(source);
    tell(one, SOURCE_RELEASED);
    tell(two, SOURCE_DONE);
    end();
    begin("a", true);
    tell(gives("1"), SOURCE_DONE);
    gives_nothing(SOURCE_END);
    end();
    assert_int_equal(facts_of_the_one().done, 2);
}

static void stops_while_a_read_is_on_its_way(void **state)
{
    struct source_event event;
    (void)state;
    open_as("a");
    publish("1");
    begin("a", false);
    assert_int_equal(source->next(source, &event, &err), SOURCE_LATER);
    end();
    assert_int_equal(facts_of_the_one().lag, 1);
    assert_int_equal(facts.holder, 0);
}

static bool count_letter(void *owner, uint64_t number, struct str letter)
{
    (void)number;
    buf_add_str(owner, letter);
    return true;
}

static void buries_a_letter_with_the_end_of_its_event(void **state)
{
    struct buf members = {0}, letters = {0};
    (void)state;
    open_as("a");
    publish("1");
    begin("a", false);
    uint64_t one = gives("1");
    source->describe(source, one, &members);
    assert_string_equal(buf_cstr(&members), ",\"topic\":\"t\",\"subscriber\":\"a\"");
    assert_true(source->bury(source, one, STR("{\"reason\":\"exit\"}")));
    tell(one, SOURCE_DEAD);
    struct dead_op list = {
        .op.done = nothing, .verb = DEAD_LIST, .each = count_letter, .owner = &letters};
    dead_submit(store, &list);
    turn();
    assert_string_equal(buf_cstr(&letters), "{\"reason\":\"exit\"}");
    assert_int_equal(facts_of_the_one().dead, 1);
    assert_int_equal(facts.position, 1);
    end();
    buf_free(&members);
    buf_free(&letters);
}

static void keeps_what_was_interrupted_and_no_failure(void **state)
{
    static const enum failure_reason kept[] = {FAILURE_INTERRUPTED, FAILURE_HALTED, FAILURE_WRITE};
    (void)state;
    open_as("a");
    publish("1");
    begin("a", false);
    uint64_t one = gives("1");
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        struct failure failure = {.reason = kept[i], .class = FAILURE_PERMANENT};
        assert_true(source->keeps(source, one, &failure));
    }
    struct failure failure = {.reason = FAILURE_EXIT, .class = FAILURE_PERMANENT};
    assert_false(source->keeps(source, one, &failure));
    failure = (struct failure){.reason = FAILURE_WRITE, .class = FAILURE_ORDINARY};
    assert_false(source->keeps(source, one, &failure));
    tell(one, SOURCE_RELEASED);
    end();
}

static void gives_events_an_identity_that_all_subscribers_share(void **state)
{
    struct buf ids[3] = {{0}, {0}, {0}};
    (void)state;
    open_as("a");
    open_as("b");
    publish("1");
    publish("1");
    for (int i = 0; i < 2; i++) {
        begin(i ? "b" : "a", false);
        uint64_t one = gives("1"), two = gives("1");
        source->identify(source, one, &ids[i]);
        if (i)
            source->identify(source, two, &ids[2]);
        tell(one, SOURCE_RELEASED);
        tell(two, SOURCE_RELEASED);
        end();
    }
    assert_string_equal(buf_cstr(&ids[0]), buf_cstr(&ids[1]));
    assert_string_not_equal(buf_cstr(&ids[1]), buf_cstr(&ids[2]));
    assert_memory_equal(buf_cstr(&ids[0]), "topic:t/1-", strlen("topic:t/1-"));
    for (int i = 0; i < 3; i++)
        buf_free(&ids[i]);
}

static void hands_out_no_more_than_the_limit_of_an_event(void **state)
{
    char large[200] = "";
    struct source_event event;
    (void)state;
    open_as("a");
    memset(large, '1', 150);
    publish(large);
    begin("a", false);
    assert_int_equal(next(&event), SOURCE_TOO_LARGE);
    assert_int_equal(event.bytes.len, 100);
    assert_int_equal(event.length, 150);
    slice_drop(&event.bytes);
    tell(event.token, SOURCE_DEAD);
    assert_int_equal(facts_of_the_one().position, 1);
    end();
}

static void fails_once_when_the_subscription_is_lost(void **state)
{
    (void)state;
    open_as("a");
    publish("1");
    publish("2");
    begin("a", false);
    uint64_t one = gives("1"), two = gives("2");
    open_as("a"); /* the same process, with a younger token */
    tell(one, SOURCE_DONE);
    assert_string_equal(buf_cstr(&failed),
                        "a@t: another process reads for it now, or it was removed\n");
    tell(two, SOURCE_DONE);
    gives_nothing(SOURCE_LATER);
    end();
    assert_string_equal(buf_cstr(&failed),
                        "a@t: another process reads for it now, or it was removed\n");
    assert_int_equal(facts_of_the_one().lag, 2);
}

static void fails_when_an_acknowledgement_does(void **state)
{
    (void)state;
    open_as("a");
    publish("1");
    begin("a", false);
    uint64_t one = gives("1");
    wrong = STORE_NOT_APPLIED;
    tell(one, SOURCE_DONE);
    assert_memory_equal(buf_cstr(&failed), "acknowledge an event: not applied: ",
                        strlen("acknowledge an event: not applied: "));
    wrong = STORE_OK;
    end();
    assert_int_equal(facts_of_the_one().lag, 1);
}

static void tells_once_what_was_missed(void **state)
{
    (void)state;
    open_as("a");
    keep(10);
    publish("1");
    publish("2");
    wall += 10;
    publish("3");
    begin("a", false);
    uint64_t three = gives("3");
    assert_string_equal(buf_cstr(&said),
                        "broadcast: a@t: 2 events were missed: the topic keeps no more (--keep)\n");
    tell(three, SOURCE_RELEASED);
    wall += 10;
    publish("4");
    uint64_t four = gives("4");
    assert_string_equal(buf_cstr(&said),
                        "broadcast: a@t: 2 events were missed: the topic keeps no more (--keep)\n"
                        "broadcast: a@t: 1 event was missed: the topic keeps no more (--keep)\n");
    tell(four, SOURCE_DONE);
    end();
    size_t len = said.len;
    begin("a", true);
    gives_nothing(SOURCE_END);
    end();
    assert_int_equal(said.len, len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(hands_out_in_order_and_acknowledges),
        BOTH(ends_when_all_is_handed_out_and_is_busy_until_it_is_kept),
        BOTH(ends_at_once_when_nothing_is_there),
        BOTH(is_woken_by_a_publication),
        BOTH(hands_out_again_what_was_released),
        BOTH(stops_while_a_read_is_on_its_way),
        BOTH(buries_a_letter_with_the_end_of_its_event),
        BOTH(keeps_what_was_interrupted_and_no_failure),
        BOTH(gives_events_an_identity_that_all_subscribers_share),
        BOTH(hands_out_no_more_than_the_limit_of_an_event),
        BOTH(fails_once_when_the_subscription_is_lost),
        BOTH(fails_when_an_acknowledgement_does),
        BOTH(tells_once_what_was_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
