/*
 * hash.h: fast hashes of bytes (XXH3; the only file that sees xxhash.h is hash.c).
 *
 * Not for secrets or against an adversary. The 128-bit hash names events: it is part of what
 * ledgers store, so its value for given bytes never changes (XXH3_128bits, seed 0).
 */
#ifndef FIT_BASE_HASH_H
#define FIT_BASE_HASH_H

#include "base/str.h"

#include <stdint.h>

struct hash128 {
    uint64_t high;
    uint64_t low;
};

uint64_t hash_64(struct str bytes);
struct hash128 hash_128(struct str bytes);

enum { HASH_TEXT = 33 };
const char *hash_format(struct hash128 hash, char text[HASH_TEXT]); /* 32 lower-case hex digits */

#endif
