/*
 * json_paths.h: the inside of a set of paths, for json.c and json_paths.c only.
 *
 * Paths share their prefixes: the set is a tree of nodes, each with a list of children by key and
 * a list of children by index. What a scan asks of each key or element of a visited container
 * (could this be a child at all?) is answered from the parent's node alone.
 */
#ifndef FIT_FORMAT_JSON_PATHS_H
#define FIT_FORMAT_JSON_PATHS_H

#include "format/json.h"

#include <stdint.h>

enum { JSON_NO_NODE = -1 };

struct json_node {
    int parent;        /* JSON_NO_NODE for node 0 */
    int sibling;       /* the next child of the same parent and kind */
    int keys;          /* the first child by key */
    int indexes;       /* the first child by index */
    uint64_t key_bits; /* those of the children's keys */
    size_t last;       /* the greatest index of a child */
    uint64_t head;     /* the first eight bytes of the key, as a load gives them */
    uint64_t mask;     /* ones where head is of the key */
    struct str key;    /* the step from the parent: decoded bytes, owned; {NULL, 0} for an index */
    size_t index;
};

struct json_paths {
    int count;
    struct json_node nodes[JSON_MAX_NODES];
};

/*
 * A bit that tells most keys apart, by the first two bytes behind the opening quote. The second one
 * of a key of one byte is the closing quote; an empty key has none, so a set with one has all bits.
 */
static inline uint64_t json_key_bit(const char *key)
{
    uint16_t start;
    memcpy(&start, key, sizeof start);
    return UINT64_C(1) << (start * UINT32_C(0x9E3779B1) >> 26);
}

#endif
