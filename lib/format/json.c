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

static int match_decoded(const struct json_paths *paths, const struct json_node *node,
                         struct str key)
{
    int child = node->keys;
    while (child != JSON_NO_NODE && !str_eq(paths->nodes[child].key, key))
        child = paths->nodes[child].sibling;
    return child;
}

static int match_escaped(const struct json_paths *paths, const struct json_node *node,
                         struct str string)
{
    struct buf key = {0};
    json_decode(string, &key);
    int child = match_decoded(paths, node, buf_str(&key));
    buf_free(&key);
    return child;
}

static int match_member(struct scan *scan, const struct json_node *node, const char *open,
                        const char *close)
{
    struct str key = {open + 1, (size_t)(close - open) - 1};
    int child;
    if (memchr(key.data, '\\', key.len))
        child = match_escaped(scan->paths, node, (struct str){open, key.len + 2});
    else
        child = match_decoded(scan->paths, node, key);
    if (child != JSON_NO_NODE && JSON_UNLIKELY(scan->values[child].type != JSON_ABSENT))
        forget(scan, child);
    return child;
}

/* The child of node that a member is, by the quotes of its key. */
JSON_INLINE int find_member(struct scan *scan, const struct json_node *node, const uint32_t *quote)
{
    const char *open = scan->cursor.text.data + quote[0];
    const char *close = scan->cursor.text.data + quote[1];
    uint64_t bit = json_key_bit(open[1], (size_t)(close - open) - 1);
    if (JSON_LIKELY(!(node->key_bits & bit) && !json_index_escapes(&scan->cursor.index, quote)))
        return JSON_NO_NODE;
    return match_member(scan, node, open, close);
}

JSON_INLINE void record(struct scan *scan, int child, size_t start, size_t end)
{
    struct str text = {scan->cursor.text.data + start, end - start};
    scan->values[child] = (struct json_value){json_type_of((struct str){text.data, 1}), text};
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
    record(scan, child, cursor->pos, cursor->pos); /* its parts come under a key that is not new */
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
        if (*quote == pos) {
            pos = (size_t)quote[1] + 1;
            quote += 2;
        } else if ((t[pos] | 0x20) == '{') {
            cursor->pos = pos;
            cursor->quote = quote;
            if (!visit_container(scan, child) || cursor->pos == text.len)
                return false;
            pos = cursor->pos;
            quote = cursor->quote;
        } else {
            pos = json_scalar_end(text, pos, cursor->level);
            if (JSON_UNLIKELY(!pos))
                return false;
        }
        if (child != JSON_NO_NODE)
            record(scan, child, start, pos);

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
    if (scan->values)
        record(scan, 0, 0, text.len);
    return !container ||
           (visit_container(scan, scan->values ? 0 : JSON_NO_NODE) && cursor->pos == text.len);
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
