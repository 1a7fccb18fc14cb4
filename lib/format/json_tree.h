/*
 * json_tree.h: a JSON value as a tree, to be compared with another: for json_patch.c only.
 *
 * Each value is a span of the text with a hash that depends on what it is and not on how it is
 * written, as json_order.h compares: members are in the order of their names, of a name that stands
 * twice the last one is there. Values with different hashes differ; whether those with the same one
 * are equal, json_tree_equal looks at.
 *
 * A container that is nested deeper than JSON_PATCH_DEPTH has no children: it is compared by its
 * text without blanks.
 */
#ifndef FIT_FORMAT_JSON_TREE_H
#define FIT_FORMAT_JSON_TREE_H

#include "base/buf.h"
#include "base/str.h"
#include "format/json.h"

#include <stdint.h>

struct json_node {
    uint32_t start, len; /* in the text */
    uint32_t name,
        name_len;   /* of a member, decoded: in the text, or in decoded when it has escapes */
    uint32_t first; /* in children */
    uint32_t count : 31, escaped : 1;
    uint64_t hash; /* with the type */
};

struct json_tree {
    struct str text;
    struct json_node *nodes;
    uint32_t *children; /* numbers of nodes; those of one container stand together */
    struct buf decoded;
    uint32_t root;
};

enum { JSON_TREE_TYPE = 4 }; /* bits of a hash */

/* Of a validated value, whose bytes are borrowed. */
void json_tree_init(struct json_tree *tree, struct str value);
void json_tree_free(struct json_tree *tree);

static inline const struct json_node *json_tree_child(const struct json_tree *tree,
                                                      const struct json_node *node, uint32_t place)
{
    return &tree->nodes[tree->children[node->first + place]];
}

/* JSON_ABSENT: it is a container that is nested too deep. */
static inline enum json_type json_tree_type(const struct json_node *node)
{
    return (enum json_type)(node->hash & ((1U << JSON_TREE_TYPE) - 1));
}

static inline struct str json_tree_text(const struct json_tree *tree, const struct json_node *node)
{
    return (struct str){tree->text.data + node->start, node->len};
}

static inline struct str json_tree_name(const struct json_tree *tree, const struct json_node *node)
{
    const char *names = node->escaped ? tree->decoded.data : tree->text.data;
    return (struct str){names + node->name, node->name_len};
}

bool json_tree_equal(const struct json_tree *a, const struct json_node *left,
                     const struct json_tree *b, const struct json_node *right);

#endif
