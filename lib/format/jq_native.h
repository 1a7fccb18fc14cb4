/*
 * jq_native.h: the simple part of the jq language, parsed and evaluated without libjq.
 *
 * Internal to format: jq_program.c, jq_native.c (text to expressions) and jq_eval.c (expressions to
 * values). The language: paths (".", ".a.b", ".a[\"k\"]", ".a[0]"), literals, comparisons, and, or,
 * not, "//", has("k"), startswith("x"), endswith("x"), test("^literal"), test("literal"),
 * parentheses, pipes of these, and at the top of the program select(P) as a stage and PATH[] as the
 * last one. No commas: an expression has one value or none.
 *
 * Two invariants make it exact. What the parser takes is valid jq with the same meaning (what it
 * does not know for sure is not native). What the evaluator returns is what libjq returns for the
 * event; where that would be an error, or is not certain, it declines, and the event goes through
 * libjq. It also answers on an event that libjq 1.6 cannot even parse (a lone surrogate escape in a
 * part that the program does not compare).
 */
#ifndef FIT_FORMAT_JQ_NATIVE_H
#define FIT_FORMAT_JQ_NATIVE_H

#include "base/buf.h"
#include "base/str.h"
#include "format/json.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    JQ_NATIVE_EXPRS =
        128, /* expressions of a program, steps of its paths: a larger one is not native */
    JQ_NATIVE_NESTING = 32, /* parentheses: likewise */
    JQ_NATIVE_DIGITS = 15,  /* numbers of more digits are declined: a double may not hold them */
    JQ_NATIVE_DEPTH = 256,  /* deeper events are declined: libjq 1.6 refuses them */
};

enum jq_op {
    JQ_PATH,    /* the value of step */
    JQ_EACH,    /* its elements: only as the whole last stage of a program */
    JQ_CONST,   /* a literal */
    JQ_COMPARE, /* left REL right */
    JQ_CHECK,   /* the value of step REL the literal at right: a shorter way for the usual case */
    JQ_AND,     /* left, right: short-circuit, boolean result */
    JQ_OR,
    JQ_NOT,    /* left */
    JQ_ALT,    /* left // right */
    JQ_HAS,    /* has the parent of step (a key) that key? */
    JQ_STARTS, /* the string at step with text */
    JQ_ENDS,
    JQ_CONTAINS, /* test("text") */
    JQ_SELECT,   /* the value of step if left holds, else nothing */
    JQ_PIPE,     /* left for its errors and its emptiness only, then right */
};

/* The orders of left and right for which the relation holds, as bits. */
enum jq_rel {
    JQ_LT = 1,
    JQ_EQ = 2,
    JQ_GT = 4,
    JQ_LE = JQ_LT | JQ_EQ,
    JQ_NE = JQ_LT | JQ_GT,
    JQ_GE = JQ_GT | JQ_EQ,
};

struct jq_expr {
    enum jq_op op;
    enum jq_rel rel;
    int step;
    int left, right;         /* indexes of expressions */
    struct str text;         /* the argument of starts, ends, contains */
    struct json_value value; /* the literal of JQ_CONST */
    double number;           /* and its number, if it is one */
};

/* A step of a path: under parent, the key, or the index if the key is absent. Step 0 is the whole
 * event. */
struct jq_step {
    int parent;
    struct str key;
    size_t index;
    int node; /* in the set of paths, after jq_native_bind */
};

struct jq_native {
    char *text; /* a copy, which keys and literals point into */
    struct jq_expr exprs[JQ_NATIVE_EXPRS];
    int expr_count;
    struct jq_step steps[JQ_NATIVE_EXPRS];
    int step_count;
    int root;              /* the program's expression */
    struct buf decoded[2]; /* escaped strings while they are compared */
};

/* NULL: not in the language. */
struct jq_native *jq_native_parse(struct str text);
void jq_native_free(struct jq_native *native);

/* Add the paths to the set, whose values evaluation then takes. -1: the set is full. */
int jq_native_bind(struct jq_native *native, struct json_paths *paths);

enum jq_result {
    JQ_DECLINED, /* ask libjq */
    JQ_NOTHING,  /* the program has no output */
    JQ_VALUE,    /* its output is in *value: bytes of the event, of the program or static ones */
    JQ_ELEMENTS, /* its outputs are the elements of the array or object in *value */
};

enum jq_result jq_native_eval(struct jq_native *native, const struct json_value *values,
                              struct json_value *value);

/* The number of validated text, if libjq has certainly the same double. */
bool jq_native_number(struct str text, double *number);

/* Neither false nor null (nor absent). */
static inline bool jq_truth(enum json_type type)
{
    return type >= JSON_TRUE;
}

/*
 * Hand the elements of a container to emit, as jq would: the values of an object in the order of
 * the first appearance of their keys, with the last value of each. Returns 0 or the non-zero result
 * of emit.
 */
int jq_native_elements(struct str container, int (*emit)(void *context, struct str json),
                       void *context);

/* ---- for tests (in jq_program.c) ---- */

struct jq_program;
void jq_force_libjq(struct jq_program *program, bool force); /* ignore the native form */
uint64_t
jq_declined(const struct jq_program *program); /* events that the native form gave to libjq */

#endif
