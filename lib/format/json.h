/*
 * json.h: a strict JSON scanner that builds no tree.
 *
 * One pass over the bytes validates them (RFC 8259, UTF-8 of RFC 3629) and records where the values
 * of a set of paths stand. Values are spans of the original bytes: a number keeps its digits, an
 * object its key order. Lone surrogate escapes ("\ud800") and numbers of any size pass; NaN,
 * Infinity, leading zeros, trailing text, raw control characters and bytes that are not UTF-8 do
 * not.
 *
 * Strings are found 64 bytes at a time: with AVX-512 where the processor has it, else SSE2, else
 * (and with -DJSON_NO_SIMD) plain C. The results are the same; tests hold them equal.
 */
#ifndef FIT_FORMAT_JSON_H
#define FIT_FORMAT_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JSON_MAX_DEPTH = 10000, /* deeper nesting is refused as malformed */
    JSON_MAX_NODES = 256,   /* paths and their prefixes in one set */
};
#define JSON_MAX_TEXT (UINT32_MAX - 1) /* bytes of a text; a longer one is refused, unread */

enum json_type {
    JSON_ABSENT,   /* no such key or index, or the parent is null or absent */
    JSON_MISTYPED, /* an ancestor is of a type that cannot be indexed so (jq: "Cannot index ...") */
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

/* text is the value's own bytes, a string's with its quotes; {NULL, 0} when it is not there. */
struct json_value {
    enum json_type type;
    struct str text;
};

/* What a scan found out besides the values; at and reason only after a failure. */
struct json_scan {
    unsigned depth; /* deepest nesting: a scalar 0, [] 1, [[]] 2 */
    size_t at;      /* offset of the offending byte; the length of the text when it ended early */
    const char *reason; /* static, lower case: "invalid escape", "control character in a string" */
};

/*
 * A set of paths, kept as a tree of steps. Node 0 is the whole value; each node's parent has a
 * lower number. Values of a scan are an array with one json_value for each node.
 */
struct json_paths;

struct json_paths *json_paths_new(void);
void json_paths_free(struct json_paths *paths);
size_t json_paths_count(const struct json_paths *paths); /* nodes: at least 1 */

/* The child of node under a key (decoded bytes) or at an index, made if it is new; -1 when the set
 * is full. */
int json_paths_key(struct json_paths *paths, int node, struct str key);
int json_paths_index(struct json_paths *paths, int node, size_t index);

/*
 * Read a path as users write it at the start of text: ".", ".a.b", ".a[0].b", ".[0]", ".\"x y\"",
 * ".a[\"k\"]". Names without quotes are [A-Za-z_][A-Za-z0-9_]*. Adds the path and sets *node and
 * *used (bytes read). Returns 0, or -1 with ERR_USAGE when there is no path at the start.
 */
int json_paths_parse(struct json_paths *paths, struct str text, int *node, size_t *used,
                     struct err *err);

/*
 * Scan text, which must hold exactly one JSON value with optional blanks around it (not the empty
 * text). paths may be NULL (values then too). values, of json_paths_count entries, is filled on
 * success and undefined after a failure; of a key that stands twice in an object the last one
 * counts, as in jq. Keys are compared after decoding their escapes. Returns 0, or -1 with scan->at
 * and scan->reason. scan is never NULL. Does not allocate (but for an escaped key).
 */
int json_scan(struct str text, const struct json_paths *paths, struct json_value *values,
              struct json_scan *scan);

/* The type of a value by its first byte. text is a validated value without blanks before it. */
enum json_type json_type_of(struct str text);

/*
 * Append the decoded bytes of a validated string (with its quotes). A lone surrogate escape becomes
 * U+FFFD; the return value says how many there were (0: exact). "\u0000" gives a NUL byte.
 */
size_t json_decode(struct str string, struct buf *out);

/* Walk the elements of a validated array, or the members of a validated object, in order. */
struct json_iter {
    struct str rest;
    struct str key;   /* a member's key with its quotes; {NULL, 0} for an element */
    struct str value; /* without blanks around it */
};
void json_iter_init(struct json_iter *iter, struct str container);
bool json_iter_next(struct json_iter *iter); /* false: no more */

/* Append a validated value without the blanks between its tokens: a document as one line. */
void json_compact(struct str text, struct buf *out);

#endif
