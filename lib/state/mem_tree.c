/*
 * mem_tree.c: a sorted map from bytes to bytes in memory.
 *
 * In an inner page a record is a key and the page of the records from that key on, up to the next
 * one's; the key of the first is never looked at. Leaves are linked to their neighbours, and none
 * is empty, but the only one. A leaf that is a quarter full joins a neighbour that has room.
 */
#include "state/mem_tree.h"

#include "base/mem.h"

#include <stdlib.h>

enum {
    DEPTH = 16,              /* of a tree: a page has room for at least 8 records */
    FEW = MEM_PAGE / 4,      /* bytes of a leaf that had better join another */
    FULL = MEM_PAGE * 3 / 4, /* bytes of one that they become at most */
};

struct path { /* from the root to a leaf */
    unsigned depth;
    struct {
        struct mem_page *page;
        unsigned at; /* the child */
    } up[DEPTH];
    struct mem_page *leaf;
};

static struct mem_page *child(const struct mem_page *page, unsigned at)
{
    struct mem_page *own;
    memcpy(&own, mem_page_value(page, at).data, sizeof own);
    return own;
}

static struct str child_value(struct mem_page *const *page)
{
    return (struct str){(const char *)page, sizeof *page};
}

/* The leaf of the key, and where in it the first record stands that is not below. */
static unsigned find(struct mem_tree *tree, struct str key, struct path *path, bool *found)
{
    if (!tree->root)
        tree->root = mem_page_new(true);
    path->depth = 0;
    path->leaf = tree->root;
    while (!path->leaf->is_leaf) {
        unsigned at = mem_page_find(path->leaf, key, path->leaf->count / 2, found);
        at -= at > 0 && !*found;
        path->up[path->depth].page = path->leaf;
        path->up[path->depth++].at = at;
        path->leaf = child(path->leaf, at);
    }
    tree->recent = path->leaf;
    return tree->at = mem_page_find(path->leaf, key, path->leaf->count / 2, found);
}

/* Does the key belong to the leaf that was needed last? Between its records, it does. */
static bool is_recent(struct mem_tree *tree, struct str key, unsigned *at, bool *found)
{
    const struct mem_page *leaf = tree->recent;
    if (!leaf)
        return false;
    *at = tree->at = mem_page_find(leaf, key, tree->at, found);
    return *found || (*at > 0 && *at < leaf->count) || (*at && !leaf->next);
}

static struct mem_page *leaf_of(struct mem_tree *tree, struct str key, unsigned *at, bool *found)
{
    struct path path;
    if (!is_recent(tree, key, at, found))
        *at = find(tree, key, &path, found);
    return tree->recent;
}

/* ---- putting ---- */

static void link_behind(struct mem_page *left, struct mem_page *right)
{
    right->next = left->next;
    right->prev = left;
    if (left->next)
        left->next->prev = right;
    left->next = right;
}

/* Everything that was in the root is below the new one. */
static void raise_root(struct mem_tree *tree)
{
    struct mem_page *root = mem_page_new(false), *old = tree->root;
    mem_page_insert(root, 0, (struct str){"", 0}, child_value(&old));
    tree->root = root;
}

static void put_in(struct mem_tree *tree, struct path *path, unsigned level, struct mem_page *page,
                   unsigned at, struct str key, struct str value);

/* Part a page in two; the right one gets the records from there on, or is for the new key alone. */
static struct mem_page *split(struct mem_tree *tree, struct path *path, unsigned level,
                              struct mem_page *page, unsigned from, struct str key)
{
    struct mem_page *right = mem_page_new(page->is_leaf);
    mem_page_move(page, from, right);
    if (page->is_leaf)
        link_behind(page, right);
    if (level == 0) {
        raise_root(tree);
        memmove(path->up + 1, path->up, path->depth * sizeof *path->up);
        path->depth++;
        path->up[0].page = tree->root;
        path->up[0].at = 0;
        level = 1;
    }
    struct str first = right->count ? mem_page_key(right, 0) : key;
    put_in(tree, path, level - 1, path->up[level - 1].page, path->up[level - 1].at + 1, first,
           child_value(&right));
    return right;
}

/* Put a record into a page of that level (0: the root), which may have to be parted. */
static void put_in(struct mem_tree *tree, struct path *path, unsigned level, struct mem_page *page,
                   unsigned at, struct str key, struct str value)
{
    if (mem_page_insert(page, at, key, value))
        return;
    /* What grows at its end leaves full pages behind. */
    bool at_end = at == page->count && !page->next && page->is_leaf;
    unsigned middle = at_end ? at : mem_page_middle(page);
    struct mem_page *right = split(tree, path, level, page, middle, key);
    bool left = at < middle || (at == middle && !at_end);
    mem_page_insert(left ? page : right, left ? at : at - middle, key, value);
}

void mem_tree_put(struct mem_tree *tree, struct str key, struct str value)
{
    struct path path;
    unsigned at;
    bool found;
    if (is_recent(tree, key, &at, &found)) {
        if (found && mem_page_overwrite(tree->recent, at, value))
            return;
        if (!found && mem_page_insert(tree->recent, at, key, value))
            return;
    }
    at = find(tree, key, &path, &found);
    if (found && mem_page_overwrite(path.leaf, at, value))
        return;
    if (found)
        mem_page_remove(path.leaf, at);
    put_in(tree, &path, path.depth, path.leaf, at, key, value);
}

/* ---- removing ---- */

static void unlink_leaf(struct mem_page *leaf)
{
    if (leaf->prev)
        leaf->prev->next = leaf->next;
    if (leaf->next)
        leaf->next->prev = leaf->prev;
}

/* A page without records, of that level, is gone; its parent may be without any then, too. */
static void drop_page(struct mem_tree *tree, const struct path *path, unsigned level,
                      struct mem_page *page)
{
    if (page->is_leaf)
        unlink_leaf(page);
    mem_page_free(page);
    tree->recent = NULL;
    if (level == 0) {
        tree->root = NULL;
        return;
    }
    struct mem_page *parent = path->up[level - 1].page;
    mem_page_remove(parent, path->up[level - 1].at);
    if (!parent->count)
        drop_page(tree, path, level - 1, parent);
}

/* Join a leaf that has few records with a neighbour of the same parent. */
static void join(struct mem_tree *tree, struct path *path)
{
    struct mem_page *leaf = path->leaf, *parent = path->up[path->depth - 1].page;
    unsigned *at = &path->up[path->depth - 1].at;
    if (*at + 1U < parent->count && mem_page_used(leaf) + mem_page_used(leaf->next) < FULL) {
        struct mem_page *next = leaf->next;
        mem_page_move(next, 0, leaf);
        ++*at;
        drop_page(tree, path, path->depth, next);
    } else if (*at > 0 && mem_page_used(leaf) + mem_page_used(leaf->prev) < FULL) {
        mem_page_move(leaf, 0, leaf->prev);
        drop_page(tree, path, path->depth, leaf);
    }
}

static void lower_root(struct mem_tree *tree)
{
    while (tree->root && !tree->root->is_leaf && tree->root->count == 1) {
        struct mem_page *old = tree->root;
        tree->root = child(old, 0);
        mem_page_free(old);
    }
}

bool mem_tree_remove(struct mem_tree *tree, struct str key)
{
    struct path path;
    unsigned at;
    bool found;
    if (is_recent(tree, key, &at, &found) && found && mem_page_used(tree->recent) > 2 * FEW) {
        mem_page_remove(tree->recent, at);
        return true;
    }
    at = find(tree, key, &path, &found);
    if (!found)
        return false;
    mem_page_remove(path.leaf, at);
    if (!path.leaf->count)
        drop_page(tree, &path, path.depth, path.leaf);
    else if (path.depth && mem_page_used(path.leaf) < FEW)
        join(tree, &path);
    lower_root(tree);
    return true;
}

static void free_page(struct mem_page *page)
{
    for (unsigned i = 0; !page->is_leaf && i < page->count; i++)
        free_page(child(page, i));
    mem_page_free(page);
}

void mem_tree_free(struct mem_tree *tree)
{
    if (tree->root)
        free_page(tree->root);
    *tree = (struct mem_tree){0};
}

/* ---- looking ---- */

bool mem_tree_get(struct mem_tree *tree, struct str key, struct str *value)
{
    unsigned at;
    bool found;
    const struct mem_page *leaf = leaf_of(tree, key, &at, &found);
    if (found)
        *value = mem_page_value(leaf, at);
    return found;
}

static bool give(const struct mem_page *leaf, unsigned at, struct str *key, struct str *value)
{
    *key = mem_page_key(leaf, at);
    *value = mem_page_value(leaf, at);
    return true;
}

bool mem_tree_seek(struct mem_tree *tree, struct str from, bool beyond, struct str *key,
                   struct str *value)
{
    unsigned at;
    bool found;
    const struct mem_page *leaf = leaf_of(tree, from, &at, &found);
    at += beyond && found;
    if (at == leaf->count) {
        leaf = leaf->next;
        at = 0;
    }
    return leaf && give(leaf, at, key, value);
}

static const struct mem_page *last_leaf(const struct mem_tree *tree)
{
    const struct mem_page *page = tree->root;
    while (page && !page->is_leaf)
        page = child(page, page->count - 1U);
    return page && page->count ? page : NULL;
}

bool mem_tree_last(struct mem_tree *tree, struct str below, struct str *key, struct str *value)
{
    unsigned at;
    bool found;
    const struct mem_page *leaf = below.len ? leaf_of(tree, below, &at, &found) : last_leaf(tree);
    if (leaf && !below.len)
        at = leaf->count;
    if (leaf && !at) {
        leaf = leaf->prev;
        at = leaf ? leaf->count : 0;
    }
    return leaf && give(leaf, at - 1, key, value);
}
