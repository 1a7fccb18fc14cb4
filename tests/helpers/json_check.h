/*
 * json_check.h: what must hold of the scanner for any bytes. Unit tests and the fuzzer share it.
 *
 * The scanner is held against two others that know nothing of it: the byte-wise reader that names
 * faults, for its judgement, and a slow look-up with the iterator, for the values of paths.
 */
#ifndef FIT_TESTS_JSON_CHECK_H
#define FIT_TESTS_JSON_CHECK_H

#include "base/mem.h"
#include "format/json_fault.h"
#include "format/json_index.h"

#include <stdlib.h>

enum { CHECK_STEPS = 4 };

struct check_step {
    const char *key; /* NULL: an index; a step of all zeros ends the path */
    size_t index;
    bool there;
};

#define CHECK_KEY(name)              \
    {                                \
        .key = (name), .there = true \
    }
#define CHECK_AT(place)                 \
    {                                   \
        .index = (place), .there = true \
    }

/* The paths that every text is asked for; the first is the whole value. */
static const struct check_step check_paths[][CHECK_STEPS] = {
    {{NULL, 0, false}},
    {CHECK_KEY("a")},
    {CHECK_KEY("a"), CHECK_KEY("b")},
    {CHECK_KEY("a"), CHECK_KEY("b"), CHECK_AT(1)},
    {CHECK_KEY("a"), CHECK_AT(0)},
    {CHECK_KEY("a"), CHECK_AT(2), CHECK_KEY("a")},
    {CHECK_KEY("b")},
    {CHECK_KEY("b"), CHECK_AT(0), CHECK_AT(0)},
    {CHECK_KEY("")},
    {CHECK_KEY("c d")},
    {CHECK_KEY("abcdefgh")},
    {CHECK_KEY("abcdefghi"), CHECK_KEY("a")},
    {CHECK_KEY("\xC3\xA9")},
    {CHECK_KEY("\"")},
    {CHECK_AT(0)},
    {CHECK_AT(0), CHECK_KEY("a")},
    {CHECK_AT(1), CHECK_AT(1), CHECK_AT(1)},
    {CHECK_AT(7)},
};
enum { CHECK_PATHS = sizeof check_paths / sizeof *check_paths };

/* The set of those paths, made once and kept, and their nodes. */
static inline const struct json_paths *check_set(const int **nodes)
{
    static struct json_paths *paths;
    static int kept[CHECK_PATHS];
    *nodes = kept;
    if (paths)
        return paths;
    paths = json_paths_new();
    for (int i = 0; i < CHECK_PATHS; i++) {
        for (const struct check_step *step = check_paths[i]; step->there; step++)
            kept[i] = step->key ? json_paths_key(paths, kept[i], str_of(step->key))
                                : json_paths_index(paths, kept[i], step->index);
    }
    return paths;
}

static inline bool check_is_key(struct str string, const char *key)
{
    struct buf decoded = {0};
    json_decode(string, &decoded);
    bool same = decoded.len == strlen(key) && !memcmp(buf_cstr(&decoded), key, decoded.len);
    buf_free(&decoded);
    return same;
}

/* The child of a value that a step leads to. */
static inline struct json_value check_child(struct json_value value, const struct check_step *step)
{
    struct json_value child = {JSON_ABSENT, {NULL, 0}};
    if (value.type == JSON_ABSENT || value.type == JSON_NULL)
        return child;
    if (value.type != (step->key ? JSON_OBJECT : JSON_ARRAY)) {
        child.type = JSON_MISTYPED;
        return child;
    }
    struct json_iter iter;
    json_iter_init(&iter, value.text);
    for (size_t at = 0; json_iter_next(&iter); at++) {
        if (step->key ? check_is_key(iter.key, step->key) : at == step->index)
            child = (struct json_value){json_type_of(iter.value), iter.value};
    }
    return child;
}

static inline bool check_same(struct json_value a, struct json_value b)
{
    return a.type == b.type && a.text.data == b.text.data && a.text.len == b.text.len;
}

static inline unsigned check_depth(struct str text)
{
    unsigned depth = 0, deepest = 0;
    bool string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (string && c == '\\')
            i++;
        else if (c == '"')
            string = !string;
        else if (!string && (c == '[' || c == '{'))
            deepest = ++depth > deepest ? depth : deepest;
        else if (!string && (c == ']' || c == '}'))
            depth--;
    }
    return deepest;
}

static inline const char *check_string(struct str string)
{
    struct buf decoded = {0}, json = {0}, again = {0};
    const char *wrong = NULL;
    json_decode(string, &decoded);
    buf_add_json(&json, buf_str(&decoded));
    if (json_decode(buf_str(&json), &again) != 0)
        wrong = "an encoded string has lone surrogates";
    else if (!str_is_utf8(buf_str(&decoded)))
        wrong = "a decoded string is not UTF-8";
    else if (!str_eq(buf_str(&decoded), buf_str(&again)))
        wrong = "a string changes when it is encoded and decoded";
    buf_free(&decoded);
    buf_free(&json);
    buf_free(&again);
    return wrong;
}

static inline bool check_valid(struct str text)
{
    struct json_scan scan;
    return json_scan(text, NULL, NULL, &scan) == 0;
}

/* Each part of a container is a value of its own, and the parts are all that is in it. */
static inline const char *check_parts(struct json_value value)
{
    if (value.type != JSON_OBJECT && value.type != JSON_ARRAY)
        return NULL;
    struct buf rebuilt = {0}, compact = {0};
    struct json_iter iter;
    const char *wrong = NULL;
    json_iter_init(&iter, value.text);
    buf_addc(&rebuilt, value.text.data[0]);
    for (bool first = true; json_iter_next(&iter); first = false) {
        if (!check_valid(iter.value))
            wrong = "a part is not JSON";
        if ((iter.key.data != NULL) != (value.type == JSON_OBJECT))
            wrong = "a part has a key where it should not, or none";
        if (!first)
            buf_addc(&rebuilt, ',');
        if (iter.key.data) {
            buf_add_str(&rebuilt, iter.key);
            buf_addc(&rebuilt, ':');
        }
        json_compact(iter.value, &rebuilt);
    }
    buf_addc(&rebuilt, value.type == JSON_OBJECT ? '}' : ']');
    json_compact(value.text, &compact);
    if (!wrong && !str_eq(buf_str(&rebuilt), buf_str(&compact)))
        wrong = "the parts do not make up the container";
    buf_free(&rebuilt);
    buf_free(&compact);
    return wrong;
}

static inline const char *check_compact(struct str text)
{
    struct buf once = {0}, twice = {0};
    json_compact(text, &once);
    json_compact(buf_str(&once), &twice);
    const char *wrong = !check_valid(buf_str(&once)) ? "a compacted text is not JSON"
                        : !str_eq(buf_str(&once), buf_str(&twice))
                            ? "a compacted text can be compacted again"
                            : NULL;
    buf_free(&once);
    buf_free(&twice);
    return wrong;
}

static inline const char *check_values(const struct json_value *values, const int *nodes)
{
    for (int i = 0; i < CHECK_PATHS; i++) {
        struct json_value value = values[0], got = values[nodes[i]];
        for (const struct check_step *step = check_paths[i]; step->there; step++)
            value = check_child(value, step);
        if (!check_same(value, got))
            return "a path has another value than the iterator finds";
        if (!got.text.data)
            continue;
        const char *wrong = NULL;
        if (!check_valid(got.text) || got.type != json_type_of(got.text))
            wrong = "a path's value is not JSON of its type";
        if (!wrong && got.type == JSON_STRING)
            wrong = check_string(got.text);
        if (!wrong)
            wrong = check_parts(got);
        if (wrong)
            return wrong;
    }
    return NULL;
}

static inline const char *check_level(struct str text, enum json_level level, const char *fault,
                                      size_t at)
{
    const int *nodes;
    const struct json_paths *paths = check_set(&nodes);
    struct json_value values[JSON_MAX_NODES];
    struct json_scan scan, alone;
    bool refused = json_scan_at_level(text, paths, values, &scan, level) != 0;
    bool refused_alone = json_scan_at_level(text, NULL, NULL, &alone, level) != 0;
    const char *wrong = NULL;
    if (refused != (fault != NULL) || refused_alone != refused)
        wrong = "the scanner and the reader of faults do not agree";
    else if (fault && (scan.at != at || strcmp(scan.reason, fault)))
        wrong = "the fault is reported otherwise";
    else if (!fault && (scan.depth != check_depth(text) || alone.depth != scan.depth))
        wrong = "the depth is wrong";
    else if (!fault)
        wrong = check_values(values, nodes);
    return wrong;
}

/* NULL, or what does not hold for the text. */
static inline const char *json_check(struct str text)
{
    size_t at;
    const char *fault = json_fault(text, &at);
    const char *wrong = NULL;
    if (at > text.len)
        wrong = "a fault beyond the text";
    for (enum json_level level = JSON_PLAIN; !wrong && level <= json_level_best(); level++)
        wrong = check_level(text, level, fault, at);
    if (!wrong && !fault)
        wrong = check_compact(text);
    return wrong;
}

#endif
