/*
 * json_match.h: which values of a text are wanted, for json.c and json_match.c only.
 *
 * The scanner asks it for each key and element of the containers in which a path goes on.
 */
#ifndef FIT_FORMAT_JSON_MATCH_H
#define FIT_FORMAT_JSON_MATCH_H

#include "format/json_index.h"
#include "format/json_paths.h"

struct json_match {
    const struct json_paths *paths;
    struct json_value *values;
    struct str text;
    size_t elements[JSON_MAX_NODES]; /* of each array that is open: how many have begun */
};

void json_match_init(struct json_match *match, const struct json_paths *paths,
                     struct json_value *values, struct str text);

/* A value that did not come is absent when its parent could have had it, else mistyped. */
void json_match_end(struct json_match *match);

/* The child that the next element of node's array is. */
int json_match_element(struct json_match *match, const struct json_node *node);

/* The rest of json_match_member, out of line, for a key that passes the first test. */
int json_match_key(struct json_match *match, const struct json_index *index,
                   const struct json_node *node, const uint32_t *quote);

/* The child of node that a member is, by the quotes of its key. */
JSON_INLINE int json_match_member(struct json_match *match, const struct json_index *index,
                                  const struct json_node *node, const uint32_t *quote)
{
    const char *key = match->text.data + quote[0] + 1;
    if (JSON_LIKELY(!(node->key_bits & json_key_bit(key)) && !json_index_escapes(index, quote)))
        return JSON_NO_NODE;
    return json_match_key(match, index, node, quote);
}

JSON_INLINE void json_match_record(struct json_match *match, int node, enum json_type type,
                                   size_t start, size_t end)
{
    struct str text = {match->text.data + start, end - start};
    match->values[node] = (struct json_value){type, text};
}

#endif
