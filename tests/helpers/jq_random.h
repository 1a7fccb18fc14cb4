/*
 * jq_random.h: random programs of the native jq language, random events for them, and the
 * comparison with libjq.
 *
 * Shared by tests/unit/test_jq_random.c and tests/fuzz/fuzz_jq.c. Compiling a program with libjq
 * takes 20 ms, so many are judged at once: a batch is one jq program that gives an array with an
 * item for each of them, either the array of its outputs or the string "error".
 */
#ifndef FIT_TESTS_JQ_RANDOM_H
#define FIT_TESTS_JQ_RANDOM_H

#include "base/mem.h"
#include "base/rng.h"
#include "format/jq.h"
#include "format/jq_native.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 40 };

/* ---- choices ---- */

static inline size_t pick(struct rng *rng, size_t count)
{
    return (size_t)rng_below(rng, count);
}

#define PICK(rng, list) ((list)[pick((rng), sizeof(list) / sizeof(*(list)))])

static const char *const random_scalars[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "2",
    "-1",
    "1.0",
    "1.5",
    "0.1",
    "0.10",
    "10",
    "100",
    "123456789012345",
    "0.30000000000001",
    "99999999999999.9",
    "\"\"",
    "\"a\"",
    "\"b\"",
    "\"ab\"",
    "\"abc\"",
    "\"a b\"",
    "\"\xc3\xa9\"",
    "\"\xf0\x9f\x98\x80\"",
    "\"\xef\xbf\xbf\"",
    "\"z\"",
    "\"Z\"",
};

static const char *const event_scalars[] = {
    "1e0",
    "1E2",
    "100e-2",
    "12345678901234567890",
    "9007199254740993",
    "0.1000000000000000055",
    "\"\\u0061\"",
    "\"a\\u0062\"",
    "\"\\ud83d\\ude00\"",
    "\"\\udc00\"",
    "\"\\n\"",
    "\"a\\\"b\"",
    "\"\\\\\"",
    "\"\\/\"",
    "\"a\\u0000\"",
    "\"a\\u0000b\"",
    "1e400",
    "-1e-400",
};

static const char *const event_keys[] = {
    "\"a\"", "\"b\"", "\"c\"", "\"x y\"", "\"a\"", "\"b\"", "\"\\u0061\"", "\"\\u0062\"", "\"\"",
};

static inline void blank(struct rng *rng, struct buf *out)
{
    static const char *const blanks[] = {"", "", " ", " ", "\t", "  "};

    buf_puts(out, PICK(rng, blanks));
}

/* ---- events ---- */

static inline void random_value(struct rng *rng, struct buf *out, int depth)
{
    size_t kind = pick(rng, depth > 0 ? 10 : 5);
    size_t count = pick(rng, 4);

    if (kind < 4) {
        buf_puts(out, PICK(rng, random_scalars));
    } else if (kind == 4) {
        buf_puts(out, PICK(rng, event_scalars));
    } else {
        buf_addc(out, kind == 5 ? '[' : '{');
        for (size_t i = 0; i < count; i++) {
            if (i)
                buf_addc(out, ',');
            blank(rng, out);
            if (kind != 5) {
                buf_puts(out, PICK(rng, event_keys));
                blank(rng, out);
                buf_addc(out, ':');
            }
            blank(rng, out);
            random_value(rng, out, depth - 1);
        }
        blank(rng, out);
        buf_addc(out, kind == 5 ? ']' : '}');
    }
}

/* Mostly an object that most of the paths find something in. */
static inline void random_event(struct rng *rng, struct buf *out)
{
    static const char *const members[] = {"{\"a\":", ",\"b\":", ",\"c\":", ",\"x y\":"};

    if (pick(rng, 8) == 0) {
        random_value(rng, out, 3);
        return;
    }
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
        buf_puts(out, members[i]);
        random_value(rng, out, pick(rng, 3) ? 0 : 3);
    }
    buf_puts(out, pick(rng, 50) ? "}" : ",\"d\":\"\\ud800\"}");
}

/* ---- programs ---- */

static inline void random_path(struct rng *rng, struct buf *out)
{
    static const char *const firsts[] = {".a", ".b", ".c", ".a",       ".b",       ".c",
                                         ".a", ".b", ".d", ".\"x y\"", ".[\"a\"]", ".[\"\"]"};
    static const char *const others[] = {".a",  ".b",     "[\"b\"]",  "[0]",
                                         "[1]", ".\"a\"", "[\"x y\"]"};
    size_t steps = pick(rng, 12);

    if (steps == 0) {
        buf_puts(out, pick(rng, 4) ? "." : ".[0]");
        return;
    }
    buf_puts(out, PICK(rng, firsts));
    for (size_t i = 9; i < steps; i++)
        buf_puts(out, PICK(rng, others));
}

static inline void random_function(struct rng *rng, struct buf *out)
{
    static const char *const of_objects[] = {"has(\"a\")", "has( \"x y\" )", "has(\"\")", "not"};
    static const char *const of_strings[] = {
        "startswith(\"a\")", "startswith(\"\")", "startswith(\"abc\")", "endswith(\"b\")",
        "endswith(\"abc\")", "test(\"^a\")",     "test(\"^\xc3\xa9\")", "test(\"b\")",
    };

    if (pick(rng, 2)) {
        buf_puts(out, PICK(rng, of_objects));
        return;
    }
    if (pick(rng, 8) == 0) {
        buf_puts(out, PICK(rng, of_strings));
        return;
    }
    buf_addc(out, '(');
    random_path(rng, out);
    buf_addc(out, '|');
    buf_puts(out, PICK(rng, of_strings));
    buf_addc(out, ')');
}

static inline void random_expr(struct rng *rng, struct buf *out, int depth)
{
    static const char *const relations[] = {"==", "!=", "<", "<=", ">", ">="};
    static const char *const joins[] = {"and", "or", "//"};

    switch (pick(rng, depth > 0 ? 9 : 3)) {
    case 0:
        random_path(rng, out);
        break;
    case 1:
        buf_puts(out, PICK(rng, random_scalars));
        break;
    case 2:
        random_function(rng, out);
        break;
    case 3:
    case 4: /* the common case */
        random_path(rng, out);
        blank(rng, out);
        buf_puts(out, PICK(rng, relations));
        blank(rng, out);
        if (pick(rng, 3))
            buf_puts(out, PICK(rng, random_scalars));
        else
            random_path(rng, out);
        break;
    case 5:
        buf_addc(out, '(');
        random_expr(rng, out, depth - 1);
        buf_puts(out, ") ");
        buf_puts(out, PICK(rng, relations));
        buf_addc(out, ' ');
        buf_puts(out, PICK(rng, random_scalars));
        break;
    case 6:
        buf_addc(out, '(');
        random_path(rng, out);
        blank(rng, out);
        buf_addc(out, '|');
        blank(rng, out);
        random_expr(rng, out, depth - 1);
        buf_addc(out, ')');
        break;
    case 7:
        buf_addc(out, '(');
        random_expr(rng, out, depth - 1);
        buf_puts(out, pick(rng, 2) ? " | not)" : ")");
        break;
    default:
        random_expr(rng, out, depth - 1);
        buf_addc(out, ' ');
        buf_puts(out, PICK(rng, joins));
        buf_addc(out, ' ');
        random_expr(rng, out, depth - 1);
    }
}

/* Stages that may come first, then an expression, an iteration or nothing more. */
static inline void random_program(struct rng *rng, struct buf *out)
{
    switch (pick(rng, 5)) {
    case 0:
        buf_puts(out, "select(");
        random_expr(rng, out, 2);
        buf_puts(out, ") | ");
        break;
    case 1:
        random_path(rng, out);
        buf_puts(out, " | ");
        break;
    default:
        break;
    }
    switch (pick(rng, 6)) {
    case 0:
        buf_puts(out, "select(");
        random_expr(rng, out, 2);
        buf_addc(out, ')');
        break;
    case 1:
        random_path(rng, out);
        buf_puts(out, "[]");
        break;
    default:
        random_expr(rng, out, 3);
    }
}

/* Now and then another character somewhere, to try what the parser takes. */
static inline void mutate(struct rng *rng, struct buf *text)
{
    static const char characters[] = ".[]()|=<>! \"ab01-/,?ndorte^;:@$#\n";
    char c = characters[pick(rng, sizeof(characters) - 1)];
    size_t at = text->len ? pick(rng, text->len) : 0;

    if (text->len == 0 || pick(rng, 2)) {
        buf_addc(text, c);
        memmove(text->data + at + 1, text->data + at, text->len - 1 - at);
        text->data[at] = c;
    } else if (pick(rng, 2)) {
        text->data[at] = c;
    } else {
        memmove(text->data + at, text->data + at + 1, text->len - 1 - at);
        text->len--;
    }
}

/* ---- batches ---- */

struct batch {
    char *texts[BATCH];
    struct jq_native *natives[BATCH];
    struct json_paths *paths;
    struct json_value *values;
    struct jq_program *judge; /* NULL: libjq does not take a text that the native parser took */
};

static inline void batch_make(struct batch *batch, struct rng *rng)
{
    struct buf judge = {0};
    struct err err;

    memset(batch, 0, sizeof(*batch));
    batch->paths = json_paths_new();
    buf_addc(&judge, '[');
    for (int i = 0; i < BATCH;) {
        struct buf text = {0};

        random_program(rng, &text);
        for (size_t times = pick(rng, 3) ? 0 : 1 + pick(rng, 3); times > 0; times--)
            mutate(rng, &text);
        batch->natives[i] = jq_native_parse(buf_str(&text));
        if (!batch->natives[i] || jq_native_bind(batch->natives[i], batch->paths) != 0) {
            jq_native_free(batch->natives[i]);
            batch->natives[i] = NULL;
            buf_free(&text);
            continue; /* a mutation has made it a mistake or too much for us */
        }
        batch->texts[i] = buf_take(&text);
        buf_addf(&judge, "%s(try [%s] catch \"error\")", i ? "," : "", batch->texts[i]);
        i++;
    }
    buf_addc(&judge, ']');
    batch->values = mem_array(json_paths_count(batch->paths), sizeof(*batch->values));
    batch->judge = jq_compile(buf_cstr(&judge), NULL, &err);
    buf_free(&judge);
}

static inline void batch_free(struct batch *batch)
{
    for (int i = 0; i < BATCH; i++) {
        jq_native_free(batch->natives[i]);
        free(batch->texts[i]);
    }
    json_paths_free(batch->paths);
    free(batch->values);
    jq_free(batch->judge);
}

/* ---- comparison ---- */

static inline int add_item(void *context, struct str json)
{
    struct buf *list = context;

    if (list->len > 1)
        buf_addc(list, ',');
    buf_add_str(list, json);
    return 0;
}

/* What was compared. Zero at first; its program is freed by the user. */
struct tally {
    uint64_t pairs;
    uint64_t declined;
    uint64_t unreadable;         /* events that libjq cannot parse */
    struct jq_program *identity; /* "." by libjq */
};

/* libjq's reading of the text, so that 1.0 is 1. */
static inline void canonical(struct tally *tally, struct str text, struct buf *out)
{
    struct jq_input input = {.text = text};
    struct err err;

    if (!tally->identity) {
        tally->identity = jq_compile(".", NULL, &err);
        jq_force_libjq(tally->identity, true);
    }
    if (jq_first(tally->identity, &input, out, &err) != 1)
        buf_puts(out, "(not readable)");
}

/* Does the native form of the program at index agree with libjq's result for the event? */
static inline bool agrees(struct batch *batch, int index, struct str expected, struct tally *tally)
{
    struct json_value value;
    struct buf list = {0};
    struct buf read = {0};
    bool same;

    tally->pairs++;
    buf_addc(&list, '[');
    switch (jq_native_eval(batch->natives[index], batch->values, &value)) {
    case JQ_DECLINED:
        tally->declined++;
        buf_free(&list);
        return true;
    case JQ_NOTHING:
        break;
    case JQ_VALUE:
        add_item(&list, value.text);
        break;
    case JQ_ELEMENTS:
        jq_native_elements(value.text, add_item, &list);
        break;
    }
    buf_addc(&list, ']');
    same = str_eq(buf_str(&list), expected);
    if (!same) {
        canonical(tally, buf_str(&list), &read);
        same = str_eq(buf_str(&read), expected);
    }
    buf_free(&list);
    buf_free(&read);
    return same;
}

/* The index of the first program of the batch that differs for the event, else -1. */
static inline int batch_differs(struct batch *batch, struct str event, struct tally *tally)
{
    struct jq_input input = {.text = event};
    struct buf judged = {0};
    struct json_scan scan;
    struct json_iter iter;
    struct err err;
    int differs = -1;

    if (json_scan(event, batch->paths, batch->values, &scan) != 0 || scan.depth > JQ_NATIVE_DEPTH)
        return -1;
    if (jq_first(batch->judge, &input, &judged, &err) != 1) {
        tally->unreadable++;
        buf_free(&judged);
        return -1;
    }
    json_iter_init(&iter, buf_str(&judged));
    for (int i = 0; json_iter_next(&iter) && differs < 0; i++)
        if (!agrees(batch, i, iter.value, tally))
            differs = i;
    buf_free(&judged);
    return differs;
}

#endif
