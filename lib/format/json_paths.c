/* json_paths.c: sets of paths, and how users write them. */
#include "format/json.h"

#include "base/mem.h"
#include "format/json_paths.h"

#include <stdlib.h>

enum { INDEX_DIGITS = 15 }; /* of an index in a path; more is not read as a path */

struct json_paths *json_paths_new(void)
{
    struct json_paths *paths = mem_alloc(sizeof *paths); /* no node is touched that is not there */
    paths->count = 1;
    paths->nodes[0] = (struct json_node){.parent = JSON_NO_NODE,
                                         .sibling = JSON_NO_NODE,
                                         .keys = JSON_NO_NODE,
                                         .indexes = JSON_NO_NODE};
    return paths;
}

void json_paths_free(struct json_paths *paths)
{
    if (!paths)
        return;
    for (int i = 1; i < paths->count; i++)
        free((void *)(uintptr_t)paths->nodes[i].key.data);
    free(paths);
}

size_t json_paths_count(const struct json_paths *paths)
{
    return (size_t)paths->count;
}

static int find_key(const struct json_paths *paths, int node, struct str key)
{
    int child = paths->nodes[node].keys;
    while (child != JSON_NO_NODE && !str_eq(paths->nodes[child].key, key))
        child = paths->nodes[child].sibling;
    return child;
}

static int find_index(const struct json_paths *paths, int node, size_t index)
{
    int child = paths->nodes[node].indexes;
    while (child != JSON_NO_NODE && paths->nodes[child].index != index)
        child = paths->nodes[child].sibling;
    return child;
}

static int add_child(struct json_paths *paths, int node, int *list, struct str key, size_t index)
{
    if (paths->count == JSON_MAX_NODES)
        return JSON_NO_NODE;
    int child = paths->count++;
    paths->nodes[child] = (struct json_node){.parent = node,
                                             .sibling = *list,
                                             .keys = JSON_NO_NODE,
                                             .indexes = JSON_NO_NODE,
                                             .key = key,
                                             .index = index};
    *list = child;
    return child;
}

int json_paths_key(struct json_paths *paths, int node, struct str key)
{
    int child = find_key(paths, node, key);
    if (child != JSON_NO_NODE || paths->count == JSON_MAX_NODES)
        return child;
    struct json_node *parent = &paths->nodes[node];
    struct str own = {mem_strndup(key.len ? key.data : "", key.len), key.len};
    char start[] = {own.data[0], key.len > 1 ? own.data[1] : '"'};
    parent->key_bits |= key.len ? json_key_bit(start) : UINT64_MAX;
    int made = add_child(paths, node, &parent->keys, own, 0);
    size_t head = key.len < sizeof(uint64_t) ? key.len : sizeof(uint64_t);
    memcpy(&paths->nodes[made].head, own.data, head);
    memset(&paths->nodes[made].mask, 0xFF, head);
    return made;
}

int json_paths_index(struct json_paths *paths, int node, size_t index)
{
    int child = find_index(paths, node, index);
    if (child != JSON_NO_NODE)
        return child;
    struct json_node *parent = &paths->nodes[node];
    child = add_child(paths, node, &parent->indexes, (struct str){NULL, 0}, index);
    if (child != JSON_NO_NODE && index > parent->last)
        parent->last = index;
    return child;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool starts_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static char byte_at(struct str text, size_t at)
{
    return at < text.len ? text.data[at] : '\0';
}

static size_t name_length(struct str text, size_t at)
{
    size_t len = 0;
    if (starts_name(byte_at(text, at)))
        while (starts_name(byte_at(text, at + len)) || is_digit(byte_at(text, at + len)))
            len++;
    return len;
}

/* The bytes of the JSON string that starts at the quote at; 0 when it is not one. */
static size_t string_length(struct str text, size_t at)
{
    size_t stop = at + 1;
    while (stop < text.len && text.data[stop] != '"')
        stop += text.data[stop] == '\\' ? 2 : 1;
    if (stop >= text.len)
        return 0;
    struct json_scan scan;
    size_t len = stop + 1 - at;
    return json_scan((struct str){text.data + at, len}, NULL, NULL, &scan) == 0 ? len : 0;
}

static int add_string(struct json_paths *paths, int node, struct str string)
{
    struct buf key = {0};
    json_decode(string, &key);
    int child = json_paths_key(paths, node, buf_str(&key));
    buf_free(&key);
    return child;
}

static size_t index_digits(struct str text, size_t at)
{
    size_t len = 0;
    while (is_digit(byte_at(text, at + len)))
        len++;
    return len > INDEX_DIGITS || (len > 1 && text.data[at] == '0') ? 0 : len;
}

/*
 * Read one step at *at and go to its node. *at stays when there is none: "[]", "[1:]" and the like
 * are left for the caller's own grammar. first: the path's leading dot has been read already, so
 * that a name needs none of its own. -1: a node too many.
 */
static int read_step(struct json_paths *paths, struct str text, int node, bool first, size_t *at)
{
    size_t start = *at, len;
    if (byte_at(text, start) == '[') {
        start++;
        bool quoted = byte_at(text, start) == '"';
        len = quoted ? string_length(text, start) : index_digits(text, start);
        if (!len || byte_at(text, start + len) != ']')
            return node;
        *at = start + len + 1;
        if (quoted)
            return add_string(paths, node, (struct str){text.data + start, len});
        size_t index = 0;
        for (size_t i = 0; i < len; i++)
            index = index * 10 + (size_t)(text.data[start + i] - '0');
        return json_paths_index(paths, node, index);
    }
    if (!first && byte_at(text, start++) != '.')
        return node;
    if (byte_at(text, start) == '"') {
        len = string_length(text, start);
        if (!len)
            return node;
        *at = start + len;
        return add_string(paths, node, (struct str){text.data + start, len});
    }
    len = name_length(text, start);
    if (!len)
        return node;
    *at = start + len;
    return json_paths_key(paths, node, (struct str){text.data + start, len});
}

int json_paths_parse(struct json_paths *paths, struct str text, int *node, size_t *used,
                     struct err *err)
{
    if (byte_at(text, 0) != '.')
        return err_set(err, ERR_USAGE, "a path starts with a dot");
    int here = 0;
    size_t at = 1, before = 0;
    for (bool first = true; at != before; first = false) {
        before = at;
        here = read_step(paths, text, here, first, &at);
        if (here == JSON_NO_NODE)
            return err_set(err, ERR_USAGE, "more than %d paths and prefixes", JSON_MAX_NODES);
    }
    if (at == 1 && byte_at(text, 1) == '"')
        return err_set(err, ERR_USAGE, "invalid string in a path");
    *node = here;
    *used = at;
    return 0;
}
