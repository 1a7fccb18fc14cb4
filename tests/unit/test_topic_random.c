/* test_topic_random.c: random operations on a topic, against a naive model of it. */
#include "topic_store.h"

#include "base/rng.h"

/* ---- against a model ---- */

enum { MODEL_EVENTS = 2000, MODEL_STEPS = 6000, MODEL_READERS = 3 };

struct model_reader {
    bool known;
    uint64_t start, token, missed, done_count, dead_count;
    bool is_done[MODEL_EVENTS + 1]; /* or missed */
};

static struct {
    uint64_t count, first; /* first: of those that are there */
    uint64_t floor;        /* nothing below it has been kept */
    int64_t at[MODEL_EVENTS + 1], last_at, age;
    size_t size[MODEL_EVENTS + 1];
    uint64_t most, letters;
    struct model_reader readers[MODEL_READERS];
} model;

static const char *const reader_names[MODEL_READERS] = {"a", "b", "c"};

static uint64_t model_bytes(void)
{
    uint64_t bytes = 0;
    for (uint64_t seq = model.first; seq <= model.count; seq++)
        bytes += model.size[seq] + 1;
    return bytes;
}

static uint64_t model_kept(void)
{
    uint64_t kept = model.first > model.floor ? model.first : model.floor;
    while (model.age && kept <= model.count && model.at[kept] + model.age <= wall)
        kept++;
    return kept;
}

/* What writes looks at what is kept, and so it stays. */
static void model_settle(void)
{
    model.floor = model_kept();
}

static uint64_t model_sweep(unsigned limit)
{
    uint64_t removed = 0;
    model_settle();
    while (removed < limit &&
           (model.first < model_kept() ||
            (model.most && model_bytes() > model.most && model.first < model.count))) {
        model.first++;
        removed++;
    }
    return removed;
}

/* What it misses as things are; whatever writes its record keeps that. */
static uint64_t model_misses(const struct model_reader *reader)
{
    uint64_t misses = 0;
    for (uint64_t seq = reader->start + 1; seq < model_kept(); seq++)
        misses += !reader->is_done[seq];
    return misses;
}

static void model_catch_up(struct model_reader *reader)
{
    if (reader->known)
        model_settle();
    reader->missed += model_misses(reader);
    for (uint64_t seq = reader->start + 1; seq < model_kept(); seq++)
        reader->is_done[seq] = true;
}

static uint64_t model_position(const struct model_reader *reader)
{
    uint64_t position = reader->start;
    while (position < model.count && (reader->is_done[position + 1] || position + 1 < model_kept()))
        position++;
    return position;
}

static void model_publish(struct rng *rng)
{
    char event[64];
    if (model.count == MODEL_EVENTS)
        return;
    uint64_t seq = ++model.count;
    int len = snprintf(event, sizeof event, "%llu%.*s", (unsigned long long)seq,
                       (int)rng_below(rng, 20), "00000000000000000000");
    if (model.last_at < wall)
        model.last_at = wall;
    model.at[seq] = model.last_at;
    model.size[seq] = (size_t)len;
    assert_int_equal(publish(event), seq);
    model_sweep(TOPIC_SWEEP);
}

static void model_open(struct rng *rng, unsigned which)
{
    struct model_reader *reader = &model.readers[which];
    uint64_t from = rng_below(rng, 3) ? rng_below(rng, model.count + 2) : UINT64_MAX;
    struct topic_open open = open_as(reader_names[which], from, 0);
    assert_int_equal(open.own.op.status, STORE_OK);
    assert_int_equal(open.is_new, !reader->known);
    if (!reader->known) {
        *reader = (struct model_reader){.known = true};
        reader->start = from > model.count ? model.count : from;
        if (reader->start < model_kept() - 1)
            reader->start = model_kept() - 1;
    }
    model_catch_up(reader);
    assert_int_equal(open.position, model_position(reader));
    assert_int_equal(open.missed, reader->missed);
    reader->token = open.token;
}

static void model_read(struct rng *rng, unsigned which)
{
    struct model_reader *reader = &model.readers[which];
    uint64_t after = rng_below(rng, 2) ? model_position(reader) : rng_below(rng, model.count + 1);
    unsigned count = (unsigned)rng_below(rng, 40), got = 0;
    struct topic_read read = read_some(reader_names[which], reader->token, after, count);
    if (!reader->known || !reader->token) {
        assert_int_equal(read.own.op.status, STORE_LOST);
        return;
    }
    uint64_t kept = model_kept();
    uint64_t seq = after + 1;
    for (; seq <= model.count && got < count; seq++) {
        if (seq <= reader->start || seq < kept || reader->is_done[seq])
            continue;
        assert_int_equal(read.messages[got].seq, seq);
        assert_int_equal(read.messages[got].event.len, model.size[seq]);
        assert_true(read.messages[got].published_at == model.at[seq]);
        got++;
    }
    assert_int_equal(read.got, got);
    assert_int_equal(read.last, model.count);
    assert_int_equal(read.missed, reader->missed + model_misses(reader));
    assert_true(read.through >= seq - 1 && read.through >= after);
    for (uint64_t next = seq; next <= read.through; next++)
        assert_true(next <= reader->start || next < kept || reader->is_done[next]);
    topic_read_clear(&read);
}

static void model_end(struct rng *rng, unsigned which)
{
    struct model_reader *reader = &model.readers[which];
    uint64_t seq = model_position(reader) + 1 + rng_below(rng, 20);
    bool bury = rng_below(rng, 8) == 0, old = rng_below(rng, 20) == 0;
    if (rng_below(rng, 10) == 0)
        seq = rng_below(rng, model.count + 1);
    enum store_status status = end_with(reader_names[which], reader->token - old, seq,
                                        bury ? TOPIC_BURY : TOPIC_ACK, bury ? "{}" : NULL);
    model_catch_up(reader);
    if (!reader->known || !reader->token || old) {
        assert_int_equal(status, STORE_LOST);
        return;
    }
    assert_int_equal(status, seq > model.count ? STORE_ABSENT : STORE_OK);
    if (seq > model.count)
        return;
    if ((seq <= reader->start || reader->is_done[seq]) && !(bury && seq < model_kept()))
        return;
    reader->is_done[seq] = true;
    reader->done_count += !bury;
    reader->dead_count += bury;
    model.letters += bury;
}

static void model_close(unsigned which)
{
    struct model_reader *reader = &model.readers[which];
    enum store_status status = close_of(reader_names[which], reader->token);
    assert_int_equal(status, reader->known && reader->token ? STORE_OK : STORE_LOST);
    model_catch_up(reader);
    reader->token = 0;
}

static void model_leave(unsigned which)
{
    struct model_reader *reader = &model.readers[which];
    assert_int_equal(leave(reader_names[which]), reader->known ? STORE_OK : STORE_ABSENT);
    model_catch_up(reader);
    reader->known = false;
    reader->token = 0;
}

static void model_retain(struct rng *rng)
{
    model_settle();
    model.age = (int64_t)rng_below(rng, 40) * SECOND;
    model.most = rng_below(rng, 2) ? rng_below(rng, 2000) : 0;
    keep(model.age, model.most);
}

static void model_drop(void)
{
    struct topic_remove asked;
    uint64_t letters_kept = model.letters;
    assert_int_equal(remove_from("news", NULL, TOPIC_DROP, &asked), STORE_OK);
    assert_int_equal(asked.removed, model.count + 1 - model.first);
    memset(&model, 0, sizeof model);
    model.first = 1;
    model.age = TOPIC_AGE;
    model.letters = letters_kept;
    keep(model.age, 0);
}

static void check_reader(void *owner, const struct reader_facts *facts)
{
    unsigned *seen = owner;
    unsigned which = (unsigned)(facts->subscriber.data[0] - 'a');
    const struct model_reader *reader = &model.readers[which];
    uint64_t lag = 0;
    for (uint64_t seq = model_kept(); seq <= model.count; seq++)
        lag += seq > reader->start && !reader->is_done[seq];
    assert_true(reader->known);
    assert_int_equal(facts->position, model_position(reader));
    assert_int_equal(facts->lag, lag);
    assert_int_equal(facts->missed, reader->missed + model_misses(reader));
    assert_int_equal(facts->done, reader->done_count);
    assert_int_equal(facts->dead, reader->dead_count);
    uint64_t undone = facts->position + 1;
    assert_true(facts->oldest_undone == (undone <= model.count ? model.at[undone] : 0));
    ++*seen;
}

static void check_topic(void *owner, struct str topic, const struct topic_facts *facts)
{
    (void)owner;
    (void)topic;
    assert_int_equal(facts->first, model_kept());
    assert_int_equal(facts->last, model.count);
    assert_int_equal(facts->bytes, model_bytes());
}

static void model_check(void)
{
    unsigned seen = 0, known = 0;
    struct topic_list list = {NEWS, .each_topic = check_topic, .each = check_reader};
    list.owner = &seen;
    SUBMIT(topic_list(store, &list), &list);
    for (unsigned i = 0; i < MODEL_READERS; i++)
        known += model.readers[i].known;
    assert_int_equal(seen, known);
    char *text = letters();
    assert_int_equal(strlen(text), model.letters * strlen("{}\n"));
    free(text);
}

static void model_step(struct rng *rng)
{
    unsigned which = (unsigned)rng_below(rng, MODEL_READERS);
    uint64_t dice = rng_below(rng, 100);
    struct topic_remove asked;
    if (dice < 30)
        model_publish(rng);
    else if (dice < 45)
        model_read(rng, which);
    else if (dice < 80)
        model_end(rng, which);
    else if (dice < 86)
        model_open(rng, which);
    else if (dice < 88)
        model_close(which);
    else if (dice < 89)
        model_leave(which);
    else if (dice < 90)
        model_retain(rng);
    else if (dice < 95)
        advance((int64_t)rng_below(rng, 5) * SECOND);
    else if (dice < 96)
        wall -= (int64_t)rng_below(rng, 10) * SECOND;
    else if (dice < 98)
        remove_from("news", NULL, TOPIC_CLEAN, &asked);
    else
        model_check();
    if (dice >= 96 && dice < 98)
        assert_int_equal(asked.removed, model_sweep(TOPIC_CLEAN_STEP));
}

static void behaves_like_its_model(void **state)
{
    struct rng rng;
    (void)state;
    publish("0");
    memset(&model, 0, sizeof model);
    model.count = model.first = 1;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        rng_seed(&rng, seed);
        model_drop();
        clean(NULL);
        for (int i = 0; i < MODEL_STEPS; i++)
            model_step(&rng);
        if (!in_memory) {
            close_store();
            open_store();
        }
        model_check();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {CLAIM(behaves_like_its_model),
                                       IN_MEMORY(behaves_like_its_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
