/*
 * ordinals.h: how often each content has come, of all contents since the beginning.
 *
 * What a ledger needs to tell the second event of the same content from the first, in a stream of
 * any length. A hash table in a file without a name, so that it takes disk rather than memory: 32
 * bytes a content at most. Where no file can be had, it takes memory.
 */
#ifndef FIT_ENGINE_ORDINALS_H
#define FIT_ENGINE_ORDINALS_H

#include "base/hash.h"

#include <stdint.h>

enum { ORDINALS_FIRST = 4096 }; /* places of a new table; it doubles when three quarters are used */

struct ordinals;

struct ordinals *ordinals_new(const char *temp_dir); /* kept, not copied */
void ordinals_free(struct ordinals *ordinals);       /* NULL is a no-op */

/* One more of this content: the how manyth it is, from 1. */
uint32_t ordinals_count(struct ordinals *ordinals, struct hash128 content);

#endif
