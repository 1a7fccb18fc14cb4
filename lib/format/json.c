/* json.c: scan a text and note where the values of paths stand. */
#include "format/json.h"

#include "format/json_cursor.h"
#include "format/json_fault.h"
#include "format/json_paths.h"
#include "format/json_scalar.h"

struct scan {
    struct json_cursor cursor;
    const struct json_paths *paths;
    struct json_value *values;
};

/* A wanted key has come again, the last one counts: forget what the earlier one had. */
static void forget(struct scan *scan, int node)
{
    scan->values[node] = (struct json_value){JSON_ABSENT, {NULL, 0}};
    const struct json_node *nodes = scan->paths->nodes;
    for (int i = nodes[node].keys; i != JSON_NO_NODE; i = nodes[i].sibling)
        forget(scan, i);
    for (int i = nodes[node].indexes; i != JSON_NO_NODE; i = nodes[i].sibling)
        forget(scan, i);
}

static int match_escaped(const struct json_paths *paths, const struct json_node *node,
                         struct str string)
{
    struct buf key = {0};
    json_decode(string, &key);
    int child = node->keys;
    while (child != JSON_NO_NODE && !str_eq(paths->nodes[child].key, buf_str(&key)))
        child = paths->nodes[child].sibling;
    buf_free(&key);
    return child;
}

/* Whether a key without escapes, in whose text room bytes follow its first one, is node's. */
JSON_INLINE bool is_key(const struct json_node *node, const char *key, size_t len, size_t room)
{
    if (node->key.len != len)
        return false;
    if (JSON_UNLIKELY(room < sizeof node->head))
        return memcmp(node->key.data, key, len) == 0;
    uint64_t head;
    memcpy(&head, key, sizeof head);
    if ((head ^ node->head) & node->mask)
        return false;
    return len <= sizeof head ||
           memcmp(node->key.data + sizeof head, key + sizeof head, len - sizeof head) == 0;
}

/* The child of node that a member is, by the quotes of its key. */
JSON_INLINE int find_member(struct scan *scan, const struct json_node *node, const uint32_t *quote)
{
    const struct json_cursor *cursor = &scan->cursor;
    const struct json_node *nodes = scan->paths->nodes;
    const char *key = cursor->text.data + quote[0] + 1;
    size_t len = quote[1] - quote[0] - 1;
    int child = JSON_NO_NODE;
    if (JSON_UNLIKELY(json_index_escapes(&cursor->index, quote)))
        child = match_escaped(scan->paths, node, (struct str){key - 1, len + 2});
    else if (node->key_bits & json_key_bit(key[0], len))
        for (child = node->keys; child != JSON_NO_NODE; child = nodes[child].sibling)
            if (is_key(&nodes[child], key, len, cursor->text.len - quote[0] - 1))
                break;
    if (child != JSON_NO_NODE && JSON_UNLIKELY(scan->values[child].type != JSON_ABSENT))
        forget(scan, child);
    return child;
}

JSON_INLINE void record(struct scan *scan, int child, enum json_type type, size_t start, size_t end)
{
    struct str text = {scan->cursor.text.data + start, end - start};
    scan->values[child] = (struct json_value){type, text};
}

static int find_element(const struct scan *scan, const struct json_node *node, size_t at)
{
    int child = at <= node->last ? node->indexes : JSON_NO_NODE;
    while (child != JSON_NO_NODE && scan->paths->nodes[child].index != at)
        child = scan->paths->nodes[child].sibling;
    return child;
}

static bool visit(struct scan *scan, const struct json_node *node, bool array);

/* Pass the container at the cursor, the value of child: with a look into it where a part is wanted.
 */
static bool visit_container(struct scan *scan, int child)
{
    struct json_cursor *cursor = &scan->cursor;
    if (child == JSON_NO_NODE)
        return json_pass_container(cursor);
    const struct json_node *node = &scan->paths->nodes[child];
    bool array = cursor->text.data[cursor->pos] == '[';
    /* Not absent any more: when the key comes again, its parts are known to need forgetting. */
    scan->values[child].type = array ? JSON_ARRAY : JSON_OBJECT;
    if ((array ? node->indexes : node->keys) == JSON_NO_NODE)
        return json_pass_container(cursor);
    return visit(scan, node, array);
}

/* Recursive, but no deeper than the tree of paths. */
static bool visit(struct scan *scan, const struct json_node *node, bool array)
{
    struct json_cursor *const cursor = &scan->cursor;
    const struct str text = cursor->text;
    const char *const t = text.data;
    const uint32_t *quote = cursor->quote;
    size_t pos = cursor->pos + 1;
    if (cursor->depth == JSON_MAX_DEPTH)
        return false;
    if (++cursor->depth > cursor->deepest)
        cursor->deepest = cursor->depth;

    if (JSON_UNLIKELY(t[pos] <= ' '))
        JSON_MOVE(json_pass_blanks);
    bool more = t[pos] != (array ? ']' : '}');
    for (size_t at = 0; more; at++) {
        int child;
        if (array) {
            child = find_element(scan, node, at);
        } else {
            if (JSON_UNLIKELY(*quote != pos)) {
                JSON_MOVE(json_pass_blanks);
                if (*quote != pos)
                    return false;
            }
            child = find_member(scan, node, quote);
            pos = (size_t)quote[1] + 1;
            quote += 2;
            if (JSON_UNLIKELY(t[pos] != ':')) {
                JSON_MOVE(json_pass_blanks);
                if (t[pos] != ':')
                    return false;
            }
            pos++;
        }

        if (JSON_UNLIKELY(t[pos] <= ' ' || (t[pos] == '"' && *quote != pos)))
            JSON_MOVE(json_pass_blanks);
        size_t start = pos;
        enum json_type type = JSON_STRING;
        if (*quote == pos) {
            pos = (size_t)quote[1] + 1;
            quote += 2;
        } else if ((t[pos] | 0x20) == '{') {
            type = t[pos] == '[' ? JSON_ARRAY : JSON_OBJECT;
            cursor->pos = pos;
            cursor->quote = quote;
            if (!visit_container(scan, child) || cursor->pos == text.len)
                return false;
            pos = cursor->pos;
            quote = cursor->quote;
        } else {
            type = JSON_NUMBER;
            pos = json_scalar_end(text, pos, cursor->level);
            if (JSON_UNLIKELY(!pos))
                return false;
        }
        if (child != JSON_NO_NODE) {
            if (type == JSON_NUMBER)
                type = json_type_of((struct str){t + start, 1});
            record(scan, child, type, start, pos);
        }

        if (JSON_UNLIKELY(t[pos] <= ' '))
            JSON_MOVE(json_pass_blanks);
        more = t[pos] == ',';
        pos += more;
    }
    cursor->depth--;
    cursor->pos = pos + 1;
    cursor->quote = quote;
    return t[pos] == (array ? ']' : '}');
}

/* A value that did not come is absent when its parent could have had it. */
static void settle_absent(const struct json_paths *paths, struct json_value *values)
{
    for (int i = 1; i < paths->count; i++) {
        const struct json_node *node = &paths->nodes[i];
        enum json_type parent = values[node->parent].type;
        enum json_type fitting = node->key.data ? JSON_OBJECT : JSON_ARRAY;
        if (values[i].type == JSON_ABSENT && parent != JSON_ABSENT && parent != JSON_NULL &&
            parent != fitting)
            values[i].type = JSON_MISTYPED;
    }
}

/* The text is not empty and neither starts nor ends with a blank. */
static bool scan_text(struct scan *scan, struct str text, enum json_level level)
{
    struct json_cursor *cursor = &scan->cursor;
    if (!json_cursor_init(cursor, text, level))
        return false;
    char last = text.data[text.len - 1];
    bool container = text.data[0] == '{' || text.data[0] == '[';
    if (container ? last != '}' && last != ']' : !json_pass_lone_scalar(cursor))
        return false;
    if (container &&
        (!visit_container(scan, scan->values ? 0 : JSON_NO_NODE) || cursor->pos != text.len))
        return false;
    if (scan->values)
        record(scan, 0, json_type_of(text), 0, text.len);
    return true;
}

int json_scan_at_level(struct str text, const struct json_paths *paths, struct json_value *values,
                       struct json_scan *found, enum json_level level)
{
    struct scan scan;
    scan.paths = paths;
    scan.values = paths ? values : NULL;
    for (int i = 0; scan.values && i < paths->count; i++)
        values[i] = (struct json_value){JSON_ABSENT, {NULL, 0}};
    if (text.len > JSON_MAX_TEXT) {
        found->at = JSON_MAX_TEXT;
        found->reason = "longer than 4 GiB";
        return -1;
    }
    struct str bare = str_trim(text);
    if (JSON_UNLIKELY(!bare.len || !scan_text(&scan, bare, level))) {
        found->reason = json_fault(text, &found->at);
        return -1;
    }
    found->depth = scan.cursor.deepest;
    if (scan.values)
        settle_absent(paths, values);
    return 0;
}

int json_scan(struct str text, const struct json_paths *paths, struct json_value *values,
              struct json_scan *scan)
{
    return json_scan_at_level(text, paths, values, scan, json_level_best());
}
