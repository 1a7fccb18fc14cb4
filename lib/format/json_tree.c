/* json_tree.c: a JSON value as a tree, to be compared with another. */
#include "format/json_tree.h"

#include "base/hash.h"
#include "base/mem.h"
#include "format/json_order.h"
#include "format/json_patch.h"

#include <stdlib.h>

/* Numbers that grow one by one. */
struct numbers {
    uint32_t *items;
    size_t count, room;
};

struct reading {
    struct json_tree *tree;
    const char *at, *end;
    size_t count, room;      /* nodes */
    struct numbers children; /* as in the tree */
    struct numbers open;     /* children of containers that are not read to their end */
    struct buf scratch;
    unsigned depth;
};

static uint32_t read_value(struct reading *reading);

static void add_number(struct numbers *numbers, uint32_t number)
{
    if (numbers->count == numbers->room) {
        numbers->room = numbers->room ? 2 * numbers->room : 64;
        numbers->items = mem_realloc(numbers->items, numbers->room * sizeof *numbers->items);
    }
    numbers->items[numbers->count++] = number;
}

static uint32_t add_node(struct reading *reading, struct json_node node)
{
    struct json_tree *tree = reading->tree;
    if (reading->count == reading->room) {
        reading->room = reading->room ? 2 * reading->room : 64;
        tree->nodes = mem_realloc(tree->nodes, reading->room * sizeof *tree->nodes);
    }
    tree->nodes[reading->count] = node;
    return (uint32_t)reading->count++;
}

static void pass_blanks(struct reading *reading)
{
    while (reading->at < reading->end && (*reading->at == ' ' || *reading->at == '\t' ||
                                          *reading->at == '\r' || *reading->at == '\n'))
        reading->at++;
}

/* Past the closing quote. True: there are escapes in it. */
static bool pass_string(struct reading *reading)
{
    bool escapes = false;
    for (reading->at++; *reading->at != '"'; reading->at++) {
        if (*reading->at == '\\') {
            escapes = true;
            reading->at++;
        }
    }
    reading->at++;
    return escapes;
}

/* A span up to here. */
static struct json_node span(const struct reading *reading, const char *start)
{
    return (struct json_node){.start = (uint32_t)(start - reading->tree->text.data),
                              .len = (uint32_t)(reading->at - start)};
}

/* ---- hashes ---- */

static uint64_t hash_of(enum json_type type, struct str bytes)
{
    return hash_64(bytes) << JSON_TREE_TYPE | (uint64_t)type;
}

static struct str inner(const struct reading *reading, const char *start)
{
    return (struct str){start + 1, (size_t)(reading->at - start) - 2};
}

static uint64_t hash_string(struct reading *reading, const char *start, bool escapes)
{
    struct str written = {start, (size_t)(reading->at - start)};
    if (!escapes)
        return hash_of(JSON_STRING, inner(reading, start));
    buf_clear(&reading->scratch);
    json_decode(written, &reading->scratch);
    return hash_of(JSON_STRING, buf_str(&reading->scratch));
}

static uint64_t hash_number(struct reading *reading, const char *start)
{
    struct str written = {start, (size_t)(reading->at - start)};
    struct err err;
    buf_clear(&reading->scratch);
    json_order_key(written, &reading->scratch, &err); /* no number is refused */
    return hash_of(JSON_NUMBER, buf_str(&reading->scratch));
}

static void add_hash(struct buf *hashes, uint64_t hash)
{
    buf_add(hashes, &hash, sizeof hash);
}

static uint64_t hash_children(struct reading *reading, const struct json_node *node,
                              enum json_type type)
{
    buf_clear(&reading->scratch);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct json_tree *tree = reading->tree;
        const struct json_node *child = &tree->nodes[reading->children.items[node->first + i]];
        if (type == JSON_OBJECT)
            add_hash(&reading->scratch, hash_64(json_tree_name(tree, child)));
        add_hash(&reading->scratch, child->hash);
    }
    return hash_of(type, buf_str(&reading->scratch));
}

/* ---- containers ---- */

struct member {
    struct str name;
    uint32_t node;
};

static int by_name(const void *left, const void *right)
{
    const struct member *a = left, *b = right;
    int order = json_order_compare(a->name, b->name);
    return order ? order : (a->node > b->node) - (a->node < b->node); /* as they stand */
}

static bool are_in_order(const struct member *members, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (json_order_compare(members[i - 1].name, members[i].name) >= 0)
            return false;
    }
    return true;
}

/* In the order of their names; of the same one the last stays. Returns how many are left. */
static size_t sort_members(const struct json_tree *tree, uint32_t *nodes, size_t count)
{
    struct member *members = mem_alloc(count * sizeof *members);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        members[i] = (struct member){json_tree_name(tree, &tree->nodes[nodes[i]]), nodes[i]};
    if (!are_in_order(members, count))
        qsort(members, count, sizeof *members, by_name);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count || !str_eq(members[i].name, members[i + 1].name))
            nodes[kept++] = members[i].node;
    }
    free(members);
    return kept;
}

/* The children behind open.items[base] are all that there are. */
static void close_container(struct reading *reading, struct json_node *node, size_t base)
{
    enum json_type type = reading->at[-1] == '}' ? JSON_OBJECT : JSON_ARRAY;
    size_t count = reading->open.count - base;
    if (type == JSON_OBJECT && count)
        count = sort_members(reading->tree, reading->open.items + base, count);
    node->first = (uint32_t)reading->children.count;
    node->count = (uint32_t)count & INT32_MAX;
    for (size_t i = 0; i < count; i++)
        add_number(&reading->children, reading->open.items[base + i]);
    reading->open.count = base;
    node->hash = hash_children(reading, node, type);
}

/* Sets where the name of a member stands. */
static struct json_node read_name(struct reading *reading)
{
    struct json_tree *tree = reading->tree;
    const char *start = reading->at;
    struct json_node named = {.escaped = pass_string(reading)};
    struct str name = inner(reading, start);
    if (!named.escaped) {
        named.name = (uint32_t)(name.data - tree->text.data);
        named.name_len = (uint32_t)name.len;
        return named;
    }
    named.name = (uint32_t)tree->decoded.len;
    json_decode((struct str){start, name.len + 2}, &tree->decoded);
    named.name_len = (uint32_t)tree->decoded.len - named.name;
    return named;
}

static uint32_t read_member(struct reading *reading)
{
    struct json_node named = read_name(reading);
    pass_blanks(reading);
    reading->at++; /* the colon */
    uint32_t number = read_value(reading);
    struct json_node *node = &reading->tree->nodes[number];
    node->name = named.name;
    node->name_len = named.name_len;
    node->escaped = named.escaped;
    return number;
}

static uint32_t read_container(struct reading *reading)
{
    const char *start = reading->at++;
    size_t base = reading->open.count;
    reading->depth++;
    pass_blanks(reading);
    while (*reading->at != ']' && *reading->at != '}') {
        add_number(&reading->open, *start == '{' ? read_member(reading) : read_value(reading));
        pass_blanks(reading);
        reading->at += *reading->at == ',';
        pass_blanks(reading);
    }
    reading->at++;
    reading->depth--;
    struct json_node node = span(reading, start);
    close_container(reading, &node, base);
    return add_node(reading, node);
}

/* One that is too deep, by its text. */
static uint32_t pass_container(struct reading *reading)
{
    const char *start = reading->at;
    unsigned open = 0;
    do {
        if (*reading->at == '"') {
            pass_string(reading);
            continue;
        }
        open += *reading->at == '[' || *reading->at == '{';
        open -= *reading->at == ']' || *reading->at == '}';
        reading->at++;
    } while (open);
    struct json_node node = span(reading, start);
    buf_clear(&reading->scratch);
    json_compact((struct str){start, node.len}, &reading->scratch);
    node.hash = hash_of(JSON_ABSENT, buf_str(&reading->scratch));
    return add_node(reading, node);
}

/* ---- values ---- */

/* A number, or true, false, null. */
static void pass_word(struct reading *reading)
{
    const char *at = reading->at;
    while (at<reading->end && * at> ' ' && *at != ',' && *at != ']' && *at != '}')
        at++;
    reading->at = at;
}

static uint32_t read_scalar(struct reading *reading)
{
    const char *start = reading->at;
    enum json_type type = json_type_of((struct str){start, 1});
    bool escapes = false;
    if (type == JSON_STRING)
        escapes = pass_string(reading);
    else
        pass_word(reading);
    struct json_node node = span(reading, start);
    if (type == JSON_STRING)
        node.hash = hash_string(reading, start, escapes);
    else if (type == JSON_NUMBER)
        node.hash = hash_number(reading, start);
    else
        node.hash = hash_of(type, (struct str){"", 0});
    return add_node(reading, node);
}

static uint32_t read_value(struct reading *reading)
{
    pass_blanks(reading);
    if (*reading->at != '[' && *reading->at != '{')
        return read_scalar(reading);
    return reading->depth < JSON_PATCH_DEPTH ? read_container(reading) : pass_container(reading);
}

void json_tree_init(struct json_tree *tree, struct str value)
{
    *tree = (struct json_tree){.text = value};
    struct reading reading = {.tree = tree, .at = value.data, .end = value.data + value.len};
    tree->root = read_value(&reading);
    tree->children = reading.children.items;
    free(reading.open.items);
    buf_free(&reading.scratch);
}

void json_tree_free(struct json_tree *tree)
{
    free(tree->nodes);
    free(tree->children);
    buf_free(&tree->decoded);
}

/* ---- comparing ---- */

static bool equal_plain(enum json_type type, struct str a, struct str b)
{
    struct buf left = {0}, right = {0};
    struct err err;
    if (type == JSON_ABSENT) {
        json_compact(a, &left);
        json_compact(b, &right);
    } else { /* it is flat: nothing of it is refused */
        json_order_key(a, &left, &err);
        json_order_key(b, &right, &err);
    }
    bool equal = str_eq(buf_str(&left), buf_str(&right));
    buf_free(&left);
    buf_free(&right);
    return equal;
}

static bool equal_names(const struct json_tree *a, const struct json_node *left,
                        const struct json_tree *b, const struct json_node *right)
{
    return str_eq(json_tree_name(a, left), json_tree_name(b, right));
}

bool json_tree_equal(const struct json_tree *a, const struct json_node *left,
                     const struct json_tree *b, const struct json_node *right)
{
    struct str text = json_tree_text(a, left), other = json_tree_text(b, right);
    enum json_type type = json_tree_type(left);
    if (left->hash != right->hash || left->count != right->count)
        return false;
    if (str_eq(text, other))
        return true;
    if (!left->count)
        return equal_plain(type, text, other);
    for (uint32_t i = 0; i < left->count; i++) {
        const struct json_node *one = json_tree_child(a, left, i);
        const struct json_node *two = json_tree_child(b, right, i);
        if ((type == JSON_OBJECT && !equal_names(a, one, b, two)) ||
            !json_tree_equal(a, one, b, two))
            return false;
    }
    return true;
}
