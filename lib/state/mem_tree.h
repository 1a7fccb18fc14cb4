/*
 * mem_tree.h: a sorted map from bytes to bytes in memory. Internal to lib/state.
 *
 * A B+ tree of pages (mem_page.h): finding, putting and removing cost the logarithm of the number
 * of records, and little where the last one was. Bytes that are handed out are valid until the next
 * change.
 */
#ifndef FIT_STATE_MEM_TREE_H
#define FIT_STATE_MEM_TREE_H

#include "state/mem_page.h"

struct mem_tree { /* zeroed: empty */
    struct mem_page *root;
    struct mem_page *recent; /* the leaf that was needed last, or NULL */
    unsigned at;             /* about where in it */
};

void mem_tree_free(struct mem_tree *tree); /* leaves an empty, usable one */

bool mem_tree_get(struct mem_tree *tree, struct str key, struct str *value);
void mem_tree_put(struct mem_tree *tree, struct str key, struct str value); /* also replaces */
bool mem_tree_remove(struct mem_tree *tree, struct str key); /* false: there is none */

/* The first record whose key is not below from (beyond: above it). */
bool mem_tree_seek(struct mem_tree *tree, struct str from, bool beyond, struct str *key,
                   struct str *value);
/* The last one whose key is below; an empty one: the last of all. */
bool mem_tree_last(struct mem_tree *tree, struct str below, struct str *key, struct str *value);

#endif
