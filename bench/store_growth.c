/*
 * store_growth.c: what operations on a store cost as it fills: store_growth DIR MOST
 *
 * In fresh state directories under DIR: GROUP pushes and GROUP leased and acknowledged messages in
 * one queue that holds 1, 10, ... MOST others, and GROUP pushes spread over 1, 10, ... queues; the
 * same of values by key; GROUP publications, and GROUP events read and acknowledged, in a topic
 * that keeps 1, 10, ... MOST others, and publications to one with 1, 10, ... subscribers. One
 * commit each time, as a busy fitting makes them. A line each: what, how many there were,
 * nanoseconds for one operation (the least of ROUNDS).
 */
#include "base/clock.h"
#include "base/mem.h"
#include "state/kv.h"
#include "state/queue.h"
#include "state/topic.h"

#include <stdio.h>
#include <stdlib.h>

enum { GROUP = 1000, ROUNDS = 7, MOST_NAMES = 10000, NAME = 32 };

static const char event[] =
    "{\"id\":1234567,\"type\":\"order\",\"user\":{\"name\":\"somebody\"},\"amount\":"
    "1234,\"city\":\"Oslo\",\"note\":\"as long as events usually are, which is "
    "about two hundred bytes, more or less, with all that is in them\"}";

static struct home *home;
static struct loop *loop;
static struct store *store;

static void die(const char *what)
{
    fprintf(stderr, "store_growth: %s\n", what);
    exit(1);
}

static void done(struct store_op *op)
{
    if (op->status != STORE_OK)
        die(op->err ? op->err->text : store_status_name(op->status));
}

static void open_store(const char *dir, unsigned number)
{
    struct err err;
    struct buf path = {0};
    buf_addf(&path, "%s/%u", dir, number);
    home = home_open(buf_cstr(&path), &err);
    loop = home ? loop_new(&err) : NULL;
    store = loop ? store_open(home, loop, &(struct store_settings){0}, &err) : NULL;
    if (!store)
        die(err.text);
    buf_free(&path);
}

static void close_store(void)
{
    store_free(store);
    loop_free(loop);
    home_free(home);
}

/* The names of the queues or keys that stand for a number. */
static struct str name_of(char name[NAME], uint64_t number)
{
    int len = snprintf(name, NAME, "name-%llu", (unsigned long long)number);
    return (struct str){name, (size_t)len};
}

/* Push so many messages, spread over the first `names` queues. */
static void push(uint64_t count, uint64_t names)
{
    static struct queue_push ops[GROUP];
    static char texts[GROUP][NAME];
    for (uint64_t at = 0; at < count;) {
        size_t group = count - at < GROUP ? (size_t)(count - at) : GROUP;
        for (size_t i = 0; i < group; i++, at++) {
            ops[i] = (struct queue_push){.event = str_of(event), .priority = QUEUE_PRIORITY};
            ops[i].own.queue = name_of(texts[i], at * 7919 % names);
            ops[i].own.op.done = done;
            queue_push(store, &ops[i]);
        }
        store_flush(store);
    }
}

static void work(size_t count)
{
    static struct queue_end ends[GROUP];
    char name[NAME];
    struct queue_lease lease = {.count = (unsigned)count, .bytes = 1 << 24, .holder = cell_self()};
    lease.visibility = INT64_C(30000000000);
    lease.own.queue = name_of(name, 0);
    lease.own.op.done = done;
    queue_lease(store, &lease);
    store_flush(store);
    if (lease.got != count)
        die("a lease with too few messages");
    for (unsigned i = 0; i < lease.got; i++) {
        ends[i] = (struct queue_end){.token = lease.token, .slot = lease.messages[i].slot};
        ends[i].own.queue = lease.own.queue;
        ends[i].own.op.done = done;
        queue_end(store, &ends[i], QUEUE_ACK);
    }
    store_flush(store);
    queue_lease_clear(&lease);
}

static void put(uint64_t count, uint64_t names)
{
    static struct kv_op ops[GROUP];
    static char texts[GROUP][NAME];
    for (uint64_t at = 0; at < count;) {
        size_t group = count - at < GROUP ? (size_t)(count - at) : GROUP;
        for (size_t i = 0; i < group; i++, at++) {
            ops[i] = (struct kv_op){.verb = KV_PUT, .value = str_of(event), .op = {.done = done}};
            ops[i].key = name_of(texts[i], at * 7919 % names);
            kv_submit(store, &ops[i]);
        }
        store_flush(store);
        for (size_t i = 0; i < group; i++)
            kv_op_free(&ops[i]);
    }
}

static void get(uint64_t count, uint64_t names)
{
    for (uint64_t at = 0; at < count; at++) {
        char name[NAME];
        struct kv_op op = {.verb = KV_GET, .op = {.done = done}};
        op.key = name_of(name, at * 7919 % names);
        kv_submit(store, &op);
        kv_op_free(&op);
    }
}

static void publish(uint64_t count)
{
    static struct topic_publish ops[GROUP];
    for (uint64_t at = 0; at < count;) {
        size_t group = count - at < GROUP ? (size_t)(count - at) : GROUP;
        for (size_t i = 0; i < group; i++, at++) {
            ops[i] = (struct topic_publish){.event = str_of(event), .own.topic = STR("news")};
            ops[i].own.op.done = done;
            topic_publish(store, &ops[i]);
        }
        store_flush(store);
    }
}

/* Read for that subscriber, from the first event on if it is new. Its token. */
static uint64_t subscribe(struct str name, uint64_t *after)
{
    struct topic_open open = {.own.topic = STR("news"), .subscriber = name};
    open.own.op.done = done;
    topic_open(store, &open);
    store_flush(store);
    *after = open.position;
    return open.token;
}

static void follow(size_t count)
{
    static struct topic_end ends[GROUP];
    struct topic_read read = {.own.topic = STR("news"), .subscriber = STR("reader")};
    read.token = subscribe(read.subscriber, &read.after);
    read.count = (unsigned)count;
    read.bytes = 1 << 24;
    read.own.op.done = done;
    topic_read(store, &read);
    if (read.got != count)
        die("a read with too few events");
    for (unsigned i = 0; i < read.got; i++) {
        ends[i] = (struct topic_end){.token = read.token, .seq = read.messages[i].seq};
        ends[i].own.topic = read.own.topic;
        ends[i].subscriber = read.subscriber;
        ends[i].own.op.done = done;
        topic_end(store, &ends[i], TOPIC_ACK);
    }
    store_flush(store);
    topic_read_clear(&read);
}

static void tell(const char *what, uint64_t number, int64_t least)
{
    printf("%s %llu %.0f\n", what, (unsigned long long)number, (double)least / GROUP);
}

static int64_t least(int64_t so_far, int64_t began)
{
    int64_t took = clock_now() - began;
    return !so_far || took < so_far ? took : so_far;
}

static void measure_depth(uint64_t depth)
{
    int64_t pushed = 0, worked = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t began = clock_now();
        push(GROUP, 1);
        pushed = least(pushed, began);
        began = clock_now();
        work(GROUP);
        worked = least(worked, began);
    }
    tell("push_at_depth", depth, pushed);
    tell("work_at_depth", depth, worked);
}

static void measure_names(uint64_t names)
{
    int64_t pushed = 0, written = 0, got = 0;
    push(names, names);
    put(names, names);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t began = clock_now();
        push(GROUP, names);
        pushed = least(pushed, began);
        began = clock_now();
        put(GROUP, names);
        written = least(written, began);
        began = clock_now();
        get(GROUP, names);
        got = least(got, began);
    }
    tell("push_to_queues", names, pushed);
    tell("put_of_keys", names, written);
    tell("get_of_keys", names, got);
}

static void measure_topic(uint64_t depth)
{
    int64_t published = 0, followed = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t began = clock_now();
        publish(GROUP);
        published = least(published, began);
        began = clock_now();
        follow(GROUP);
        followed = least(followed, began);
    }
    tell("publish_at_depth", depth, published);
    tell("follow_at_depth", depth, followed);
}

static void measure_subscribers(uint64_t before, uint64_t subscribers)
{
    int64_t published = 0;
    uint64_t after;
    char name[NAME];
    for (uint64_t i = before; i < subscribers; i++)
        subscribe(name_of(name, i), &after);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t began = clock_now();
        publish(GROUP);
        published = least(published, began);
    }
    tell("publish_to_subscribers", subscribers, published);
}

int main(int argc, char **argv)
{
    uint64_t most = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    if (!most) {
        fputs("usage: store_growth DIR MOST\n", stderr);
        return 2;
    }
    open_store(argv[1], 0);
    for (uint64_t depth = 1, there = 0; depth <= most; depth *= 10) {
        push(depth - there, 1);
        there = depth;
        measure_depth(depth);
    }
    close_store();
    open_store(argv[1], 1);
    for (uint64_t names = 1; names <= MOST_NAMES; names *= 10)
        measure_names(names);
    close_store();
    open_store(argv[1], 2);
    for (uint64_t depth = 1, there = 0; depth <= most; depth *= 10) {
        publish(depth - there);
        there = depth;
        measure_topic(depth);
    }
    close_store();
    open_store(argv[1], 3);
    for (uint64_t names = 1, there = 0; names <= MOST_NAMES / 10; names *= 10) {
        measure_subscribers(there, names);
        there = names;
    }
    close_store();
    return fflush(stdout) == 0 ? 0 : 1;
}
