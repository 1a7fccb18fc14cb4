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

/* The value of node comes again, and the last one counts: forget what the earlier one had. */
static void forget(struct json_match *match, int node)
{
    match->values[node] = (struct json_value){JSON_ABSENT, {NULL, 0}};
    const struct json_node *nodes = match->paths->nodes;
    for (int i = nodes[node].keys; i != JSON_NO_NODE; i = nodes[i].sibling)
        forget(match, i);
    for (int i = nodes[node].indexes; i != JSON_NO_NODE; i = nodes[i].sibling)
        forget(match, i);
}

/* What is rare is out of line and called last, so that json_match_key saves no registers for it. */
static __attribute__((noinline)) int match_again(struct json_match *match, int node)
{
    forget(match, node);
    return node;
}

static __attribute__((noinline)) int match_escaped(struct json_match *match,
                                                   const struct json_node *node, struct str string)
{
    const struct json_node *nodes = match->paths->nodes;
    struct buf key = {0};
    json_decode(string, &key);
    int child = node->keys;
    while (child != JSON_NO_NODE && !str_eq(nodes[child].key, buf_str(&key)))
        child = nodes[child].sibling;
    buf_free(&key);
    return child == JSON_NO_NODE ? child : match_again(match, child);
}

static bool has_escape(struct str key)
{
    return key.len && memchr(key.data, '\\', key.len);
}

/* Whether key, whose first bytes are head, is node's. Few keys are longer than head. */
JSON_INLINE bool is_key(const struct json_node *node, struct str key, uint64_t head)
{
    if (node->key.len != key.len || ((head ^ node->head) & node->mask))
        return false;
    for (size_t i = sizeof head; i < key.len; i++) {
        if (node->key.data[i] != key.data[i])
            return false;
    }
    return true;
}

int json_match_key(struct json_match *match, const struct json_index *index,
                   const struct json_node *node, const uint32_t *quote)
{
    const struct json_node *nodes = match->paths->nodes;
    struct str key = {match->text.data + quote[0] + 1, quote[1] - quote[0] - 1};
    if (JSON_UNLIKELY(json_index_escapes(index, quote) && has_escape(key)))
        return match_escaped(match, node, (struct str){key.data - 1, key.len + 2});
    uint64_t head = 0;
    size_t room = match->text.len - quote[0] - 1;
    if (JSON_LIKELY(room >= sizeof head))
        memcpy(&head, key.data, sizeof head);
    else
        memcpy(&head, key.data, room);
    int child = node->keys;
    while (child != JSON_NO_NODE && !is_key(&nodes[child], key, head))
        child = nodes[child].sibling;
    if (child != JSON_NO_NODE && JSON_UNLIKELY(match->values[child].type != JSON_ABSENT))
        return match_again(match, child);
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
