/*
 * trial_stream.h: what a seed stands for: the options of a fan-out or a broadcast, the stream that
 * it reads, and what must become of each of its lines.
 */
#ifndef FIT_TESTS_TRIAL_STREAM_H
#define FIT_TESTS_TRIAL_STREAM_H

#include "trial.h"

#include "base/buf.h"
#include "base/rng.h"

#include <stdlib.h>

enum {
    TRIAL_ACTIONS = 4,          /* of an event: one for each attempt */
    TRIAL_MAX_EVENT = 8 * 1024, /* --max-event where the stream has longer lines */
    TRIAL_LONG = 100 * 1024,    /* the longest of those */
    TRIAL_PAD = 200 * 1024,     /* of an event where there are none */
};

enum trial_mode { TRIAL_PROCESS, TRIAL_ARGUED, TRIAL_WORKER };

/* What a broadcast prints. */
enum trial_result { RESULT_MAIN, RESULT_NONE, RESULT_ALL };

/* What it does when a subscriber is full. */
enum trial_full { FULL_BLOCK, FULL_SPILL, FULL_DROP };

enum trial_sort { LINE_BLANK, LINE_VALID, LINE_BARE, LINE_MALFORMED, LINE_LONG };

struct trial_event {
    enum trial_sort sort;
    struct buf line; /* without its end */
    long id;
    unsigned key;
    enum trial_do actions[TRIAL_ACTIONS];
    size_t action_count;
    long count;
    /* What must become of it. */
    bool may_live, may_die;
    struct buf results; /* if it lives */
    const char *reason; /* if it dies, and nothing disturbs it */
    unsigned attempts;  /* then; 0: not to be checked */
    bool dead;          /* it did: filled in by the check */
    /* In a broadcast. */
    bool given;         /* it gets as far as to the subscribers */
    bool slow_dead;     /* it died of the slow one */
    unsigned slow_gets; /* how often the slow one has noted it */
};

struct trial {
    uint64_t seed;
    struct rng rng;
    /* Options. */
    enum trial_mode mode;
    unsigned jobs, retries, pipeline, max_uses;
    bool unordered, serial, timeout, killer, dead_file, long_lines, feed_file, slow_reader;
    /* A worker ends by itself: the oldest event that it has not answered fails for it. */
    bool victims;
    /* The function is the first subscriber of a broadcast; a slow worker and a file are others. */
    bool broadcast;
    enum trial_result result;
    enum trial_full full;
    unsigned buffer;
    /* The stream. */
    struct trial_event events[TRIAL_EVENTS];
    size_t event_count;
    struct buf input;
};

static inline unsigned below(struct trial *trial, unsigned n)
{
    return (unsigned)rng_below(&trial->rng, n);
}

/* Some subscriber may not get an event, and nothing is wrong. */
static inline bool may_miss(const struct trial *trial)
{
    return trial->broadcast && trial->full == FULL_DROP;
}

static inline bool chance(struct trial *trial, unsigned percent)
{
    return below(trial, 100) < percent;
}

/* ---- options ---- */

/* By numbers of their own: what a seed means for a fan-out must not change. */
static void choose_broadcast(struct trial *trial)
{
    struct rng rng;
    rng_seed(&rng, ~trial->seed);
    trial->broadcast = rng_below(&rng, 100) < 40;
    trial->result = (enum trial_result)rng_below(&rng, 3);
    trial->full = (enum trial_full)rng_below(&rng, 3);
    trial->buffer = 1 + (unsigned)rng_below(&rng, rng_below(&rng, 2) ? 4 : 40);
    if (!trial->broadcast)
        return;
    if (trial->full == FULL_SPILL) {
        trial->serial = false;
        trial->result = trial->result == RESULT_ALL ? RESULT_NONE : trial->result;
    }
    if (trial->full == FULL_DROP && trial->result == RESULT_ALL)
        trial->result = RESULT_MAIN;
    if (trial->result == RESULT_ALL)
        trial->unordered = false; /* lines of which only parts are known could not be told apart */
}

static void choose_options(struct trial *trial)
{
    static const unsigned depths[] = {0, 0, 1, 2, 7, 64};
    trial->mode = (enum trial_mode)below(trial, 3);
    trial->jobs = 1 + below(trial, 8);
    trial->retries = chance(trial, 60) ? below(trial, 4) : 0;
    trial->unordered = chance(trial, 40);
    trial->serial = chance(trial, 25);
    trial->timeout = chance(trial, 25);
    trial->killer = chance(trial, 25);
    trial->dead_file = chance(trial, 50);
    trial->long_lines = chance(trial, 40);
    trial->feed_file = chance(trial, 50);
    trial->slow_reader = chance(trial, 20);
    if (trial->timeout && trial->retries > 1)
        trial->retries = 1;
    choose_broadcast(trial);
    if (trial->mode != TRIAL_WORKER)
        return;
    trial->pipeline = depths[below(trial, sizeof depths / sizeof *depths)];
    trial->max_uses = chance(trial, 30) ? 1 + below(trial, 20) : 0;
    trial->victims = chance(trial, 30);
}

/* ---- the content of events ---- */

/* Bytes that a parser would like to change. */
static void add_oddities(struct trial *trial, struct buf *line)
{
    static const char *const odd[] = {
        ",\"n\":123456789012345678901234567890",
        ",\"n\":1.0,\"n\":1.00",
        " , \"blank\" :\t[ 1 ,2 ]",
        ",\"e\":\"\\u0041\\/\\ud83d\\ude00\\ud800\"",
        ",\"u\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
        ",\"f\":-0.0e-10",
        ",\"x\":{\"do\":null,\"id\":{}}",
        ",\"quote\":\"$(x) `y` \\\" ' \\\\n\"",
        ",\"\":\"\"",
    };
    for (unsigned n = below(trial, 3); n; n--)
        buf_puts(line, odd[below(trial, sizeof odd / sizeof *odd)]);
}

static void add_pad(struct buf *line, size_t len)
{
    buf_puts(line, ",\"pad\":\"");
    buf_reserve(line, len);
    memset(line->data + line->len, 'x', len);
    line->len += len;
    buf_addc(line, '"');
}

static enum trial_do pick_success(struct trial *trial)
{
    static const enum trial_do read[] = {DO_LATE, DO_PIECES, DO_BIG, DO_NOISE, DO_DAEMON};
    static const enum trial_do argued[] = {DO_QUICK, DO_FIRST, DO_CLOSE, DO_LATE, DO_BIG};
    static const enum trial_do worker[] = {DO_LATE, DO_PIECES, DO_BIG, DO_NOISE, DO_NONE};
    static const enum trial_do leaving[] = {DO_QUIT, DO_SHUT, DO_NONE};
    if (chance(trial, 60))
        return DO_OK;
    if (trial->mode == TRIAL_PROCESS)
        return read[below(trial, sizeof read / sizeof *read)];
    if (trial->mode == TRIAL_ARGUED)
        return argued[below(trial, sizeof argued / sizeof *argued)];
    if (trial->victims && chance(trial, 30))
        return leaving[below(trial, sizeof leaving / sizeof *leaving)];
    if (trial->pipeline == 1 && chance(trial, 20))
        return DO_TWICE;
    return worker[below(trial, sizeof worker / sizeof *worker)];
}

static enum trial_do pick_failure(struct trial *trial)
{
    static const enum trial_do process[] = {DO_EXIT, DO_EXIT, DO_SIGNAL, DO_GARBAGE, DO_HUGE};
    static const enum trial_do worker[] = {DO_ERROR, DO_ERROR,   DO_ERROR, DO_EXIT,
                                           DO_HALF,  DO_GARBAGE, DO_HUGE};
    /* When a function is killed from outside, what it has started is nobody's. */
    static const enum trial_do hanging[] = {DO_HANG, DO_SLEEP, DO_TREE};
    if (trial->timeout && chance(trial, 15))
        return hanging[below(trial, trial->killer ? 2 : 3)];
    if (trial->mode == TRIAL_WORKER)
        return worker[below(trial, sizeof worker / sizeof *worker)];
    return process[below(trial, sizeof process / sizeof *process)];
}

/* The number behind the action: one for the whole event, which is all that a failure needs. */
static long count_for(struct trial *trial, enum trial_do what)
{
    static const long statuses[] = {1, 2, 65, 75, 100, 111, 126, 127, 255};
    static const long signals[] = {1, 6, 9, 11, 13, 14, 15};
    switch (what) {
    case DO_EXIT:
        return statuses[below(trial, sizeof statuses / sizeof *statuses)];
    case DO_SIGNAL:
        return signals[below(trial, sizeof signals / sizeof *signals)];
    case DO_ERROR:
        return below(trial, 2);
    default:
        return trial->mode == TRIAL_WORKER ? 1 : chance(trial, 70) ? 1 : below(trial, 4);
    }
}

static void choose_actions(struct trial *trial, struct trial_event *event, struct buf *text)
{
    long counts[TRIAL_ACTIONS] = {0};
    /* A worker that fails before its first answer is replaced ever later: not too often. */
    unsigned failing = trial->mode == TRIAL_WORKER ? 15 : 30;
    event->action_count = 0;
    if (chance(trial, failing)) {
        for (size_t n = 1 + below(trial, 2); n; n--)
            event->actions[event->action_count++] = pick_failure(trial);
        if (chance(trial, 50))
            event->actions[event->action_count++] = pick_success(trial);
    } else {
        event->actions[event->action_count++] = pick_success(trial);
    }
    for (size_t i = 0; i < event->action_count; i++) {
        counts[i] = count_for(trial, event->actions[i]);
        buf_addf(text, "%s%s %ld", i ? "," : "", trial_words[event->actions[i]], counts[i]);
        if (event->actions[i] < DO_SUCCEED)
            event->count = counts[i];
    }
    /* What it comes to, with the attempts that there are. */
    event->may_die = event->may_live = false;
    for (unsigned attempt = 1; attempt <= trial->retries + 1; attempt++) {
        size_t at = attempt < event->action_count ? attempt - 1 : event->action_count - 1;
        static const char *const reasons[DO_COUNT] = {
            [DO_EXIT] = "exit",    [DO_SIGNAL] = "signal", [DO_GARBAGE] = "bad_result",
            [DO_HALF] = "signal",  [DO_ERROR] = "error",   [DO_HUGE] = "bad_result",
            [DO_HANG] = "timeout", [DO_SLEEP] = "timeout", [DO_TREE] = "timeout",
        };
        enum trial_do what = event->actions[at];
        long count = counts[at];
        if (what < DO_SUCCEED) {
            event->may_live = true;
            return;
        }
        event->reason = reasons[what];
        event->attempts = attempt;
        if (what == DO_HUGE ||
            (what == DO_EXIT && (count == 65 || count == 100 || count == 126 || count == 127)))
            break;
    }
    event->may_die = true;
}

static void expect_results(struct trial *trial, struct trial_event *event, enum trial_do what)
{
    for (long i = 0; i < event->count && what != DO_NONE; i++) {
        if (trial->mode == TRIAL_ARGUED) {
            buf_addf(&event->results, "{\"q\":%ld", event->id);
        } else {
            buf_puts(&event->results, "{\"r\":");
            buf_add_str(&event->results, buf_str(&event->line));
        }
        if (what == DO_BIG) {
            buf_puts(&event->results, ",\"p\":\"");
            buf_reserve(&event->results, TRIAL_BIG);
            memset(event->results.data + event->results.len, 'p', TRIAL_BIG);
            event->results.len += TRIAL_BIG;
            buf_addc(&event->results, '"');
        }
        buf_addf(&event->results, ",\"i\":%ld}\n", i);
    }
}

/* ---- sorts of lines ---- */

static void make_valid(struct trial *trial, struct trial_event *event)
{
    struct buf actions = {0};
    event->given = true;
    choose_actions(trial, event, &actions);
    event->key = below(trial, 4);
    buf_addf(&event->line, "%s{\"id\":%ld,\"key\":\"k%u\",\"do\":\"%s\"",
             chance(trial, 5) ? " " : "", event->id, event->key, buf_cstr(&actions));
    add_oddities(trial, &event->line);
    /* Two answers have to be one atomic write. */
    if (event->actions[event->action_count - 1] != DO_TWICE && chance(trial, 10))
        add_pad(&event->line, below(trial, trial->long_lines ? TRIAL_MAX_EVENT / 2 : TRIAL_PAD));
    buf_puts(&event->line, chance(trial, 5) ? " }\t" : "}");
    buf_free(&actions);
    enum trial_do last = event->actions[event->action_count - 1];
    if (last < DO_SUCCEED)
        expect_results(trial, event, last);
}

/* JSON that says nothing of what to do: one result, unless its fields are asked for. */
static void make_bare(struct trial *trial, struct trial_event *event)
{
    bool is_object = false;
    switch (below(trial, 4)) {
    case 0:
        buf_addf(&event->line, "17.%ld", event->id);
        break;
    case 1:
        buf_addf(&event->line, "\"x%ld\"", event->id);
        break;
    case 2:
        buf_addf(&event->line, "[%ld, null ]", event->id);
        break;
    default:
        buf_addf(&event->line, "{\"no\":%ld}", event->id);
        is_object = true;
    }
    event->key = TRIAL_EVENTS;
    event->count = 1;
    event->given = !trial->serial || is_object;
    event->may_die = trial->mode == TRIAL_ARGUED || (trial->serial && !is_object);
    event->may_live = !event->may_die;
    event->reason = "bad_event";
    expect_results(trial, event, DO_OK);
}

static void make_malformed(struct trial *trial, struct trial_event *event)
{
    static const struct str forms[] = {
        {"{bad", 4},
        {"nul", 3},
        {"{\"a\":1,}", 8},
        {"01", 2},
        {"\"\x01\"", 3},
        {"\xff\xfe", 2},
        {"\"\xc3\"", 3},
        {"{\"a\":1} x", 9},
        {"[1,2", 4},
        {"{\"a\" 1}", 7},
        {"NaN", 3},
        {"'x'", 3},
        {"\"\\ud8\"", 6},
        {"\0", 1},
        {"{\"a\":\"\0\"}", 9},
        {"\"\xed\xa0\x80\"", 5},
        {"\"\xf5\x80\x80\x80\"", 6},
        {"1 2", 3},
        {"]", 1},
        {"\"\xc0\x80\"", 4},
    };
    buf_add_str(&event->line, forms[below(trial, sizeof forms / sizeof *forms)]);
    event->may_die = true;
    event->reason = "bad_json";
}

static void make_long(struct trial *trial, struct trial_event *event)
{
    buf_addf(&event->line, "{\"id\":%ld,\"do\":\"ok 1\"", event->id);
    add_pad(&event->line, TRIAL_MAX_EVENT + below(trial, TRIAL_LONG - TRIAL_MAX_EVENT));
    buf_addc(&event->line, chance(trial, 50) ? '}' : '\xff');
    event->may_die = true;
    event->reason = "too_large";
}

static void make_blank(struct trial *trial, struct trial_event *event)
{
    static const char *const blanks[] = {"", "", " ", "\t \t", "\r"};
    buf_puts(&event->line, blanks[below(trial, sizeof blanks / sizeof *blanks)]);
}

/* The same line once more; only where it does the same every time. */
static bool make_duplicate(struct trial *trial, struct trial_event *event)
{
    if (event == trial->events || trial->killer || trial->timeout || trial->victims)
        return false;
    const struct trial_event *twin = trial->events + below(trial, (unsigned)trial->event_count);
    if (twin->sort != LINE_VALID || twin->action_count != 1)
        return false;
    *event = *twin;
    event->line = event->results = (struct buf){0};
    buf_add_str(&event->line, buf_str(&twin->line));
    buf_add_str(&event->results, buf_str(&twin->results));
    return true;
}

static void make_event(struct trial *trial, struct trial_event *event)
{
    event->id = (long)trial->event_count;
    unsigned roll = below(trial, 100);
    if (roll < 6 && make_duplicate(trial, event))
        return;
    event->sort = roll < 78                        ? LINE_VALID
                  : roll < 84                      ? LINE_BARE
                  : roll < 90                      ? LINE_MALFORMED
                  : roll < 96                      ? LINE_BLANK
                  : trial->long_lines && roll < 99 ? LINE_LONG
                                                   : LINE_VALID;
    switch (event->sort) {
    case LINE_VALID:
        make_valid(trial, event);
        break;
    case LINE_BARE:
        make_bare(trial, event);
        break;
    case LINE_MALFORMED:
        make_malformed(trial, event);
        break;
    case LINE_LONG:
        make_long(trial, event);
        break;
    case LINE_BLANK:
        make_blank(trial, event);
        break;
    }
    /* From outside anything can happen to what is called. */
    bool called = event->sort == LINE_VALID || (event->sort == LINE_BARE && event->may_live);
    /* On a busy machine an attempt can time out before it has done what it should. */
    bool miscounts = trial->timeout && event->action_count > 1;
    if (called && (trial->killer || trial->victims || miscounts)) {
        event->may_die = true;
        event->may_live =
            event->sort == LINE_BARE || event->actions[event->action_count - 1] < DO_SUCCEED;
        event->reason = NULL;
    }
    if (called && (event->reason == NULL || trial->timeout))
        event->attempts = 0;
}

static void trial_init(struct trial *trial, uint64_t seed)
{
    *trial = (struct trial){.seed = seed};
    rng_seed(&trial->rng, seed);
    choose_options(trial);
    size_t count = chance(trial, 5) ? below(trial, 3) : 10 + below(trial, trial->timeout ? 40 : 80);
    if (chance(trial, 10))
        buf_puts(&trial->input, "\xef\xbb\xbf");
    while (trial->event_count < count) {
        struct trial_event *event = &trial->events[trial->event_count];
        make_event(trial, event);
        trial->event_count++;
        buf_add_str(&trial->input, buf_str(&event->line));
        if (event->sort != LINE_LONG && chance(trial, 10))
            buf_addc(&trial->input, '\r');
        if (trial->event_count < count || chance(trial, 70))
            buf_addc(&trial->input, '\n');
    }
}

static void trial_free(struct trial *trial)
{
    for (size_t i = 0; i < trial->event_count; i++) {
        buf_free(&trial->events[i].line);
        buf_free(&trial->events[i].results);
    }
    buf_free(&trial->input);
}

#endif
