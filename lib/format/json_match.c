/* json_match.c: which values of a text are wanted. */
#include "format/json_match.h"

void json_match_init(struct json_match *match, const struct json_paths *paths,
                     struct json_value *values, struct str text)
{
    match->paths = paths;
    match->values = values;
    match->text = text;
    for (int i = 0; i < paths->count; i++)
        values[i] = (struct json_value){JSON_ABSENT, {NULL, 0}};
}

void json_match_end(struct json_match *match)
{
    struct json_value *values = match->values;
    for (int i = 1; i < match->paths->count; i++) {
        const struct json_node *node = &match->paths->nodes[i];
        enum json_type parent = values[node->parent].type;
        enum json_type fitting = node->key.data ? JSON_OBJECT : JSON_ARRAY;
        if (values[i].type == JSON_ABSENT && parent != JSON_ABSENT && parent != JSON_NULL &&
            parent != fitting)
            values[i].type = JSON_MISTYPED;
    }
}

static int match_escaped(const struct json_match *match, const struct json_node *node,
                         struct str string)
{
    const struct json_paths *paths = match->paths;
    struct buf key = {0};
    json_decode(string, &key);
    int child = node->keys;
    while (child != JSON_NO_NODE && !str_eq(paths->nodes[child].key, buf_str(&key)))
        child = paths->nodes[child].sibling;
    buf_free(&key);
    return child;
}

/* A wanted key has come again, and the last one counts: forget what the earlier one had. */
static void forget(struct json_match *match, int node)
{
    match->values[node] = (struct json_value){JSON_ABSENT, {NULL, 0}};
    const struct json_node *nodes = match->paths->nodes;
    for (int i = nodes[node].keys; i != JSON_NO_NODE; i = nodes[i].sibling)
        forget(match, i);
    for (int i = nodes[node].indexes; i != JSON_NO_NODE; i = nodes[i].sibling)
        forget(match, i);
}

/* The child with a key that has no escapes. Its first bytes are compared as one word. */
static int match_plain(const struct json_match *match, const struct json_node *node, struct str key)
{
    const struct json_node *nodes = match->paths->nodes;
    uint64_t head = 0;
    size_t room = (size_t)(match->text.data + match->text.len - key.data);
    if (JSON_LIKELY(room >= sizeof head))
        memcpy(&head, key.data, sizeof head);
    else
        memcpy(&head, key.data, room);
    int child = node->keys;
    for (; child != JSON_NO_NODE; child = nodes[child].sibling) {
        if (nodes[child].key.len != key.len || (head ^ nodes[child].head) & nodes[child].mask)
            continue;
        if (key.len <= sizeof head || !memcmp(nodes[child].key.data, key.data, key.len))
            break;
    }
    return child;
}

int json_match_key(struct json_match *match, const struct json_node *node, struct str string,
                   bool escapes)
{
    struct str key = {string.data + 1, string.len - 2};
    int child;
    if (JSON_UNLIKELY(escapes && memchr(key.data, '\\', key.len)))
        child = match_escaped(match, node, string);
    else
        child = match_plain(match, node, key);
    if (child != JSON_NO_NODE && JSON_UNLIKELY(match->values[child].type != JSON_ABSENT))
        forget(match, child);
    return child;
}

int json_match_element(struct json_match *match, const struct json_node *node)
{
    const struct json_node *nodes = match->paths->nodes;
    size_t at = match->elements[node - nodes]++;
    int child = at <= node->last ? node->indexes : JSON_NO_NODE;
    while (child != JSON_NO_NODE && nodes[child].index != at)
        child = nodes[child].sibling;
    return child;
}
