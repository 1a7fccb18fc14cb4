/*
 * topic_store.h: operations on topics in the store of store_world.h, ended before they return. The
 * topic is "news" where none is named.
 */
#ifndef FIT_TESTS_TOPIC_STORE_H
#define FIT_TESTS_TOPIC_STORE_H

#include "state/topic.h"

#include "state/dead.h"
#include "store_world.h"

#include <stdio.h>
#include <sys/wait.h>

enum { ANY = 1000 };

/* ---- operations, ended before they return ---- */

static inline void ended(struct store_op *op)
{
    if (op->status == STORE_NOT_APPLIED)
        fail_msg("%s", op->err->text);
    *(bool *)op->owner = true;
}

#define SUBMIT(call, what)               \
    do {                                 \
        bool is_done = false;            \
        (what)->own.op.done = ended;     \
        (what)->own.op.owner = &is_done; \
        call;                            \
        store_flush(store);              \
        assert_true(is_done);            \
    } while (0)

#define NEWS .own.topic = STR("news")

static inline uint64_t publish_to(const char *topic, const char *event)
{
    struct topic_publish publish = {.own.topic = str_of(topic), .event = str_of(event)};
    SUBMIT(topic_publish(store, &publish), &publish);
    assert_int_equal(publish.own.op.status, STORE_OK);
    return publish.seq;
}

static inline uint64_t publish(const char *event)
{
    return publish_to("news", event);
}

static inline void publish_numbers(unsigned first, unsigned last)
{
    char event[16];
    for (unsigned i = first; i <= last; i++) {
        snprintf(event, sizeof event, "%u", i);
        publish(event);
    }
}

static inline void keep(int64_t age, uint64_t bytes)
{
    struct topic_keep keep = {NEWS, .age = age, .bytes = bytes};
    SUBMIT(topic_keep(store, &keep), &keep);
    assert_int_equal(keep.own.op.status, STORE_OK);
}

static inline struct topic_open open_as(const char *name, uint64_t from, cell_holder holder)
{
    struct topic_open open = {NEWS, .subscriber = str_of(name), .from = from, .holder = holder};
    SUBMIT(topic_open(store, &open), &open);
    return open;
}

/* Its token; it begins behind event `from`. */
static inline uint64_t open_from(const char *name, uint64_t from)
{
    struct topic_open open = open_as(name, from, 0);
    assert_int_equal(open.own.op.status, STORE_OK);
    return open.token;
}

static inline enum store_status close_of(const char *name, uint64_t token)
{
    struct topic_close close = {NEWS, .subscriber = str_of(name), .token = token};
    SUBMIT(topic_close(store, &close), &close);
    return close.own.op.status;
}

static inline struct topic_read read_some(const char *name, uint64_t token, uint64_t after,
                                          unsigned count)
{
    struct topic_read read = {NEWS, .subscriber = str_of(name), .token = token, .after = after};
    read.count = count;
    read.bytes = 1 << 20;
    SUBMIT(topic_read(store, &read), &read);
    return read;
}

/* The events of a read, joined. */
static inline const char *events_of(const struct topic_read *read)
{
    static char text[4096];
    size_t len = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < read->got; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s", i ? " " : "",
                                (int)read->messages[i].event.len, read->messages[i].event.data);
    return text;
}

static inline void reads(const char *name, uint64_t token, uint64_t after, const char *expected)
{
    struct topic_read read = read_some(name, token, after, ANY);
    assert_int_equal(read.own.op.status, STORE_OK);
    assert_string_equal(events_of(&read), expected);
    topic_read_clear(&read);
}

static inline enum store_status end_with(const char *name, uint64_t token, uint64_t seq,
                                         enum topic_verb verb, const char *letter)
{
    struct topic_end end = {NEWS, .subscriber = str_of(name), .token = token, .seq = seq};
    end.letter = str_of(letter);
    SUBMIT(topic_end(store, &end, verb), &end);
    return end.own.op.status;
}

static inline enum store_status ack(const char *name, uint64_t token, uint64_t seq)
{
    return end_with(name, token, seq, TOPIC_ACK, NULL);
}

static inline enum store_status remove_from(const char *topic, const char *name,
                                            enum topic_verb verb, struct topic_remove *asked)
{
    *asked = (struct topic_remove){.own.topic = str_of(topic), .subscriber = str_of(name)};
    SUBMIT(topic_remove(store, asked, verb), asked);
    return asked->own.op.status;
}

static inline enum store_status leave(const char *name)
{
    struct topic_remove asked;
    return remove_from("news", name, TOPIC_LEAVE, &asked);
}

/* All that CLEAN has to do; how many steps. */
static inline unsigned clean(const char *topic)
{
    struct topic_remove asked;
    unsigned steps = 0;
    do {
        remove_from(topic, NULL, TOPIC_CLEAN, &asked);
        steps++;
    } while (asked.more);
    return steps;
}

/* ---- looking ---- */

struct seen {
    struct topic_facts topic;
    struct reader_facts reader; /* the last one */
    struct buf names;
};

static inline void see_topic(void *owner, struct str topic, const struct topic_facts *facts)
{
    struct seen *seen = owner;
    seen->topic = *facts;
    buf_addf(&seen->names, "%.*s:%llu ", topic.len > 20 ? 1 : (int)topic.len, topic.data,
             (unsigned long long)facts->last);
}

static inline void see_reader(void *owner, const struct reader_facts *facts)
{
    struct seen *seen = owner;
    seen->reader = *facts;
    buf_addf(&seen->names, "%.*s ", facts->subscriber.len > 20 ? 1 : (int)facts->subscriber.len,
             facts->subscriber.data);
}

static inline enum store_status look(struct str topic, struct seen *seen)
{
    struct topic_list list = {.own.topic = topic, .each_topic = see_topic, .each = see_reader};
    *seen = (struct seen){0};
    list.owner = seen;
    SUBMIT(topic_list(store, &list), &list);
    return list.own.op.status;
}

static inline struct topic_facts facts(void)
{
    struct seen seen;
    assert_int_equal(look(STR("news"), &seen), STORE_OK);
    buf_free(&seen.names);
    return seen.topic;
}

/* Of the topic's only subscriber. */
static inline struct reader_facts reader_facts(void)
{
    struct seen seen;
    assert_int_equal(look(STR("news"), &seen), STORE_OK);
    buf_free(&seen.names);
    return seen.reader;
}

static inline bool keep_letter(void *owner, uint64_t number, struct str letter)
{
    (void)number;
    buf_add_str(owner, letter);
    buf_addc(owner, '\n');
    return true;
}

static inline void listed(struct store_op *op)
{
    assert_int_equal(op->status, STORE_OK);
}

static char *letters(void)
{
    struct buf text = {0};
    struct dead_op list = {.verb = DEAD_LIST, .each = keep_letter, .owner = &text};
    list.op.done = listed;
    dead_submit(store, &list);
    return buf_take(&text);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define IN_MEMORY(name)                                         \
    {                                                           \
        "in_memory: " #name, name, setup_memory, teardown, NULL \
    }

#endif
