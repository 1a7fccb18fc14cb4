/*
 * json_pairs.h: two random JSON values that have much in common: tests of what is made of two.
 */
#ifndef FIT_TESTS_JSON_PAIRS_H
#define FIT_TESTS_JSON_PAIRS_H

#include "base/buf.h"
#include "base/rng.h"

struct pair_maker {
    struct rng *rng;
    struct buf *a, *b;
    unsigned change; /* one value of so many differs */
};

#define PAIR_PICK(rng, list) ((list)[rng_below((rng), sizeof(list) / sizeof *(list))])

/* The same values, also written otherwise. */
static const char *const pair_scalars[] = {"null",
                                           "true",
                                           "false",
                                           "0",
                                           "-0",
                                           "0.0",
                                           "1",
                                           "1.0",
                                           "10e-1",
                                           "2",
                                           "100",
                                           "1e2",
                                           "9007199254740993",
                                           "9007199254740992",
                                           "123456789012345678901234567890",
                                           "1e400",
                                           "\"\"",
                                           "\"a\"",
                                           "\"\\u0061\"",
                                           "\"a\\u0000\"",
                                           "\"\\u0000\"",
                                           "\"\\n\\\"\"",
                                           "\"\xc3\xa9\"",
                                           "\"\\u00e9\"",
                                           "\"\\ud83d\\ude00\"",
                                           "\"\\ud800\"",
                                           "\"1\"",
                                           "[]",
                                           "{}",
                                           "[ ]",
                                           "{\n}"};
static const char *const pair_names[] = {
    "\"a\"",        "\"b\"",       "\"c\"",       "\"\"",    "\"/\"",        "\"~\"",
    "\"~1\"",       "\"~0/\"",     "\"\\u0061\"", "\"0\"",   "\"1\"",        "\"-\"",
    "\"\\u0000\"",  "\"a b\"",     "\"\\\"\"",    "\"\\/\"", "\"\\u0000b\"", "\"\\n\"",
    "\"\xc3\xa9\"", "\"\\u00e9\"", "\"\\\\\""};

static inline void pair_puts(struct pair_maker *pair, const char *text)
{
    if (pair->a)
        buf_puts(pair->a, text);
    if (pair->b)
        buf_puts(pair->b, text);
}

static void pair_value(struct pair_maker *pair, unsigned depth);

/* For one of the two alone. */
static inline void pair_alone(const struct pair_maker *pair, struct buf *out, unsigned depth)
{
    struct pair_maker one = {pair->rng, out, NULL, pair->change};
    if (out)
        pair_value(&one, depth);
}

static inline void pair_child(struct pair_maker *pair, bool named, unsigned depth,
                              unsigned count[2])
{
    struct buf *outs[] = {pair->a, pair->b};
    uint64_t fate = rng_below(pair->rng, 2 * (uint64_t)pair->change); /* 0, 1: one has it alone */
    const char *name = PAIR_PICK(pair->rng, pair_names);
    for (unsigned i = 0; i < 2; i++) {
        if (fate == i)
            outs[i] = NULL;
        if (!outs[i])
            continue;
        buf_puts(outs[i], count[i]++ ? "," : "");
        buf_puts(outs[i], named ? name : "");
        buf_puts(outs[i], named ? ":" : "");
    }
    struct pair_maker child = {pair->rng, outs[0], outs[1], pair->change};
    pair_value(&child, depth);
}

static inline void pair_container(struct pair_maker *pair, unsigned depth)
{
    bool named = rng_below(pair->rng, 2);
    unsigned count[2] = {0, 0};
    pair_puts(pair, named ? "{" : "[");
    for (uint64_t left = rng_below(pair->rng, 6); left; left--)
        pair_child(pair, named, depth - 1, count);
    pair_puts(pair, named ? "}" : "]");
}

static void pair_value(struct pair_maker *pair, unsigned depth)
{
    pair_puts(pair, rng_below(pair->rng, 8) ? "" : " ");
    if (pair->a && pair->b && rng_below(pair->rng, pair->change) == 0) {
        pair_alone(pair, pair->a, depth);
        pair_alone(pair, pair->b, depth);
    } else if (depth && rng_below(pair->rng, 3)) {
        pair_container(pair, depth);
    } else {
        pair_puts(pair, PAIR_PICK(pair->rng, pair_scalars));
    }
    pair_puts(pair, rng_below(pair->rng, 8) ? "" : "\t");
}

/* Sets both. */
static inline void pair_make(struct rng *rng, struct buf *a, struct buf *b)
{
    struct pair_maker pair = {rng, a, b, 2 + (unsigned)rng_below(rng, 8)};
    buf_clear(a);
    buf_clear(b);
    pair_value(&pair, 1 + (unsigned)rng_below(rng, 4));
}

#endif
