/* hash.c: fast hashes of bytes, by libxxhash. */
#include "base/hash.h"

#include <stdio.h>
#include <xxhash.h>

uint64_t hash_64(struct str bytes)
{
    return XXH3_64bits(bytes.data, bytes.len);
}

struct hash128 hash_128(struct str bytes)
{
    XXH128_hash_t hash = XXH3_128bits(bytes.data, bytes.len);
    return (struct hash128){hash.high64, hash.low64};
}

const char *hash_format(struct hash128 hash, char text[HASH_TEXT])
{
    snprintf(text, HASH_TEXT, "%016llx%016llx", (unsigned long long)hash.high,
             (unsigned long long)hash.low);
    return text;
}
